"""The training loop: resumes from its checkpoint, survives being stopped and continued, logs what a person wants to see."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import pathlib
import signal
import time
from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from training.alphabet import Alphabet
from training.compact import Compact
from training.crnn import Crnn
from training.dataset import Batch, Plan, Stream, normalise
from training.distil import Teacher
from training.losses import ClassDraw, ctc, hold, scores

# What the base reads well and rendered lines resemble least, so that training unlearns it first.
HOLD_KINDS = (("plate", 3.0), ("street", 4.0), ("subtitle", 2.0))


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How to train. Rates are AdamW's; `steps` counts batches; `minutes` of 0 sets no time limit."""

    steps: int = 6000
    minutes: float = 0.0
    rate: float = 3e-4
    warm_up: int = 100
    floor_rate: float = 1e-5
    head_times: float = 1.0  # the scoring layer's rate, as a multiple: its rows for rare characters are seldom asked
    decay: float = 0.0
    tether: float = 5e-4  # pull of the weights towards the base model's, per step and rate
    rivals: int = 1200
    full_after: float = 0.85  # from this share of the run on, every class is scored
    hold_every: int = 2
    hold_weight: float = 1.0
    hold_kinds: tuple[tuple[str, float], ...] = HOLD_KINDS  # how much more a kind of line is held; 1 where not named
    # Kinds learnt from the base's answers alone, right or wrong: of which it knows the real ones better than rendered
    # lines can teach.
    left_to_base: tuple[str, ...] = ()
    average: float = (
        0.0  # of the running mean of the weights, how much stays a step; 0 keeps none. Small batches are noisy.
    )
    half: bool = False  # whether the convolutions are worked out in bfloat16: faster where the processor has it
    save_minutes: float = 4.0
    clip: float = 5.0


def as_input(pictures: Any) -> Tensor:
    """uint8 pictures to the model's input, channels last, as the convolutions are four times faster so."""
    return torch.from_numpy(normalise(pictures)).contiguous(memory_format=torch.channels_last)


def has_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 by itself; where it does not, it is slower than float32."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()) and torch.cpu._is_avx512_bf16_supported()  # type: ignore[no-untyped-call]


class Source(Protocol):
    """Where batches come from."""

    def next(self) -> Batch: ...

    def close(self) -> None: ...


