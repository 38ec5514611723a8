"""Percentiles by counted levels: the same as NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from worker.reading.levels import percentiles


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (7, 9), (32, 301)])
def test_counted_levels_give_numpy_s_percentiles(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(3)
    picture = random.integers(0, 256, shape).astype(np.uint8)
    where = random.random(shape) < 0.4
    where[0, 0] = True
    asked = (2, 50, 98)
    assert percentiles(picture, *asked) == pytest.approx(np.percentile(picture, asked))
    assert percentiles(picture, *asked, where=where) == pytest.approx(np.percentile(picture[where], asked))
