"""A page with seals on it: the seals are read by themselves, and the page is read without them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.reading import geometry, ink, seals
from worker.reading.crop import Cut, cut
from worker.reading.curved import BentPiece
from worker.reading.detect import Detector
from worker.reading.found import Found
from worker.reading.recogniser import Recogniser

INSIDE_PX = 320  # longer side at which a seal is seen to find what stands inside
SHORTEST = 2  # characters of that: a star in the middle is read as one
NUMBER = 13  # figures of a registered seal; of what has fewer some were lost


def read(
    image: NDArray[np.uint8], detector: Detector, recogniser: Recogniser, allow: frozenset[str] | None = None
) -> tuple[NDArray[np.uint8], list[Found]]:
    """The page without its seals, the very same where it has none, and what they say, seal by seal: what runs around, what stands
    inside, and the number at the bottom."""
    stamps, lines = [], []
    for seal in seals.find(image):
        left, top, right, bottom = seal.window(image.shape)
        said = _said(image[top:bottom, left:right], seal.moved(-left, -top), detector, recogniser, allow)
        lines += [_moved(line, left, top) for line in said]
        stamps += [seal] if said else []
    return (seals.without(image, stamps) if stamps else image), lines


def _said(
    part: NDArray[np.uint8], seal: seals.Seal, detector: Detector, recogniser: Recogniser, allow: frozenset[str] | None
) -> list[Found]:
    """What a seal says, on the part of the page that it lies in; nothing where its name cannot be read."""
    alone = seals.ink_of(part, seal)
    if (around := seals.around(alone, seal)) is None:
        return []
    name, rest = around
    (reading,) = recogniser.read([name.piece.image], allow)
    if not seals.is_name(reading):
        return []
    number = _number(seal, rest.piece, recogniser, allow)
    inside = seals.inside(alone, seal, [name, rest] if number else [name])
    lines = _inside(inside, name.lean(seal), detector, recogniser, allow)
    return [Found(seal.quad(), name.piece, reading=reading), *lines, *number]


def _moved(line: Found, x: int, y: int) -> Found:
    """The line where it stands on the page, of which the part that it was found on begins at (x, y)."""
    by = np.array([x, y], np.float32)
    piece = line.piece
    if isinstance(piece, BentPiece):
        piece = replace(piece, middles=piece.middles + by)
    elif isinstance(piece, Cut):
        piece = Cut(piece.image, np.array([[1, 0, x], [0, 1, y], [0, 0, 1]]) @ piece.to_page)
    return replace(line, quad=line.quad + by, piece=piece)


def _number(seal: seals.Seal, piece: BentPiece, recogniser: Recogniser, allow: frozenset[str] | None) -> list[Found]:
    """A seal's number, which stands on its head for who reads the name; it is much lower than that."""
    turned = piece.turned()
    inked = ink.mask(turned.image, edge=0.0)
    if inked is None or not inked.any():
        return []
    rows = np.flatnonzero(inked.any(axis=1))
    margin = (rows[-1] - rows[0]) // 3
    low = np.ascontiguousarray(turned.image[max(0, rows[0] - margin) : rows[-1] + 1 + margin])
    (reading,) = recogniser.read([low], allow)
    sure = len(reading.text) == NUMBER and reading.text.isdigit() and reading.confidence >= seals.SURE
    return [Found(seal.quad(), turned, reading=reading)] if sure else []


def _inside(
    alone: NDArray[np.uint8], lean: float, detector: Detector, recogniser: Recogniser, allow: frozenset[str] | None
) -> list[Found]:
    """The lines that stand inside a seal which leans by so many degrees clockwise; `alone` shows nothing else."""
    height, width = alone.shape[:2]
    upright = cv2.getRotationMatrix2D((width / 2, height / 2), lean, 1.0)
    stood = cv2.warpAffine(alone, upright, (width, height), borderMode=cv2.BORDER_REPLICATE)
    back = np.vstack([cv2.invertAffineTransform(upright), [0, 0, 1]])
    boxes = detector.detect(np.asarray(stood, np.uint8), INSIDE_PX / max(height, width))
    boxes.sort(key=lambda box: float(box.quad[:, 1].mean()))
    quads = [geometry.through(back, box.quad) for box in boxes]
    found = [Found(quad, cut(alone, quad)) for quad in quads]
    for line, reading in zip(found, recogniser.read([line.piece.image for line in found], allow), strict=True):
        line.reading = reading
    return [
        line
        for line in found
        if line.stands() and line.reading and sum(char.isalnum() for char in line.reading.text) >= SHORTEST
    ]
