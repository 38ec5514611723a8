"""Labelled lines to fit and to measure on: a folder with `lines.tsv` and the pictures it names."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from shared.errors import DocumentError
from worker.reading.recogniser import Crop

FOLD = str.maketrans(
    {**dict.fromkeys("‘’‛′`´", "'"), **dict.fromkeys("“”„″«»", '"'), **dict.fromkeys("‐‑‒–—―−－", "-")}
    | dict.fromkeys("·•∙・")  # a dot in the middle is set or left out at will
)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A line's picture and what it says; `rule` may name `nocase` and `nopunct` for how to compare."""

    image: str
    crop: Crop
    want: str
    rule: str

    @property
    def fits(self) -> bool:
        """Whether the line belongs to the half that fits; the other half reports. Decided by a hash of its name."""
        return hashlib.sha256(self.image.encode()).digest()[0] % 2 == 0

    def edits(self, got: str) -> int:
        """How many characters a reading is away from the label (Levenshtein), both normalised. Needs rapidfuzz."""
        from rapidfuzz.distance import Levenshtein

        return int(Levenshtein.distance(normalise(got, self.rule), self.want))


def lines(data: Path) -> Iterator[Labelled]:
    """Every labelled line: a row a line in `data/lines.tsv`: image (below `data`), text, language, kind, rule.

    Raises DocumentError for a picture that cannot be read.
    """
    for row in (data / "lines.tsv").read_text(encoding="utf-8").splitlines():
        name, text, _language, _kind, rule = [*row.split("\t"), "", "", ""][:5]
        image = cv2.imread(str(data / name))
        if image is None:
            raise DocumentError(reason=f"{data / name} is no picture")
        yield Labelled(name, np.asarray(image, np.uint8), normalise(text, rule), rule)


def normalise(text: str, rule: str = "") -> str:
    """The form in which label and reading are compared: NFKC, folded quotes and dashes, no middle dots, no white space."""
    text = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text).translate(FOLD))
    if "nocase" in rule:
        text = text.upper()
    if "nopunct" in rule:
        text = re.sub(r"[^\w]|_", "", text).upper()
    return text
