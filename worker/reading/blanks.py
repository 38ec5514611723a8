"""The steps that are plainly blank, which the last layer is not asked about.

In CTC more than half of a line's steps are blank, nearly all of them surely so. The last layer has thousands of classes; with
the softmax and the search for the best it takes a sixth of the time of a line. So the model runs in two parts: the
features of every step first, and with them a perceptron of a few hidden units, which says what is plainly blank. The rest, of
all lines together, goes through the last layer. The perceptron was fitted on drawn lines (`python -m training blanks`)
so that it passes next to no step in which anything but the blank has a say (docs/measurements.md).
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.reading import ctc
from worker.reading.models import Facts, ModelError, place
from worker.reading.runtime import Session

PLAIN = 0.9  # probability of the blank from which it is plain: nothing else is then likelier than 0.1
ROWS, ROWS_STEP = 128, 16  # steps that the last layer is asked about at once, and of which their number is a multiple

Floats = NDArray[np.float32]
Scores = tuple[Floats, NDArray[np.int32]]


class Split:
    """A CTC model in two parts, for one picture at a time. It answers as a session of `ctc.top_graph` does, where a plainly
    blank step is the blank with a probability of 1.

    `file` is the ONNX model, `teller` the perceptron's file (`.npz`), `classes` their number where the model leaves it open. Raises
    ModelError where they do not belong together.
    """

    def __init__(self, file: Path, teller: Path, precision: str = "auto", classes: int | None = None) -> None:
        told = load(teller)
        self._first = Session(file, precision=precision, edit=lambda graph: first_part(graph, told))
        self._last = Session(file, precision=precision, edit=lambda graph: _last_part(graph, classes))
        self.metadata = self._first.metadata

    def __call__(self, x: Floats, allow: Floats) -> Scores:
        """One picture (1, channels, height, width): probabilities and classes (1, steps, TOP), best first."""
        return self.several([x], allow)[0]

    def several(self, pictures: Iterable[Floats], allow: Floats) -> list[Scores]:
        """The same of several, which may be of different widths."""
        seen = [self._first(x) for x in pictures]
        asked = [np.flatnonzero(doubt[0, :, 0] <= 0) for _, doubt in seen]
        answers = self._asked([features[0, at] for (features, _), at in zip(seen, asked, strict=True)], allow)
        return [
            _spread(len(doubt[0]), at, *answer) for (_, doubt), at, answer in zip(seen, asked, answers, strict=True)
        ]

    def input_shape(self, index: int) -> list[int]:
        """As of the whole model: of the picture, or of what is allowed."""
        return (self._last if index else self._first).input_shape(index)

    def release(self) -> None:
        """See `Session.release`."""
        self._first.release()
        self._last.release()

    def _asked(self, lines: list[Floats], allow: Floats) -> list[Scores]:
        """What the last layer says of the steps of lines, features (steps, n) each."""
        rows = np.concatenate(lines) if lines else np.zeros((0, 1), np.float32)
        parts = []
        for first in range(0, len(rows), ROWS):
            part = rows[first : first + ROWS]
            whole = np.zeros((1, -(-len(part) // ROWS_STEP) * ROWS_STEP, rows.shape[1]), np.float32)
            whole[0, : len(part)] = part
            parts.append([each[0, : len(part)] for each in self._last(whole, allow)])
        ends = np.cumsum([len(line) for line in lines])[:-1]
        if not parts:
            return [(np.zeros((0, ctc.TOP), np.float32), np.zeros((0, ctc.TOP), np.int32)) for _ in lines]
        scores, classes = (np.concatenate(each) for each in zip(*parts, strict=True))
        return list(zip(np.split(scores, ends), np.split(classes, ends), strict=True))


def teller_of(facts: Facts, folder: Path) -> Path | None:
    """The perceptron's file, where the facts name one that was fitted to these very weights: it knows the habits of no others."""
    name = facts.recogniser.get("blanks")
    found = next((weight for weight in facts.weights if weight.name == name), None)
    fits = found is not None and found.version == facts.weight(facts.recogniser["weight"]).version
    return place(folder, found) if found is not None and fits else None


def load(file: Path) -> dict[str, Floats]:
    """A perceptron: `inward` (features, hidden), `bias` (hidden), `outward` (hidden, 1), `limit` (1). Raises ModelError."""
    try:
        with np.load(file) as kept:
            return {name: kept[name].astype(np.float32) for name in ("inward", "bias", "outward", "limit")}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ModelError(reason=f"The model file {file} is damaged: reinstall ocrfleet.") from error


def first_part(graph: Any, told: dict[str, Floats] | None = None) -> Any:
    """The OpenVINO model up to the features of every step (1, steps, n), and with a perceptron how plainly each is blank
    (1, steps, 1): above 0 it is."""
    from openvino import Model, opset13

    features = _last_layer(graph).input_value(0)
    if told is None:
        return Model([features], graph.get_parameters(), "features")
    if features.get_partial_shape()[2].get_length() != len(told["inward"]):
        raise ModelError(reason="What tells blank steps belongs to another model: reinstall ocrfleet.")
    hidden = opset13.relu(opset13.add(opset13.matmul(features, told["inward"], False, False), told["bias"]))
    doubt = opset13.add(opset13.matmul(hidden, told["outward"], False, False), told["limit"])
    return Model([features, doubt.output(0)], graph.get_parameters(), "features")


def _last_part(graph: Any, classes: int | None) -> Any:
    """The rest of it, for the features of any number of steps."""
    from openvino import Model, opset13

    layer = _last_layer(graph)
    size = layer.input_value(0).get_partial_shape()[2].get_length()
    steps = opset13.parameter([1, -1, size], np.float32, name="features")
    layer.input(0).replace_source_output(steps.output(0))
    whole = Model(graph.get_results(), [steps], "scores")
    return ctc.top_graph(whole, classes)


def _last_layer(graph: Any) -> Any:
    """The product that gives the classes."""
    node = graph.get_results()[0]
    while node.get_type_name() != "MatMul":
        before = [value.get_node() for value in node.input_values()]
        node = next(each for each in before if each.get_type_name() not in ("Constant", "Convert"))
    return node


def _spread(steps: int, asked: NDArray[np.intp], scores: Floats, classes: NDArray[np.int32]) -> Scores:
    """What was said of some steps of a line, and the blank for the others."""
    all_scores = np.zeros((1, steps, ctc.TOP), np.float32)
    all_scores[0, :, 0] = 1.0
    all_classes = np.full((1, steps, ctc.TOP), ctc.BLANK, np.int32)
    all_scores[0, asked], all_classes[0, asked] = scores, classes
    return all_scores, all_classes
