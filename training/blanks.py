"""The perceptron that tells plainly blank steps from the rest (`worker/reading/blanks.py`), fitted on drawn lines.

The recogniser itself says which those are. A step taken for blank that is not loses a character, one that is not taken costs
microseconds: so mistakes of the first kind weigh more in the fit, and the limit is set where next to none is left.
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from training.render import Renderer
from worker.reading import blanks, context, ctc
from worker.reading.engines.ctc_recogniser import CtcRecogniser
from worker.reading.models import facts, place
from worker.reading.runtime import Session

Array = np.ndarray[Any, np.dtype[Any]]
HIDDEN = 48
MATTERS = 1 - context.LEAST_CHANGE  # probability of the blank below which something else may be read
WEIGHT = 20.0  # of a step that matters, against 1 of the others
EPOCHS, BATCH, RATE = 16, 1024, 3e-3
ROUNDED = 1e-3  # more than float32 rounds what the perceptron says by
LOST = 2e-5  # share of steps that matter and are taken for plainly blank, at most, of lines that were kept aside


@dataclasses.dataclass(frozen=True)
class Steps:
    """Features (steps, n), and the probability of the blank (steps,)."""

    features: Array
    blank: Array


def seen(engine: str, folder: pathlib.Path, seeds: range) -> Steps:
    """What the recogniser makes of drawn lines."""
    known = facts(engine)
    model = CtcRecogniser(dataclasses.replace(known, recogniser={**known.recogniser, "blanks": ""}), folder, "f32")
    features = Session(place(folder, known.weight(known.recogniser["weight"])), precision="f32", edit=blanks.first_part)
    rows, chances = [], []
    renderer = Renderer(sorted(model.vocabulary - {" "}))
    for x in _inputs(model, renderer, seeds):
        scores, classes = model.session(x, model.allow_all)
        rows.append(features(x)[0][0])
        chances.append((scores[0] * (classes[0] == ctc.BLANK)).sum(1))
    return Steps(np.concatenate(rows), np.concatenate(chances))


def _inputs(model: CtcRecogniser, renderer: Renderer, seeds: range) -> Iterator[Array]:
    for seed in seeds:
        yield from model.inputs(np.ascontiguousarray(renderer.sample(seed).picture))


def fit(steps: Steps, aside: Steps, seed: int = 1) -> tuple[dict[str, Array], float, float]:
    """The perceptron as `blanks.load` reads it, and of the lines kept `aside` the share of steps that it takes for plainly
    blank, and of those that matter among them."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    mean, spread = steps.features.mean(0), steps.features.std(0) + 1e-6
    x = torch.from_numpy((steps.features - mean) / spread)
    y = torch.from_numpy((steps.blank > blanks.PLAIN).astype(np.float32))
    weight = torch.from_numpy(np.where(steps.blank < MATTERS, WEIGHT, 1.0).astype(np.float32))
    net = nn.Sequential(nn.Linear(x.shape[1], HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 1))
    optimiser = torch.optim.Adam(net.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, EPOCHS)
    for _ in range(EPOCHS):
        for part in torch.randperm(len(x)).split(BATCH):
            loss = nn.functional.binary_cross_entropy_with_logits(net(x[part])[:, 0], y[part], weight[part])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        schedule.step()
    inward = net[0].weight.detach().numpy().T / spread[:, None]
    told = {
        "inward": inward,
        "bias": net[0].bias.detach().numpy() - mean @ inward,
        "outward": net[2].weight.detach().numpy().T,
        "limit": net[2].bias.detach().numpy(),
    }
    says = says_of(told, aside.features)
    told["limit"] = told["limit"] - limit(says, aside.blank < MATTERS)
    plain = says_of(told, aside.features) > 0
    return told, float(plain.mean()), float((plain & (aside.blank < MATTERS)).mean())


def says_of(told: dict[str, Array], features: Array) -> Array:
    """Above 0 where a step is plainly blank."""
    hidden = np.maximum(features @ told["inward"] + told["bias"], 0)
    out: Array = (hidden @ told["outward"] + told["limit"])[:, 0]
    return out


def limit(says: Array, matters: Array) -> float:
    """What the perceptron must say more than, so that of all steps at most LOST matter and are passed by."""
    wrong = np.sort(says[matters])[::-1]
    return float(wrong[min(len(wrong) - 1, int(LOST * len(says)))]) + ROUNDED
