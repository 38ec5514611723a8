"""The contract of everything that reads lines: crops in, readings out. No implementation is imported here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Crop = NDArray[np.uint8]
"""One line of text, BGR, shape (height, width, 3), running from left to right, of any size."""


@dataclass(frozen=True, slots=True)
class ReadChar:
    """One character with where it stands: `x0` to `x1` in pixels of the crop it was read from.

    `confidence` is the recogniser's probability (0 to 1) where it is surest of the character; `alternatives` are the
    next best characters there with theirs, best first.
    """

    text: str
    confidence: float
    x0: float
    x1: float
    alternatives: tuple[tuple[str, float], ...] = ()

    def instead(self, other: str, confidence: float) -> ReadChar:
        """Another character in its place; what was read becomes the first alternative."""
        rest = tuple(each for each in self.alternatives if each[0] != other)
        own = ((self.text, self.confidence), *rest)
        return replace(self, text=other, confidence=min(1.0, confidence), alternatives=own)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one crop says. `confidence` is the mean over its characters, 0 where there are none."""

    text: str
    confidence: float
    chars: tuple[ReadChar, ...]
    engine: str


def without_margins(chars: Sequence[ReadChar]) -> tuple[ReadChar, ...]:
    """The characters without spaces before the first and after the last: the paper around a line is none of its text."""
    inked = [at for at, char in enumerate(chars) if char.text.strip()]
    return tuple(chars[inked[0] : inked[-1] + 1]) if inked else ()


def reading_of(chars: Sequence[ReadChar], engine: str) -> Reading:
    """What characters say together."""
    confidence = sum(char.confidence for char in chars) / len(chars) if chars else 0.0
    return Reading("".join(char.text for char in chars), confidence, tuple(chars), engine)


def is_plain(char: ReadChar) -> bool:
    """Whether it is a letter or figure of ASCII."""
    return char.text.isascii() and char.text.isalnum()


def compared(own: Sequence[ReadChar], other: Sequence[ReadChar]) -> list[tuple[str, int, int, int, int]]:
    """Where two readings of a picture agree and where not, as `difflib`'s opcodes."""
    mine, theirs = ([char.text for char in chars] for chars in (own, other))
    return list(SequenceMatcher(None, mine, theirs, autojunk=False).get_opcodes())


class Recogniser(Protocol):
    """Reads lines. Holds warm models; not safe to share between threads."""

    name: str
    version: str
    vocabulary: frozenset[str]

    def read(self, crops: Sequence[Crop], allow: frozenset[str] | None = None) -> list[Reading]:
        """Read every crop, in the order given; `allow` limits the answer to these characters (and the space)."""
        ...

    def release(self) -> None:
        """Give back what memory can be had again; the next call is slower by some milliseconds."""
        ...
