"""Amounts in words: 伍仟参佰 on an invoice is 伍仟叁佰, because only a numeral may stand there.

Cheques and invoices of China name their sum in numerals made hard to forge, which are rare elsewhere: a recogniser takes them for
their likes, and the characters that usually stand beside each other are no help, for a sum may be any. Where several of them
stand together, the likeliest way through what the network thought of is taken that spells a sum. Source of the form: People's
Bank of China, rules on filling in bills (支付结算办法, 1997, annex 1); the older forms are those of Taiwan and Hong Kong.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from worker.reading.ctc import Peak

KINDS = {"digit": "壹贰叁肆伍陆柒捌玖貳參陸", "zero": "零", "tens": "拾佰仟", "myriad": "万亿萬億", "yuan": "元圆圓"} | {
    "jiao": "角", "fen": "分", "end": "整正"
}  # fmt: skip
FOLLOWS = {
    "digit": ("tens", "myriad", "yuan", "jiao", "fen"),
    "zero": ("digit", "tens", "myriad", "yuan", "jiao", "fen", "end"),  # printed forms have 零佰零拾
    "tens": ("digit", "zero", "myriad", "yuan"),
    "myriad": ("digit", "zero", "yuan", "myriad"),
    "yuan": ("digit", "zero", "end"),
    "jiao": ("digit", "zero", "end"),
    "fen": ("end",),
    "end": (),
}
KIND = {char: kind for kind, chars in KINDS.items() for char in chars}
OWN = ("digit", "tens")  # kinds whose characters hardly stand anywhere else
ENOUGH = 3  # of them, read or nearly read, before a line holds a sum
NEARLY = 0.3  # likelihood from which one is nearly read
LIKES = {"参": "叁"}  # what a numeral is read as so surely that it counts as thought of
THOUGHT_OF = 0.01  # likelihood that makes a character a choice within a sum,
AT_EDGE = 0.15  # and at its ends, where other text begins
STRANGE = 5.0  # log likelihood that two neighbours cost which no sum has
TOLD = 0.6  # confidence in a numeral that the sum told


@dataclass(frozen=True, slots=True)
class Place:
    """A character of a line, where it stands among the peaks, and what it may be: (likelihood, class, character), what was read
    first; after it only what a sum may hold."""

    at: int
    choices: tuple[tuple[float, int, str], ...]

    def most(self) -> float:
        """The likelihood that it is part of a sum."""
        return max((score for score, _, char in self.choices if char in KIND), default=0.0)

    def read(self) -> str:
        """What was read."""
        return self.choices[0][2]

    def outside(self) -> bool:
        """Whether it is no part of a sum that ends beside it."""
        return self.read() not in KIND and self.read() not in LIKES and self.most() < AT_EDGE

    def own(self) -> bool:
        """Whether it is one of the numerals that hardly stand anywhere else."""
        nearly = any(KIND.get(char) in OWN and score >= NEARLY for score, _, char in self.choices)
        return nearly or self.read() in LIKES or KIND.get(self.read()) in OWN


def settled(peaks: Sequence[Peak], alphabet: Sequence[str]) -> list[Peak]:
    """A line's characters, those amid the numerals of a sum put right; class -> character is the `alphabet`."""
    out = list(peaks)
    if not any(KIND.get(alphabet[peak.index]) in OWN for peak in peaks):
        return out
    run: list[Place] = []
    for at, peak in enumerate(peaks):
        if alphabet[peak.index] == " ":
            continue
        place = _place(at, peak, alphabet)
        if place.most() > 0:
            run.append(place)
            continue
        _settle(run, out)
        run = []
    _settle(run, out)
    return out


def _place(at: int, peak: Peak, alphabet: Sequence[str]) -> Place:
    read = alphabet[peak.index]
    others = [(score, index, alphabet[index]) for index, score in peak.alternatives]
    fit = [each for each in others if each[0] >= THOUGHT_OF and each[2] in KIND]
    meant = LIKES.get(read)
    if meant is not None and meant in alphabet and all(char != meant for _, _, char in fit):
        fit.append((THOUGHT_OF, alphabet.index(meant), meant))
    return Place(at, ((peak.confidence, peak.index, read), *fit))


def _settle(run: Sequence[Place], out: list[Peak]) -> None:
    """Puts the characters of one run right, in place."""
    while run and run[0].outside():
        run = run[1:]
    while run and run[-1].outside():
        run = run[:-1]
    if sum(place.own() for place in run) < ENOUGH:
        return
    for place, number in zip(run, _best(run), strict=True):
        if number:
            score, index, _ = place.choices[number]
            out[place.at] = out[place.at].instead(index, max(TOLD, score))


def _best(run: Sequence[Place]) -> list[int]:
    """Which choice to make at each place (Viterbi)."""
    ways: list[tuple[float, list[int]]] = [(0.0, [])]
    before = [""]
    for place in run:
        ways = [
            max(
                (score + _gain(one, char, likelihood), [*path, number])
                for one, (score, path) in zip(before, ways, strict=True)
            )
            for number, (likelihood, _, char) in enumerate(place.choices)
        ]
        before = [char for _, _, char in place.choices]
    return max(ways)[1]


def _gain(before: str, char: str, likelihood: float) -> float:
    fits = not before or KIND.get(char) in FOLLOWS.get(KIND.get(before, ""), ())
    return math.log(max(likelihood, 1e-6)) - (0.0 if fits else STRANGE)
