"""From ink to a photographed, scanned or shown line: surface, colour, geometry, light, optics, sensor, file."""

from __future__ import annotations

import random
from typing import Any

import cv2
import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Colour = tuple[float, float, float]


def clouds(rng: np.random.Generator, shape: tuple[int, int], cell_px: float, channels: int = 1) -> Array:
    """Smooth noise of unit scale with lumps of about `cell_px`; float32 (rows, columns, channels)."""
    rows = max(2, int(shape[0] / cell_px) + 2)
    columns = max(2, int(shape[1] / cell_px) + 2)
    coarse = rng.standard_normal((rows, columns, channels)).astype(np.float32)
    fine = cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return fine.reshape(shape[0], shape[1], channels)


def surface(rng: random.Random, noise: np.random.Generator, shape: tuple[int, int], look: str) -> tuple[Array, Colour]:
    """A background (rows, columns, 3; BGR 0 to 255) and an ink colour that can be read on it."""
    if look in ("paper", "scan", "receipt") or (look == "screen" and rng.random() < 0.6):
        return _paper(rng, noise, shape, look)
    if look == "screen":
        base = np.array([rng.uniform(0, 255) for _ in range(3)], np.float32)
        back = np.tile(base, (*shape, 1)).astype(np.float32)
        return back, _against(rng, base, 70)
    return _photo(rng, noise, shape, look)


def _paper(rng: random.Random, noise: np.random.Generator, shape: tuple[int, int], look: str) -> tuple[Array, Colour]:
    light = rng.uniform(200, 255) if rng.random() < 0.6 else rng.choice((255.0, 255.0, rng.uniform(140, 210)))
    tint = np.array([rng.gauss(0, 5) for _ in range(3)], np.float32) if rng.random() < 0.5 else np.zeros(3, np.float32)
    back = np.clip(np.full((*shape, 3), light, np.float32) + tint, 0, 255)
    if rng.random() < 0.5 and look != "screen":
        back += clouds(noise, shape, rng.choice((1.5, 3, 6, 20, 60))) * rng.uniform(0.5, 5)
    if look != "screen" and rng.random() < 0.06:
        # print from the other side, or a security pattern
        wave = (
            np.sin(np.arange(shape[1]) / rng.uniform(1.5, 6))[None, :, None]
            * np.sin(np.arange(shape[0]) / rng.uniform(1.5, 6))[:, None, None]
        )
        back += wave.astype(np.float32) * rng.uniform(3, 14)
    dark = rng.uniform(0, 60) if rng.random() < 0.7 else rng.uniform(60, 135)
    ink: Colour = (dark, dark, dark)
    if rng.random() < 0.15:
        ink = rng.choice(
            (
                (dark + 90, dark / 2, dark / 2),
                (dark / 3, dark / 3, dark + 110),
                (dark + 60, dark, 20.0),
                (20.0, dark, dark + 60),
            )
        )
    if rng.random() < 0.07:
        deep = np.array([rng.uniform(0, 130) for _ in range(3)], np.float32)
        return np.tile(deep, (*shape, 1)).astype(np.float32), (rng.uniform(200, 255),) * 3
    return back, ink


def _against(rng: random.Random, base: Array, least: float) -> Colour:
    """A colour whose brightness differs from the background's by `least` or more."""
    bright = float(base @ np.array([0.114, 0.587, 0.299], np.float32))
    for _ in range(20):
        colour = np.array([rng.uniform(0, 255) for _ in range(3)], np.float32)
        if rng.random() < 0.5:
            colour[:] = rng.uniform(0, 50) if bright > 128 else rng.uniform(205, 255)
        if abs(float(colour @ np.array([0.114, 0.587, 0.299], np.float32)) - bright) >= least:
            return float(colour[0]), float(colour[1]), float(colour[2])
    return (0.0, 0.0, 0.0) if bright > 128 else (255.0, 255.0, 255.0)


