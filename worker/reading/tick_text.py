"""Boxes to tick, and circles to choose by, put into the lines they stand in, where the recogniser passed over them or took them
for a letter.

A box within a line or close to one of its ends belongs to it. What is read as a character of that shape (口, 日) stays one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from worker.reading import geometry, ink
from worker.reading.crop import Cut, cut
from worker.reading.languages import script
from worker.reading.recogniser import ReadChar, Reading, reading_of
from worker.reading.tick_boxes import CROSSED, EMPTY, FILLED, TICKED, TickBox
from worker.reading.tick_circles import CHOSEN, OPEN

BEFORE, AFTER = 1.8, 1.0  # heights of a line from its ends within which a box belongs to it
WITHIN = 0.35  # of its height, from its middle, that a box's middle may lie away from it
HIGHEST = 1.0  # of its height: what is higher is an emblem
COVERED = 0.6  # of the columns of a mark that a character takes up
CONFIDENCE = 0.9  # in the box; nobody measured it
# Signs that are put only within a line, where nothing was read: marks and letters are like them.
SHY = frozenset((FILLED, OPEN, CHOSEN))
BOXES = frozenset((EMPTY, TICKED, CROSSED)) | SHY
READ_AS_BOX = frozenset("☐☑☒■□▢▣◻◼◽◾")
MARKS = frozenset("✓✔√✕✗×xXvV*")  # what a tick is read as without its box,
TAKEN_FOR_TICKED = frozenset("区區凶冈网")  # and with it
MOUTH = "口"
SURE_CHARACTER = 0.6  # confidence from which a Chinese character is believed,
SURE_LETTER = 0.8  # and a letter by itself


class Place(NamedTuple):
    """A box as a line sees it: columns from `x0` to `x1` of its piece, outside of it by `away` line heights."""

    away: float
    line: int
    x0: float
    x1: float
    sign: str


def into(
    page: NDArray[np.uint8], boxes: Sequence[TickBox], lines: Sequence[tuple[Cut, Reading]]
) -> dict[int, tuple[Cut, Reading]]:
    """The lines (a piece of `page` and what it says) that get a box, by index: the piece, wider where the box stood outside,
    and the text with it."""
    inside: dict[int, list[Place]] = {}
    for box in boxes:
        seen = [place for index, (piece, _) in enumerate(lines) if (place := _place(box, index, piece)) is not None]
        nearest = min(seen, default=None)
        # what is dark in a line of light characters is the paper that they enclose
        if nearest is not None and ink.is_light(lines[nearest.line][0].image) == box.light:
            inside.setdefault(nearest.line, []).append(nearest)
    out = {}
    for index, places in inside.items():
        piece, reading = lines[index]
        found = placed(reading, sorted((place.x0, place.x1, place.sign) for place in places), piece.image.shape[0])
        if found is not reading:
            out[index] = _widened(page, piece, found)
    return out


def _place(box: TickBox, index: int, piece: Cut) -> Place | None:
    """Where a line sees a box, if it may be one of its."""
    height, width = piece.image.shape[:2]
    corners = np.array(
        [[box.left, box.top], [box.right, box.top], [box.right, box.bottom], [box.left, box.bottom]], np.float32
    )
    seen = geometry.through(np.linalg.inv(piece.to_page).astype(np.float64), corners)
    (x0, y0), (x1, y1) = seen.min(axis=0).tolist(), seen.max(axis=0).tolist()
    if abs((y0 + y1) / 2 - height / 2) > WITHIN * height or y1 - y0 > HIGHEST * height:
        return None
    before, after = max(0.0, -x1 / height), max(0.0, (x0 - width) / height)
    if before > BEFORE or after > AFTER or (box.sign in SHY and before + after > 0):
        return None
    return Place(before + after, index, x0, x1, box.sign)


def _widened(page: NDArray[np.uint8], piece: Cut, reading: Reading) -> tuple[Cut, Reading]:
    """The piece as wide as its characters, and these in its columns."""
    width = piece.image.shape[1]
    left, right = min(0.0, reading.chars[0].x0), max(float(width), reading.chars[-1].x1)
    if (left, right) == (0.0, float(width)):
        return piece, reading
    wider = cut(page, np.asarray(piece.quads(np.array([[left, right]]))[0], dtype=np.float32))
    zoom = wider.image.shape[1] / (right - left)
    chars = [
        ReadChar(char.text, char.confidence, (char.x0 - left) * zoom, (char.x1 - left) * zoom, char.alternatives)
        for char in reading.chars
    ]
    return wider, reading_of(chars, reading.engine)


def placed(reading: Reading, boxes: Sequence[tuple[float, float, str]], height: float) -> Reading:
    """A line with its boxes, (x0, x1, sign) in pixels of its crop `height` high, from left to right, where nothing that was
    read stands for them; the very same where none is missing."""
    chars = list(reading.chars)
    for x0, x1, sign in boxes:
        chars = _with(chars, x0, x1, sign, height)
    return reading if chars == list(reading.chars) else reading_of(chars, reading.engine)


def _with(chars: list[ReadChar], x0: float, x1: float, sign: str, height: float) -> list[ReadChar]:
    there = [at for at, char in enumerate(chars) if x0 < (char.x0 + char.x1) / 2 < x1 and char.text.strip()]
    if sign in SHY and any(_covers(char, x0, x1) for char in chars):
        return chars
    if len(there) > 1 or (there and not _gives_way(chars, there[0], sign)):
        return chars  # a frame around characters, a blot, or a character
    middle = (x0 + x1) / 2
    before = [char for at, char in enumerate(chars) if at not in there and (char.x0 + char.x1) / 2 <= middle]
    after = [char for at, char in enumerate(chars) if at not in there and (char.x0 + char.x1) / 2 > middle]
    while before and not before[-1].text.strip():
        before.pop()
    while after and not after[0].text.strip():
        after.pop(0)
    box = ReadChar(sign, CONFIDENCE, x0, x1)
    spaces = [_space(before[-1], box, height, _letter(before))] if before else []
    more = [_space(box, after[0], height, after[0].text)] if after else []
    return [*before, *filter(None, spaces), box, *filter(None, more), *after]


def _letter(before: Sequence[ReadChar]) -> str:
    """The letter or figure that a box stands behind, with or without a mark between them (Smoker? ☐)."""
    if before[-1].text in "([{/":
        return before[-1].text
    return next((char.text for char in reversed(before) if char.text.isalnum()), before[-1].text)


def _covers(char: ReadChar, x0: float, x1: float) -> bool:
    """Whether a character takes up most of these columns: then what is there is a part of it."""
    return bool(char.text.strip()) and min(x1, char.x1) - max(x0, char.x0) > COVERED * (x1 - x0)


def _gives_way(chars: Sequence[ReadChar], at: int, sign: str) -> bool:
    """Whether what was read in place of a box is what stands in it, or a guess: a letter by itself, or an unsure character."""
    char = chars[at]
    if char.text in MARKS and sign in (TICKED, CROSSED):
        return True
    if char.text == MOUTH and sign == EMPTY:  # the box of 口 has legs, which a box to tick has not
        return at == 0 or script(chars[at - 1].text) != "han"
    if char.text in READ_AS_BOX:
        return False
    if script(char.text) == "han":
        begins = at == 0 or script(chars[at - 1].text) != "han"
        return char.confidence < SURE_CHARACTER or (begins and char.text in TAKEN_FOR_TICKED)
    around = [chars[index].text for index in (at - 1, at + 1) if 0 <= index < len(chars)]
    return char.confidence < SURE_LETTER and not any(text.isascii() and text.isalnum() for text in around)


def _space(first: ReadChar, second: ReadChar, height: float, letter: str) -> ReadChar | None:
    """The space between a box and its neighbour: beside a `letter` or figure of ASCII always, between it and Chinese only
    where they stand apart."""
    gap = (second.x0 - first.x1) / height
    apart = gap >= (0.5 if script(letter) == "han" else 0.2)
    spaced = apart or (letter.isascii() and letter.isalnum())
    return ReadChar(" ", CONFIDENCE, first.x1, max(first.x1, second.x0)) if spaced else None
