"""Red seals: the round or oval stamps of Chinese firms and offices, whose name runs around inside a ring.

A seal mostly lies over other text, and a detector finds pieces of both. Its ink is red and that of the text below is not: in the
picture's red channel the seal is paper, and by how much redder than its other channels the picture is, the text below is. So the
page is read without its seals, and each seal by itself: what runs around is pulled straight, what stands inside is found as lines
are. Only a ring whose name can be read counts: red rings are drawn for other reasons, too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.reading.curved import BentPiece, Spine, pull_straight
from worker.reading.geometry import Floats
from worker.reading.recogniser import Reading

SEEN_PX = 1200  # longer side at which rings are looked for
GLANCE_PX = 400  # and at which a page is looked over for red ink at all
RED = 35  # grey levels by which red ink is redder than green or blue
RED_SHARE = 0.0005  # of a page that is red, below which it has no seal
SMALLEST_PX, LARGEST = 40, 0.6  # a ring's shorter side, and its longer one against the picture's
ELLIPSE_POINTS = 5  # that tell an ellipse
OVAL = 1.8  # longer against shorter axis, at most
CLOSED = 0.7  # of the ring's circumference that must be there: text lies over it, and ink fails
RIM = 0.09  # of the shorter half axis within which the ring lies
FILLED = (0.02, 0.55)  # share of red inside: less is an empty circle, more a sign or a badge
DEEPEST = 0.55  # of the shorter half axis, how far inside the ring its text may reach
BAND = 0.25  # of the densest depth, below which no text is
MARGIN = 0.03  # of the shorter half axis, around the text that runs around
STEPS = 720  # around the ring
TALL = 0.4  # of the band's height that a character at the name's ends has: a number is lower, and what stands inside just reaches it
TOGETHER = 0.15  # text heights without ink, up to which strokes are one character
SURE, SHORTEST = 0.7, 4  # confidence and characters of a name, at least
GROWN_PX = 3.0  # by which a seal's ink may reach beyond its ring
FAINTEST = 10.0  # percentile of the ink's brightness in red that becomes paper: what is darker is text below it
INKED = 0.4  # of the ink's darkness, from which a point is inked
SIDE = 0.4  # text heights of paper at the name's ends
HEIGHT_PX = 64  # of the name pulled straight


@dataclass(frozen=True, slots=True)
class Seal:
    """An ellipse on the page: `centre` (x, y) and half axes in pixels, `turn` degrees clockwise of the first axis."""

    centre: tuple[float, float]
    axes: tuple[float, float]
    turn: float

    def points(self, inset: float, degrees: NDArray[np.float64]) -> Floats:
        """Points (n, 2) on the ellipse that lies `inset` px inside the rim, at these angles, clockwise from the first axis."""
        turn, t = math.radians(self.turn), np.radians(degrees)
        x, y = (self.axes[0] - inset) * np.cos(t), (self.axes[1] - inset) * np.sin(t)
        across, down = x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)
        return np.stack([across + self.centre[0], down + self.centre[1]], axis=1).astype(np.float32)

    def mask(self, shape: tuple[int, int], grown: float = 0.0) -> NDArray[np.bool_]:
        """Where the seal lies on a picture of (height, width), grown by so many pixels."""
        out = np.zeros(shape, np.uint8)
        box = (self.centre, (2 * (self.axes[0] + grown), 2 * (self.axes[1] + grown)), self.turn)
        cv2.ellipse(out, box, 1, -1)
        return out.astype(np.bool_)

    def moved(self, x: float, y: float) -> Seal:
        """The same on a picture whose corner lies elsewhere."""
        return Seal((self.centre[0] + x, self.centre[1] + y), self.axes, self.turn)

    def window(self, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
        """The part of a picture (height, width) that it lies in: left, top, right, bottom."""
        (left, top), _, (right, bottom), _ = self.quad().tolist()
        grown = math.ceil(GROWN_PX) + 1
        return (
            max(0, round(left) - grown),
            max(0, round(top) - grown),
            min(shape[1], round(right) + grown),
            min(shape[0], round(bottom) + grown),
        )

    def quad(self) -> Floats:
        """The upright rectangle around it, (4, 2)."""
        ring = self.points(0.0, np.arange(0.0, 360.0, 5.0))
        (left, top), (right, bottom) = ring.min(axis=0), ring.max(axis=0)
        return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


@dataclass(frozen=True, slots=True)
class Around:
    """What runs around inside a seal's ring, pulled straight: between the angles `arc`, `depth` (from, to) px inside the rim;
    the ring itself ends `ring` px inside it."""

    piece: BentPiece
    arc: NDArray[np.float64]
    depth: tuple[float, float]
    ring: float

    def lean(self, seal: Seal) -> float:
        """By how many degrees clockwise the seal leans: the middle of its name is its top."""
        x, y = seal.points(self.depth[0], self.arc)[len(self.arc) // 2] - seal.centre
        return float(math.degrees(math.atan2(y, x)) + 90)


def find(image: NDArray[np.uint8]) -> list[Seal]:
    """The red rings of a BGR page with something inside, whatever it is."""
    step = max(1, max(image.shape[:2]) // GLANCE_PX)
    if _inked(image[::step, ::step]).mean() < RED_SHARE:
        return []
    scale = min(1.0, SEEN_PX / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    red = _inked(small).astype(np.uint8)
    whole = cv2.morphologyEx(red, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5)))
    out = []
    for contour in cv2.findContours(whole, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]:
        short, long = sorted(cv2.boundingRect(contour)[2:])
        if short < SMALLEST_PX or long > OVAL * short:
            continue
        hull = cv2.convexHull(contour)
        if len(hull) < ELLIPSE_POINTS:  # a red rectangle
            continue
        (x, y), (width, height), turn = cv2.fitEllipse(hull)
        if min(width, height) < SMALLEST_PX or max(width, height) > LARGEST * max(small.shape[:2]):
            continue
        seal = Seal((x, y), (width / 2, height / 2), turn)
        if _is_ring(seal, red):
            axes = (width / 2 / scale, height / 2 / scale)
            out.append(Seal((x / scale, y / scale), axes, turn))
    return out


def redness(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """By how much each pixel of a BGR picture is redder than it is green or blue, in grey levels. Paper may be red a little."""
    blue, green, red = cv2.split(image)
    return np.asarray(cv2.subtract(red, cv2.max(blue, green)), np.uint8)


def _inked(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where a picture is much redder than most of it."""
    red = redness(image)
    return np.asarray(red >= np.uint8(min(255, RED + int(np.median(red[::4, ::4])))), np.bool_)


