"""Settles doubtful characters by the words around them: amokers is smokers, 約東 is 約束, TOBACC0 is TOBACCO.

A recogniser sees strokes; where two characters look alike it leaves several with a likelihood each. Here these are the
only choices: a character it is sure of stays, and so does everything that stands in no known word. Latin letters move
only where that makes a known word of something that is none (Tesseract's dictionaries work so, Smith 2007); Chinese
characters are weighed by their neighbours. Digits never come out of this: in numbers and codes any character is as good as
another. The search keeps the best way into every state (Viterbi), as decoders of speech with a word list do.
"""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace

from worker.reading import variants
from worker.reading.context.lexicon import Lexicon
from worker.reading.ctc import BLANK, Peak
from worker.reading.languages import LATIN, script

SURE = 0.97  # a character as sure as this is not weighed
LEAST = 0.02  # likelihood that makes a character a choice
LEAST_CHANGE = 0.12  # the same for putting one in where none was read, or for leaving one out
WORD_WEIGHT = 0.5  # of a word's log likelihood against that of the pixels
CHAR_WEIGHT = 0.3  # the same for a Chinese character after others
UNKNOWN = -5.0  # log likelihood of a word that is in no list ...
UNKNOWN_LETTER = -2.4  # ... and of each of its letters: short ones are names and codes more often than misread words
SHORTEST = 3  # letters of a word worth putting others in for
MAY_GO = " .'"  # marks that may be left out, as specks of dirt are read so
WIDTH = 48  # ways kept; a line seldom has more than a few
ALONE = "aAI"  # letters that are words
VOTES = 2  # sure characters that only one Chinese script has, and none that only the other has, tell a line's script
STRANGE = 0.05  # of a choice's likelihood that is left to a character which that script lacks
SCOPES_KEPT = 32  # sets of allowed characters; there are about as many languages


@dataclass(frozen=True, slots=True)
class Place:
    """One place on the time axis and what may stand there: (likelihood, class, character), what was read first. An empty
    character is nothing at all. `far` tells that it is too far from the place before to belong to the same word."""

    peak: Peak
    choices: tuple[tuple[float, int, str], ...]
    far: bool

    def settled(self, number: int, better: float) -> Peak:
        """The peak with that choice, by which the line is `better` (a difference of log likelihoods)."""
        if not number:
            return self.peak
        read, (likelihood, index, _) = self.choices[0][1], self.choices[number]
        was = self.peak.confidence if read != BLANK else self.peak.nothing
        others = tuple(each for each in ((read, was), *self.peak.alternatives) if each[0] not in (index, BLANK))
        shared = min(1.0, likelihood + was) / (1 + math.exp(min(60.0, -better)))
        return replace(self.peak, index=index, confidence=shared, alternatives=others)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which words may be meant: there is a list of English ones, and counts of Chinese ones."""

    english: bool
    chinese: bool

    def narrowed(self, scripts: Container[str]) -> Scope:
        """Without the words of languages that are not written in `scripts` as English and Chinese are."""
        return Scope(
            self.english and "latin-extra" not in scripts,
            self.chinese and "kana" not in scripts and "hangul" not in scripts,
        )


# The choices made on the way to a place, last first: (number, those before).
Path = tuple[int, "Path"] | None
# What a way into a place depends on: the letters of the word so far, what is changed about it (NOTHING, its EDGE or its
# INSIDE), and the Chinese characters before.
State = tuple[str, int, str]
NOTHING, EDGE, INSIDE = range(3)
START: State = ("", NOTHING, "")


class Context:
    """What the words around say about the characters of one recogniser; class -> character is its `alphabet`."""

    def __init__(self, alphabet: Sequence[str], lexicon: Lexicon) -> None:
        self._alphabet = alphabet
        self._lexicon = lexicon
        self._scopes: dict[frozenset[str] | None, Scope] = {}

    def settle(
        self, peaks: Sequence[Peak], nearly: Sequence[Peak], allow: frozenset[str] | None, hole: float
    ) -> list[Peak]:
        """The characters of a line, doubtful ones decided by their neighbours; those that were `nearly` read may come in.

        `allow` are the characters of the language asked for, None for any. `hole` is how many steps no two characters of a
        word are apart. A changed character's confidence is the likelihood of what was read and what now stands there,
        shared by how much better the line is with the one than with the other.
        """
        if not peaks or (not nearly and all(peak.confidence >= SURE for peak in peaks)):
            return list(peaks)
        scope = self._scope(allow).narrowed({script(self._alphabet[peak.index]) for peak in peaks})
        line = _places(peaks, nearly if scope.english else (), self._alphabet, hole, scope)
        if all(len(place.choices) == 1 for place in line):
            return list(peaks)
        chosen = _best(line, self._lexicon)
        whole = _score(line, chosen, self._lexicon) if any(chosen) else 0.0
        out = []
        for at, (place, number) in enumerate(zip(line, chosen, strict=True)):
            if not place.choices[number][2]:
                continue
            back = _score(line, [*chosen[:at], 0, *chosen[at + 1 :]], self._lexicon) if number else 0.0
            out.append(place.settled(number, whole - back))
        return out

    def english(self, peaks: Sequence[Peak], allow: frozenset[str] | None) -> bool:
        """Whether a line's words may be English ones."""
        return self._scope(allow).narrowed({script(self._alphabet[peak.index]) for peak in peaks}).english

    def _scope(self, allow: frozenset[str] | None) -> Scope:
        if allow not in self._scopes:
            if len(self._scopes) >= SCOPES_KEPT:
                self._scopes.clear()
            self._scopes[allow] = scope_of(allow)
        return self._scopes[allow]


