"""Ruled lines of a page: the strokes that tables, forms and boxes are drawn with, level and upright.

A rule is thin and long: the black top-hat across it leaves what is thinner than half a glyph, and the opening along it what is
longer than a glyph (Serra 1982, chapters 11 and 12). What is left is joined where it lies on one line.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.reading import strokes
from worker.reading.components import components
from worker.reading.tables.level import Lean

LEAST_GLYPH_PX = 12.0  # typical glyph of the picture on which rules are sought, before it is halved again
TURNED_GLYPH_PX = 16.0  # the same of one that was turned level
LOOK_MOST_PX = 4_000_000  # its pixels, at most
CONTRAST = 12  # grey levels that a rule differs from both of its sides by: pale grey ones are drawn with 17
INK = 24  # grey levels that other ink does
THIN = 0.5  # of a glyph, at most
PIECE = 1.4  # glyphs: shorter pieces are strokes of letters
DASH_GAP, DASH_GAP_PX = 0.2, 5  # twice of a glyph, or pixels, between two dashes of one rule, at most
DASH_THIN, DASH_LONG, DASH_LONG_PX = 0.25, 0.5, 8.0  # glyphs, or pixels, at most
DASH_CORNER = 0.45  # of its bounds that ink fills where two dashes cross, at most
DASHED = 1.0  # glyphs of such a rule between two crossings, at least
EDGE = 6  # grey levels between two tones that meet
LEVEL_EDGE, UPRIGHT_EDGE = 5.0, 2.0  # glyphs of such an edge, at least
LEANING = 5.0  # glyphs of a rule whose direction counts
CLIMB = 0.1  # of its length that a piece may climb
SLOPE_PX = 3  # a piece may climb by so much over its length
JOIN_GAP = 1.2  # glyphs between two pieces of one rule
JOIN_SHIFT = 0.3  # glyphs by which they may lie beside each other
LEVEL_LENGTH, UPRIGHT_LENGTH = 3.0, 1.5  # glyphs, of a whole rule


@dataclass(frozen=True, slots=True)
class Rule:
    """A stroke along one axis: it runs from `start` to `end` at `at` on the other axis (its middle), in pixels. An `edge` is no
    stroke but where two tones meet."""

    at: float
    start: float
    end: float
    edge: bool = False

    @property
    def length(self) -> float:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Ruling:
    """The level and the upright rules of a picture, in its pixels; how long ones of both kinds lean (see `level.Lean`); and where it has thin
    ink, 0 or 1, at `scale` times its size."""

    level: list[Rule]
    upright: list[Rule]
    climbs: list[Lean]
    leans: list[Lean]
    ink: NDArray[np.uint8]
    scale: float


def scale_of(width: int, height: int, glyph_px: float, turned: bool) -> float:
    """How many times its size a page with such glyphs is looked at: halved as often as its glyphs and its size allow, for other scales
    take many times as long. What was turned is sampled anew anyhow, and is best averaged over a little more than a pixel."""
    if turned:
        return min(1.0, TURNED_GLYPH_PX / glyph_px, math.sqrt(LOOK_MOST_PX / (width * height)))
    scale = 1.0
    while glyph_px * scale >= 2 * LEAST_GLYPH_PX or width * height * scale * scale > LOOK_MOST_PX:
        scale /= 2
    return scale


def find(grey: NDArray[np.uint8], glyph_px: float, scale: float) -> Ruling:
    """The rules of a page with glyphs `glyph_px` high whose text runs level, given in grey at `scale` times its size."""
    glyph = glyph_px * scale
    leans: tuple[list[Lean], list[Lean]] = ([], [])
    lying, standing = _dashes(grey, glyph)
    level = [_scaled(rule, scale) for rule in _along(grey, lying, glyph, LEVEL_EDGE, LEVEL_LENGTH, leans[0])]
    turned, dashes = (np.asarray(cv2.transpose(way), np.uint8) for way in (grey, standing))
    upright = [_scaled(rule, scale) for rule in _along(turned, dashes, glyph, UPRIGHT_EDGE, UPRIGHT_LENGTH, leans[1])]
    thin = _thin(glyph)
    ink = _above(cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, np.ones((thin, thin), np.uint8)), INK)
    climbs, tilts = ([(at / scale, climb, length / scale) for at, climb, length in way] for way in leans)
    return Ruling(level, upright, climbs, tilts, ink, scale)


def _thin(glyph: float) -> int:
    """The height, in pixels, that a rule is lower than: odd."""
    return 2 * max(2, round(THIN * glyph / 2)) + 1


def _scaled(rule: Rule, scale: float) -> Rule:
    return Rule((rule.at + 0.5) / scale, rule.start / scale, rule.end / scale, rule.edge)


def _dashes(grey: NDArray[np.uint8], glyph: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Small thin spots of ink, which dashed and dotted rules are made of, those that lie and those that stand. Most letters are
    larger."""
    block = 2 * round(glyph) + 1
    local = cv2.blur(grey, (block, block))
    contrast = cv2.subtract(local, grey, dst=local)
    labels, stats = components(_above(contrast, CONTRAST))
    wide, high = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    hollow = stats[:, cv2.CC_STAT_AREA] <= DASH_CORNER * wide * high  # where two such rules meet
    thin = hollow | (np.minimum(wide, high) <= max(2.0, DASH_THIN * glyph))
    small = thin & (np.maximum(wide, high) <= max(DASH_LONG * glyph, DASH_LONG_PX))
    small[0] = False
    kinds = np.zeros(max(1 << 16, len(small)), np.uint8)
    kinds[: len(small)] = small * ((wide >= high) + 2 * (high >= wide))
    is_short = labels.dtype == np.uint16  # OpenCV looks up whatever 16 bits can say, in a fifth of NumPy's time
    found = np.asarray(cv2.LUT(labels, kinds) if is_short else kinds[labels], np.uint8)
    return np.asarray(found & 1, np.uint8), np.asarray(found >> 1, np.uint8)


