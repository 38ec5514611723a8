"""A page set level for its tables: turned so that its text runs level and, where it was photographed from the side, straightened.

Seen from the side, lines that are parallel on the paper run towards a point. How the lines of text lean from the top of the page to
its bottom, and its upright rules from left to right, gives the four sides of a rectangle of the paper, and with them the perspective.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.records import Quad
from worker.reading import geometry, order
from worker.reading.geometry import Floats

LEVEL_DEG = 0.2  # a page that leans less is not turned,
LEFT_DEG = 0.35  # nor turned again by what its rules lean
FINER = 2.0  # times
LONG_ASPECT = 3.0  # width against height of a line whose angle is known well
FEWEST_LINES = 6  # such lines, at least, tell of a perspective,
FEWEST_RULES = 2  # and so many upright rules
FAN_DEG = 1.0  # between the lines at the top and those at the bottom: less is no perspective
MOST_FAN_DEG = 25.0
SCATTER = 0.35  # of that which the lines may scatter around it, at most

Lean = tuple[float, float, float]
"""Of a line that should be level (or upright): where it stands on the other axis, how much it climbs over its length, its weight."""


@dataclass(frozen=True, slots=True)
class Level:
    """How points of a page are carried to the level picture, (3, 3), None where it is level as it is; and that picture's size."""

    matrix: NDArray[np.float64] | None
    width: int
    height: int

    def shown(self, grey: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
        """The level picture of a grey page (height, width), at `scale` (1 at most) times its size."""
        level: cv2.typing.MatLike = grey
        if self.matrix is not None:
            fine = min(1.0, FINER * scale)  # thin rules grow pale when they are turned: this is done on a finer picture
            level = _shrunk(grey, fine, grey.shape[1], grey.shape[0])
            zoom = np.diag([fine, fine, 1.0])
            size = (max(1, round(self.width * fine)), max(1, round(self.height * fine)))
            matrix = zoom @ self.matrix @ np.linalg.inv(zoom)
            level = cv2.warpPerspective(level, matrix, size, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(_shrunk(level, scale, self.width, self.height), np.uint8)

    def forth(self, points: Floats) -> Floats:
        """Points of the page in the level picture, (n, 2)."""
        return points if self.matrix is None else geometry.through(self.matrix, points)

    def forth_all(self, quads: Sequence[Floats]) -> list[Floats]:
        """Boxes of the page in the level picture."""
        return list(self.forth(np.concatenate(quads)).reshape(-1, 4, 2)) if quads else []

    def back(self, left: float, top: float, right: float, bottom: float) -> Quad:
        """A rectangle of the level picture on the page."""
        corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
        if self.matrix is not None:
            corners = geometry.through(np.asarray(np.linalg.inv(self.matrix), np.float64), corners)
        return geometry.as_record(corners)


def _shrunk(grey: cv2.typing.MatLike, scale: float, width: int, height: int) -> cv2.typing.MatLike:
    """A picture at `scale` times the size of the whole."""
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return grey if size == grey.shape[::-1] else cv2.resize(grey, size, interpolation=cv2.INTER_AREA)


def turned(width: int, height: int, boxes: Sequence[Floats]) -> Level:
    """A page of this size turned so that most of its lines run level."""
    degrees = order.tilt(boxes)
    if abs(degrees) < LEVEL_DEG:
        return Level(None, width, height)
    matrix = np.vstack([cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0), [0.0, 0.0, 1.0]])
    cos, sin = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
    wide, high = math.ceil(width * cos + height * sin), math.ceil(width * sin + height * cos)
    matrix[:2, 2] += (wide - width) / 2, (high - height) / 2
    return Level(matrix, wide, high)


def straightened(
    level: Level, boxes: Sequence[Floats], rules: Sequence[Lean], uprights: Sequence[Lean]
) -> Level | None:
    """The level picture without its perspective, and turned by what its rules lean still; None where it is straight, as far as can be
    told. `boxes` are the lines in it, `rules` its level and `uprights` its upright rules."""
    lines = [*(_lean(box) for box in boxes if _is_long(box)), *rules]
    flat = _fan(lines, level.height) if len(lines) >= FEWEST_LINES else None
    steep = _fan(uprights, level.width) if len(uprights) >= FEWEST_RULES else None
    left = float(np.median([climb for _, climb, _ in rules])) if len(rules) >= FEWEST_RULES else 0.0
    if flat is None and steep is None and abs(left) < math.tan(math.radians(LEFT_DEG)):
        return None
    (a, b), (c, d) = flat or (left, 0.0), steep or (0.0 if flat else -left, 0.0)
    x1, y1, x2, y2 = level.width * 0.1, level.height * 0.1, level.width * 0.9, level.height * 0.9
    middle = (level.width / 2, level.height / 2)
    sides = [(y1, a + b * y1), (y2, a + b * y2)], [(x1, c + d * x1), (x2, c + d * x2)]
    corners = [_meet(*sides[0][j], *sides[1][i], middle) for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))]
    goal = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], np.float32)
    straight = cv2.getPerspectiveTransform(np.array(corners, np.float32), goal)
    return Level(straight if level.matrix is None else straight @ level.matrix, level.width, level.height)


def _is_long(box: Floats) -> bool:
    width, height = geometry.size(box)
    return width >= LONG_ASPECT * height


def _lean(box: Floats) -> Lean:
    along = (box[1] - box[0]) + (box[2] - box[3])
    return float(box[:, 1].mean()), float(along[1] / max(abs(float(along[0])), 1e-6)), geometry.size(box)[0]


def _fan(leans: Sequence[Lean], length: float) -> tuple[float, float] | None:
    """Lean as a straight line over the place, (at 0, a pixel); None where it hardly changes or does not follow one."""
    at, climb, weight = (np.array(column, np.float64) for column in zip(*leans, strict=True))
    keep = np.abs(climb - np.median(climb)) < math.tan(math.radians(MOST_FAN_DEG / 2))
    if keep.sum() < FEWEST_RULES or np.ptp(at[keep]) < length / 4:
        return None
    for _ in range(2):
        slope, start = np.polyfit(at[keep], climb[keep], 1, w=np.sqrt(weight[keep]))
        off = np.abs(start + slope * at - climb)
        keep &= off <= 3 * float(np.median(off[keep])) + 1e-4
        if keep.sum() < FEWEST_RULES or np.ptp(at[keep]) < length / 4:
            return None
    fan = abs(slope) * length
    if not math.tan(math.radians(FAN_DEG)) < fan < math.tan(math.radians(MOST_FAN_DEG)):
        return None
    return (float(start), float(slope)) if float(np.median(off)) < SCATTER * fan else None


def _meet(y: float, climb: float, x: float, lean: float, middle: tuple[float, float]) -> tuple[float, float]:
    """Where a level line that crosses the page's middle at height `y` meets an upright one that crosses it at `x`."""
    # level: Y = y + climb (X - middle x); upright: X = x + lean (Y - middle y)
    across = (x + lean * (y - climb * middle[0] - middle[1])) / (1 - lean * climb)
    return across, y + climb * (across - middle[0])
