"""Two detectors, as the cascade has two recognisers: a quick one looks at pages full of text, and the one that taught it looks
where the quick one is unsure, and at small pictures of little text, where it costs little.

The quick one gives soft maps where it does not know: on worn forms and handwriting, in streets. How many of its boxes have faint
cores tells such pages from others (docs/measurements.md).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from worker.reading import tiles
from worker.reading.detect import Box, LineDetector
from worker.reading.geometry import Floats

SMALL_PX = 250_000  # pixels seen; up to here, about one window, the careful one looks
SURE = 0.8  # mean probability of a core of which the quick one is sure
UNSURE_SHARE = 0.55  # of its boxes are not: another look is worth the time


class DetectorPair:
    """Looks as a `Detector` does."""

    def __init__(self, quick: LineDetector, careful: LineDetector) -> None:
        self.quick, self.careful = quick, careful

    def detect(self, image: NDArray[np.uint8], scale: float = 1.0) -> list[Box]:
        """A closer look at a part of a page: see `Detector.detect`."""
        return self._found(image, scale)[0]

    def look(self, image: NDArray[np.uint8], scale: float = 1.0) -> tuple[list[Box], list[Floats]]:
        """The first look at a page: see `Detector.look`."""
        height, width = image.shape[:2]
        if tiles.seen_px(max(1, round(width * scale)), max(1, round(height * scale))) <= SMALL_PX:
            return self.careful.look(image, scale)
        return self._found(image, scale)

    def _found(self, image: NDArray[np.uint8], scale: float) -> tuple[list[Box], list[Floats]]:
        found = self.quick.look(image, scale)
        return self.careful.look(image, scale) if is_unsure(found[0]) else found

    def release(self) -> None:
        """See `Detector.release`."""
        self.quick.release()
        self.careful.release()


def is_unsure(boxes: Sequence[Box]) -> bool:
    """Whether most of what was found has faint cores, or nothing was."""
    sure = [box.score for box in boxes if not box.doubtful]
    return sum(score < SURE for score in sure) >= UNSURE_SHARE * len(sure)
