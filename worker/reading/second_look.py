"""What a quick network is sure of and wrong about now and then: a line that shows it is worth a second look.

A capital of a small letter's shape ("Lantern street" among names that all begin with capitals) differs in height alone. CTC needs
a blank between two equal letters: where they stand close, one is read ("commitee", "https:/"), and an f that its face joins to
the next letter swallows it ("profle"). Signs that are seldom seen are
taken for their likes (12 x 34 is 12 × 34, 5um is 5 μm, s50 is ≤50), and so are the letters of other languages, where most words of a line are none that is
known, or small words of theirs stand. In a code nothing tells 0 from O. A bracket that is opened is closed. Traditional and simplified characters
do not mix in one line. None of it is put right here; the stronger engine, which knows better, reads the line again. Which signs those are was found by
drawing each and reading it (`python -m bench fields`, docs/measurements.md).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import NamedTuple

from worker.reading import separators, variants
from worker.reading.context import regular, unknown_words
from worker.reading.context.lexicon import Lexicon
from worker.reading.languages import accented
from worker.reading.recogniser import ReadChar

SAME_SHAPE = frozenset("ckopsuvwxz")  # their capitals look like them
THOUGHT_OF = 0.01  # probability that the network gave the capital, at least
SHORTEST = 4  # letters; shorter words (of, for) are small among capitals, too
SELDOM = frozenset("~～×÷±℃£§®≤≥≈≠√μ²〇①②③④⑤⑥⑦⑧⑨⑩%门")  # signs that it nearly read where they stand,
NEARLY = 0.02  # with this probability at least,
# or, of two signs, what was read and what was not (≥ counts as >), with this one
HARDLY = {"-~": 0.004, "2>": 0.001, "z>": 0.001}
LIKES = re.compile(
    r"""
      \d\ ?[xX]\ ?\d(?!\d*\.\d\d)                          # ×, but not before a price: 2 X 1.79
    | \d\ ?,m\b | \bmm['’](?!\w) | \d\ ?um\b | \d{3}\ ?pm\b | \d°C | (?<![A-Za-z0-9-])\d{2,4}C\b(?!@) | kW[-.]h | \dk[QO0]\b     # μ, ℃, °, ·, Ω
    | [\d/]\ ?m[23]?\b                              # ² and ³, read as figures or not at all
    | (?<![A-Za-z0-9])[szSZ]\d | (?<![A-Za-z0-9'’])[sz]\ \d | (?:^|\ )2\ \d{3}    # ≤ and ≥,
    | (?<![\d.,])2\d{2,}\ ?(?:kg|g|mm|cm|km|ml|L)\b         # also where they are read as a 2
    | [%℃°]-\d                                             # ~
    | (?<![A-Za-z0-9])[EeLf]\d[\d,]*[.,]\d\d(?!\d)          # € and £
    | @\ ?(?:19|20)\d\d\b | [A-Za-z]@(?![A-Za-z0-9])         # © and ®
    | @(?=[\u3400-\u9fff])                                   # ①, ②
    | [<>]\ ?\d                                              # ≤ and ≥
    | \(=\ ?\d | \$\d+\( | \([EeLf]\)                        # ≈, §, € and £
    | [一二三四五六七八九][Oo0] | [Oo0][一二三四五六七八九]      # 〇
    | ^V(?=\ ?[\u3400-\u9fff])                                # √
    | (?:^|\ )口(?=\ ?[\u3400-\u9fff]) | □ | (?:^|\ )[区[](?=\ )   # a box to tick, or a character that it never learnt
    | ^['’](?=[A-Z][a-z])(?!.*['’])                          # a footnote's small figure
    | —{3}                                                   # a dash of two
    | \d,\ \d\d(?!\d) | [$€£]\d{5,}                            # a sum's comma
    | (?<!\w)['’](?:ll|ve|m|d)\b                             # the I before it
    | \b(?:https?|ftp):/(?!/) | \bhtps?:                      # one slash or t of two
    | (?<![A-Za-z])[A-Z]:[A-Za-z|]                          # the backslash of a drive
    | \[[\u3400-\u9fff] | [\u3400-\u9fff]\] | ^。            # 【 and 】, ●
    | \b(?:HK|US|NT)S\d                                     # $ behind a currency's letters
    | \b(?:S/N|SKU|Serial)\b.*                              # nothing tells 0 from O in what follows
    | \b(?:Mr|Ms|Mrs|Dr)[ ,] | \b(?:No|Qty)(?:,|\ (?=\d+\ @)) | [a-z]\ [A-Z],?\ [A-Z][a-z]    # the dot behind a short form, an initial
    """,
    re.VERBOSE,
)
WORDS, UNKNOWN_SHARE = 2, 0.5  # words of a line, and how many of them are unknown, from which it is of another language
SCRIPTS = 2  # characters of one Chinese script only, from which a line may be seen to mix both,
SHORTEST_MIXED = 4  # and Chinese characters in all: signs of three may be in two scripts
# Small words of other languages that English has not: one of them beside an unknown word makes a line foreign.
SMALL_WORDS = frozenset(
    ("der", "die", "das", "und", "mit", "von", "zur", "zum", "für", "ohne", "bei", "des", "dem", "den", "ein", "ist", "nicht", "auf", "aus",
     "le", "la", "les", "du", "une", "et", "est", "pour", "sur", "par", "avec", "où", "ou", "de", "el", "los", "las", "del", "una", "para", "con",
     "por", "su", "il", "lo", "gli", "di", "da", "che", "per", "não", "um", "uma", "ao", "het", "een", "van", "av", "och", "att", "det", "på",
     "till", "se")
)  # fmt: skip
AND_OTHERS = re.compile(r"\bet al\b")  # as English papers cite
WORD = re.compile(r"[^\W\d_]+")
SHORTEST_UNKNOWN = 4  # letters of such a word
CODE = re.compile(r"[A-Z0-9]{4,}")  # capitals and figures, mixed but not
ORDERLY = re.compile(r"[A-Z]*\d*[A-Z]?")  # some letters, then figures: there 0 is told from O
# Small letters too, among figures (a1b2l3); 330ml and Room12 are in order.
MIXED = re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z0-9]*[lIOo])(?:[A-Za-z]+\d+[A-Za-z]|\d+[A-Za-z]+\d)[A-Za-z0-9]*")
ALIKE = frozenset("0OQ1I")  # signs that only a word tells apart otherwise
BRACKETS = ("(（|)）", "[【［|]】］", "《|》", "「|」", "『|』", "“|”")
UNBALANCED = frozenset("".join(BRACKETS)) - {"|"} | {"*"}  # without any of these nothing is missing
# The beginning of $12.50, which may be £, of Y12.50 and of 612.50, which may be €.
SUM = re.compile(r"[$Y](?=\d)|(?<![\d.,])[26](?=\d[\d,]*\.\d\d(?![\d.]))")
SURE_SUM = 0.99  # confidence there, at least; nothing less was seen of true ones on pages
POINT = re.compile(r"^\s*\w{1,3}[)）\]]")  # 1) and a), which open nothing
GOODS = re.compile(r"\*[\u3400-\u9fff]")  # *kind of goods*what was sold, as Chinese invoices have it
LONGEST_CLOSED = 30  # characters: in longer lines, of running text, a bracket may be closed in the next
UNSURE = 0.6  # confidence of a character below which it is read again, however sure the rest of a line is,
UNSURE_SPACE = 0.5  # and of a space between two
SHORTEST_DOUBLED = 6  # letters of a known word from which one of two equal ones is missed; shorter ones may be names
JOINED = ("i", "l", "f", "fi", "fl", "il")  # what is lost behind an f that its face joins to it (profle, ofce, refl)
SHORTEST_JOINED = 4  # letters of such a word once it is whole (file)


class Word(NamedTuple):
    """A word of a line: the index of its first character, and its characters."""

    first: int
    chars: tuple[ReadChar, ...]

    @property
    def text(self) -> str:
        """How it is spelt."""
        return "".join(char.text for char in self.chars)


def faults(chars: Sequence[ReadChar], lexicon: Lexicon) -> frozenset[int]:
    """The characters, by index, that should be read again though the line was read surely; all of them where it is the
    line as a whole that is odd."""
    text = "".join(char.text for char in chars)
    owner = [index for index, char in enumerate(chars) for _ in char.text]  # of each place in the text
    words = _words(chars)
    whole = words[:-1] if text.rstrip().endswith("-") else words  # the last one goes on in the next line
    # an accent tells of another language, of whose letters the quick network knows few
    odd = accented(text) or mixed(text) or (len(text) <= LONGEST_CLOSED and unbalanced(text))
    if odd or small_words(text, lexicon) or foreign(whole, lexicon) or small_initial(words):
        return frozenset(range(len(chars)))
    spans = [found.span() for found in LIKES.finditer(text)] + codes(text)
    found = {owner[at] for first, end in spans for at in range(first, end)}
    unknown = [word for word in words if lexicon.word(word.text) is None]  # asked once: most words are known
    for word in unknown:
        if any(lost(word.text, lexicon) for lost in (lost_double, lost_joined, numbered)):
            found.update(range(word.first, word.first + len(word.chars)))
    first = (owner[each.start()] for each in SUM.finditer(text))
    found.update(index for index in first if chars[index].confidence < SURE_SUM)
    return frozenset(found | rivals(chars) | separators.doubtful(chars))


def hardly_read(chars: Sequence[ReadChar]) -> bool:
    """Whether one character was, or a space between two: a gate that looks at all of a line lets it pass where the others
    are sure."""
    inked = [index for index, char in enumerate(chars) if char.text.strip()]
    return bool(inked) and any(
        char.confidence < (UNSURE if char.text.strip() else UNSURE_SPACE) for char in chars[inked[0] : inked[-1] + 1]
    )


def rivals(chars: Sequence[ReadChar]) -> set[int]:
    """Where a sign that is seldom read was nearly read."""
    return {
        index
        for index, char in enumerate(chars)
        for other, score in char.alternatives
        if (other in SELDOM and score >= NEARLY) or score >= HARDLY.get(char.text + other, 1.0)
    }


def unbalanced(text: str) -> bool:
    """Whether a bracket or quote is opened and not closed, or the other way round; or of two stars about a kind of goods
    one is missing."""
    if UNBALANCED.isdisjoint(text):  # so it is with most lines
        return False
    inside = POINT.sub("", text)
    pairs = (pair.split("|") for pair in BRACKETS)
    odd = any(sum(char in begin for char in inside) != sum(char in end for char in inside) for begin, end in pairs)
    return odd or (GOODS.match(text) is not None and text.count("*") == 1)


def codes(text: str) -> list[tuple[int, int]]:
    """Where codes of letters and figures stand with signs that only words tell apart."""
    return [found.span() for found in MIXED.finditer(text)] + [
        found.span()
        for found in CODE.finditer(text)
        if not ALIKE.isdisjoint(found[0]) and ORDERLY.fullmatch(found[0]) is None
    ]


def small_words(text: str, lexicon: Lexicon) -> bool:
    """Whether a small word of another language stands beside an unknown word."""
    found = WORD.findall(AND_OTHERS.sub("", text))
    if len(found) < WORDS or SMALL_WORDS.isdisjoint(found):
        return False
    long = (word for word in found if len(word) >= SHORTEST_UNKNOWN and regular(word))
    return any(not word.isascii() or lexicon.word(word) is None for word in long)


def foreign(words: Sequence[Word], lexicon: Lexicon) -> bool:
    """Whether most words of a line are not English, one in small letters among them: a line of names is not foreign. Words in
    capitals do not count: they are names, or have no accents."""
    written = [word.text for word in words if len(word.text) >= SHORTEST]
    written = [word for word in written if regular(word) and not word.isupper()]
    unknown = [word for word in written if lexicon.word(word) is None]
    enough = len(written) >= WORDS and len(unknown) >= UNKNOWN_SHARE * len(written)
    return enough and any(word.islower() for word in unknown)


def mixed(text: str) -> bool:
    """Whether a line has characters that only traditional Chinese has, and others that only simplified has."""
    if text.isascii():
        return False
    traditional, simplified = variants.pairs()
    old, new = (sum(char in own for char in text) for own in (traditional, simplified))
    chinese = sum("\u3400" <= char <= "\u9fff" for char in text)
    enough = old + new >= SCRIPTS and chinese >= SHORTEST_MIXED
    return min(old, new) > 0 and enough and not variants.japanese(text)


def small_initial(words: Sequence[Word]) -> bool:
    """Whether one word of a line begins with a small letter that may be a capital, and all others with capitals."""
    long = [word.chars[0] for word in words if len(word.text) >= SHORTEST]
    small = [initial for initial in long if not initial.text.isupper()]
    if len(small) != 1 or len(long) < 2 or small[0].text not in SAME_SHAPE:
        return False
    return any(char == small[0].text.upper() and score >= THOUGHT_OF for char, score in small[0].alternatives)


def numbered(word: str, lexicon: Lexicon) -> bool:
    """Whether an unknown word is a known one and an l, which may be a 1 (Sheet1)."""
    known = len(word) > SHORTEST and word[-1] == "l" and lexicon.word(word[:-1]) is not None
    return known and lexicon.word(word) is None


def lost_double(word: str, lexicon: Lexicon) -> bool:
    """Whether an unknown word is a known one but for a letter that stands there twice."""
    if len(word) + 1 < SHORTEST_DOUBLED or not unknown_words(word, lexicon):
        return False
    return any(lexicon.word(word[: at + 1] + word[at:]) is not None for at in range(len(word)))


def lost_joined(word: str, lexicon: Lexicon) -> bool:
    """Whether an unknown word is a known one but for letters that some faces draw as one with the f before them."""
    if not regular(word) or lexicon.word(word) is not None:
        return False
    whole = (word[: at + 1] + more + word[at + 1 :] for at, char in enumerate(word) if char in "fF" for more in JOINED)
    return any(len(each) >= SHORTEST_JOINED and lexicon.word(each) is not None for each in whole)


def _words(chars: Sequence[ReadChar]) -> list[Word]:
    """Runs of ASCII letters."""
    out, first = [], 0
    for letters, run in itertools.groupby(chars, lambda char: char.text.isascii() and char.text.isalpha()):
        part = tuple(run)
        if letters:
            out.append(Word(first, part))
        first += len(part)
    return out
