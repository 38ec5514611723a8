"""Convolutions run with the kernels that are quicker on processors with AVX2 alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from worker.reading import kernels, processor
from worker.reading.runtime import Session

CRNN = Path(kernels.__file__).parent / "engines" / "crnn" / "ocrfleet_crnn.onnx"


@pytest.mark.parametrize(
    ("flags", "quicker"), [("sse4_2 avx", False), ("avx2 fma", True), ("avx2 avx512f", False), ("asimd", False)]
)
def test_only_processors_with_avx2_alone_take_part(monkeypatch: pytest.MonkeyPatch, flags: str, quicker: bool) -> None:
    monkeypatch.setattr(processor, "flags", lambda: frozenset(flags.split()))
    assert kernels.supported() is quicker


def run(monkeypatch: pytest.MonkeyPatch, quicker: bool) -> tuple[np.ndarray, set[str]]:
    """What the CRNN gives for a line of noise, and the names of the kernels that its convolutions ran with."""
    monkeypatch.setattr(kernels, "supported", lambda: quicker)
    session = Session(CRNN, precision="f32", config={"PERF_COUNT": True})
    (scores,) = session(np.random.default_rng(7).normal(0, 1, (1, 3, 32, 160)).astype(np.float32))
    layers = session._request.get_profiling_info()
    return scores, {layer.exec_type for layer in layers if "Convolution" in layer.node_type}


def test_the_quicker_kernels_are_taken_and_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    usual, _ = run(monkeypatch, False)
    scores, names = run(monkeypatch, True)
    assert np.abs(scores - usual).max() < 1e-4
    if {"avx2", "avx512f"} & processor.flags() == {"avx2"}:
        assert {"jit_avx2_1x1_f32", "jit_avx2_dw_f32"} <= names
