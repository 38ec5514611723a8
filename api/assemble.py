"""Stored pages -> a job's result. Pages are kept packed and passed on as they are; only their summaries are parsed."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pydantic_core
from pydantic import BaseModel, TypeAdapter

from shared import notices
from shared.store.protocol import JobView

PAGE_BREAK = "\n\n"
"""Between the texts of two pages."""


class HeadCell(BaseModel):
    """A cell of a table without its place on the page."""

    row: int
    column: int
    rows: int = 1
    columns: int = 1
    text: str = ""


class HeadTable(BaseModel):
    """A table without its places on the page, and the part of the page's text that it takes up."""

    rows: int
    columns: int
    cells: list[HeadCell]
    span: tuple[int, int]


class Head(BaseModel):
    """What of a page goes into the result as a whole. Everything else is skipped without being built: a page has
    thousands of characters, and making objects of them costs more than all the rest."""

    text: str = ""
    tables: list[HeadTable] = []  # pages stored by older versions have none
    engine: str = ""
    models: dict[str, str] = {}
    warnings: list[str] = []
    warnings_zh: list[str] = []
    error: dict[str, Any] | None = None


_HEAD: TypeAdapter[Head] = TypeAdapter(Head)


class Summary(NamedTuple):
    """The parts of a result that stand beside its pages."""

    text: str
    engine: str
    models: dict[str, str]
    warnings: list[str]
    warnings_zh: list[str]


def summarise(packed: Mapping[int, bytes]) -> Summary:
    """One pass over all pages; holds one unpacked page at a time."""
    texts: list[str] = []
    said: list[tuple[str, str]] = []  # in English and in Chinese
    engines: dict[str, None] = {}
    models: dict[str, str] = {}
    for number, head in heads(packed):
        if head.text:
            texts.append(head.text)
        if head.engine:
            engines[head.engine] = None
        models |= head.models
        at, at_zh = (f"page {number}: ", f"第 {number} 页：") if len(packed) > 1 else ("", "")
        in_chinese = head.warnings_zh or head.warnings  # pages stored by older versions have none
        said += [(at + one, at_zh + other) for one, other in zip(head.warnings, in_chinese, strict=True)]
        if head.error is not None:
            why, why_zh = (str(head.error.get(key, "")) for key in ("detail", "detail_zh"))
            unread = notices.UNREAD.said(page=number)
            said.append((f"{unread}: {why}", f"{notices.chinese(unread)}：{why_zh}"))
    english, chinese = ([pair[i] for pair in said] for i in (0, 1))
    return Summary(PAGE_BREAK.join(texts), ",".join(engines), models, english, chinese)


def result_json(view: JobView, packed: Mapping[int, bytes]) -> Iterator[bytes]:
    """The result document in pieces."""
    summary = summarise(packed)
    yield _dump({"id": view.id, "status": view.status.value, "text": summary.text})[:-1] + b',"pages":['
    for index, (_, blob) in enumerate(sorted(packed.items())):
        yield (b"," if index else b"") + zlib.decompress(blob)
    rest = _dump(
        {
            "engine": summary.engine,
            "models": summary.models,
            "warnings": summary.warnings,
            "warnings_zh": summary.warnings_zh,
        }
    )
    yield b"]," + rest[1:]


def heads(packed: Mapping[int, bytes]) -> Iterator[tuple[int, Head]]:
    """Each page's number and summary, in order."""
    for number, blob in sorted(packed.items()):
        yield number, _HEAD.validate_json(zlib.decompress(blob))


def pages(packed: Mapping[int, bytes]) -> Iterator[dict[str, Any]]:
    """Each page as a dictionary, in order."""
    for _, blob in sorted(packed.items()):
        yield pydantic_core.from_json(zlib.decompress(blob))


def _dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
