"""CTC: from a model's per-step characters to text, with where each character stands and what else it could be.

Greedy decoding (Graves et al. 2006, section 3.2, best path): the best class of every step, repeats merged, blanks
dropped. Class 0 is the blank.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLANK = 0
TOP = 4  # classes a step that leave the graph: the best and three alternatives
TOP_WORN = 8  # the same where damaged lines are read: less likely characters are weighed there, too
GROUPS = (40, 160)  # into about so many the classes are parted for the search of the best
REFUSED = -1e4  # added to the logit of a character that is not allowed
ALTERNATIVE_MIN = 1e-3  # below this probability an alternative tells a reader nothing


@dataclass(frozen=True, slots=True)
class Peak:
    """One character on the time axis: steps `first` to `last` chose it, `step` is where it was surest; `nothing` is how
    likely the blank was there."""

    index: int
    confidence: float
    first: int
    last: int
    step: int
    alternatives: tuple[tuple[int, float], ...]
    nothing: float = 0.0

    def instead(self, index: int, confidence: float) -> Peak:
        """Another character at its place; what was read becomes the first alternative."""
        others = tuple(each for each in ((self.index, self.confidence), *self.alternatives) if each[0] != index)
        return replace(self, index=index, confidence=confidence, alternatives=others)


def top_graph(model: Any, classes: int | None = None, top: int = TOP) -> Any:
    """Edit an OpenVINO model so that only the best `top` classes of each step leave it.

    Its first output is (batch, steps, classes), softmax or logits; `classes` is needed where the graph leaves it open.

    Adds a second input, `allow`, float32 of shape (1, 1, classes), added to the logits (0, or REFUSED). The outputs
    become the probabilities (batch, steps, top) and classes (same, int32), best first. With 18,710 classes this keeps
    4.5 MB a line from being copied and searched in Python.
    """
    from openvino import Model, opset13

    logits = model.get_results()[0].input_value(0)
    while logits.get_node().get_type_name() in ("Identity", "Softmax", "LogSoftmax"):
        logits = logits.get_node().input_value(0)
    if classes is None:
        classes = logits.get_partial_shape()[2].get_length()
    allow = opset13.parameter([1, 1, classes], np.float32, name="allow")
    scores, best = _top(opset13.softmax(opset13.add(logits, allow), 2), classes, top)
    return Model([scores, best], [*model.get_parameters(), allow], "top")


def _top(scores: Any, classes: int, top: int) -> tuple[Any, Any]:
    """The `top` highest of `scores` (batch, steps, classes) and their classes, in two rounds.

    The highest lie in as many groups, those with the highest maxima: a maximum runs at memory speed, and the search is left
    with few values. One round over all classes took twice as long (0.8 of 21.9 ms a line of PP-OCRv6 more).
    """
    from openvino import opset13

    count, size = parted(classes)
    if count * size != classes:
        padding = np.array([0, 0, count * size - classes])
        scores = opset13.pad(scores, np.zeros(3, np.int64), padding, "constant", np.float32(-1))
    groups = opset13.reshape(scores, np.array([0, 0, count, size]), True)
    highest = opset13.reduce_max(groups, np.array([3]), False)
    chosen = opset13.topk(highest, np.int32(top), 2, "max", "index", "i32").output(1)
    few = opset13.reshape(opset13.gather(groups, chosen, np.int32(2), 2), np.array([0, 0, top * size]), True)
    best = opset13.topk(few, np.int32(top), 2, "max", "value", "i32")
    which = opset13.divide(best.output(1), np.int32(size))
    inside = opset13.subtract(best.output(1), opset13.multiply(which, np.int32(size)))
    group = opset13.gather(chosen, which, np.int32(2), 2)
    return best.output(0), opset13.add(opset13.multiply(group, np.int32(size)), inside).output(0)


def parted(classes: int) -> tuple[int, int]:
    """How many groups of how many classes: evenly where that goes, so that no copy with padding is made."""
    even = [count for count in range(*GROUPS) if classes % count == 0]
    count = max(even) if even else 64
    return count, -(-classes // count)


def decode(scores: NDArray[np.float32], classes: NDArray[np.int32]) -> list[Peak]:
    """Greedy decoding of one line: `scores` and `classes` of shape (steps, TOP or more), best first."""
    peaks: list[Peak] = []
    # Plain lists: a line has hundreds of single values to look at, and NumPy is slow to hand single ones out.
    rows, chances = classes.tolist(), scores.tolist()
    first = 0
    for index, group in itertools.groupby(row[0] for row in rows):
        end = first + sum(1 for _ in group)
        if index != BLANK:
            step = max(range(first, end), key=lambda at: chances[at][0])
            peaks.append(_peak(rows[step], chances[step], 0, first, end - 1, step))
        first = end
    return peaks


def nearly(scores: NDArray[np.float32], classes: NDArray[np.int32], least: float) -> list[Peak]:
    """Characters that were nearly read, one at most in each stretch of blanks: the likeliest there, from `least` on, that
    is not one of its neighbours reaching over. Arguments as for `decode`."""
    blank = classes[:, 0] == BLANK
    steps = np.flatnonzero(blank & (classes[:, 1] != BLANK) & (scores[:, 1] >= least))
    if not len(steps):
        return []
    read = np.flatnonzero(~blank)
    characters = classes[read, 0].tolist()
    rows, chances = classes[steps].tolist(), scores[steps].tolist()
    # How many steps before it hold a character, which is one number a stretch -> which of `steps`.
    likeliest: dict[int, int] = {}
    for at, before in enumerate(read.searchsorted(steps).tolist()):
        if before not in likeliest or chances[at][1] >= chances[likeliest[before]][1]:
            likeliest[before] = at
    out = []
    for before, at in likeliest.items():
        if rows[at][1] not in characters[max(0, before - 1) : before + 1]:
            step = int(steps[at])
            out.append(_peak(rows[at], chances[at], 1, step, step, step))
    return out


def _peak(row: list[int], chances: list[float], rank: int, first: int, last: int, step: int) -> Peak:
    """The character of that rank at a step, with what else it could be."""
    ranked = zip(row[rank + 1 :], chances[rank + 1 :], strict=True)
    others = tuple([each for each in ranked if each[1] >= ALTERNATIVE_MIN and each[0] != BLANK])
    nothing = chances[row.index(BLANK)] if BLANK in row else 0.0
    return Peak(row[rank], chances[rank], first, last, step, others, nothing)
