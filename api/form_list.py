"""`GET /v1/forms`: the fixed forms whose fields a result can be asked for."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response, jsonify

from api.gateway import Gateway
from api.schemas import Forms


def blueprint(gateway: Gateway) -> APIBlueprint:
    """The route."""
    bp = APIBlueprint("forms", __name__, url_prefix="/v1", tag="Results")

    @bp.get("/forms")
    @bp.output(Forms)
    def forms() -> Response:
        """The known forms

        Each with its fields, in the order in which they are shown. `docs/forms.md` tells how to write one.
        """
        rows = [
            {
                "name": name,
                "title": form.title,
                "title_zh": form.title_zh or form.title,
                "fields": [{"name": key, **rule.described(key)} for key, rule in form.fields.items()],
            }
            for name, form in gateway.forms.items()
        ]
        return jsonify({"forms": rows})

    return bp
