"""Quadrilaterals of text: order, size, angle, growth, turning with the page. Plain numpy; coordinates are pixels, y down.

A quad is an array of four (x, y) corners, clockwise from the top left corner *of the text*: corner 0 to corner 1 is the
direction of reading.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.records import Quad

Floats = NDArray[np.float32]


def quad_of_rect(centre: tuple[float, float], width: float, height: float, angle_deg: float) -> Floats:
    """The quad of a turned rectangle, (4, 2): `width` runs along `angle_deg` (clockwise on screen, y down)."""
    a = np.deg2rad(angle_deg)
    cos, sin = float(np.cos(a)), float(np.sin(a))
    ax, ay, dx, dy = cos * width / 2, sin * width / 2, -sin * height / 2, cos * height / 2  # half of it along, and down
    x, y = centre
    corners = [
        [x - ax - dx, y - ay - dy],
        [x + ax - dx, y + ay - dy],
        [x + ax + dx, y + ay + dy],
        [x - ax + dx, y - ay + dy],
    ]
    return np.array(corners, dtype=np.float32)


def upright(width: float, height: float, angle_deg: float) -> tuple[float, float, float]:
    """The same rectangle with its angle within [-45, 45]: OpenCV's minAreaRect names one shape in four ways."""
    angle = (angle_deg + 180) % 180  # 0..180
    if angle > 135:
        angle -= 180
    elif angle > 45:
        return height, width, angle - 90
    return width, height, angle


def size(quad: Floats) -> tuple[float, float]:
    """Width along the reading direction and height across it, each the mean of two sides, pixels."""
    a, b, c, d = quad.tolist()  # asked for some fifteen times a line: NumPy takes ten times as long over single points
    return (math.dist(a, b) + math.dist(c, d)) / 2, (math.dist(a, d) + math.dist(b, c)) / 2


def angle(quad: Floats) -> float:
    """Direction of reading in degrees, clockwise on screen, (-180, 180]."""
    d = (quad[1] - quad[0]) + (quad[2] - quad[3])
    return float(np.degrees(np.arctan2(d[1], d[0])))


def bounds(quad: Floats) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of the upright rectangle around the quad, or around any number of points."""
    x, y = zip(*quad.tolist(), strict=True)  # asked for as often as the size
    return min(x), min(y), max(x), max(y)


def turn_quarter(quad: Floats, turns: int, width: int, height: int) -> Floats:
    """Where the quad's corners land when an image of `width` x `height` is turned clockwise by `turns` x 90 degrees."""
    out = quad.astype(np.float32).copy()
    for _ in range(turns % 4):
        out = np.stack([height - out[:, 1], out[:, 0]], axis=1)
        width, height = height, width
    return out


def roll(quad: Floats, corners: int) -> Floats:
    """The same shape read from another corner: 1 turns the reading direction 90 degrees clockwise, 2 upside down."""
    return quad[[(corner + corners) % 4 for corner in range(4)]]


def rotate(points: Floats, angle_deg: float) -> Floats:
    """Points turned about the origin by `angle_deg` (clockwise on screen)."""
    a = np.deg2rad(angle_deg)
    matrix = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]], dtype=np.float32)
    return points @ matrix.T


def crop_matrix(quad: Floats, width: int, height: int) -> NDArray[np.float64]:
    """The perspective that carries the quad onto an upright `width` x `height` picture."""
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    return np.asarray(cv2.getPerspectiveTransform(quad.astype(np.float32), target))


def through(matrix: NDArray[np.float64], points: Floats) -> Floats:
    """Points carried through a 3 x 3 perspective matrix, (n, 2)."""
    p = np.ones((len(points), 3))
    p[:, :2] = points
    p = p @ matrix.T
    return (p[:, :2] / p[:, 2:3]).astype(np.float32)


def as_record(quad: Floats) -> Quad:
    """The quad as the plain tuples that records carry."""
    a, b, c, d = ((x, y) for x, y in quad.tolist())
    return (a, b, c, d)


def clip(quad: Floats, width: int, height: int) -> Floats:
    """The quad with its corners moved inside the page."""
    out = quad.copy()
    out[:, 0] = out[:, 0].clip(0, width)
    out[:, 1] = out[:, 1].clip(0, height)
    return out