def _is_ring(seal: Seal, red: NDArray[np.uint8]) -> bool:
    shorter = min(seal.axes)
    degrees = np.linspace(0, 360, STEPS // 4, endpoint=False)
    rim = np.zeros(len(degrees), np.bool_)
    for inset in np.arange(-2.0, RIM * shorter + 1):
        rim |= _at(red, seal.points(inset, degrees)) > 0
    inside = red[seal.mask(red.shape[:2], -RIM * shorter)]
    return bool(rim.mean() >= CLOSED and inside.size and FILLED[0] <= inside.mean() <= FILLED[1])


def _at(picture: NDArray[np.uint8], points: Floats) -> NDArray[np.uint8]:
    x, y = (np.ascontiguousarray(points[:, axis]) for axis in (0, 1))
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderValue=0).reshape(-1), np.uint8)


def ink_of(image: NDArray[np.uint8], seal: Seal) -> NDArray[np.uint8]:
    """The page, or the part of it that the seal lies in, with nothing on it but the seal's ink, black on white, BGR."""
    red, there = redness(image), seal.mask(image.shape[:2], GROWN_PX)
    red = cv2.subtract(red, float(np.median(red[there])))
    red[~there] = 0
    strong = red[red >= RED]
    full = float(np.percentile(strong, 75)) if strong.size else 255.0
    grey = 255 - np.clip(red * (255.0 / full), 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)


