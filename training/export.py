"""Weights out: averaging with the base model, and an ONNX file with its weights stored as float16.

The file computes in float32: each stored weight passes through a Cast node, which OpenVINO and onnxruntime fold away when the
model is loaded. That halves the file and costs nothing when reading.
"""

from __future__ import annotations

import hashlib
import json
import pathlib
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from training.compact import Best, Compact
from training.crnn import Crnn
from worker.reading import eight_bit

Array = np.ndarray[Any, np.dtype[Any]]
LEAST_HALVED = 256  # numbers; smaller arrays stay float32


class Probabilities(nn.Module):
    """What the published recogniser answers with: softmax over the classes, float32 (batch, steps, classes)."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.model(x)
        return out.softmax(-1)


def averaged(base: Mapping[str, Tensor], trained: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """`share` of the trained weights, the rest of the base's (Wortsman et al., Robust fine-tuning, arXiv 2109.01903)."""
    return {name: torch.lerp(base[name].float(), weight.float(), share) for name, weight in trained.items()}


def soup(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The mean of several runs' weights (float32), and how many lines all of them saw; they began from the same weights.

    Of a run that kept a running mean of its weights, that is taken."""
    states = [run.get("mean") or run["model"] for run in runs]
    mean = {name: torch.stack([state[name].float() for state in states]).mean(0) for name in states[0]}
    began = runs[0]["began"]
    lines = began + sum(run["lines"] - began for run in runs)
    return {"model": mean, "lines": lines, "pool": max(run["pool"] for run in runs)}


def export(model: Crnn | Compact, path: pathlib.Path, properties: Mapping[str, str], seen: Iterable[Array] = ()) -> str:
    """Writes `model` with any batch and width (the compact one with its arg-max inside), float16 storage and `properties` as metadata; returns the file's SHA-256.

    Where it is shown lines (`seen`, (batch, 3, 32, width) each), the ranges that 8-bit arithmetic needs are kept, too. The model's own weights are rounded to float16 first, so that it goes on answering as the file does.
    """
    import onnx

    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.numel() >= LEAST_HALVED:
                parameter.copy_(parameter.half().float())
    path.parent.mkdir(parents=True, exist_ok=True)
    full = path.with_suffix(".f32.onnx")
    with warnings.catch_warnings():
        # the tracing exporter is the one that keeps an LSTM one node with a free batch and width; it says that it is the old one
        warnings.simplefilter("ignore")
        _trace(model, full)
    graph = onnx.load(str(full))
    full.unlink()
    _store_as_half(graph)
    for key, value in properties.items():
        graph.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(graph)
    path.write_bytes(graph.SerializeToString())
    if ranges := eight_bit.ranges(path, seen) if (seen := list(seen)) else {}:
        graph.metadata_props.add(key=eight_bit.KEY, value=json.dumps(ranges, separators=(",", ":")))
        path.write_bytes(graph.SerializeToString())
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _trace(model: Crnn | Compact, path: pathlib.Path) -> None:
    own = isinstance(model, Compact)
    names = ["best", "probability"] if own else ["probabilities"]
    wrapped = (Best if own else Probabilities)(model.to(memory_format=torch.contiguous_format)).eval()
    torch.onnx.export(
        wrapped, (torch.zeros(2, 3, 32, 160),), str(path), input_names=["x"], output_names=names, opset_version=17, dynamo=False,
        dynamic_axes={"x": {0: "batch", 3: "width"}, **{name: {0: "batch", 1: "steps"} for name in names}},
    )  # fmt: skip


def _store_as_half(model: object) -> None:
    """Replaces the larger float32 weights by a float16 copy and a Cast to float32."""
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph  # type: ignore[attr-defined]
    casts = []
    for tensor in list(graph.initializer):
        array = numpy_helper.to_array(tensor)
        if array.dtype != np.float32 or array.size < LEAST_HALVED:
            continue
        name = tensor.name
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array(array.astype(np.float16), f"{name}_half"))
        casts.append(helper.make_node("Cast", [f"{name}_half"], [name], name=f"widen_{name}", to=TensorProto.FLOAT))
    for cast in reversed(casts):
        graph.node.insert(0, cast)
