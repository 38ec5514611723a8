"""English: running prose and the lines of scholarly papers."""

from __future__ import annotations

import random
import string

from training.texts.figures import amount, digits
from training.texts.lists import prose, words
from training.texts.names import compound, name


def english(rng: random.Random, low: int = 8, high: int = 75) -> str:
    """A stretch of running prose that begins and ends at a word, now and then hyphenated at its end as in a column."""
    text = rng.choice(prose())
    start = rng.randrange(max(1, len(text) - low))
    start = text.find(" ", start) + 1 if start else 0
    cut = text[start : start + rng.randint(low, high)].strip()
    if rng.random() < 0.3 and " " in cut:
        # what docstrings seldom hold: percentages, ampersands, marks, compounds, quoted and bracketed words
        pieces = cut.split(" ")
        at = rng.randrange(len(pieces))
        word = pieces[at]
        pieces[at] = rng.choice(
            (
                f"{rng.randint(1, 100)}%",
                f"{rng.uniform(0, 100):.1f}%",
                f"{word} &",
                f"“{word}”",
                f"({word})",
                f"{word};",
                f"{word}!",
                compound(rng),
                name(rng),
                f"{rng.randint(1, 99)} ± {rng.randint(1, 9)}",
                f"{word.title()} & {word.upper()}",
                f"{string.ascii_uppercase[rng.randrange(26)]}%",
                f"[{rng.randint(0, 9)}, {rng.randint(0, 99)}]",
                f"{word}/{word.title()}",
                f"{word}’s",
            )
        )
        cut = " ".join(pieces)[:high]
    cut = cut.rsplit(" ", 1)[0] if " " in cut and rng.random() < 0.85 else cut
    if rng.random() < 0.25:
        cut = " ".join(words("en").draw(rng) for _ in range(rng.randint(2, 9)))
        cut = cut.capitalize() + rng.choice((".", "", "", ",", ";", "?"))
    return cut + ("-" if rng.random() < 0.05 and cut[-1:].isalpha() else "") or "and"


def paper(rng: random.Random) -> str:
    """Lines of English papers: citations, headings, captions, reference lists, mixed with prose."""
    prose_line = english(rng, 20, 80)
    pages = rng.randint(1, 900)
    last = name(rng).split()[-1]
    return rng.choice(
        (
            prose_line,
            prose_line,
            f"{prose_line} [{rng.randint(1, 60)}]",
            f"({last} et al., {rng.randint(1970, 2026)}) {prose_line}"[:80],
            f"{rng.randint(1, 9)}.{rng.randint(1, 9)}. {english(rng, 8, 40).capitalize()}",
            f"Fig. {rng.randint(1, 20)}. {prose_line}"[:80],
            f"Table {rng.randint(1, 20)}: {prose_line}"[:75],
            f"{last}, {rng.choice('ABCDEFGHJKLMRST')}., {last}, {rng.choice('ABCDEJ')}., {rng.randint(1970, 2026)}.",
            f"{words('en').draw(rng).title()} {rng.randint(1, 90)} ({rng.randint(1, 12)}), {pages}–{pages + rng.randint(2, 30)}.",
            f"p < 0.0{rng.randint(1, 5)}, n = {rng.randint(3, 90)}; {prose_line}"[:70],
            f"[{rng.randint(1, 90)}] {name(rng)}, {name(rng)}, and {name(rng)}.",
            f"{rng.choice('ABCDxyzRSTV')} = {amount(rng)} {rng.choice(('mm', 'km/h', 'kg', 'm²', '°C', 'Hz', 'MPa', 'ms'))}",
            words("en").draw(rng).upper(),
            f"{last}-{words('en').draw(rng).upper()[:5]}-{digits(rng, 2)} {prose_line}"[:60],
        )
    )
