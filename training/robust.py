"""PP-OCRv6's recogniser trained further to read through damage: what it makes of the clean picture of a line is what it shall
make of the damaged one.

The published network is the teacher and the start. It reads a rendered line as it is; the pupil sees the same line harmed
(`damage.py`) and learns the teacher's answers step by step, which says more than the text alone (Hinton et al. 2015, arXiv
1503.02531). The scoring layer stays the published one, so the result is a file of the other weights only.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import pathlib
import time
from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from training.alphabet import Alphabet
from training.harmed import Batch, drawn
from training.onnx_module import OnnxModule
from training.relative_adam import RelativeAdam

Array = np.ndarray[Any, np.dtype[Any]]
RIVALS = 1200  # classes drawn to be told apart from a batch's own
BLANK_WEIGHT = 0.35  # of a step where the teacher sees no character, against 1.35 of one where it does
NEAR_WEIGHT, TEXT_WEIGHT = 0.1, 0.15  # of the features' nearness and of CTC, against 1 of the answers' nearness
AVERAGE = 0.995  # of the running mean of the weights, how much stays a step


@dataclasses.dataclass(frozen=True)
class Recipe:
    """`minutes` of training, from the published weights or those of `start`, in `processes` processes, one core each; `rate`
    is the share of its size by which a weight moves a step. `start` is a checkpoint or a file that `export` wrote."""

    model: pathlib.Path
    vocabulary: pathlib.Path
    folder: pathlib.Path
    minutes: float = 60.0
    rate: float = 4.5e-4
    processes: int = 2
    seed: int = 1
    start: pathlib.Path | None = None
    save_minutes: float = 3.0


class Head:
    """The published scoring layer, and what it makes of features."""

    def __init__(self, model: pathlib.Path) -> None:
        import onnx

        whole = OnnxModule(model)
        self.features, self.weight, self.bias = whole.scoring()
        listed = {p.key: p.value for p in onnx.load(str(model), load_external_data=False).metadata_props}
        self.classes = ["", *listed["character"].split("\n"), " "]
        self.index = {character: at for at, character in enumerate(self.classes) if character}

    def __call__(self, features: Tensor, chosen: Tensor | None = None) -> Tensor:
        """Log-probabilities (all steps, classes), of the classes chosen or of all."""
        rows = features.reshape(-1, features.shape[-1])
        if chosen is None:
            return (rows @ self.weight + self.bias).log_softmax(-1)
        return (rows @ self.weight[:, chosen] + self.bias[chosen]).log_softmax(-1)

    def text(self, best: list[int]) -> str:
        """Greedy CTC."""
        kept = [b for at, b in enumerate(best) if b and (at == 0 or best[at - 1] != b)]
        return "".join(self.classes[b] if b < len(self.classes) else "" for b in kept)


def loss_of(head: Head, got: Tensor, batch: Batch, draw: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
    """What the pupil is pulled by, over the lines that the teacher reads right; and its parts, for the log."""
    want = torch.from_numpy(batch.want)
    lines, steps, _ = want.shape
    with torch.no_grad():
        says = head(want)
        best = says.argmax(-1).reshape(lines, steps)
        right = [head.text(row) == text for row, text in zip(best.tolist(), batch.texts, strict=True)]
        labels = [[head.index.get(c, 0) for c in text] for text in batch.texts]
        own = torch.tensor(sorted({0, *(index for label in labels for index in label)}))
        rivals = torch.from_numpy(draw.choice(says.shape[1], RIVALS, replace=False))
        chosen = torch.cat([says.topk(3, -1).indices.unique(), own, rivals]).unique()
        place = torch.zeros(says.shape[1], dtype=torch.long)
        place[chosen] = torch.arange(len(chosen))
        goal = head(want, chosen)
        weight = (BLANK_WEIGHT + (best.reshape(-1) != 0).float()) * torch.tensor(right).float().repeat_interleave(steps)
        weight = weight / weight.sum().clamp(min=1.0)
    says_now = head(got, chosen)
    answers = ((goal.exp() * (goal - says_now)).sum(-1) * weight).sum()
    near = ((got - want).square().mean(-1).reshape(-1) * weight).sum() / want.var()
    counted = [at for at, label in enumerate(labels) if right[at] and 0 not in label]
    text = says_now.sum() * 0
    if counted:
        lengths = torch.tensor([len(labels[at]) for at in counted])
        flat = torch.cat([place[torch.tensor(labels[at])] for at in counted])
        scores = says_now.reshape(lines, steps, -1)[counted].transpose(0, 1)
        every = torch.full((len(counted),), steps)
        each = nn.functional.ctc_loss(
            scores, flat, every, lengths, blank=int(place[0]), reduction="none", zero_infinity=True
        )
        text = (each / lengths.clamp(min=1)).mean()
    parts = {"answers": float(answers.detach()), "near": float(near.detach()), "text": float(text.detach())}
    return answers + NEAR_WEIGHT * near + TEXT_WEIGHT * text, parts | {"right": sum(right) / lines}


def teacher(model: pathlib.Path, features: str) -> Callable[[Array], Array]:
    """The published network up to its features, run by OpenVINO, which is quicker than torch."""
    import openvino

    core = openvino.Core()
    graph = core.read_model(str(model))
    found = next(out for node in graph.get_ops() for out in node.outputs() if features in out.get_names())
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1}
    compiled = core.compile_model(openvino.Model([found], graph.get_parameters(), "features"), "CPU", settings)
    return lambda pictures: np.array(compiled(pictures)[0])


def kept_weights(file: pathlib.Path, pupil: OnnxModule) -> Sequence[Tensor]:
    """The weights of a checkpoint, or of a file that `export` wrote, in the order of the pupil's."""
    if file.suffix != ".npz":
        return list(torch.load(file, weights_only=True)["mean"])
    with np.load(file) as kept:
        named = {key: torch.from_numpy(kept[name].astype(np.float32)) for name, key in pupil.names.items()}
    return [named[key] for key in pupil.weights]


