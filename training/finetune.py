"""Teaches the recogniser a user's own lines: trains a copy, mixes in rendered lines against forgetting, and judges it.

Three sets of lines are kept apart. Most of the user's are learnt from. Some, with rendered ones, choose how much of what
was learnt is kept: the trained weights are averaged with those they started from (Wortsman et al., Robust fine-tuning,
arXiv 2109.01903). The held-out lines and the golden ones (rendered, in faces kept from training where there are any)
decide: what was held out must be read better, and the golden lines at most half a point worse.
"""

from __future__ import annotations

import dataclasses
import pathlib
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np

from training import degrade
from training.alphabet import Alphabet
from training.dataset import Batch, Plan, Stream, fit, share_out
from training.evaluate import Array, Labelled
from training.reading import prepare
from training.render import Renderer, Sample, to_height
from training.served import Base, Score, Served
from training.table import Table, Untaught, read_table, split

GOLDEN_SEED = 77
CHOOSING_SEED = 78
SHOWN_SEED, SHOWN = 79, 150  # of either kind, to see what range the 8-bit layers must span
GOLDEN_FALL = 0.005  # of exact, at most
CHOOSING_FALL = 0.0025  # of exact on the rendered lines that choose: half of what the gate allows
MOST_HELD, MOST_CHOOSING = 1000, 200  # of the user's lines: reading more would take longer than it tells
SILENT_RISE, SILENT_LINES = (
    0.01,
    2,
)  # share, and number at least, of lines more that the cascade's gate may let pass wrong


