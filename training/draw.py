"""Text to ink: glyphs from a cache, set side by side into a mask of coverage (float32, 0 to 1)."""

from __future__ import annotations

import dataclasses
import functools
import random
import re
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw

from training.fonts import Face, coverage, faces, opened

Array = np.ndarray[Any, np.dtype[Any]]
SIZES_PX = (16, 20, 24, 30, 38, 48, 60)


@dataclasses.dataclass(frozen=True)
class Glyph:
    """Coverage of one character (uint8), where its top left corner lies from the pen (pixels), and how far the pen moves."""

    ink: Array
    left: int
    top: int
    advance: float


@functools.lru_cache(maxsize=40000)
def glyph(face: Face, size_px: int, character: str) -> Glyph:
    """One character of a face at an em size; the vertical origin is the line's ascender."""
    font = opened(face, size_px)
    box = font.getbbox(character)
    left, top, right, bottom = (int(v) for v in box)
    image = Image.new("L", (max(1, right - left), max(1, bottom - top)))
    ImageDraw.Draw(image).text((-left, -top), character, font=font, fill=255)
    return Glyph(np.asarray(image), left, top, float(font.getlength(character)))


@dataclasses.dataclass(frozen=True)
class Style:
    """How a line is set: the face for each script, the em size, and the gaps between its glyphs as shares of the em."""

    chinese: Face
    latin: Face
    size_px: int
    tracking: float = 0.0
    jitter: float = 0.0
    stretch: float = 1.0
    ligatures: bool = False


LIGATURES = {"ffi": "ﬃ", "ffl": "ﬄ", "fi": "ﬁ", "fl": "ﬂ", "ff": "ﬀ"}
WIDE = frozenset("，。、；：！？（）《》“”‘’【】…—·￥％／～■□☆★○●＋－＝")


def _is_chinese(character: str) -> bool:
    return character >= "⺀" or character in WIDE


def fits(style: Style, text: str) -> bool:
    """Whether the style's faces have a glyph for every character."""
    return all(c == " " or c in coverage(style.chinese if _is_chinese(c) else style.latin) for c in text)


LATIN_OF_LOOK = {
    "paper": ("serif", "serif", "serif", "sans", "sans", "narrow", "mono"),
    "scan": ("sans", "serif", "mono", "mono", "narrow", "sans", "hand"),
    "receipt": ("mono", "mono", "sans", "narrow", "sans", "geometric", "serif"),
    "screen": ("sans", "sans", "mono", "serif", "hand"),
    "scene": ("sans", "sans", "narrow", "geometric", "serif", "serif", "display", "hand"),
    "plate": ("narrow", "narrow", "sans"),
    "subtitle": ("sans",),
}
CHINESE_OF_LOOK = {
    "paper": ("zh-song", "zh-song", "zh-hei", "zh-kai", "zh-kai", "zh-fang", "zh-kai"),
    "scan": ("zh-song", "zh-hei", "zh-kai", "zh-fang", "zh-hand", "zh-song"),
    "receipt": ("zh-hei", "zh-song", "zh-pixel", "zh-hei", "zh-fang"),
    "screen": ("zh-hei", "zh-hei", "zh-song", "zh-kai", "zh-pixel"),
    "scene": ("zh-hei", "zh-kai", "zh-song", "zh-round", "zh-hand", "zh-hei", "zh-fang"),
    "plate": ("zh-hei",),
    "subtitle": ("zh-hei", "zh-hei", "zh-hei", "zh-kai", "zh-round"),
}


@functools.cache
def _by_style(prefix: str, held_out: bool) -> tuple[Face, ...]:
    if held_out:
        return tuple(
            f for f in faces() if f.held_out and f.chinese == prefix.startswith("zh") and "hard" not in f.style
        )
    return tuple(f for f in faces() if not f.held_out and (f.style == prefix or f.style == f"{prefix}-tw"))


