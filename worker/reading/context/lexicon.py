"""How likely a word of Latin letters is, and how likely a Chinese character after those before it.

`lexicon.npz` holds counts, written by `make`: English words, and the single, double and triple characters within
Chinese words. Traditional characters are looked up as their simplified forms.
"""

from __future__ import annotations

import functools
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from worker.reading import variants

LEXICON_FILE = Path(__file__).parent / "lexicon.npz"
STEPS = 8  # counts are kept as logarithms in eighths: within 7 %, in one byte
UNSEEN = 0.5  # added to every character's count, so that none is impossible
FEW = 5  # added to what a count is divided by: a character seen twice tells little of what follows it
LONGEST_SURE = 0.95  # however seldom a character ends a word, anything may follow it
TRIPLE_AT = 50  # pairs seen so often are trusted half way to tell the third
TRIPLE_SHARE = 0.7  # of the third's probability that comes from the triple itself


class Lexicon:
    """The counts of `path`. Read only, so that all recognisers of a process share one."""

    def __init__(self, path: Path = LEXICON_FILE) -> None:
        with np.load(path) as kept:
            self._words: NDArray[np.bytes_] = kept["words"]
            self._pairs = kept["pairs"].astype(np.uint32).cumsum(dtype=np.uint32)
            self._triples = kept["triples"].astype(np.uint64).cumsum(dtype=np.uint64)
            self._word_counts, self._pair_counts = kept["word_counts"], kept["pair_counts"]
            self._triple_counts = kept["triple_counts"]
            singles = dict(zip(map(chr, kept["singles"].tolist()), counts(kept["single_counts"]).tolist(), strict=True))
        self._singles: dict[str, float] = singles
        self._all_words = float(counts(self._word_counts).sum())
        self._all_singles = sum(singles.values())
        goes_on = np.bincount(self._pairs >> 16, counts(self._pair_counts))
        self._goes_on = {chr(code): float(goes_on[code]) for code in np.flatnonzero(goes_on)}
        self._simple = variants.table()

    def word(self, word: str) -> float | None:
        """The log probability of a word of ASCII letters, whatever their case; None where it is not known."""
        if len(word) > self._words.itemsize:  # NumPy would make all words as long to compare them
            return None
        count = _count(self._words, self._word_counts, np.bytes_(word.lower()))
        return math.log(count / self._all_words) if count else None

    def near(self, word: str, changes: int) -> list[tuple[str, float]]:
        """Known words that differ from a word of ASCII letters by so many letters at most, or by one letter more or fewer,
        in small letters; each with its log probability."""
        letters = np.frombuffer(word.lower().encode("ascii"), np.uint8)
        found: list[int] = []
        for size in (len(word) - 1, len(word), len(word) + 1):
            rows = self._by_length.get(size)
            if rows is None:
                continue
            spelt = self._spelt[rows, :size]
            if size == len(word):
                fits = (spelt != letters).sum(axis=1) <= changes
            else:
                longer, shorter = (spelt, letters[None, :]) if size > len(word) else (letters[None, :], spelt)
                fits = _one_longer(longer, shorter)
            found += rows[fits].tolist()
        named = [self._words[row].decode("ascii") for row in found]
        chances = np.log(counts(self._word_counts[found]) / self._all_words).tolist()
        return [each for each in zip(named, chances, strict=True) if each[0] != word.lower()]

    @functools.cached_property
    def _spelt(self) -> NDArray[np.uint8]:
        """The words' letters, (words, longest), filled up with zeros."""
        return self._words.view(np.uint8).reshape(len(self._words), -1)

    @functools.cached_property
    def _by_length(self) -> dict[int, NDArray[np.int64]]:
        lengths = (self._spelt != 0).sum(axis=1)
        return {size: np.flatnonzero(lengths == size) for size in np.unique(lengths).tolist()}

    def char(self, before: str, char: str) -> float:
        """The log probability of a Chinese character after `before`, of which the last two count.

        Counts of triples, pairs and single characters, each trusted as far as it was seen (Jelinek and Mercer 1980). Words
        are counted alone, so where a word may end the next character is as likely as it is anywhere.
        """
        char = self._simple.get(char, char)
        anywhere = (self._singles.get(char, 0.0) + UNSEEN) / (self._all_singles + UNSEEN * len(self._singles))
        if not before:
            return math.log(anywhere)
        last = self._simple.get(before[-1], before[-1])
        seen = self._singles.get(last, 0.0) + FEW
        ends = 1 - min(LONGEST_SURE, self._goes_on.get(last, 0.0) / seen)
        chance = self._pair(last, char) / seen + ends * anywhere
        if len(before) > 1:
            first = self._simple.get(before[-2], before[-2])
            pair = self._pair(first, last)
            if pair:
                triple = _key(first, last, char)
                third = _count(self._triples, self._triple_counts, np.uint64(triple)) / pair if triple else 0.0
                trust = pair / (pair + TRIPLE_AT)
                chance = trust * (TRIPLE_SHARE * third + (1 - TRIPLE_SHARE) * chance) + (1 - trust) * chance
        return math.log(chance)

    def _pair(self, first: str, second: str) -> float:
        key = _key(first, second)
        return _count(self._pairs, self._pair_counts, np.uint32(key)) if key else 0.0


@functools.cache
def lexicon() -> Lexicon:
    """The one of this process."""
    return Lexicon()


def counts(kept: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Counts from their kept logarithms."""
    return np.exp(kept.astype(np.float64) / STEPS)


def _key(*chars: str) -> int:
    """Characters as one number, 16 bits each; 0 where one needs more."""
    out = 0
    for char in chars:
        if ord(char) > 0xFFFF:
            return 0
        out = out << 16 | ord(char)
    return out


def _one_longer(longer: NDArray[np.uint8], shorter: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether each word (rows, n + 1) without one of its letters is the shorter one beside it (rows, n); either may be one
    row for all."""
    before = np.cumprod(longer[:, :-1] == shorter, axis=1).astype(bool)
    after = np.cumprod((longer[:, 1:] == shorter)[:, ::-1], axis=1).astype(bool)[:, ::-1]
    always = np.ones((len(before), 1), dtype=bool)
    return np.asarray((np.hstack([always, before]) & np.hstack([after, always])).any(axis=1))


def _count(keys: NDArray[np.generic], kept: NDArray[np.uint8], key: np.generic) -> float:
    place = int(keys.searchsorted(key))
    return math.exp(int(kept[place]) / STEPS) if place < len(keys) and keys[place] == key else 0.0
