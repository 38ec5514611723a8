"""A page's record as the job store keeps it, written four times as fast as through dictionaries.

A dense page has thousands of characters, each with a box of eight numbers: they are most of its JSON and are written
directly. Everything else goes through `to_json` of the records, which says what the form is.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from json.encoder import encode_basestring
from typing import Any

from shared.records import Char, Line, Page


def packed(page: Page, number: int) -> bytes:
    """The same as `pack_page(page.to_json(number))`, but for zeros at the end of fractions."""
    lines = ",".join(map(_line, page.lines))
    # Quotes within a text are escaped: these can only be the page's own.
    text = _dumps(replace(page, lines=()).to_json(number)).replace('"lines":[]', f'"lines":[{lines}]', 1)
    return zlib.compress(text.encode(), 1)


def _line(line: Line) -> str:
    chars = ",".join(map(_char, line.chars))
    return _dumps(replace(line, chars=()).to_json()).replace('"chars":[]', f'"chars":[{chars}]', 1)


def _char(char: Char) -> str:
    box = char.box
    if box is None or char.alternatives:
        return _dumps(char.to_json())
    (a, b), (c, d), (e, f), (g, h) = box
    return (
        f'{{"text":{encode_basestring(char.text)},"confidence":{char.confidence:.4f},'
        f'"box":[[{a:.1f},{b:.1f}],[{c:.1f},{d:.1f}],[{e:.1f},{f:.1f}],[{g:.1f},{h:.1f}]]}}'
    )


def _dumps(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))
