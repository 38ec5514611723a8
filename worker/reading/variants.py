"""Simplified or traditional, one page long: a page is written in one of them, and its doubtful characters go with it.

A recogniser sees line by line, and where print is small it may read 无 where 無 stands, nearly as sure of the one as of the
other. A page whose sure characters are all of one script settles such cases: the other form of the same character wins if
the recogniser itself thought of it, and a doubtful character that only the other script has gives way to another that the
recogniser thought of: 约東 on a page in simplified Chinese is 约束. Nothing is converted; what the recogniser saw no sign of
stays as it was read.

`variants.txt` holds a pair a line, traditional and simplified, of those in which the two differ: OpenCC's character
table (Apache-2.0), written by `python -m worker.reading.variants`.
"""

from __future__ import annotations

import functools
from collections.abc import Container, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from worker.reading.recogniser import ReadChar, Reading

TABLE_FILE = Path(__file__).parent / "variants.txt"
SURE = 0.9  # of a character that tells the page's script
VOTES = 6  # such characters, at least, before the page is said to have one
AGAINST = 0.1  # of them that may speak for the other script: some simplified forms are old traditional ones
COMMON_BIG5 = 0xC9  # lead byte from which Big5's less common characters begin
THOUGHT_OF = 0.05  # probability that the recogniser gave the other form, at least


@functools.cache
def table() -> dict[str, str]:
    """Traditional -> simplified, every character in which the two differ."""
    return dict(line.split() for line in TABLE_FILE.read_text(encoding="utf-8").splitlines())


@functools.cache
def pairs() -> tuple[dict[str, str], dict[str, frozenset[str]]]:
    """Traditional -> simplified, and simplified -> its traditional forms.

    Only such as are of no use in the other script: 舍 stands for 捨, but 宿舍 is written so in both. What is in use is read
    off the national standards, GB 2312 and the first plane of Big5.
    """
    rows = table().items()
    simplified = {old: new for old, new in rows if not _in_use(old, "gb2312", 0xFF)}
    forms: dict[str, set[str]] = {}
    for old, new in rows:
        if not _in_use(new, "big5", COMMON_BIG5) and _in_use(old, "big5", 0xFF):
            forms.setdefault(new, set()).add(old)
    return simplified, {new: frozenset(old) for new, old in forms.items()}


def _in_use(char: str, codec: str, below: int) -> bool:
    try:
        return char.encode(codec)[0] < below
    except UnicodeEncodeError:
        return False


def japanese(chars: Iterable[str]) -> bool:
    """Whether there is kana among them: Japanese writes some characters in either form."""
    return any("\u3041" <= char <= "\u30fa" for char in chars)


def settled(readings: Sequence[Reading]) -> list[Reading]:
    """The lines of one page, their doubtful characters in the page's script; unchanged where it has none of its own."""
    simplified, traditional = pairs()
    chars = [char for reading in readings for char in reading.chars]
    if japanese(char.text for char in chars):
        return list(readings)
    old = sum(char.confidence >= SURE and char.text in simplified for char in chars)
    new = sum(char.confidence >= SURE and char.text in traditional for char in chars)
    if old + new < VOTES or min(old, new) > AGAINST * (old + new):
        return list(readings)
    return [_with(reading, old > new) for reading in readings]


def _with(reading: Reading, to_traditional: bool) -> Reading:
    chars = tuple(_settle(char, to_traditional) for char in reading.chars)
    if chars == reading.chars:
        return reading
    text = "".join(char.text for char in chars)
    return replace(reading, text=text, chars=chars, confidence=sum(char.confidence for char in chars) / len(chars))


def _settle(char: ReadChar, to_traditional: bool) -> ReadChar:
    """The other form of the character, with the probability of both: they are one character in two scripts. Or, where
    the recogniser did not think of that form, the likeliest character that the page's script has, with the probability
    that is left to it once the one that was read is ruled out."""
    simplified, traditional = pairs()
    strange: Container[str] = traditional if to_traditional else simplified
    if char.text not in strange:
        return char
    wanted = traditional[char.text] if to_traditional else frozenset({simplified[char.text]})
    thought_of = [(other, score) for other, score in char.alternatives if score >= THOUGHT_OF]
    for other, score in thought_of:
        if other in wanted:
            return char.instead(other, char.confidence + score)
    for other, score in thought_of:
        if char.confidence < SURE and other not in strange and "\u3400" <= other <= "\u9fff":
            return char.instead(other, score / max(1 - char.confidence, score))
    return char


def _write() -> None:
    import opencc

    convert = opencc.OpenCC("t2s").convert
    rows = [(char, convert(char)) for char in map(chr, range(0x4E00, 0xA000))]
    text = "".join(f"{old} {new}\n" for old, new in rows if len(new) == 1 and new != old)
    TABLE_FILE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    _write()
