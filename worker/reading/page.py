"""The way of a page: prepare, detect, orient, crop, recognise, order. One process's warm engines; nothing else."""

from __future__ import annotations

import functools
import gc
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.records import Page, ReadOptions
from worker.reading import find, layout, memory, models, orient, prepare, stamped
from worker.reading.cascade import Cascade
from worker.reading.detect import Detector
from worker.reading.engines import DETECTOR, load_detector, load_recogniser, load_robust, robust_version, version_of
from worker.reading.found import Found
from worker.reading.grey import GreyPage
from worker.reading.languages import characters
from worker.reading.lines import PageLines
from worker.reading.recogniser import Recogniser
from worker.reading.runtime import arithmetic
from worker.reading.versions import Version, all_in_use

PREPROCESSING = "29"  # raise it whenever anything on the way changes what is read: it is part of every cache key
STEPS = ("prepare", "detect", "orient", "crop", "recognise", "order")
MEMORY_MB = 480  # of the process, from which on a page leaves less behind it (see `_keep_small`)
SOON = 20  # pages: robust weights that are needed again so soon stay, and the engines' kernels go instead
GROWN_MB = 60  # engines are loaded anew only where the process has grown by so much since they last were
LINE_GLYPHS = 0.6  # of the height of a picture of one line that its glyphs take
WARM_TEXT = "OCR ready 2025"

Progress = Callable[[int, int], None]


class Timer:
    """Adds up milliseconds under the names of the steps."""

    def __init__(self) -> None:
        self._started = self._last = time.perf_counter()
        self.ms: dict[str, float] = dict.fromkeys(STEPS, 0.0)

    def step(self, name: str) -> None:
        """What has passed since the last step belongs to `name`."""
        now = time.perf_counter()
        self.ms[name] += (now - self._last) * 1e3
        self._last = now

    def total(self) -> dict[str, float]:
        """All steps and their total."""
        return self.ms | {"total": (time.perf_counter() - self._started) * 1e3}


