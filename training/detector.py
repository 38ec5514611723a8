"""A small detector that learns from a larger one of the same family: what PP-OCRv6's small detector makes of a part of a page is
what its tiny one shall make of it.

Both are DBNets whose graphs differ in their widths only. The pupil begins with its published weights and sees drawn parts of
pages (`pages.py`); it learns the teacher's probability at every pixel (Hinton et al. 2015, arXiv 1503.02531), so the cores, and
the boxes cut out of them, come to lie where the teacher's lie. No labels are needed, nor any but drawn pages.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
import pathlib
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from training.alphabet import Alphabet
from training.dataset import Array, normalise
from training.export import store_as_half
from training.onnx_module import OnnxModule, widened
from training.pages import Pages
from training.relative_adam import RelativeAdam

SIDE_PX = 320  # of a part of a page; the service's windows have up to 480
BATCH = 4
POOL = 192  # parts that are drawn and asked about at once,
TIMES = 2  # and how often each is shown: drawing and asking cost as much as a step
GROUND_WEIGHT = 0.2  # of a pixel that neither sees text at, against 1.2 of one where either does
SEEN = 0.05  # probability from which a pixel may be text
AVERAGE = 0.998  # of the running mean of the weights, how much stays a step


@dataclasses.dataclass(frozen=True)
class Recipe:
    """`minutes` of training in `processes` processes, one core each; `rate` is the share of its size by which a weight moves a step."""

    teacher: pathlib.Path
    pupil: pathlib.Path
    vocabulary: pathlib.Path
    folder: pathlib.Path
    minutes: float = 60.0
    rate: float = 6e-4
    processes: int = 2
    seed: int = 1
    save_minutes: float = 3.0


def asked(model: pathlib.Path) -> Callable[[Array], Array]:
    """The published detector, run by OpenVINO, which is quicker than torch: (batch, 3, rows, columns) -> (batch, rows, columns)."""
    import openvino

    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1}
    compiled = openvino.Core().compile_model(str(model), "CPU", settings)
    return lambda pictures: np.array(compiled(pictures)[0][:, 0])


def drawn(pages: Pages, first: int, teach: Callable[[Array], Array]) -> Iterator[tuple[Array, Array]]:
    """Batches without end: pictures (batch, side, side, 3) BGR uint8 and the teacher's probabilities in 255ths."""
    pool: list[tuple[Array, Array, int]] = []
    number = first
    while True:
        rng = random.Random(number)
        for _ in range(POOL // TIMES):
            picture = pages.sample(number)
            wants = teach(normalise(picture[None]))[0]
            pool.append((picture, np.round(wants * 255).astype(np.uint8), 0))
            number += 1
        rng.shuffle(pool)
        shown, pool = pool[:POOL], pool[POOL:]
        for at in range(0, len(shown) // BATCH * BATCH, BATCH):
            part = shown[at : at + BATCH]
            yield np.stack([each[0] for each in part]), np.stack([each[1] for each in part])
        pool += [(picture, wants, times + 1) for picture, wants, times in shown if times + 1 < TIMES]


def loss_of(logits: Tensor, want: Tensor) -> Tensor:
    """Cross-entropy of the pupil's logits (batch, rows, columns) to the teacher's probabilities, where either sees text above all."""
    with torch.no_grad():
        text = torch.maximum(want, torch.sigmoid(logits)) > SEEN
        weight = GROUND_WEIGHT + text.float()
        least = -(torch.xlogy(want, want) + torch.xlogy(1 - want, 1 - want))  # what no pupil can go below
    each = nn.functional.binary_cross_entropy_with_logits(logits, want, reduction="none") - least
    return (each * weight).sum() / weight.sum()


def logits_of(model: pathlib.Path) -> OnnxModule:
    """The detector in torch, up to what its sigmoid takes."""
    whole = OnnxModule(model)
    last = whole.steps[-1]
    if last.operator != "Sigmoid":
        raise ValueError(f"{model} ends in {last.operator}, not in a sigmoid")
    return OnnxModule(model, last.inputs[0])


def run(rank: int, recipe: Recipe) -> None:
    """One of the processes that train; they share their gradients. The first writes `last.pt` and `log.jsonl`."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    dist.init_process_group("gloo", f"file://{recipe.folder}/meet", rank=rank, world_size=recipe.processes)
    pupil = logits_of(recipe.pupil).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    weights, names = list(pupil.parameters()), list(pupil.names)
    steps, mean = RelativeAdam(weights), [p.detach().clone() for p in weights]
    last, log = recipe.folder / "last.pt", recipe.folder / "log.jsonl"
    done, parts, spent = 0, 0, 0.0
    if last.is_file():
        kept = torch.load(last, weights_only=True)
        now, mean, steps.first, steps.second = (
            [kept[what][name] for name in names] for what in ("weights", "mean", "first", "second")
        )
        for p, value in zip(weights, now, strict=True):
            p.data.copy_(value)
        steps.count, done, parts, spent = kept["count"], kept["step"], kept["parts"], kept["seconds"]
    first = (recipe.seed * 16 + rank) * 50_000_000 + parts
    batches = drawn(Pages(Alphabet.load(recipe.vocabulary).characters, SIDE_PX), first, asked(recipe.teacher))
    began = saved = time.monotonic()
    losses: list[float] = []

    def save() -> None:
        named = {"weights": [p.detach() for p in weights], "mean": mean, "first": steps.first, "second": steps.second}
        kept = {
            **{what: dict(zip(names, values, strict=True)) for what, values in named.items()},
            "count": steps.count, "step": done, "parts": parts, "seconds": spent + time.monotonic() - began,
        }  # fmt: skip
        torch.save(kept, last.with_suffix(".new"))
        os.replace(last.with_suffix(".new"), last)

    while True:
        progress = torch.tensor([(spent + time.monotonic() - began) / 60 / recipe.minutes])
        dist.broadcast(progress, 0)
        if float(progress) >= 1:
            break
        wave = 0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * float(progress)))
        pictures, want = next(batches)
        got = pupil(torch.from_numpy(normalise(pictures)).contiguous(memory_format=torch.channels_last))[:, 0]
        loss = loss_of(got, torch.from_numpy(want).float() / 255)
        for p in weights:
            p.grad = None
        loss.backward()  # type: ignore[no-untyped-call]
        flat = torch.cat([torch.zeros_like(p).flatten() if p.grad is None else p.grad.flatten() for p in weights])
        dist.all_reduce(flat)
        for p, grad in zip(weights, flat.split([p.numel() for p in weights]), strict=True):
            p.grad = (grad / recipe.processes).reshape(p.shape)
        if bool(flat.isfinite().all()):
            steps.step(recipe.rate * wave * min(1.0, (done + 1) / 60))
        done, parts = done + 1, parts + len(pictures) * recipe.processes
        with torch.no_grad():
            for value, p in zip(mean, weights, strict=True):
                value.lerp_(p, 1 - min(AVERAGE, (1 + done) / (10 + done)))
        losses.append(float(loss.detach()))
        if rank == 0 and done % 25 == 0:
            row = {"step": done, "parts": parts, "minutes": round((spent + time.monotonic() - began) / 60, 2), "loss": round(sum(losses) / len(losses), 5)}  # fmt: skip
            losses.clear()
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


def export(pupil: pathlib.Path, checkpoint: pathlib.Path, out: pathlib.Path, properties: dict[str, str]) -> str:
    """Writes the pupil's graph with the running mean of its weights, stored as float16; returns the file's SHA-256."""
    import onnx
    from onnx import numpy_helper

    module = logits_of(pupil)
    mean = torch.load(checkpoint, weights_only=True)["mean"]
    graph: Any = widened(onnx.load(str(pupil)))
    trained = {name: mean[name].numpy() for name in module.names}
    for tensor in graph.graph.initializer:
        if tensor.name in trained:
            tensor.CopyFrom(numpy_helper.from_array(trained.pop(tensor.name), tensor.name))
    for node in graph.graph.node:
        if node.op_type == "Constant" and node.output[0] in trained:
            value = next(each for each in node.attribute if each.name == "value")
            value.t.CopyFrom(numpy_helper.from_array(trained.pop(node.output[0]), node.output[0]))
    if trained:
        raise ValueError(f"weights that the file does not hold: {sorted(trained)[:3]}")
    store_as_half(graph)
    for key, text in properties.items():
        graph.metadata_props.add(key=key, value=text)
    onnx.checker.check_model(graph)
    out.write_bytes(graph.SerializeToString())
    return hashlib.sha256(out.read_bytes()).hexdigest()
