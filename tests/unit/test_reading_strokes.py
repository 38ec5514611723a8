"""Long runs and spots of a mask: quicker ways to the same answer as OpenCV's own."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from worker.reading import strokes
from worker.reading.components import components


@pytest.mark.parametrize("share", [0.3, 0.9, 0.97, 0.995])
def test_opening_by_glances_leaves_what_opening_leaves(share: float) -> None:
    rng = np.random.default_rng(7)
    for long in (5, 16, 24, 31, 60, 97):
        for height, width in ((1, 1), (40, 90), (90, 40), (120, 300)):
            mask = (rng.random((height, width)) < share).astype(np.uint8)
            level = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((1, long), np.uint8))
            upright = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((long, 1), np.uint8))
            assert np.array_equal(strokes.level(mask, long), level)
            assert np.array_equal(strokes.upright(mask, long), upright)


def test_spots_are_told_apart_where_there_are_more_than_16_bits_can_number() -> None:
    mask = np.zeros((601, 601), np.uint8)
    mask[::2, ::2] = 1
    labels, stats = components(mask)
    assert len(stats) == 301 * 301 + 1
    assert labels.max() == 301 * 301


def test_a_spot_has_its_place_and_its_area() -> None:
    mask = np.zeros((20, 30), np.uint8)
    mask[3:5, 4:10] = 1
    mask[5, 10] = 1  # touches with a corner
    labels, stats = components(mask)
    assert stats[1].tolist() == [4, 3, 7, 3, 13]
    assert np.array_equal(labels > 0, mask > 0)
