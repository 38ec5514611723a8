"""PP-OCRv6's recogniser trained further to read through damage: what it makes of the clean picture of a line is what it shall
make of the damaged one.

The published network is the teacher and the start. It reads a rendered line as it is; the pupil sees the same line harmed
(`damage.py`) and learns the teacher's answers step by step, which says more than the text alone (Hinton et al. 2015, arXiv
1503.02531). The scoring layer stays the published one, so the result is a file of the other weights only.
"""

from __future__ import annotations

import dataclasses
import itertools
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

from training import damage, degrade
from training.alphabet import Alphabet
from training.dataset import PAD_VALUE, normalise
from training.onnx_module import OnnxModule
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
RIVALS = 1200  # classes drawn to be told apart from a batch's own
BLANK_WEIGHT = 0.35  # of a step where the teacher sees no character, against 1.35 of one where it does
NEAR_WEIGHT, TEXT_WEIGHT = 0.1, 0.15  # of the features' nearness and of CTC, against 1 of the answers' nearness
AVERAGE = 0.995  # of the running mean of the weights, how much stays a step


@dataclasses.dataclass(frozen=True)
class Recipe:
    """`minutes` of training, from the published weights or those of the checkpoint `start`, in `processes` processes, one core each; `rate` is the share of its size by which a weight
    moves a step."""

    model: pathlib.Path
    vocabulary: pathlib.Path
    folder: pathlib.Path
    minutes: float = 60.0
    rate: float = 4.5e-4
    processes: int = 2
    seed: int = 1
    start: pathlib.Path | None = None
    save_minutes: float = 3.0


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


class SharedSteps:
    """Adam (Kingma and Ba 2015, arXiv 1412.6980) whose step is a share of each output channel's own size.

    The network's normalisations are folded into its weights, whose sizes differ a thousandfold from channel to channel:
    with one step for all, the first hundred steps spoil it.
    """

    def __init__(self, parameters: list[nn.Parameter], betas: tuple[float, float] = (0.9, 0.98)) -> None:
        self.parameters, self.betas, self.count = parameters, betas, 0
        self.first = [torch.zeros_like(p) for p in parameters]
        self.second = [torch.zeros_like(p) for p in parameters]
        self.sizes = [_size(p.detach()) for p in parameters]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        self.count += 1
        one, two = self.betas
        for p, first, second, size in zip(self.parameters, self.first, self.second, self.sizes, strict=True):
            if p.grad is None:
                continue
            first.mul_(one).add_(p.grad, alpha=1 - one)
            second.mul_(two).addcmul_(p.grad, p.grad, value=1 - two)
            way = (first / (1 - one**self.count)) / ((second / (1 - two**self.count)).sqrt() + 1e-12)
            p.sub_(way.clamp_(-3, 3) * size * rate)


def _size(weight: Tensor) -> Tensor:
    """The root mean square of each output channel, at least a tenth of the whole weight's."""
    whole = weight.square().mean().sqrt()
    if weight.dim() < 2 or (weight.dim() == 4 and weight.shape[0] == 1):
        return whole.clamp(min=1e-3).expand_as(weight).clone()
    over = tuple(range(1, weight.dim())) if weight.dim() == 4 else (0,)
    return torch.maximum(weight.square().mean(over, keepdim=True).sqrt(), 0.1 * whole)


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


def run(rank: int, recipe: Recipe) -> None:
    """One of the processes that train; they share their gradients. The first writes `last.pt` and `log.jsonl`."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    dist.init_process_group("gloo", f"file://{recipe.folder}/meet", rank=rank, world_size=recipe.processes)
    head = Head(recipe.model)
    pupil = OnnxModule(recipe.model, head.features).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    weights = list(pupil.parameters())
    steps, mean = SharedSteps(weights), [p.detach().clone() for p in weights]
    last, log = recipe.folder / "last.pt", recipe.folder / "log.jsonl"
    done, lines, spent = 0, 0, 0.0
    if last.is_file():
        kept = torch.load(last, weights_only=True)
        for p, value in zip(weights, kept["weights"], strict=True):
            p.data.copy_(value)
        steps.first, steps.second, steps.count = kept["first"], kept["second"], kept["count"]
        mean, done, lines, spent = kept["mean"], kept["step"], kept["lines"], kept["seconds"]
    elif recipe.start is not None:
        for p, average, value in zip(weights, mean, torch.load(recipe.start, weights_only=True)["mean"], strict=True):
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
