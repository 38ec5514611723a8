"""Eight-bit arithmetic where it does no harm: point-wise convolutions and the scoring of the classes.

Quantising everything broke these recognisers; the recurrent and depthwise layers and the squeeze-excite gates, which suffer
and hardly gain, stay as they are. Weights get a scale an output channel, inputs one range a layer, learnt
from rendered lines (Jacob et al. 2018, arXiv 1712.05877, section 2). The model file keeps its float weights and
says the ranges in its metadata; OpenVINO quantises while it loads. (Where a layer's output enters a product directly,
without a bias or an activation between, OpenVINO 2026.4 loses its scale: no layer of these models does.)
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.reading import processor
from worker.reading.runtime import core

KEY = "ocrfleet.eight_bit"  # of the metadata: JSON, layer -> [least, most] of its input
LEAST_CHANNELS = 128  # with fewer nothing is gained, and the CRNN's first layers cost it 6 of 951 real lines
PER_INPUT = 4000  # values of a layer looked at, an input
SHARES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)  # of the widest range, tried
WORST = 0.05
LEVELS, WEIGHT_LEVELS = 256, 255

Ranges = dict[str, tuple[float, float]]


def supported() -> bool:
    """Whether the processor adds up products of bytes exactly (VNNI). Without, 16-bit sums saturate, and it reads worse."""
    return bool({"avx512_vnni", "avx_vnni"} & processor.flags())


def applied(model: Any) -> Any:
    """An OpenVINO model with the layers its metadata name in 8 bits; as it was where it names none, or others."""
    if not model.has_rt_info(["framework", KEY]):
        return model
    known: Ranges = json.loads(model.get_rt_info(["framework", KEY]).astype(str))
    every = {node.get_friendly_name() for node, _ in _layers(model, 1)}
    if not known or set(known) - every:
        return model
    for node, axes in list(_layers(model)):
        if span := known.get(node.get_friendly_name()):
            _quantise(node, axes, *span)
    model.validate_nodes_and_infer_types()
    return model


def ranges(file: Path, inputs: Iterable[NDArray[np.float32]]) -> Ranges:
    """Least and most of what enters each layer that bears 8 bits, learnt from `inputs` (batch, 3, 32, width each).

    The range is the one that rounds with the least mean square: a few values beyond it are cut off. A layer whose inputs are
    still rounded by more than WORST of their spread is left out.
    """
    from openvino import Model, opset13

    graph = core().read_model(str(file))
    layers = [node for node, _ in _layers(graph)]
    watched = Model([opset13.result(node.input_value(0)) for node in layers], graph.get_parameters(), "watched")
    compiled = core().compile_model(watched, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1})
    draw = np.random.default_rng(0)
    met: list[list[NDArray[np.float32]]] = [[] for _ in layers]
    for each in inputs:
        for values, seen in zip(met, compiled(each).values(), strict=True):
            values.append(np.append(draw.choice(seen.reshape(-1), PER_INPUT), (seen.min(), seen.max())))
    out: Ranges = {}
    for node, values in zip(layers, met, strict=True):
        least, most, error = _best_range(np.concatenate(values))
        if error <= WORST:
            out[node.get_friendly_name()] = (round(least, 4), round(most, 4))
    return out


def _best_range(values: NDArray[np.float32]) -> tuple[float, float, float]:
    """The range that rounds `values` best, and the root mean square of its error against their spread."""
    tried = []
    for share in SHARES:
        # what an activation leaves below zero is little, and much of all: it is not cut
        least = float(values.min()) * (1 if values.min() > -0.5 else share)
        most = max(float(values.max()) * share, least + 1e-6)
        step = (most - least) / (LEVELS - 1)
        rounded = np.round((np.clip(values, least, most) - least) / step) * step + least
        tried.append((float(np.square(rounded - values).mean()), least, most))
    error, least, most = min(tried)
    return least, most, float(np.sqrt(error) / max(float(values.std()), 1e-9))


def _layers(model: Any, least_channels: int = LEAST_CHANNELS) -> Iterator[tuple[Any, tuple[int, ...]]]:
    """The layers that may be in 8 bits, each with the axes of its weight that share a scale."""
    for node in model.get_ordered_ops():
        if node.get_type_name() == "Convolution":
            _, narrow, rows, columns = (side.get_length() for side in node.input_value(1).get_partial_shape())
            picture = node.input_value(0).get_partial_shape()
            gate = len(picture) == 4 and picture[2].is_static and picture[3].is_static and picture[3].get_length() == 1
            if (rows, columns) == (1, 1) and narrow >= least_channels and not gate:
                yield node, (1, 2, 3)
        elif node.get_type_name() == "MatMul" and _constant(node.input_value(1).get_node()) is not None:
            classes = node.input_value(1).get_partial_shape()[1].get_length()
            if classes > 1000 and not node.get_attributes()["transpose_b"]:
                yield node, (0,)


def _quantise(node: Any, axes: tuple[int, ...], least: float, most: float) -> None:
    from openvino import opset13

    weight = _constant(node.input_value(1).get_node())
    assert weight is not None
    scale = np.maximum(np.abs(weight).max(axes, keepdims=True), np.float32(1e-9))
    rank = len(node.input_value(0).get_partial_shape())
    low, high = (np.full((1,) * rank, value, np.float32) for value in (least, most))
    narrow = opset13.fake_quantize(node.input_value(0), low, high, low, high, LEVELS)
    coarse = opset13.fake_quantize(opset13.constant(weight), -scale, scale, -scale, scale, WEIGHT_LEVELS)
    node.input(0).replace_source_output(narrow.output(0))
    node.input(1).replace_source_output(coarse.output(0))


def _constant(node: Any) -> NDArray[np.float32] | None:
    """A constant's numbers, also through the widening of stored float16 ones."""
    while node.get_type_name() == "Convert":
        node = node.input_value(0).get_node()
    return np.asarray(node.get_data(), np.float32) if node.get_type_name() == "Constant" else None
