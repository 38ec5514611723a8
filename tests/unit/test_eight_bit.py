"""Layers in 8 bits: the right ones, with ranges that were measured, answering as before but for rounding; or none at all."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import openvino
import pytest
from openvino import opset13

from worker.reading import eight_bit, processor
from worker.reading.runtime import core

DRAW = np.random.default_rng(7)
CLASSES = 1200
WIDE = eight_bit.LEAST_CHANNELS


def small_reader(path: Path) -> None:
    """A recogniser in miniature: a wide convolution, a point-wise one, a gate over the whole picture, a head."""

    def weight(*shape: int) -> openvino.Node:
        return opset13.constant(DRAW.normal(0, 0.15, shape).astype(np.float32))

    x = opset13.parameter([-1, 3, 32, -1], np.float32, name="x")
    half = {"strides": [2, 2], "pads_begin": [1, 1], "pads_end": [1, 1], "dilations": [1, 1]}
    still = {"strides": [1, 1], "pads_begin": [0, 0], "pads_end": [0, 0], "dilations": [1, 1]}
    wide = opset13.relu(opset13.convolution(x, weight(WIDE, 3, 3, 3), **half))
    point = opset13.hswish(
        opset13.add(opset13.convolution(wide, weight(WIDE, WIDE, 1, 1), **still, name="point"), weight(1, WIDE, 1, 1))
    )
    gate = opset13.convolution(
        opset13.reduce_mean(point, np.array([2, 3]), True), weight(WIDE, WIDE, 1, 1), **still, name="gate"
    )
    steps = opset13.transpose(opset13.reduce_mean(opset13.multiply(point, gate), np.array([2])), np.array([0, 2, 1]))
    head = opset13.matmul(steps, weight(WIDE, CLASSES), False, False, name="head")
    openvino.save_model(openvino.Model([opset13.softmax(head, 2)], [x], "small"), path, compress_to_fp16=False)


def answers(model: openvino.Model, x: np.ndarray) -> np.ndarray:
    compiled = core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1})
    return np.array(compiled(x)[0])


def told(path: Path, ranges: object) -> openvino.Model:
    model = core().read_model(str(path))
    model.set_rt_info(json.dumps(ranges), ["framework", eight_bit.KEY])
    return model


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.xml"
    small_reader(path)
    return path


def kinds(model: openvino.Model) -> int:
    return sum(node.get_type_name() == "FakeQuantize" for node in model.get_ordered_ops())


def test_pointwise_convolutions_and_the_head_go_to_8_bits_and_answer_nearly_the_same(small: Path) -> None:
    x = DRAW.uniform(-1, 1, (2, 3, 32, 96)).astype(np.float32)
    ranges = eight_bit.ranges(small, [x])
    assert set(ranges) == {"point", "head"}, "the gate is no layer to save time on, and suffers most"
    assert all(low <= 0 < high for low, high in ranges.values())
    model = eight_bit.applied(told(small, ranges))
    assert kinds(model) == 4
    plain, rough = answers(core().read_model(str(small)), x), answers(model, x)
    assert 0 < np.abs(plain - rough).max() < 0.05
    assert (plain.argmax(-1) == rough.argmax(-1)).mean() > 0.9


def test_a_few_values_far_out_do_not_spoil_the_range_of_the_rest() -> None:
    values = DRAW.exponential(1, 200_000).astype(np.float32)
    least, most, error = eight_bit._best_range(values)
    assert least == pytest.approx(0, abs=1e-3)
    assert 5 < most < 0.95 * values.max(), "the thin end of the tail is cut off"
    assert error < 0.02
    far = np.append(DRAW.normal(0, 0.01, 100_000), DRAW.uniform(5, 9, 40)).astype(np.float32)
    assert eight_bit._best_range(far)[2] > eight_bit.WORST, "nothing is left of the small ones: not for 8 bits"


def test_a_model_that_names_no_layers_or_strange_ones_stays_as_it_is(small: Path) -> None:
    assert kinds(eight_bit.applied(core().read_model(str(small)))) == 0
    assert kinds(eight_bit.applied(told(small, {"point": [0, 1], "gone": [0, 1]}))) == 0


def test_the_shipped_recogniser_names_its_layers() -> None:
    crnn = Path(eight_bit.__file__).parent / "engines" / "crnn" / "ocrfleet_crnn.onnx"
    model = core().read_model(str(crnn))
    assert kinds(eight_bit.applied(model)) == 18, "eight convolutions and the head, each with its input and its weight"


@pytest.mark.parametrize(("flags", "able"), [("avx2 fma", False), ("avx2 avx_vnni", True), ("avx512_vnni", True)])
def test_only_processors_that_add_bytes_exactly_take_part(
    monkeypatch: pytest.MonkeyPatch, flags: str, able: bool
) -> None:
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: f"flags : {flags}\n")
    processor.flags.cache_clear()
    assert eight_bit.supported() is able
    processor.flags.cache_clear()
