"""What texts are drawn from: words by frequency, running prose, and simplified Chinese turned traditional. Words come from
wordfreq's lists (Chinese, English, and a little Malay, French, German and Spanish for names), prose from the docstrings of
Python's own library.
"""

from __future__ import annotations

import ast
import functools
import pathlib
import random
import re
import sysconfig
from collections.abc import Callable


class Words:
    """A word list that is drawn from by a flattened frequency, so that common words lead and rare ones are still met."""

    def __init__(self, words: list[str], power: float = 0.6) -> None:
        self.words = words
        total = 0.0
        self.cumulative = [total := total + 1.0 / (rank + 5) ** power for rank in range(len(words))]

    def draw(self, rng: random.Random) -> str:
        return rng.choices(self.words, cum_weights=self.cumulative)[0]


# Words that frequency lists hold and a sheet of samples need not show.
UNFIT = re.compile(
    "性交|淫|做爱|性爱|色情|裸|奸|妓|嫖|阴茎|阴道|屌|操你|傻逼|fuck|shit|cunt|porn|nigg|whore|bitch|slut|rape|arse|dick|sex|nazi"
)


@functools.cache
def words(language: str, count: int = 60000) -> Words:
    """wordfreq's `count` commonest words of a language, the ones of letters only."""
    import wordfreq

    found = wordfreq.top_n_list(language, count, wordlist="best")
    found = [w for w in found if not UNFIT.search(w)]
    if language == "zh":
        return Words([w for w in found if all("一" <= c <= "鿿" for c in w)], 0.7)
    return Words([w for w in found if w.isascii() and w.replace("'", "").isalpha()])


@functools.cache
def prose() -> list[str]:
    """Sentences of the docstrings of Python's standard library: real English with real punctuation."""
    found: list[str] = []
    folder = pathlib.Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(folder.glob("*.py"))[:220]:
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
                text = re.sub(r"\s+", " ", ast.get_docstring(node) or "").strip()
                if len(text) > 40 and text.isascii():
                    found.append(text)
    return found


@functools.cache
def traditional() -> Callable[[str], str]:
    """Simplified to traditional Chinese (OpenCC), or the text unchanged where OpenCC is not installed."""
    try:
        import opencc
    except ImportError:
        return str
    convert: Callable[[str], str] = opencc.OpenCC("s2t").convert
    return convert
