"""Labelled data in a folder: `lines.tsv` (path, text, language, source, rule), `pages.jsonl`, `pdfs.jsonl`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LineLabel:
    """One line crop and what it says; `image` is relative to the data folder, its first part names the source."""

    image: str
    text: str
    rule: str

    @property
    def source(self) -> str:
        return self.image.split("/")[0]


@dataclass(frozen=True, slots=True)
class PageLabel:
    """One page and its lines; `partial` where only some of its text is labelled."""

    image: str
    lines: tuple[str, ...]
    partial: bool

    @property
    def source(self) -> str:
        return self.image.split("/")[0]


def line_labels(folder: Path) -> list[LineLabel]:
    """The rows of `lines.tsv`, none where it is missing."""
    file = folder / "lines.tsv"
    rows = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    out = []
    for row in rows:
        cells = row.split("\t") + [""] * 5
        plate = " plate" if "plate" in cells[0] else ""
        out.append(LineLabel(cells[0], cells[1], (cells[4] or "plain") + plate))
    return out


def page_labels(folder: Path) -> list[PageLabel]:
    """The rows of `pages.jsonl`, none where it is missing."""
    file = folder / "pages.jsonl"
    rows = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    out = []
    for row in rows:
        if row.strip():
            page = json.loads(row)
            out.append(
                PageLabel(page["image"], tuple(line["text"] for line in page["lines"]), bool(page.get("partial")))
            )
    return out


def even_sample(rows: list[T], count: int) -> list[T]:
    """`count` rows spread evenly over the list; all of them for 0 or a count too large."""
    if not 0 < count < len(rows):
        return rows
    return [rows[i * len(rows) // count] for i in range(count)]


def other_sample(rows: list[T], taken: list[T], count: int) -> list[T]:
    """`count` rows spread evenly over those that were not taken; none for 0."""
    known = {id(row) for row in taken}
    return even_sample([row for row in rows if id(row) not in known], count) if count else []
