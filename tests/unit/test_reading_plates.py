"""Number plates are known as a whole: what has their form, and what the cascade makes of a reading that has."""

from __future__ import annotations

import pytest

from worker.reading.context import whole_plates


@pytest.mark.parametrize(
    "text",
    [
        "皖A30J56",
        "京A·12345",
        "粤B-D12345",
        "沪A.D1234F",
        "苏E 05EV8",
        "川A1234警",
        "车牌号：皖AY008J。",
        "入场 浙C88888 12:30",
    ],
)
def test_a_whole_plate_is_known(text: str) -> None:
    assert whole_plates(text) == 1


@pytest.mark.parametrize(
    "text",
    [
        "", "A·30J56", "皖A30J5", "皖A30J5678", "皖A3OJ56", "皖I30J56", "家A30J56", "皖A30J56KG", "12皖A30J5",
        "京东A12345", "新A4纸", "吉林", "云南 A12345", "TOTAL 12345",
    ],
)  # fmt: skip
def test_what_only_looks_like_one_is_not(text: str) -> None:
    assert whole_plates(text) == 0


def test_two_plates_are_two() -> None:
    assert whole_plates("皖A30J56 皖AE035E") == 2
