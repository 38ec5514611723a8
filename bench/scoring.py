"""Scores: exact lines, character error rate, lines that came out too short, and a bag-of-tokens F1 for pages.

Texts are compared after Unicode NFKC, with quotes, dashes and middle dots folded and white space removed; a label's rule
adds to it (`nocase` folds case, `nopunct` keeps letters and digits). A page's tokens are its words of Latin letters or
digits and its single CJK characters, upper case; pages whose labels are partial count for recall only.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_FOLDS = {"'": "‘’‛′`´", '"': "“”„″«»", "-": "‐‑‒–—―−－", "·": "·•∙・"}
_FOLD = str.maketrans({odd: plain for plain, odds in _FOLDS.items() for odd in odds})
_TOKEN = re.compile(r"[0-9A-Za-z\u00c0-\u024f]+|[\u3400-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7a3]")


def normalise(text: str, rule: str = "plain") -> str:
    """The form in which texts are compared; `rule` names of additional folds are looked for inside it."""
    folded = "".join(unicodedata.normalize("NFKC", text).translate(_FOLD).split())
    if "nocase" in rule:
        folded = folded.upper()
    if "nopunct" in rule:
        folded = re.sub(r"[\W_]", "", folded).upper()
    return folded.replace("·", "") if "plate" in rule else folded


def tokens(texts: Iterable[str]) -> Counter[str]:
    """The bag of tokens of a page's lines."""
    return Counter(_TOKEN.findall(unicodedata.normalize("NFKC", "\n".join(texts)).upper()))


def edits(a: str, b: str) -> int:
    """Levenshtein distance, one integer a column of the table (Myers 1999, as by Hyyro 2003)."""
    if not a or not b:
        return len(a) or len(b)
    where: dict[str, int] = defaultdict(int)
    for position, char in enumerate(a):
        where[char] |= 1 << position
    full, last = (1 << len(a)) - 1, 1 << (len(a) - 1)
    up, down, distance = full, 0, len(a)
    for char in b:
        match = where.get(char, 0)
        diagonal = (((match & up) + up) ^ up) | match | down
        right, left = down | (~(diagonal | up) & full), diagonal & up
        distance += bool(right & last) - bool(left & last)
        right = ((right << 1) | 1) & full
        left = (left << 1) & full
        up, down = left | (~(diagonal | right) & full), right & diagonal
    return distance


@dataclass(slots=True)
class LineScore:
    """Sums over lines."""

    lines: int = 0
    exact: int = 0
    edits: int = 0
    chars: int = 0
    lost: int = 0

    def add(self, want: str, got: str, rule: str = "plain") -> None:
        """Count one line."""
        want, got = normalise(want, rule), normalise(got, rule)
        self.lines += 1
        self.exact += want == got
        self.edits += edits(got, want)
        self.chars += len(want)
        self.lost += len(got) < len(want) / 2

    @property
    def exact_share(self) -> float:
        return self.exact / max(1, self.lines)

    @property
    def cer(self) -> float:
        return self.edits / max(1, self.chars)


@dataclass(slots=True)
class PageScore:
    """Sums over pages: tokens hit, wanted and got; the `full_` ones over pages labelled completely."""

    pages: int = 0
    hits: int = 0
    want: int = 0
    full_hits: int = 0
    full_want: int = 0
    full_got: int = 0

    def add(self, want: Sequence[str], got: Sequence[str], partial: bool = False) -> None:
        """Count one page."""
        wanted, found = tokens(want), tokens(got)
        hits = (wanted & found).total()
        self.pages += 1
        self.hits += hits
        self.want += wanted.total()
        if not partial:
            self.full_hits += hits
            self.full_want += wanted.total()
            self.full_got += found.total()

    @property
    def recall(self) -> float:
        return self.hits / max(1, self.want)

    @property
    def f1(self) -> float:
        both = self.full_got + self.full_want
        return 2 * self.full_hits / both if both else float("nan")


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; floats with four places, or as given."""
    out = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        cells = (f"{cell:.4f}" if isinstance(cell, float) else str(cell) for cell in row)
        out.append("| " + " | ".join(cells) + " |")
    return "\n".join(out)


def by_source(scores: Mapping[str, LineScore] | Mapping[str, PageScore]) -> list[str]:
    """Names of the groups, `all` last."""
    return [*sorted(name for name in scores if name != "all"), "all"]
