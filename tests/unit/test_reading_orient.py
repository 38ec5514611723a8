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


def turn_of_days(level: float, upside_down: float, on_side: float) -> int | None:
    """The turn of a page of quads as high as wide and one line that runs up, by how surely each way is read."""
    days = [np.array([[x, 0], [x + 50, 0], [x + 50, 60], [x, 60]], np.float32) for x in range(0, 900, 100)]

    def read(chosen: Sequence[int], corners: int) -> list[Reading]:
        sure = {0: level, 2: upside_down, 1: 0.1, 3: on_side}[corners]
        return [Reading("2026", sure, (), "toy") for _ in chosen]

    return orient.corner_turn([*days, TALL[0]], read, lambda chosen, corners: (0.0, 0.0))


def test_where_nothing_reads_either_way_up_the_few_lines_that_run_up_are_asked() -> None:
    assert turn_of_days(0.1, 0.4, SURE) == 3
    assert turn_of_days(0.1, 0.4, 0.55) == 2, "not surer by enough"
    assert turn_of_days(0.7, 0.4, SURE) == 0, "a page that is read so-so, and a sign beside it"
