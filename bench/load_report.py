"""The tables of `python -m bench load`."""

from __future__ import annotations

import statistics
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bench import machine
from bench.drawn import MIX_LINES, MIX_PDF_PAGES

if TYPE_CHECKING:
    from bench.load import Phase

BOUND = 60


def at(sorted_values: list[float], share: float) -> float:
    """A quantile by the nearest rank."""
    return (
        sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))] if sorted_values else float("nan")
    )


def report(one: list[float], around: list[float], cores: int, phases: list[Phase]) -> tuple[str, bool]:
    """The tables, and whether every accepted job was answered.

    `one`: pages a second of the engine alone on one core, `around`: on all cores at once; each before and after the phases.
    """
    held, single, together = True, cores * statistics.fmean(one), statistics.fmean(around)
    rows, kinds, inside = [], [], []
    for phase in phases:
        found = phase.latencies()
        bad = [row["status"] for row in phase.ended.values() if row["status"] != "done"]
        held = held and len(phase.ended) == len(phase.jobs) and not bad and not phase.errors
        rows.append(
            f"| {phase.share:.0%} | {phase.sent} | {len(phase.jobs)} | {len(phase.ended) - len(bad)} | "
            f"{phase.refused / max(1, phase.sent):.1%} | {phase.errors} | {at(found, 0.5):.2f} | {at(found, 0.95):.2f} | "
            f"{at(found, 0.99):.2f} | {statistics.fmean(found) if found else 0:.2f} | {phase.speed():.2f} |"
        )
        pictures, documents = phase.latencies(1), phase.latencies(MIX_PDF_PAGES)
        kinds.append(
            f"| {phase.share:.0%} | {at(pictures, 0.5):.2f} | {at(pictures, 0.95):.2f} | {at(documents, 0.5):.2f} | "
            f"{at(documents, 0.95):.2f} |"
        )
        inside.append(
            f"| {phase.share:.0%} | {phase.page_s() * 1000:.0f} | {phase.between_s() * 1000:.0f} | {phase.away_s():.1f} | "
            + ", ".join(f"{role} {share:.1%}" for role, share in phase.cores.items() if share >= 0.001)
            + " |"
        )
    best = max(phases, key=lambda phase: phase.speed())
    lines = [
        "# Load",
        "",
        f"Written by `python -m bench load` on {datetime.now(UTC):%Y-%m-%d}. {machine.describe()}.",
        "",
        f"Open loop: documents of {MIX_LINES} lines a page arrive at random times for {phases[0].seconds:.0f} s a phase, three",
        f"pictures to one PDF of {MIX_PDF_PAGES} scanned pages; gateway, queue, workers and this program share the cores. In",
        f"the middle of each phase one worker process is killed with SIGKILL. At most {BOUND} jobs are accepted at a time, so",
        "that the last phase meets the bound. Flower is off. Latency is in seconds from acceptance to the end of a job; a page counts for",
        "the speed where it was handed in within the phase.",
        "",
        "| share of capacity | sent | accepted | answered | 429 | errors | p50 | p95 | p99 | mean | pages a second |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
        *rows,
        "",
        f"Documents take turns page by page, so that beyond capacity one of {MIX_PDF_PAGES} pages waits for as many turns:",
        "",
        "| phase | a picture, p50 | p95 | a PDF, p50 | p95 |",
        "|---|---|---|---|---|",
        *kinds,
        "",
        "The engine alone opens and reads the same mix, one process held to a core, without gateway, queue or store:",
        "",
        "| engine alone | pages a second | the fleet's best phase over it |",
        "|---|---|---|",
        f"| {cores} processes at once, one a core: {around[0]:.2f} before and {around[1]:.2f} after | {together:.2f} | "
        f"**{best.speed() / together:.2f}** |",
        f"| one process by itself x {cores}: {cores * one[0]:.2f} before and {cores * one[-1]:.2f} after | {single:.2f} | "
        f"{best.speed() / single:.2f} |",
        "",
        "The first is the reference (capacity, in the table above): two processes at work share caches and memory, with",
        "and without a queue between them.",
        "",
        "Where the time went. A page: from claim to handing in, ms. Between: from there to the next claim of the same",
        "process, ms (below capacity it waits for work). Away: from the kill to the first page of the process that took the",
        "killed one's place, s. Then the shares of all cores' time.",
        "",
        "| phase | page | between | away | cores |",
        "|---|---|---|---|---|",
        *inside,
        "",
        f"Accepted = answered: **{'yes' if held else 'NO'}**.",
        "",
        "![latencies](load.svg)",
        "",
    ]
    return "\n".join(lines), held
