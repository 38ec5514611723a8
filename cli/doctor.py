"""`ocrfleet doctor`: looks at machine, installation, queue, server and workers, and says what to do about what is wrong."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli import check_fleet, check_machine
from cli.findings import BAD, NOTE, OK, WARN, Finding
from cli.ready import models_shown, store_at
from cli.words import LANGUAGES, language, pick
from shared.errors import OcrFleetError
from shared.settings import Settings, get_settings

STYLES = {OK: "green", NOTE: "dim", WARN: "yellow", BAD: "bold red"}
NAMES_ZH = {OK: "正常", NOTE: "提示", WARN: "注意", BAD: "问题"}


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("--server", metavar="URL", help=pick("look at this server too", "同时检查该服务"))
    parser.add_argument(
        "--fleet",
        action="store_true",
        help=pick("a table of every worker process of every host", "列出所有主机的识别进程"),
    )
    parser.add_argument("--lang", choices=LANGUAGES, default=language(), help="en, zh")
    parser.add_argument("--json", action="store_true", help=pick("for programs", "输出 JSON"))


def run(options: argparse.Namespace) -> int:
    """Print what was found; 1 where something is bad."""
    settings = get_settings()
    url = check_fleet.queue_url(settings)
    slots, fleet = look_at_fleet(settings, url)
    findings = list(look(settings, url, slots, options.server))
    if options.json:
        print(
            json.dumps({"findings": [row.to_json() for row in findings], "slots": slots, **fleet}, ensure_ascii=False)
        )
    else:
        # Where it is no terminal, rows are not cut to the width of one.
        console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 240)
        show(console, findings, options.lang)
        if options.fleet:
            show_fleet(console, slots, fleet, options.lang)
    return 1 if any(row.level == BAD for row in findings) else 0


def look(settings: Settings, url: str, slots: list[dict[str, Any]], server: str | None) -> Iterator[Finding]:
    """Every check, one after another; one that breaks is a finding too."""
    expected = bool(check_fleet.running_here(settings))
    checks: list[Callable[[], Iterable[Finding]]] = [
        check_machine.check_python,
        check_machine.check_packages,
        lambda: check_machine.check_processor(settings),
        lambda: check_machine.check_disk(settings),
        check_machine.check_limits,
        lambda: check_machine.check_models(settings),
        check_machine.check_docker,
        lambda: check_fleet.check_ports(settings),
        lambda: check_fleet.check_queue(settings, url),
        lambda: check_fleet.check_server(settings, server),
        lambda: check_fleet.check_slots(slots, expected=expected),
    ]
    for check in checks:
        try:
            yield from check()
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            yield Finding(WARN, "doctor", f"a check could not be made: {text}", f"某项检查未能完成：{text}")


def look_at_fleet(settings: Settings, url: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Every live worker process of every host, the work that waits, and the totals; nothing where the store is away."""
    if not url:
        return [], {}
    store = store_at(settings, url)
    try:
        slots, capacity, counters = store.slots(), store.capacity(), store.counters()
    except OcrFleetError:
        return [], {}
    slots.sort(key=lambda slot: (str(slot.get("hostname")), slot.get("core") is None, slot.get("core") or 0))
    return slots, {
        "waiting": {"interactive": capacity.waiting_interactive, "bulk": capacity.waiting_bulk},
        "running": capacity.running,
        "page_ms": capacity.page_ms,
        "counters": counters,
    }


def show(console: Console, findings: list[Finding], lang: str) -> None:
    """The findings, worst marked, with what to do under each."""
    for row in findings:
        name = pick(row.level, NAMES_ZH[row.level], lang)
        console.print(Text.assemble((f"{name:>4}  ", STYLES[row.level]), (f"{row.about:10}", "dim"), row.said(lang)))
        if row.advice:
            console.print(Text.assemble(" " * 16, ("-> ", "dim"), row.advised(lang)))
    bad, warned = (sum(row.level == level for row in findings) for level in (BAD, WARN))
    if bad or warned:
        console.print(pick(f"\n{bad} bad, {warned} to look at", f"\n{bad} 个问题，{warned} 项需注意", lang))
    else:
        console.print(pick("\nall is well", "\n一切正常", lang))


def show_fleet(console: Console, slots: list[dict[str, Any]], fleet: dict[str, Any], lang: str) -> None:
    """The fleet as a table: one row a worker process."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    heads = (
        ("host", "主机"),
        ("container", "容器"),
        ("process", "进程"),
        ("core", "核"),
        ("state", "状态"),
        ("pages", "页数"),
        ("memory", "内存"),
        ("models", "模型"),
    )
    for english, chinese in heads:
        table.add_column(pick(english, chinese, lang), no_wrap=True)
    for slot in slots:
        cells = [slot.get(name) for name in ("hostname", "container", "pid", "core", "state", "pages")]
        shown = ["-" if cell in (None, "") else str(cell) for cell in cells]
        table.add_row(
            *shown,
            f"{slot.get('rss_mib', '?')} MiB",
            models_shown(str(slot.get("fingerprint") or slot.get("engine", ""))),
        )
    console.print()
    console.print(table)
    if fleet:
        waiting = fleet["waiting"]
        console.print(
            pick(
                f"\n{waiting['interactive']} interactive and {waiting['bulk']} bulk page(s) wait, {fleet['running']} in work, "
                f"{fleet['page_ms']:.0f} ms a page",
                f"\n等待 {waiting['interactive']} 页（普通）、{waiting['bulk']} 页（批量），处理中 {fleet['running']} 页，"
                f"平均每页 {fleet['page_ms']:.0f} 毫秒",
                lang,
            )
        )
        console.print("  ".join(f"{name} {count}" for name, count in sorted(fleet["counters"].items())), style="dim")
