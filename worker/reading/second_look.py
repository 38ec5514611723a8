"""What a quick network is sure of and wrong about now and then: a line that shows it is worth a second look.

A capital of a small letter's shape ("Lantern street" among names that all begin with capitals) differs in height alone. And
CTC needs a blank between two equal letters: where they stand close, one is read ("commitee", "https:/"). Traditional and
simplified characters do not mix in one line, and a square stands for a character that it never learnt. None of it is put right
here; the stronger engine reads the line again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from worker.reading import variants
from worker.reading.context import unknown_words
from worker.reading.context.lexicon import Lexicon
from worker.reading.recogniser import ReadChar

SAME_SHAPE = frozenset("ckopsuvwxz")  # their capitals look like them
THOUGHT_OF = 0.01  # probability that the network gave the capital, at least
SHORTEST = 4  # letters; shorter words (of, for) are small among capitals, too
UNLEARNT = "□"
LOST_SLASH = re.compile(r"\b(?:https?|ftp):/(?!/)")
SCRIPTS = 3  # characters of one Chinese script only, from which a line may be seen to mix both
SHORTEST_DOUBLED = 6  # letters of a known word from which one of two equal ones is missed; shorter ones may be names


def worth(chars: Sequence[ReadChar], lexicon: Lexicon) -> bool:
    """Whether a line that was read surely should be read again all the same."""
    text = "".join(char.text for char in chars)
    words = _words(chars)
    known = UNLEARNT in text or LOST_SLASH.search(text) is not None or mixed(text)
    return known or small_initial(words) or lost_double(words, lexicon)


def mixed(text: str) -> bool:
    """Whether a line has characters that only traditional Chinese has, and others that only simplified has."""
    traditional, simplified = variants.pairs()
    old, new = (sum(char in own for char in text) for own in (traditional, simplified))
    return min(old, new) > 0 and old + new >= SCRIPTS and not any("\u3041" <= char <= "\u30fa" for char in text)


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
