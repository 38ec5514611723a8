"""Letters and figures that stand there twice and were read once, put back from another reading of the line.

CTC needs a blank between two equal characters, and where they stand close there may be no step left for it: a telephone
number loses a figure, and nobody sees it. The stronger recogniser does so now and then (3 of 400 drawn lines of figures,
docs/measurements.md), the CRNN hardly ever: where it read the same but for the length of such runs, and surely, its runs stand.
"""

from __future__ import annotations

import itertools
import statistics
import unicodedata
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from worker.reading.recogniser import ReadChar, Reading, reading_of

SURE = 0.9  # confidence that the other reading must have in all of a run
FIGURES = 5  # of a line, from which their usual width is known
WIDE = 1.58  # times that: a figure so wide may be two. One line of figures in fifty has one, and so had all four looked at that lost any.


def suspected(reading: Reading) -> bool:
    """Whether a figure of the line takes up the room of two."""
    widths = [char.x1 - char.x0 for char in reading.chars if char.text.isdigit()]
    return len(widths) >= FIGURES and max(widths) >= WIDE * statistics.median(widths)


def restored(reading: Reading, other: Reading) -> Reading:
    """`reading`, of the same picture as `other`, with the runs that are longer in `other`; the very same where none is."""
    own, theirs = _runs(reading.chars), _runs(other.chars)
    chars = list(reading.chars)
    for mine, their in reversed(list(_pairs(own, theirs))):
        accented = not all(char.text.isascii() for char in mine.chars)
        if len(their.chars) > len(mine.chars) and not accented and all(char.confidence >= SURE for char in their.chars):
            chars[mine.first : mine.first + len(mine.chars)] = _spread(mine.chars, their.chars)
    return reading if len(chars) == len(reading.chars) else reading_of(chars, reading.engine)


class Run(NamedTuple):
    """Equal letters, figures or stars side by side; `first` is the index of the first."""

    first: int
    chars: tuple[ReadChar, ...]


def _runs(chars: Sequence[ReadChar]) -> list[Run]:
    out: list[Run] = []
    for text, group in itertools.groupby(enumerate(chars), lambda each: _plain(each[1].text)):
        if text == "*" or (text.isascii() and text.isalnum()):
            run = list(group)
            out.append(Run(run[0][0], tuple(char for _, char in run)))
    return out


def _plain(char: str) -> str:
    """A letter without its accent: of é and e one reading may make ee, and the other knows better."""
    return unicodedata.normalize("NFD", char)[:1]


def _pairs(own: Sequence[Run], theirs: Sequence[Run]) -> Iterator[tuple[Run, Run]]:
    """Runs of one character that stand in one place of both, as those before and after them say."""
    mine, their = ([_plain(run.chars[0].text) for run in runs] for runs in (own, theirs))
    for block in SequenceMatcher(None, mine, their, autojunk=False).get_matching_blocks():
        for step in range(block.size):
            at, there = block.a + step, block.b + step
            before = step > 0 or (at == 0 and there == 0)
            after = step < block.size - 1 or (at == len(own) - 1 and there == len(theirs) - 1)
            if before and after:
                yield own[at], theirs[there]


def _spread(run: Sequence[ReadChar], other: Sequence[ReadChar]) -> list[ReadChar]:
    """As many characters as `other` has, in the place of `run`."""
    left, step = run[0].x0, (run[-1].x1 - run[0].x0) / len(other)
    return [
        ReadChar(char.text, char.confidence, left + at * step, left + (at + 1) * step) for at, char in enumerate(other)
    ]
