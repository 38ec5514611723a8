"""Words that a damaged line makes unlikely: WIRNING is WARNING where the steps of the network allow it.

`settle` weighs only the characters that were nearly read. Where a line is worn that is not enough: letters are missing, or
two are read as one. So an unknown word is held against every known one near it (two letters at most put in, left out or put
for others; Levenshtein 1966), each as likely as the network's steps make it. Only English words, and only for lines that
are measured to be damaged: elsewhere a word that is not in the list is mostly a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.reading.context import lattice
from worker.reading.context.lexicon import Lexicon
from worker.reading.context.settle import UNKNOWN, UNKNOWN_LETTER, WORD_WEIGHT
from worker.reading.ctc import BLANK, Peak

SHORTEST = 4  # letters of a word worth putting another in for: shorter ones are codes and names ...
SHORTEST_SMALL = 3  # ... but not those in small letters
LONG = 6  # letters from which two changes are made, not one
MARGIN = 1.0  # log likelihood by which the other word must be better,
STRANGE_MARGIN = (
    8.0  # also for what looks like a name (a large initial, and not at the line's start) or stands among unknown words
)
SPACED = (
    1.5  # of the line's usual distance from letter to letter, up to which they belong to one word: signs are set wide
)
TOLD = 0.6  # confidence in a letter that its word told
COUNTED = 3  # letters of a known word that speaks for a reading
JOINS = "@_/\\"  # what stands beside it is part of an address
CJK = "\u2e80"  # from here on characters are no letters of the same word
WORD = re.compile(r"[A-Za-z]+")


def regular(word: str) -> bool:
    """Whether a word is written as words are: all small, all large, or with a large initial."""
    return word.islower() or word.isupper() or (word[0].isupper() and word[1:].islower())


def _may_be_misread(word: str, lexicon: Lexicon) -> bool:
    long = len(word) >= (SHORTEST_SMALL if word.islower() else SHORTEST)
    return long and regular(word) and lexicon.word(word) is None


def known_words(text: str, lexicon: Lexicon) -> int:
    """How many words of a text, of three letters at least, are known."""
    found = WORD.findall(text)
    return sum(len(word) >= COUNTED and regular(word) and lexicon.word(word) is not None for word in found)


def unknown_words(text: str, lexicon: Lexicon) -> bool:
    """Whether a word of the text might be a misread one (see `Speller`)."""
    return any(_may_be_misread(word, lexicon) for word in WORD.findall(text))


@dataclass(frozen=True, slots=True)
class Steps:
    """A line's steps as `ctc.decode` takes them: `scores` and `classes` of shape (steps, few)."""

    scores: NDArray[np.float32]
    classes: NDArray[np.int32]


