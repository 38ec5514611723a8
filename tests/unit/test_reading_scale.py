"""At which scale the detector looks at a page, from the heights of its glyphs alone."""

import numpy as np
import pytest

from worker.reading import prepare


def ink(*sizes: tuple[int, float]) -> prepare.Ink:
    """So many glyphs of such a height, in pixels."""
    heights = np.concatenate([np.full(count, height) for count, height in sizes])
    spots = np.stack([np.zeros_like(heights), np.zeros_like(heights), heights / 2, heights], axis=1)
    return prepare.Ink(prepare.weighted_percentile(heights, 50), spots)


def seen(height: float, page: prepare.Ink) -> float:
    """How high a glyph is where the detector sees it, on a page of 750 x 1000 px."""
    return height * prepare.detector_scale(750, 1000, page)


def test_text_of_one_size_is_seen_at_the_height_the_detector_likes() -> None:
    for height in (9.0, 14.0, 30.0):
        assert seen(height, ink((600, height))) == pytest.approx(prepare.GLYPH_TARGET_PX, rel=0.15)


def test_a_form_with_much_small_print_is_looked_at_closer() -> None:
    form = ink((300, 10.0), (250, 18.0))
    assert seen(10.0, form) > 0.85 * prepare.SMALL_TARGET_PX
    assert seen(18.0, form) > 1.1 * prepare.GLYPH_TARGET_PX


def test_a_few_small_signs_do_not_decide() -> None:
    few = ink((40, 6.0), (600, 18.0))
    assert seen(18.0, few) == pytest.approx(prepare.GLYPH_TARGET_PX, rel=0.15)


def test_small_print_beside_large_letters_is_no_reason_to_enlarge_them_without_end() -> None:
    poster = ink((400, 8.0), (60, 60.0), (60, 62.0))
    assert seen(60.0, poster) <= 1.05 * prepare.TYPICAL_MOST_PX