@functools.cache
def _families(prefix: str, held_out: bool) -> tuple[tuple[Face, ...], ...]:
    """Faces by file stem, so that a family with ten weights is not met ten times as often."""
    groups: dict[str, list[Face]] = {}
    for face in _by_style(prefix, held_out):
        stem = face.path.rsplit("/", 1)[1].split("-")[0].split(".")[0]
        groups.setdefault(f"{stem}{face.index}", []).append(face)
    return tuple(tuple(group) for group in groups.values())


def _face(rng: random.Random, styles: tuple[str, ...], held_out: bool) -> Face:
    families = _families(rng.choice(styles), held_out)
    while not families:
        families = _families(rng.choice((*styles, "zh-hei" if styles[0].startswith("zh") else "sans")), held_out)
    return rng.choice(rng.choice(families))


def _sizes(text: str, look: str) -> tuple[int, ...]:
    """Em sizes worth drawing: long lines are not drawn larger than they will be looked at."""
    most = {"scene": 60, "subtitle": 48}.get(look, 38)
    if len(text) > 24:
        most = 30
    return tuple(size for size in SIZES_PX if size <= most and (look != "scene" or size >= 24))


def _plate_style(rng: random.Random, held_out: bool) -> Style | None:
    """Upright narrow faces, which come nearest to the plates' own lettering; of one weight for both scripts."""
    thin = rng.random() < 0.5
    bold = (
        ("Regular", "Medium", "Light", "wqy")
        if thin
        else ("Bold", "Black", "SemiBold", "Semibold", "zenhei", "heib", "microhei")
    )
    zh = [f for f in _by_style("zh-hei", held_out) if held_out or any(word in f.path for word in bold)]
    latin = [
        f for style in ("narrow", "sans") for f in _by_style(style, held_out) if held_out or thin != ("Bold" in f.path)
    ]
    latin = [f for f in latin if "Italic" not in f.path] or [
        f for style in ("narrow", "sans") for f in _by_style(style, held_out)
    ]
    # a machine with few fonts may have no bold ones
    zh, latin = zh or list(_by_style("zh-hei", held_out)), latin or list(_by_style("sans", held_out))
    return Style(chinese=rng.choice(zh), latin=rng.choice(latin), size_px=60) if zh and latin else None


def style_for(rng: random.Random, text: str, look: str, held_out: bool = False, tries: int = 12) -> Style | None:
    """A style whose faces can draw `text`, or None where none was met in `tries` draws."""
    for _ in range(tries):
        if look == "plate":
            plate = _plate_style(rng, held_out)
            if plate is not None and fits(plate, text.replace("·", "")):
                return plate
            continue
        zh = _face(rng, CHINESE_OF_LOOK[look], held_out)
        own = any(_is_chinese(c) for c in text) and rng.random() < 0.35
        style = Style(
            chinese=zh,
            latin=zh if own and "hand" not in zh.style else _face(rng, LATIN_OF_LOOK[look], held_out),
            size_px=rng.choice(_sizes(text, look)),
            tracking=0.0 if rng.random() < 0.6 else rng.choice((rng.uniform(-0.05, 0.06), rng.uniform(0.0, 0.35))),
            jitter=rng.uniform(0.01, 0.05) if rng.random() < 0.12 else 0.0,
            stretch=rng.uniform(0.75, 1.3) if rng.random() < 0.35 else 1.0,
            ligatures=look in ("paper", "scan") and rng.random() < 0.5,
        )
        if fits(style, text):
            return style
    return None


def _signs(text: str, style: Style) -> list[str]:
    """The signs to draw: characters, or ligatures where the style joins letters and its face has them."""
    if not style.ligatures:
        return list(text)
    known = coverage(style.latin)
    usable = {letters: sign for letters, sign in LIGATURES.items() if sign in known}
    if not usable:
        return list(text)
    return [usable.get(part, part) for part in re.findall("|".join(usable) + "|.", text)]