class Trainer:
    """Trains `model` on what `plan` draws. `folder` keeps `last.pt` (everything to resume) and `log.jsonl`.

    `base` is the model it started from, held near to it in weights and in answers; `teacher` is another reader to learn from.
    `earlier` is what to hold the answers near to instead, but for the kinds left to the base.
    """

    def __init__(
        self,
        model: Crnn | Compact,
        plan: Plan,
        recipe: Recipe,
        folder: pathlib.Path,
        base: Crnn | None = None,
        teacher: Teacher | None = None,
        earlier: Crnn | None = None,
    ) -> None:
        self.model, self.base, self.teacher, self.earlier = model, base, teacher, earlier
        self.plan, self.recipe, self.folder = plan, recipe, folder
        folder.mkdir(parents=True, exist_ok=True)
        head = {id(p) for p in model.head.parameters()}
        trained = [p for p in model.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": [p for p in trained if id(p) not in head], "times": 1.0},
                {"params": [p for p in trained if id(p) in head], "times": recipe.head_times},
            ],
            lr=recipe.rate,
            betas=(0.9, 0.98),
            weight_decay=recipe.decay,
        )
        self.step = self.pool = self.lines = self.began = 0
        self.seconds = 0.0
        self.source: Source | None = None  # where batches come from; a Stream of the plan where it is None
        self.tell: Callable[[float], None] = lambda share: None  # is told how much of the run is done, a step
        self._stop = False
        self._anchor = [p.detach().clone() for p in base.parameters()] if base is not None else []
        self._losses: list[tuple[float, float, float]] = []
        self._mean: dict[str, Tensor] = {}

    @property
    def checkpoint(self) -> pathlib.Path:
        return self.folder / "last.pt"

    def resume(self) -> bool:
        """Takes up the checkpoint in the folder, if there is one."""
        if not self.checkpoint.is_file():
            return False
        kept = torch.load(self.checkpoint, weights_only=True)
        self.model.load_state_dict(kept["model"])
        self.optimiser.load_state_dict(kept["optimiser"])
        self.step, self.pool, self.lines, self.seconds = kept["step"], kept["pool"] + 1, kept["lines"], kept["seconds"]
        self.began, self._mean = kept["began"], kept.get("mean", {})
        return True

    def start_from(self, path: pathlib.Path) -> None:
        """Begins from weights kept in the repository (float16, no optimiser state); the schedule begins anew, the lines go on."""
        kept = torch.load(path, weights_only=True)
        self.model.load_state_dict({name: weight.float() for name, weight in kept["model"].items()})
        self.pool, self.lines, self.began = kept["pool"] + 1, kept["lines"], kept["lines"]

    def save(self) -> None:
        """Writes the checkpoint beside the old one, then swaps: a kill in between loses nothing."""
        kept = {
            "model": self.model.state_dict(), "optimiser": self.optimiser.state_dict(),
            "step": self.step, "pool": self.pool, "lines": self.lines, "began": self.began, "seconds": self.seconds,
            "mean": self._mean,
        }  # fmt: skip
        fresh = self.checkpoint.with_suffix(".new")
        torch.save(kept, fresh)
        os.replace(fresh, self.checkpoint)

    def rate(self, progress: float) -> float:
        """Warm-up, then a cosine down to the floor; `progress` is 0 to 1 of the run."""
        r = self.recipe
        wave = r.floor_rate + (r.rate - r.floor_rate) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
        return wave * min(1.0, (self.step + 1) / r.warm_up)

    def progress(self) -> float:
        """How much of the run is done: by steps, or by time where a limit is set and nearer."""
        done = self.step / self.recipe.steps
        return max(done, self.seconds / 60 / self.recipe.minutes) if self.recipe.minutes else done

    def run(self) -> list[float]:
        """Trains to the end of the recipe (or SIGTERM, which saves and leaves); returns each step's CTC loss."""
        before = {sign: signal.signal(sign, self._leave) for sign in (signal.SIGTERM, signal.SIGINT)}
        draw = ClassDraw(
            self.model.head.out_features, self.recipe.rivals, _everyday(self.plan), self.plan.seed + self.step
        )
        whole = ClassDraw(self.model.head.out_features, 0, [], 0)
        self.model.train().to(memory_format=torch.channels_last)
        if self.base is not None:
            # what is frozen is the base model's own, so its feature maps serve all
            for held in filter(None, (self.base, self.earlier)):
                held.split = self.model.split
                held.eval().to(memory_format=torch.channels_last)
        stream, saved, trace = self.source or Stream(self.plan, self.pool), time.monotonic(), []
        try:
            while (progress := self.progress()) < 1.0 and not self._stop:
                began = time.monotonic()
                batch = stream.next()
                loss = self._one(batch, whole if progress >= self.recipe.full_after else draw, progress)
                trace.append(loss)
                self.step, self.pool, self.lines = self.step + 1, batch.pool, self.lines + len(batch.labels)
                # a process that was stopped and continued did not train meanwhile
                self.seconds += min(time.monotonic() - began, 30.0)
                self.tell(progress)
                if self.step % 50 == 0:
                    self._log(progress)
                if time.monotonic() - saved > self.recipe.save_minutes * 60:
                    self.save()
                    saved = time.monotonic()
        finally:
            stream.close()
            for sign, handler in before.items():
                signal.signal(sign, handler)
        self.save()
        return trace

    def _one(self, batch: Batch, draw: ClassDraw, progress: float) -> float:
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate(progress) * group["times"]
        seen = as_input(batch.pictures)
        chosen, renumbered = draw(batch.labels)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.half):
            front = self.model.front(seen)
            columns = self.model.steps(front)
        log_probs = scores(self.model.read(columns.float()), self.model.head, chosen)
        told = [kind in self.recipe.left_to_base for kind in batch.kinds]
        loss = ctc(log_probs, renumbered, [not each for each in told])
        total, near, share = loss, 0.0, 0.0
        if self.recipe.hold_weight and self.step % self.recipe.hold_every == 0:
            anchor = self._opinion(batch.pictures, front, chosen, log_probs.shape[1], told)
            if anchor is not None:
                more = dict(self.recipe.hold_kinds)
                emphasis = [more.get(kind, 1.0) for kind in batch.kinds]
                pull, share = hold(log_probs, anchor, renumbered, emphasis, told)
                total, near = loss + self.recipe.hold_weight * pull, float(pull.detach())
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip)
        self.optimiser.step()
        if self._anchor and self.recipe.tether:
            factor = self.recipe.tether * self.rate(progress) / self.recipe.rate
            with torch.no_grad():
                for parameter, anchor_weight in zip(self.model.parameters(), self._anchor, strict=True):
                    if parameter.requires_grad:
                        parameter.lerp_(anchor_weight, factor)
        if self.recipe.average:
            self._remember()
        value = float(loss.detach())
        self._losses.append((value, near, share))
        return value

    def _opinion(
        self, pictures: Any, front: Tensor, chosen: Tensor | None, steps: int, told: list[bool]
    ) -> Tensor | None:
        """What the base model or the teacher makes of the batch, over the same classes, or None where there is neither."""
        if self.base is not None:
            if self.earlier is None:
                return self._answers(self.base, front, chosen)
            asked = torch.tensor(told)[:, None, None]
            earlier = self._answers(self.earlier, front, chosen)
            return torch.where(asked, self._answers(self.base, front, chosen), earlier) if any(told) else earlier
        if self.teacher is not None:
            opinion = self.teacher.log_probs(pictures, steps)
            return opinion if chosen is None else opinion[:, :, chosen].log_softmax(-1)
        return None

    def _answers(self, model: Crnn, front: Tensor, chosen: Tensor | None) -> Tensor:
        with torch.no_grad():
            with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.half):
                columns = model.steps(front)
            return scores(model.read(columns.float()), model.head, chosen)

    def _remember(self) -> None:
        """Takes the step's weights into their running mean, which is quick to follow at first."""
        kept = min(self.recipe.average, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for name, weight in self.model.state_dict().items():
                if name not in self._mean:
                    self._mean[name] = weight.clone()
                elif weight.is_floating_point():
                    self._mean[name].lerp_(weight, 1 - kept)

    def _log(self, progress: float) -> None:
        recent, self._losses = self._losses, []
        held = [row for row in recent if row[2] > 0]
        row = {
            "step": self.step, "lines": self.lines, "minutes": round(self.seconds / 60, 2), "rate": round(self.rate(progress), 7),
            "loss": round(sum(r[0] for r in recent) / max(1, len(recent)), 4),
            "hold": round(sum(r[1] for r in held) / max(1, len(held)), 4), "base_right": round(sum(r[2] for r in held) / max(1, len(held)), 3),
        }  # fmt: skip
        with open(self.folder / "log.jsonl", "a", encoding="utf-8") as log:
            log.write(json.dumps(row) + "\n")

    def _leave(self, *_: object) -> None:
        self._stop = True


def _everyday(plan: Plan) -> list[int]:
    """Classes scored in every batch: ASCII and the common punctuation."""
    alphabet = Alphabet.load(plan.vocabulary)
    return [
        index
        for character, index in alphabet.classes.items()
        if character < "\x7f" or character in "，。、：；（）·《》"
    ]
