"""Chinese marks that the stronger recogniser leaves out, put back from the CRNN's reading of the line.

In a column, which is read lying on its side, 。 and 《 are small and stand at a cell's edge, where PP-OCRv6 passes over them, and ，
looks like an apostrophe to it. The CRNN has learnt columns and reads the marks, though it is less sure of the characters:
so where both read the same around one, its mark stands.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace

from worker.reading.languages import script
from worker.reading.recogniser import ReadChar, Reading, compared, reading_of

OPENING, CLOSING = frozenset("《〈「『"), frozenset("。，、；：》〉」』")
MARKS = OPENING | CLOSING
TAKEN_FOR = frozenset("'’‘`´")  # what ， on its side is read as
SURE = 0.5  # confidence that the other reading must have in a mark: it reads them with 0.5 to 0.97 in columns
CHARACTERS = 4  # Chinese ones of a line, from which their usual width is known
WIDE = 1.35  # times that: a character so wide has a mark beside it


def suspected(reading: Reading) -> bool:
    """Whether the room of a mark is left in a line of Chinese characters, or an apostrophe stands among them."""
    chars = reading.chars
    widths = [char.x1 - char.x0 for char in chars if script(char.text) == "han"]
    if len(widths) < CHARACTERS:
        return False
    odd = any(char.text in TAKEN_FOR and _among_han(chars, at, at + 1) for at, char in enumerate(chars))
    return odd or max(widths) >= WIDE * statistics.median(widths)


def restored(reading: Reading, other: Reading) -> Reading:
    """`reading`, of the same picture as `other`, with the marks that only `other` has; the very same where none is."""
    own, theirs = reading.chars, other.chars
    chars: list[ReadChar] = []
    for kind, first, end, from_, to in compared(own, theirs):
        misplaced = CLOSING if first == 0 else OPENING if end == len(own) else frozenset()
        marks = [char for char in theirs[from_:to] if char.text in MARKS - misplaced and char.confidence >= SURE]
        if len(marks) != to - from_ or not _among_han(own, first, end):
            chars += own[first:end]
        elif kind == "insert":
            if chars:
                chars[-1] = replace(chars[-1], x1=min(chars[-1].x1, max(marks[0].x0, chars[-1].x0)))
            chars += marks
        elif kind == "replace" and end - first == to - from_ and all(char.text in TAKEN_FOR for char in own[first:end]):
            chars += [
                mine.instead(mark.text, mark.confidence) for mine, mark in zip(own[first:end], marks, strict=True)
            ]
        else:
            chars += own[first:end]
    return reading if [*own] == chars else reading_of(chars, reading.engine)


def _among_han(chars: Sequence[ReadChar], first: int, end: int) -> bool:
    """Whether what stands before `first` and from `end` on is Chinese; one of both at the ends of a line."""
    beside = [chars[at].text for at in (first - 1, end) if 0 <= at < len(chars)]
    return bool(beside) and all(script(char) == "han" or char in MARKS for char in beside)
