"""Several lines that the detector took for one box are looked at closer, and stand as lines where they are seen to be some."""

import numpy as np
import pytest

from worker.reading import find, prepare
from worker.reading.detect import Box

BLOCK = (100.0, 100.0, 300.0, 190.0)  # three lines of print, 30 px each


def box(left: float, top: float, right: float, bottom: float) -> Box:
    return Box(
        np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32), 0.9, (bottom - top) / 3
    )


def row(top: float, left: float = 110, count: int = 10, high: float = 14) -> list[tuple[float, float, float, float]]:
    return [(left + 18 * at, top, 10.0, high) for at in range(count)]


PRINT = [*row(108), *row(138), *row(168)]
OTHERS = [box(100, 20 + 35 * at, 300, 45 + 35 * at) for at in range(2)] + [box(400, 20, 600, 45)]


class Closer:
    """In place of the detector: `first` at the first look, and at a closer one `fine`, in pixels of the page."""

    def __init__(self, first: list[Box], fine: list[Box]) -> None:
        self.first, self.fine = first, fine
        self.scales: list[float] = []

    def look(self, image: np.ndarray, scale: float = 1.0) -> tuple[list[Box], list[np.ndarray]]:
        self.scales.append(scale)
        return self.first, []

    def detect(self, image: np.ndarray, scale: float = 1.0) -> list[Box]:
        self.scales.append(scale)
        left, top = 600 - image.shape[1], 400 - image.shape[0]
        return [each.moved(np.ones(2, np.float32), np.float32([-left, -top]), (600, 400)) for each in self.fine]


def found(glyphs: list[tuple[float, float, float, float]], fine: list[Box]) -> tuple[list[list[float]], Closer]:
    """The tops of what is found where the block is, and who looked. The block lies at the end of the page."""
    moved = box(BLOCK[0] + 280, BLOCK[1] + 200, BLOCK[2] + 280, BLOCK[3] + 200)
    ink = prepare.Ink(14.0, np.array([(x + 280, y + 200, w, h) for x, y, w, h in glyphs]).reshape(-1, 4))
    detector = Closer([*OTHERS, moved], fine)
    boxes = find.find(detector, np.full((400, 600, 3), 255, np.uint8), ink)  # type: ignore[arg-type]
    return sorted(each.quad[0].tolist() for each in boxes if each.quad[0, 1] > 250), detector


LINES = [box(385, 303 + 30 * at, 575, 327 + 30 * at) for at in range(3)]


def test_lines_that_were_one_box_are_told_apart_by_a_closer_look() -> None:
    tops, detector = found(PRINT, LINES)
    assert tops == [[385, 303], [385, 333], [385, 363]]
    assert detector.scales[1] == pytest.approx(find.BLOCK_CLOSER * detector.scales[0])


@pytest.mark.parametrize(
    "fine",
    [
        [],
        LINES[:2],  # too few to be sure
        [*LINES, box(380, 300, 580, 390)],  # a formula, a sign: in pieces of any size
        [box(385, 250 + 10 * at, 575, 258 + 10 * at) for at in range(4)],  # beside it
    ],
)
def test_where_no_lines_are_seen_the_box_stays(fine: list[Box]) -> None:
    tops, detector = found(PRINT, fine)
    assert tops == [[380, 300]]
    assert len(detector.scales) == 2


@pytest.mark.parametrize(
    "glyphs",
    [
        row(120, high=60, count=10),  # a headline
        row(108, count=7),  # a drawing
        [],
    ],
)
def test_other_boxes_are_not_looked_at_again(glyphs: list[tuple[float, float, float, float]]) -> None:
    tops, detector = found(glyphs, LINES)
    assert tops == [[380, 300]]
    assert len(detector.scales) == 1


def test_a_box_of_the_page_s_usual_height_is_none_of_several_lines() -> None:
    ink = prepare.Ink(5.0, np.array([(x, y, 4.0, 4.0) for x, y, _, _ in (*row(105), *row(112))]))
    assert not find.blocks(ink, [box(100, 100, 300, 120), box(100, 200, 300, 220), box(100, 300, 300, 320)])


def test_what_of_a_line_reaches_into_the_block_does_not_stand_twice() -> None:
    whole = box(250, 100, 500, 130)
    fine = [box(100, 100, 299, 128), box(100, 131, 290, 158), box(100, 161, 290, 188), box(255, 100, 299, 130)]
    boxes = find.divided([whole, box(*BLOCK)], fine, box(*BLOCK).quad)
    assert [each.quad[0].tolist() for each in boxes] == [[250, 100], [100, 100], [100, 131], [100, 161]]
