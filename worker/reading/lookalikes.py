"""Signs of one shape that those beside them tell apart: brackets of full and of half width, ß and the Greek beta.

Recognisers see either form in Chinese print and are often in two minds, so that one line has （大写). A bracket whose fellow
is of the other width takes the form that the characters inside ask for; where both are of the wrong width that goes for
what the recogniser thought of. A beta among Latin letters is ß, an l by itself before a hyphen and figures or /O is I (Form I-9, I/O), an O before a unit is 0 (Trans Fat 0g), and
a 0 before ct is an O. A plus after 初 is 十, and a dash that ends 初, 廿, 卅 or 十 is 一. An l
in a commit's number (a1b2c3d) is 1.
A middle dot that begins a line is a bullet. Where a recogniser cannot choose between a small figure and a large one (CO₂), it may
read both, one after the other: the surer one stands; and of a fraction and its figures (1½2) the fraction.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from dataclasses import replace

from worker.reading.languages import script
from worker.reading.recogniser import ReadChar, Reading, reading_of

WIDE = {"(": "（", ")": "）", "[": "［", "]": "］"}
NARROW = {wide: narrow for narrow, wide in WIDE.items()}
ENDS = {"(": ")", "（": ")", "[": "]", "［": "]"}  # what closes it, in half width
THOUGHT_OF = 0.1  # probability that the recogniser gave the other form, of either bracket
EITHER = 0.1  # probability that one of two forms in a row was given where the other was read
BETA = re.compile(r"(?<=[A-Za-zÀ-ÖØ-öø-ÿ])β(?=[a-z]|\b)")

BULLET = re.compile(r"^·(?=\s*\S)")
# No word: an O before a unit (Total Fat 0g), a per cent sign, or the decimals of a number. "Omg" may begin a sentence.
NOUGHT = re.compile(
    r"(?<![A-Za-z0-9.,])O(?=\ ?%|[.,]\d|(?:g|kg|mcg|μg|µg|mL|ml|kcal|kJ|cal|km|cm|mm)\b)|(?<=\w\ )O(?=mg\b)"
)
OCTOBER = re.compile(r"(?<![A-Za-z0-9])0(?=(?:ct|CT)\b)")
FRACTIONS = {"½": ("1", "2"), "¼": ("1", "4"), "¾": ("3", "4"), "⅓": ("1", "3"), "⅔": ("2", "3")}
# Chinese figures drawn in one stroke or two: the days of a month in the lunar calendar, and 十一 by itself.
TEN = re.compile(r"(?<=初)\+")
ONE = re.compile(r"(?:(?<=[初廿卅])|(?<=(?<!\w)十))[—–-](?=\s|$)")
# Of a sign the recogniser thought of the other one, too: diameters, and an O within a word of letters alone (BackOff).
# A nought with a stroke through it is a nought in many monospaced faces: only a measure tells.
DIAMETER = re.compile(r"(?<![\w.,:/-])(0)(?=\d{1,3}(?:[.,]\d{1,2})?(?:\ ?(?:mm|cm)\b|\ ?[x×]\ ?\d|\ (?:DIN|ISO)\b))")
WITHIN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]*[a-z](0)[a-z]+(?![A-Za-z0-9])")
# A number to the base of 16 with figures and letters, as of commits: it has no l.
HEX = re.compile(r"(?<![A-Za-z0-9])(?=[a-fl]*[0-9][0-9a-fl]*[0-9])(?=[0-9l]*[a-f])[0-9a-fl]{7,40}(?![A-Za-z0-9])")
LONE_L = re.compile(r"(?<![A-Za-z0-9])(?:l(?=-\d)|[l1](?=/O(?![A-Za-z0-9])))")


def settled(reading: Reading) -> Reading:
    """The line with its brackets in pairs and its ß; the very same where nothing changes."""
    chars = list(reading.chars)
    for first, last in _pairs(chars):
        inside = [char.text for char in chars[first + 1 : last] if char.text.strip()]
        if not inside:
            continue
        wide = _han(inside[0]) or _han(inside[-1])
        both = [chars[first], chars[last]]
        mixed = (both[0].text in WIDE) != (both[1].text in WIDE)
        forms = WIDE if wide else NARROW
        nearly = any(
            other == forms.get(char.text) and score >= THOUGHT_OF for char in both for other, score in char.alternatives
        )
        if mixed or nearly:
            chars[first], chars[last] = (_instead(char, forms.get(char.text, char.text)) for char in both)
    if len(reading.text) == len(chars):
        for pattern, right in (
            (BETA, "ß"),
            (LONE_L, "I"),
            (NOUGHT, "0"),
            (OCTOBER, "O"),
            (BULLET, "•"),
            (TEN, "十"),
            (ONE, "一"),
        ):
            for found in pattern.finditer(reading.text):
                chars[found.start()] = _instead(chars[found.start()], right)
        for pattern, others in ((DIAMETER, "Ø∅"), (WITHIN, "Oo")):
            for found in pattern.finditer(reading.text):
                thought = {other: score for other, score in chars[found.start(1)].alternatives if other in others}
                if sum(thought.values()) >= THOUGHT_OF:
                    right = max(thought, key=lambda other: thought[other])
                    chars[found.start(1)] = _instead(chars[found.start(1)], "Ø" if right in "Ø∅" else right)
        for found in HEX.finditer(reading.text):
            for at in range(found.start(), found.end()):
                chars[at] = _instead(chars[at], chars[at].text.replace("l", "1"))
    chars = _without_own_figures(_once(chars))
    return reading if chars == list(reading.chars) else reading_of(chars, reading.engine)


def _once(chars: list[ReadChar]) -> list[ReadChar]:
    """The characters without those that are one of two forms of the same sign, read one after the other in doubt."""
    out = chars[:1]
    for before, char in itertools.pairwise(chars):
        doubt = max(dict(before.alternatives).get(char.text, 0.0), dict(char.alternatives).get(before.text, 0.0))
        if before.text != char.text and doubt >= EITHER and _plain(before.text) == _plain(char.text):
            out[-1] = replace(max(before, char, key=lambda each: each.confidence), x0=before.x0, x1=char.x1)
        else:
            out.append(char)
    return out


def _without_own_figures(chars: list[ReadChar]) -> list[ReadChar]:
    """The characters without the figures of a fraction that were read beside it: nothing is written behind one."""
    out: list[ReadChar] = []
    for char in chars:
        above, below = FRACTIONS.get(out[-1].text if out else "", ("", ""))
        if char.text != below:
            out.append(char)
            continue
        sign = out.pop()
        first = out.pop() if out and out[-1].text == above and not (out[:-1] and out[-2].text.isdigit()) else sign
        out.append(replace(sign, x0=first.x0, x1=char.x1))
    return out


def _plain(char: str) -> str:
    """A figure whatever its form; itself, of anything else."""
    plain = unicodedata.normalize("NFKC", char)
    return plain if plain.isdigit() else f"{char} "


def _pairs(chars: list[ReadChar]) -> list[tuple[int, int]]:
    """The places of brackets that are each other's fellows."""
    waiting: list[int] = []
    found = []
    for at, char in enumerate(chars):
        if char.text in ENDS:
            waiting.append(at)
        elif NARROW.get(char.text, char.text) in ENDS.values():
            if waiting and ENDS[chars[waiting[-1]].text] == NARROW.get(char.text, char.text):
                found.append((waiting.pop(), at))
            else:
                return []  # they cross, or one is missing: nothing is sure
    return found if not waiting else []


def _han(char: str) -> bool:
    return script(char) == "han" or "\u3000" < char <= "\u303f"  # or a sign of Chinese print


def _instead(char: ReadChar, other: str) -> ReadChar:
    """The other form in its place, as likely as both forms together: they are one sign in two."""
    if other == char.text:
        return char
    return char.instead(other, char.confidence + dict(char.alternatives).get(other, 0.0))
