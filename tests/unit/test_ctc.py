"""CTC: from per-step classes to characters with places, confidences and alternatives."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from worker.reading import ctc
from worker.reading.ctc import BLANK, TOP


def steps(*rows: dict[int, float]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Each row maps classes to probabilities; the rest of TOP is filled with improbable others."""
    scores = np.zeros((len(rows), TOP), np.float32)
    classes = np.zeros((len(rows), TOP), np.int32)
    for i, row in enumerate(rows):
        best = sorted(row.items(), key=lambda item: -item[1])
        for k in range(TOP):
            classes[i, k], scores[i, k] = best[k] if k < len(best) else (90 + k, 0.0)
    return scores, classes


def test_repeats_are_one_character_and_a_blank_parts_two() -> None:
    a, blank = {1: 0.9}, {BLANK: 0.9}
    assert [peak.index for peak in ctc.decode(*steps(a, a, blank, a, {2: 0.8}))] == [1, 1, 2]


def test_a_character_is_as_sure_as_its_surest_step_and_stands_there() -> None:
    (peak,) = ctc.decode(*steps({BLANK: 1.0}, {5: 0.6}, {5: 0.97}, {5: 0.5}, {BLANK: 1.0}))
    assert (peak.first, peak.step, peak.last) == (1, 2, 3)
    assert peak.confidence == pytest.approx(0.97)


def test_alternatives_are_the_other_characters_there_without_the_blank() -> None:
    (peak,) = ctc.decode(*steps({7: 0.5, BLANK: 0.3, 8: 0.15, 9: 0.05}))
    assert [index for index, _ in peak.alternatives] == [8, 9]


def test_nothing_but_blanks_is_no_text() -> None:
    assert ctc.decode(*steps({BLANK: 1.0}, {BLANK: 1.0})) == []


@pytest.mark.parametrize("ending", ["softmax", "logits"])
def test_the_graph_gives_the_best_classes_and_refuses_what_is_not_allowed(ending: str) -> None:
    openvino = pytest.importorskip("openvino")
    from openvino import opset13

    x = opset13.parameter([1, 2, 6], np.float32, name="x")
    last = opset13.softmax(x, 2) if ending == "softmax" else opset13.multiply(x, np.float32(1))
    model = ctc.top_graph(openvino.Model([last.output(0)], [x], "tiny"))
    run = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    logits = np.array([[[0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0]]], np.float32)

    scores, classes = run([logits, np.zeros((1, 1, 6), np.float32)]).values()
    assert classes[0].tolist() == [[5, 4, 3, 2], [0, 1, 2, 3]]
    np.testing.assert_allclose(scores[0, 0], np.exp([5, 4, 3, 2]) / np.exp(np.arange(6)).sum(), rtol=1e-5)

    allow = np.zeros((1, 1, 6), np.float32)
    allow[0, 0, 5] = ctc.REFUSED
    scores, classes = run([logits, allow]).values()
    assert classes[0, 0, 0] == 4
    assert scores[0, 0].sum() < 1.0001  # probabilities among what is allowed


def test_the_search_in_two_rounds_finds_what_a_sort_finds() -> None:
    openvino = pytest.importorskip("openvino")
    from openvino import opset13

    x = opset13.parameter([1, -1, 1000], np.float32, name="x")
    model = ctc.top_graph(openvino.Model([opset13.softmax(x, 2).output(0)], [x], "wide"))
    run = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    logits = np.random.default_rng(2).normal(size=(1, 40, 1000)).astype(np.float32)
    scores, classes = run([logits, np.zeros((1, 1, 1000), np.float32)]).values()
    order = np.argsort(-logits, axis=2)[:, :, :TOP]
    assert classes.tolist() == order.tolist()
    whole = np.exp(logits) / np.exp(logits).sum(2, keepdims=True)
    np.testing.assert_allclose(scores, np.take_along_axis(whole, order, 2), rtol=1e-4)