def _above(picture: cv2.typing.MatLike, limit: int) -> NDArray[np.uint8]:
    """Where a picture is brighter than that: 0 or 1, in its place; fresh memory would take longer to come than the answer."""
    return np.asarray(cv2.threshold(picture, limit, 1, cv2.THRESH_BINARY, dst=picture)[1], np.uint8)


def _along(
    grey: NDArray[np.uint8], spots: NDArray[np.uint8], glyph: float, edge: float, shortest: float, leans: list[Lean]
) -> list[Rule]:
    """Level rules; `spots` may be their dashes. How long ones climb is put into `leans`."""
    thin = _thin(glyph)
    across = np.ones((thin, 1), np.uint8)
    fine = _above(cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, across), CONTRAST)
    thick = np.asarray(cv2.dilate(fine, np.ones((SLOPE_PX, 1), np.uint8), dst=fine), np.uint8)
    dashes = cv2.morphologyEx(
        spots, cv2.MORPH_CLOSE, np.ones((1, max(DASH_GAP_PX, 2 * round(DASH_GAP * glyph) + 1)), np.uint8)
    )
    kept = _stretches(thick, PIECE * glyph)
    kept |= _stretches(dashes, DASHED * glyph)
    drawn = joined(_pieces(kept, thin + SLOPE_PX, leans, LEANING * glyph), glyph)
    sides = cv2.dilate(kept, np.ones((thin, 3), np.uint8))  # a stroke's own edges
    beside = _edges(grey)
    cv2.subtract(beside, sides, dst=beside)
    edges = joined(_pieces(_stretches(beside, edge * glyph), thin), glyph)
    rules = [*drawn, *(replace(rule, edge=True) for rule in edges)]
    return [rule for rule in rules if rule.length >= shortest * glyph]


def _edges(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Where one tone meets another below it: the edges of filled rows and cells."""
    edges = np.zeros_like(grey)
    cv2.absdiff(grey[2:], grey[:-2], dst=edges[1:-1])
    return _above(edges, EDGE)


def _stretches(mask: NDArray[np.uint8], length: float) -> NDArray[np.uint8]:
    """What of a mask lies in level stretches of at least this length."""
    return strokes.level(mask, max(8, round(length)))


def _pieces(kept: NDArray[np.uint8], high: float, leans: list[Lean] | None = None, long: float = 0.0) -> list[Rule]:
    """Stretches that are no higher than that and hardly climb."""
    out = []
    for outline in cv2.findContours(kept, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]:
        left, top, wide, tall = cv2.boundingRect(outline)
        if cv2.contourArea(outline) > high * wide or tall > high + CLIMB * wide:
            continue
        y = top + (tall - 1) / 2
        out.append(Rule(y, float(left), float(left + wide)))
        if leans is not None and wide >= long:
            points = outline[:, 0]
            first, last = (
                float(points[part, 1].mean())
                for part in (points[:, 0] < left + wide / 8, points[:, 0] >= left + wide * 7 / 8)
            )
            leans.append((y, (last - first) / (wide * 7 / 8), float(wide)))
    return out


def joined(pieces: Sequence[Rule], glyph: float) -> list[Rule]:
    """Pieces on one line as one rule."""
    out: list[Rule] = []
    rows: list[list[Rule]] = []
    for piece in sorted(pieces, key=lambda rule: rule.at):
        if rows and piece.at - rows[-1][-1].at <= JOIN_SHIFT * glyph:
            rows[-1].append(piece)
        else:
            rows.append([piece])
    for row in rows:
        row.sort(key=lambda rule: rule.start)
        run = [row[0]]
        for piece in row[1:]:
            if piece.start - max(rule.end for rule in run) > JOIN_GAP * glyph:
                out.append(_one(run))
                run = []
            run.append(piece)
        out.append(_one(run))
    return out


def _one(run: Sequence[Rule]) -> Rule:
    weight = sum(rule.length for rule in run)
    return Rule(
        sum(rule.at * rule.length for rule in run) / weight,
        min(rule.start for rule in run),
        max(rule.end for rule in run),
    )
