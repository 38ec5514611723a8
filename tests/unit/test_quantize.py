"""8-bit models: what the report says, and that without NNCF a sentence says what to install."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from worker.reading import quantize
from worker.reading.models import ModelError
from worker.reading.quantize import Outcome


def outcome(way: str, exact: float, ms: float) -> Outcome:
    return Outcome(way=way, exact=exact, cer=0.01, ms=ms, megabytes=2.1, rss_mib=130.0, layers_8bit=12, layers=20)


def test_a_way_that_reads_worse_is_named_and_nothing_is_kept() -> None:
    text = quantize.report("crnn", [outcome("float32", 0.90, 10), outcome("all layers", 0.13, 6)], None, 400)
    assert "| all layers | 12 of 20 | 0.1300 | 0.0100 | 6.0 | 2.1 | 130 |" in text
    assert "no, reads worse" in text
    assert "No way passes: the feature stays off" in text


def test_a_way_within_the_gate_must_also_be_faster(tmp_path: Path) -> None:
    rows = [outcome("float32", 0.90, 10), outcome("weights", 0.899, 9.9), outcome("few layers", 0.896, 8)]
    text = quantize.report("crnn", rows, tmp_path, 400)
    assert "no, slow" in text
    assert text.count("| yes |") == 1
    assert str(tmp_path) in text


@pytest.mark.skipif(importlib.util.find_spec("nncf") is not None, reason="NNCF is installed here")
def test_without_nncf_a_sentence_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="pip install nncf"):
        quantize.quantize("crnn", tmp_path, tmp_path)


def test_the_layers_that_suffer_most_stay_in_float32_first() -> None:
    ranking = [(f"layer{i}", i / 10) for i in range(8)]
    found = dict(quantize.ways(ranking))
    assert found["all layers"] == [name for name, _ in ranking]
    assert found["the calmest 50% of the layers"] == ["layer0", "layer1", "layer2", "layer3"]
    assert found[quantize.WEIGHTS_ONLY] is None


def test_layers_with_weights_are_found_and_light_ones_left_out() -> None:
    openvino = pytest.importorskip("openvino")
    from openvino import opset13

    x = opset13.parameter([1, 64], np.float32, name="x")
    heavy = opset13.matmul(x, opset13.constant(np.ones((64, 64), np.float32)), False, False, name="heavy")
    light = opset13.matmul(heavy, opset13.constant(np.ones((64, 1), np.float32)), False, False, name="light")
    both = opset13.multiply(light, light, name="neither")
    graph = openvino.Model([both.output(0)], [x], "toy")
    assert quantize._counts(graph) == (0, 2)
    assert quantize._heavy(graph) == ["heavy", "light"]  # 1.5 % of the weights is over the limit
    bigger = opset13.matmul(light, opset13.constant(np.ones((1, 60_000), np.float32)), False, False, name="bigger")
    assert quantize._heavy(openvino.Model([bigger.output(0)], [x], "toy")) == ["heavy", "bigger"]
