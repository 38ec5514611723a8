"""Teaches the recogniser a user's own lines: trains a copy, mixes in rendered lines against forgetting, and judges it.

The gate: what the user held out must be read better, and the golden lines (rendered, in faces that training never sees) at most
half a point worse. Weights that do not pass are not written.
"""

from __future__ import annotations

import dataclasses
import pathlib
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np

from training import degrade
from training.alphabet import Alphabet
from training.dataset import Batch, Plan, Stream, fit, share_out
from training.evaluate import Labelled, Tally, judge, labelled_lines, rendered_lines
from training.reading import Reader
from training.render import Sample, to_height

Array = np.ndarray[Any, np.dtype[Any]]
GOLDEN_SEED = 77
GOLDEN_FALL = 0.005  # of exact, at most


@dataclasses.dataclass(frozen=True)
class Wish:
    """What to teach and for how long. `rendered` is the share of batches that hold rendered lines."""

    lines: pathlib.Path
    weights: pathlib.Path
    vocabulary: pathlib.Path
    out: pathlib.Path
    folder: pathlib.Path
    minutes: float = 20.0
    rate: float = 2e-4
    rendered: float = 0.4
    held_out: float = 0.2
    golden: int = 300
    seed: int = 1
    threads: int = 1
    shares: tuple[float, ...] = (1.0, 0.6, 0.3)


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Exact and CER before and after on both sets, the share of trained weights chosen, and whether the gate passed."""

    passed: bool
    share: float
    held_before: Tally
    held_after: Tally
    golden_before: Tally
    golden_after: Tally
    skipped: int
    sha256: str = ""


def split(lines: list[Labelled], share: float, seed: int) -> tuple[list[Labelled], list[Labelled]]:
    """To train on, and to hold out: at least one each. Lines of equal text stay on one side, or the gate would see them."""
    texts = sorted({line.text for line in lines})
    random.Random(seed).shuffle(texts)
    kept = set(texts[: max(1, round(share * len(texts)))])
    train = [line for line in lines if line.text not in kept]
    if not train:
        raise ValueError("at least two lines of different text are needed")
    return train, [line for line in lines if line.text in kept]


def vary(picture: Array, seed: int) -> Array:
    """A user's line as it might have been cut and captured another time; 32 rows high."""
    rng, noise = random.Random(seed), np.random.default_rng(seed)
    rows, columns = picture.shape[:2]
    above, below = (round(rng.uniform(-0.06, 0.15) * rows) for _ in range(2))
    before, after = (round(rng.uniform(-0.03, 0.25) * rows) for _ in range(2))
    cut = picture[max(0, -above) : rows - max(0, -below), max(0, -before) : columns - max(0, -after)]
    cut = cv2.copyMakeBorder(cut, max(0, above), max(0, below), max(0, before), max(0, after), cv2.BORDER_REPLICATE)
    if rng.random() < 0.5:
        cut = degrade.expose(rng, noise, cut.astype(np.float32), rng.choice(("screen", "paper", "receipt")))
    if rng.random() < 0.4:
        cut = cv2.resize(cut, (max(4, round(cut.shape[1] * rng.uniform(0.88, 1.14))), cut.shape[0]))
    return to_height(np.ascontiguousarray(cut), rng.choice((cv2.INTER_LINEAR, cv2.INTER_AREA)))


