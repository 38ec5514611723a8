"""The way of a page: prepare, detect, orient, crop, recognise, order. One process's warm engines; nothing else."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.records import Line, Page, ReadOptions
from worker.reading import geometry, models, order, orient, paragraphs, prepare
from worker.reading.crop import Cut, char_records, cut
from worker.reading.detect import Detector
from worker.reading.engines import load_recogniser
from worker.reading.geometry import Floats
from worker.reading.recogniser import Reading, Recogniser
from worker.reading.vertical import LaidColumn, cells_of, lay_down

PREPROCESSING = "1"  # raise it whenever anything here changes what is read: it is part of every cache key
KEEP_CONFIDENCE = 0.5  # a line surer than this is kept; below lie shadows, rules and logos
CHUNK = 8  # lines read between two reports of progress
MAX_CELLS = 16  # characters looked at one by one to tell columns from lines lying on their side
LINE_ASPECT = 3.0  # from here on a picture may be the crop of one line
LINE_HEIGHT_PX = 160

Progress = Callable[[int, int], None]
WARM_TEXT = "OCR ready 2025"


class Timer:
    """Adds up milliseconds under the names of the steps."""

    def __init__(self) -> None:
        self.started = self._last = time.perf_counter()
        self.ms: dict[str, float] = dict.fromkeys(("prepare", "detect", "orient", "crop", "recognise", "order"), 0.0)

    def step(self, name: str) -> None:
        now = time.perf_counter()
        self.ms[name] += (now - self._last) * 1e3
        self._last = now

    def total(self) -> dict[str, float]:
        return self.ms | {"total": (time.perf_counter() - self.started) * 1e3}


@dataclass(slots=True)
class Found:
    """A line on its way: where it is, how it was cut, what it says."""

    quad: Floats
    piece: Cut
    vertical: bool = False
    laid: LaidColumn | None = None
    reading: Reading | None = None

    @property
    def image(self) -> NDArray[np.uint8]:
        return self.piece.image if self.laid is None else self.laid.image


class Reader:
    """Reads pages with warm engines: loads at once, keeps the default engine and at most one other.

    Not safe to share between threads. Raises ModelError where a weight is missing.
    """

    def __init__(self, models_folder: Path, engine: str = "auto") -> None:
        self._folder = models_folder
        self._default = engine
        self._recognisers: dict[str, Recogniser] = {engine: load_recogniser(engine, models_folder)}
        self._detector = Detector.load(models_folder)

    def recogniser(self, engine: str) -> Recogniser:
        """The warm recogniser of `engine`, loaded on demand."""
        if engine not in self._recognisers:
            for name in [name for name in self._recognisers if name != self._default]:
                del self._recognisers[name]
            gc.collect()
            self._recognisers[engine] = load_recogniser(engine, self._folder)
        return self._recognisers[engine]

    def models_used(self, options: ReadOptions) -> dict[str, str]:
        """Versions of everything that takes part in a reading with these options."""
        recogniser = self.recogniser(options.engine)
        used = {"recogniser": recogniser.version, "preprocessing": PREPROCESSING}
        if options.layout != "line":
            used["detector"] = models.find("ppocrv6_det").version
        return used

    def fingerprint(self, options: ReadOptions) -> str:
        """Engine, model and preprocessing versions: changes whenever the answer may. Part of cache keys."""
        used = self.models_used(options)
        return f"{self.recogniser(options.engine).name}/" + "/".join(f"{k}={used[k]}" for k in sorted(used))

    def read(self, image: NDArray[np.uint8], options: ReadOptions, progress: Progress | None = None) -> Page:
        """Read a BGR page (height, width, 3) as displayed. `progress` is called with (lines done, lines in all)."""
        timer = Timer()
        recogniser = self.recogniser(options.engine)
        height, width = image.shape[:2]
        quads = self._find(image, options, timer)
        sampled: dict[tuple[int, int], Found] = {}
        turn = self._orient(image, quads, recogniser, sampled)
        timer.step("orient")
        found = [
            sampled.get((index, 1 if turn is None else turn)) or self._cut(image, quad, turn)
            for index, quad in enumerate(quads)
        ]
        timer.step("crop")
        self._recognise(image, found, recogniser, progress)
        timer.step("recognise")
        kept = [
            line
            for line in found
            if line.reading and line.reading.text.strip() and line.reading.confidence > KEEP_CONFIDENCE
        ]
        lines = tuple(self._line(line) for line in kept)
        order_of = order.reading_columns if turn is None else order.reading_rows
        rows = order_of([line.quad for line in kept])
        text = paragraphs.join(rows, [line.text for line in lines])
        timer.step("order")
        return Page(
            width,
            height,
            tuple(lines[placed.index] for row in rows for placed in row),
            text,
            rotation=orient.rotation_of(turn),
            engine=options.engine,
            models=self.models_used(options),
            timing_ms=timer.total(),
        )

    def warm(self) -> str:
        """Read a rendered line end to end; returns its text. Raises RuntimeError where it is read wrongly."""
        from PIL import Image, ImageDraw, ImageFont

        picture = Image.new("RGB", (480, 120), "white")
        ImageDraw.Draw(picture).text((40, 36), WARM_TEXT, fill="black", font=ImageFont.load_default(size=40))
        page = self.read(
            np.ascontiguousarray(np.asarray(picture)[:, :, ::-1]), ReadOptions(engine=self._default, layout="page")
        )
        if page.text != WARM_TEXT:
            raise RuntimeError(f"the warm engine reads {page.text!r} where {WARM_TEXT!r} stands")
        return page.text

    def _find(self, image: NDArray[np.uint8], options: ReadOptions, timer: Timer) -> list[Floats]:
        height, width = image.shape[:2]
        whole = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
        if options.layout == "line":
            return [whole]
        ink = prepare.measure_ink(image)
        scale = prepare.detector_scale(width, height, ink)
        timer.step("prepare")
        quads = [box.quad for box in self._detector.detect(image, scale)]
        self._detector.release()
        timer.step("detect")
        if (
            options.layout == "auto"
            and width > LINE_ASPECT * height
            and height <= LINE_HEIGHT_PX
            and one_line(quads, height)
        ):
            return [whole]
        return quads

    def _orient(
        self,
        image: NDArray[np.uint8],
        quads: Sequence[Floats],
        recogniser: Recogniser,
        sampled: dict[tuple[int, int], Found],
    ) -> int | None:
        """See `orient.corner_turn`; what was read on the way is kept in `sampled` by (index, corners rolled)."""

        def read(chosen: Sequence[int], corners: int) -> list[Reading]:
            lines = [self._cut(image, quads[index], corners) for index in chosen]
            readings = recogniser.read([line.image for line in lines])
            for index, line, reading in zip(chosen, lines, readings, strict=True):
                line.reading = reading
                sampled[index, corners] = line
            return readings

        def cells(chosen: Sequence[int], corners: int) -> tuple[float, float]:
            characters = [cell for index in chosen for cell in cells_of(cut(image, quads[index]).image)][:MAX_CELLS]
            lying = [np.ascontiguousarray(np.rot90(cell, corners)) for cell in characters]
            return orient.trust(recogniser.read(characters)), orient.trust(recogniser.read(lying))

        return orient.corner_turn(quads, read, cells)

    def _cut(self, image: NDArray[np.uint8], quad: Floats, turn: int | None) -> Found:
        """A line cut out in the page's direction of reading; on a page of columns the tall ones are cut lying down."""
        vertical = turn is None and orient.is_tall(quad)
        rolled = geometry.roll(quad, 1 if vertical else turn or 0)
        return Found(rolled, cut(image, rolled), vertical=vertical)

    def _recognise(
        self, image: NDArray[np.uint8], found: list[Found], recogniser: Recogniser, progress: Progress | None
    ) -> None:
        """Reads every line, near widths together; a line that runs across the page's direction is read every way."""
        waiting = [line for line in found if line.reading is None]
        waiting.sort(key=lambda line: line.image.shape[1] / line.image.shape[0])
        for start in range(0, len(waiting), CHUNK):
            part = waiting[start : start + CHUNK]
            for line, reading in zip(part, recogniser.read([line.image for line in part]), strict=True):
                line.reading = reading
                if orient.is_tall(line.quad):
                    self._read_tall(image, line, recogniser)
                elif line.vertical:
                    self._read_column(image, line, recogniser)
            if progress is not None:
                progress(len(found) - max(0, len(waiting) - start - CHUNK), len(found))

    def _read_column(self, image: NDArray[np.uint8], line: Found, recogniser: Recogniser) -> None:
        """A column is read lying on its side, as recognisers are trained to; one that is not sure is cut into its
        characters, and those are laid side by side."""
        assert line.reading is not None
        if line.reading.confidence >= orient.SURE:
            return
        laid = lay_down(cut(image, geometry.roll(line.quad, 3)))
        reading = recogniser.read([laid.image])[0]
        if reading.confidence > line.reading.confidence:
            line.laid, line.reading = laid, reading

    def _read_tall(self, image: NDArray[np.uint8], line: Found, recogniser: Recogniser) -> None:
        """A tall quad may be one glyph, a column of characters, or a line on its side: the surest reading wins."""
        ways = [line]
        for corners in (1, 3):
            rolled = geometry.roll(line.quad, corners)
            ways.append(Found(rolled, cut(image, rolled)))
        width, height = geometry.size(line.quad)
        if height > 2 * width:
            ways.append(Found(geometry.roll(line.quad, 1), line.piece, True, lay_down(line.piece)))
        for way, reading in zip(ways[1:], recogniser.read([way.image for way in ways[1:]]), strict=True):
            way.reading = reading

        def worth(way: Found) -> float:
            return way.reading.confidence * min(1.0, 0.7 + 0.1 * len(way.reading.text)) if way.reading else 0.0

        best = max(ways, key=worth)
        line.quad, line.piece, line.reading = best.quad, best.piece, best.reading
        line.vertical, line.laid = best.vertical, best.laid

    def _line(self, line: Found) -> Line:
        reading = line.reading
        assert reading is not None
        chars = char_records(line.piece, reading.chars) if line.laid is None else line.laid.char_records(reading.chars)
        return Line(
            reading.text,
            reading.confidence,
            geometry.as_record(line.quad),
            reading.engine,
            chars,
            vertical=line.vertical,
        )


def one_line(quads: Sequence[Floats], height: int) -> bool:
    """Whether what was found in a picture `height` px high is a single line that fills it."""
    if not quads:
        return True
    middles = [float(quad[:, 1].mean()) for quad in quads]
    tallest = max(geometry.bounds(quad)[3] - geometry.bounds(quad)[1] for quad in quads)
    return max(middles) - min(middles) < 0.3 * tallest and tallest > 0.5 * height