def scope_of(allow: frozenset[str] | None) -> Scope:
    """Which words a line may hold whose language has the characters `allow`, None for any."""
    strange = {char for char in allow or () if char.lower() not in LATIN["en"]}
    return Scope(True, True).narrowed({script(char) for char in strange})


def _places(
    peaks: Sequence[Peak], nearly: Sequence[Peak], alphabet: Sequence[str], hole: float, scope: Scope
) -> list[Place]:
    extra = {id(peak) for peak in nearly}
    strange = _strange([alphabet[peak.index] for peak in peaks if peak.confidence >= SURE]) if scope.chinese else ()
    out: list[Place] = []
    before = -math.inf
    for peak in sorted([*peaks, *nearly], key=lambda peak: peak.step):
        read = (peak.confidence, peak.index, alphabet[peak.index])
        others = [(score, index, alphabet[index]) for index, score in peak.alternatives if alphabet[index]]
        if id(peak) in extra:
            mine = [read, *others]
            choices = [(peak.nothing, 0, ""), *(each for each in mine if each[0] >= LEAST_CHANGE and _word(each[2]))]
        elif peak.confidence >= SURE:
            choices = [read]
        else:
            nothing = [(peak.nothing, 0, "")] if peak.nothing >= LEAST_CHANGE else []
            choices = [read, *(each for each in others + nothing if _fits(read[2], each, scope))]
            if _han(read[2]):
                choices = [(score * STRANGE if char in strange else score, i, char) for score, i, char in choices]
        out.append(Place(peak, tuple(choices), peak.step - before > hole))
        before = peak.step if id(peak) not in extra else before
    return out


def _strange(sure: Sequence[str]) -> Container[str]:
    """The characters that the script of a line lacks, simplified or traditional, by those that were read surely."""
    simplified, traditional = variants.pairs()
    old, new = (sum(char in own for char in sure) for own in (simplified, traditional))
    if min(old, new) or max(old, new) < VOTES:
        return ()
    return traditional if old else simplified


def _word(char: str) -> bool:
    """Whether a character may come in where none was read."""
    return char == " " or _letter(char)


def _fits(read: str, other: tuple[float, int, str], scope: Scope) -> bool:
    """Whether the other may stand for what was read: Chinese for Chinese, letters for letters, digits and marks."""
    likelihood, _, char = other
    if likelihood < LEAST:
        return False
    if _han(read):
        return scope.chinese and bool(char) and _han(char)
    if not scope.english or not read.isascii():
        return False
    if not char:
        return _letter(read) or read in MAY_GO
    if read.isalnum():
        return char.isascii() and not char.isdigit()
    return _letter(char)


def _han(char: str) -> bool:
    return "\u3400" <= char <= "\u9fff"


def _letter(char: str) -> bool:
    return char.isascii() and char.isalpha()


