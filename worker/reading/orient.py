"""Which way up a page stands, found by reading: a few of its lines are read both ways, and the surer way wins.

No classifier is asked: those turn upright text over now and then, and a reading that makes sense is better evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from worker.reading import geometry
from worker.reading.geometry import Floats
from worker.reading.recogniser import Reading

TALL = 1.5  # a quad higher than this many times its width runs down the page
SIDEWAYS_SHARE = 0.6  # of the summed length of lines: from here on the page lies on its side, or is written in columns
SAMPLES = 4  # lines read both ways
SURE = 0.90  # mean confidence of upright lines from which nobody looks at them upside down
MARGIN = 0.05  # what the other way must be surer by
LOST = 0.6  # mean confidence below which lines read neither way up, so that the few that run up or down are asked, too (of a calendar's days, as high as wide) ...
LOST_MARGIN = 0.2  # ... and must be surer by so much

CJK_ENOUGH = 0.3  # share of CJK characters from which a page of tall lines may be written in columns
CELL_SAMPLES = 2  # tall lines whose characters are looked at one by one
# By how much surer they must be lying, with their line, than standing: of 66 rendered pages on their right side the least was 0.168, of 24 pages
# of columns the most 0.015.
CELL_MARGIN = 0.1

ReadTurned = Callable[[Sequence[int], int], list[Reading]]
CompareCells = Callable[[Sequence[int], int], tuple[float, float]]


def is_tall(quad: Floats) -> bool:
    """Whether a quad runs down the page rather than across it."""
    width, height = geometry.size(quad)
    return height > TALL * width


def sideways(quads: Sequence[Floats]) -> bool:
    """Whether most of the page's text (by length) runs up or down."""
    sizes = [geometry.size(quad) for quad in quads]
    tall = sum(height for width, height in sizes if height > TALL * width)
    return tall > SIDEWAYS_SHARE * sum(max(size) for size in sizes)


def samples(quads: Sequence[Floats], tall: bool, count: int = SAMPLES) -> list[int]:
    """The lines to judge by, as indices: of the page's main direction, long enough to be sure of and short enough to be
    cheap."""

    def fitness(index: int) -> float:
        width, height = sorted(geometry.size(quads[index]), reverse=True)
        aspect = width / max(height, 1.0)
        return min(aspect, 10.0) - max(0.0, aspect - 12.0) / 2 + min(height, 30.0) / 10

    fitting = [index for index, quad in enumerate(quads) if is_tall(quad) == tall]
    return sorted(fitting, key=fitness, reverse=True)[:count]


def trust(readings: Sequence[Reading]) -> float:
    """How sure a set of readings is, 0 to 1: the mean confidence of their characters, an empty reading counting 0."""
    weights = [max(len(reading.text), 1) for reading in readings]
    if not weights:
        return 0.0
    return sum(r.confidence * w for r, w in zip(readings, weights, strict=True)) / sum(weights)


def corner_turn(quads: Sequence[Floats], read: ReadTurned, cells: CompareCells) -> int | None:
    """By how many corners the page's quads must be rolled to read in their direction: 0 (upright), 2 (upside down),
    1 or 3 (lying on a side), or None for a page of upright columns. `read` reads lines, by index, after rolling their
    quads; `cells` compares the characters of tall ones standing (as they are) and lying (turned with their line)."""
    if not quads:
        return 0
    if sideways(quads):
        return _on_its_side(quads, read, cells)[0]
    chosen = samples(quads, tall=False)
    upright = trust(read(chosen, 0))
    if upright >= SURE or not chosen:
        return 0
    upside_down = trust(read(chosen, 2))
    surest = max(upright, upside_down)
    if surest < LOST and any(is_tall(quad) for quad in quads):
        turn, trusted = _on_its_side(quads, read, cells)
        if trusted > surest + LOST_MARGIN:
            return turn
    return 2 if upside_down > upright + MARGIN else 0


def _on_its_side(quads: Sequence[Floats], read: ReadTurned, cells: CompareCells) -> tuple[int | None, float]:
    """By how many corners to roll a page whose lines run up or down, None for columns, and how surely they read so."""
    chosen = samples(quads, tall=True)
    down = read(chosen, 1)
    surest, turn, says = trust(down), 1, down
    if surest < SURE:
        up = read(chosen, 3)
        if trust(up) > surest:
            surest, turn, says = trust(up), 3, up
    # Recognisers have seen columns of CJK characters lying on their left side and read them well: whether such a page stands
    # upright, its characters one by one must tell. Lines that run up are no columns, and in them single characters tell
    # nothing: they lie on that side.
    if turn == 3 or cjk_share(says) < CJK_ENOUGH:
        return turn, surest
    standing, lying = cells(chosen[:CELL_SAMPLES], turn)
    return (None if standing and standing + CELL_MARGIN >= lying else turn), surest


def cjk_share(readings: Sequence[Reading]) -> float:
    """The share of CJK characters among those read."""
    text = "".join(reading.text for reading in readings)
    return sum("\u2e80" <= char <= "\u9fff" or "\uac00" <= char <= "\ud7a3" for char in text) / max(len(text), 1)


def rotation_of(turn: int | None) -> int:
    """Degrees clockwise by which a page must be turned to stand upright, from its lines' `corner_turn`."""
    return {0: 0, None: 0, 1: 270, 2: 180, 3: 90}[turn]
