"""A page in grey, made once for all that look at it smaller than it is: its glyphs, its boxes to tick, its rules."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

KEPT_MOST_PX = 12_000_000  # of a larger page a half is kept: whoever looks halves it first, and its full size is memory


class GreyPage:
    """A BGR page (height, width, 3) in grey. To halve one with odd sides takes five times as long as to take its colours away,
    so it is the half of a large scan that is kept, and the scan's full size is made again for those who ask for it."""

    def __init__(self, page: NDArray[np.uint8]) -> None:
        self._page = page
        self._kept = _grey(page)
        while self._kept.size > KEPT_MOST_PX:
            self._kept = _half(self._kept)

    @property
    def height(self) -> int:
        """Of the page, in pixels."""
        return int(self._page.shape[0])

    @property
    def width(self) -> int:
        """Of the page, in pixels."""
        return int(self._page.shape[1])

    def full(self) -> NDArray[np.uint8]:
        """At the page's own size, (height, width)."""
        return self._kept if self._kept.shape == self._page.shape[:2] else _grey(self._page)

    def shrunk(self, scale: float) -> NDArray[np.uint8]:
        """At `scale` (1 at most) times the page's size, the very same as `shrunk` makes of its full size."""
        goal = _goal(self._page, scale)
        return _to(self._kept if _reaches(self._kept, goal) else self.full(), goal)


def shrunk(grey: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """A grey picture (height, width) at `scale` (1 at most) times its size: halved while that leaves enough, the rest sampled.
    Averaging over parts of pixels, of all colours, takes twenty times as long."""
    return _to(grey, _goal(grey, scale))


def _grey(page: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(page, cv2.COLOR_BGR2GRAY), np.uint8)


def _half(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    size = (grey.shape[1] // 2, grey.shape[0] // 2)
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)


def _goal(picture: NDArray[np.uint8], scale: float) -> tuple[int, int]:
    """Width and height of a picture at that scale."""
    return max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))


def _reaches(grey: NDArray[np.uint8], goal: tuple[int, int], times: int = 1) -> bool:
    return bool(grey.shape[1] >= times * goal[0] and grey.shape[0] >= times * goal[1])


def _to(grey: NDArray[np.uint8], goal: tuple[int, int]) -> NDArray[np.uint8]:
    while _reaches(grey, goal, 2):
        grey = _half(grey)
    if grey.shape != goal[::-1]:
        grey = np.asarray(cv2.resize(grey, goal, interpolation=cv2.INTER_LINEAR), np.uint8)
    return grey
