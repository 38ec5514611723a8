"""The doubtful stretches of a long line: the stronger engine reads these again, not the whole line.

A line of a hundred characters is seldom wrong in more than one word, and reading it again costs ten times the word. The
line is parted where the quick engine was sure: in the middle of a space, or between two Chinese characters.
"""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace

import numpy as np

from worker.reading import doubled
from worker.reading.languages import script
from worker.reading.recogniser import Crop, ReadChar, Reading, reading_of

LONG_HEIGHTS = 8.0  # width from which a line is long: the stronger engine takes as long for anything shorter than 6.7
DOUBTFUL = 0.85  # confidence below which a character is read again ...
SPACE_SURE = 0.9  # ... and from which a line may be parted at a space ...
HAN_SURE = 0.98  # ... or between two Chinese characters
NEAR_HEIGHTS = 1.5  # stretches nearer to each other than that are one
MARGIN = 0.02  # by which the first reading of a stretch must be surer than the second to be kept
MOST = 0.6  # of the line's width; where more is doubtful the whole line is read again


@dataclass(frozen=True, slots=True)
class Stretch:
    """The characters `first` to `end` (exclusive) of a reading, and the columns `left` to `right` of its crop."""

    first: int
    end: int
    left: int
    right: int

    def of(self, crop: Crop) -> Crop:
        """Its part of the picture."""
        return np.ascontiguousarray(crop[:, self.left : self.right])


def find(reading: Reading, width: int, height: int, also: Container[int] = ()) -> list[Stretch]:
    """The stretches of a line (`width` x `height` px) to read again, of characters that were not read surely and those whose
    indices are in `also`; none where nothing is doubtful, where too much is, or where the line is short: then it is for
    the whole line to be read again, or not."""
    chars = reading.chars
    if width <= LONG_HEIGHTS * height or not chars:
        return []
    runs: list[tuple[int, int]] = []
    for index, char in enumerate(chars):
        if (char.confidence >= DOUBTFUL and index not in also) or (runs and index < runs[-1][1]):
            continue
        first, end = _run(chars, index)
        if runs and chars[first].x0 - chars[runs[-1][1] - 1].x1 < NEAR_HEIGHTS * height:
            first = runs.pop()[0]
        runs.append((first, end))
    found = [_stretch(chars, *run, width) for run in runs]
    return found if sum(part.right - part.left for part in found) <= MOST * width else []


def joined(reading: Reading, again: Sequence[tuple[Stretch, Reading]], engine: str, margin: float = MARGIN) -> Reading:
    """The line with what was read again in its place, except where the first reading is surer by the margin. `engine` is the
    name of who reads with both."""
    chars: list[ReadChar] = []
    at = 0
    for stretch, second in again:
        own = reading.chars[stretch.first : stretch.end]
        mean = sum(char.confidence for char in own) / len(own)
        chars += reading.chars[at : stretch.first]
        if not second.text or mean > second.confidence + margin:
            chars += own
        else:
            found = doubled.restored(second, reading_of(own, engine)).chars
            chars += [replace(char, x0=char.x0 + stretch.left, x1=char.x1 + stretch.left) for char in found]
        at = stretch.end
    chars += reading.chars[at:]
    return reading_of(chars, engine)


def _run(chars: Sequence[ReadChar], index: int) -> tuple[int, int]:
    """The characters around a doubtful one, up to where the line may be parted."""
    first, end = index, index + 1
    while first > 0 and not _parts(chars, first):
        first -= 1
    while end < len(chars) and not _parts(chars, end):
        end += 1
    if first > 0 and chars[first].text == " ":
        first += 1
    return first, end


def _parts(chars: Sequence[ReadChar], index: int) -> bool:
    """Whether the line may be parted before that character."""
    before, char = chars[index - 1], chars[index]
    if char.text == " ":
        return char.confidence >= SPACE_SURE
    return script(before.text) == script(char.text) == "han" and min(before.confidence, char.confidence) >= HAN_SURE


def _stretch(chars: Sequence[ReadChar], first: int, end: int, width: int) -> Stretch:
    left = 0.0 if first == 0 else _border(chars[first - 1], chars[first])
    right = float(width) if end == len(chars) else _border(chars[end - 1], chars[end])
    return Stretch(first, end, int(left), min(width, max(math.ceil(right), int(left) + 1)))


def _border(before: ReadChar, after: ReadChar) -> float:
    """Where to part the picture between two characters: amid a space, or between them."""
    for char in (before, after):
        if char.text == " ":
            return (char.x0 + char.x1) / 2
    return (before.x1 + after.x0) / 2
