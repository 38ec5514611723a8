"""Lines longer than a recogniser's input: overlapping windows, cut where there is no ink, merged on the CTC time axis.

Squeezing a long line into a fixed width makes its characters too narrow to read. Here every window keeps the line's
true proportions, and because the windows start on whole time steps their steps fall onto one another: the merged
sequence is decoded once, as if it came out of one long input.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from worker.reading.ctc import BLANK

Steps = tuple[NDArray[np.float32], NDArray[np.int32]]
"""Scores and classes of shape (steps, TOP), best first."""


def windows(ink: NDArray[np.float32], limit: int, overlap: int, stride: int) -> list[tuple[int, int]]:
    """Cut `len(ink)` columns into windows (first, end) of at most `limit`; neighbours share about `overlap` columns.

    The middle of every overlap is the calmest place of the last third of the window: a gap between words where there
    is one. Starts are whole multiples of `stride`, the columns a time step.
    """
    width = len(ink)
    half = overlap // 2
    calm = np.convolve(ink, np.ones(max(3, overlap // 8)), "same")
    found: list[tuple[int, int]] = []
    start = 0
    while width - start > limit:
        low, high = start + limit * 2 // 3, start + limit - half
        # Among equally calm columns the last one: fewer windows.
        cut = high - 1 - int(np.argmin(calm[low:high][::-1]))
        found.append((start, min(width, cut + half)))
        start = max(start + stride, (cut - half) // stride * stride)
    found.append((start, width))
    return found


def merge(parts: Sequence[Steps], starts: Sequence[int]) -> Steps:
    """Join the windows' steps into one sequence; `starts` in steps. No window but the last may
    carry steps of padding at its end.

    Two neighbours meet at the step of their overlap where both are surest that there is no character, so that none is
    cut in two or read twice; where they never agree, at the middle of the overlap.
    """
    scores, classes = parts[0]
    for (more_scores, more_classes), start in zip(parts[1:], starts[1:], strict=True):
        shared = max(1, min(len(scores) - start, len(more_scores)))
        left = np.where(classes[start : start + shared, 0] == BLANK, scores[start : start + shared, 0], 0)
        right = np.where(more_classes[:shared, 0] == BLANK, more_scores[:shared, 0], 0)
        # The further from the overlap's ends, the more either window has seen of what lies around the step.
        centred = 1 - np.abs(np.linspace(-1, 1, shared + 2)[1:-1])
        both = np.minimum(left, right)
        meet = int(np.argmax(np.where(both > 0.5, 1 + centred, centred + both)))
        scores = np.concatenate((scores[: start + meet], more_scores[meet:]))
        classes = np.concatenate((classes[: start + meet], more_classes[meet:]))
    return scores, classes


def delayed(steps: Steps, count: int) -> Steps:
    """The steps with `count` sure blanks before them."""
    if not count:
        return steps
    scores, classes = steps
    before = np.zeros((count, scores.shape[1]), scores.dtype)
    before[:, 0] = 1
    return np.concatenate([before, scores]), np.concatenate(
        [np.zeros((count, classes.shape[1]), classes.dtype), classes]
    )
