"""Finding the lines of a page: at which scale to look, where to look again, and whether there is only one line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from worker.reading import geometry, prepare
from worker.reading.detect import Box, Detector
from worker.reading.geometry import Floats

LINE_ASPECT = 3.0  # from here on a picture may be the crop of one line
LINE_HEIGHT_PX = 160
SMALL_CORE_PX = 4.5  # a core thinner than this was hardly seen: its surroundings are looked at again, closer
CLOSER = 2.0  # how much closer
CLOSER_MAX_PX = 1_200_000  # pixels seen again, at most
CLOSER_MIN_SHARE = 0.08  # of the lines: a few thin boxes are underlines and dirt
REGION_MARGIN = 1.5  # line heights around small lines that are looked at again


def whole(image: NDArray[np.uint8]) -> Box:
    """The picture itself as one line."""
    height, width = image.shape[:2]
    return Box(np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32), 1.0, float(height))


def find(detector: Detector, image: NDArray[np.uint8], scale: float) -> list[Box]:
    """Every line of a BGR page, seen at `scale`; what turns out too small for that is looked at again, closer."""
    boxes = detector.detect(image, scale)
    small = [box for box in boxes if box.core_px < SMALL_CORE_PX]
    if scale * CLOSER > prepare.MAX_ZOOM * 1.5 or len(small) < max(3, CLOSER_MIN_SHARE * len(boxes)):
        return boxes
    height, width = image.shape[:2]
    for left, top, right, bottom in regions([box.quad for box in small], width, height):
        if (right - left) * (bottom - top) * (scale * CLOSER) ** 2 > CLOSER_MAX_PX:
            continue
        closer = detector.detect(np.ascontiguousarray(image[top:bottom, left:right]), scale * CLOSER)
        offset = np.array([left, top], dtype=np.float32)
        moved = [
            Box(box.quad + offset, box.score, box.core_px, box.spine.moved(offset) if box.spine else None)
            for box in closer
        ]
        boxes = merge(boxes, moved, (left, top, right, bottom))
    return boxes


def regions(quads: Sequence[Floats], width: int, height: int) -> list[tuple[int, int, int, int]]:
    """Upright rectangles (left, top, right, bottom) around quads, those that touch made one."""
    areas: list[list[float]] = []
    for quad in quads:
        left, top, right, bottom = geometry.bounds(quad)
        margin = REGION_MARGIN * min(right - left, bottom - top)
        new = [left - margin, top - margin, right + margin, bottom + margin]
        apart = []
        for area in areas:
            if new[0] <= area[2] and area[0] <= new[2] and new[1] <= area[3] and area[1] <= new[3]:
                new = [min(new[0], area[0]), min(new[1], area[1]), max(new[2], area[2]), max(new[3], area[3])]
            else:
                apart.append(area)
        areas = [*apart, new]
    return [
        (max(0, int(a[0])), max(0, int(a[1])), min(width, int(a[2]) + 1), min(height, int(a[3]) + 1)) for a in areas
    ]


def merge(coarse: Sequence[Box], fine: Sequence[Box], region: tuple[int, int, int, int]) -> list[Box]:
    """Inside the region the fine boxes take the place of the small coarse ones they cover; large ones stay."""
    left, top, right, bottom = region
    kept: list[Box] = []
    for box in coarse:
        x, y = box.quad.mean(0)
        inside = left <= x < right and top <= y < bottom
        if not (inside and box.core_px < SMALL_CORE_PX and any(covers(other, box) for other in fine)):
            kept.append(box)
    return kept + [box for box in fine if not any(covers(other, box) for other in kept)]


def covers(one: Box, other: Box) -> bool:
    """Whether the upright bounds of two boxes share at least half of the smaller."""
    a, b = geometry.bounds(one.quad), geometry.bounds(other.quad)
    shared = max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    return shared > 0.5 * min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))


def is_one_line(image: NDArray[np.uint8], boxes: Sequence[Box]) -> bool:
    """Whether a picture is the tight crop of a single line: flat, and nothing found in it but one row that fills it."""
    height, width = image.shape[:2]
    if width < LINE_ASPECT * height or height > LINE_HEIGHT_PX:
        return False
    if not boxes:
        return True
    middles = [float(box.quad[:, 1].mean()) for box in boxes]
    tallest = max(geometry.bounds(box.quad)[3] - geometry.bounds(box.quad)[1] for box in boxes)
    return max(middles) - min(middles) < 0.3 * tallest and tallest > 0.5 * height
