"""What tells plainly blank steps is fitted so that it passes by next to none that matters."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

pytest.importorskip("torch")

from training.blanks import LOST, Steps, fit, limit
from worker.reading import blanks

DRAW = np.random.default_rng(5)


def steps(count: int) -> Steps:
    """Three in five are blank and stand apart in the first feature; the others are noise."""
    blank = DRAW.random(count) < 0.6
    features = DRAW.normal(0, 1, (count, 8)).astype(np.float32)
    features[:, 0] += np.where(blank, 4, -4)
    return Steps(features, np.where(blank, 0.999, 0.01))


def test_what_is_plainly_blank_is_learnt_and_nothing_that_matters_taken_for_it(tmp_path: pathlib.Path) -> None:
    told, plain, lost = fit(steps(20_000), steps(8_000))
    assert 0.5 < plain < 0.65
    assert lost <= LOST
    np.savez(tmp_path / "told.npz", allow_pickle=False, **told)
    assert set(blanks.load(tmp_path / "told.npz")) == {"inward", "bias", "outward", "limit"}


def test_the_limit_lets_as_few_pass_as_it_says() -> None:
    says, matters = np.arange(100_000.0), np.zeros(100_000, bool)
    matters[[10, 500, 99_000, 99_500]] = True
    assert int(LOST * len(says)) == 2
    assert limit(says, matters) == pytest.approx(500.0, abs=0.01), "two of the four are over it"