def run(rank: int, recipe: Recipe) -> None:
    """One of the processes that train; they share their gradients. The first writes `last.pt` and `log.jsonl`."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    dist.init_process_group("gloo", f"file://{recipe.folder}/meet", rank=rank, world_size=recipe.processes)
    head = Head(recipe.model)
    pupil = OnnxModule(recipe.model, head.features).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    weights = list(pupil.parameters())
    steps, mean = RelativeAdam(weights), [p.detach().clone() for p in weights]
    last, log = recipe.folder / "last.pt", recipe.folder / "log.jsonl"
    done, lines, spent = 0, 0, 0.0
    if last.is_file():
        kept = torch.load(last, weights_only=True)
        for p, value in zip(weights, kept["weights"], strict=True):
            p.data.copy_(value)
        steps.first, steps.second, steps.count = kept["first"], kept["second"], kept["count"]
        mean, done, lines, spent = kept["mean"], kept["step"], kept["lines"], kept["seconds"]
    elif recipe.start is not None:
        for p, average, value in zip(weights, mean, kept_weights(recipe.start, pupil), strict=True):
            p.data.copy_(value)
            average.copy_(value)
    first = (recipe.seed * recipe.processes + rank) * 50_000_000 + lines
    batches = drawn(Alphabet.load(recipe.vocabulary), first, teacher(recipe.model, head.features))
    draw = np.random.default_rng(first)
    began = saved = time.monotonic()

    def save() -> None:
        kept = {
            "weights": [p.detach() for p in weights], "mean": mean, "first": steps.first, "second": steps.second,
            "count": steps.count, "step": done, "lines": lines, "seconds": spent + time.monotonic() - began,
        }  # fmt: skip
        torch.save(kept, last.with_suffix(".new"))
        os.replace(last.with_suffix(".new"), last)

    while True:
        progress = torch.tensor([(spent + time.monotonic() - began) / 60 / recipe.minutes])
        dist.broadcast(progress, 0)
        if float(progress) >= 1:
            break
        wave = 0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * float(progress)))
        batch = next(batches)
        got = pupil(torch.from_numpy(batch.hurt).contiguous(memory_format=torch.channels_last))
        loss, parts = loss_of(head, got, batch, draw)
        for p in weights:
            p.grad = None
        loss.backward()  # type: ignore[no-untyped-call]
        flat = torch.cat([torch.zeros_like(p).flatten() if p.grad is None else p.grad.flatten() for p in weights])
        dist.all_reduce(flat)
        for p, grad in zip(weights, flat.split([p.numel() for p in weights]), strict=True):
            p.grad = (grad / recipe.processes).reshape(p.shape)
        if bool(flat.isfinite().all()):
            steps.step(recipe.rate * wave * min(1.0, (done + 1) / 60))
        done, lines = done + 1, lines + len(batch.texts) * recipe.processes
        with torch.no_grad():
            for value, p in zip(mean, weights, strict=True):
                value.lerp_(p, 1 - min(AVERAGE, (1 + done) / (10 + done)))
        if rank == 0:
            row = {"step": done, "lines": lines, **{name: round(value, 4) for name, value in parts.items()}}
            with log.open("a", encoding="utf-8") as out:
                out.write(json.dumps(row) + "\n")
            if time.monotonic() - saved > 60 * recipe.save_minutes:
                save()
                saved = time.monotonic()
    if rank == 0:
        save()
    dist.destroy_process_group()


def train(recipe: Recipe) -> None:
    """Trains, or goes on with what the folder holds, and returns when it is done."""
    recipe.folder.mkdir(parents=True, exist_ok=True)
    (recipe.folder / "meet").unlink(missing_ok=True)
    torch.multiprocessing.spawn(run, (recipe,), recipe.processes)  # type: ignore[no-untyped-call]


def export(model: pathlib.Path, checkpoint: pathlib.Path, out: pathlib.Path, share: float = 1.0) -> int:
    """Writes the running mean of the weights, averaged with the published ones at `share`, as what differs from `model` (see
    `worker.reading.retrained`); returns its bytes."""
    pupil = OnnxModule(model, Head(model).features)
    mean = torch.load(checkpoint, weights_only=True)["mean"]
    named = dict(zip(pupil.weights.keys(), mean, strict=True))
    values = {
        name: pupil.weights[key].detach().lerp(named[key], share).contiguous().numpy().astype(np.float16)
        for name, key in pupil.names.items()
    }
    np.savez_compressed(out, **values)  # type: ignore[arg-type]
    return out.stat().st_size
