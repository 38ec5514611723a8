"""Long lines: windows that cut in gaps, and a merge that reads nothing twice and loses nothing."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.reading import ctc, longline


def ink(width: int, gaps: list[int], size: int = 20) -> np.ndarray:
    share = np.full(width, 0.4, np.float32)
    for gap in gaps:
        share[gap : gap + size] = 0
    return share


def test_a_line_that_fits_is_one_window() -> None:
    assert longline.windows(ink(800, []), 800, 96, 8) == [(0, 800)]


def test_windows_meet_in_the_last_gap_before_the_limit() -> None:
    first, second = longline.windows(ink(1500, [400, 700, 860]), 1000, 96, 8)
    middle = (first[1] + second[0]) / 2
    assert 860 <= middle <= 884
    assert first[1] - second[0] >= 90


@given(st.integers(1, 30_000), st.sampled_from([320, 800, 1568]), st.sampled_from([4, 8]))
def test_any_length_is_covered_by_windows_within_the_limit(width: int, limit: int, stride: int) -> None:
    share = np.random.default_rng(width).random(width).astype(np.float32)
    found = longline.windows(share, limit, 96, stride)
    assert found[0][0] == 0
    assert found[-1][1] == width
    for (_, end), (start, _) in itertools.pairwise(found):
        assert 0 < end - start <= 96 + stride
        assert start % stride == 0
    assert all(end - start <= limit for start, end in found)


def sequence(text: str) -> longline.Steps:
    """One step a character, "." is the blank."""
    scores = np.zeros((len(text), ctc.TOP), np.float32)
    classes = np.zeros((len(text), ctc.TOP), np.int32)
    scores[:, 0] = 0.99
    classes[:, 0] = [0 if char == "." else ord(char) for char in text]
    return scores, classes


def text_of(steps: longline.Steps) -> str:
    return "".join(chr(peak.index) for peak in ctc.decode(*steps))


def test_windows_that_agree_in_their_overlap_read_as_one() -> None:
    whole = "ab.cd.ef.gh.ij.kl.mn"
    merged = longline.merge([sequence(whole[:12]), sequence(whole[6:])], [0, 6])
    assert len(merged[0]) == len(whole)
    assert text_of(merged) == whole.replace(".", "")


def test_a_character_cut_at_the_end_of_a_window_is_read_from_the_other() -> None:
    # The left window misreads its last character (cut in two), the right one its first.
    left, right = sequence("ab.cd.ex"), sequence("x..ef.gh")
    merged = longline.merge([left, right], [0, 4])
    assert text_of(merged) == "abcdefgh"


def test_a_double_letter_in_the_overlap_stays_double() -> None:
    left, right = sequence("a.l.l.o."), sequence("l.o.w.")
    assert text_of(longline.merge([left, right], [0, 4])) == "allow"


@pytest.mark.parametrize("width", [1, 7])
def test_a_tiny_line_is_one_window(width: int) -> None:
    assert longline.windows(ink(width, []), 320, 96, 8) == [(0, width)]
