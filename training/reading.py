"""Reads line pictures with an exported model, the way the service lays them out: their own width, one core."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Any

import cv2
import numpy as np

from training.alphabet import BLANK, Alphabet
from worker.reading import context, ctc, eight_bit, runtime
from worker.reading.engines.ctc_recogniser import HOLE_HEIGHTS

Array = np.ndarray[Any, np.dtype[Any]]
# How a line is laid out, in pixels at a height of 32 (and in proportion at others): padding after it, least width, multiples.
AFTER_PX, LEAST_PX, STEP_PX = 32, 160, 32
MAX_WIDTH_PX = 3200


@dataclasses.dataclass
class Reader:
    """An ONNX recogniser on OpenVINO. `height` in pixels; classes are `alphabet`'s.

    Works in float32, or `served`: with the 8-bit layers and the bfloat16 that the service takes on this processor. With
    `words` the words around settle doubtful characters, as they do in the service.
    """

    path: pathlib.Path
    alphabet: Alphabet
    height: int = 32
    served: bool = False
    words: bool = False

    def __post_init__(self) -> None:
        import openvino

        core = openvino.Core()
        precision = runtime.arithmetic("auto") if self.served else "f32"
        settings = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY"}
        graph = core.read_model(str(self.path))
        if self.served and eight_bit.supported():
            graph = eight_bit.applied(graph)
        self._compiled = core.compile_model(graph, "CPU", settings)
        self._context = context.Context(["", *self.alphabet.characters], context.lexicon())

    def probabilities(self, picture: Array) -> Array:
        """A BGR uint8 picture -> (steps, classes), or (steps,) where the arg-max is inside the graph."""
        out: Array = self._compiled(prepare(picture, self.height))[0][0]
        return out

    def read(self, picture: Array) -> str:
        """The text of one line."""
        out = self.probabilities(picture)
        if not self.words or out.ndim == 1:
            return self.alphabet.decode((out if out.ndim == 1 else out.argmax(-1)).tolist())
        classes = np.argsort(-out, axis=1)[:, : ctc.TOP].astype(np.int32)
        scores = np.take_along_axis(out, classes, axis=1)
        nearly = ctc.nearly(scores, classes, context.LEAST_CHANGE)
        hole = HOLE_HEIGHTS * self.height / (prepare(picture, self.height).shape[3] / len(out))
        peaks = self._context.settle(ctc.decode(scores, classes), nearly, None, hole)
        return "".join(self.alphabet.characters[peak.index - 1] for peak in peaks)


def prepare(picture: Array, height: int) -> Array:
    """A BGR picture -> (1, 3, height, width) float32 in [-1, 1], proportions kept, padded with 0 on the right.

    A tall picture is turned to lie."""
    if picture.shape[0] >= 1.5 * picture.shape[1]:
        picture = np.rot90(picture)
    width = min(MAX_WIDTH_PX, max(height // 2, round(picture.shape[1] * height / picture.shape[0])))
    how = cv2.INTER_AREA if picture.shape[0] >= 2 * height else cv2.INTER_LINEAR
    scaled = cv2.resize(picture, (width, height), interpolation=how)
    unit = height / 32
    step = round(STEP_PX * unit)
    whole = max(round(LEAST_PX * unit), -(-(width + round(AFTER_PX * unit)) // step) * step)
    out = np.zeros((1, 3, height, whole), np.float32)
    out[0, :, :, :width] = (scaled.astype(np.float32) / 127.5 - 1.0).transpose(2, 0, 1)
    return out


def ppocrv6(path: pathlib.Path) -> Reader:
    """PP-OCRv6 small: 48 px high, its vocabulary kept in the ONNX file's metadata."""
    import onnx

    kept = {each.key: each.value for each in onnx.load(str(path), load_external_data=False).metadata_props}
    return Reader(path, Alphabet([*kept["character"].split("\n"), " "]), 48)


def steps_of(probabilities: Array) -> Array:
    """Which steps of (steps, classes) hold a character and no blank; for looking at where a reading lies."""
    best = probabilities.argmax(-1)
    return np.flatnonzero(best != BLANK)
