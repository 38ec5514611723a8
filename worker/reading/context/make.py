"""Writes `lexicon.npz`: `python -m worker.reading.context.make --chinese dict.txt --english frequency_dictionary_en_82_765.txt`.

The lists are those of the packages jieba 0.42.1 (MIT) and symspellpy 6.10.1 (MIT; its counts are of Google's n-grams of
books, CC BY 3.0). Neither is needed to read.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from worker.reading import variants
from worker.reading.context.lexicon import LEXICON_FILE, STEPS

LONGEST_WORD = 20  # letters
FEWEST_TRIPLES = 5  # triples seen less often are left out: two thirds of them


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the file; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--chinese", type=Path, required=True, help="jieba's dict.txt: word, count, part of speech")
    parser.add_argument("--english", type=Path, required=True, help="symspellpy's frequencies: word, count")
    parser.add_argument("--to", type=Path, default=LEXICON_FILE)
    options = parser.parse_args(arguments)
    words = english(options.english.read_text(encoding="utf-8-sig"))
    grams = chinese(options.chinese.read_text(encoding="utf-8"))
    names = ("singles", "pairs", "triples")
    save(options.to, words, dict(zip(names, grams, strict=True)))
    print(f"{options.to}: {len(words)} words, {', '.join(f'{len(g)} {n}' for n, g in zip(names, grams, strict=True))}")
    return 0


def english(text: str) -> Counter[str]:
    """Words of ASCII letters and their counts."""
    out: Counter[str] = Counter()
    for row in text.splitlines():
        word, count = row.split()
        if word.isascii() and word.isalpha() and 1 < len(word) <= LONGEST_WORD:
            out[word.lower()] += int(count)
    return out


def chinese(text: str) -> tuple[Counter[int], Counter[int], Counter[int]]:
    """Single, double and triple characters within words, as numbers of 16 bits a character, in simplified characters."""
    simple = variants.table()
    grams: tuple[Counter[int], Counter[int], Counter[int]] = (Counter(), Counter(), Counter())
    for row in text.splitlines():
        word, count = row.split()[:2]
        codes = [ord(simple.get(char, char)) for char in word]
        if not all(0x3400 <= code <= 0x9FFF for code in codes):
            continue
        for size, gram in enumerate(grams, start=1):
            for first in range(len(codes) - size + 1):
                key = 0
                for code in codes[first : first + size]:
                    key = key << 16 | code
                gram[key] += int(count)
    singles, pairs, triples = grams
    return singles, pairs, Counter({key: count for key, count in triples.items() if count >= FEWEST_TRIPLES})


def save(path: Path, words: Counter[str], grams: dict[str, Counter[int]]) -> None:
    """Keys in order, those of pairs and triples as differences, which pack better; counts as logarithms."""
    kept: dict[str, NDArray[np.generic]] = {}
    spelt = sorted(words)
    kept["words"] = np.array(spelt, dtype=f"S{LONGEST_WORD}")
    kept["word_counts"] = _logarithms([words[word] for word in spelt])
    for name, gram in grams.items():
        keys = np.array(sorted(gram), np.uint64)
        kept[name] = keys if name == "singles" else np.diff(keys, prepend=np.uint64(0))
        kept[f"{name[:-1]}_counts"] = _logarithms([gram[int(key)] for key in keys])
    np.savez_compressed(path, allow_pickle=False, **kept)


def _logarithms(values: Sequence[int]) -> NDArray[np.uint8]:
    return np.asarray(np.clip(np.rint(np.log(np.array(values, np.float64)) * STEPS), 0, 255), np.uint8)


if __name__ == "__main__":
    raise SystemExit(main())