def own_batches(lines: list[Labelled], alphabet: Alphabet, plan: Plan) -> Iterator[Batch]:
    """The user's lines without end, varied anew each time round."""
    pixels = [line.pixels() for line in lines]
    turn = 0
    while True:
        # short lists are gone through several times, so that every shape fills a batch
        again = max(1, -(-4 * plan.batch_lines // len(lines)))
        seeds = [plan.seed + 1_000_003 * (turn * again + k) + i for k in range(again) for i in range(len(lines))]
        samples = [Sample(vary(pixels[s % len(lines)], seed), lines[s % len(lines)].text, "own", "own") for s, seed in enumerate(seeds)]
        rng = random.Random(plan.seed + turn)
        for width, group in share_out(samples, plan, rng):
            pictures = np.stack([fit(s.picture, width, rng.choice((0.0, 0.0, rng.random(), 1.0))) for s in group])
            yield Batch(pictures, [alphabet.encode(s.text) for s in group], [s.text for s in group], ["own"] * len(group), turn)
        turn += 1


class Mixed:
    """Now a batch of the user's lines, now a rendered one; takes the place of `Stream`."""

    def __init__(self, own: Iterator[Batch], plan: Plan, share: float) -> None:
        self._own, self._rendered, self._share = own, Stream(plan) if share else None, share
        self._rng = random.Random(plan.seed)

    def next(self) -> Batch:
        if self._rendered is not None and self._rng.random() < self._share:
            return self._rendered.next()
        return next(self._own)

    def close(self) -> None:
        if self._rendered is not None:
            self._rendered.close()


def finetune(wish: Wish, progress: Callable[[float, str], None] = lambda share, words: None) -> Verdict:
    """Trains, judges and, where the gate passes, writes `wish.out`. `progress` is told a share from 0 to 1 and a word.

    Raises ValueError where the table holds too few lines, FileNotFoundError where a picture is gone.
    """
    import torch

    from training.crnn import Crnn, load
    from training.export import averaged, export
    from training.train import Recipe, Trainer

    torch.set_num_threads(wish.threads)
    torch.manual_seed(wish.seed)
    alphabet = Alphabet.load(wish.vocabulary)
    every = labelled_lines(wish.lines)
    known = [line for line in every if line.text and alphabet.knows(line.text)]
    train, held = split(known, wish.held_out, wish.seed)
    golden = rendered_lines(wish.vocabulary, wish.golden, GOLDEN_SEED)
    progress(0.0, "reading the lines before")
    before = Reader(wish.weights, alphabet)
    held_before, golden_before = (judge(lines, before.read)[0]["all"] for lines in (held, golden))

    plan = Plan(str(wish.vocabulary), seed=wish.seed + 5000, pool_lines=256)
    model, base = load(wish.weights), load(wish.weights)
    model.train_from(9)
    recipe = Recipe(steps=10**6, minutes=wish.minutes, rate=wish.rate, warm_up=30, full_after=0.8, tether=2e-4, hold_every=3)
    trainer = Trainer(model, plan, recipe, wish.folder, base)
    trainer.source = Mixed(own_batches(train, alphabet, plan), plan, wish.rendered)
    trainer.tell = lambda share: progress(0.05 + 0.85 * share, "training")
    trainer.run()

    progress(0.9, "reading the lines after")
    start, trained = base.state_dict(), model.state_dict()
    best: Verdict | None = None
    for share in wish.shares:
        candidate = Crnn(len(alphabet))
        candidate.load_state_dict(averaged(start, trained, share))
        path = wish.folder / f"share{share:g}.onnx"
        digest = export(candidate, path, {"ocrfleet.version": f"finetuned-{time.strftime('%Y%m%d-%H%M%S')}", "ocrfleet.share": f"{share:g}"})
        reader = Reader(path, alphabet)
        held_after, golden_after = (judge(lines, reader.read)[0]["all"] for lines in (held, golden))
        passed = held_after.exact > held_before.exact and golden_after.exact >= golden_before.exact - GOLDEN_FALL
        verdict = Verdict(passed, share, held_before, held_after, golden_before, golden_after, len(every) - len(known), digest)
        if best is None or (verdict.passed, verdict.held_after.exact) > (best.passed, best.held_after.exact):
            best = verdict
    assert best is not None, "wish.shares is empty"
    if best.passed:
        wish.out.parent.mkdir(parents=True, exist_ok=True)
        (wish.folder / f"share{best.share:g}.onnx").replace(wish.out)
    progress(1.0, "done")
    return best
