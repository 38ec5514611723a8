"""Points and commas in numbers, and the $ before: which part thousands, which begin decimals, which are worth a second look.

A comma in small print is a point with a tail of a pixel, and recognisers, the quick one above all, take it for a point or pass over
it: 77.245.92 for 77,245.92, 7,071878 for 7,071,878. No number is written so; what parts its thousands is not what begins its
decimals, and thousands come in threes. Which of the two a sign is, is told by what the network itself thought of there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from worker.reading.recogniser import ReadChar

OTHER = {".": ",", ",": "."}
NUMBER = re.compile(r"(?<![\d.,:/])\d[\d.,]*\d(?![\d:/]|[.,]\d)")
SUM = re.compile(r"\d{1,3}(?:[.,]\d{3})+[.,]\d\d")  # thousands, then decimals
WHOLE = re.compile(r"\d{1,3}(?:[.,]\d{3}){2,}")  # thousands only, twice and more: a single one may be decimals
ORDERLY = re.compile(
    r"""
      \d{1,3}(?:,\d{3})+(?:\.\d{1,2})? | \d{1,3}(?:\.\d{3})+,\d{1,2}     # 12,345.67 and 12.345,67
    | \d{1,3}[.,]\d{1,3}
    | \d{1,2}[.,]\d{1,2}[.,]\d{2,4} | \d{4}[.,]\d{1,2}[.,]\d{1,2}            # dates
    | \d{1,3}(?:\.\d{1,3}){3,}                                              # addresses of computers
    """,
    re.VERBOSE,
)
SHORT = re.compile(r"\d{1,3}[.,]\d\d?")  # 12.50 has no thousands, so its sign is the decimals'
FIGURES = 4  # of a number, from which it has thousands
THOUGHT_OF = 0.02  # probability of the other sign from which it is looked at again
LEAST = 5e-4  # of a sign that is not among the alternatives
TAILS = 0.2  # the same of all commas of a number together, from which its points are commas: 5 of 10 such numbers, 0 of 292 others
TOLD = 0.8  # confidence in a sign that the form of the number told
DOLLAR = re.compile(r"(?:(?<![^\W_])|(?<=HK)|(?<=NT)|(?<=US))S(?=\d{1,3}(?:,\d{3})*\.\d\d(?![\d.]))")


class Number(NamedTuple):
    """A number of a line: the index of its first character, and its text."""

    first: int
    text: str

    @property
    def signs(self) -> list[int]:
        """Where in the line its points and commas stand."""
        return [self.first + at for at, char in enumerate(self.text) if char in OTHER]


def settled(chars: Sequence[ReadChar]) -> tuple[ReadChar, ...]:
    """The characters with other points and commas in numbers that nobody writes as they were read; as they were where the
    network thought of nothing else."""
    out = list(chars)
    for number in _numbers(chars):
        signs = number.signs
        now = "".join(chars[at].text for at in signs)
        best = now
        if SUM.fullmatch(number.text):
            parting = len(now) - 1
            best = max(("," * parting + ".", "." * parting + ","), key=lambda form: _fit(chars, signs, form))
        elif WHOLE.fullmatch(number.text) and sum(_chance(chars[at], ",") for at in signs) >= TAILS:
            best = "," * len(now)  # a point seldom looks like a comma
        changed = [(at, sign) for at, sign in zip(signs, best, strict=True) if chars[at].text != sign]
        if all(_chance(chars[at], sign) > LEAST for at, sign in changed):
            for at, sign in changed:
                out[at] = chars[at].instead(sign, TOLD)
    for found in DOLLAR.finditer(_text(out)):
        if _chance(chars[found.start()], "$") >= THOUGHT_OF:
            out[found.start()] = chars[found.start()].instead("$", TOLD)
    return tuple(out)


def doubtful(chars: Sequence[ReadChar]) -> set[int]:
    """The characters, by index, of numbers whose points and commas should be read again: in no order, as 1234.56 is, which may
    have lost its comma, or nearly read as the other."""
    found: set[int] = set()
    for number in _numbers(chars):
        nearly = any(_chance(chars[at], OTHER[chars[at].text]) >= THOUGHT_OF for at in number.signs)
        if (nearly and SHORT.fullmatch(number.text) is None) or ORDERLY.fullmatch(number.text) is None:
            found.update(range(number.first, number.first + len(number.text)))
    return found


def _numbers(chars: Sequence[ReadChar]) -> Iterator[Number]:
    """Those of four figures and more with a point or comma."""
    for found in NUMBER.finditer(_text(chars)):
        signs = sum(char in OTHER for char in found[0])
        if signs and len(found[0]) - signs >= FIGURES:
            yield Number(found.start(), found[0])


def _text(chars: Sequence[ReadChar]) -> str:
    """Their text, one sign each."""
    return "".join(char.text if len(char.text) == 1 else "?" for char in chars)


def _fit(chars: Sequence[ReadChar], places: Sequence[int], form: str) -> float:
    return sum(math.log(_chance(chars[at], sign)) for at, sign in zip(places, form, strict=True))


def _chance(char: ReadChar, sign: str) -> float:
    """How likely the network took a character for the sign."""
    return char.confidence if char.text == sign else max(LEAST, dict(char.alternatives).get(sign, 0.0))
