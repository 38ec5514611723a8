"""The parts of a long line that are read again: where they begin and end, and how they are put back. Recognisers are stood in."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest

from tests.unit.test_cascade import Quick, Strong, gate
from worker.reading import gate as gates
from worker.reading import ink, stretches
from worker.reading.cascade import Cascade
from worker.reading.ctc import Peak
from worker.reading.engines.ctc_recogniser import Trace
from worker.reading.recogniser import Crop, ReadChar, Reading
from worker.reading.stretches import Stretch

HEIGHT, WIDE = 32, 16  # of a line and of a character, pixels
LINE = "the quick brown fox jumps over it"


def line(text: str, **doubtful: float) -> Reading:
    """A reading of `text`; `at7=0.5` is the confidence of its eighth character."""
    sure = {int(name[2:]): value for name, value in doubtful.items()}
    chars = tuple(ReadChar(c, sure.get(i, 0.99), WIDE * i, WIDE * (i + 1.0)) for i, c in enumerate(text))
    return Reading(text, sum(c.confidence for c in chars) / len(chars), chars, "crnn")


def found(reading: Reading) -> list[Stretch]:
    return stretches.find(reading, WIDE * len(reading.text), HEIGHT)


def words(reading: Reading) -> list[str]:
    return [reading.text[part.first : part.end] for part in found(reading)]


def test_a_doubtful_character_takes_its_word_along_and_no_more() -> None:
    (part,) = found(line(LINE, at11=0.6))
    assert LINE[part.first : part.end] == "brown"
    # From the middle of the space before to the middle of the space after.
    assert (part.left, part.right) == (int(9.5 * WIDE), int(15.5 * WIDE))
    assert part.of(np.zeros((HEIGHT, WIDE * len(LINE), 3), np.uint8)).shape == (HEIGHT, 6 * WIDE, 3)


def test_a_doubtful_space_takes_the_words_on_both_sides_along() -> None:
    assert words(line(LINE, at9=0.6)) == ["quick brown"]


def test_words_near_each_other_are_read_together_and_far_ones_apart() -> None:
    assert words(line(LINE, at11=0.6, at17=0.6)) == ["brown fox"]
    assert words(line(LINE, at1=0.6, at28=0.6)) == ["the", "over"]


def test_chinese_is_parted_between_sure_characters() -> None:
    text = "今天天气很好我们一起去公园散步吧朋友"
    assert words(line(text, at6=0.5)) == ["好我们"]
    assert words(line(text, at6=0.5, at7=0.95)) == ["好我们一"]


def test_a_character_that_was_read_surely_may_be_asked_for() -> None:
    reading = line(LINE)
    (part,) = stretches.find(reading, WIDE * len(LINE), HEIGHT, {LINE.index("brown") + 2})
    assert LINE[part.first : part.end].strip() == "brown"


@pytest.mark.parametrize(
    "reading",
    [line(LINE), line("short one", at1=0.3), line(LINE, at5=0.5, at11=0.5, at17=0.5, at22=0.5, at28=0.5)],
    ids=["nothing doubtful", "short", "most of it doubtful"],
)
def test_where_parts_would_not_pay_there_are_none(reading: Reading) -> None:
    assert found(reading) == []


def test_what_was_read_again_takes_its_place_with_its_own_positions() -> None:
    first = line(LINE.replace("brown", "br0wn"), at12=0.5)
    (part,) = found(first)
    own = tuple(ReadChar(c, 0.97, 10.0 * i, 10.0 * i + 10) for i, c in enumerate("brown"))
    both = stretches.joined(first, [(part, Reading("brown", 0.97, own, "ppocrv6"))], "auto")
    assert (both.text, both.engine) == (LINE, "auto")
    assert [char.x0 for char in both.chars[10:15]] == [part.left + 10.0 * i for i in range(5)]
    assert both.chars[:10] + both.chars[15:] == first.chars[:10] + first.chars[15:]
    assert both.confidence == pytest.approx(sum(char.confidence for char in both.chars) / len(LINE))


@pytest.mark.parametrize(
    "second", [Reading("", 0.0, (), "ppocrv6"), Reading("x", 0.5, (ReadChar("x", 0.5, 0, 9),), "p")]
)
def test_a_stretch_read_less_surely_the_second_time_stays(second: Reading) -> None:
    first = line(LINE, at11=0.6)
    assert stretches.joined(first, [(part, second) for part in found(first)], "auto").text == LINE


class LongQuick(Quick):
    """Misreads one letter of a long line, and doubts it."""

    sureness = 0.5

    def trace(self, crop: Crop, allow: frozenset[str] | None = None) -> Trace:
        read = line(LINE.replace("brown", "br0wn"), at12=self.sureness)
        peaks = tuple(Peak(1, char.confidence, i, i, i, ()) for i, char in enumerate(read.chars))
        spans = np.array([(char.x0, char.x1) for char in read.chars], np.float32)
        return Trace(read, HEIGHT, ink.columns(crop), spans, peaks)


class OneWord(Strong):
    """Reads one word, and keeps how wide a picture it was shown."""

    def read(self, crops: Sequence[Crop], allow: frozenset[str] | None = None) -> list[Reading]:
        self.widths = [crop.shape[1] for crop in crops]
        chars = tuple(ReadChar(c, 0.97, 10.0 * i, 10.0 * i + 10) for i, c in enumerate("brown"))
        return [Reading("brown", 0.97, chars, "ppocrv6") for _ in crops]


@pytest.mark.parametrize(
    ("share", "sureness", "engine", "partly"),
    [(1.5, 0.8, "crnn", 0), (1.1, 0.8, "auto", 1), (0.9, 0.8, "ppocrv6", 0), (1.5, 0.5, "auto", 1)],
    ids=["sure", "nearly doubtful", "doubtful", "sure but for one letter, looked at again"],
)
@pytest.mark.parametrize("words", [True, False])
def test_a_long_line_is_read_again_in_part(
    share: float, sureness: float, engine: str, partly: int, words: bool
) -> None:
    crop = np.full((HEIGHT, WIDE * len(LINE), 3), 255, np.uint8)
    quick, strong = LongQuick(), OneWord()
    quick.sureness = sureness
    doubt = gate().doubt(gates.features(quick.trace(crop), HEIGHT))
    limit = dataclasses.replace(gate(), threshold=doubt * share)
    reader = Cascade(quick, strong, limit, words)  # type: ignore[arg-type]
    (read,) = reader.read([crop])
    assert read.engine == engine
    assert reader.last_stats["partly_lines"] == partly
    if partly:
        assert (read.text, strong.widths) == (LINE, [6 * WIDE])


def test_ink_that_no_character_covers_asks_for_the_whole_line() -> None:
    crop = np.full((HEIGHT, WIDE * len(LINE), 3), 255, np.uint8)
    trace = LongQuick().trace(crop)
    seen = list(gates.features(trace, HEIGHT))
    assert gates.parts(seen, trace.reading, crop)
    seen[gates.FEATURES.index("bare_start")] = gates.GAP_HEIGHTS
    assert not gates.parts(seen, trace.reading, crop)


def test_of_a_faulty_stretch_the_first_reading_stands_only_against_a_guess() -> None:
    class Sign(Strong):
        def read(self, crops: Sequence[Crop], allow: frozenset[str] | None = None) -> list[Reading]:
            chars = (ReadChar("×", self.confidence, 0, 9),)
            return [Reading("×", self.confidence, chars, "ppocrv6") for _ in crops]

    def read(confidence: float) -> str:
        class Sure(Quick):
            def trace(self, crop: Crop, allow: frozenset[str] | None = None) -> Trace:
                read = line("the parcel is 12x34 on the left side")
                peaks = tuple(Peak(1, char.confidence, i, i, i, ()) for i, char in enumerate(read.chars))
                spans = np.array([(char.x0, char.x1) for char in read.chars], np.float32)
                return Trace(read, HEIGHT, ink.columns(crop), spans, peaks)

        crop = np.full((HEIGHT, WIDE * 36, 3), 255, np.uint8)
        return Cascade(Sure(), Sign(confidence), gate()).read([crop])[0].text  # type: ignore[arg-type]

    assert read(0.85) == "the parcel is × on the left side"
    assert read(0.5) == "the parcel is 12x34 on the left side"