@dataclasses.dataclass(frozen=True)
class Wish:
    """What to teach and for how long. `rendered` is the share of batches that hold rendered lines; `folder` is for what
    lies about meanwhile. Where no table of held-out lines is named, the share `held_out` of the lines is held out."""

    lines: pathlib.Path
    base: Base
    folder: pathlib.Path
    held_out_lines: pathlib.Path | None = None
    minutes: float = 20.0
    steps: int = 10**6
    rate: float = 2e-4
    rendered: float = 0.4
    held_out: float = 0.2
    golden: int = 400
    choosing: int = 150
    seed: int = 1
    threads: int = 1
    shares: tuple[float, ...] = (1.0, 0.75, 0.5, 0.25)


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What came of it. `model` is the chosen candidate's file; `share` how much of what was learnt it keeps.

    `calibrated` says whether the cascade's gate may go on judging its lines as it judged those of the base.
    """

    model: pathlib.Path
    share: float
    table: Table
    learnt_from: int
    steps: int
    held_before: Score
    held_after: Score
    golden_before: Score
    golden_after: Score
    calibrated: bool

    @property
    def refusals(self) -> tuple[str, ...]:
        """Why the gate refuses, in words; none where it passes."""
        out = []
        if self.held_after.right <= self.held_before.right:
            out.append("the held-out lines are not read better")
        if self.golden_after.exact < self.golden_before.exact - GOLDEN_FALL:
            out.append(f"the golden lines are read worse by more than {100 * GOLDEN_FALL:g} points")
        return tuple(out)

    @property
    def passed(self) -> bool:
        """Whether the gate passes."""
        return not self.refusals


Progress = Callable[[float, str], None]


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


def own_batches(lines: Sequence[Labelled], alphabet: Alphabet, plan: Plan) -> Iterator[Batch]:
    """The user's lines without end, varied anew each time round."""
    pixels = [line.pixels() for line in lines]
    turn = 0
    while True:
        # short lists are gone through several times, so that every shape fills a batch
        again = max(1, -(-4 * plan.batch_lines // len(lines)))
        seeds = [plan.seed + 1_000_003 * (turn * again + k) + i for k in range(again) for i in range(len(lines))]
        samples = [
            Sample(vary(pixels[at % len(lines)], seed), lines[at % len(lines)].text, "own", "own")
            for at, seed in enumerate(seeds)
        ]
        rng = random.Random(plan.seed + turn)
        for width, group in share_out(samples, plan, rng):
            pictures = np.stack([fit(s.picture, width, rng.choice((0.0, 0.0, rng.random(), 1.0))) for s in group])
            texts = [sample.text for sample in group]
            yield Batch(pictures, [alphabet.encode(text) for text in texts], texts, ["own"] * len(group), turn)
        turn += 1


class Mixed:
    """Now a batch of the user's lines, now a rendered one; takes the place of `Stream`."""

    def __init__(self, own: Iterator[Batch], plan: Plan, share: float) -> None:
        self._own, self._rendered, self._share = own, Stream(plan) if share else None, share
        self._rng = random.Random(plan.seed)

    def next(self) -> Batch:
        """The next batch."""
        if self._rendered is not None and self._rng.random() < self._share:
            return self._rendered.next()
        return next(self._own)

    def close(self) -> None:
        """End the drawing process."""
        if self._rendered is not None:
            self._rendered.close()


def rendered(characters: Sequence[str], count: int, seed: int) -> list[Labelled]:
    """Rendered lines, always the same for a seed and a set of fonts; in faces that training never sees, where there are."""
    from training.fonts import faces

    kept = [face for face in faces() if face.held_out]
    apart = any(face.chinese for face in kept) and any(not face.chinese for face in kept)
    renderer = Renderer(list(characters), held_out=apart)
    drawn = (renderer.sample(seed * 7_000_000_001 + i) for i in range(count))
    return [Labelled(s.picture, s.text, s.kind, "plate" if s.kind == "plate" else "plain") for s in drawn]


def finetune(wish: Wish, progress: Progress = lambda share, words: None) -> Verdict:
    """Trains, chooses and judges; registering is the caller's. `progress` is told a share from 0 to 1 and what is done.

    A run that is interrupted (SIGINT, SIGTERM) while it trains ends its training there, and is judged. Raises Untaught.
    """
    import torch

    from training.crnn import Crnn, load
    from training.export import averaged, export
    from training.train import Recipe, Trainer, has_bfloat16

    torch.set_num_threads(wish.threads)
    torch.manual_seed(wish.seed)
    progress(0.0, "looking at the lines")
    alphabet = Alphabet.load(wish.base.characters)
    table = read_table(wish.lines, alphabet)
    if wish.held_out_lines is not None:
        train, held = table.lines, read_table(wish.held_out_lines, alphabet).lines
    else:
        train, held = split(table.lines, wish.held_out, wish.seed)
    train, choosing = split(train, 0.1, wish.seed + 1)
    held, choosing = held[:MOST_HELD], choosing[:MOST_CHOOSING]
    try:
        model, base = load(wish.base.model), load(wish.base.model)
    except ValueError as error:
        raise Untaught(reason=f"These weights cannot be taught: {error}.") from error

    plan = Plan(str(wish.base.characters), seed=wish.seed + 5000, pool_lines=256)
    model.train_from(9)
    recipe = Recipe(
        steps=wish.steps,
        minutes=wish.minutes,
        rate=wish.rate,
        warm_up=30,
        full_after=0.8,
        tether=2e-4,
        hold_every=3,
        half=has_bfloat16(),
    )
    trainer = Trainer(model, plan, recipe, wish.folder, base)
    trainer.source = Mixed(own_batches(train, alphabet, plan), plan, wish.rendered)
    trainer.tell = lambda share: progress(0.02 + 0.83 * share, "learning")
    trainer.run()

    def candidate(share: float) -> tuple[pathlib.Path, Served]:
        copy = Crnn(len(alphabet))
        copy.load_state_dict(averaged(base.state_dict(), model.state_dict(), share))
        path = wish.folder / f"share{share:g}.onnx"
        export(copy, path, {"ocrfleet.parent": wish.base.name, "ocrfleet.share": f"{share:g}"}, seen)
        return path, Served(wish.base.engine(path))

    progress(0.85, "choosing how much to keep")
    shown = (*train[:SHOWN], *rendered(alphabet.characters, SHOWN, SHOWN_SEED))
    seen = [prepare(line.pixels(), 32) for line in shown]
    before = Served(wish.base.engine())
    plain = rendered(alphabet.characters, wish.choosing, CHOOSING_SEED)
    start = (before.score(choosing), before.score(plain))
    made: dict[float, tuple[pathlib.Path, Served]] = {}
    tried: dict[float, tuple[Score, Score]] = {}
    for at, share in enumerate(wish.shares):
        made[share] = candidate(share)
        tried[share] = (made[share][1].score(choosing), made[share][1].score(plain))
        progress(0.85 + 0.08 * (at + 1) / len(wish.shares), "choosing how much to keep")
    share = choose(start, tried)

    progress(0.93, "judging")
    golden = rendered(alphabet.characters, wish.golden, GOLDEN_SEED)
    path, taught = made[share]
    held_before, held_after = before.score(held), taught.score(held)
    progress(0.95, "judging")
    golden_before, golden_after = before.score(golden), taught.score(golden)
    pairs = ((held_before, held_after), (golden_before, golden_after))
    calibrated = all(now.silent - then.silent <= max(SILENT_LINES, SILENT_RISE * now.lines) for then, now in pairs)
    progress(1.0, "judged")
    return Verdict(
        path, share, table, len(train), trainer.step, held_before, held_after, golden_before, golden_after, calibrated
    )


def choose(start: tuple[Score, Score], tried: dict[float, tuple[Score, Score]]) -> float:
    """The share with the most of the user's lines right, of those that read the rendered ones nearly as well as before;
    where none does, the one that forgets least."""
    keeps = {share: row for share, row in tried.items() if row[1].exact >= start[1].exact - CHOOSING_FALL}
    if keeps:
        return max(keeps, key=lambda share: (keeps[share][0].exact, -keeps[share][0].cer, share))
    return max(tried, key=lambda share: (tried[share][1].exact, tried[share][0].exact))


def facts_of(verdict: Verdict, base: Base, created: str, minutes: float) -> dict[str, dict[str, Any]]:
    """`recogniser`, `origin`, `held_out` and `golden`: what a version's facts say of how it was made and what it scored."""
    how = {
        key: value
        for key, value in base.facts.recogniser.items()
        if key not in ("weight", "vocabulary", "calibrated_as", "blanks")
    }
    if verdict.calibrated:
        how["calibrated_as"] = base.calibrated_as
    origin = {
        "parent": base.name,
        "created": created,
        "lines": verdict.learnt_from,
        "steps": verdict.steps,
        "minutes": round(minutes, 1),
        "share": verdict.share,
        "made_by": "ocrfleet finetune",
    }
    return {
        "recogniser": how,
        "origin": origin,
        "held_out": verdict.held_after.figures(verdict.held_before),
        "golden": verdict.golden_after.figures(verdict.golden_before),
    }