PLATES: tuple[tuple[Colour, Colour, float], ...] = (
    ((165, 75, 25), (235, 235, 235), 0.84),
    ((120, 190, 110), (30, 30, 30), 0.07),
    ((30, 180, 235), (20, 20, 20), 0.06),
    ((235, 235, 235), (20, 20, 20), 0.06),
    ((60, 60, 60), (225, 225, 225), 0.03),
)


def _photo(rng: random.Random, noise: np.random.Generator, shape: tuple[int, int], look: str) -> tuple[Array, Colour]:
    if look == "plate":
        back_colour, ink, _ = rng.choices(PLATES, weights=[w for _, _, w in PLATES])[0]
        base = np.array([c * rng.uniform(0.55, 1.2) + rng.gauss(0, 10) for c in back_colour], np.float32)
        back = np.tile(base, (*shape, 1)) + clouds(noise, shape, 40) * rng.uniform(0, 10)
        dim = rng.uniform(0.75, 1.05)
        return np.clip(back, 0, 255).astype(np.float32), (ink[0] * dim, ink[1] * dim, ink[2] * dim)
    # most of what is photographed is dull: little colour, and seldom at full strength
    base = np.array([rng.uniform(0, 255) for _ in range(3)], np.float32)
    dull = rng.choice((0.0, rng.uniform(0.4, 0.9), rng.uniform(0.6, 1.0)))
    base = base * (1 - dull) + base.mean() * dull
    back = np.tile(base, (*shape, 1)).astype(np.float32)
    busy = rng.uniform(5, 60) if look == "subtitle" else rng.choice((0.0, rng.uniform(0, 12), rng.uniform(5, 35)))
    for cell in (60, 15, 4):
        back += clouds(noise, shape, cell, 3 if rng.random() < 0.2 else 1) * busy * (cell / 60) ** 0.5 * 0.6
    for _ in range(rng.randint(0, 5) if look == "subtitle" or rng.random() < 0.3 else 0):
        x, y = rng.randrange(shape[1]), rng.randrange(shape[0])
        far = (x + rng.randint(-200, 200), y + rng.randint(-80, 80))
        lighter = rng.gauss(0, 20 + busy)
        colour = tuple(float(v + lighter + rng.gauss(0, 8)) for v in base)
        if rng.random() < 0.5:
            cv2.rectangle(back, (x, y), far, colour, -1)
        else:
            cv2.line(back, (x, y), far, colour, rng.randint(1, 12))
    if look == "scene" and rng.random() < 0.08:
        _bricks(rng, back)
    if look == "subtitle":
        white = rng.uniform(215, 255)
        return np.clip(back, 0, 255), (white, white, white) if rng.random() < 0.85 else (
            40.0,
            rng.uniform(200, 240),
            250.0,
        )
    return np.clip(back, 0, 255), _against(rng, base, rng.choice((28, 45, 70, 110)))


def mount(rng: random.Random, noise: np.random.Generator, back: Array, board: Array) -> Array:
    """Puts what lies behind a board's edge round it: a car's body, a wall; often darker, sometimes with a bright rim."""
    base = np.array([rng.uniform(0, 255) for _ in range(3)], np.float32)
    base = (base * 0.3 + base.mean() * 0.7) * rng.choice((0.2, 0.5, 1.0))
    behind = np.tile(base, (*board.shape, 1)) + clouds(noise, board.shape[:2], 30) * rng.uniform(0, 30)
    if rng.random() < 0.4:
        rim = cv2.dilate(board, np.ones((5, 5), np.uint8)) - board
        behind = behind + rim[:, :, None] * rng.uniform(-80, 120)
    mixed: Array = np.clip(back * board[:, :, None] + behind * (1 - board[:, :, None]), 0, 255).astype(np.float32)
    return mixed