def _best(line: Sequence[Place], lexicon: Lexicon) -> list[int]:
    """Which choice to make at each place: the likeliest way through the line."""
    ways: dict[State, tuple[float, Path]] = {START: (0.0, None)}
    for place in line:
        further: dict[State, tuple[float, Path]] = {}
        alone = len(ways) == 1 and len(place.choices) == 1  # then there is nothing to compare it with
        for state, (score, path) in ways.items():
            if place.far:
                state, gain = _apart(state, lexicon, alone)
                if gain is None:
                    continue
                score += gain
            for number, (likelihood, _, char) in enumerate(place.choices):
                now, gain = _onward(state, char, number > 0, lexicon, alone)
                if gain is None:
                    continue
                total = score + gain + math.log(max(likelihood, 1e-9))
                if now not in further or further[now][0] < total:
                    further[now] = (total, (number, path))
        if not further:  # cannot be where what was read stays a choice; kept as the plain answer
            return [0] * len(line)
        if len(further) > WIDTH:
            further = dict(sorted(further.items(), key=lambda way: -way[1][0])[:WIDTH])
        ways = further
    ends = []
    for state, (score, path) in ways.items():
        _, gain = _apart(state, lexicon, False)
        if gain is not None:
            ends.append((score + gain, path))
    if not ends:
        return [0] * len(line)
    chosen: list[int] = []
    rest = max(ends, key=lambda end: end[0])[1]
    while rest is not None:
        chosen.append(rest[0])
        rest = rest[1]
    return chosen[::-1]


def _score(line: Sequence[Place], chosen: Sequence[int], lexicon: Lexicon) -> float:
    """The log likelihood of one way through the line, whether or not its words are known."""
    state, total = START, 0.0
    for place, number in zip(line, chosen, strict=True):
        likelihood, _, char = place.choices[number]
        if place.far:
            state, gain = _apart((state[0], NOTHING, state[2]), lexicon, False)
            total += gain or 0.0
        state, gain = _onward((state[0], NOTHING, state[2]), char, False, lexicon, False)
        total += (gain or 0.0) + math.log(max(likelihood, 1e-9))
    return total + (_apart((state[0], NOTHING, ""), lexicon, False)[1] or 0.0)


def _apart(state: State, lexicon: Lexicon, alone: bool) -> tuple[State, float | None]:
    """The state after the end of a word, and what the word gains; None where it must not be."""
    return ("", NOTHING, ""), 0.0 if alone else _gain(state[0], state[1], lexicon)


def _onward(state: State, char: str, changed: bool, lexicon: Lexicon, alone: bool) -> tuple[State, float | None]:
    """The state after one more character, and what it gains; None where the way must not be taken."""
    word, change, before = state
    if not char:
        return ((word, INSIDE if changed else change, before), 0.0)
    if (char.isalnum() and not _han(char)) or (char == "'" and word):
        return ((word + char, INSIDE if changed else change, ""), 0.0)
    if _han(char):
        gain = 0.0 if alone else _gain(word, change, lexicon)
        if gain is not None and before and not alone:  # one that stands alone is in no word
            first = lexicon.char("", before) if len(before) == 1 else 0.0
            gain += CHAR_WEIGHT * (first + lexicon.char(before, char))
        return (("", NOTHING, (before + char)[-2:]), gain)
    if changed and not word:
        return (state, None)  # a mark in place of a letter, or a space: only where a word ends
    gain = 0.0 if alone else _gain(word, max(change, EDGE) if changed else change, lexicon)
    return (("", EDGE if changed else NOTHING, ""), gain)


def _gain(word: str, change: int, lexicon: Lexicon) -> float | None:
    """What a finished word adds; None where it was changed into none that is known."""
    word = word.rstrip("'")
    if not word:
        return None if change == INSIDE else 0.0
    unknown = UNKNOWN + UNKNOWN_LETTER * len(word)
    known = _known(word, lexicon)
    if known is not None and known > unknown and (change != INSIDE or len(word) >= SHORTEST):
        return WORD_WEIGHT * known
    return None if change else WORD_WEIGHT * unknown


def _known(word: str, lexicon: Lexicon) -> float | None:
    """The log likelihood of a known word that is written as words are: all small, all large, or with a large initial."""
    word = word[:-2] if word.endswith(("'s", "'S")) else word
    if not (word.isascii() and word.isalpha()):
        return None
    if not (word.islower() or word.isupper() or (word[0].isupper() and word[1:].islower())):
        return None
    if len(word) == 1:
        return UNKNOWN if word in ALONE else None
    return lexicon.word(word)
