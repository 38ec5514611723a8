"""8-bit models: what the report says, and that without NNCF a sentence says what to install."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from worker.reading import quantize
from worker.reading.models import ModelError
from worker.reading.quantize import Outcome


def outcome(way: str, exact: float, ms: float) -> Outcome:
    return Outcome(way=way, exact=exact, cer=0.01, ms=ms, megabytes=2.1, layers_8bit=12, layers=20)


def test_a_way_that_reads_worse_is_named_and_nothing_is_kept() -> None:
    text = quantize.report("crnn", [outcome("float32", 0.90, 10), outcome("all layers", 0.13, 6)], None, 400)
    assert "| all layers | 12 of 20 | 0.1300 |" in text
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
