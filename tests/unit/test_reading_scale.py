"""At which scale the detector looks at a page, from the heights of its glyphs alone."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from worker.reading import find, prepare
from worker.reading.grey import GreyPage


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
    plain = prepare.measure_ink(GreyPage(drawn(leaning, code=False))).height
    assert prepare.measure_ink(GreyPage(drawn(leaning))).height == pytest.approx(plain, rel=0.2)


def looked_at(left: int, top: int, ink_grey: int = 40, noise: int = 0) -> tuple[int, int, int, int]:
    """The part that is looked at of a page of 800 x 1000 px with a block of text of 300 x 200 px at (left, top)."""
    page = np.full((1000, 800, 3), 250, np.uint8)
    for row in range(6):
        cv2.putText(page, "Lantern Street 14", (left, top + 20 + 34 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (40,) * 3, 2)
    page = np.clip(page + np.random.default_rng(1).normal(0, noise, page.shape), 0, 255).astype(np.uint8)
    cv2.putText(page, "page 7", (700, 980), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (ink_grey,) * 3, 1)
    return find.place_to_look(prepare.measure_ink(GreyPage(page)), 800, 1000)[0]


def test_blank_margins_are_not_looked_at() -> None:
    left, top, right, bottom = looked_at(200, 300, ink_grey=250)
    assert 100 < left < 200
    assert 200 < top < 300
    assert 460 < right < 600
    assert 490 < bottom < 620


def test_pale_print_in_a_margin_is_looked_at() -> None:
    _, _, right, bottom = looked_at(200, 300, ink_grey=225)
    assert right > 750
    assert bottom > 980


def test_all_of_a_page_of_noise_or_of_few_glyphs_is_looked_at() -> None:
    assert looked_at(200, 300, noise=40) == (0, 0, 800, 1000)
    few = np.full((600, 800, 3), 250, np.uint8)
    cv2.putText(few, "A7", (300, 300), cv2.FONT_HERSHEY_SIMPLEX, 2, (0, 0, 0), 3)
    assert find.place_to_look(prepare.measure_ink(GreyPage(few)), 800, 600)[0] == (0, 0, 800, 600)


def test_what_stands_between_wide_margins_is_not_enlarged() -> None:
    page = np.full((3000, 2400, 3), 250, np.uint8)
    for row in range(2):
        cv2.putText(page, "Lantern Str", (900, 1400 + 80 * row), cv2.FONT_HERSHEY_SIMPLEX, 1.9, (40,) * 3, 4)
    ink_there = prepare.measure_ink(GreyPage(page))
    (left, top, right, bottom), scale = find.place_to_look(ink_there, 2400, 3000)
    assert (right - left) * (bottom - top) < 0.1 * 2400 * 3000
    assert scale < 1.15 * prepare.detector_scale(2400, 3000, ink_there)


def test_a_desk_around_a_sheet_is_no_margin() -> None:
    """Its edges would stand at the picture's, and be read."""
    page = np.full((1000, 800, 3), 80, np.uint8)
    page[200:700, 150:650] = 240
    for row in range(6):
        cv2.putText(page, "Lantern Street 14", (200, 320 + 40 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (40,) * 3, 2)
    assert find.place_to_look(prepare.measure_ink(GreyPage(page)), 800, 1000)[0] == (0, 0, 800, 1000)


def test_margins_that_would_save_little_are_looked_at() -> None:
    """Other windows see other things; that is worth it only where they are fewer."""
    plain = ink((600, 14.0))
    narrow, wide = (replace(plain, written=(edge, edge, 750 - edge, 1000 - edge)) for edge in (4.0, 200.0))
    assert find.place_to_look(narrow, 750, 1000)[0] == (0, 0, 750, 1000)
    assert find.place_to_look(wide, 750, 1000)[0] == (200, 200, 550, 800)
