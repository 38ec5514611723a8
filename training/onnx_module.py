"""An ONNX graph as a torch module: its weights are parameters, so that a published model can be trained further.

Only the operators that PP-OCR's recognisers are made of are known; the chain that is a GELU is run as torch's own.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

Attributes = dict[str, Any]


def _padding(attributes: Attributes) -> tuple[int, int]:
    """(rows, columns) of padding on each side. Raises ValueError where the sides differ."""
    top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
    if (top, left) != (bottom, right):
        raise ValueError(f"padding that differs from side to side: {attributes}")
    return top, left


def _same_upper(x: Tensor, attributes: Attributes, value: float) -> Tensor:
    """Padding so that the size stays, the odd pixel at the end (ONNX's auto_pad SAME_UPPER, at stride 1)."""
    if attributes.get("auto_pad") != b"SAME_UPPER":
        return x
    high, wide = (size - 1 for size in attributes["kernel_shape"])
    pads = (wide // 2, wide - wide // 2, high // 2, high - high // 2)
    return nn.functional.pad(x, pads, value=value)


def _conv(a: Attributes, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    x = _same_upper(x, a, 0.0)
    bias = None if bias is None else bias.flatten()
    return nn.functional.conv2d(x, weight, bias, a["strides"], _padding(a), a["dilations"], a["group"])


def _max_pool(a: Attributes, x: Tensor) -> Tensor:
    x = _same_upper(x, a, float("-inf"))
    return nn.functional.max_pool2d(x, a["kernel_shape"], a["strides"], _padding(a))


def _average_pool(a: Attributes, x: Tensor) -> Tensor:
    return nn.functional.avg_pool2d(x, a["kernel_shape"], a["strides"], _padding(a))


def _batch_norm(a: Attributes, x: Tensor, scale: Tensor, shift: Tensor, mean: Tensor, var: Tensor) -> Tensor:
    factor = scale / torch.sqrt(var + a["epsilon"])
    return x * factor[None, :, None, None] + (shift - mean * factor)[None, :, None, None]


def _slice(_: Attributes, x: Tensor, starts: Tensor, ends: Tensor, axes: Tensor, steps: Tensor | None = None) -> Tensor:
    for at, (start, end, axis) in enumerate(zip(starts.tolist(), ends.tolist(), axes.tolist(), strict=True)):
        step = 1 if steps is None else int(steps[at])
        index: list[slice] = [slice(None)] * x.dim()
        index[axis] = slice(start, end, step)
        x = x[tuple(index)]
    return x


def _squeeze(a: Attributes, x: Tensor) -> Tensor:
    for axis in sorted(a["axes"], reverse=True):
        x = x.squeeze(axis)
    return x


def _reshape(_: Attributes, x: Tensor, shape: Tensor) -> Tensor:
    goal = [x.shape[at] if size == 0 else size for at, size in enumerate(shape.tolist())]
    return x.reshape(goal)


OPERATORS: dict[str, Callable[..., Tensor]] = {
    "Conv": _conv,
    "MaxPool": _max_pool,
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_norm,
    "Slice": _slice,
    "Squeeze": _squeeze,
    "Reshape": _reshape,
    "Add": lambda _, x, y: x + y,
    "Sub": lambda _, x, y: x - y,
    "Mul": lambda _, x, y: x * y,
    "Div": lambda _, x, y: x / y,
    "Pow": lambda _, x, y: x**y,
    "Sqrt": lambda _, x: torch.sqrt(x),
    "Erf": lambda _, x: torch.erf(x),
    "Relu": lambda _, x: torch.relu(x),
    "Sigmoid": lambda _, x: torch.sigmoid(x),
    "HardSigmoid": lambda a, x: torch.clamp(x * a["alpha"] + a["beta"], 0.0, 1.0),
    "Softmax": lambda a, x: torch.softmax(x, a["axis"]),
    "MatMul": lambda _, x, y: x @ y,
    "ReduceMean": lambda a, x: x.mean(a["axes"], keepdim=bool(a.get("keepdims", 1))),
    "Transpose": lambda a, x: x.permute(a["perm"]),
    "Concat": lambda a, *parts: torch.cat([p.reshape(-1) if p.dim() == 0 else p for p in parts], a["axis"]),
    "Shape": lambda _, x: torch.tensor(x.shape),
    "Unsqueeze": lambda a, x: x.reshape([1] * len(a["axes"]) + list(x.shape)),
    "Gelu": lambda _, x: nn.functional.gelu(x),
}


class Step:
    """One operator: what it is, what it reads and the name it writes."""

    def __init__(self, operator: str, inputs: list[str], output: str, attributes: Attributes) -> None:
        self.operator, self.inputs, self.output, self.attributes = operator, inputs, output, attributes


class OnnxModule(nn.Module):
    """Runs the graph of an ONNX file. `forward` takes its first input and returns the value called `until`, or its output.

    Weights of more than one number are parameters under their own names (see `names`); all others are constants. Raises ValueError for an
    operator that is not known.
    """

    def __init__(self, path: pathlib.Path, until: str | None = None) -> None:
        super().__init__()
        graph = onnx.load(str(path)).graph
        self.input = graph.input[0].name
        self.until = until or graph.output[0].name
        self.weights = nn.ParameterDict()
        self.names: dict[str, str] = {}  # in the file -> in `weights`
        self._constants: dict[str, Tensor] = {}
        for initial in graph.initializer:
            self._add(initial.name, numpy_helper.to_array(initial))
        self.steps: list[Step] = []
        same: dict[str, str] = {}
        for node in graph.node:
            inputs = [same.get(name, name) for name in node.input]
            if node.op_type == "Identity":
                same[node.output[0]] = inputs[0]
                continue
            attributes = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
            if node.op_type == "Constant":
                self._add(node.output[0], numpy_helper.to_array(attributes["value"]))
                continue
            if node.op_type not in OPERATORS:
                raise ValueError(f"operator {node.op_type} is not known")
            self.steps.append(Step(node.op_type, inputs, node.output[0], attributes))
        self.until = same.get(self.until, self.until)
        for step in self.steps:  # the means and variances of normalisation are no weights to be trained
            for name in step.inputs[3:5] if step.operator == "BatchNormalization" else ():
                self._constants[name] = self.weights.pop(self.names.pop(name)).detach()
        self._join_gelu()
        self._join_bias()
        self._cut()

    def _add(self, name: str, value: Any) -> None:
        tensor = torch.from_numpy(value.copy())
        if tensor.is_floating_point() and tensor.numel() > 1:
            self.names[name] = f"w{len(self.names)}"
            self.weights[self.names[name]] = nn.Parameter(tensor)
        else:
            self._constants[name] = tensor

    def _join_gelu(self) -> None:
        """x / sqrt(2) -> erf -> + 1 -> * x -> * 0.5 is one operator of torch."""
        kept: list[Step] = []
        at = 0
        while at < len(self.steps):
            row = self.steps[at : at + 5]
            if [each.operator for each in row] == ["Div", "Erf", "Add", "Mul", "Mul"]:
                kept.append(Step("Gelu", [row[0].inputs[0]], row[-1].output, {}))
                at += 5
            else:
                kept.append(self.steps[at])
                at += 1
        self.steps = kept

    def _join_bias(self) -> None:
        """A convolution followed by the addition of one number a channel is a convolution with a bias: less memory moved."""
        kept: list[Step] = []
        for step in self.steps:
            before = kept[-1] if kept else None
            joins = (
                before is not None
                and before.operator == "Conv"
                and len(before.inputs) == 2
                and step.operator == "Add"
                and step.inputs[0] == before.output
                and step.inputs[1] in self.names
            )
            if joins and before is not None:
                kept[-1] = Step("Conv", [*before.inputs, step.inputs[1]], step.output, before.attributes)
            else:
                kept.append(step)
        self.steps = kept

    def _cut(self) -> None:
        """Drops what `until` does not need."""
        needed, kept = {self.until}, []
        for step in reversed(self.steps):
            if step.output in needed:
                needed.update(step.inputs)
                kept.append(step)
        self.steps = kept[::-1]
        for name in [name for name in self.names if name not in needed]:
            del self.weights[self.names.pop(name)]
        last = {name: at for at, step in enumerate(self.steps) for name in step.inputs}
        self._done_after: list[list[str]] = [[] for _ in self.steps]
        for name, at in last.items():
            if name not in self.names and name not in self._constants and name != self.until:
                self._done_after[at].append(name)

    def scoring(self) -> tuple[str, Tensor, Tensor]:
        """The last layer of a recogniser: the name of the features it takes, its weight (features, classes) and its bias."""
        product = next(step for step in reversed(self.steps) if step.operator == "MatMul")
        added = next(step for step in self.steps if product.output in step.inputs)
        bias = next(name for name in added.inputs if name != product.output)
        weight, shift = (self.weights[self.names[name]].detach() for name in (product.inputs[1], bias))
        return product.inputs[0], weight, shift

    def forward(self, x: Tensor) -> Tensor:
        values: dict[str, Tensor] = {self.input: x, **self._constants}
        values.update({name: self.weights[key] for name, key in self.names.items()})
        for step, done in zip(self.steps, self._done_after, strict=True):
            values[step.output] = OPERATORS[step.operator](step.attributes, *(values[name] for name in step.inputs))
            for name in done:
                del values[name]
        return values[self.until]
