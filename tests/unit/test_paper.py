"""Plain paper before and after a line is not shown to the network, and nothing that stands on it is lost."""

from __future__ import annotations

import numpy as np
import pytest

from worker.reading import ctc, ink, longline


def line(paper: int = 230, glyphs: int = 30, left: int = 100, right: int = 200, width: int = 400) -> np.ndarray:
    picture = np.full((32, width, 3), paper, np.uint8)
    picture[8:24, left:right] = glyphs
    return picture


@pytest.mark.parametrize(("paper", "glyphs"), [(230, 30), (20, 240), (200, 170)])
def test_paper_at_both_ends_is_left_out_but_for_a_margin(paper: int, glyphs: int) -> None:
    margin = int(32 * ink.PAPER_HEIGHTS)
    assert ink.without_paper(line(paper, glyphs)) == (100 - margin, 200 + margin)


def test_a_line_that_fills_its_picture_keeps_it_and_so_does_an_empty_one() -> None:
    assert ink.without_paper(line(left=0, right=400)) == (0, 400)
    assert ink.without_paper(np.full((32, 400, 3), 230, np.uint8)) == (0, 400)


def test_a_faint_dash_at_the_end_of_a_faint_line_is_no_paper() -> None:
    picture = line(200, 160)
    picture[15:17, 350:360] = 190
    assert ink.without_paper(picture)[1] > 360


def test_grain_and_shadow_are_no_plain_paper() -> None:
    noisy = line().astype(float) + np.random.default_rng(1).normal(0, 8, (32, 400, 3))
    assert ink.without_paper(np.clip(noisy, 0, 255).astype(np.uint8)) == (0, 400)
    shaded = line(left=100, right=110)
    shaded[:, 110:] = np.linspace(230, 120, 290)[None, :, None]
    assert ink.without_paper(shaded)[1] > 350


def test_blanks_before_the_steps_move_what_is_read() -> None:
    scores, classes = np.full((1, ctc.TOP), 0.9, np.float32), np.full((1, ctc.TOP), 65, np.int32)
    (peak,) = ctc.decode(*longline.delayed((scores, classes), 3))
    assert (peak.index, peak.first, peak.last) == (65, 3, 3)
