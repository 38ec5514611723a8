"""A better reader's opinion of each batch, step by step, as something for a small one to be near."""

from __future__ import annotations

import pathlib
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from training.alphabet import Alphabet
from training.dataset import normalise

Array = np.ndarray[Any, np.dtype[Any]]
FLOOR = 1e-8


class Teacher:
    """An ONNX recogniser that answers in the pupil's classes and steps.

    Characters the pupil lacks are dropped and the rest scaled up. Another number of steps is brought to the pupil's by
    interpolation over the width, which is right as far as both put a character's peak over the character.
    """

    def __init__(self, path: pathlib.Path, own: Alphabet, pupil: Alphabet, height: int) -> None:
        import openvino

        core = openvino.Core()
        settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
        self._compiled = core.compile_model(core.read_model(str(path)), "CPU", settings)
        self._height, self._classes = height, len(pupil)
        shared = [(index, pupil.classes[c]) for c, index in own.classes.items() if c in pupil.classes]
        self._from = np.array([0, *(a for a, _ in shared)])
        self._to = np.array([0, *(b for _, b in shared)])

    def log_probs(self, pictures: Array, steps: int) -> Tensor:
        """uint8 (lines, 32, width, 3) -> log-probabilities (lines, steps, the pupil's classes)."""
        if pictures.shape[1] != self._height:
            width = round(pictures.shape[2] * self._height / pictures.shape[1])
            pictures = np.stack([cv2.resize(p, (width, self._height), interpolation=cv2.INTER_CUBIC) for p in pictures])
        seen = np.asarray(self._compiled(normalise(pictures))[0])
        out = np.full((len(seen), steps, self._classes), FLOOR, np.float32)
        at = (np.arange(steps) + 0.5) * seen.shape[1] / steps - 0.5
        low = np.clip(np.floor(at).astype(int), 0, seen.shape[1] - 1)
        high = np.minimum(low + 1, seen.shape[1] - 1)
        share = np.clip(at - low, 0, 1)[None, :, None].astype(np.float32)
        out[:, :, self._to] = (seen[:, low] * (1 - share) + seen[:, high] * share)[:, :, self._from] + FLOOR
        out /= out.sum(-1, keepdims=True)
        return torch.from_numpy(np.log(out))
