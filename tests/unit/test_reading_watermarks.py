"""Watermarks: faint text that slants across a page is told from the page's lines."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from worker.reading import watermarks
from worker.reading.geometry import Floats, rotate


def line(ink: int, paper: int = 255) -> NDArray[np.uint8]:
    """A picture of a line with a fifth of it inked."""
    picture = np.full((30, 200, 3), paper, np.uint8)
    picture[:, ::5] = ink
    return picture


def quad(x: float, y: float, degrees: float = 0.0, width: float = 200, height: float = 30) -> Floats:
    level = np.array([[-width, -height], [width, -height], [width, height], [-width, height]], np.float32) / 2
    return np.asarray(rotate(level, degrees) + np.array([x, y], np.float32), np.float32)


BODY = [(quad(300, 100 + 40 * row), line(0), f"line {row}") for row in range(4)]


def marked(*more: tuple[Floats, NDArray[np.uint8], str]) -> list[str]:
    quads, pictures, texts = zip(*BODY, *more, strict=True)
    return [texts[index] for index in watermarks.find(quads, pictures, texts)]


@pytest.mark.parametrize("degrees", [-35, 20, 80])
def test_faint_text_across_the_page_is_a_watermark(degrees: float) -> None:
    assert marked((quad(300, 150, degrees), line(190), "INTERNAL")) == ["INTERNAL"]


def test_what_is_level_short_or_dark_is_none() -> None:
    assert not marked((quad(300, 400), line(190), "a grey caption"))
    assert not marked((quad(300, 400, 5), line(190), "a little askew"))
    assert not marked((quad(300, 400, -35), line(60), "Jan 2026"))
    assert not marked((quad(300, 400, -35, width=40), line(190), "x"))
    assert watermarks.find([], [], []) == []
    assert watermarks.find([quad(0, 0, 30)], [line(190)], ["alone"]) == []


def test_its_pieces_between_the_lines_go_with_it() -> None:
    whole = (quad(300, 150, -30), line(190), "内部资料 请勿外传")
    pieces = [(quad(500, 100, 0, 30), line(195), "传"), (quad(520, 220, 0, 60), line(185), "7外传")]
    assert marked(whole, *pieces) == ["内部资料 请勿外传", "传", "7外传"]
    assert marked(whole, (quad(500, 100, 0, 30), line(0), "传")) == [whole[2]], "as dark as the lines"
    assert marked(whole, (quad(500, 400), line(190), "see page 4")) == [whole[2]], "faint, and other text"
    assert not marked(*pieces), "without a watermark they are lines"


def test_light_text_on_a_dark_page_has_watermarks_too() -> None:
    dark = [(place, line(255, 20), text) for place, _, text in BODY]
    quads, pictures, texts = zip(*dark, (quad(300, 150, -35), line(80, 20), "INTERNAL"), strict=True)
    assert watermarks.find(quads, pictures, texts) == [4]


def test_a_watermark_is_told_once() -> None:
    assert watermarks.told_once(["外传", "内部资料 请勿外传", "内部资料请勿外传", "7外传", "DRAFT"]) == [
        "内部资料 请勿外传",
        "DRAFT",
    ]
    assert watermarks.told_once([]) == []
