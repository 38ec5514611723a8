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

Array = np.ndarray[Any, np.dtype[Any]]
FOLDED = ("Unsqueeze", "Concat", "Slice", "Reshape", "Cast")  # what exporters put between a constant and its use
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

    def steps(self, seen: Tensor) -> Tensor:
        """The convolutions that follow `front`: -> (batch, width // 4, 512)."""
        columns: Tensor = self.backbone[self.split :](seen).squeeze(2).transpose(1, 2)
        return columns

    def read(self, columns: Tensor) -> Tensor:
        """The recurrent layers: (batch, steps, 512) -> (batch, steps, 96), what the head's classes are scored from."""
        out, _ = self.lstm(columns)
        narrow: Tensor = self.narrow(out)
        return narrow

    def features(self, x: Tensor) -> Tensor:
        """(batch, 3, 32, width) -> (batch, width // 4, 96)."""
        return self.read(self.steps(self.front(x)))

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.features(x))
        return logits


def _from_onnx_gates(array: np.ndarray[Any, Any]) -> Tensor:
    """ONNX stacks an LSTM's gates as i, o, f, c; torch as i, f, c, o (the first axis, four equal parts)."""
    i, o, f, c = np.split(array, 4)
    return torch.from_numpy(np.concatenate([i, f, c, o]).copy())


def kept_weights(path: str | pathlib.Path) -> Crnn:
    """A model with the weights that a checkpoint keeps, such as training/checkpoint.pt (float16)."""
    kept = torch.load(path, weights_only=True)["model"]
    model = Crnn(kept["head.bias"].numel())
    model.load_state_dict({name: weight.float() for name, weight in kept.items()})
    return model


def load(path: str | pathlib.Path) -> Crnn:
    """Reads PP-OCRv2's published ONNX file, or one that `training.export` wrote.

    Raises ValueError where the graph is not the one described above.
    """
    import onnx

    graph = _Graph(onnx.load(str(path)).graph)
    convolutions = graph.of("Conv")
    heads = [node for node in graph.of("MatMul") if graph.known(node.input[1])][-2:]
    model = Crnn(graph.value(heads[-1].input[1]).shape[1])
    modules = [(name, module) for name, module in model.named_modules() if isinstance(module, nn.Conv2d)]
    if len(convolutions) != len(modules):
        raise ValueError(f"{path}: {len(convolutions)} convolutions where {len(modules)} are expected")
    state: dict[str, Tensor] = {}
    for node, (name, module) in zip(convolutions, modules, strict=True):
        weight, bias = graph.convolution(node)
        if tuple(weight.shape) != tuple(module.weight.shape):
            raise ValueError(f"{path}: convolution of {weight.shape} where {tuple(module.weight.shape)} is expected")
        state[f"{name}.weight"], state[f"{name}.bias"] = _tensor(weight), _tensor(bias)
    for layer, node in enumerate(graph.of("LSTM")):
        _read_lstm(graph, node, layer, state)
    for node, name in zip(heads, ("narrow", "head"), strict=True):
        state[f"{name}.weight"] = _tensor(graph.value(node.input[1]).T)
        state[f"{name}.bias"] = _tensor(graph.added(node))
    model.load_state_dict(state)
    return model.eval()


def _tensor(array: Array) -> Tensor:
    return torch.from_numpy(np.array(array, np.float32))


def _read_lstm(graph: _Graph, node: Any, layer: int, state: dict[str, Tensor]) -> None:
    """W, R and B of both directions; ONNX stacks the gates as i, o, f, c, torch as i, f, c, o."""
    stored = [graph.value(name) for name in node.input[1:4]]

    def gates(array: Array) -> Tensor:
        i, o, f, c = np.split(array, 4)
        return _tensor(np.concatenate([i, f, c, o]))

    for direction, suffix in enumerate(("", "_reverse")):
        weight, recurrent, bias = (array[direction] for array in stored)
        first, second = np.split(bias, 2)
        state[f"lstm.weight_ih_l{layer}{suffix}"], state[f"lstm.weight_hh_l{layer}{suffix}"] = (
            gates(weight),
            gates(recurrent),
        )
        state[f"lstm.bias_ih_l{layer}{suffix}"], state[f"lstm.bias_hh_l{layer}{suffix}"] = gates(first), gates(second)


class _Graph:
    """An ONNX graph whose constants can be asked for, also through the nodes that an exporter leaves in front of them."""

    def __init__(self, graph: Any) -> None:
        from onnx import numpy_helper

        self.nodes = list(graph.node)
        self.constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        for node in self.nodes:
            if node.op_type == "Constant":
                self.constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
        self.makers = {name: node for node in self.nodes for name in node.output}
        self.users = {name: node for node in self.nodes for name in node.input}

    def of(self, kind: str) -> list[Any]:
        return [node for node in self.nodes if node.op_type == kind]

    def known(self, name: str) -> bool:
        """Whether `name` is worked out from constants alone."""
        if name in self.constants:
            return True
        maker = self.makers.get(name)
        return maker is not None and maker.op_type in FOLDED and all(self.known(each) for each in maker.input if each)

    def value(self, name: str) -> Array:
        """The constant `name` stands for; ValueError where it is none."""
        if name in self.constants:
            found: Array = self.constants[name]
            return found
        node = self.makers[name]
        if node.op_type not in FOLDED:
            raise ValueError(f"cannot fold {node.op_type}")
        inputs = [self.value(each) for each in node.input if each]
        attributes = {a.name: a for a in node.attribute}
        if node.op_type == "Unsqueeze":
            axes = attributes["axes"].ints if "axes" in attributes else inputs[1]
            return np.expand_dims(inputs[0], tuple(int(axis) for axis in axes))
        if node.op_type == "Concat":
            joined: Array = np.concatenate(inputs, attributes["axis"].i)
            return joined
        if node.op_type == "Slice":
            starts, ends, axes = (np.atleast_1d(each) for each in inputs[1:4])
            index = [slice(None)] * inputs[0].ndim
            for start, end, axis in zip(starts, ends, axes, strict=True):
                index[int(axis)] = slice(int(start), int(min(end, 2**31)))
            return inputs[0][tuple(index)]
        if node.op_type == "Reshape":
            return inputs[0].reshape([int(size) for size in inputs[1]])
        return inputs[0].astype(np.float32)

    def added(self, node: Any) -> Array:
        """The constant that is added to a node's output."""
        add = self.users[node.output[0]]
        if add.op_type != "Add":
            raise ValueError(f"{add.op_type} where Add is expected")
        return self.value(next(name for name in add.input if name != node.output[0])).reshape(-1)

    def convolution(self, node: Any) -> tuple[Array, Array]:
        """Weight and bias of a convolution, a BatchNorm behind it folded in (in float64)."""
        weight = self.value(node.input[1]).astype(np.float64)
        after = self.users[node.output[0]]
        if len(node.input) > 2:
            return weight, self.value(node.input[2])
        if after.op_type == "BatchNormalization":
            scale, shift, mean, variance = (self.value(name).astype(np.float64) for name in after.input[1:5])
            epsilon = next((a.f for a in after.attribute if a.name == "epsilon"), 1e-5)
            factor = scale / np.sqrt(variance + epsilon)
            return weight * factor[:, None, None, None], shift - mean * factor
        return weight, self.added(node)
