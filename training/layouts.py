"""What stands on a drawn page, and how it is laid out: receipts, forms, prose, tables, screens, signs, upright columns."""

from __future__ import annotations

import dataclasses
import random

import cv2
import numpy as np

from training import draw, texts
from training.dataset import Array

SIZES_PX = (12, 14, 16, 20, 24, 30, 38, 48, 60, 76)


@dataclasses.dataclass
class Sheet:
    """A page under way: `ink` (rows, columns) 0 to 1, and beneath it `tint` (rows, columns, 3) added to the paper."""

    rng: random.Random
    ink: Array
    tint: Array
    style: draw.Style
    kinds: tuple[str, ...]
    pool: str

    @property
    def em(self) -> int:
        return self.style.size_px

    def text(self) -> str:
        return texts.draw(self.rng, self.pool, self.kinds).text

    def set(self, text: str, x: float, y: float, most: float = 1e9, size: float = 1.0, right: bool = False) -> float:
        """Puts a line's ink on the page, its top at `y`; `x` is its left end, or its right one. No wider than `most`; returns how
        wide it became, 0 where the faces lack a character."""
        near = min(SIZES_PX, key=lambda each: abs(each - self.em * size))
        style = self.style if near == self.em else dataclasses.replace(self.style, size_px=near)
        if near < 10 or not text.strip() or not draw.fits(style, text):
            return 0.0
        fits = max(1, int(most / (near * 0.45))) if most < 1e8 else len(text)
        ink, (top, bottom) = draw.set_line(self.rng, text[:fits].strip() or "-", style)
        columns = np.flatnonzero(ink.max(0) > 0.25)
        if not len(columns):
            return 0.0
        left, beyond = int(columns[0]), int(columns[-1]) + 1
        beyond = min(beyond, left + int(most)) if most < 1e8 else beyond
        over = max(0, top - near // 2), min(ink.shape[0], bottom + near // 2)
        part = ink[over[0] : over[1], left:beyond]
        at = round(x - part.shape[1]) if right else round(x)
        self.paste(part, at, round(y) - (top - over[0]))
        return float(part.shape[1])

    def paste(self, part: Array, x: int, y: int) -> None:
        """Ink onto ink; what falls off the page is lost."""
        rows, columns = self.ink.shape
        x0, y0, x1, y1 = max(0, x), max(0, y), min(columns, x + part.shape[1]), min(rows, y + part.shape[0])
        if x0 < x1 and y0 < y1:
            spot = self.ink[y0:y1, x0:x1]
            np.maximum(spot, part[y0 - y : y1 - y, x0 - x : x1 - x], out=spot)

    def rule(self, start: tuple[float, float], end: tuple[float, float], thick: int = 1, strength: float = 1.0) -> None:
        """A straight rule."""
        a, b = ((round(x), round(y)) for x, y in (start, end))
        cv2.line(self.ink, a, b, strength, thick)  # type: ignore[call-overload]

    def dashes(self, y: float, x0: float, x1: float) -> None:
        """A row of dashes, dots or stars across, as receipts divide their parts."""
        sign = self.rng.choice("-=*._")
        self.set(sign * max(3, int((x1 - x0) / (self.em * 0.55))), x0, y, x1 - x0)

    def fill(self, x0: float, y0: float, x1: float, y1: float, colour: tuple[float, float, float]) -> None:
        """A coloured field."""
        self.tint[max(0, round(y0)) : max(0, round(y1)), max(0, round(x0)) : max(0, round(x1))] = colour


def _start(sheet: Sheet) -> float:
    """Where the first line begins: above the edge, as often as not, since a window cuts pages anywhere."""
    return sheet.rng.uniform(-1.0, 1.5) * sheet.em


def receipt(sheet: Sheet) -> None:
    rng, edge, em = sheet.rng, sheet.ink.shape[0], sheet.em
    left, right = rng.uniform(-0.2, 0.15) * edge, rng.uniform(0.75, 1.2) * edge
    pitch, y = rng.uniform(1.1, 1.8) * em, _start(sheet)
    at = left + rng.uniform(0.3, 0.6) * (right - left)
    while y < edge:
        way = rng.random()
        if way < 0.12:
            sheet.dashes(y, left, right) if rng.random() < 0.6 else sheet.rule(
                (left, y + em / 2), (right, y + em / 2), rng.choice((1, 1, 2))
            )
        elif way < 0.3:
            text = sheet.text()
            sheet.set(text, (left + right) / 2 - len(text) * em * 0.27, y, right - left, rng.choice((1, 1, 1, 1.3)))
        elif way < 0.6:
            wide = sheet.set(sheet.text(), left, y, (right - left) * 0.6)
            if wide < (right - left) * 0.6:
                sheet.set(texts.amount(rng), right, y, (right - left) * 0.35, right=True)
        elif way < 0.72:
            sheet.set(sheet.text()[:14], left, y, at - left - em)
            sheet.set(":", at - 0.7 * em, y)
            sheet.set(sheet.text()[:22], at, y, right - at)
        elif way < 0.8:
            for x in (0.0, 0.35, 0.6, 1.0):
                sheet.set(texts.amount(rng)[:9], left + em * 4 + x * (right - left - em * 4), y, right=True)
        elif way > 0.95:
            y += pitch * rng.uniform(0.5, 2)
        else:
            sheet.set(sheet.text(), left, y, right - left)
        y += pitch
    if rng.random() < 0.15:
        _scribble(sheet)


def form(sheet: Sheet) -> None:
    rng, edge, em = sheet.rng, sheet.ink.shape[0], sheet.em
    y, thick, boxed = _start(sheet), rng.choice((1, 1, 2)), rng.random() < 0.6
    while y < edge:
        high = em * rng.choice((1.5, 1.9, 2.4, 2.4, 3.2, 4.5))
        cuts = sorted(rng.uniform(0.0, 1.0) for _ in range(rng.choice((0, 1, 1, 2, 3))))
        for begin, end in zip([-0.05, *cuts], [*cuts, 1.05], strict=True):
            x0, x1 = begin * edge, end * edge
            if boxed:
                cv2.rectangle(sheet.ink, (round(x0), round(y)), (round(x1), round(y + high)), 1.0, thick)
            if x1 - x0 < 2 * em:
                continue
            if rng.random() < 0.06:
                level = -rng.uniform(15, 90)
                sheet.fill(x0, y, x1, y + high, (level, level, level))
            wide = 0.0
            if rng.random() < 0.8:
                label = sheet.text()[: rng.choice((8, 16, 30))]
                wide = sheet.set(label, x0 + 0.35 * em, y + 0.2 * em, x1 - x0 - 0.6 * em, rng.choice((0.7, 0.8, 1, 1)))
            if rng.random() < 0.55:
                under = high > 2.2 * em and rng.random() < 0.7
                at = (x0 + rng.uniform(0.5, 3) * em, y + 1.2 * em) if under else (x0 + wide + 1.2 * em, y + 0.25 * em)
                sheet.set(sheet.text(), at[0], at[1], x1 - at[0] - 0.3 * em, rng.choice((1, 1, 1.2)))
            elif rng.random() < 0.3 and not boxed:
                sheet.rule((x0 + wide + em, y + 1.1 * em), (x1 - em, y + 1.1 * em))
            if rng.random() < 0.12:
                x, box = x1 - rng.uniform(1, 3) * em, 0.7 * em
                cv2.rectangle(
                    sheet.ink, (round(x), round(y + 0.3 * em)), (round(x + box), round(y + 0.3 * em + box)), 1.0, 1
                )
        y += high + (0 if boxed else rng.uniform(-0.2, 0.6) * em)
    if rng.random() < 0.25:
        _scribble(sheet)


def prose(sheet: Sheet) -> None:
    rng, edge, em = sheet.rng, sheet.ink.shape[0], sheet.em
    columns = rng.choice((1, 1, 2, 2, 3))
    gap, shift = rng.uniform(1.0, 2.5) * em, rng.uniform(-0.3, 0.1) * edge
    wide = edge * rng.uniform(1.0, 1.3) / columns
    for number in range(columns):
        x, y, pitch = shift + number * (wide + gap), _start(sheet), rng.uniform(1.15, 1.9) * em
        while y < edge:
            way = rng.random()
            if way < 0.06:
                y += pitch * rng.uniform(0.3, 1)
                sheet.set(sheet.text()[:30], x, y, wide, rng.choice((1.0, 1.25, 1.6)))
                y += pitch * rng.uniform(1.2, 2)
                continue
            if way < 0.1:
                figure = rng.uniform(2, 6) * em
                _figure(sheet, x, y, x + wide * rng.uniform(0.4, 1), y + figure)
                y += figure + pitch
                continue
            if way < 0.15:  # a formula: pieces of all sizes
                at = x + rng.uniform(0, 0.3) * wide
                for _ in range(rng.randint(2, 6)):
                    piece = "".join(rng.choice("abcxyz0123456789+-=()[]/,ijknθ") for _ in range(rng.randint(1, 5)))
                    size = rng.choice((0.6, 1, 1))
                    at += sheet.set(piece, at, y + rng.uniform(-0.4, 0.4) * em, size=size) + rng.uniform(0, 0.7) * em
                y += pitch * rng.uniform(1.2, 2)
                continue
            length = wide if way < 0.85 else wide * rng.uniform(0.1, 0.9)
            line, at = sheet.text(), 0.0
            while at < length - 2 * em:
                step = sheet.set(line, x + at, y, length - at)
                if not step:
                    break
                at += step + 0.3 * em
                line = sheet.text()
            y += pitch


def table(sheet: Sheet) -> None:
    rng, edge, em = sheet.rng, sheet.ink.shape[0], sheet.em
    columns = rng.randint(2, 7)
    cuts = np.cumsum([0.0, *[rng.uniform(0.6, 1.6) for _ in range(columns)]])
    cuts = cuts / cuts[-1] * edge * rng.uniform(0.9, 1.4) - rng.uniform(0, 0.2) * edge
    pitch, y = rng.uniform(1.25, 2.6) * em, _start(sheet)
    ruled, across, thick = rng.random() < 0.45, rng.random() < 0.5, rng.choice((1, 1, 1, 2))
    strength, striped = rng.uniform(0.3, 1), rng.random() < 0.25
    text_first, centred = rng.random() < 0.8, rng.random() < 0.4
    row = 0
    while y < edge:
        if striped and row % 2:
            level = -rng.uniform(8, 40)
            sheet.fill(cuts[0], y, cuts[-1], y + pitch, (level, level, level + rng.uniform(0, 20)))
        if across or ruled:
            sheet.rule((cuts[0], y), (cuts[-1], y), thick, strength)
        for column in range(columns):
            x0, x1 = cuts[column], cuts[column + 1]
            if ruled:
                sheet.rule((x0, y), (x0, y + pitch), thick, strength)
            if rng.random() < 0.1:
                continue
            top = y + (pitch - em) / 2
            if (column == 0 and text_first) or rng.random() < 0.15:
                sheet.set(sheet.text(), x0 + 0.4 * em, top, x1 - x0 - 0.8 * em)
            elif centred:
                figure = texts.amount(rng)[:8]
                sheet.set(figure, (x0 + x1) / 2 - len(figure) * 0.27 * em, top, x1 - x0 - 0.5 * em)
            else:
                figure = rng.choice((texts.amount, texts.date, texts.code))(rng)[: max(2, int((x1 - x0) / em / 0.6))]
                sheet.set(figure, x1 - 0.4 * em, top, x1 - x0 - 0.6 * em, right=True)
        y, row = y + pitch, row + 1


def screen(sheet: Sheet) -> None:
    rng, edge, em = sheet.rng, sheet.ink.shape[0], sheet.em
    for _ in range(rng.randint(0, 6)):
        x, y = rng.uniform(-0.2, 0.9) * edge, rng.uniform(-0.2, 0.9) * edge
        colour = tuple(rng.uniform(-230, 60) for _ in range(3))
        sheet.fill(x, y, x + rng.uniform(0.1, 1) * edge, y + rng.uniform(1.4, 8) * em, colour)  # type: ignore[arg-type]
    y = _start(sheet)
    while y < edge:
        x = rng.uniform(-0.1, 0.3) * edge
        while x < edge:
            way = rng.random()
            if way < 0.15:  # an icon
                middle, size = (round(x + em / 2), round(y + em / 2)), round(em * rng.uniform(0.4, 0.9))
                if rng.random() < 0.5:
                    cv2.circle(sheet.ink, middle, size, rng.uniform(0.4, 1), rng.choice((1, 2, -1)))
                else:
                    cv2.rectangle(
                        sheet.ink, middle, (middle[0] + size, middle[1] + size), rng.uniform(0.4, 1), rng.choice((1, 2))
                    )
                x += 2.5 * em
            x += sheet.set(sheet.text(), x, y, edge * rng.uniform(0.2, 0.9), rng.choice((0.8, 1, 1, 1, 1.5)))
            x += rng.uniform(1.2, 8) * em
        y += em * rng.choice((1.5, 1.8, 2.2, 3))


def scene(sheet: Sheet) -> None:
    rng, edge, em = sheet.rng, sheet.ink.shape[0], sheet.em
    for _ in range(rng.randint(0, 5)):
        x, y = rng.uniform(-0.2, 0.9) * edge, rng.uniform(-0.2, 0.9) * edge
        colour = tuple(rng.uniform(-160, 120) for _ in range(3))
        sheet.fill(x, y, x + rng.uniform(0.1, 0.9) * edge, y + rng.uniform(0.1, 0.6) * edge, colour)  # type: ignore[arg-type]
    if rng.random() < 0.3:
        _figure(sheet, 0, 0, edge, edge)
    y = rng.uniform(0, 0.5) * edge
    for _ in range(rng.randint(0, 5)):
        sheet.set(sheet.text(), rng.uniform(-0.1, 0.5) * edge, y, size=rng.choice((0.6, 1, 1, 1.4)))
        y += em * rng.uniform(1.3, 3)


def columns(sheet: Sheet) -> None:
    rng, edge, em = sheet.rng, sheet.ink.shape[0], sheet.em
    x = edge - rng.uniform(0.5, 3) * em
    pitch = rng.uniform(1.3, 2.2) * em
    while x > -em:
        y, end = rng.uniform(-1, 2) * em, edge * rng.uniform(0.4, 1.2)
        for sign in (sheet.text() + sheet.text()).replace(" ", ""):
            if y > end:
                break
            sheet.set(sign, x, y)
            y += em * 1.08
        x -= pitch


def _figure(sheet: Sheet, x0: float, y0: float, x1: float, y1: float) -> None:
    """What is no text: curves, bars, hatching, a bar code."""
    rng = sheet.rng
    way = rng.random()
    if way < 0.3:
        x, y, far = np.linspace(x0, x1, 40), [rng.uniform(y0, y1)], (y1 - y0) * 0.12
        for _ in x[1:]:
            y.append(min(y1, max(y0, y[-1] + rng.gauss(0, far))))
        cv2.polylines(sheet.ink, [np.stack([x, y], 1).astype(np.int32)], False, rng.uniform(0.4, 1), rng.choice((1, 2)))
    elif way < 0.6:
        at = x0
        while at < x1:
            wide = rng.uniform(0.003, 0.05) * (x1 - x0)
            top = y0 if rng.random() < 0.5 else rng.uniform(y0, y1)
            cv2.rectangle(sheet.ink, (round(at), round(top)), (round(at + wide), round(y1)), rng.uniform(0.3, 1), -1)
            at += wide + rng.uniform(0.005, 0.04) * (x1 - x0)
    else:
        for _ in range(rng.randint(2, 14)):
            start, end = ((rng.uniform(x0, x1), rng.uniform(y0, y1)) for _ in range(2))
            sheet.rule(start, end, rng.choice((1, 1, 2, 3)), rng.uniform(0.3, 1))


def _scribble(sheet: Sheet) -> None:
    """A signature or a note by pen across what is printed."""
    rng, edge = sheet.rng, sheet.ink.shape[0]
    x, y = rng.uniform(0, 0.7) * edge, rng.uniform(0.1, 0.9) * edge
    way: list[tuple[float, float]] = []
    for _ in range(rng.randint(8, 40)):
        x, y = x + rng.gauss(0.5, 1.2) * sheet.em, y + rng.gauss(0, 1.1) * sheet.em
        way.append((x, y))
    cv2.polylines(
        sheet.ink,
        [np.array(way, np.float32).astype(np.int32)],
        False,
        rng.uniform(0.5, 1),
        rng.choice((1, 2)),
        cv2.LINE_AA,
    )