class Speller:
    """Puts known words for unknown ones; class -> character is the recogniser's `alphabet`."""

    def __init__(self, alphabet: Sequence[str], lexicon: Lexicon) -> None:
        self._alphabet = alphabet
        self._lexicon = lexicon
        self._letters = {char: at for at, char in enumerate(alphabet) if len(char) == 1 and _letter(char)}

    def spelt(self, peaks: Sequence[Peak], steps: Steps, hole: float) -> list[Peak]:
        """A line's characters with its unknown words put right where the steps bear it. `hole` is how many steps no two
        characters of a word are apart."""
        out: list[Peak] = []
        done = 0
        text = "".join(self._alphabet[peak.index] for peak in peaks)
        known = known_words(text, self._lexicon)
        unknown = (
            sum(_may_be_misread(word, self._lexicon) for word in WORD.findall(text)) - 1
        )  # without the word itself
        english = unknown <= 0 or known > unknown
        for first, end in self._words(peaks, hole):
            out += peaks[done:first]
            left = peaks[first - 1].last + 1 if first else 0
            right = peaks[end].first if end < len(peaks) else len(steps.scores)
            window = Steps(steps.scores[left:right], steps.classes[left:right])
            name = self._alphabet[peaks[first].index].isupper() and first > 0
            out += self._respelt(peaks[first:end], window, left, english, name)
            done = end
        return out + list(peaks[done:])

    def _words(self, peaks: Sequence[Peak], hole: float) -> Iterator[tuple[int, int]]:
        """The unknown words of a line: (first, end) of their characters. One that touches a digit is a code."""
        chars = [self._alphabet[peak.index] for peak in peaks]
        steps = [peak.step for peak in peaks]
        hole = max(hole, SPACED * float(np.median(np.diff(steps)))) if len(steps) > 1 else hole
        at = 0
        while at < len(chars):
            end = at
            while end < len(chars) and _letter(chars[end]) and (end == at or steps[end] - steps[end - 1] <= hole):
                end += 1
            if _may_be_misread("".join(chars[at:end]), self._lexicon) and not _in_code(chars, at, end):
                yield at, end
            at = max(end, at + 1)

    def _respelt(self, read: Sequence[Peak], window: Steps, offset: int, english: bool, name: bool) -> list[Peak]:
        """A word's characters, or those of the better word; `window` are its steps, the first of which is `offset`. `english`
        tells that the line's other words are, and `name` that this one may be none although they are."""
        word = "".join(self._alphabet[peak.index] for peak in read)
        margin = STRANGE_MARGIN if not english or (name and not word.isupper()) else MARGIN
        near = self._lexicon.near(word, 2 if len(word) >= LONG else 1)
        others = [(other, score) for other, score in near if len(other) >= SHORTEST]
        spellings = [_cased(word, other) for other, _ in others]
        texts = [[self._letters.get(char, -1) for char in text] for text in (word, *spellings)]
        fit = [at for at, text in enumerate(texts) if -1 not in text]
        if len(fit) < 2 or fit[0] != 0:
            return list(read)
        unknown = UNKNOWN + UNKNOWN_LETTER * len(word)
        prior = np.array([unknown, *(score for _, score in others)])[fit]
        likely = lattice.likelihoods(window.scores, window.classes, [texts[at] for at in fit])
        gains = likely + WORD_WEIGHT * prior
        best = int(gains[1:].argmax()) + 1
        if gains[best] - gains[0] < margin:
            return list(read)
        chosen = texts[fit[best]]
        spans = lattice.aligned(window.scores, window.classes, chosen)
        if spans is None:
            return list(read)
        return [_peak(window, index, *span, offset) for index, span in zip(chosen, spans, strict=True)]


def _peak(window: Steps, index: int, first: int, last: int, offset: int) -> Peak:
    """The character of that class at those steps of the window."""
    chances = np.where(window.classes == index, window.scores, 0.0).max(axis=1)
    step = first + int(chances[first : last + 1].argmax())
    here = list(zip(window.classes[step].tolist(), window.scores[step].tolist(), strict=True))
    others = tuple((other, score) for other, score in here if other not in (index, BLANK))
    nothing = sum(score for other, score in here if other == BLANK)
    confidence = max(TOLD, float(chances[step]))
    return Peak(index, confidence, first + offset, last + offset, step + offset, others, nothing)


def _in_code(chars: Sequence[str], first: int, end: int) -> bool:
    """Whether the letters from `first` to `end` are part of a code, an address, a word of other letters, too, or of one that
    goes on in the next line."""
    beside = (*chars[max(0, first - 1) : first], *chars[end : end + 1])
    if any(char in JOINS or char.isdigit() or (char.isalpha() and char < CJK) for char in beside):
        return True
    if chars[end:] == ["-"]:
        return True
    before, after = chars[max(0, first - 2) : first], chars[end : end + 2]
    return any(len(pair) == 2 and pair[0] == "." and _letter(pair[1]) for pair in (before[::-1], after))


def _letter(char: str) -> bool:
    return char.isascii() and char.isalpha()


def _cased(like: str, word: str) -> str:
    """A small word written as `like` is."""
    if like.isupper():
        return word.upper()
    return word.capitalize() if like[0].isupper() else word