class Reader:
    """Reads pages with warm engines: loads at once, keeps the default engine and at most one other.

    `versions` holds versions of weights by engine; None takes what the folder says is in use. With `words` doubtful
    characters are settled by the words around them. Not safe to share between threads. Raises ModelError where a weight is missing or damaged.
    """

    def __init__(
        self,
        models_folder: Path,
        engine: str = "auto",
        versions: Mapping[str, Version] | None = None,
        detector: Detector | None = None,
        precision: str = "auto",
        words: bool = True,
    ) -> None:
        self._folder = models_folder
        self._default = engine
        self._asked = precision
        self._words = words
        self.precision = arithmetic(precision)
        self._versions = all_in_use(models_folder) if versions is None else dict(versions)
        self._recognisers: dict[str, Recogniser] = {
            engine: load_recogniser(engine, models_folder, self._versions, precision, words)
        }
        self._detector = detector or Detector.load(models_folder, DETECTOR, precision)
        self._added: Detector | None = None  # a detector that was added, while its engine is held
        self._robust: dict[str, Recogniser | None] = {}  # by version, loaded when the first damaged line comes
        self._fresh_mb = 0.0  # of the process after the first page that these engines read
        self._reads, self._robust_gone = 0, -SOON  # pages read, and the one after which the robust weights went last

    def renewed(self, versions: Mapping[str, Version]) -> Reader:
        """A reader with other versions of the weights. This one may go on reading meanwhile, but not afterwards: they
        share the detector."""
        return Reader(self._folder, self._default, versions, self._detector, self._asked, self._words)

    def recogniser(self, engine: str) -> Recogniser:
        """The warm recogniser of `engine`, loaded on demand. Raises ModelError, ValueError for an unknown name."""
        if engine not in self._recognisers:
            for name in [name for name in self._recognisers if name != self._default]:
                del self._recognisers[name]
            self._added = None
            gc.collect()
            self._recognisers[engine] = load_recogniser(engine, self._folder, self._versions, self._asked, self._words)
        return self._recognisers[engine]

    def detector(self, engine: str) -> Detector:
        """What finds the lines that `engine` reads: one that was added with it, or PP-OCRv6's."""
        if engine != "modelscope" or models.added_detector(self._folder) is None:
            return self._detector
        if self._added is None:
            self._added, _ = load_detector(engine, self._folder, self._asked)
        return self._added

    def robust(self, engine: str) -> Recogniser | None:
        """What damaged lines are read with when `engine` reads, loaded at the first of them; None where it has only its own
        weights. Raises ModelError."""
        version = robust_version(engine)
        if version is None:
            return None
        if version not in self._robust:
            self._robust[version] = load_robust(engine, self._folder, self._asked, self._words)
        return self._robust[version]

    def models_used(self, options: ReadOptions) -> dict[str, str]:
        """Versions of everything that takes part in a reading with these options."""
        used = {
            "recogniser": self._version_of(options.engine),
            "preprocessing": PREPROCESSING,
            "precision": self.precision,
        }
        if not self._words:
            used["words"] = "off"
        robust = robust_version(options.engine)
        if robust is not None and options.preprocess != "off":
            used["damaged_lines"] = robust
        if options.layout != "line":
            added = models.added_detector(self._folder) if options.engine == "modelscope" else None
            used["detector"] = (models.find(DETECTOR) if added is None else added.weights[0]).version
        return used

    def fingerprint(self, options: ReadOptions) -> str:
        """Engine, model and preprocessing versions: changes whenever the answer may. Part of cache keys.

        Of the precision it holds what was asked for, not what the processor made of it: a fleet of unlike processors
        shares one cache, as its answers are equally good.
        """
        used = self.models_used(options) | {"precision": self._asked}
        return f"{options.engine}/" + "/".join(f"{k}={used[k]}" for k in sorted(used))

    def _version_of(self, engine: str) -> str:
        """Of an engine that is not loaded, what would be: asking for a name loads nothing."""
        known = self._recognisers.get(engine)
        return known.version if known is not None else version_of(engine, self._folder, self._versions)

    def read(self, image: NDArray[np.uint8], options: ReadOptions, progress: Progress | None = None) -> Page:
        """Read a BGR page (height, width, 3) as displayed. `progress` is called with (lines done, lines in all).

        Raises UnknownOption for an unknown language.
        """
        self._reads += 1
        page = self._read(image, options, progress)
        self._keep_small(image.nbytes / 1e6)
        return page

    def _read(self, image: NDArray[np.uint8], options: ReadOptions, progress: Progress | None) -> Page:
        timer = Timer()
        recogniser = self.recogniser(options.engine)
        allow = characters(options.lang, recogniser.vocabulary)
        height, width = image.shape[:2]
        boxes, alone = [find.whole(image)], options.layout == "line"
        glyph_px = 0.0
        stamps: list[Found] = []
        cascade = recogniser if isinstance(recogniser, Cascade) else None
        if cascade is not None:
            cascade.begin_page()
        if not alone:
            alone = options.layout == "auto" and find.is_plainly_one_line(image)
        if not alone and options.preprocess != "off":
            image, stamps = stamped.read(image, self.detector(options.engine), recogniser, allow)
        grey = GreyPage(image)
        if not alone:
            detector = self.detector(options.engine)
            ink = prepare.measure_ink(grey)
            glyph_px = ink.height
            timer.step("prepare")
            boxes = find.find(detector, image, ink)
            detector.release()
            if options.layout == "auto" and find.is_one_line(image, find.apart(boxes)[0]):
                boxes, alone = [find.whole(image)], True
            timer.step("detect")
        quick = cascade.quick_for(allow) if cascade is not None and alone else None
        lines = PageLines(image, boxes, recogniser, allow, self._words, quick)
        has_robust = robust_version(options.engine) is not None
        turn = 0 if alone else lines.orient()
        if cascade is not None and turn != 0:
            cascade.begin_again()  # lines seen the wrong way round are no evidence against the quick engine
        timer.step("orient")
        lines.cut(turn)
        if options.preprocess != "off":
            lines.mend(alone, has_robust)
        timer.step("crop")
        lines.read(progress, functools.partial(self.robust, options.engine))
        if options.lang.lower() != "ja":  # Japanese has characters of both forms, also where it has no kana
            lines.settle()
        lines.settle_lookalikes()
        lines.tick(grey, LINE_GLYPHS * height if alone else glyph_px)
        timer.step("recognise")
        kept = [line for line in lines.found if line.has_text()] if alone else lines.standing()
        put = layout.arrange(kept, stamps, turn is None, grey, 0.0 if alone else glyph_px)
        timer.step("order")
        return Page(
            width,
            height,
            tuple(put.lines),
            put.text,
            rotation=orient.rotation_of(turn),
            engine=options.engine,
            models=self.models_used(options),
            timing_ms=timer.total() | (dict(cascade.last_stats) if cascade is not None else {}),
            tables=tuple(put.tables),
        )

    def _keep_small(self, picture_mb: float) -> None:
        """The page's own picture goes with it, so it does not count. Where memory is short, a page leaves less behind it, in this order and as far as it must: working space, then the
        robust weights, which the next damaged page loads again (not every page in turn), then the kernels that were prepared for every size of
        line, by letting the engines go: the next page loads them again, in half a second."""

        def stays() -> float:
            return memory.resident_mb() - picture_mb

        self._fresh_mb = self._fresh_mb or stays()
        if stays() <= MEMORY_MB:
            return
        for recogniser in (*self._recognisers.values(), *filter(None, self._robust.values())):
            recogniser.release()
        memory.trim()
        if self._robust and stays() > MEMORY_MB:
            needed_again = self._reads - self._robust_gone <= SOON
            self._robust_gone = self._reads
            if needed_again:
                self._let_engines_go()
            else:
                self._robust.clear()
                gc.collect()
                memory.trim()
        if stays() > MEMORY_MB and stays() > self._fresh_mb + GROWN_MB:
            self._let_engines_go()

    def _let_engines_go(self) -> None:
        self._recognisers.clear()
        self._added = None
        self._fresh_mb = 0.0
        gc.collect()
        memory.trim()

    def warm(self, layout: str = "page") -> str:
        """Read a rendered line end to end; returns its text. Raises RuntimeError where it is read wrongly.

        With the layout `line` the detector is left alone.
        """
        from PIL import Image, ImageDraw, ImageFont

        picture = Image.new("RGB", (480, 120), "white")
        ImageDraw.Draw(picture).text((40, 36), WARM_TEXT, fill="black", font=ImageFont.load_default(size=40))
        image = np.ascontiguousarray(np.asarray(picture)[:, :, ::-1])
        if layout == "line":
            image = np.ascontiguousarray(image[28:92, 32:448])
        page = self.read(image, ReadOptions(engine=self._default, layout=layout))
        if page.text != WARM_TEXT:
            raise RuntimeError(f"the warm engine reads {page.text!r} where {WARM_TEXT!r} stands")
        return page.text
