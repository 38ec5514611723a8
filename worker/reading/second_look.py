"""What a quick network is sure of and wrong about now and then: a line that shows it is worth a second look.

A capital of a small letter's shape ("Lantern street" among names that all begin with capitals) differs in height alone. CTC needs
a blank between two equal letters: where they stand close, one is read ("commitee", "https:/"). Signs that are seldom seen are
taken for their likes (12 x 34 is 12 × 34, 5um is 5 μm), and so are the letters of other languages, where most words of a line are none that is
known. Traditional and simplified characters do not mix in one line. None of it is put right here; the stronger engine, which
knows better, reads the line again. Which signs those are was found by rendering each and reading it (docs/measurements.md).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from worker.reading import variants
from worker.reading.context import regular, unknown_words
from worker.reading.context.lexicon import Lexicon
from worker.reading.recogniser import ReadChar

SAME_SHAPE = frozenset("ckopsuvwxz")  # their capitals look like them
THOUGHT_OF = 0.01  # probability that the network gave the capital, at least
SHORTEST = 4  # letters; shorter words (of, for) are small among capitals, too
SELDOM = frozenset("~～×÷±℃£§®≤≥≈≠√μ²〇①②③④⑤⑥⑦⑧⑨⑩")  # signs that it nearly read where they stand,
NEARLY = 0.02  # with this probability at least
LIKES = re.compile(
    r"""
      \d\ ?[xX]\ ?\d                                        # ×
    | \d\ ?um\b | \d°C                                      # μ, ℃
    | (?<![A-Za-z0-9])[EeLf]\d[\d,]*[.,]\d\d(?!\d)          # € and £
    | @\ ?(?:19|20)\d\d\b | [A-Za-z]@(?![A-Za-z0-9])         # © and ®
    | @(?=[\u3400-\u9fff])                                   # ①, ②
    | [<>]\ ?\d                                              # ≤ and ≥
    | [一二三四五六七八九][Oo0] | [Oo0][一二三四五六七八九]      # 〇
    | (?:^|\ )口(?=\ ?[\u3400-\u9fff]) | □                   # a box to tick, or a character that it never learnt
    | —{3}                                                   # a dash of two
    | \d\.\d{3}\.\d\d(?![\d.]) | \d,\ \d\d(?!\d)            # a sum's comma
    | \b(?:https?|ftp):/(?!/)                                # one slash of two
    """,
    re.VERBOSE,
)
ACCENTED = re.compile(
    "[À-ÖØ-öø-ɏ]"
)  # a line with one is of another language, of whose letters the quick network knows few
WORDS, UNKNOWN_SHARE = 2, 0.5  # words of a line, and how many of them are unknown, from which it is of another language
SCRIPTS = 3  # characters of one Chinese script only, from which a line may be seen to mix both
SHORTEST_DOUBLED = 6  # letters of a known word from which one of two equal ones is missed; shorter ones may be names


def worth(chars: Sequence[ReadChar], lexicon: Lexicon) -> bool:
    """Whether a line that was read surely should be read again all the same."""
    text = "".join(char.text for char in chars)
    words = _words(chars)
    whole = words[:-1] if text.rstrip().endswith("-") else words  # the last one goes on in the next line
    rival = any(other in SELDOM and score >= NEARLY for char in chars for other, score in char.alternatives)
    faults = rival or any(each.search(text) for each in (LIKES, ACCENTED)) or mixed(text)
    return faults or small_initial(words) or lost_double(words, lexicon) or foreign(whole, lexicon)


def foreign(words: Sequence[Sequence[ReadChar]], lexicon: Lexicon) -> bool:
    """Whether most words of a line are not English, one in small letters among them: a line of names is not foreign. Words in
    capitals do not count: they are names, or have no accents."""
    written = ["".join(char.text for char in word) for word in words if len(word) >= SHORTEST]
    written = [word for word in written if regular(word) and not word.isupper()]
    unknown = [word for word in written if lexicon.word(word) is None]
    enough = len(written) >= WORDS and len(unknown) >= UNKNOWN_SHARE * len(written)
    return enough and any(word.islower() for word in unknown)


def mixed(text: str) -> bool:
    """Whether a line has characters that only traditional Chinese has, and others that only simplified has."""
    traditional, simplified = variants.pairs()
    old, new = (sum(char in own for char in text) for own in (traditional, simplified))
    return min(old, new) > 0 and old + new >= SCRIPTS and not variants.japanese(text)


def small_initial(words: Sequence[Sequence[ReadChar]]) -> bool:
    """Whether one word of a line begins with a small letter that may be a capital, and all others with capitals."""
    long = [word for word in words if len(word) >= SHORTEST]
    small = [word[0] for word in long if not word[0].text.isupper()]
    if len(small) != 1 or len(long) < 2 or small[0].text not in SAME_SHAPE:
        return False
    return any(char == small[0].text.upper() and score >= THOUGHT_OF for char, score in small[0].alternatives)


def lost_double(words: Sequence[Sequence[ReadChar]], lexicon: Lexicon) -> bool:
    """Whether an unknown word is a known one but for a letter that stands there twice."""
    for chars in words:
        word = "".join(char.text for char in chars)
        if len(word) + 1 < SHORTEST_DOUBLED or not unknown_words(word, lexicon):
            continue
        doubled = (word[: at + 1] + word[at:] for at in range(len(word)))
        if any(lexicon.word(other) is not None for other in doubled):
            return True
    return False


def _words(chars: Sequence[ReadChar]) -> list[list[ReadChar]]:
    out: list[list[ReadChar]] = [[]]
    for char in chars:
        if char.text.isascii() and char.text.isalpha():
            out[-1].append(char)
        elif out[-1]:
            out.append([])
    return out if out[-1] else out[:-1]
