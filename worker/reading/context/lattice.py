"""How likely a text is by the steps of a CTC model, and where its characters then stand.

A line's steps are the likeliest few classes and their probabilities, as `ctc.top_graph` hands them out; every other class
has FLOOR. The sums and the best path are those of Graves et al. 2006, section 4.1, in logarithms.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from worker.reading.ctc import BLANK

FLOOR = 3e-5  # probability of a class that is not among the likeliest few
NEVER = -1e9

Logs = NDArray[np.float64]


def emissions(scores: NDArray[np.float32], classes: NDArray[np.int32], wanted: Sequence[int]) -> Logs:
    """Log probabilities (steps, len(wanted)) of the `wanted` classes; `scores` and `classes` of shape (steps, few)."""
    out = np.full((len(scores), len(wanted)), np.log(FLOOR))
    for column, index in enumerate(wanted):
        rows, places = np.nonzero(classes == index)
        out[rows, column] = np.log(np.maximum(scores[rows, places], FLOOR))
    return out


def _extended(texts: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Texts with a blank around each character, (texts, places), filled up with blanks; and the places that may be reached
    over the blank before them, because they differ from the character before that."""
    places = 2 * max(len(text) for text in texts) + 1
    out = np.full((len(texts), places), BLANK)
    for row, text in zip(out, texts, strict=True):
        row[1 : 2 * len(text) : 2] = text
    over = np.zeros(out.shape, dtype=bool)
    over[:, 2:] = (out[:, 2:] != BLANK) & (out[:, 2:] != out[:, :-2])
    return out, over


def likelihoods(scores: NDArray[np.float32], classes: NDArray[np.int32], texts: Sequence[Sequence[int]]) -> Logs:
    """The log likelihood of each text, by all paths that give it: texts are lists of classes."""
    wanted, places, over = _laid_out(texts)
    by_step = emissions(scores, classes, wanted)
    ways = np.full(places.shape, NEVER)
    ways[:, :2] = by_step[0][places[:, :2]]
    for step in by_step[1:]:
        on = ways.copy()
        on[:, 1:] = np.logaddexp(on[:, 1:], ways[:, :-1])
        on[:, 2:] = np.logaddexp(on[:, 2:], np.where(over[:, 2:], ways[:, :-2], NEVER))
        ways = on + step[places]
    rows, ends = np.arange(len(texts)), 2 * np.array([len(text) for text in texts])
    return np.asarray(np.logaddexp(ways[rows, ends], ways[rows, ends - 1]))


def _laid_out(texts: Sequence[Sequence[int]]) -> tuple[list[int], NDArray[np.int64], NDArray[np.bool_]]:
    """The classes that occur, the texts' places as positions among them, and `_extended`'s places reached over a blank."""
    wanted = sorted({BLANK, *(index for text in texts for index in text)})
    places, over = _extended(texts)
    return wanted, np.searchsorted(wanted, places), over


def aligned(
    scores: NDArray[np.float32], classes: NDArray[np.int32], text: Sequence[int]
) -> list[tuple[int, int]] | None:
    """The first and last step of each character on the best path that gives the text; None where the steps are too few."""
    wanted, places, over = _laid_out([text])
    by_step = emissions(scores, classes, wanted)[:, places[0]]
    steps, count = by_step.shape
    ways = np.full(count, NEVER)
    ways[:2] = by_step[0, :2]
    back = np.zeros((steps, count), np.int64)
    for step in range(1, steps):
        from_one = np.concatenate([[NEVER], ways[:-1]])
        from_two = np.where(over[0], np.concatenate([[NEVER, NEVER], ways[:-2]]), NEVER)
        choices = np.stack([ways, from_one, from_two])
        back[step] = choices.argmax(0)
        ways = choices.max(0) + by_step[step]
    place = count - 1 if ways[-1] >= ways[-2] else count - 2
    if ways[place] <= NEVER / 2:
        return None
    spans: list[list[int]] = [[] for _ in text]
    for step in range(steps - 1, -1, -1):
        if place % 2:
            spans[place // 2].append(step)
        place -= int(back[step, place])
    return [(min(span), max(span)) for span in spans]
