"""What `ocrfleet up` shows: progress while the fleet starts, and one screen when it is ready."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.ready import models_shown
from cli.words import pick


class Progress:
    """One changing line on a terminal; elsewhere one line a change."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._terminal = self._stream.isatty()
        self._text = ""
        self._since = time.monotonic()

    def show(self, text: str) -> None:
        """What is being waited for now."""
        if text != self._text:
            self._text, self._since = text, time.monotonic()
            if not self._terminal:
                self._put(f"{text} ...\n")
        if self._terminal:
            waited = time.monotonic() - self._since
            self._put(f"\r\033[K{text} ... {waited:.0f} s" if waited >= 1 else f"\r\033[K{text} ...")

    def line(self, text: str) -> None:
        """A line that stays."""
        self._put(("\r\033[K" if self._terminal and self._text else "") + text + "\n")
        if self._terminal:
            self._text = ""

    def clear(self) -> None:
        """Take the changing line away."""
        if self._terminal and self._text:
            self._put("\r\033[K")
        self._text = ""

    def _put(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


@dataclass(frozen=True, slots=True)
class Ready:
    """What the screen tells of a fleet that is ready."""

    url: str
    reachable: bool  # from other machines
    flower: str | None
    flower_user: str
    flower_password: str
    redis: str
    data: Path
    models: Path
    logs: Path
    slots: Sequence[Mapping[str, Any]]
    seconds: float


def rows(ready: Ready) -> list[tuple[str, str]]:
    """The addresses and folders, one a row."""
    here = pick("this machine only", "仅本机可访问")
    everywhere = pick("open to other machines", "其他机器可访问")
    found = [
        (pick("Page", "网页"), f"{ready.url}/   ({everywhere if ready.reachable else here})"),
        (pick("API", "接口"), f"{ready.url}/docs   {ready.url}/v1/jobs"),
    ]
    if ready.flower:
        who = pick("user {} password {}", "用户 {} 密码 {}").format(ready.flower_user, ready.flower_password)
        found.append(("Flower", f"{ready.flower}/   {who}"))
    found += [
        (pick("Queue", "队列"), ready.redis),
        (pick("Data", "数据"), str(ready.data)),
        (pick("Models", "模型"), str(ready.models)),
        (pick("Logs", "日志"), str(ready.logs)),
    ]
    return found


def slot_table(slots: Sequence[Mapping[str, Any]]) -> Table:
    """The worker processes: core, process, model, seconds to load and warm, memory."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    for title in (
        pick("Core", "核"),
        pick("Process", "进程"),
        pick("Model", "模型"),
        pick("Load + warm", "加载+预热"),
        pick("Memory", "内存"),
    ):
        table.add_column(title)
    for slot in sorted(slots, key=lambda slot: (slot.get("core") is None, slot.get("core") or 0)):
        core = slot.get("core")
        table.add_row(
            str(core) if core is not None else pick("not pinned", "未绑定"),
            str(slot.get("pid", "")),
            models_shown(str(slot.get("fingerprint") or slot.get("engine") or "")),
            warm_up(slot),
            f"{slot.get('rss_mib', '?')} MiB",
        )
    return table


def warm_up(slot: Mapping[str, Any]) -> str:
    """How long a slot's models took to load and to read their first line."""
    parts = [slot.get("load_ms"), slot.get("warm_ms")]
    return " + ".join(f"{float(part) / 1000:.1f} s" for part in parts if part is not None)


def show(ready: Ready, stream: TextIO | None = None) -> None:
    """Print the screen."""
    stream = stream or sys.stdout
    # Beyond a terminal nothing is wrapped: an address must stay one word.
    console = Console(file=stream, highlight=False, soft_wrap=True, width=None if stream.isatty() else 200)
    title = pick("ocrfleet is ready", "ocrfleet 已就绪")
    console.print()
    console.print(Text(f"{title}   ({ready.seconds:.1f} s)", style="bold green"))
    console.print()
    table = Table.grid(padding=(0, 3, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows(ready):
        table.add_row(name, value)
    console.print(table)
    console.print()
    console.print(slot_table(ready.slots))
    console.print()
    console.print(
        Text(pick("Ctrl-C stops it; a second Ctrl-C stops at once.", "Ctrl-C 停止；再按一次立即停止。"), style="dim")
    )
    stream.flush()


def both(english: str, chinese: str, stream: TextIO | None = None) -> None:
    """A sentence that a person has to act on, in both languages."""
    print(f"ocrfleet: {english}\n{'':10}{chinese}", file=stream or sys.stderr, flush=True)


def short(path: Path) -> str:
    """A path as a person would write it."""
    try:
        return str(path.relative_to(os.getcwd()))
    except ValueError:
        return str(path)
