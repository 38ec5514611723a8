"""Which way up a page stands, found by reading: a few of its lines are read both ways, and the surer way wins.

No classifier is asked: those turn upright text over now and then, and a reading that makes sense is better evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from worker.reading import geometry
from worker.reading.geometry import Floats
from worker.reading.recogniser import Reading

TALL = 1.5  # a quad higher than this many times its width runs down the page
SIDEWAYS_SHARE = 0.6  # of the summed length of lines: from here on the page lies on its side, or is written in columns
SAMPLES = 4  # lines read both ways
SURE = 0.90  # mean confidence of upright lines from which nobody looks at them upside down
MARGIN = 0.05  # what the other way must be surer by

ReadQuads = Callable[[Sequence[Floats]], list[Reading]]


def is_tall(quad: Floats) -> bool:
    """Whether a quad runs down the page rather than across it."""
    width, height = geometry.size(quad)
    return height > TALL * width


def sideways(quads: Sequence[Floats]) -> bool:
    """Whether most of the page's text (by length) runs up or down."""
    if not quads:
        return False
    lengths = np.array([max(geometry.size(quad)) for quad in quads])
    tall = np.array([is_tall(quad) for quad in quads])
    return bool(lengths[tall].sum() > SIDEWAYS_SHARE * lengths.sum())


def samples(quads: Sequence[Floats], tall: bool, count: int = SAMPLES) -> list[Floats]:
    """The lines to judge by: of the page's main direction, long enough to be sure of and short enough to be cheap."""

    def fitness(quad: Floats) -> float:
        width, height = sorted(geometry.size(quad), reverse=True)
        aspect = width / max(height, 1.0)
        return min(aspect, 10.0) - max(0.0, aspect - 12.0) / 2 + min(height, 30.0) / 10

    fitting = [quad for quad in quads if is_tall(quad) == tall]
    return sorted(fitting, key=fitness, reverse=True)[:count]


def trust(readings: Sequence[Reading]) -> float:
    """How sure a set of readings is, 0 to 1: the mean confidence of their characters, an empty reading counting 0."""
    weights = [max(len(reading.text), 1) for reading in readings]
    if not weights:
        return 0.0
    return sum(r.confidence * w for r, w in zip(readings, weights, strict=True)) / sum(weights)


def corner_turn(quads: Sequence[Floats], read: ReadQuads, read_columns: ReadQuads) -> int | None:
    """By how many corners the page's quads must be rolled to read in their direction: 0 (upright), 2 (upside down),
    1 or 3 (lying on a side), or None for a page of upright columns. `read` reads quads along their direction,
    `read_columns` reads tall quads as columns of upright characters."""
    if not quads:
        return 0
    if not sideways(quads):
        chosen = samples(quads, tall=False)
        upright = trust(read(chosen))
        if upright >= SURE or not chosen:
            return 0
        flipped = trust(read([geometry.roll(quad, 2) for quad in chosen]))
        return 2 if flipped > upright + MARGIN else 0
    chosen = samples(quads, tall=True)
    down = trust(read([geometry.roll(quad, 1) for quad in chosen]))
    if down >= SURE + 0.05:
        return 1
    up = trust(read([geometry.roll(quad, 3) for quad in chosen]))
    columns = trust(read_columns(chosen))
    best = max(down, up, columns)
    if columns == best:
        return None
    return 1 if down == best else 3


def rotation_of(turn: int | None) -> int:
    """Degrees clockwise by which a page must be turned to stand upright, from its lines' `corner_turn`."""
    return {0: 0, None: 0, 1: 270, 2: 180, 3: 90}[turn]