def _bricks(rng: random.Random, back: Array) -> None:
    """Courses of bricks: joints a little lighter or darker than the wall, every second course set off by half a brick."""
    high, wide, shift = rng.randint(8, 22), rng.randint(18, 60), rng.choice((-1, 1)) * rng.uniform(12, 45)
    joints = np.zeros(back.shape[:2], np.float32)
    for course, y in enumerate(range(rng.randrange(high), back.shape[0] + high, high)):
        joints[max(0, y - 1) : y + 1] = 1
        joints[max(0, y + 1) : y + high, (course % 2) * wide // 2 :: wide] = 1
    back += joints[:, :, None] * shift


def press(rng: random.Random, noise: np.random.Generator, ink: Array, look: str, size_px: int) -> Array:
    """What the printing does to the ink: weight, dots, gaps, dirt."""
    if rng.random() < 0.3:
        ink = ink ** rng.choice((rng.uniform(0.45, 0.8), rng.uniform(1.2, 1.8)))
    if size_px >= 30 and rng.random() < 0.18:
        kernel = np.ones((2, 2), np.uint8)
        ink = cv2.dilate(ink, kernel) if rng.random() < 0.7 or size_px < 38 else cv2.erode(ink, kernel)
    kind = rng.random()
    if look == "receipt" and kind < 0.14 and size_px >= 24:
        # dot matrix: rows and columns of pins, the gaps never wider than a stroke, so that a full stop still shows
        step = max(2.2, size_px / rng.uniform(9, 14))
        rows, columns = np.mgrid[0 : ink.shape[0], 0 : ink.shape[1]].astype(np.float32)
        pins = (np.cos(rows * 2 * np.pi / step) + np.cos(columns * 2 * np.pi / step)) * 0.25 + 0.5
        ink = np.clip(cv2.dilate(ink, np.ones((2, 2), np.uint8)) * (0.35 + 0.9 * pins), 0, 1).astype(np.float32)
    elif look in ("receipt", "scan") and kind < 0.4:
        lumps = clouds(noise, (ink.shape[0], ink.shape[1]), rng.choice((1.5, 2.5, 5, 12)))[:, :, 0]
        ink = ink * np.clip(1.0 - rng.uniform(0.05, 0.3) * np.maximum(lumps, 0), 0.3, 1)
    if look == "receipt" and rng.random() < 0.1:
        bands = np.clip(1 - rng.uniform(0.1, 0.45) * (noise.random(ink.shape[0]) < 0.15), 0, 1).astype(np.float32)
        ink = ink * bands[:, None]
    return ink.astype(np.float32)


def bend(rng: random.Random, ink: Array, extra: list[Array], look: str) -> tuple[Array, list[Array]]:
    """Slant, turn, perspective and a slight arc, the same for the ink and for what lies beside it."""
    rows, columns = ink.shape[:2]
    strength = {"scene": 1.0, "plate": 1.5, "receipt": 0.5, "scan": 0.35}.get(look, 0.15)
    if rng.random() > 0.35 + 0.5 * strength:
        return ink, extra
    turn = np.deg2rad(rng.gauss(0, 1.0 + 2.2 * strength)) * min(1.0, 500 / columns)
    shear = rng.gauss(0, 0.1 * strength) + (rng.uniform(0.1, 0.25) if rng.random() < 0.06 else 0)
    keystone = rng.gauss(0, 0.055 * strength)
    corners = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32)
    middle = np.array([columns / 2, rows / 2], np.float32)
    moved = (corners - middle) * np.array([[1.0, 1 - keystone]], np.float32)
    moved[[1, 2], 1] *= (1 + keystone) / (1 - keystone)
    moved[:, 0] -= shear * moved[:, 1]
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]], np.float32)
    moved = moved @ matrix.T
    low, high = moved.min(0), moved.max(0)
    size = (int(high[0] - low[0]) + 1, int(high[1] - low[1]) + 1)
    homography = cv2.getPerspectiveTransform(corners, (moved - low).astype(np.float32))
    out = [cv2.warpPerspective(each, homography, size, flags=cv2.INTER_LINEAR) for each in (ink, *extra)]
    if look == "scene" and rng.random() < 0.15:
        y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32)
        arc = rng.choice((-1, 1)) * rng.uniform(0.05, 0.22) * min(size[1] / 3, 40)
        y += arc * np.cos((x / size[0] - 0.5) * np.pi) - arc / 2
        out = [cv2.remap(each, x, y, cv2.INTER_LINEAR) for each in out]
    return out[0], out[1:]


