"""Folding what was read to one form: simplified or traditional characters, half-width letters. Lengths never change.

OpenCC looks at words where one simplified character stands for several traditional ones (头发 is 頭髮, 发现 is 發現). What
it would make longer or shorter is folded a character at a time instead, because every character keeps its own box.
"""

from __future__ import annotations

import functools
import importlib.metadata
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from shared.records import FOLDS, Char, Line, Page
from worker.reading.languages import fold_width

CONFIGURATIONS = {"simplified": "t2s", "traditional": "s2tw"}
"""Form -> OpenCC's configuration. Traditional as written in Taiwan: 為 and 裡, where others write 爲 and 裏 as well."""


def version() -> str:
    """What folds, for cache keys."""
    return importlib.metadata.version("opencc")


def folded(text: str, how: str) -> str:
    """The text in the form `how` (one of FOLDS), character for character. Raises ValueError for another form."""
    if how not in FOLDS:
        raise ValueError(f"unknown form {how!r}; known: {', '.join(FOLDS)}")
    for form in how.split("-"):
        if form == "halfwidth":
            text = fold_width(text)
        elif form != "off" and not text.isascii():
            text = _converted(text, form)
    return text


def folded_page(page: Page, how: str) -> Page:
    """The page with its text, lines, cells, characters and alternatives folded; boxes and confidences stay."""
    if how == "off":
        return page
    tables = tuple(
        replace(table, cells=tuple(replace(cell, text=folded(cell.text, how)) for cell in table.cells))
        for table in page.tables
    )
    lines = tuple(_line(line, how) for line in page.lines)
    return replace(page, text=folded(page.text, how), lines=lines, tables=tables)


def _line(line: Line, how: str) -> Line:
    # The characters of a line are folded as the words they form, not one by one.
    text = folded(line.text, how)
    spelled = "".join(char.text for char in line.chars)
    whole = text if spelled == line.text else folded(spelled, how)
    chars, at = [], 0
    for char in line.chars:
        chars.append(_char(char, whole[at : at + len(char.text)], how))
        at += len(char.text)
    return replace(line, text=text, chars=tuple(chars))


def _char(char: Char, text: str, how: str) -> Char:
    others = {folded(other, how): score for other, score in reversed(char.alternatives)}
    others.pop(text, None)  # two forms of one character are one reading
    return replace(char, text=text, alternatives=tuple(reversed(others.items())))


def _converted(text: str, form: str) -> str:
    convert = _converter(form).convert
    out: list[str] = []
    for row in text.split("\n"):
        words: str = convert(row)
        out.append(words if len(words) == len(row) else _one_by_one(row, [convert(char) for char in row]))
    return "\n".join(out)


def _one_by_one(row: str, found: Sequence[str]) -> str:
    return "".join(new if len(new) == 1 else old for old, new in zip(row, found, strict=True))


@functools.cache
def _converter(form: str) -> Any:
    import opencc  # only where a document asks for it: the tables of words take some 40 MB

    return opencc.OpenCC(CONFIGURATIONS[form])