def set_line(rng: random.Random, text: str, style: Style) -> tuple[Array, tuple[int, int]]:
    """Draws `text` and returns its ink with a margin of one em all round, and the nominal (top, bottom) rows of the line."""
    size = style.size_px
    pen, placed = 0.0, []
    ascender = {face: opened(face, size).getmetrics()[0] for face in (style.chinese, style.latin)}
    baseline = max(ascender.values())
    for character in _signs(text, style):
        face = style.chinese if _is_chinese(character) and character not in LIGATURES.values() else style.latin
        if character == " ":
            pen += max(0.18, min(0.6, glyph(style.latin, size, " ").advance / size * rng.uniform(0.9, 1.25))) * size
            continue
        drawn = glyph(face, size, character)
        drop = baseline - ascender[face] + round(rng.gauss(0, style.jitter) * size)
        placed.append((drawn, pen, drop))
        pen += drawn.advance + style.tracking * size * (1.0 if style.tracking < 0.08 or len(text) < 14 else 0.4)
    width = int(pen) + 3 * size
    canvas = np.zeros((baseline + 3 * size, width), np.uint8)
    for drawn, at, drop in placed:
        x, y = size + round(at) + drawn.left, size + drawn.top + drop
        x, y = max(0, x), max(0, y)
        h = min(drawn.ink.shape[0], canvas.shape[0] - y)
        w = min(drawn.ink.shape[1], canvas.shape[1] - x)
        spot = canvas[y : y + h, x : x + w]
        np.maximum(spot, drawn.ink[:h, :w], out=spot)
    if style.stretch != 1.0:
        canvas = cv2.resize(canvas, (max(1, int(width * style.stretch)), canvas.shape[0]), interpolation=cv2.INTER_AREA)
    # Chinese fills the em box; Latin reaches from a capital's top to the baseline, descenders below.
    chinese = any(_is_chinese(c) for c in text)
    top = size + baseline - round(size * (0.86 if chinese else 0.74))
    bottom = size + baseline + round(size * (0.12 if chinese else 0.03))
    return canvas.astype(np.float32) / 255.0, (top, bottom)


def set_plate(rng: random.Random, text: str, style: Style) -> tuple[Array, tuple[int, int]]:
    """A number plate's signs, each fitted to the 45 x 90 mm cell of GA 36, the dot between the second and third."""
    high, wide = 72, rng.choice((34, 36, 38))
    gap = rng.choice((8, 10, 11))
    bare = rng.random() < 0.5  # a 1 without its flag, as many plates have it
    cells: list[Array] = []
    for character in text:
        if character == "·":
            cell = np.zeros((high, gap + 10), np.uint8)
            cv2.circle(cell, (cell.shape[1] // 2, high // 2), rng.choice((4, 5)), 255, -1)
            cells.append(cell)
            continue
        if character == "-":
            cell = np.zeros((high, wide), np.uint8)
            cell[high // 2 - 4 : high // 2 + 4, 6 : wide - 6] = 255
            cells.append(cell)
            continue
        face = style.chinese if _is_chinese(character) else style.latin
        ink = glyph(face, 60, character).ink
        rows, columns = np.flatnonzero(ink.max(1) > 60), np.flatnonzero(ink.max(0) > 60)
        ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        narrow = 12 if character == "1" else wide
        if character == "1" and bare:
            ink = np.full((high, narrow), 255, np.uint8)
        cell = np.zeros((high, wide + gap), np.uint8)
        left = gap // 2 + (wide - narrow) // 2
        cell[:, left : left + narrow] = cv2.resize(ink, (narrow, high), interpolation=cv2.INTER_AREA)
        cells.append(cell)
    row = np.hstack(cells)
    if rng.random() < 0.6:  # seen from the side, or brought to one shape whatever its own was
        row = cv2.resize(row, (round(row.shape[1] * rng.uniform(0.8, 1.4)), high), interpolation=cv2.INTER_AREA)
    canvas = np.pad(row, 60).astype(np.float32) / 255.0
    return canvas, (60, 60 + high)
