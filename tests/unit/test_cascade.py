"""The cascade: who reads which line, and what a page's lines teach it. Recognisers are stood in."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from worker.reading import ink
from worker.reading.cascade import Cascade
from worker.reading.ctc import Peak
from worker.reading.engines.ctc_recogniser import Trace
from worker.reading.gate import FEATURES, Gate, features, load_gate
from worker.reading.recogniser import Crop, ReadChar, Reading

CROP = np.full((32, 320, 3), 255, np.uint8)
HAN = frozenset(map(chr, range(0x4E00, 0x9FA6)))
LATIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


def peaks(count: int, confidence: float) -> tuple[Peak, ...]:
    return tuple(Peak(1, confidence, i, i, i, ()) for i in range(count))


def reading(text: str, confidence: float, engine: str) -> Reading:
    chars = tuple(ReadChar(char, confidence, 20.0 * i, 20.0 * i + 20) for i, char in enumerate(text))
    return Reading(text, confidence if text else 0.0, chars, engine)


class Quick:
    """Reads what it is told to, with the confidence it is told to have."""

    name, version, calibrated_as, vocabulary = "crnn", "toy", "toy", HAN | LATIN

    def __init__(self, text: str = "quick", confidence: float = 1.0) -> None:
        self.text, self.confidence, self.calls = text, confidence, 0
        self.begins = 0  # column of the first character

    def trace(self, crop: Crop, allow: frozenset[str] | None = None) -> Trace:
        self.calls += 1
        spans = np.array([(20 * i, 20 * i + 4) for i in range(len(self.text))], np.float32).reshape(-1, 2) + self.begins
        seen = peaks(len(self.text), self.confidence)
        return Trace(reading(self.text, self.confidence, "crnn"), 32, ink.columns(crop), spans, seen)

    def traces(self, crops: Sequence[Crop], allow: frozenset[str] | None = None) -> list[Trace]:
        return [self.trace(crop, allow) for crop in crops]


class Strong:
    name, version, vocabulary = "ppocrv6", "strong-1", HAN | LATIN | frozenset("äöüÄÖÜßẞ")

    def __init__(self, confidence: float = 0.9, text: str = "strong") -> None:
        self.confidence, self.text, self.calls = confidence, text, 0

    def read(self, crops: Sequence[Crop], allow: frozenset[str] | None = None) -> list[Reading]:
        self.calls += len(crops)
        return [reading(self.text, self.confidence, "ppocrv6") for _ in crops]


def gate(**changes: Any) -> Gate:
    """Doubts by the worst character alone: confidence under 0.5 is over the threshold."""
    count = len(FEATURES)
    weights = (4.0,) + (0.0,) * (count - 1)
    plain = Gate(
        mean=(float(np.log(0.5)),) + (0.0,) * (count - 1), scale=(1.0,) * count, weights=weights, bias=0.0,
        threshold=0.5, margin=0.05, probe_lines=3, give_up_share=0.6, fitted_for="toy",
    )  # fmt: skip
    return dataclasses.replace(plain, **changes)


def cascade(quick: Quick, strong: Strong, **changes: Any) -> Cascade:
    return Cascade(quick, strong, gate(**changes))  # type: ignore[arg-type]


def test_a_line_the_crnn_is_sure_of_is_its_own() -> None:
    quick, strong = Quick(confidence=0.99), Strong()
    (found,) = cascade(quick, strong).read([CROP])
    assert (found.text, found.engine, strong.calls) == ("quick", "crnn", 0)


def test_a_doubtful_line_is_read_by_the_stronger_engine() -> None:
    (found,) = cascade(Quick(confidence=0.2), Strong()).read([CROP])
    assert (found.text, found.engine) == ("strong", "ppocrv6")


@pytest.mark.parametrize(
    ("text", "confidence", "stands"), [("quick", 0.7, True), ("quick", 0.55, False), ("购物单据", 0.7, False)]
)
def test_a_doubtful_line_of_which_words_left_nothing_hardly_read_stands(
    text: str, confidence: float, stands: bool
) -> None:
    """Not a Chinese one: words say little there."""
    strong = Strong()
    cascade(Quick(text, confidence), strong, threshold=1e-6, settled=1.0).read([CROP])
    assert strong.calls == (0 if stands else 1)
    cascade(Quick(text, confidence), strong, threshold=1e-6, settled=1e-6).read([CROP])
    assert strong.calls == (1 if stands else 2)


def test_figures_that_the_stronger_engine_lost_come_back_also_where_the_crnn_was_not_asked_before() -> None:
    class Narrow(Strong):
        wide = 40.0  # of its 7; other figures are 20 px wide

        def read(self, crops: Sequence[Crop], allow: frozenset[str] | None = None) -> list[Reading]:
            return [dataclasses.replace(found, chars=self.widened(found)) for found in super().read(crops, allow)]

        def widened(self, found: Reading) -> tuple[ReadChar, ...]:
            return tuple(
                dataclasses.replace(char, x1=char.x0 + self.wide) if char.text == "7" else char for char in found.chars
            )

    quick, strong = Quick("0088-7766", 0.95), Narrow(0.97, "0088-766")
    page = cascade(quick, strong, threshold=1e-6, probe_lines=1, give_up_share=0.0)
    assert [line.text for line in page.read([CROP, CROP])] == ["0088-7766"] * 2
    assert quick.calls == 2, "it was given up after the first line, and asked about the second all the same"
    strong.wide = 20.0
    assert [line.text for line in page.read([CROP, CROP])] == ["0088-7766", "0088-766"]
    assert quick.calls == 3, "nothing spoke for another figure in the second"


def test_a_mark_that_the_stronger_engine_leaves_out_comes_back_also_where_the_crnn_was_not_asked_before() -> None:
    class Wide(Strong):
        def read(self, crops: Sequence[Crop], allow: frozenset[str] | None = None) -> list[Reading]:
            return [dataclasses.replace(found, chars=self.widened(found)) for found in super().read(crops, allow)]

        def widened(self, found: Reading) -> tuple[ReadChar, ...]:
            return tuple(
                dataclasses.replace(char, x1=char.x0 + 33.0) if char.text == "霜" else char for char in found.chars
            )

    quick, strong = Quick("地上霜。举头", 0.7), Wide(0.97, "地上霜举头")
    page = cascade(quick, strong, threshold=1e-6, probe_lines=1, give_up_share=0.0)
    assert [line.text for line in page.read([CROP, CROP])] == ["地上霜。举头"] * 2
    strong.text = "地上霞举头"  # no room for a mark: nobody is asked
    assert page.read([CROP, CROP])[1].text == "地上霞举头"
    assert quick.calls == 3


def test_where_the_stronger_engine_guesses_at_a_character_the_crnn_s_stands_if_it_is_sure() -> None:
    class Guessing(Strong):
        def read(self, crops: Sequence[Crop], allow: frozenset[str] | None = None) -> list[Reading]:
            return [
                dataclasses.replace(
                    found,
                    chars=tuple(dataclasses.replace(c, confidence=0.5) if c.text == "H" else c for c in found.chars),
                )
                for found in super().read(crops, allow)
            ]

    (found,) = cascade(Quick("RM", 0.95), Guessing(0.97, "RH"), threshold=1e-6).read([CROP])
    assert (found.text, found.engine) == ("RM", "ppocrv6")


def test_a_line_with_something_above_a_letter_is_read_again_however_sure_the_crnn_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[str] = []

    def overlooked(chars: Sequence[ReadChar], picture: Crop, common: Callable[[str], bool]) -> frozenset[int]:
        seen.append("".join(char.text for char in chars))
        assert [word for word in ("Advanced", "the", "Jose", "xqzt") if common(word)] == ["Advanced", "the"]
        return frozenset((3,))

    monkeypatch.setattr("worker.reading.accents.overlooked", overlooked)
    (found,) = cascade(Quick("Jose", 0.99), Strong(0.9, "José")).read([CROP])
    assert (found.text, seen) == ("José", ["Jose"])


def test_a_line_without_an_answer_goes_on_whatever_the_gate_says() -> None:
    (found,) = cascade(Quick(text=""), Strong(), threshold=1.0).read([CROP])
    assert found.engine == "ppocrv6"


def test_of_two_readings_the_crnn_s_stands_only_where_it_is_surer_by_the_margin() -> None:
    sure = cascade(Quick(confidence=0.9), Strong(confidence=0.8), threshold=0.001)
    assert sure.read([CROP])[0].engine == "crnn"
    near = cascade(Quick(confidence=0.9), Strong(confidence=0.86), threshold=0.001)
    assert near.read([CROP])[0].engine == "ppocrv6"


def test_where_both_guess_the_stronger_engine_guesses() -> None:
    assert cascade(Quick(confidence=0.6), Strong(confidence=0.4), threshold=0.001).read([CROP])[0].engine == "ppocrv6"


def test_a_small_initial_among_capital_ones_is_looked_at_again_where_the_crnn_thought_of_the_capital() -> None:
    class Doubting(Quick):
        def trace(self, crop: Crop, allow: frozenset[str] | None = None) -> Trace:
            seen = super().trace(crop, allow)
            chars = [
                dataclasses.replace(char, alternatives=((char.text.upper(), 0.012),)) if char.text == "s" else char
                for char in seen.reading.chars
            ]
            return dataclasses.replace(seen, reading=dataclasses.replace(seen.reading, chars=tuple(chars)))

    def read(text: str, quick: type[Quick] = Doubting, words: bool = True) -> str:
        both = Cascade(quick(text, 0.99), Strong(0.98, "strong"), gate(), words)  # type: ignore[arg-type]
        return both.read([CROP])[0].text

    assert read("14 Lantern street") == "strong"
    assert read("14 Lantern street", Quick) == "14 Lantern street", "it thought of nothing else"
    assert read("14 Lantern street", words=False) == "14 Lantern street", "nor where every character stands for itself"
    assert read("Lantern by a street") == "strong"
    for kept in ("Lantern of lead street", "street", "Brown bread", "14 Lantern Street"):
        assert read(kept) == kept


def test_what_the_crnn_is_wrong_about_is_the_stronger_engine_s_however_sure_it_is() -> None:
    def read(text: str, answer: str, confidence: float) -> str:
        return cascade(Quick(text, 0.99), Strong(confidence, answer)).read([CROP[:, :240]])[0].text

    assert read("12x34 mm", "12×34 mm", 0.9) == "12×34 mm"
    assert read("12x34 mm", "12%34", 0.5) == "12x34 mm", "it must not be a guess"
    assert read("12x34 mm", "", 0.0) == "12x34 mm"


def test_ink_far_before_the_first_character_is_a_sign_that_was_passed_over() -> None:
    def read(columns: slice, strong: float = 0.9) -> str:
        crop = CROP.copy()
        crop[8:24, columns] = 0
        quick = Quick("quick", 0.99)
        quick.begins = 40
        return cascade(quick, Strong(confidence=strong)).read([crop])[0].text

    assert read(slice(40, 130)) == "quick"
    assert read(slice(10, 130)) == "strong", "though the CRNN is surer of what it did read"
    assert read(slice(10, 130), strong=0.5) == "quick", "but a guess is no answer"


def test_a_space_that_only_the_crnn_saw_stands_in_the_stronger_engine_s_reading() -> None:
    quick, strong = Quick("SDN BHD", 0.95), Strong(0.99, "SDNBHD")
    assert cascade(quick, strong, threshold=1e-6).read([CROP])[0].text == "SDN BHD"
    assert strong.calls == 1


def test_a_whole_number_plate_stands_against_a_surer_half_of_one() -> None:
    half = Strong(confidence=0.99, text="AK9559")
    assert cascade(Quick("皖AK9559", 0.9), half, threshold=0.001).read([CROP])[0].text == "皖AK9559"
    assert cascade(Quick("皖AK9559", 0.6), half, threshold=0.001).read([CROP])[0].text == "AK9559", "a guess does not"
    letters = Cascade(Quick("皖AK9559", 0.9), half, gate(threshold=0.001), words=False)  # type: ignore[arg-type]
    assert letters.read([CROP])[0].text == "AK9559", "nor where every character stands for itself"
    other = Strong(confidence=0.99, text="皖AK9659")
    assert cascade(Quick("皖AK9559", 0.9), other, threshold=0.001).read([CROP])[0].text == "皖AK9659"


def test_the_crnn_is_given_up_on_a_page_it_cannot_read_and_asked_again_on_the_next() -> None:
    quick = Quick(confidence=0.2)
    engine = cascade(quick, Strong())
    engine.begin_page()
    for _ in range(5):
        engine.read([CROP, CROP])
    assert quick.calls == 3
    assert engine.last_stats["lines"] == 10
    engine.begin_page()
    engine.read([CROP])
    assert quick.calls == 4


def test_narrow_lines_that_it_cannot_read_say_little_beside_wide_ones_that_it_can() -> None:
    class Narrow(Quick):
        def trace(self, crop: Crop, allow: frozenset[str] | None = None) -> Trace:
            self.confidence = 0.2 if crop.shape[1] < 200 else 0.99
            return super().trace(crop, allow)

    formula, prose = CROP[:, :40], CROP
    for lines, asked in (([formula, formula, prose], 6), ([formula, prose[:, :60], formula], 3)):
        quick = Narrow()
        engine = cascade(quick, Strong())
        engine.begin_page()
        engine.read(lines)
        engine.read([formula, formula, prose])
        assert quick.calls == asked


def test_a_gate_fitted_to_another_model_is_not_trusted() -> None:
    quick = Quick()
    (found,) = cascade(quick, Strong(), fitted_for="another").read([CROP])
    assert (found.engine, quick.calls) == ("ppocrv6", 0)


KANA = frozenset("あいうえおかきくけこさしすせそ")


def test_letters_the_crnn_lacks_keep_it_from_being_asked() -> None:
    quick, strong = Quick(), Strong()
    engine = cascade(quick, strong)
    engine.read([CROP], allow=LATIN | frozenset("äöüÄÖÜßẞéèê"))
    assert quick.calls == 1  # a handful of letters is no script
    engine.read([CROP], allow=KANA)
    assert quick.calls == 2  # nobody knows kana here: then the CRNN is as good as the other


def test_a_script_only_the_stronger_engine_knows_goes_straight_to_it() -> None:
    quick, strong = Quick(), Strong()
    strong.vocabulary = Strong.vocabulary | KANA
    engine = cascade(quick, strong)
    for _ in range(2):
        engine.read([CROP], allow=KANA)
    assert (quick.calls, strong.calls) == (0, 2)


def test_the_version_changes_with_the_gate() -> None:
    assert cascade(Quick(), Strong()).version != cascade(Quick(), Strong(), threshold=0.4).version


def test_ink_that_no_character_covers_is_seen() -> None:
    picture = np.full((32, 320, 3), 255, np.uint8)
    for x in range(10, 310, 10):
        picture[8:24, x : x + 4] = 0
    right_half = np.array([(x, x + 4) for x in range(160, 310, 10)], np.float32)
    bare, longest = ink.uncovered(ink.columns(picture), right_half, 16)
    assert 0.4 < bare < 0.5
    assert longest >= 4
    everything = np.array([(x, x + 4) for x in range(10, 310, 10)], np.float32)
    assert ink.uncovered(ink.columns(picture), everything, 16) == (0.0, 0.0)

    share = ink.columns(picture)
    dropped = features(Trace(reading("a" * 15, 0.99, "crnn"), 32, share, right_half, peaks(15, 0.99)), 32)
    whole = features(Trace(reading("a" * 30, 0.99, "crnn"), 32, share, everything, peaks(30, 0.99)), 32)
    start = FEATURES.index("bare_start")
    assert dropped[start] == 3.0  # heights, its cap
    assert whole[start] < 0.5


@pytest.mark.parametrize("value", [0, 255, 128])
def test_an_empty_crop_has_no_ink(value: int) -> None:
    assert not ink.columns(np.full((32, 100, 3), value, np.uint8)).any()


def test_light_text_on_dark_is_ink_too() -> None:
    dark = np.full((32, 100), 20, np.uint8)
    dark[8:24, 40:50] = 230
    assert np.flatnonzero(ink.columns(dark)).tolist() == list(range(40, 50))


def test_the_shipped_gate_can_be_read() -> None:
    shipped = load_gate()
    assert 0 < shipped.threshold < 1
    assert 0.1 < shipped.give_up_share < 1


def test_as_many_lines_are_asked_about_at_once_as_would_be_one_by_one() -> None:
    class Moody(Quick):
        """Doubts some of the lines, by their width."""

        def trace(self, crop: Crop, allow: frozenset[str] | None = None) -> Trace:
            self.confidence = 1.0 if crop.shape[1] % 3 else 0.1
            return super().trace(crop, allow)

    rng = np.random.default_rng(3)
    for share in (0.1, 0.3, 0.5):
        crops = [np.full((32, wide, 3), 255, np.uint8) for wide in rng.integers(60, 300, 40).tolist()]
        at_once, one_by_one = (cascade(Moody(), Strong(), give_up_share=share) for _ in range(2))
        for page in (at_once, one_by_one):
            page.begin_page()
        read = at_once.read(crops)
        assert read == [reading for crop in crops for reading in one_by_one.read([crop])]
        assert at_once.last_stats["crnn_lines"] == one_by_one.last_stats["crnn_lines"]
