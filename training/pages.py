"""Parts of pages as the detector sees them: receipts, forms, tables, prose, screens, signs, upright columns. No labels: the
published detector says where their lines are (`detector.py`). One seed, one picture."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable

import cv2
import numpy as np

from training import degrade, draw, layouts
from training.dataset import Array

KINDS = {
    "receipt": ("receipt", "figures", "form"), "form": ("form", "figures", "en", "zh", "compound"), "prose": ("en", "paper", "zh", "zh-mixed", "zh-tw"),
    "table": ("figures", "form", "receipt", "zh", "compound"), "screen": ("screen", "web", "zh", "en", "compound", "figures"), "scene": ("street", "sign", "plate", "rare"),
    "columns": ("zh", "zh-tw", "rare"),
}  # fmt: skip
MIX = (("receipt", 22), ("form", 20), ("prose", 16), ("table", 14), ("screen", 14), ("scene", 9), ("columns", 5))
LOOKS = {
    "receipt": ("receipt", "receipt", "scan"), "form": ("scan", "scan", "paper"), "prose": ("paper", "paper", "scan"), "table": ("paper", "scan", "screen"),
    "screen": ("screen",), "scene": ("scene",), "columns": ("paper", "scan", "scene"),
}  # fmt: skip
EM_PX = {
    "receipt": (9, 19),
    "form": (8, 18),
    "prose": (9, 19),
    "table": (8, 18),
    "screen": (8, 22),
    "scene": (12, 70),
    "columns": (12, 34),
}
ON_DESK = 0.15  # share of documents whose edge is in the picture
ZOOMS = (1.0, 1.25, 1.6, 2.0, 2.5)  # how much larger a page was captured than the detector sees it


class Pages:
    """Draws parts of pages of `side` pixels. `characters` are those that its texts may hold beside ASCII."""

    def __init__(self, characters: list[str], side: int = 320) -> None:
        self.side = side
        self.pool = "".join(c for c in characters if "一" <= c <= "鿿")
        self._layouts: dict[str, Callable[[layouts.Sheet], None]] = {
            "receipt": layouts.receipt, "form": layouts.form, "prose": layouts.prose, "table": layouts.table, "screen": layouts.screen, "scene": layouts.scene, "columns": layouts.columns,
        }  # fmt: skip

    def sample(self, seed: int) -> Array:
        """One picture, BGR uint8 (side, side, 3)."""
        rng, noise = random.Random(seed), np.random.default_rng(seed)
        layout = rng.choices([name for name, _ in MIX], weights=[weight for _, weight in MIX])[0]
        look = rng.choice(LOOKS[layout])
        low, high = EM_PX[layout]
        em = low * (high / low) ** rng.random()  # as the detector sees it
        zoom = rng.choice(ZOOMS) if em < 24 else 1.0
        size = min(layouts.SIZES_PX, key=lambda each: abs(each - em * zoom))
        zoom = size / em
        edge = max(64, round(self.side * zoom))
        style = None
        while style is None:
            style = draw.style_for(rng, "0Aa" if rng.random() < 0.6 else "0Aa的", look)
        sheet = layouts.Sheet(
            rng, np.zeros((edge, edge), np.float32), np.zeros((edge, edge, 3), np.float32),
            dataclasses.replace(style, size_px=size), KINDS[layout], self.pool,
        )  # fmt: skip
        self._layouts[layout](sheet)
        ink = degrade.press(rng, noise, sheet.ink, look, size)
        ink, tint = _moved(rng, layout, ink, sheet.tint)
        back, colour = degrade.surface(rng, noise, (edge, edge), look)
        back = np.clip(back + tint, 0, 255)
        dark = np.asarray(colour, np.float32)
        if layout == "screen":  # letters stand out from the field that they are on
            bright = back @ np.array([0.114, 0.587, 0.299], np.float32)
            tone = np.where(bright > 128, rng.uniform(0, 70), rng.uniform(185, 255)).astype(np.float32)
            picture = back * (1 - ink[:, :, None]) + tone[:, :, None] * ink[:, :, None]
        else:
            picture = back * (1 - ink[:, :, None]) + dark * ink[:, :, None]
        if layout not in ("screen", "scene") and rng.random() < ON_DESK:
            picture = _on_desk(rng, noise, picture)
        seen = degrade.expose(rng, noise, picture.astype(np.float32), look, round(1.4 * size))
        if rng.random() < 0.04:
            seen = 255 - seen
        way = cv2.INTER_AREA if edge > self.side else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(seen, (self.side, self.side), interpolation=way), np.uint8)


def _on_desk(rng: random.Random, noise: np.random.Generator, picture: Array) -> Array:
    """The page ends at one or two straight edges, and what it lies on begins: seldom quite level, darker or lighter, shaded."""
    rows, columns = picture.shape[:2]
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    base = np.array([rng.uniform(0, 255) for _ in range(3)], np.float32)
    dull = rng.uniform(0.5, 1.0)
    base = base * (1 - dull) + base.mean() * dull
    desk = base + degrade.clouds(noise, (rows, columns), rng.choice((4, 30, 120))) * rng.uniform(0, 12)
    for side in rng.sample(range(4), rng.choice((1, 1, 2))):
        lean = np.tan(np.deg2rad(rng.gauss(0, 3)))
        along, across = (x, y) if side % 2 else (y, x)
        away = rng.uniform(0.04, 0.3) * rows + lean * (along - rows / 2)
        outside = across < away if side < 2 else across > rows - away
        shade = 1 - rng.choice((0.0, 0.25)) * np.exp(-np.abs(across - (away if side < 2 else rows - away)) / 6)
        picture = np.where(outside[:, :, None], desk * shade[:, :, None], picture)
    return np.clip(picture, 0, 255).astype(np.float32)


def _moved(rng: random.Random, layout: str, ink: Array, tint: Array) -> tuple[Array, Array]:
    """Turned a little, or much, or by a right angle; seen from the side now and then."""
    edge = ink.shape[0]
    if layout != "scene" and rng.random() < 0.07:
        turns = rng.choice((1, 2, 3))
        return np.rot90(ink, turns).copy(), np.rot90(tint, turns).copy()
    chance = rng.random()
    if chance < 0.45 and layout != "scene":
        return ink, tint
    degrees = rng.gauss(0, 1.2) if chance < 0.85 else rng.uniform(-20, 20)
    matrix = np.vstack([cv2.getRotationMatrix2D((edge / 2, edge / 2), degrees, rng.uniform(0.98, 1.05)), [0, 0, 1]])
    if layout == "scene" or chance > 0.9:
        corners = np.array([[0, 0], [edge, 0], [edge, edge], [0, edge]], np.float32)
        away = np.array([[rng.gauss(0, 0.06 * edge) for _ in range(2)] for _ in range(4)], np.float32)
        matrix = cv2.getPerspectiveTransform(corners, corners + away) @ matrix
    return (
        cv2.warpPerspective(ink, matrix, (edge, edge), flags=cv2.INTER_LINEAR),
        cv2.warpPerspective(tint, matrix, (edge, edge), flags=cv2.INTER_LINEAR),
    )


def contact(seed: int, characters: list[str], rows: int = 4, columns: int = 7) -> Array:
    """Many samples in one picture, to be looked at."""
    pages = Pages(characters)
    every = [pages.sample(seed + at) for at in range(rows * columns)]
    return np.vstack([np.hstack(every[at * columns : (at + 1) * columns]) for at in range(rows)])
