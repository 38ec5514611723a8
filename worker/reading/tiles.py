"""Fixed windows over a picture of any size, so that the detector sees few input shapes and its memory stays flat.

Every new input shape costs a network runtime kernels and buffers that it keeps; one shape a page makes a long-lived
process grow without end. A picture is therefore covered by windows whose sides come from a short list, overlapping by
enough that a window's edge decides little; what one of two windows misses is read before it is given up.
"""

from __future__ import annotations

from dataclasses import dataclass

SIDES = (160, 320, 416, 480)  # px; multiples of 32. 4 x 4 shapes at most, the largest 0.23 megapixel
OVERLAP = 48  # px, half of it on each side of a seam is context that is thrown away


@dataclass(frozen=True, slots=True)
class Tile:
    """A window at (x, y), `width` x `height` px, and the part of it that counts: [left, right) x [top, bottom)."""

    x: int
    y: int
    width: int
    height: int
    left: int
    top: int
    right: int
    bottom: int

    def trusted(self, edge: int, width: int, height: int) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of what it sees of the picture (`width` x `height` px of it), less `edge` px on
        every side that ends within the picture."""
        return (
            self.x + (edge if self.left > self.x else 0),
            self.y + (edge if self.top > self.y else 0),
            self.x + width - (edge if self.right < self.x + width else 0),
            self.y + height - (edge if self.bottom < self.y + height else 0),
        )


def spans(length: int, sides: tuple[int, ...] = SIDES, overlap: int = OVERLAP) -> list[tuple[int, int, int, int]]:
    """Covers `length` px by windows of one side: (start, side, keep from, keep to), all in px of the whole.

    The side is the one that costs the fewest px in total; the last window may run past the end (it is padded).
    """
    best: tuple[int, int, int] | None = None
    for side in sides:
        count = 1 if side >= length else -(-(length - overlap) // (side - overlap))
        cost = count * side
        if best is None or (cost, count) < (best[0], best[1]):
            best = (cost, count, side)
    assert best is not None
    _, count, side = best
    if count == 1:
        return [(0, side, 0, length)]
    step = (length - side) / (count - 1) if length > side else 0
    starts = [round(i * step) for i in range(count)]
    cuts = [0] + [(starts[i] + side + starts[i + 1]) // 2 for i in range(count - 1)] + [length]
    return [(start, side, cuts[i], cuts[i + 1]) for i, start in enumerate(starts)]


def plan(width: int, height: int) -> list[Tile]:
    """The windows that cover a picture of `width` x `height` px, row by row."""
    return [
        Tile(x, y, w, h, left, top, right, bottom)
        for y, h, top, bottom in spans(height)
        for x, w, left, right in spans(width)
    ]


def seen_px(width: int, height: int) -> int:
    """How many pixels the windows over a picture have together: what looking at it costs."""
    return sum(side for _, side, _, _ in spans(width)) * sum(side for _, side, _, _ in spans(height))
