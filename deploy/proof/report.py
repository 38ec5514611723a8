"""What was found, as it is found: lines for a person, at the end one table, and whether all of it held."""

from __future__ import annotations

import os
import platform
import re
import time
from dataclasses import dataclass, field
from pathlib import Path

BEGIN, END = "<!-- deploy/prove: begin -->", "<!-- deploy/prove: end -->"


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found.group(1) if found else platform.processor() or platform.machine()


@dataclass
class Report:
    """`fact` notes a figure, `holds` a figure with what it must be."""

    rows: list[tuple[str, str, str]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        """A line of progress."""
        print(f"[{time.monotonic() - self.started:6.1f} s] {text}", flush=True)

    def fact(self, what: str, figure: str, wanted: str = "") -> None:
        """Note a figure."""
        self.rows.append((what, figure, wanted))
        self.say(f"{what}: {figure}{f'   (wanted: {wanted})' if wanted else ''}")

    def holds(self, what: str, figure: str, wanted: str, held: bool) -> None:
        """Note a figure that must be so."""
        self.fact(what, figure if held else f"**{figure}**", wanted)
        if not held:
            self.broken.append(f"{what}: {figure}, wanted {wanted}")

    def table(self) -> str:
        """The figures as Markdown."""
        return "\n".join(
            ["| what | found | wanted |", "|---|---|---|", *(f"| {a} | {b} | {c} |" for a, b, c in self.rows)]
        )

    def conditions(self, engine: str) -> str:
        """On what and when it was measured."""
        cores = len(os.sched_getaffinity(0))
        return (
            f"{time.strftime('%Y-%m-%d', time.gmtime())}, {cores} cores ({_processor()}), {_memory_gib():.0f} GiB, "
            f"{engine}; `deploy/prove` took {(time.monotonic() - self.started) / 60:.0f} minutes. "
            "Clients, gateway, queue and engine ran on the same cores as the workers."
        )

    def write(self, file: Path, engine: str) -> None:
        """Put the table into a Markdown file, in the place of an earlier one or at the end."""
        section = (
            f"{BEGIN}\n## Horizontal scaling with docker compose\n\n{self.conditions(engine)}\n\n{self.table()}\n{END}"
        )
        old = file.read_text(encoding="utf-8") if file.exists() else "# Measurements\n"
        pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
        new = pattern.sub(lambda _: section, old) if pattern.search(old) else f"{old.rstrip()}\n\n{section}\n"
        file.write_text(new, encoding="utf-8")