def expose(rng: random.Random, noise: np.random.Generator, picture: Array, look: str) -> Array:
    """Light and sensor at the captured size: shadow, blur, noise, fax thresholds, JPEG. Float in, uint8 out."""
    rows, columns = picture.shape[:2]
    rough = {"paper": 0.35, "screen": 0.25, "subtitle": 0.55, "scan": 0.8, "receipt": 0.8, "scene": 1.0, "plate": 0.65}[
        look
    ]
    if rng.random() < 0.3 * rough:
        picture = picture * np.clip(
            1 + clouds(noise, (rows, columns), max(20, columns / rng.uniform(1, 4))) * 0.14, 0.4, 1.25
        )
    if rng.random() < 0.06 * rough:
        edge = np.clip((np.arange(columns) - rng.uniform(0, columns)) / rng.uniform(2, 30), 0, 1) * rng.uniform(
            0.15, 0.5
        )
        picture = picture * (1 - edge[None, :, None] if rng.random() < 0.5 else 1 - edge[None, ::-1, None])
    if rng.random() < 0.35 * rough:
        middle, gain = rng.uniform(90, 190), rng.uniform(0.45, 1.2)
        picture = (picture - middle) * gain + middle + rng.gauss(0, 12)
    if look == "plate" and rng.random() < 0.25:
        # a camera that lifts colours, each by its own measure, until they clip
        lifted = np.array([rng.uniform(0.8, 1.9) for _ in range(3)], np.float32)
        picture = (picture - 110) * lifted + 110 + rng.gauss(0, 15)
    if rng.random() < 0.45 * rough:
        picture = cv2.GaussianBlur(
            picture.astype(np.float32), (0, 0), rng.uniform(0.3, 0.045 * rows if rows > 20 else 0.8)
        )
    if rng.random() < 0.12 * rough:
        length = rng.choice((3, 5)) if rows > 24 else 3
        kernel = np.zeros((length, length), np.float32)
        if rng.random() < 0.7:
            kernel[length // 2] = 1 / length
        else:
            np.fill_diagonal(kernel, 1 / length)
        picture = cv2.filter2D(picture.astype(np.float32), -1, kernel)
    if rng.random() < 0.5 * rough:
        grain = noise.standard_normal((rows, columns, 1 if rng.random() < 0.6 else 3)).astype(np.float32)
        picture = picture + grain * rng.uniform(1, 14) * rough
    out = np.clip(picture, 0, 255).astype(np.uint8)
    if look == "scan" and rng.random() < 0.28:
        # a fax: one threshold for all, speckles, and often a second, smoother scan on top
        grey = cv2.cvtColor(out, cv2.COLOR_BGR2GRAY)
        low, high = float(np.percentile(grey, 2)), float(np.percentile(grey, 85))
        black = (grey > low + (high - low) * rng.uniform(0.45, 0.72)).astype(np.uint8) * 255
        specks = noise.random(grey.shape) < rng.choice((0, 0, 0.002, 0.01))
        black[specks] = 255 - black[specks]
        out = cv2.cvtColor(black, cv2.COLOR_GRAY2BGR)
    if rng.random() < 0.35:
        quality = rng.randint(25 if rough > 0.5 else 45, 92)
        packed = cv2.imencode(".jpg", out, (cv2.IMWRITE_JPEG_QUALITY, quality))[1]
        out = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    return out
