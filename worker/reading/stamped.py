"""A page with seals on it: the seals are read by themselves, and the page is read without them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.reading import geometry, ink, seals
from worker.reading.crop import cut
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
        alone = seals.ink_of(image, seal)
        if (around := seals.around(alone, seal)) is None:
            continue
        name, rest = around
        (reading,) = recogniser.read([name.piece.image], allow)
        if seals.is_name(reading):
            number = _number(seal, rest.piece, recogniser, allow)
            inside = seals.inside(alone, seal, [name, rest] if number else [name])
            stamps.append(seal)
            lines.append(Found(seal.quad(), name.piece, reading=reading))
            lines += _inside(inside, seal, name.lean(seal), detector, recogniser, allow)
            lines += number
    return (seals.without(image, stamps) if stamps else image), lines


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
    alone: NDArray[np.uint8],
    seal: seals.Seal,
    lean: float,
    detector: Detector,
    recogniser: Recogniser,
    allow: frozenset[str] | None,
) -> list[Found]:
    """The lines that stand inside a seal which leans by so many degrees clockwise; `alone` shows nothing else of the page."""
    left, top, right, bottom = (max(0, round(edge)) for edge in geometry.bounds(seal.quad()))
    part = np.ascontiguousarray(alone[top:bottom, left:right])
    height, width = part.shape[:2]
    upright = cv2.getRotationMatrix2D((width / 2, height / 2), lean, 1.0)
    stood = cv2.warpAffine(part, upright, (width, height), borderMode=cv2.BORDER_REPLICATE)
    back = np.vstack([cv2.invertAffineTransform(upright), [0, 0, 1]])
    boxes = detector.detect(np.asarray(stood, np.uint8), INSIDE_PX / max(height, width))
    quads = [
        (geometry.through(back, box.quad) + np.array([left, top], np.float32)).astype(np.float32)
        for box in sorted(boxes, key=lambda box: float(box.quad[:, 1].mean()))
    ]
    found = [Found(quad, cut(alone, quad)) for quad in quads]
    for line, reading in zip(found, recogniser.read([line.piece.image for line in found], allow), strict=True):
        line.reading = reading
    return [
        line
        for line in found
        if line.stands() and line.reading and sum(char.isalnum() for char in line.reading.text) >= SHORTEST
    ]
