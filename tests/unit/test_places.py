"""Where characters stand: borders in the gaps, near where this model's peaks lead one to expect them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from worker.reading import places


def printed(glyphs: list[tuple[int, int]], width: int) -> NDArray[np.float32]:
    ink = np.zeros(width, np.float32)
    for begin, end in glyphs:
        ink[begin:end] = 0.4
    return ink


@pytest.mark.parametrize("at", [0.25, 0.5, 0.75])
def test_borders_lie_in_the_gaps_wherever_the_model_puts_its_peaks(at: float) -> None:
    glyphs = [(10, 28), (32, 50), (54, 60), (64, 90)]
    peaks = [begin + at * (end - begin) for begin, end in glyphs]
    found = places.extents(peaks, printed(glyphs, 110), at, 40)
    for (x0, x1), (begin, end) in zip(found, glyphs, strict=True):
        assert begin - 4 <= x0 <= begin
        assert end <= x1 <= end + 4


def test_the_first_and_the_last_character_do_not_reach_into_the_margin() -> None:
    found = places.extents([110.0, 130.0], printed([(100, 118), (122, 140)], 300), 0.5, 60)
    assert found[0][0] == 100
    assert found[-1][1] == 140


def test_a_character_before_a_wide_gap_is_no_wider_than_a_character_can_be() -> None:
    (first, second) = places.extents([20.0, 200.0], printed([(10, 30), (190, 210)], 220), 0.5, 40)
    assert first[1] <= 40
    assert second[0] >= 180


def test_no_characters_no_places() -> None:
    assert places.extents([], np.zeros(10, np.float32), 0.5, 40) == []


@given(st.lists(st.floats(0, 399), min_size=1, max_size=60), st.floats(0.1, 0.9), st.integers(0, 2**32 - 1))
def test_places_are_in_order_inside_the_line_and_do_not_overlap(peaks: list[float], at: float, seed: int) -> None:
    ink = np.random.default_rng(seed).random(400).astype(np.float32)
    found = places.extents(sorted(peaks), ink, at, 40)
    assert len(found) == len(peaks)
    for x0, x1 in found:
        assert 0 <= x0 <= x1 <= 400
    for (_, end), (begin, _) in itertools.pairwise(found):
        assert begin >= end - 1.0 - 1e-9  # columns: two peaks on one column still get one each
