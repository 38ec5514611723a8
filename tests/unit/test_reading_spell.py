"""Words of damaged lines are spelt as known ones where the network's steps bear it, and nothing else is."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from worker.reading import ctc
from worker.reading.context import Speller, Steps, known_words, lexicon, unknown_words
from worker.reading.context.lattice import FLOOR, aligned, likelihoods

ALPHABET = ["", *"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .-/@é家"]
CLASS = {char: at for at, char in enumerate(ALPHABET)}
PITCH = 4  # steps a character
HOLE = 8.0
FEW = 8

Others = dict[int, dict[str, float]]


def steps(text: str, others: Others | None = None, pitch: int = PITCH) -> Steps:
    """A line's steps, sure of `text` but at the places in `others`: place -> what else may stand there, "" for nothing."""
    scores = np.zeros((len(text) * pitch + 2, FEW), np.float32)
    classes = np.full(scores.shape, -1, np.int32)
    scores[:, 0], classes[:, 0] = 0.999, 0
    for place, char in enumerate(text):
        more = (others or {}).get(place, {})
        chances = {char: 0.999 - sum(more.values()), **more}
        ordered = sorted(chances.items(), key=lambda each: -each[1])
        for rank, (other, score) in enumerate(ordered):
            classes[place * pitch + 1, rank], scores[place * pitch + 1, rank] = CLASS[other] if other else 0, score
    return Steps(scores, classes)


def spelt(text: str, others: Others | None = None, pitch: int = PITCH) -> str:
    line = steps(text, others, pitch)
    peaks = [peak for peak in ctc.decode(line.scores, line.classes) if ALPHABET[peak.index]]
    assert "".join(ALPHABET[peak.index] for peak in peaks) == text
    found = Speller(ALPHABET, lexicon()).spelt(peaks, line, HOLE)
    assert [peak.step for peak in found] == sorted({peak.step for peak in found}), "characters stand in order"
    return "".join(ALPHABET[peak.index] for peak in found)


@pytest.mark.parametrize(
    ("read", "others", "want"),
    [
        ("EXAIINED", {3: {"M": 0.1}}, "EXAMINED"),
        ("ATTRIDUTES", {5: {"B": 0.1}}, "ATTRIBUTES"),
        ("STABDUCKS", {3: {"R": 0.1}, 4: {"B": 0.1}}, "STARBUCKS"),
        ("the transmisslon.", {13: {"i": 0.01}}, "the transmission."),
        ("Pleass pay", {5: {"e": 0.05}}, "Please pay"),
        ("wiill pay", {1: {"": 0.3}}, "will pay"),
    ],
)  # fmt: skip
def test_an_unknown_word_is_spelt_as_a_known_one_near_it(read: str, others: Others, want: str) -> None:
    assert spelt(read, others) == want


@pytest.mark.parametrize(
    ("read", "others"),
    [
        ("ATTRIDUTES", {}),  # the steps are sure of it
        ("Total RM", {6: {"T": 0.4}}),  # short capitals are codes
        ("X5ATTRIDUTES", {7: {"B": 0.4}}),  # so is what touches a digit
        ("me@attridutes", {8: {"b": 0.4}}),
        ("attridutes.com", {5: {"b": 0.4}}),
        ("attridutés", {5: {"b": 0.4}}),  # another language's word
        ("by Mr Richardt", {13: {"": 0.3}}),  # a name
        ("de la commande fermen", {13: {"": 0.3}}),  # among words of another language
        ("a wonderf-", {8: {"e": 0.4}}),  # goes on in the next line
        ("please", {0: {"r": 0.4}}),  # known as it is
    ],
)  # fmt: skip
def test_what_is_sure_known_or_no_english_word_stays(read: str, others: Others) -> None:
    assert spelt(read, others) == read


@pytest.mark.parametrize(("text", "want"), [("HOEL", "HOTEL"), ("HOEL is here", "HOEL is here")])
def test_letters_set_far_apart_are_a_word_where_the_whole_line_is_set_so(text: str, want: str) -> None:
    wide = steps(text[:4], pitch=12)
    rest = steps(text[4:])
    line = Steps(np.vstack([wide.scores, rest.scores]), np.vstack([wide.classes, rest.classes]))
    line.classes[18, 1], line.scores[18, :2] = CLASS["T"], (0.6, 0.4)
    peaks = [peak for peak in ctc.decode(line.scores, line.classes) if peak.index]
    found = Speller(ALPHABET, lexicon()).spelt(peaks, line, HOLE)
    assert "".join(ALPHABET[peak.index] for peak in found) == want


def test_a_letter_that_its_word_told_is_doubtful_and_says_what_was_read() -> None:
    line = steps("ATTRIDUTES", {5: {"B": 0.1}})
    peaks = [peak for peak in ctc.decode(line.scores, line.classes) if peak.index]
    told = Speller(ALPHABET, lexicon()).spelt(peaks, line, HOLE)[5]
    assert ALPHABET[told.index] == "B"
    assert told.confidence == pytest.approx(0.6)
    assert (CLASS["D"], pytest.approx(0.899)) in told.alternatives
    assert told.step == peaks[5].step


def test_words_that_speak_for_a_reading_are_counted() -> None:
    assert known_words("SURGEON GENERAL'S WARNING 12 ab", lexicon()) == 3
    assert known_words("SurGeon xqzt", lexicon()) == 0
    assert unknown_words("Fair Trade Law and wil forward", lexicon())
    assert not unknown_words("INV QTY 0042-B and the Qso", lexicon())


def test_near_words_are_those_a_few_letters_away() -> None:
    near = {word for word, _ in lexicon().near("Hoel", 1)}
    assert {"hotel", "noel", "hoe"} <= near
    assert "hostel" not in near
    assert "house" not in near
    assert "warning" in {word for word, _ in lexicon().near("wirnong", 2)}
    assert "hoel" not in near


def brute(line: Steps, text: list[int]) -> float:
    """The likelihood by going through every path."""
    total = 0.0
    wanted = sorted({0, *text})
    for path in itertools.product(wanted, repeat=len(line.scores)):
        if [index for index, _ in itertools.groupby(path) if index] != text:
            continue
        chance = 1.0
        for step, index in enumerate(path):
            here = dict(zip(line.classes[step].tolist(), line.scores[step].tolist(), strict=True))
            chance *= max(here.get(index, 0.0), FLOOR)
        total += chance
    return total


def test_a_text_s_likelihood_is_the_sum_over_its_paths() -> None:
    draw = np.random.default_rng(5)
    classes = np.array([draw.permutation(5)[:4] for _ in range(6)], np.int32)
    line = Steps(draw.dirichlet(np.ones(5), 6)[:, :4].astype(np.float32), classes)
    texts = [[1], [1, 2], [1, 1], [2, 3, 1], [3, 3, 2]]
    found = likelihoods(line.scores, line.classes, texts)
    np.testing.assert_allclose(np.exp(found), [brute(line, text) for text in texts], rtol=1e-5)


def test_a_text_is_aligned_where_its_steps_are() -> None:
    line = steps("abba")
    spans = aligned(line.scores, line.classes, [CLASS[char] for char in "abba"])
    assert spans == [(1, 1), (5, 5), (9, 9), (13, 13)]
    assert aligned(line.scores[:3], line.classes[:3], [CLASS[char] for char in "abba"]) is None
