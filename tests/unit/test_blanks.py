"""Plainly blank steps are told before the last layer, and what is left is answered as by the whole model."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

from worker.reading import blanks, ctc, models
from worker.reading.blanks import Split
from worker.reading.engines.ctc_recogniser import CtcRecogniser
from worker.reading.models import ModelError
from worker.reading.runtime import Session

FACTS = models.facts("crnn")
CRNN, TELLER = (models.place(Path(), FACTS.weight(name)) for name in ("crnn_rec", "crnn_blanks"))


def line(text: str) -> np.ndarray:
    picture = np.full((32, 20 * len(text) + 20, 3), 235, np.uint8)
    return cv2.putText(picture, text, (6, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (40, 40, 40), 2, cv2.LINE_AA)


@pytest.fixture(scope="module")
def reader() -> CtcRecogniser:
    return CtcRecogniser(FACTS, Path(), "f32")


def test_what_is_asked_about_is_answered_as_by_the_whole_model(reader: CtcRecogniser) -> None:
    assert isinstance(reader.session, Split)
    whole = Session(CRNN, precision="f32", edit=lambda graph: ctc.top_graph(graph))
    (x,) = reader.inputs(line("TOTAL 1,234.50 RM"))
    scores, classes = reader.session(x, reader.allow_all)
    want_scores, want = whole(x, reader.allow_all)
    skipped = scores[0, :, 0] == 1.0
    assert 0.25 < skipped.mean() < 0.9, "most of a line is blank"
    assert (want[0, skipped, 0] == ctc.BLANK).all()
    assert want_scores[0, skipped, 0].min() > 0.8
    assert np.abs(scores - want_scores)[0, ~skipped].max() < 1e-4
    assert (classes[0, ~skipped, 0] == want[0, ~skipped, 0]).all()


def test_lines_that_are_read_together_are_read_as_alone(reader: CtcRecogniser) -> None:
    crops = [line(text) for text in ("Invoice", "12 Jalan Tampoi", "RM", "Thank you, please come again")]
    crops.insert(2, np.zeros((0, 0, 3), np.uint8))
    together = reader.read(crops)
    assert [reading.text for reading in together] == [reader.read([crop])[0].text for crop in crops]
    assert together[2].text == ""


def test_other_weights_are_asked_about_every_step(tmp_path: Path) -> None:
    """What was fitted to the habits of one model says nothing about another."""
    renamed = [
        dataclasses.replace(weight, version="mine-1") if weight.name == "crnn_rec" else weight
        for weight in FACTS.weights
    ]
    further = CtcRecogniser(dataclasses.replace(FACTS, weights=tuple(renamed)), tmp_path, "f32")
    assert isinstance(further.session, Session)


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "blanks.npz").write_bytes(TELLER.read_bytes()[:500])
    with pytest.raises(ModelError, match="damaged"):
        Split(CRNN, tmp_path / "blanks.npz", "f32")


def test_one_of_another_model_is_told(tmp_path: Path) -> None:
    told = blanks.load(TELLER)
    np.savez(tmp_path / "blanks.npz", **(told | {"inward": told["inward"][:-1]}))  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="another model"):
        Split(CRNN, tmp_path / "blanks.npz", "f32")
