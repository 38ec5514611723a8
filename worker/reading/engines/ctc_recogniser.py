"""A line recogniser that is one CTC model and its facts: PP-OCRv6, the CRNN and ModelScope's are all of this kind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.reading import ctc
from worker.reading.models import Facts, ModelError, place
from worker.reading.recogniser import Crop, ReadChar, Reading
from worker.reading.runtime import Session


class CtcRecogniser:
    """Reads lines with one warm CTC model. `folder` holds the weights; see `facts.toml` for the keys of `facts`."""

    def __init__(self, facts: Facts, folder: Path) -> None:
        how = facts.recogniser
        weight = facts.weight(how["weight"])
        file = place(folder, weight)
        if not file.is_file():
            raise ModelError(reason=f"The model {weight.name} is not in {folder}: run `ocrfleet models fetch`.")
        self.name = facts.engine
        self.version = weight.version
        self.height: int = how["height"]
        self.width_step: int = how["width_step"]
        self.width_min: int = how["width_min"]
        self.width_max: int = how["width_max"]
        self._mean = np.float32(how["mean"] * 255)
        self._scale = np.float32(1 / (how["std"] * 255))
        self.session = Session(file, edit=ctc.top_graph)
        self.alphabet = ["", *self._characters(facts, folder, how["vocabulary"]), " "]
        self.vocabulary = frozenset(self.alphabet[1:])
        self._allow_all = np.zeros((1, 1, len(self.alphabet)), np.float32)

    def _characters(self, facts: Facts, folder: Path, source: str) -> list[str]:
        kind, name = source.split(":")
        if kind == "metadata":
            return self.session.metadata[name].split("\n")
        file = place(folder, facts.weight(name))
        if not file.is_file():
            raise ModelError(reason=f"The model file {file} is missing: run `ocrfleet models fetch`.")
        return file.read_text(encoding="utf-8").splitlines()

    def read(self, crops: Sequence[Crop], allow: frozenset[str] | None = None) -> list[Reading]:
        """See `Recogniser.read`."""
        mask = self._mask(allow)
        return [self._read_one(crop, mask) for crop in crops]

    def _mask(self, allow: frozenset[str] | None) -> NDArray[np.float32]:
        if allow is None:
            return self._allow_all
        refused = [index > 0 and char != " " and char not in allow for index, char in enumerate(self.alphabet)]
        return np.where(refused, np.float32(ctc.REFUSED), np.float32(0)).reshape(1, 1, -1)

    def prepare(self, crop: Crop) -> tuple[NDArray[np.float32], int]:
        """The model's input (1, 3, height, bucket) for a crop, and how many of its columns are picture."""
        height, width = crop.shape[:2]
        wide = max(1, min(self.width_max, round(width * self.height / height)))
        bucket = max(self.width_min, -(-wide // self.width_step) * self.width_step)
        sized = cv2.resize(crop, (wide, self.height), interpolation=cv2.INTER_LINEAR)
        x = np.zeros((1, 3, self.height, bucket), np.float32)
        x[0, :, :, :wide] = (sized.transpose(2, 0, 1) - self._mean) * self._scale
        return x, wide

    def _read_one(self, crop: Crop, mask: NDArray[np.float32]) -> Reading:
        x, wide = self.prepare(crop)
        scores, classes = self.session(x, mask)
        peaks = ctc.decode(scores[0], classes[0])
        steps = scores.shape[1]
        pixels = x.shape[3] / steps * crop.shape[1] / wide  # of the crop, a step
        reach = crop.shape[0] * 0.6 / pixels
        chars = tuple(
            ReadChar(
                self.alphabet[peak.index],
                peak.confidence,
                min(x0 * pixels, crop.shape[1]),
                min(x1 * pixels, crop.shape[1]),
                tuple((self.alphabet[index], score) for index, score in peak.alternatives),
            )
            for peak, (x0, x1) in zip(peaks, ctc.spans(peaks, steps, reach), strict=True)
        )
        confidence = sum(char.confidence for char in chars) / len(chars) if chars else 0.0
        return Reading("".join(char.text for char in chars), confidence, chars, self.name)
