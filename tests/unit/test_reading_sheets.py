"""Several sheets in one picture are told by the way their lines run, and ordinary pages stay whole."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from worker.reading import geometry, sheets, watermarks
from worker.reading.geometry import Floats


def sheet(x: float, y: float, turn: float, lines: int = 5, width: float = 300) -> list[Floats]:
    """Lines of 20 px below each other, turned by so many degrees about their middle, which stands at (x, y)."""
    level = np.array([[-width / 2, -10], [width / 2, -10], [width / 2, 10], [-width / 2, 10]], np.float32)
    each = [level + np.float32([0, 40 * (at - (lines - 1) / 2)]) for at in range(lines)]
    return [geometry.rotate(quad, turn) + np.float32([x, y]) for quad in each]


def parted(*groups: list[Floats]) -> list[list[int]]:
    """Which group each line of each sheet found is of."""
    member = [number for number, group in enumerate(groups) for _ in group]
    return [[member[at] for at in part] for part in sheets.parted(list(itertools.chain(*groups)))]


def test_each_sheet_is_read_by_itself_from_the_left() -> None:
    assert parted(sheet(900, 300, -8), sheet(250, 300, 6)) == [[1] * 5, [0] * 5]
    assert parted(sheet(250, 300, 2), sheet(700, 250, 30), sheet(1150, 320, -5)) == [[0] * 5, [1] * 5, [2] * 5]


def test_sheets_above_each_other_are_read_from_the_top() -> None:
    assert parted(sheet(300, 800, 7), sheet(320, 200, -3)) == [[1] * 5, [0] * 5]


def test_a_sheet_that_lies_upside_down_or_on_its_side_is_one_of_its_own() -> None:
    assert parted(sheet(250, 300, 178), sheet(700, 300, 2)) == [[0] * 5, [1] * 5]
    assert parted(sheet(250, 300, 0), sheet(700, 300, 90)) == [[0] * 5, [1] * 5]
    assert parted(sheet(250, 300, 179) + sheet(250, 520, -179), sheet(720, 300, 0, width=340)) == [[0] * 10, [1] * 5]


def test_short_lines_go_with_the_sheet_that_they_stand_on() -> None:
    price = sheet(700, 300, 0, lines=1, width=30)
    assert parted(sheet(250, 300, -9), sheet(700, 240, 5), price) == [[0] * 5, [1] * 5 + [2]]


@pytest.mark.parametrize(
    "groups",
    [
        (),
        (sheet(250, 300, 4),),
        (sheet(250, 300, 3), sheet(700, 300, 3)),  # two columns
        (sheet(250, 300, 0), sheet(700, 300, 20, lines=2)),  # a stamp beside the text
        (sheet(400, 300, 0, lines=12), sheet(400, 300, 25)),  # across it
        (sheet(250, 300, 0), sheet(700, 300, 14, width=40)),  # single characters, whose angles say little
        tuple(sheet(400, 60 * at, at * 1.5, lines=1) for at in range(12)),  # a page from the side
    ],
)
def test_one_page_stays_whole(groups: tuple[list[Floats], ...]) -> None:
    assert len(parted(*groups)) == 1


def test_what_is_spread_over_a_page_repeats_itself() -> None:
    assert watermarks.repeats(["zhang.wei 8823 2026", "zhang wei 8823 2026", "wei 8823 2026", "zhang.wei 8823"])
    assert not watermarks.repeats(["Ethan Ouyang, CFA", "Managing Director", "T +852 2526 8899", "M +86 139 1088 6621"])
    assert not watermarks.repeats([])
