"""Unified social credit codes: the 18 signs by which every Chinese firm is named on its invoices.

They have no I, O, S, V or Z, and the last sign checks the others, so that an O is told to be a 0 or a Q, and a doubtful sign by
its rivals. Source: the national standard GB 32100-2015.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

from worker.reading.ctc import Peak

SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
WEIGHTS = tuple(pow(3, at, 31) for at in range(17))
LENGTH = 18
OFFICES = "123456789ANY"  # the first sign: who registered it
FIRMS = ("91", "92", "93")  # begin the codes of firms: believed without the check
REGION = slice(2, 8)  # digits: an administrative division
OWN = slice(8, 17)  # the organisation's own number
MEANT = {
    "O": "0QD",
    "I": "1",
    "S": "5",
    "V": "UY",
    "Z": "2",
    "o": "0",
    "i": "1",
    "l": "1",
    "s": "5",
    "v": "UY",
    "z": "2",
}
THOUGHT_OF = 0.01  # likelihood from which what else was thought of is tried
MEANT_LIKELY = 0.2  # likelihood of what an impossible sign may mean, where the network did not think of it
MOST_TRIED = 256
TOLD, CHECKED = 0.6, 0.95  # confidence in a sign that the form told, or the check

Choice = tuple[float, str]  # likelihood, sign


def checks(code: str) -> bool:
    """Whether the last of 18 signs is that which the others call for."""
    return check_sign(code[:-1]) == code[-1]


def check_sign(body: str) -> str:
    """What follows the first 17 signs of a code."""
    return SIGNS[-sum(SIGNS.index(sign) * weight for sign, weight in zip(body, WEIGHTS, strict=True)) % 31]


def settled(peaks: Sequence[Peak], alphabet: Sequence[str]) -> list[Peak]:
    """A line's characters, those of such codes put right; class -> character is the `alphabet`."""
    out = list(peaks)
    for places in _runs([alphabet[peak.index] for peak in peaks]):
        choices = [_choices(peaks[at], alphabet) for at in places]
        read = "".join(alphabet[peaks[at].index] for at in places)
        meant, confidence = _meant(choices)
        if meant is None or meant == read:
            continue
        for at, was, sign in zip(places, read, meant, strict=True):
            if sign != was and sign in alphabet:
                out[at] = peaks[at].instead(alphabet.index(sign), confidence)
    return out


def _runs(chars: Sequence[str]) -> Iterator[list[int]]:
    """Where 18 signs stand together; spaces part nothing."""
    run: list[int] = []
    for at, char in enumerate([*chars, "."]):
        if char == " ":
            continue
        if char.isascii() and char.isalnum():
            run.append(at)
            continue
        if len(run) == LENGTH:
            yield run
        run = []


def _choices(peak: Peak, alphabet: Sequence[str]) -> list[Choice]:
    """What may stand there, likeliest first; nothing where no such sign was thought of."""
    read = alphabet[peak.index]
    found = {alphabet[index]: score for index, score in peak.alternatives if score >= THOUGHT_OF}
    found = {sign: score for sign, score in found.items() if sign and sign in SIGNS}
    if read and read in SIGNS:
        found[read] = peak.confidence
    for place, sign in enumerate(MEANT.get(read, "")):
        found[sign] = max(found.get(sign, 0.0), MEANT_LIKELY / (1 + place))
    return sorted(((score, sign) for sign, score in found.items()), reverse=True)


def _meant(choices: Sequence[Sequence[Choice]]) -> tuple[str | None, float]:
    """The likeliest code of that form whose last sign checks, or else a firm's with impossible signs put right; and how sure
    what was changed is."""
    if any(not place for place in choices) or math.prod(len(place) for place in choices) > MOST_TRIED:
        return None, 0.0
    ranked = sorted(itertools.product(*choices), key=lambda code: -math.prod(score for score, _ in code))
    codes = [code for code in ("".join(sign for _, sign in each) for each in ranked) if _has_form(code)]
    checked = next((code for code in codes if checks(code)), None)
    if checked is not None:
        return checked, CHECKED
    likeliest = "".join(place[0][1] for place in choices)
    return (likeliest, TOLD) if likeliest in codes[:1] and likeliest.startswith(FIRMS) else (None, 0.0)


def _has_form(code: str) -> bool:
    """Whether it may be such a code; one of digits alone is the number of an identity card, if it is not a firm's."""
    digits = code[OWN].isdigit() and not code.startswith(FIRMS)
    return code[0] in OFFICES and code[REGION].isdigit() and not digits
