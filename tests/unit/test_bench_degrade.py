"""The damages of `bench degrade`: as strong for a column as for a line of its glyphs."""

from __future__ import annotations

import numpy as np
import pytest

from bench.data import even_sample, other_sample
from bench.degrade import DAMAGES, damaged, line_height

LINE = np.full((40, 240, 3), 230, np.uint8)
LINE[10:30, 5:-5:8] = 20
COLUMN = np.ascontiguousarray(LINE.transpose(1, 0, 2))


def test_a_column_is_as_high_a_line_as_it_is_wide() -> None:
    assert (line_height(LINE), line_height(COLUMN), line_height(LINE[:, :40])) == (40, 40, 40)


def test_a_column_is_shrunk_by_its_width_not_to_a_speck() -> None:
    line, column = damaged(LINE, "lowres", 3), damaged(COLUMN, "lowres", 3)
    assert 10 <= line.shape[0] <= 14
    assert column.shape[:2] == line.shape[1::-1]


def test_a_column_is_blurred_as_a_line_of_its_glyphs_is() -> None:
    turned = damaged(COLUMN, "blur", 3).transpose(1, 0, 2)
    assert np.abs(turned.astype(int) - damaged(LINE, "blur", 3)).max() <= 1


def test_other_lines_are_none_of_those_that_were_taken() -> None:
    rows = [f"line {number}" for number in range(951)]
    taken = even_sample(rows, 240)
    others = other_sample(rows, taken, 240)
    assert len(set(others)) == 240
    assert not set(others) & set(taken)
    assert (other_sample(rows, rows, 240), other_sample(rows, taken, 0)) == ([], [])


@pytest.mark.parametrize("name", DAMAGES)
def test_damages_are_repeatable(name: str) -> None:
    assert np.array_equal(damaged(LINE, name, 5), damaged(LINE, name, 5))
    assert not np.array_equal(damaged(LINE, name, 5), damaged(LINE, name, 6))
