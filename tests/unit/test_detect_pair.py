"""Two detectors: the quick one looks at pages full of text, the careful one at small pictures and where the quick one is unsure."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from worker.reading.detect import Box
from worker.reading.detect_pair import DetectorPair
from worker.reading.geometry import Floats

PAGE = np.zeros((1200, 900, 3), np.uint8)
CARD = np.zeros((300, 400, 3), np.uint8)


class Looks:
    """A detector that finds boxes of these scores, and notes at what scales it looked."""

    def __init__(self, name: str, *scores: float, doubtful: int = 0) -> None:
        self.found = [Box(np.zeros((4, 2), np.float32), score, 10.0) for score in scores]
        self.found += [Box(np.zeros((4, 2), np.float32), 0.4, 10.0, doubtful=True)] * doubtful
        self.faint = [np.full((4, 2), float(len(name)), np.float32)]
        self.scales: list[float] = []
        self.released = 0

    def look(self, image: NDArray[np.uint8], scale: float = 1.0) -> tuple[list[Box], list[Floats]]:
        self.scales.append(scale)
        return self.found, self.faint

    def detect(self, image: NDArray[np.uint8], scale: float = 1.0) -> list[Box]:
        return self.look(image, scale)[0]

    def release(self) -> None:
        self.released += 1


def pair(*scores: float, doubtful: int = 0) -> tuple[DetectorPair, Looks, Looks]:
    quick, careful = Looks("quick", *scores, doubtful=doubtful), Looks("careful", 0.9, 0.9)
    return DetectorPair(quick, careful), quick, careful


@pytest.mark.parametrize(("scores", "doubtful"), [((0.9, 0.9, 0.7, 0.7), 0), ((0.85,), 9)])
def test_a_page_that_the_quick_one_is_sure_of_is_not_looked_at_again(scores: tuple[float, ...], doubtful: int) -> None:
    both, quick, careful = pair(*scores, doubtful=doubtful)
    boxes, faint = both.look(PAGE, 0.8)
    assert boxes is quick.found
    assert faint is quick.faint
    assert (quick.scales, careful.scales) == ([0.8], [])


@pytest.mark.parametrize("scores", [(0.9, 0.7, 0.7), ()])
def test_where_it_is_unsure_of_most_or_finds_nothing_the_careful_one_looks(scores: tuple[float, ...]) -> None:
    both, quick, careful = pair(*scores)
    boxes, faint = both.look(PAGE, 0.8)
    assert boxes is careful.found
    assert faint is careful.faint
    assert (quick.scales, careful.scales) == ([0.8], [0.8])


def test_small_pictures_are_the_careful_ones_but_a_closer_look_begins_with_the_quick_one() -> None:
    both, quick, careful = pair(0.9, 0.9)
    assert both.look(CARD)[0] is careful.found
    assert both.look(PAGE, 0.3)[0] is careful.found, "it is the pixels that are seen that count"
    assert both.detect(CARD, 2.0) is quick.found
    assert (quick.scales, careful.scales) == ([2.0], [1.0, 0.3])


def test_memory_is_given_back_by_both() -> None:
    both, quick, careful = pair(0.9)
    both.release()
    assert (quick.released, careful.released) == (1, 1)
