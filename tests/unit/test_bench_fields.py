"""The drawn fields of `bench fields`: what they say is what stands in documents, and the comparison forgives only blanks."""

from __future__ import annotations

import random
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench import fields
from bench.field_texts import KINDS, credit_code, sum_in_numerals
from worker.reading.context.codes import SIGNS, WEIGHTS


class Dice(random.Random):
    """Draws what it is told to."""

    def __init__(self, cents: int) -> None:
        super().__init__(1)
        self.cents = cents

    def random(self) -> float:
        return 0.0

    def randint(self, low: int, high: int) -> int:
        return self.cents

    def choice(self, of):  # type: ignore[no-untyped-def]
        return of[0]


@pytest.mark.parametrize(
    ("cents", "text"),
    [
        (123_400, "壹仟贰佰叁拾肆元整"),
        (100_500, "壹仟零伍元整"),
        (1_000_000, "壹万元整"),
        (10_050_005, "拾万零伍佰元零伍分"),
        (12_340, "壹佰贰拾叁元肆角整"),
    ],
)
def test_sums_are_written_out_as_on_invoices(cents: int, text: str) -> None:
    assert sum_in_numerals(Dice(cents)) == text.replace("拾万", "壹拾万")


def test_codes_of_firms_have_their_check() -> None:
    for seed in range(20):
        code = credit_code(random.Random(seed))
        assert len(code) == 18
        assert sum(SIGNS.index(sign) * weight for sign, weight in zip(code[:-1], WEIGHTS, strict=True)) % 31 == (
            -SIGNS.index(code[-1]) % 31
        )


def test_a_seed_draws_the_same_and_another_others() -> None:
    for kind, generate in KINDS.items():
        first, again, other = (
            [generate(dice) for _ in range(12)] for dice in (random.Random(3), random.Random(3), random.Random(4))
        )
        assert first == again, kind
        assert first != other, kind
        assert all(text.strip() for text in first), kind


def test_only_blanks_and_signs_that_look_the_same_are_forgiven() -> None:
    assert fields.plain("￥ 12.50") == fields.plain("¥12.50")
    assert fields.plain("（大写）") != fields.plain("(大写)")
    assert fields.plain("12×34") != fields.plain("12x34")


def test_the_report_names_every_kind_and_what_was_misread() -> None:
    rows = [("sizes", "12×34", Path("a")), ("sizes", "5×6", Path("b")), ("units", "5|m²", Path("c"))]
    exact = {"sizes": {"one": 1}, "units": {"one": 0}, "all": {"one": 1}}
    report = fields.render(
        ["one"],
        rows,
        exact,
        {"sizes": [("12×34", "12x34")], "units": [("5|m²", "5|m")], "all": []},
        {"one": 0.3},
        ["A"],
    )
    assert "| sizes | 2 | 0.500 | 12×34 → 12x34 |" in report
    assert "| units | 1 | 0.000 | 5\\|m² → 5\\|m |" in report
    assert "| all | 3 | 0.333 |  |" in report


def test_small_print_is_small_soft_and_drawn_alike_from_one_seed(tmp_path: Path) -> None:
    kinds: list[list[tuple[int, int]]] = []
    for small in (False, True):
        shapes = []
        for run in (1, 2):
            folder = tmp_path / f"{small}{run}"
            folder.mkdir()
            drawn = fields.lines(folder, 1, 5, small)
            assert {kind for kind, _, _ in drawn} <= set(KINDS)
            pictures = [cv2.imread(str(file)) for _, _, file in drawn]
            shapes.append([(picture.shape[0], int(picture.sum(dtype=np.int64))) for picture in pictures])
        assert shapes[0] == shapes[1]
        kinds.append(shapes[0])
    assert max(high for high, _ in kinds[1]) <= 1.5 * (max(fields.SMALL_PX) + fields.MORE)
    assert max(high for high, _ in kinds[0]) > 1.5 * (max(fields.SMALL_PX) + fields.MORE)
