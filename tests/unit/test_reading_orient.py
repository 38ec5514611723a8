"""Which way up a page stands, by readings that are stood in for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from worker.reading import orient
from worker.reading.recogniser import Reading

TALL = [np.array([[x, 0], [x + 20, 0], [x + 20, 300], [x, 300]], np.float32) for x in (0, 40, 80)]
SURE, UNSURE = 0.98, 0.5


def turn(down: float, up: float, text: str, standing: float, lying: float) -> tuple[int | None, int]:
    """The turn of a page of tall lines, and how often its characters were compared."""
    asked: list[int] = []

    def read(chosen: Sequence[int], corners: int) -> list[Reading]:
        return [Reading(text, down if corners == 1 else up, (), "toy") for _ in chosen]

    def cells(chosen: Sequence[int], corners: int) -> tuple[float, float]:
        asked.append(corners)
        return standing, lying

    return orient.corner_turn(TALL, read, cells), len(asked)


def test_columns_that_stand_are_told_by_their_characters() -> None:
    assert turn(SURE, UNSURE, "地上霜", 0.99, 0.9) == (None, 1)
    assert turn(SURE, UNSURE, "地上霜", 0.952, 0.967) == (None, 1), "recognisers know lying ones"
    assert turn(SURE, UNSURE, "地上霜", 0.83, 0.998) == (1, 1)
    assert turn(SURE, UNSURE, "地上霜", 0.0, 0.0) == (1, 1), "nothing was read"


def test_lines_that_run_up_are_a_page_on_its_side_whatever_its_characters_say() -> None:
    assert turn(UNSURE, SURE, "地上霜", 0.998, 0.994) == (3, 0)


def test_lines_in_other_scripts_are_no_columns() -> None:
    assert turn(SURE, UNSURE, "Invoice", 0.99, 0.9) == (1, 0)
    assert turn(UNSURE, SURE, "Invoice", 0.99, 0.9) == (3, 0)
