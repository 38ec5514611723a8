"""`auto`: the CRNN reads every line, and the lines it may have got wrong go to the stronger recogniser."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from worker.reading import accents, doubled, guesses, marks, second_look, spaces, stretches
from worker.reading import gate as gates
from worker.reading.context import lexicon, whole_plates
from worker.reading.engines.ctc_recogniser import CtcRecogniser, Trace
from worker.reading.languages import covers
from worker.reading.recogniser import Crop, Reading, Recogniser
from worker.reading.stretches import Stretch

FAIRLY_SURE = 0.75  # confidence below which the CRNN's answer to a doubtful line is a guess
CHINESE = re.compile(r"[\u3400-\u9fff]")
COMMON = -10.0  # logarithm of a common word's share of all: distributed has -9.9, resume and jose -10.1
SETS_KEPT = 32  # sets of allowed characters; there are about as many languages


class Cascade:
    """Two recognisers behind one `read`; `last_stats` says what they did since `begin_page`, for `timing_ms`.

    Whoever reads a page in several calls calls `begin_page` before the first of them. Without it every call counts as
    a page. Either way the answer depends on nothing but the page's own lines. With `words` a whole number plate speaks
    for a reading.
    """

    name = "auto"

    def __init__(self, quick: CtcRecogniser, strong: Recogniser, gate: gates.Gate, words: bool = True) -> None:
        self.quick = quick
        self.strong = strong
        self.gate = gate
        self.version = f"{quick.version}+{strong.version}+gate-{gate.fingerprint()}"
        self.vocabulary = quick.vocabulary | strong.vocabulary
        self.last_stats: dict[str, float] = {}
        self._lexicon = lexicon() if words else None
        self._begun = False
        self._asked, self._width, self._passed_on = 0, 0.0, 0.0
        self._known: dict[frozenset[str], bool] = {}
        # A gate knows the habits of the model it was fitted to; with another one its doubts mean nothing.
        self._trusted = gate.fitted_for == quick.calibrated_as

    def begin_page(self) -> None:
        """Forget what the lines of the page before were like."""
        self._begun = True
        self._reset()

    def begin_again(self) -> None:
        """Forget the evidence about the page's lines, but not the time they cost."""
        # lines that the CRNN read; their width and what of it was passed on, in line heights
        self._asked, self._width, self._passed_on = 0, 0.0, 0.0

    def _reset(self) -> None:
        self.begin_again()
        names = ("lines", "crnn_lines", "passed_on_lines", "partly_lines", "crnn_ms", f"{self.strong.name}_ms")
        self.last_stats = dict.fromkeys(names, 0.0)

    def read(self, crops: Sequence[Crop], allow: frozenset[str] | None = None) -> list[Reading]:
        """See `Recogniser.read`. Every reading names the engine whose answer it is: `auto` where each read a part."""
        if not self._begun:
            self._reset()
        able = self.quick_for(allow) is not None
        stats = self.last_stats
        stats["lines"] += len(crops)
        out: list[Reading | None] = [None] * len(crops)
        # What the strong engine must read: of these lines, these parts; and whether it is asked because of a fault.
        waiting: list[tuple[int, list[Stretch], bool]] = []
        began = time.perf_counter()
        asked = 0
        while able and (count := self._surely_asked(crops[asked:])):
            traces = self.quick.traces(crops[asked : asked + count], allow)
            for index, trace in enumerate(traces, asked):
                out[index] = trace.reading
                sure, parts, faulty = self._judge(trace, crops[index])
                if not sure:
                    waiting.append((index, parts, faulty))
            asked += count
        waiting += [(index, [], False) for index in range(asked, len(crops))]
        middle = time.perf_counter()
        pictures = [
            picture
            for index, parts, _ in waiting
            for picture in ([part.of(crops[index]) for part in parts] or [crops[index]])
        ]
        answers = iter(self.strong.read(pictures, allow))
        for index, parts, faulty in waiting:
            first = out[index]
            if first is not None and parts:
                again = [(part, next(answers)) for part in parts]
                margin = 1 - FAIRLY_SURE if faulty else stretches.MARGIN  # only a guess gives way to a faulty reading
                out[index] = stretches.joined(first, again, self.name, margin)
            else:
                second = next(answers)
                if first is None and able and (doubled.suspected(second) or marks.suspected(second)):
                    second = self._completed(second, self.quick.trace(crops[index], allow).reading)
                out[index] = second if first is None else self._choose(first, second, faulty)
        stats["crnn_ms"] += (middle - began) * 1e3
        stats[f"{self.strong.name}_ms"] += (time.perf_counter() - middle) * 1e3
        return [reading for reading in out if reading is not None]

    def quick_for(self, allow: frozenset[str] | None) -> CtcRecogniser | None:
        """The CRNN, where the gate was fitted to it and it knows the scripts of `allow`."""
        return self.quick if self._trusted and (allow is None or self._knows(allow)) else None

    def release(self) -> None:
        """See `Recogniser.release`."""
        self.quick.release()
        self.strong.release()

    def _judge(self, trace: Trace, crop: Crop) -> tuple[bool, list[Stretch], bool]:
        """Whether the CRNN's reading may stand, and if not, which parts of it must be read again (none: all), and
        whether that is because of a fault of its kind."""
        doubt, parts = self.gate.judge(trace, crop)
        sure = bool(trace.reading.text) and not parts and doubt <= self.gate.threshold
        sure = sure or (not parts and doubt <= self.gate.settled and self._settled(trace.reading))
        faults: frozenset[int] = frozenset()
        if sure or parts:
            faults, hardly_read = self.second_look(trace.reading, crop)
            if faults or (sure and hardly_read):
                sure, parts = False, stretches.find(trace.reading, crop.shape[1], crop.shape[0], faults)
        width = sum(part.right - part.left for part in parts) if parts else crop.shape[1]
        self._asked += 1
        self._width += crop.shape[1] / crop.shape[0]
        self._passed_on += 0.0 if sure else width / crop.shape[0]
        self.last_stats["crnn_lines"] += 1
        self.last_stats["partly_lines" if parts else "passed_on_lines"] += not sure
        return sure, parts, bool(faults) or doubt == gates.PASSED_OVER

    def _settled(self, reading: Reading) -> bool:
        """Whether words leave no character of a line hardly read; they say little of Chinese ones."""
        known = self._lexicon is not None and bool(reading.text)
        return known and not second_look.hardly_read(reading.chars) and not CHINESE.search(reading.text)

    def second_look(self, reading: Reading, crop: Crop) -> tuple[frozenset[int], bool]:
        """What of the CRNN's reading of `crop` is worth another look though the line as a whole was read surely: the
        characters, by index, with a fault of its kind (none where words have no say), and whether any was hardly read."""
        chars, faults = reading.chars, frozenset[int]()
        if self._lexicon is not None:
            faults = second_look.faults(chars, self._lexicon) | accents.overlooked(chars, crop, self._is_common)
        return faults, second_look.hardly_read(chars)

    def _is_common(self, word: str) -> bool:
        """Whether it is a common English word, which has no accent; José's is known, too, but rarer."""
        chance = None if self._lexicon is None else self._lexicon.word(word)
        return chance is not None and chance > COMMON

    def _knows(self, allow: frozenset[str]) -> bool:
        """Whether the CRNN knows the scripts of `allow` as well as the stronger engine does; remembered: it takes ms."""
        if allow not in self._known:
            if len(self._known) >= SETS_KEPT:
                self._known.clear()
            self._known[allow] = covers(self.quick.vocabulary, allow & self.strong.vocabulary)
        return self._known[allow]

    def _surely_asked(self, crops: Sequence[Crop]) -> int:
        """How many of the next lines the CRNN is asked about, whatever it makes of those before them; none where the page has
        shown that it does not earn its time on it. What a line costs either engine goes by its width: a page of prose with
        many small formulas is read by the CRNN."""
        asked, width, passed_on = self._asked, self._width, self._passed_on
        for count, crop in enumerate(crops):
            if asked + count >= self.gate.probe_lines and passed_on > width * self.gate.give_up_share:
                return count
            width += crop.shape[1] / crop.shape[0]
            passed_on += crop.shape[1] / crop.shape[0]  # at worst
        return len(crops)

    def _completed(self, second: Reading, first: Reading) -> Reading:
        """The stronger engine's reading with what it leaves out now and then."""
        return spaces.restored(marks.restored(doubled.restored(second, first), first), first)

    def _choose(self, first: Reading, second: Reading, faulty: bool = False) -> Reading:
        """Of the two readings of a doubtful line the stronger engine's, unless the CRNN is sure, and surer by the margin:
        where both guess, the stronger one guesses better, and where the CRNN is `faulty` its being sure says nothing. But a
        number plate that only the CRNN read as a whole stands: the stronger engine never learnt plates, and is sure of what
        it makes of them."""
        if (
            self._lexicon is not None
            and first.confidence > FAIRLY_SURE
            and whole_plates(first.text) > whole_plates(second.text)
        ):
            return first
        second = self._completed(second, first)
        if faulty and second.text and second.confidence > FAIRLY_SURE:
            return second
        surer = first.confidence > max(FAIRLY_SURE, second.confidence + self.gate.margin)
        return first if first.text and surer else guesses.settled(second, first)
