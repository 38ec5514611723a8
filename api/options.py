"""Options of a request -> checked values. Unknown names and values are refused, never ignored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from api.wording import because
from shared.errors import NoPages, UnknownOption
from shared.languages import LANGUAGES
from shared.records import ENGINES, FOLDS, LAYOUTS, PICTURES, PREPROCESS, PRIORITIES, ReadOptions

CHOICES: dict[str, tuple[str, ...]] = {
    "lang": tuple(LANGUAGES),
    "engine": ENGINES,
    "layout": LAYOUTS,
    "preprocess": PREPROCESS,
    "fold": FOLDS,
    "pictures": PICTURES,
    "priority": PRIORITIES,
}
"""Option -> what it may be; the first is the default."""
NAMES = (*CHOICES, "pages")
_PAGES = re.compile(r"\s*([0-9]{1,9})?\s*(-)?\s*([0-9]{1,9})?\s*")
_PAGES_KNOWN = "page numbers and ranges such as 1-3,7"


class Asked(NamedTuple):
    """What was asked for: how to read, which pages (as written), and how urgently."""

    read: ReadOptions
    pages: str
    priority: str


def parse(fields: Mapping[str, str]) -> Asked:
    """The options among a request's fields. Raises UnknownOption for a name or a value that is not known."""
    chosen = {}
    for name, value in fields.items():
        if name not in NAMES:
            raise UnknownOption(field=name[:60], name=name[:60], value=value[:60], known=", ".join(NAMES))
        if name == "pages":
            continue
        wanted = value.strip().lower()
        if wanted and wanted not in CHOICES[name]:
            raise UnknownOption(field=name, name=name, value=value[:60], known=", ".join(CHOICES[name]))
        if wanted:
            chosen[name] = wanted
    priority = chosen.pop("priority", PRIORITIES[0])
    pages = fields.get("pages", "")
    _ranges(pages)
    return Asked(ReadOptions(**chosen), pages, priority)


def select_pages(text: str, total: int) -> tuple[int, ...]:
    """Page numbers out of `1-3,7`, ascending, each once; "" is all of them, `5-` all from the fifth on.

    Numbers beyond the last page are left out; raises NoPages where none remains.
    """
    if not text.strip():
        return tuple(range(1, total + 1))
    chosen: set[int] = set()
    for first, last in _ranges(text):
        chosen.update(range(first, min(last, total) + 1))
    if not chosen:
        raise because(
            NoPages, f"`pages` selects none of its {total}", f"`pages` 未选中其 {total} 页中的任何一页", field="pages"
        )
    return tuple(sorted(chosen))


def _ranges(text: str) -> list[tuple[int, int]]:
    if not text.strip():
        return []
    found = []
    for part in text.split(","):
        match = _PAGES.fullmatch(part)
        first, dash, last = match.groups() if match else (None, None, None)
        low = int(first) if first else 1
        high = int(last) if last else 10**9 if dash else low
        if not (first or last) or low < 1 or high < low or (last and not dash):
            raise UnknownOption(field="pages", name="pages", value=text[:60], known=_PAGES_KNOWN)
        found.append((low, high))
    return found
