"""Spaces that the stronger recogniser passed over and the CRNN is sure of: SDNBHD, FAX:03-5121, 412.00 for 4 pieces at 12.00.

Beside Chinese characters none is put back (whether 11月 has one is taste), nor beside the points and commas of a number.
"""

from __future__ import annotations

from worker.reading.recogniser import ReadChar, Reading, compared, reading_of

SURE = 0.9  # confidence that the space must have; below 0.8 as many are wrong as right


def restored(reading: Reading, other: Reading) -> Reading:
    """`reading`, of the same picture as `other`, with the sure spaces of `other` where both agree on what is beside them; the
    very same where there is none."""
    own, theirs = reading.chars, other.chars
    chars: list[ReadChar] = []
    for kind, first, end, from_, to in compared(own, theirs):
        if kind == "insert" and to - from_ == 1 and _is_one(theirs, from_):
            left, right = own[first - 1].x1, own[first].x0
            chars.append(ReadChar(" ", theirs[from_].confidence, min(left, right), max(left, right)))
        chars += own[first:end]
    return reading if len(chars) == len(own) else reading_of(chars, reading.engine)


def _is_one(chars: tuple[ReadChar, ...], at: int) -> bool:
    if chars[at].text != " " or chars[at].confidence < SURE or not 0 < at < len(chars) - 1:
        return False
    before, after = chars[at - 1].text, chars[at + 1].text
    sign = (before in ".," and after.isdigit()) or (before.isdigit() and after in ".,")
    return all(char.strip() and char < "\u2e80" for char in (before, after)) and not sign
