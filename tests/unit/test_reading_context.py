"""Doubtful characters are settled by the words around them, and nothing else is touched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from worker.reading import ctc
from worker.reading.context import Context, lexicon, make
from worker.reading.context.lexicon import Lexicon
from worker.reading.ctc import Peak

CHARACTERS = sorted(
    set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .'!?@-éあ約约束東东家蒙回送我皖鄂粤")
)
ALPHABET = ["", *CHARACTERS]
HOLE = 8.0  # steps
Doubt = tuple[float, dict[str, float]]


def line(text: str, doubts: dict[int, Doubt], pitch: int = 4) -> list[Peak]:
    """A line's peaks, sure but for `doubts`: place -> its confidence and what else it may be ("" for nothing)."""
    out = []
    for place, char in enumerate(text):
        confidence, others = doubts.get(place, (0.995, {}))
        rest = tuple((ALPHABET.index(other), score) for other, score in others.items() if other)
        step = place * pitch
        out.append(Peak(ALPHABET.index(char), confidence, step, step, step, rest, others.get("", 0.0)))
    return out


def settled(
    text: str,
    doubts: dict[int, Doubt],
    nearly: list[Peak] | None = None,
    allow: frozenset[str] | None = None,
    pitch: int = 4,
) -> str:
    found = Context(ALPHABET, lexicon()).settle(line(text, doubts, pitch), nearly or [], allow, HOLE)
    return "".join(ALPHABET[peak.index] for peak in found)


@pytest.mark.parametrize(
    ("read", "place", "doubt", "want"),
    [
        ("amokers.", 0, (0.75, {"s": 0.2}), "smokers."),
        ("TOBACC0", 6, (0.6, {"O": 0.38}), "TOBACCO"),
        ("Facebookl", 8, (0.9, {"!": 0.08}), "Facebook!"),
        ("Enterpprise", 6, (0.4, {"": 0.35}), "Enterprise"),
        ("SUPERVI SORS", 7, (0.7, {"": 0.25}), "SUPERVISORS"),
        ("約東", 1, (0.6, {"束": 0.3}), "約束"),
        ("送我回蒙", 3, (0.6, {"家": 0.3}), "送我回家"),
    ],
)  # fmt: skip
def test_a_doubtful_character_goes_with_its_word(read: str, place: int, doubt: Doubt, want: str) -> None:
    assert settled(read, {place: doubt}) == want


@pytest.mark.parametrize(
    ("read", "place", "doubt"),
    [
        ("amokers", 0, (0.99, {"s": 0.01})),  # sure of it: people write what they like
        ("smokers", 0, (0.6, {"a": 0.4})),  # a word already
        ("B0B7-X1", 1, (0.5, {"O": 0.5})),  # a code: any character is as good as another
        ("RM8.35", 1, (0.5, {"": 0.5})),
        ("8.70", 1, (0.5, {"": 0.5})),
        ("Qs", 0, (0.5, {"a": 0.45})),  # too short to tell words from initials
        ("Qso", 0, (0.7, {"@": 0.3})),  # a mark comes in only where a word ends
        ("皖", 0, (0.5, {"家": 0.4})),  # alone, in no word
        ("O.C. White", 0, (0.6, {"": 0.4})),
    ],
)  # fmt: skip
def test_what_is_sure_or_in_no_word_stays(read: str, place: int, doubt: Doubt) -> None:
    assert settled(read, {place: doubt}) == read


def test_the_line_s_script_decides_between_forms_of_a_character() -> None:
    doubt = {3: (0.7, {"东": 0.25})}
    assert settled("约东约東", doubt) == "约东约东"
    assert settled("家我约東", doubt) == "家我约東", "one sure character tells no script"


def test_a_space_comes_in_only_between_words() -> None:
    def space(step: int) -> list[Peak]:
        return [Peak(ALPHABET.index(" "), 0.3, step, step, step, (), 0.65)]

    assert settled("thankyou", {}, space(18)) == "thank you"
    assert settled("thankyou", {}, space(14)) == "thankyou", "than kyou"


def test_lines_with_letters_of_other_languages_are_left_alone() -> None:
    assert settled("dé amokers", {3: (0.75, {"s": 0.2})}) == "dé amokers"
    french = frozenset("abcdefghijklmnopqrstuvwxyzàâæçéèêëîïôœùûüÿ")
    assert settled("amokers", {0: (0.75, {"s": 0.2})}, allow=french) == "amokers"
    japanese = frozenset("東京あいう")
    assert settled("約東", {1: (0.6, {"束": 0.3})}, allow=japanese) == "約東"
    assert settled("約東あ", {1: (0.6, {"束": 0.3})}) == "約東あ"


def test_letters_far_apart_make_no_word() -> None:
    doubt = {2: (0.6, {"t": 0.35})}
    assert settled("caf", doubt) == "cat"
    assert settled("caf", doubt, pitch=12) == "caf"


def test_a_changed_character_is_no_surer_than_both_were_and_keeps_what_was_read() -> None:
    (_, changed) = Context(ALPHABET, lexicon()).settle(line("約東", {1: (0.6, {"束": 0.3})}), [], None, HOLE)
    assert 0.45 < changed.confidence <= 0.9
    assert changed.alternatives[0] == (ALPHABET.index("東"), 0.6)


def test_nearly_read_characters_are_those_between_blanks_that_no_neighbour_reaches_over() -> None:
    classes = np.array([[1, 0], [0, 2], [0, 3], [4, 0], [0, 4]], np.int32)
    scores = np.array([[0.9, 0.1], [0.6, 0.3], [0.7, 0.2], [0.8, 0.1], [0.5, 0.4]], np.float32)
    (found,) = ctc.nearly(scores, classes, 0.12)
    assert (found.index, found.step) == (2, 1), "not the 4 that goes on"
    assert found.nothing == pytest.approx(0.6)
    assert ctc.nearly(scores, classes, 0.5) == []


def test_the_lexicon_is_made_from_word_lists(tmp_path: Path) -> None:
    chinese, english = tmp_path / "zh.txt", tmp_path / "en.txt"
    chinese.write_text("約束 90 vn\n东家 10 n\nT恤 5 n\n", encoding="utf-8")
    english.write_text("\ufeffthe 900\nstreet 100\nx-ray 7\n", encoding="utf-8")
    target = tmp_path / "lexicon.npz"
    assert make.main(["--chinese", str(chinese), "--english", str(english), "--to", str(target)]) == 0
    made = Lexicon(target)
    assert made.word("Street") == pytest.approx(np.log(0.1), abs=0.1)
    assert made.word("ray") is None
    assert made.char("约", "束") == made.char("約", "束"), "traditional forms are looked up as simplified"
    assert made.char("約", "束") > made.char("約", "家") + 2
    assert made.char("", "\U00020000") < 0, "a character of more than 16 bits is unknown, not an error"
