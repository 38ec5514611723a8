"""A line recogniser that is one CTC model and its facts: PP-OCRv6, the CRNN and ModelScope's are all of this kind."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.reading import (
    context,
    ctc,
    eight_bit,
    figures,
    gaps,
    ink,
    longline,
    places,
    retrained,
    separators,
    underscores,
)
from worker.reading.blanks import Split, teller_of
from worker.reading.models import Facts, ModelError, place
from worker.reading.recogniser import Crop, ReadChar, Reading, reading_of
from worker.reading.runtime import Session, arithmetic

SHRINK_AREA = 2.0  # from this reduction on, pixels are averaged: a linear sample would skip thin strokes
OVERLAP_HEIGHTS = 3.0  # of a long line's windows: each sees a character and a half beyond where they meet
WIDEST_HEIGHTS = 1.2  # no character is wider: a CJK character is about as wide as high
HOLE_HEIGHTS = 1.0  # no two characters of a word are further apart, from peak to peak
TOLD_BY_HEIGHT = 0.8  # confidence in an o that the network read as 0
MASKS_KEPT = 32  # sets of allowed characters, 75 kB each; there are about as many languages
PEAK_AT = 0.5  # where within a character its peak stands, unless the facts say it


@dataclass(frozen=True, slots=True)
class Trace:
    """A reading with what the gate of the cascade looks at.

    `peaks` are the characters as the pixels alone gave them, before their neighbours had a say. `ink` is the share of ink
    in each column of the line at the model's `height`, `spans` (n, 2) the columns at which each of the peaks lies.
    """

    reading: Reading
    height: int
    ink: NDArray[np.float32]
    spans: NDArray[np.float32]
    peaks: tuple[ctc.Peak, ...] = ()


def _widths(how: Mapping[str, Any]) -> list[int]:
    """The widths that a model is given, in pixels, narrowest first: listed, or evenly spaced."""
    if "widths" in how:
        return sorted(how["widths"])
    return list(range(how["width_min"], how["width_max"] + 1, how["width_step"]))


class CtcRecogniser:
    """Reads lines with one warm CTC model. `folder` holds the weights; `docs/models.md` explains the keys of `facts`.

    Every line keeps its proportions. Widths are rounded up to a few sizes, because each costs 5 to 6 MB of prepared
    weights and some 20 ms the first time, and what is right of the line is filled with the value that the model was trained to see there. `precision`
    is that of the arithmetic (`runtime.arithmetic`); with `auto` the layers that the model names are in 8 bits besides.
    Doubtful characters are settled by the words around them (see `context`), unless `words` is false. With `robust` it is the
    model of the facts with the weights that were trained further on damaged lines, and unknown words are spelt as known ones.
    """

    def __init__(
        self, facts: Facts, folder: Path, precision: str = "auto", words: bool = True, robust: bool = False
    ) -> None:
        how = {**facts.recogniser, **(facts.extra["robust"] if robust else {})}
        weight = facts.weight(facts.recogniser["weight"])
        file = place(folder, weight)
        further = place(folder, facts.weight(how["further"])) if robust else None
        if not file.is_file():
            raise ModelError(reason=f"The model {weight.name} is not in {folder}: run `ocrfleet models fetch`.")
        self.name = facts.engine
        self.version = facts.weight(how["further"]).version if robust else weight.version
        # The version whose habits of confidence it has: a fine-tuned model was shown to keep those of its parent.
        self.calibrated_as: str = how.get("calibrated_as", weight.version)
        self.height: int = how["height"]
        self.channels: int = how["channels"]
        self.order: str = how.get("order", "bgr")
        self.widths = _widths(how)
        self.width_after: int = how["width_after"]
        self.peak_at: float = how.get("peak_at", PEAK_AT)
        self._mean = np.float32(how["mean"] * 255)
        self._scale = np.float32(1 / (how["std"] * 255))
        eight = precision == "auto" and eight_bit.supported()
        teller = None if robust or eight or arithmetic(precision) != "f32" else teller_of(facts, folder)

        def edit(graph: Any) -> Any:
            graph = graph if further is None else retrained.applied(graph, further)
            return ctc.top_graph(
                eight_bit.applied(graph) if eight else graph, how.get("classes"), ctc.TOP_WORN if robust else ctc.TOP
            )

        self.session: Session | Split = (
            Session(file, precision=precision, edit=edit)
            if teller is None
            else Split(file, teller, precision, how.get("classes"))
        )
        self.alphabet = self._alphabet(facts, folder)
        self.vocabulary = frozenset(self.alphabet) - {""}
        self.allow_all = np.zeros((1, 1, len(self.alphabet)), np.float32)
        self._masks: dict[frozenset[str], NDArray[np.float32]] = {}
        self._context = context.Context(self.alphabet, context.lexicon()) if words else None
        self._speller = context.Speller(self.alphabet, context.lexicon()) if words and robust else None
        self.stride = self._warm()

    def _alphabet(self, facts: Facts, folder: Path) -> list[str]:
        """Class -> character; "" for the blank and for classes that stand for none."""
        how = facts.recogniser
        kind, name = how["vocabulary"].split(":")
        if kind == "metadata":
            characters = self.session.metadata[name].split("\n")
        else:
            file = place(folder, facts.weight(name))
            if not file.is_file():
                raise ModelError(reason=f"The model file {file} is missing: run `ocrfleet models fetch`.")
            # Not splitlines: it would split at characters that are part of the list.
            characters = [row.rstrip("\r") for row in file.read_text(encoding="utf-8").rstrip("\n").split("\n")]
        known = [""] * how.get("first_character", 1) + characters + list(how.get("extra_characters", ()))
        classes = self.session.input_shape(1)[2]
        if len(known) > classes:
            raise ModelError(reason=f"{facts.engine}: {len(known)} characters are listed for {classes} classes.")
        return known + [""] * (classes - len(known))

    def _warm(self) -> int:
        """Read an empty line: prepares the commonest shape, and shows how many columns a time step covers."""
        empty = np.zeros((1, self.channels, self.height, self.widths[0]), np.float32)
        scores, _ = self.session(empty, self.allow_all)
        return self.widths[0] // int(scores.shape[1])

    def read(self, crops: Sequence[Crop], allow: frozenset[str] | None = None) -> list[Reading]:
        """See `Recogniser.read`."""
        return [trace.reading for trace in self.traces(crops, allow)]

    def release(self) -> None:
        """See `Recogniser.release`."""
        self.session.release()

    def trace(self, crop: Crop, allow: frozenset[str] | None = None) -> Trace:
        """Read one line and show where on it the characters were found."""
        return self.traces([crop], allow)[0]

    def traces(self, crops: Sequence[Crop], allow: frozenset[str] | None = None) -> list[Trace]:
        """The same of several lines. The network sees all of them before anything else is done: it takes the rest out of the
        processor's cache, and to do that line by line costs a receipt 10 ms and more."""
        sized = [self.resize(crop) for crop in crops if crop.size]
        seen = iter(zip(sized, self._steps(sized, self._mask(allow)), strict=True))
        return [self._told(crop, *next(seen), allow) if crop.size else self._nothing() for crop in crops]

    def _nothing(self) -> Trace:
        """Of an empty line."""
        empty = Reading("", 0.0, (), self.name)
        return Trace(empty, self.height, np.zeros(0, np.float32), np.zeros((0, 2), np.float32))

    def _told(self, crop: Crop, sized: NDArray[np.uint8], steps: longline.Steps, allow: frozenset[str] | None) -> Trace:
        """What the network's steps tell of a line, of which it saw the picture `sized`."""
        scores, classes = steps
        first = [peak for peak in ctc.decode(scores, classes) if self.alphabet[peak.index]]
        peaks = first
        if self._context is not None:
            hole = HOLE_HEIGHTS * self.height / self.stride
            nearly = ctc.nearly(scores, classes, context.LEAST_CHANGE)
            peaks = self._context.settle(first, nearly, allow, hole)
            if self._speller is not None and self._context.english(peaks, allow):
                peaks = self._speller.spelt(peaks, context.Steps(scores, classes), hole)
            peaks = context.credit_codes(context.sums(peaks, self.alphabet), self.alphabet)
        share = ink.columns(sized)
        found = places.extents(
            self._spans(peaks).mean(axis=1).tolist(), share, self.peak_at, self.height * WIDEST_HEIGHTS
        )
        pixels = crop.shape[1] / sized.shape[1]  # of the crop, a column of `sized`
        peaks = self._told_by_height(peaks, [(x0 * pixels, x1 * pixels) for x0, x1 in found], crop, allow)
        chars = tuple(
            ReadChar(
                self.alphabet[peak.index],
                peak.confidence,
                x0 * pixels,
                x1 * pixels,
                self._named(peak.alternatives),
            )
            for peak, (x0, x1) in zip(peaks, found, strict=True)
        )
        spaced = gaps.spaced(chars, share, self.height, pixels)
        reading = reading_of(separators.settled(underscores.drawn(spaced, crop)), self.name)
        seen = self._without_margins(first)
        return Trace(reading, self.height, share, self._spans(seen), tuple(seen))

    def _without_margins(self, peaks: Sequence[ctc.Peak]) -> Sequence[ctc.Peak]:
        """Without spaces at the ends: whether the paper around a line is one is no doubt about the line."""
        inked = [at for at, peak in enumerate(peaks) if self.alphabet[peak.index].strip()]
        return peaks[inked[0] : inked[-1] + 1] if inked else peaks

    def _named(self, alternatives: Sequence[tuple[int, float]]) -> tuple[tuple[str, float], ...]:
        """The first few alternatives that are characters."""
        known = [(self.alphabet[index], score) for index, score in alternatives if self.alphabet[index]]
        return tuple(known[: ctc.TOP - 1])

    def _told_by_height(
        self,
        peaks: Sequence[ctc.Peak],
        extents: Sequence[tuple[float, float]],
        crop: Crop,
        allow: frozenset[str] | None,
    ) -> list[ctc.Peak]:
        """See `figures`; by how much the ruler is to be believed nobody measured, so such an o stays doubtful."""
        out = list(peaks)
        if "o" not in self.vocabulary or (allow is not None and "o" not in allow):
            return out
        chars = [self.alphabet[peak.index][0] for peak in peaks]
        for at in figures.small_zeros("".join(chars), extents, crop):
            others = ((peaks[at].index, 1 - TOLD_BY_HEIGHT), *peaks[at].alternatives)
            out[at] = replace(peaks[at], index=self.alphabet.index("o"), confidence=TOLD_BY_HEIGHT, alternatives=others)
        return out

    def _spans(self, peaks: Sequence[ctc.Peak]) -> NDArray[np.float32]:
        """The columns that peaks cover, (n, 2)."""
        return np.array([(peak.first, peak.last + 1) for peak in peaks], np.float32).reshape(-1, 2) * self.stride

    def resize(self, crop: Crop) -> NDArray[np.uint8]:
        """The crop at the model's height and its own proportions."""
        height, width = crop.shape[:2]
        wide = max(1, math.ceil(width * self.height / height))
        way = cv2.INTER_AREA if height >= SHRINK_AREA * self.height else cv2.INTER_LINEAR
        sized = cv2.resize(crop, (wide, self.height), interpolation=way)
        return np.asarray(sized, np.uint8)

    def inputs(self, crop: Crop) -> list[NDArray[np.float32]]:
        """The model's inputs for a crop, (1, channels, height, width) each: one, or several for a long line."""
        sized = self.resize(crop)
        return [self._input(sized[:, first:end]) for first, end in self._cuts(sized)]

    def _cuts(self, sized: NDArray[np.uint8]) -> list[tuple[int, int]]:
        width, limit = sized.shape[1], self.widths[-1] - self.width_after
        if width <= limit:
            return [(0, width)]
        return longline.windows(ink.columns(sized), limit, int(self.height * OVERLAP_HEIGHTS), self.stride)

    def _steps(self, lines: Sequence[NDArray[np.uint8]], mask: NDArray[np.float32]) -> list[longline.Steps]:
        """The best classes of every step of lines at the model's height. Plain paper before and after a line is not shown to the
        network: its steps are blank."""
        inked = [ink.without_paper(line) for line in lines]
        begins = [begin - begin % self.stride for begin, _ in inked]
        seen = [line[:, begin:end] for line, begin, (_, end) in zip(lines, begins, inked, strict=True)]
        cuts = [self._cuts(line) for line in seen]
        windows = (self._input(line[:, first:end]) for line, own in zip(seen, cuts, strict=True) for first, end in own)
        answers = iter(self._answers(windows, mask))
        out = []
        for line, begin, own in zip(seen, begins, cuts, strict=True):
            parts = []
            for (first, end), (scores, classes) in zip(own, answers, strict=False):
                whole = scores.shape[1] if end == line.shape[1] else (end - first) // self.stride
                parts.append((scores[0, :whole], classes[0, :whole]))
            merged = longline.merge(parts, [first // self.stride for first, _ in own])
            out.append(longline.delayed(merged, begin // self.stride))
        return out

    def _answers(self, windows: Iterable[NDArray[np.float32]], mask: NDArray[np.float32]) -> Sequence[Any]:
        """What the network says of each of its inputs."""
        if isinstance(self.session, Split):
            return self.session.several(windows, mask)
        return [self.session(x, mask) for x in windows]

    def _input(self, sized: NDArray[np.uint8]) -> NDArray[np.float32]:
        width = sized.shape[1]
        place = bisect.bisect_left(self.widths, width + self.width_after)
        bucket = self.widths[min(place, len(self.widths) - 1)]
        x = np.zeros((1, self.channels, self.height, bucket), np.float32)
        if self.channels == 1:
            sized = cv2.cvtColor(sized, cv2.COLOR_BGR2GRAY)[:, :, None]
        elif self.order == "rgb":
            sized = sized[:, :, ::-1]
        np.subtract(sized.transpose(2, 0, 1), self._mean, out=x[0, :, :, :width])
        x[0, :, :, :width] *= self._scale
        return x

    def _mask(self, allow: frozenset[str] | None) -> NDArray[np.float32]:
        if allow is None:
            return self.allow_all
        if allow not in self._masks:
            if len(self._masks) >= MASKS_KEPT:
                self._masks.clear()
            refused = [i > 0 and char != " " and char not in allow for i, char in enumerate(self.alphabet)]
            self._masks[allow] = np.where(refused, np.float32(ctc.REFUSED), np.float32(0)).reshape(1, 1, -1)
        return self._masks[allow]
