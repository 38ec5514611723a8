"""A labelled picture of a line: text, ink, neighbours, surface, crop, capture. One seed, one picture."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import cv2
import numpy as np

from training import degrade, draw, texts

Array = np.ndarray[Any, np.dtype[Any]]
HEIGHT = 32
# What the vocabulary lacks, and the closest sign it has.
STAND_INS = str.maketrans({"–": "-", "−": "-", "‘": "‘", "’": "'", "£": "￡", "•": "·"})


@dataclasses.dataclass(frozen=True)
class Sample:
    """`picture` is BGR uint8, HEIGHT rows; `kind` names the text source, `look` the surroundings."""

    picture: Array
    text: str
    kind: str
    look: str


class Renderer:
    """Draws samples whose every character is in `characters`. Seeded by the caller: `sample(seed)` is repeatable."""

    def __init__(
        self, characters: list[str], held_out: bool = False, max_width: int = 960, kinds: tuple[str, ...] = ()
    ) -> None:
        self.known = frozenset(characters)
        self.pool = "".join(c for c in characters if "一" <= c <= "鿿")
        self.held_out = held_out
        self.max_width = max_width
        self.kinds = kinds

    def sample(self, seed: int) -> Sample:
        """One labelled picture, at most `max_width` wide."""
        rng = random.Random(seed)
        noise = np.random.default_rng(seed)
        while True:
            text = texts.draw(rng, self.pool, self.kinds)
            words = "".join(c for c in text.text.translate(STAND_INS) if c in self.known).strip()
            style = draw.style_for(rng, words, text.look, self.held_out) if words else None
            if style is None:
                continue
            picture = self._picture(rng, noise, words, text.look, style)
            if picture is None:
                continue
            width = picture.shape[1] * HEIGHT / picture.shape[0]
            if 4 * len(words) <= width <= self.max_width:
                return Sample(picture, words, text.kind, text.look)

    def _picture(
        self, rng: random.Random, noise: np.random.Generator, text: str, look: str, style: draw.Style
    ) -> Array | None:
        ink, (top, bottom) = draw.set_plate(rng, text, style) if look == "plate" else draw.set_line(rng, text, style)
        if ink.shape[1] > 3600:
            return None
        ink = degrade.press(rng, noise, ink, look, style.size_px)
        beside = self._beside(rng, ink, text, look, style, top, bottom)
        band = np.zeros_like(ink)
        columns = np.flatnonzero(ink.max(0) > 0.25)
        if columns.size == 0:
            return None
        band[top:bottom, columns[0] : columns[-1] + 1] = 1.0
        board = self._board(rng, ink, look, top, bottom, int(columns[0]), int(columns[-1]) + 1)
        extra = [beside, band] if board is None else [beside, band, board]
        ink, bent = degrade.bend(rng, ink, extra, look)
        beside, band, board = bent[0], bent[1], None if board is None else bent[2]
        box = self._crop(rng, ink, band, look)
        if box is None:
            return None
        x0, y0, x1, y1 = box
        ink, beside = _window(ink, box), _window(beside, box)
        shape = (y1 - y0, x1 - x0)
        back, colour = degrade.surface(rng, noise, shape, look)
        if board is not None:
            back = degrade.mount(rng, noise, back, _window(board, box))
        picture = self._paint(rng, noise, back, ink, beside, colour, look, style)
        captured = self._capture_height(rng, look, shape[0])
        if captured != shape[0]:
            wide = max(4, round(shape[1] * captured / shape[0]))
            picture = cv2.resize(
                picture, (wide, captured), interpolation=cv2.INTER_AREA if captured < shape[0] else cv2.INTER_CUBIC
            )
        return self._captured(rng, noise, picture, look)

    def _captured(self, rng: random.Random, noise: np.random.Generator, picture: Array, look: str) -> Array:
        """What the camera or scanner makes of the line; float in, uint8 of HEIGHT rows out."""
        out = degrade.expose(rng, noise, picture, look)
        return to_height(
            out, rng.choice((cv2.INTER_LINEAR, cv2.INTER_LINEAR, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA))
        )

    def _beside(
        self, rng: random.Random, ink: Array, text: str, look: str, style: draw.Style, top: int, bottom: int
    ) -> Array:
        """Ink that is no part of the text: lines above and below, rules, boxes, table bars."""
        out = np.zeros_like(ink)
        high = bottom - top
        columns = np.flatnonzero(ink.max(0) > 0.25)
        left, right = (int(columns[0]), int(columns[-1])) if columns.size else (0, ink.shape[1])
        if look == "plate":
            if rng.random() < 0.85:
                aside, above = rng.randint(6, 14), rng.randint(8, 18)
                cv2.rectangle(
                    out,
                    (left - aside, top - above),
                    (right + aside + rng.randint(-2, 2), bottom + above + rng.randint(-3, 3)),
                    rng.uniform(0.5, 1),
                    rng.choice((2, 3)),
                )
            for at in (0.2, 0.8):
                if rng.random() < 0.4:
                    cv2.circle(
                        out,
                        (int(left + (right - left) * at), top - rng.randint(4, 12)),
                        rng.randint(3, 6),
                        rng.uniform(0.3, 1),
                        -1,
                    )
            return out
        if look in ("paper", "scan", "receipt", "scene") and rng.random() < (0.35 if look != "scene" else 0.12):
            other, _ = draw.set_line(rng, text[::-1], style)
            pitch = int(high * rng.uniform(1.12, 1.7))
            for shift in (-pitch, pitch):
                if rng.random() < 0.75:
                    aside = rng.randint(-style.size_px, style.size_px)
                    moved = cv2.warpAffine(
                        other, np.array([[1, 0, aside], [0, 1, shift]], np.float32), (ink.shape[1], ink.shape[0])
                    )
                    if shift < 0:
                        moved[top:] = 0
                    else:
                        moved[: bottom + round(high * 0.22)] = 0
                    out = np.maximum(out, moved)
        if look in ("scene", "scan", "receipt", "screen") and rng.random() < (0.3 if look == "scene" else 0.12):
            # a neighbour on the same line, a word's gap away: a wide crop shows a piece of it, which is not to be read
            gap = int(high * rng.uniform(0.35, 0.7))
            side = rng.random()
            if side < 0.6:
                piece = ink[:, left : left + high // 2]
                at = right + gap
                out[:, at : at + piece.shape[1]] = np.maximum(
                    out[:, at : at + piece.shape[1]], piece[:, : max(0, out.shape[1] - at)]
                )
            if side > 0.4:
                piece = ink[:, max(left, right - high // 2) : right + 1]
                at = max(0, left - gap - piece.shape[1])
                width = max(0, left - gap - at)
                if width:
                    out[:, at : at + width] = np.maximum(out[:, at : at + width], piece[:, piece.shape[1] - width :])
        rule = rng.random()
        thick = rng.choice((1, 1, 2, max(1, style.size_px // 16)))
        if rule < 0.09 and look != "subtitle":
            y = bottom + int(high * rng.uniform(0.06, 0.3))
            cv2.line(
                out,
                (rng.choice((0, left)), y),
                (rng.choice((right, ink.shape[1])), y + rng.choice((0, 0, 1, -1))),
                rng.uniform(0.5, 1),
                thick,
            )
        elif rule < 0.14 and look in ("scan", "receipt", "paper", "screen"):
            pad = int(high * rng.uniform(0.15, 0.5))
            cv2.rectangle(out, (left - pad, top - pad), (right + pad, bottom + pad), rng.uniform(0.4, 1), thick)
        elif rule < 0.17 and look in ("scan", "paper"):
            x = rng.choice((left - int(high * rng.uniform(0.15, 0.4)), right + int(high * rng.uniform(0.15, 0.4))))
            cv2.line(out, (x, 0), (x, ink.shape[0]), rng.uniform(0.5, 1), thick)
        elif rule < 0.19 and look in ("scan", "paper"):
            y = top - int(high * rng.uniform(0.08, 0.3))
            cv2.line(out, (0, y), (ink.shape[1], y), rng.uniform(0.5, 1), thick)
        return out

    def _board(
        self, rng: random.Random, ink: Array, look: str, top: int, bottom: int, left: int, right: int
    ) -> Array | None:
        """The plate or sign board that the text stands on, 1 inside it; None where the ground has no edge nearby."""
        if look not in ("plate", "scene") or rng.random() > (0.85 if look == "plate" else 0.12):
            return None
        high = bottom - top
        aside, above = (round(high * rng.uniform(*span)) for span in ((0.12, 0.3), (0.2, 0.36)))
        board = np.zeros_like(ink)
        cv2.rectangle(board, (left - aside, top - above), (right + aside, bottom + above), 1.0, -1)
        return board

    def _crop(self, rng: random.Random, ink: Array, band: Array, look: str) -> tuple[int, int, int, int] | None:
        """The window (left, top, right, bottom) a detector or a person would have cut; may reach outside the canvas."""
        rows, columns = np.flatnonzero(ink.max(1) > 0.3), np.flatnonzero(ink.max(0) > 0.3)
        lines = np.flatnonzero(band.max(1) > 0.5)
        if rows.size == 0 or lines.size == 0:
            return None
        high = int(lines[-1] - lines[0]) + 1
        y0, y1 = int(rows[0]), int(rows[-1]) + 1
        if y1 - y0 < 0.62 * high or rng.random() < 0.35:
            y0, y1 = min(y0, int(lines[0])), max(y1, int(lines[-1]) + 1)
        x0, x1 = int(columns[0]), int(columns[-1]) + 1
        tall = y1 - y0

        def margin() -> float:
            if look == "plate" and rng.random() < 0.75:
                return rng.uniform(0.1, 0.5)  # the whole plate is cut out, its rim included
            kind = rng.random()
            if kind < 0.12:
                return rng.uniform(-0.1, 0.0)
            return (
                rng.uniform(0.0, 0.1)
                if kind < 0.5
                else rng.uniform(0.08, 0.25)
                if kind < 0.88
                else rng.uniform(0.2, 0.4)
            )

        def side() -> float:
            if look == "plate" and rng.random() < 0.75:
                return rng.uniform(0.03, 0.35)
            kind = rng.random()
            if kind < 0.45:
                return rng.uniform(-0.02, 0.06)
            return rng.uniform(0.05, 0.3) if kind < 0.85 else rng.uniform(0.3, 1.0)

        same = rng.random() < 0.5
        above = margin()
        below = above if same else margin()
        before = side()
        after = before if same else side()
        return x0 - round(before * tall), y0 - round(above * tall), x1 + round(after * tall), y1 + round(below * tall)

    def _paint(
        self,
        rng: random.Random,
        noise: np.random.Generator,
        back: Array,
        ink: Array,
        beside: Array,
        colour: degrade.Colour,
        look: str,
        style: draw.Style,
    ) -> Array:
        paint = np.array(colour, np.float32)
        shade = paint if rng.random() < 0.7 else np.clip(paint + rng.uniform(-50, 50), 0, 255)
        picture = back * (1 - beside[:, :, None]) + shade * beside[:, :, None]
        outline = (look == "subtitle" and rng.random() < 0.85) or (look == "scene" and rng.random() < 0.15)
        if outline:
            reach = rng.randint(1, max(2, style.size_px // 12))
            edge = cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2))
            if rng.random() < 0.4:
                shift = np.array([[1, 0, rng.randint(0, 3)], [0, 1, rng.randint(0, 3)]], np.float32)
                edge = cv2.GaussianBlur(
                    cv2.warpAffine(edge, shift, (edge.shape[1], edge.shape[0])), (0, 0), 1 + reach / 2
                )
            dark = 255.0 if float(paint.mean()) < 110 else rng.uniform(0, 40)
            picture = picture * (1 - edge[:, :, None]) + dark * edge[:, :, None]
        elif look == "scene" and rng.random() < 0.15:
            depth = rng.randint(1, max(2, style.size_px // 14))
            cast = cv2.warpAffine(
                ink, np.array([[1, 0, depth], [0, 1, depth]], np.float32), (ink.shape[1], ink.shape[0])
            )
            picture = picture * (1 - cast[:, :, None] * rng.uniform(0.3, 0.9))
        if look == "scene" and rng.random() < 0.3:
            paint = np.clip(
                paint + degrade.clouds(noise, (ink.shape[0], ink.shape[1]), 25) * rng.uniform(3, 18), 0, 255
            )
        return picture * (1 - ink[:, :, None]) + paint * ink[:, :, None]

    def _capture_height(self, rng: random.Random, look: str, have: int) -> int:
        """Rows of the line as captured; small ones lose detail that the enlargement to 32 rows cannot bring back."""
        low, high = {
            "paper": (14, 44),
            "scan": (12, 40),
            "receipt": (16, 60),
            "screen": (13, 44),
            "scene": (16, 90),
            "plate": (16, 44),
            "subtitle": (28, 80),
        }[look]
        want = round(low * (high / low) ** rng.random())
        return have if look == "screen" and rng.random() < 0.3 else max(10, min(want, have + 4))


def _window(plane: Array, box: tuple[int, int, int, int]) -> Array:
    """A window of a plane, zeros outside it."""
    x0, y0, x1, y1 = box
    left, top = max(0, -x0), max(0, -y0)
    right, bottom = max(0, x1 - plane.shape[1]), max(0, y1 - plane.shape[0])
    inside = plane[max(0, y0) : max(0, y1), max(0, x0) : max(0, x1)]
    return cv2.copyMakeBorder(inside, top, bottom, left, right, cv2.BORDER_CONSTANT, value=0.0)


def to_height(picture: Array, interpolation: int = cv2.INTER_LINEAR) -> Array:
    """Scales a BGR picture to HEIGHT rows, its proportions kept."""
    width = max(4, round(picture.shape[1] * HEIGHT / picture.shape[0]))
    return cv2.resize(picture, (width, HEIGHT), interpolation=interpolation)
