"""A page by its own text layer: checked by reading a few of its lines, and completed by reading what it leaves out.

Runs in a worker process only: it imports the reading room.
"""

from __future__ import annotations

import difflib
import time
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from shared.records import Line, Page, ReadOptions
from worker.documents import PageImage
from worker.slot import Reader

if TYPE_CHECKING:
    from worker.reading.layout import Text
    from worker.reading.order import Placed

SAMPLES = 3  # lines that are read to check the layer
SAMPLE_CHARS = range(5, 41)  # lines of other lengths are read only where there are no such
AGREES = 0.6  # similarity of a line as read and as spelled; a wrong font table gives about 0, a hard font 0.8
GLYPH = 0.65  # of a line's height that a typical glyph has
OVERLAP = 0.5  # share of a line that was read that may lie on the layer's own text

Progress = Callable[[int, int], None]


def page_from_layer(source: PageImage, reader: Reader, options: ReadOptions, progress: Progress) -> Page | None:
    """The page as its text layer has it, source `text-layer`; None where the layer does not say what is drawn."""
    layer = source.text_layer
    if layer is None:
        return None
    started = time.perf_counter()
    if not agrees(source.image, layer.lines, reader, options):
        return None
    checked = time.perf_counter()
    more: list[Line] = []
    models: dict[str, str] = {"text": "text-layer"}
    warnings: tuple[str, ...] = ()
    timing: dict[str, float | str] = {"check": (checked - started) * 1000}
    if not layer.complete:
        rest = reader.read(without(source.image, layer.lines), options, progress)
        more = [line for line in rest.lines if not _lies_on(line, layer.lines)]
        models.update(rest.models)
        warnings, timing = rest.warnings, {**timing, **rest.timing_ms}
    put = in_order(source.image, layer.lines, more)
    progress(len(put.lines), len(put.lines))
    timing["total"] = (time.perf_counter() - started) * 1000
    return Page(
        source.image.shape[1], source.image.shape[0], tuple(put.lines), put.text, source="text-layer",
        engine=options.engine, models=models, timing_ms=timing, warnings=warnings, tables=tuple(put.tables),
    )  # fmt: skip


def agrees(image: NDArray[np.uint8], lines: Sequence[Line], reader: Reader, options: ReadOptions) -> bool:
    """Whether some lines, read, say about what the layer spells."""
    chosen = sample(lines)
    if not chosen:
        return False
    ratios = []
    for line in chosen:
        left, top, right, bottom = _bounds(line)
        piece = image[max(0, top - 2) : bottom + 3, max(0, left - 4) : right + 5]
        read = reader.read(np.ascontiguousarray(piece), replace(options, layout="line"), lambda done, total: None)
        ratios.append(difflib.SequenceMatcher(None, _plain(read.text), _plain(line.text), autojunk=False).ratio())
    return float(np.median(ratios)) >= AGREES


def sample(lines: Sequence[Line]) -> list[Line]:
    """Some level lines from all over the page, long enough to tell."""
    level = [line for line in lines if line.box[1][0] > line.box[0][0] and abs(line.box[1][1] - line.box[0][1]) < 1]
    usual = [line for line in level if len(line.text) in SAMPLE_CHARS]
    from_these = usual or sorted(level, key=lambda line: -len(line.text))[:SAMPLES]
    step = max(1, len(from_these) // SAMPLES)
    return from_these[step // 2 :: step][:SAMPLES]


def without(image: NDArray[np.uint8], lines: Sequence[Line]) -> NDArray[np.uint8]:
    """The page with its lines painted over in the colour around each."""
    painted = image.copy()
    height, width = image.shape[:2]
    for line in lines:
        left, top, right, bottom = _bounds(line)
        left, top, right, bottom = max(0, left - 1), max(0, top - 1), min(width, right + 2), min(height, bottom + 2)
        if right > left and bottom > top:
            edge = np.concatenate((image[top, left:right], image[bottom - 1, left:right]))
            painted[top:bottom, left:right] = np.median(edge, axis=0)
    return painted


def in_order(image: NDArray[np.uint8], written: Sequence[Line], more: Sequence[Line]) -> Text:
    """The lines, the text and the tables in reading order.

    The lines of the layer (`written`) keep the order of the file, which is its author's; a line that was read besides
    comes after the one that it follows on the page.
    """
    from worker.reading import geometry, layout, order, tables
    from worker.reading.grey import GreyPage

    lines = [*written, *more]
    quads = [np.array(line.box, np.float32) for line in lines]
    placed = order.place(quads, order.tilt(quads))
    after: dict[int, list[int]] = {}
    last_own = -1
    for row in order.reading_rows(quads) if more else ():
        for line in row:
            if line.index < len(written):
                last_own = line.index
            else:
                after.setdefault(last_own, []).append(line.index)
    own_turn = (index for own in range(-1, len(written)) for index in (own, *after.get(own, ())))
    in_turn = [placed[index] for index in own_turn if index >= 0]
    rows: list[list[Placed]] = []
    for line in in_turn:
        last = rows[-1][-1] if rows else None
        if last and line.left >= last.right - 0.3 * last.height and _beside(last, line):
            rows[-1].append(line)
        else:
            rows.append([line])
    put = layout.Text()
    glyph_px = GLYPH * float(np.median([geometry.size(quad)[1] for quad in quads])) if quads else 0.0
    layout.compose(put, rows, *tables.find(GreyPage(image), lines, glyph_px))
    return put


def _beside(one: Placed, other: Placed) -> bool:
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared > 0.5 * min(one.height, other.height)


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


def _bounds(line: Line) -> tuple[int, int, int, int]:
    xs, ys = [x for x, _ in line.box], [y for _, y in line.box]
    return int(min(xs)), int(min(ys)), int(max(xs)), int(max(ys))


def _lies_on(line: Line, others: Sequence[Line]) -> bool:
    """Whether a line stands on text that is known already."""
    left, top, right, bottom = _bounds(line)
    area = max(1, (right - left) * (bottom - top))
    covered = 0
    for other in others:
        x0, y0, x1, y1 = _bounds(other)
        covered += max(0, min(right, x1) - max(left, x0)) * max(0, min(bottom, y1) - max(top, y0))
    return covered > OVERLAP * area
