"""The page's plain text: rows of lines joined, line breaks kept where they mean something.

A break inside running text means nothing but that the column was full: such lines become one paragraph. Lines that stop
short of the column's edge, stand apart, or are set off by an indent or a bullet keep their break.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from worker.reading.context import lexicon
from worker.reading.order import Placed

FULL_SLACK = 2.0  # line heights by which a full line may fall short of its column's edge (ragged right)
INDENT = 0.8  # line heights from which a line's start is an indent
OUTDENT = 6.0  # line heights that a paragraph's first line may stand in by, against the second: what is further left is another column's
LEADING = 0.9  # line heights of white between two lines of a paragraph, at most
PROSE_WIDTH = 12.0  # line heights: narrower columns are lists, labels and receipts
BLOCK_GAP = 1.2  # line heights of white from which an empty line is put between rows

_CJK = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef\uac00-\ud7a3]")
_BULLET = re.compile(
    r"^\s*([•·▪■□●○◆*–—-]\s|[(（]?\d{1,3}[.)、）]\s?\D|[(（]?[a-zA-Z][.)）]\s|[一二三四五六七八九十]+[、.]"
    r"|第\s?[一二三四五六七八九十百零〇\d]+\s?[条章节款项回篇部](?![的规第]))"
)

_DIGITS_BROKEN = re.compile(r"\d[-/]$")  # a date or a number, broken after its mark
_LAST_WORD, _FIRST_WORD = re.compile(r"(?<!\w)((?:[A-Za-z]+-)*)([A-Za-z]+)-$"), re.compile(r"[a-z]+")
_WORD = re.compile(r"[^\s\u3000-\u30ff\u3400-\u9fff]+|.")
_FIELD = re.compile(r"^\s*(?:[\u3400-\u9fff]{1,10}\s?[：:]|[A-Z][A-Za-z. ]{0,20}:\s)")  # a label and what stands in it


def join(rows: Sequence[Sequence[Placed]], texts: Sequence[str]) -> str:
    """The text of rows in reading order; `texts` by the lines' indices. Rows of one line may join into paragraphs."""
    out: list[str] = []
    previous: Sequence[Placed] | None = None
    for number, row in enumerate(rows):
        text = " ".join(texts[p.index].strip() for p in row)
        if previous is None:
            out.append(text)
        elif _continues(rows, number, texts):
            out[-1] = glue(out[-1], text)
        else:
            gap = min(p.top for p in row) - max(p.bottom for p in previous)
            height = float(np.median([p.height for p in (*previous, *row)]))
            if gap > BLOCK_GAP * height:
                out.append("")
            out.append(text)
        previous = row
    return "\n".join(out)


def first_word(text: str) -> str:
    """What of a text a line break may not divide: its first word, or one CJK character."""
    match = _WORD.match(text)
    return match.group() if match else text


def glue(first: str, second: str) -> str:
    """Two halves of a broken line as one: no space between CJK characters, a hyphen at a word's break taken out."""
    if not first or not second:
        return first + second
    if _CJK.match(first[-1]) or _CJK.match(second[0]):
        return first + second
    if first.endswith("-") and len(first) > 1 and first[-2].isalpha() and second[0].islower():
        return first + second if _is_compound(first, second) else first[:-1] + second
    if _DIGITS_BROKEN.search(first) and second[0].isdigit():
        return first + second
    return f"{first} {second}"


def _is_compound(first: str, second: str) -> bool:
    """Whether the hyphen at a line's end belongs to the word (well-known, at-least-once): without it it is no word, and its
    halves are, or it has another hyphen."""
    before, after = _LAST_WORD.search(first), _FIRST_WORD.match(second)
    if before is None or after is None or lexicon().word(before[2] + after[0]) is not None:
        return False
    halves = (before[2], after[0])
    return bool(before[1]) or all(lexicon().word(half) is not None for half in halves)


def _continues(rows: Sequence[Sequence[Placed]], number: int, texts: Sequence[str]) -> bool:
    """Whether the row `number` goes on with the paragraph of the row before it."""
    before, row = rows[number - 1], rows[number]
    if len(before) != 1 or len(row) != 1:
        return False
    above, line = before[0], row[0]
    height = min(above.height, line.height)
    if max(above.height, line.height) > 1.35 * height or _BULLET.match(texts[line.index]):
        return False
    if _FIELD.match(texts[above.index]) and _FIELD.match(texts[line.index]):
        return False
    if not -0.5 * height < line.top - above.bottom < LEADING * height:
        return False
    column = _column(rows, number)
    left, right = min(p.left for p in column), float(np.percentile([p.right for p in column], 90))
    if right - left < PROSE_WIDTH * height:
        return False
    full = [p.right > right - FULL_SLACK * height for p in column]
    # Under a heading and above a table a paragraph may be two lines; what begins with a small letter goes on all the same.
    if np.mean(full) < 0.5 and len(column) > 2 and not texts[line.index].lstrip()[:1].islower():
        return False
    starts = above.left - OUTDENT * height < line.left < above.left + INDENT * height
    return starts and above.right > right - FULL_SLACK * height


def _column(rows: Sequence[Sequence[Placed]], number: int) -> list[Placed]:
    """The run of single lines around a row that stand under each other: what its right edge is measured on."""
    here = rows[number][0]
    out = [here]
    for step in (-1, 1):
        at = number + step
        while 0 <= at < len(rows) and len(rows[at]) == 1 and len(out) < 40:
            line = rows[at][0]
            shared = min(line.right, here.right) - max(line.left, here.left)
            if shared < 0.5 * min(line.right - line.left, here.right - here.left) or line.height > 1.5 * here.height:
                break
            out.append(line)
            at += step
    return out
