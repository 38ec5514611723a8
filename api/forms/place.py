"""Where the lines of a page stand to each other, whatever the tilt of the paper, and where in them a label is."""

from __future__ import annotations

import math
import statistics
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

ROW_OVERLAP = 0.4  # of the lower one's height: lines that share so much stand in one row
BELOW_HEIGHTS = 2.5  # of the label: what is further down belongs to something else
MISREAD_EVERY = 5  # letters of a label, of which one may be misread


@dataclass(frozen=True, slots=True)
class Placed:
    """A line of the result on its page made level: upright rectangle in pixels, y downwards."""

    page: int
    line: dict[str, Any]
    text: str
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top

    def beside(self, other: Placed) -> bool:
        """Whether the other stands in this one's row, to the right of it."""
        shared = min(self.bottom, other.bottom) - max(self.top, other.top)
        middle = (self.left + self.right) / 2
        return other.left > middle and shared >= ROW_OVERLAP * min(self.height, other.height)

    def above(self, other: Placed) -> bool:
        """Whether the other is the next thing under this one."""
        gap = other.top - (self.top + self.bottom) / 2
        return 0 < gap <= BELOW_HEIGHTS * self.height and min(self.right, other.right) > max(self.left, other.left)


def placed(page: dict[str, Any]) -> list[Placed]:
    """The lines of a page of a result, in reading order."""
    lines = [line for line in page.get("lines", ()) if line.get("box")]
    tilt = _tilt(lines)
    cos, sin = math.cos(-tilt), math.sin(-tilt)
    out = []
    for line in lines:
        xs, ys = zip(*((x * cos - y * sin, x * sin + y * cos) for x, y in line["box"]), strict=True)
        out.append(Placed(page["page"], line, line["text"], min(xs), min(ys), max(xs), max(ys)))
    return out


def _tilt(lines: Sequence[dict[str, Any]]) -> float:
    """The middle direction of the lines that are wide enough to have one, in radians."""
    directions = []
    for line in lines:
        (x0, y0), (x1, y1), (x2, y2), _ = line["box"]
        if math.hypot(x1 - x0, y1 - y0) > 2 * math.hypot(x2 - x1, y2 - y1):
            directions.append(math.atan2(y1 - y0, x1 - x0))
    return statistics.median(directions) if directions else 0.0


def folded(text: str) -> tuple[str, list[int]]:
    """Letters and digits in one form, small, without anything between them; and where in `text` each stands."""
    out, places = [], []
    for place, char in enumerate(text):
        for part in unicodedata.normalize("NFKC", char).casefold():
            if part.isalnum():
                out.append(part)
                places.append(place)
    return "".join(out), places


def ends_of(label: str, text: str) -> Iterator[int]:
    """Where in `text` each occurrence of the label ends."""
    return (end for _, end in places_of(label, text))


def places_of(label: str, text: str) -> Iterator[tuple[int, int]]:
    """From where to where each occurrence of the label stands in `text`. One letter in five may be misread; a label of Latin
    letters is a word of its own: total is not in subtotal."""
    wanted, _ = folded(label)
    found, places = folded(text)
    if not wanted:
        return
    allowed = len(wanted) // MISREAD_EVERY
    start = 0
    while start < len(found):
        length = _matches(wanted, found, start, allowed)
        end = places[start + length - 1] + 1 if length else 0
        if length and _apart(text, places[start], end):
            yield places[start], end
            start += length
        else:
            start += 1


def _matches(wanted: str, found: str, start: int, allowed: int) -> int:
    """How many characters of `found` from `start` on are the label with at most so many edits; 0 for none."""
    best, best_length = (allowed + 1, 0), 0
    for length in range(max(1, len(wanted) - allowed), min(len(wanted) + allowed, len(found) - start) + 1):
        part = found[start : start + length]
        if allowed == 0:
            edits = 0 if part == wanted else 1
        elif part[0] != wanted[0] or part[-1] != wanted[-1]:
            continue  # else what stands around the label is taken for a part of it
        else:
            edits = _edits(part, wanted)
        if edits <= allowed and (edits, abs(length - len(wanted))) < best:
            best, best_length = (edits, abs(length - len(wanted))), length
    return best_length


def _edits(first: str, second: str) -> int:
    """Levenshtein's distance."""
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(second, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


def _apart(text: str, start: int, end: int) -> bool:
    """Whether no Latin letter goes on before or behind."""

    def joined(left: str, right: str) -> bool:
        return left.isascii() and left.isalpha() and right.isascii() and right.isalpha()

    return not (start and joined(text[start - 1], text[start])) and not (
        end < len(text) and joined(text[end - 1], text[end])
    )
