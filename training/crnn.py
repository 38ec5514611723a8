"""PP-OCRv2's CRNN in torch, with its published weights read from the ONNX file and BatchNorm folded away.

MobileNetV1-enhance (depthwise-separable, hard-swish, two squeeze-excite blocks), then two bidirectional LSTMs of 64 and a
head of rank 96 over 6,625 classes; a picture is 32 px high, a time step is 4 px wide. Architecture: PP-OCRv2, arXiv
2109.03144. The weights are PaddlePaddle's, Apache-2.0 (see NOTICE beside the exported model).
"""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

HEIGHT = 32
STEP_PX = 4
# One row a depthwise-separable block: channels in, out, depthwise kernel, stride (down, across), squeeze-excite.
BLOCKS: tuple[tuple[int, int, int, tuple[int, int], bool], ...] = (
    (16, 32, 3, (1, 1), False),
    (32, 64, 3, (1, 1), False),
    (64, 64, 3, (1, 1), False),
    (64, 128, 3, (2, 1), False),
    (128, 128, 3, (1, 1), False),
    (128, 256, 3, (2, 1), False),
    *((256, 256, 5, (1, 1), False),) * 5,
    (256, 512, 5, (2, 1), True),
    (512, 512, 5, (1, 1), True),
)


class SqueezeExcite(nn.Module):
    """Channel gates from the mean over the whole picture, its padding included: pad as little as can be."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.down = nn.Conv2d(channels, channels // 4, 1)
        self.up = nn.Conv2d(channels // 4, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        gate = self.up(torch.relu(self.down(x.mean((2, 3), keepdim=True))))
        return x * nn.functional.hardsigmoid(gate)


class Crnn(nn.Module):
    """(batch, 3, 32, width) in [-1, 1], BGR -> logits (batch, width // 4, classes)."""

    def __init__(self, classes: int = 6625) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, 16, 3, 2, 1), nn.Hardswish()]
        self.split = 0
        self.starts: list[int] = []
        for narrow, wide, kernel, stride, gated in BLOCKS:
            self.starts.append(len(layers))
            layers += [nn.Conv2d(narrow, narrow, kernel, stride, kernel // 2, groups=narrow), nn.Hardswish()]
            if gated:
                layers.append(SqueezeExcite(narrow))
            layers += [nn.Conv2d(narrow, wide, 1), nn.Hardswish()]
        layers.append(nn.MaxPool2d(2, 2))
        self.backbone = nn.Sequential(*layers)
        self.lstm = nn.LSTM(512, 64, num_layers=2, bidirectional=True, batch_first=True)
        self.narrow = nn.Linear(128, 96)
        self.head = nn.Linear(96, classes)

    def train_from(self, block: int) -> None:
        """Freezes the blocks before `block` (0 trains all) and, everywhere, the 5x5 depthwise kernels.

        Those kernels are 1.4 % of the weights and their gradients a third of a step's time on a CPU.
        """
        self.split = self.starts[block] if block else 0
        for parameter in self.backbone[: self.split].parameters():
            parameter.requires_grad_(False)
        for module in self.modules():
            if isinstance(module, nn.Conv2d) and module.groups > 1 and module.kernel_size == (5, 5):
                # the bias too: oneDNN works out both gradients where either is wanted
                module.requires_grad_(False)

    def front(self, x: Tensor) -> Tensor:
        """The frozen blocks: (batch, 3, 32, width) -> their feature maps, or `x` itself where nothing is frozen."""
        if not self.split:
            return x
        with torch.no_grad():
            seen: Tensor = self.backbone[: self.split](x)
        return seen

    def tail(self, seen: Tensor) -> Tensor:
        """What follows `front`: -> (batch, width // 4, 96), what the head's classes are scored from."""
        steps = self.backbone[self.split :](seen).squeeze(2).transpose(1, 2)
        out, _ = self.lstm(steps)
        narrow: Tensor = self.narrow(out)
        return narrow

    def features(self, x: Tensor) -> Tensor:
        """(batch, 3, 32, width) -> (batch, width // 4, 96)."""
        return self.tail(self.front(x))

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.features(x))
        return logits


def _from_onnx_gates(array: np.ndarray[Any, Any]) -> Tensor:
    """ONNX stacks an LSTM's gates as i, o, f, c; torch as i, f, c, o (the first axis, four equal parts)."""
    i, o, f, c = np.split(array, 4)
    return torch.from_numpy(np.concatenate([i, f, c, o]).copy())


def load_ppocrv2(path: str | pathlib.Path) -> Crnn:
    """Reads the published ONNX file; raises ValueError where the graph is not the one described above."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            values[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    model = Crnn()
    convolutions = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
    state: dict[str, Tensor] = {}
    names = {id(module): name for name, module in model.named_modules()}
    seen = [node for node in graph.node if node.op_type == "Conv"]
    follows = {name: node for node in graph.node for name in node.input}
    if len(seen) != len(convolutions):
        raise ValueError(f"{path}: {len(seen)} convolutions where {len(convolutions)} are expected")
    for node, module in zip(seen, convolutions, strict=True):
        weight = values[node.input[1]].astype(np.float64)
        after = follows[node.output[0]]
        if after.op_type == "BatchNormalization":
            scale, shift, mean, variance = (values[name].astype(np.float64) for name in after.input[1:5])
            epsilon = next((a.f for a in after.attribute if a.name == "epsilon"), 1e-5)
            factor = scale / np.sqrt(variance + epsilon)
            weight, bias = weight * factor[:, None, None, None], shift - mean * factor
        elif after.op_type == "Add":
            bias = _bias(graph, values, after, node.output[0])
        else:
            raise ValueError(f"{path}: a convolution is followed by {after.op_type}")
        if tuple(weight.shape) != tuple(module.weight.shape):
            raise ValueError(f"{path}: convolution of {weight.shape} where {tuple(module.weight.shape)} is expected")
        state[f"{names[id(module)]}.weight"] = torch.from_numpy(weight.astype(np.float32))
        state[f"{names[id(module)]}.bias"] = torch.from_numpy(np.asarray(bias, np.float32).reshape(-1).copy())
    _read_recurrent(graph, values, state)
    model.load_state_dict(state)
    return model.eval()


def _bias(graph: Any, values: dict[str, Any], add: Any, skip: str) -> Any:
    """The constant operand of an Add, also behind a Reshape."""
    other = next(name for name in add.input if name != skip)
    if other in values:
        return values[other]
    maker = next(node for node in graph.node if other in node.output)
    return values[maker.input[0]]


def _read_recurrent(graph: Any, values: dict[str, Any], state: dict[str, Tensor]) -> None:
    """The LSTM and head weights, told apart by their shapes in the order they are stored in the graph."""
    ordered = _lstm_operands(graph, values)
    for layer, (w, r, b) in enumerate(ordered):
        for direction, suffix in enumerate(("", "_reverse")):
            state[f"lstm.weight_ih_l{layer}{suffix}"] = _from_onnx_gates(w[direction])
            state[f"lstm.weight_hh_l{layer}{suffix}"] = _from_onnx_gates(r[direction])
            first, second = np.split(b[direction], 2)
            state[f"lstm.bias_ih_l{layer}{suffix}"] = _from_onnx_gates(first)
            state[f"lstm.bias_hh_l{layer}{suffix}"] = _from_onnx_gates(second)
    products = [node for node in graph.node if node.op_type == "MatMul"][-2:]
    follows = {name: node for node in graph.node for name in node.input}
    for node, name in zip(products, ("narrow", "head"), strict=True):
        state[f"{name}.weight"] = torch.from_numpy(values[node.input[1]].T.copy())
        state[f"{name}.bias"] = torch.from_numpy(_bias(graph, values, follows[node.output[0]], node.output[0]).copy())


def _lstm_operands(graph: Any, values: dict[str, Any]) -> list[tuple[Any, Any, Any]]:
    """W, R and B of each LSTM node, folding the Unsqueeze, Slice and Concat nodes the exporter left in front."""
    makers = {name: node for node in graph.node for name in node.output}

    def fold(name: str) -> Any:
        if name in values:
            return values[name]
        node = makers[name]
        inputs = [fold(each) for each in node.input if each]
        attributes = {a.name: a for a in node.attribute}
        if node.op_type == "Unsqueeze":
            axes = attributes["axes"].ints if "axes" in attributes else inputs[1]
            return np.expand_dims(inputs[0], tuple(int(axis) for axis in axes))
        if node.op_type == "Concat":
            return np.concatenate(inputs, attributes["axis"].i)
        if node.op_type == "Slice":
            starts, ends, axes = (np.atleast_1d(each) for each in inputs[1:4])
            index = [slice(None)] * inputs[0].ndim
            for start, end, axis in zip(starts, ends, axes, strict=True):
                index[int(axis)] = slice(int(start), int(min(end, 2**31)))
            return inputs[0][tuple(index)]
        raise ValueError(f"cannot fold {node.op_type} in front of an LSTM")

    nodes = [node for node in graph.node if node.op_type == "LSTM"]
    return [(fold(node.input[1]), fold(node.input[2]), fold(node.input[3])) for node in nodes]
