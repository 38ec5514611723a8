"""Batches of rendered lines, drawn by one process beside the trainer; batch `n` of a seed is always the same.

Lines are drawn in pools and shared out over a few fixed shapes: oneDNN compiles its kernels anew for every shape it meets, and
the squeeze-excite blocks average over the width and see padding. A line is padded on the right as the service pads it, now and
then stretched a little, and one in five fills its shape.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import queue
import random
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np

from training.alphabet import Alphabet
from training.render import HEIGHT, Renderer, Sample

Array = np.ndarray[Any, np.dtype[Any]]
WIDTHS_PX = (160, 200, 248, 304, 376, 464, 568, 688, 800)
AFTER_PX = (
    32  # of padding right of a line, as the service gives it: the published weights read the last character better so
)
PAD_VALUE = 127  # what (x / 255 - 0.5) / 0.5 turns to nearly nothing


@dataclasses.dataclass(frozen=True)
class Plan:
    """What to draw: the same plan gives the same batches. Widths and `batch_px` in pixels at height 32."""

    vocabulary: str
    seed: int = 1
    pool_lines: int = 1024
    batch_px: int = 5120
    batch_lines: int = 20
    max_width: int = 688
    pools: int = 0  # after so many the first is drawn again; 0 goes on without end
    held_out: bool = False
    kinds: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Batch:
    """`pictures` (lines, 32, width, 3) BGR uint8, `labels` CTC classes, `pool` the pool they were drawn in."""

    pictures: Array
    labels: list[list[int]]
    texts: list[str]
    kinds: list[str]
    pool: int


def stack(pictures: list[Array], multiple: int = 8) -> Array:
    """Pads pictures of one height on the right to the widest, rounded up to `multiple` columns."""
    width = -(-max(p.shape[1] for p in pictures) // multiple) * multiple
    out = np.full((len(pictures), HEIGHT, width, 3), PAD_VALUE, np.uint8)
    for row, picture in zip(out, pictures, strict=True):
        row[:, : picture.shape[1]] = picture
    return out


def normalise(pictures: Array) -> Array:
    """uint8 BGR (lines, rows, columns, 3) -> float32 (lines, 3, rows, columns) in [-1, 1], as PP-OCR's recognisers want it."""
    scaled: Array = (pictures.astype(np.float32) / 127.5 - 1.0).transpose(0, 3, 1, 2)
    return scaled


def fit(picture: Array, width_px: int, fill: float) -> Array:
    """A picture at exactly `width_px`, padded on the right; at `fill` of 1 stretched or squeezed to leave no padding.

    Between 0 and 1 the picture is stretched that share of the way, but never to more than 1.25 times its width.
    """
    have = picture.shape[1]
    room = width_px - AFTER_PX
    if fill >= 1.0 and 0.8 < width_px / have < 1.25:
        want = width_px
    else:
        want = min(round(have + max(0.0, fill) * max(0, room - have)), round(1.25 * have), width_px)
    if want != have:
        picture = cv2.resize(picture, (want, HEIGHT), interpolation=cv2.INTER_LINEAR)
    return cv2.copyMakeBorder(picture, 0, 0, 0, width_px - want, cv2.BORDER_CONSTANT, value=(PAD_VALUE,) * 3)


def share_out(samples: list[Sample], plan: Plan, rng: random.Random) -> list[tuple[int, list[Sample]]]:
    """Full groups of one width each; what is left over of a width goes, padded, into the next wider one."""
    enough = next((width for width in WIDTHS_PX if width >= plan.max_width + AFTER_PX), WIDTHS_PX[-1])
    widths = [width for width in WIDTHS_PX if width <= enough]
    waiting: dict[int, list[Sample]] = {width: [] for width in widths}
    for sample in samples:
        need = sample.picture.shape[1] + AFTER_PX
        waiting[next((width for width in widths if width >= need), widths[-1])].append(sample)
    groups: list[tuple[int, list[Sample]]] = []
    for at, width in enumerate(widths):
        count = max(1, min(plan.batch_lines, plan.batch_px // width))
        row = waiting[width]
        full = len(row) // count * count
        groups += [(width, row[i : i + count]) for i in range(0, full, count)]
        if at + 1 < len(widths):
            waiting[widths[at + 1]] += row[full:]
    rng.shuffle(groups)
    return groups


def pools(plan: Plan, first_pool: int = 0) -> Iterator[Batch]:
    """Batches from pool `first_pool` on, without end; within a pool in a shuffled but fixed order."""
    alphabet = Alphabet.load(plan.vocabulary)
    renderer = Renderer(alphabet.characters, plan.held_out, plan.max_width, plan.kinds)
    number = first_pool
    while True:
        base = plan.seed * 1_000_003_000 + (number % plan.pools if plan.pools else number) * plan.pool_lines
        rng = random.Random(base)
        for width, group in share_out([renderer.sample(base + i) for i in range(plan.pool_lines)], plan, rng):
            pictures = np.stack([fit(s.picture, width, rng.choice((0.0, 0.0, 0.0, rng.random(), 1.0))) for s in group])
            labels = [alphabet.encode(s.text) for s in group]
            yield Batch(pictures, labels, [s.text for s in group], [s.kind for s in group], number)
        number += 1


def _produce(plan: Plan, first_pool: int, out: Any) -> None:
    import os

    cv2.setNumThreads(1)
    parent = os.getppid()
    for batch in pools(plan, first_pool):
        while True:
            if os.getppid() != parent:
                out.cancel_join_thread()  # nobody will ever take what is still queued
                return
            try:
                out.put(batch, timeout=5)
                break
            except queue.Full:
                continue


class Stream:
    """`pools` drawn in a process of its own, a few batches ahead; ends with the trainer."""

    def __init__(self, plan: Plan, first_pool: int = 0, ahead: int = 64) -> None:
        context = multiprocessing.get_context("spawn")
        self._queue: Any = context.Queue(ahead)
        self._process = context.Process(target=_produce, args=(plan, first_pool, self._queue), daemon=True)
        self._process.start()

    def next(self) -> Batch:
        """The next batch; raises RuntimeError where the drawing process has died."""
        while True:
            try:
                batch: Batch = self._queue.get(timeout=10)
                return batch
            except queue.Empty:
                if not self._process.is_alive():
                    raise RuntimeError("the drawing process has died") from None

    def close(self) -> None:
        self._process.terminate()
        self._process.join(5)
