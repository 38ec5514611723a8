"""Languages: which characters a language is written with, whether an engine knows them, and folding of their forms.

Which Chinese, Japanese and Korean characters are in use is read off the national standards that Python's codecs carry
(GB 2312, Big5, JIS X 0208, KS X 1001); Latin alphabets are the languages' own letters with the commonest loan letters.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable

from shared.errors import UnknownOption

_ACCENTED = re.compile("[À-ÖØ-öø-ɏ]")
BASIC = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
LATIN = {
    "en": "éèàü",
    "de": "äöüßẞéèà",
    "es": "áéíñóúüç",
    "fr": "àâæçéèêëîïôœùûüÿ",
    "it": "àèéìíîòóùú",
    "nl": "áéíóúàèëïöüĳ",
    "pl": "ąćęłńóśźż",
    "pt": "áâãàçéêíóôõúü",
    "tr": "çğıİöşüâîû",
    "vi": "àáâãèéêìíòóôõùúýăđĩũơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",
}
CJK_SIGNS = ((0x2E80, 0x303F), (0x30FB, 0x30FC), (0xFE30, 0xFE4F), (0xFF01, 0xFF65), (0xFFE0, 0xFFE6))
"""Punctuation and full-width forms that only East Asian typesetting uses."""
WIDE_SIGNS = {"\u3000": " ", "￠": "¢", "￡": "£", "￢": "¬", "￣": "¯", "￤": "¦", "￥": "¥", "￦": "₩"}
"""Full-width forms outside the block of full-width ASCII, and their usual ones."""
SIGNS = frozenset("×÷±≤≥≠≈√°℃²³½‰→←↑↓□☐☑※")
HAN_ENOUGH = 3000  # characters: covers more than 99 % of running Chinese text (Jun Da's corpus: 3,000 cover 99.2 %)
HANDFUL = 10  # fewer letters are no script, but a few loan letters such as the é of café
SCRIPT_ENOUGH = 0.9  # of the letters of any other script


def known() -> tuple[str, ...]:
    """The codes that `lang` may be; `auto` first."""
    return ("auto", *EAST_ASIAN, *LATIN)


def characters(lang: str, vocabulary: frozenset[str]) -> frozenset[str] | None:
    """The characters of an engine's `vocabulary` that text in `lang` may hold; None is all of them (`auto`).

    Raises UnknownOption (with the known codes) for another code.
    """
    code = lang.lower()
    if code == "auto":
        return None
    if code not in known():
        raise UnknownOption(field="lang", name="lang", value=lang[:20], known=", ".join(known()))
    return _characters(code, vocabulary)


def knows(lang: str, vocabulary: frozenset[str]) -> bool:
    """Whether an engine with this vocabulary can read `lang`. Raises UnknownOption."""
    if characters(lang, vocabulary) is None:
        return True
    everything = frozenset(map(chr, range(0x20, 0x3100))) | _east_asian()
    return covers(vocabulary, _characters(lang.lower(), everything))


def covers(vocabulary: frozenset[str], wanted: frozenset[str]) -> bool:
    """Whether `vocabulary` holds enough of the letters of every script in `wanted`: of Han the common ones, else nearly all."""
    scripts: dict[str, list[str]] = {}
    for char in wanted:
        name = script(char)
        if name != "sign":
            scripts.setdefault(name, []).append(char)
    for name, chars in scripts.items():
        if len(chars) < HANDFUL:
            continue
        there = sum(char in vocabulary for char in chars)
        enough = (
            min(HAN_ENOUGH, SCRIPT_ENOUGH * len(chars)) if name in ("han", "hangul") else SCRIPT_ENOUGH * len(chars)
        )
        if name == "hangul":
            enough = min(enough, 1000)  # the syllables of KS X 1001 that running text uses
        if there < enough:
            return False
    return True


@functools.lru_cache(maxsize=65536)
def script(char: str) -> str:
    """`han`, `kana`, `hangul`, `latin` (A to Z), `latin-extra`, `other` letters, or `sign` for what is no letter."""
    if not unicodedata.category(char[0]).startswith("L"):
        return "sign"
    code = ord(char[0])
    if char in BASIC:
        return "latin"
    if 0x3400 <= code <= 0x9FFF or 0xF900 <= code <= 0xFAFF or 0x20000 <= code <= 0x3FFFF or char == "々":
        return "han"
    if 0x3040 <= code <= 0x30FF or 0x31F0 <= code <= 0x31FF:
        return "kana"
    if 0xAC00 <= code <= 0xD7AF or 0x1100 <= code <= 0x11FF or 0x3130 <= code <= 0x318F:
        return "hangul"
    if any(low <= code <= high for low, high in CJK_SIGNS):
        return "sign"  # full-width letters are forms of letters, not a script
    return "latin-extra" if 0xC0 <= code <= 0x24F or 0x1E00 <= code <= 0x1EFF else "other"


def fold_width(text: str, to: str = "half") -> str:
    """Full-width letters, digits and signs to `half` width, or ASCII to `full` width; anything else stays."""
    if to not in ("half", "full"):
        raise ValueError(f"width must be half or full, not {to!r}")
    if to == "half":
        return "".join(chr(ord(char) - 0xFEE0) if "！" <= char <= "～" else WIDE_SIGNS.get(char, char) for char in text)
    return "".join(
        "\u3000" if char == " " else chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text
    )


@functools.lru_cache(maxsize=64)
def _characters(code: str, vocabulary: frozenset[str]) -> frozenset[str]:
    belongs = _belongs(code)
    return frozenset(char for char in vocabulary if belongs(char))


def _belongs(code: str) -> Callable[[str], bool]:
    if code in LATIN:
        letters = BASIC | frozenset(LATIN[code]) | frozenset(LATIN[code].upper())
        return lambda char: char in letters or (script(char) == "sign" and not _east_asian_sign(char))
    scripts, in_use = EAST_ASIAN[code]
    return lambda char: script(char) in scripts or (script(char) == "han" and in_use(char))


def _east_asian_sign(char: str) -> bool:
    return any(low <= ord(char[0]) <= high for low, high in CJK_SIGNS)


def _in(char: str, standard: str) -> bool:
    try:
        char.encode(standard)
    except UnicodeEncodeError:
        return False
    return True


# Code -> scripts written beside Han, and which Han are in use. A character in neither Chinese standard is rare in both:
# it stays.
EAST_ASIAN: dict[str, tuple[tuple[str, ...], Callable[[str], bool]]] = {
    "zh": (("sign", "latin"), lambda char: True),
    "zh-hans": (("sign", "latin"), lambda char: _in(char, "gb2312") or not _in(char, "big5")),
    "zh-hant": (("sign", "latin"), lambda char: _in(char, "big5") or not _in(char, "gb2312")),
    "ja": (("sign", "latin", "kana"), lambda char: _in(char, "shift_jis")),
    "ko": (("sign", "latin", "hangul"), lambda char: _in(char, "euc_kr")),
}


@functools.cache
def _east_asian() -> frozenset[str]:
    return frozenset(map(chr, range(0x3400, 0xA000))) | frozenset(map(chr, range(0xAC00, 0xD7A4)))


def accented(text: str) -> bool:
    """Whether it has an accented Latin letter, or another that English has not."""
    return _ACCENTED.search(text) is not None


def lost_accents(before: str, after: str) -> bool:
    """Whether a text is another one without its accents: those are small, and easily overlooked, but never imagined."""
    plain = "".join(char for char in unicodedata.normalize("NFD", before) if not unicodedata.combining(char))
    return before != after and plain == after


def lost_signs(before: str, after: str) -> bool:
    """Whether a text is another one without signs of measure and mathematics, or with an x in place of ×: they are seldom
    seen, and passed over, but never imagined."""

    def rest(text: str) -> str:
        return "".join(char for char in text if char not in SIGNS and char not in "xX ")

    fewer = sum(char in SIGNS for char in after) < sum(char in SIGNS for char in before)
    return fewer and rest(before) == rest(after)