def around(ink: NDArray[np.uint8], seal: Seal) -> tuple[Around, Around] | None:
    """The name that runs around inside the ring, and the rest of the way around; None where none does. `ink` is `ink_of` the
    seal."""
    dark = 255 - ink[:, :, 0]
    shorter = min(seal.axes)
    degrees = np.linspace(0, 360, STEPS, endpoint=False)
    insets = np.arange(0.0, DEEPEST * shorter, max(0.5, shorter / 120))
    rows = np.stack([_at(dark, seal.points(inset, degrees)) for inset in insets]).astype(np.float32) / 255
    density = rows.mean(axis=1)
    rim = int(np.argmax(density[: max(1, round(len(density) * RIM / DEEPEST)) + 1]))
    inner = np.flatnonzero(density[rim:] < BAND * density[rim])
    if not len(inner):
        return None
    begin = rim + int(inner[0])
    while begin + 1 < len(density) and density[begin + 1] < density[begin]:
        begin += 1  # the ring ends there
    depth = _band(density[begin:])
    if depth is None:
        return None
    first, end = begin + depth[0], begin + depth[1]
    near, far = insets[first] - MARGIN * shorter, insets[min(end, len(insets) - 1)] + MARGIN * shorter
    band = rows[first : end + 1] > INKED
    name = _name(band, max(1, round(TOGETHER * (far - near) / _per_step(seal, (near + far) / 2))))
    if name is None:
        return None
    margin = round(SIDE * (far - near) / _per_step(seal, (near + far) / 2))
    sides = (name[0] - margin, name[1] + margin), (name[1] + margin, name[0] - margin + STEPS)
    pieces = []
    for begin_at, end_at in sides:
        arc = np.linspace(begin_at, end_at, max(24, end_at - begin_at)) * (360 / STEPS)
        spine = Spine(seal.points((near + far) / 2, arc), (far - near) / 2)
        pieces.append(Around(pull_straight(ink, spine, HEIGHT_PX), arc, (near, far), float(insets[begin])))
    return pieces[0], pieces[1]


def _band(density: NDArray[np.float32]) -> tuple[int, int] | None:
    """From and to which depth the text around reaches: about the densest depth."""
    if len(density) < 3 or density.max() < 0.03:
        return None
    peak = int(np.argmax(density[: max(1, len(density) * 3 // 4)]))
    low = density < BAND * density[peak]
    before, after = np.flatnonzero(low[:peak]), np.flatnonzero(low[peak:])
    first = int(before[-1]) + 1 if len(before) else 0
    end = peak + int(after[0]) - 1 if len(after) else len(density) - 1
    return (first, end) if end > first else None


def _per_step(seal: Seal, inset: float) -> float:
    """The mean length of a step around, in pixels."""
    return math.pi * (seal.axes[0] + seal.axes[1] - 2 * inset) / STEPS


def _name(band: NDArray[np.bool_], together: int) -> tuple[int, int] | None:
    """From and to which step (which may be beyond the last) the name runs in a band of ink (depths, steps): all but what is too
    low at its ends. It begins after the longest gap."""
    steps = np.flatnonzero(band.any(axis=0))
    if not len(steps):
        return None
    gaps = np.diff(np.r_[steps, steps[0] + STEPS])
    at = (int(np.argmax(gaps)) + 1) % len(steps)
    steps = np.r_[steps[at:], steps[:at] + STEPS]
    runs = np.split(steps, np.flatnonzero(np.diff(steps) > together) + 1)
    tall = [run for run in runs if band[:, run % STEPS].any(axis=1).mean() >= TALL]
    return (int(tall[0][0]), int(tall[-1][-1])) if tall else None


def is_name(reading: Reading) -> bool:
    """Whether what runs around a ring was read well enough for a seal."""
    letters = sum(char.isalnum() for char in reading.text)
    return letters >= SHORTEST and reading.confidence >= SURE


def without(image: NDArray[np.uint8], seals: Sequence[Seal]) -> NDArray[np.uint8]:
    """The page without the seals' ink: there it is seen in its red channel, made so bright that the ink is paper."""
    out = image.copy()
    for seal in seals:
        left, top, right, bottom = seal.window(image.shape)
        part = image[top:bottom, left:right]
        red, inked, there = part[:, :, 2], _inked(part), seal.moved(-left, -top).mask(part.shape[:2], GROWN_PX)
        ink, paper = red[there & inked], red[there & ~inked]
        if ink.size and paper.size:
            white = float(np.median(paper))
            gain = white / max(1.0, float(np.percentile(ink, FAINTEST)))
            out[top:bottom, left:right][there] = np.minimum(red[there] * gain, white).astype(np.uint8)[:, None]
    return out


def inside(ink: NDArray[np.uint8], seal: Seal, around: Sequence[Around]) -> NDArray[np.uint8]:
    """`ink_of` a seal without its ring and what runs around: what stands inside."""
    out = ink.copy()
    out[~seal.mask(ink.shape[:2], -around[0].ring)] = 255
    for each in around:
        near, far = (seal.points(inset, each.arc) for inset in (-GROWN_PX, each.depth[1] - MARGIN * min(seal.axes)))
        cv2.fillPoly(out, [np.concatenate([near, far[::-1]]).round().astype(np.int32)], (255, 255, 255))
    return out
