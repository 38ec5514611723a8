"""At which scale the detector looks at a page, from the heights of its glyphs alone."""

import cv2
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


def drawn(leaning: float, code: bool = True) -> np.ndarray:
    """A label of 40 letters 20 px high, with a bar code of bars 110 px high below them, turned by so many degrees."""
    page = np.full((900, 800, 3), 255, np.uint8)
    for at in range(40):
        cv2.putText(
            page, "AEGKR"[at % 5], (40 + at % 20 * 36, 100 + at // 20 * 60), cv2.FONT_HERSHEY_DUPLEX, 0.9, (0, 0, 0), 2
        )
    for at in range(60 if code else 0):
        cv2.rectangle(page, (60 + at * 11, 250), (63 + at * 11 + at % 3 * 2, 360), (0, 0, 0), -1)
    return cv2.warpAffine(
        page, cv2.getRotationMatrix2D((400, 300), leaning, 0.9), (800, 900), borderValue=(255, 255, 255)
    )


@pytest.mark.parametrize("leaning", [0, 5, -8, 14])
def test_the_bars_of_a_code_that_leans_are_no_glyphs(leaning: float) -> None:
    plain = prepare.measure_ink(drawn(leaning, code=False)).height
    assert prepare.measure_ink(drawn(leaning)).height == pytest.approx(plain, rel=0.2)
