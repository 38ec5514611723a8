"""Fixed forms: named fields out of a result, by rules in files. `rules` reads the files, `place` knows where lines stand,
`values` what values look like, `fill` puts a form and a result together. Nothing here looks at a picture."""

from api.forms.fill import fill
from api.forms.rules import Form, load_all

__all__ = ["Form", "fill", "load_all"]
