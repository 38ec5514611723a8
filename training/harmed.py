"""Lines as a teacher reads them and a pupil must: rendered, clean for the one, harmed for the other (`damage.py`)."""

from __future__ import annotations

import dataclasses
import itertools
import math
import random
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np

from training import damage, degrade
from training.alphabet import Alphabet
from training.dataset import PAD_VALUE, normalise
from training.render import HEIGHT as RENDERED_PX
from training.render import Renderer
from worker.reading.enhance import mend, spread

Array = np.ndarray[Any, np.dtype[Any]]
HEIGHT = 48
AFTER_PX = 32  # of padding right of a line, as the service gives it
WIDTHS_PX = tuple(range(112, 896, 48))
BATCH_PX = 4096  # of width in a batch, each process
POOL_LINES = 128
TIMES = 3  # a rendered line is harmed and shown: drawing it and asking the teacher cost as much as a third of a step
CAPTURED_PX = (18, 64)  # rows of a clean line, so that a teacher can read it
EXPOSED = 0.5  # share of lines that the teacher sees as an ordinary camera or scanner shows them
MENDED = 0.8  # share of harmed lines that are mended first, as the service mends them before it reads
STRETCHED = 0.3  # share of lines that are made a little wider or narrower


@dataclasses.dataclass(frozen=True)
class Batch:
    """`want` (lines, steps, features) of the teacher, `hurt` the pupil's input (lines, 3, 48, width), the lines' texts."""

    want: Array
    hurt: Array
    texts: list[str]


class CleanRenderer(Renderer):
    """Lines at the size at which they are seen: half of them as they are before a camera or a scanner sees them, half as an
    ordinary one shows them, so that real pictures stay familiar."""

    def _capture_height(self, rng: random.Random, look: str, have: int) -> int:
        low, high = CAPTURED_PX
        return max(low, min(round(low * (high / low) ** rng.random()), have + 4))

    def _captured(self, rng: random.Random, noise: np.random.Generator, picture: Array, look: str) -> Array:
        if rng.random() < EXPOSED:
            return degrade.expose(rng, noise, picture, look)
        return np.clip(picture, 0, 255).astype(np.uint8)


def sized(picture: Array, width: int | None = None) -> Array:
    """A picture at the recogniser's height, as the service makes it so; at `width` where that is given."""
    high, wide = picture.shape[:2]
    way = cv2.INTER_AREA if high >= 2 * HEIGHT else cv2.INTER_LINEAR
    return np.asarray(
        cv2.resize(picture, (width or max(8, math.ceil(wide * HEIGHT / high)), HEIGHT), interpolation=way)
    )


def padded(pictures: list[Array], width: int) -> Array:
    """Pictures as the network's input, filled up on the right."""
    out = np.full((len(pictures), HEIGHT, width, 3), PAD_VALUE, np.uint8)
    for row, picture in zip(out, pictures, strict=True):
        row[:, : picture.shape[1]] = picture
    return normalise(out)


@dataclasses.dataclass
class Group:
    """Clean lines of one input width, what the teacher says of them, and how often they have been shown."""

    width: int
    rows: list[tuple[Array, Array, str, int]]  # at 48 px, as captured, text, number
    want: Array
    used: int = 0

    def harmed(self) -> Batch:
        """The lines with damages that they have not had before."""
        pictures = []
        for clean, captured, _, number in self.rows:
            seed = number * 7 + self.used
            rng = random.Random(seed)
            hurt, _ = damage.harm(rng, np.random.default_rng(seed), captured)
            hurt = mend(hurt) if rng.random() < MENDED else hurt
            pictures.append(sized(spread(hurt), clean.shape[1]))
        self.used += 1
        return Batch(self.want, padded(pictures, self.width), [row[2] for row in self.rows])


def drawn(alphabet: Alphabet, first: int, teach: Callable[[Array], Array], held_out: bool = False) -> Iterator[Batch]:
    """Batches without end, of the lines numbered from `first` on."""
    renderer = CleanRenderer(alphabet.characters, held_out, WIDTHS_PX[-1] * RENDERED_PX // HEIGHT - 40)
    waiting: dict[int, list[tuple[Array, Array, str, int]]] = {width: [] for width in WIDTHS_PX}
    shown: list[Group] = []
    for pool in itertools.count(first, POOL_LINES):
        fresh: list[Group] = []
        for number in range(pool, pool + POOL_LINES):
            sample, rng = renderer.sample(number), random.Random(number)
            clean = sized(sample.picture)
            if rng.random() < STRETCHED:
                clean = sized(clean, max(8, round(clean.shape[1] * rng.uniform(0.85, 1.15))))
            width = next((width for width in WIDTHS_PX if width >= clean.shape[1] + AFTER_PX), None)
            if width is None:
                continue
            row = waiting[width]
            row.append((clean, sample.picture, sample.text, number))
            if len(row) >= max(2, BATCH_PX // width):
                fresh.append(Group(width, row, teach(padded([each[0] for each in row], width))))
                waiting[width] = []
        shown = [group for group in shown if group.used < TIMES] + fresh
        random.Random(pool).shuffle(shown)
        for group in shown:
            yield group.harmed()
