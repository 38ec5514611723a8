"""`python -m bench load`: open-loop load through HTTP, with a worker process killed in each phase.

First the engine alone, in one process a core and without a queue, reads the same pages: what the machine could do. Then
documents (three single pictures to one PDF of four pages) arrive at random times, at shares of that speed, whether or
not the earlier ones are done. Every accepted job must be answered. Latencies are from the gateway's own times of
acceptance and end, so that how often this program looks does not matter.
"""

from __future__ import annotations

import argparse
import io
import os
import queue
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from PIL import Image, ImageDraw, ImageFont

from bench import fleet as fleets
from bench import machine
from bench.plot import latency_plot
from bench.readers import ROOT

SHARES = (0.5, 0.9, 1.5)
PDF_PAGES = 4
PDF_EVERY = 4
PAGES_A_DOCUMENT = (PDF_EVERY - 1 + PDF_PAGES) / PDF_EVERY
LINES = 18
SENDERS = 24
BOUND = 60
PATIENCE_S = 300.0
WORDS = [
    "invoice",
    "total",
    "amount",
    "due",
    "paper",
    "green",
    "river",
    "stone",
    "cloud",
    "seven",
    "north",
    "light",
    "metal",
    "house",
    "sugar",
    "receipt",
]


def picture(seed: int) -> Image.Image:
    """A page of LINES lines, different for each seed, so that no cache knows it."""
    dice = random.Random(seed)
    image = Image.new("L", (900, 60 + 44 * LINES), 255)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=28)
    for row in range(LINES):
        draw.text((30, 20 + 44 * row), f"{seed} " + " ".join(dice.choice(WORDS) for _ in range(6)), fill=20, font=font)
    return image


def document(seed: int) -> tuple[bytes, int]:
    """A document and how many pages it has."""
    sink = io.BytesIO()
    if seed % PDF_EVERY:
        picture(seed * 10).save(sink, "JPEG", quality=85)
        return sink.getvalue(), 1
    first, *others = [picture(seed * 10 + page) for page in range(PDF_PAGES)]
    first.save(sink, "PDF", save_all=True, append_images=others)
    return sink.getvalue(), PDF_PAGES


@dataclass(slots=True)
class Phase:
    """One phase: what was sent, what became of it."""

    share: float
    seconds: float
    sent: int = 0
    refused: int = 0
    errors: int = 0
    jobs: dict[str, int] = field(default_factory=dict)
    ended: dict[str, dict[str, Any]] = field(default_factory=dict)
    started: float = 0.0
    pages_in_time: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def latencies(self) -> list[float]:
        """Seconds from acceptance to end, of every job that was done."""
        return sorted(
            (_seconds(row["finished_at"]) - _seconds(row["created_at"]))
            for row in self.ended.values()
            if row["status"] == "done"
        )


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def engine_alone(models: Path, seconds: float) -> float:
    """Pages a second of one reader process a core, all at once, each held to its core, without gateway or queue."""
    code = (
        "import os, sys, time; core, seconds, models = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]\n"
        "os.sched_setaffinity(0, {core}); os.environ['OMP_NUM_THREADS'] = '1'\n"
        "import cv2; cv2.setNumThreads(0)\n"
        "import numpy; from pathlib import Path; from bench.load import document\n"
        "from worker.documents import open_document; from worker.reading.page import Reader\n"
        "from shared.records import ReadOptions\n"
        "reader = Reader(Path(models), 'auto'); reader.warm()\n"
        "files = [document(900000 + core * 1000 + n)[0] for n in range(1, 8) if n % 4]\n"
        "def read(data):\n"
        "    page = open_document(data, 'jpeg', max_pixels=10**8, dpi=200).page(1)\n"
        "    reader.read(page.image, ReadOptions())\n"
        "for data in files[:3]: read(data)\n"
        "print('warm', flush=True); sys.stdin.readline(); started = time.perf_counter(); count = 0\n"
        "while time.perf_counter() - started < seconds: read(files[count % len(files)]); count += 1\n"
        "print(count / (time.perf_counter() - started), flush=True)\n"
    )
    crew = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(core), str(seconds), str(models)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for core in sorted(os.sched_getaffinity(0))
    ]
    for one in crew:
        assert one.stdout is not None
        assert one.stdout.readline().strip() == "warm"
    for one in crew:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    return sum(float(one.communicate()[0].strip()) for one in crew)


def run_phase(fleet: fleets.Fleet, share: float, rate: float, seconds: float, seed: int) -> Phase:
    """Send documents at random times for a while, kill a worker process in the middle, wait for every answer."""
    phase = Phase(share, seconds)
    waiting: queue.Queue[tuple[bytes, int] | None] = queue.Queue()
    senders = [threading.Thread(target=_send, args=(fleet, phase, waiting), daemon=True) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    dice = random.Random(seed)
    gap = PAGES_A_DOCUMENT / rate
    # Drawn before the clock runs: drawing pages is this program's work, not the fleet's.
    plan: list[tuple[float, tuple[bytes, int]]] = []
    at = 0.0
    while at < seconds:
        plan.append((at, document(seed + len(plan))))
        at += dice.expovariate(1 / gap)
    killer = threading.Timer(seconds / 2, lambda: os.kill(dice.choice(fleet.workers()), signal.SIGKILL))
    killer.start()
    phase.started = time.monotonic()
    for due, item in plan:
        time.sleep(max(0.0, phase.started + due - time.monotonic()))
        waiting.put(item)
    before = _pages_done(fleet, phase)
    phase.pages_in_time = before
    for _ in senders:
        waiting.put(None)
    for sender in senders:
        sender.join()
    end = time.monotonic() + PATIENCE_S
    while len(phase.ended) < len(phase.jobs) and time.monotonic() < end:
        _look(fleet, phase)
        time.sleep(0.5)
    killer.cancel()
    return phase


def _send(fleet: fleets.Fleet, phase: Phase, waiting: queue.Queue[tuple[bytes, int] | None]) -> None:
    session = requests.Session()
    while (item := waiting.get()) is not None:
        data, pages = item
        try:
            answer = session.post(fleet.url + "/v1/jobs", files={"file": data}, timeout=60)
            with phase.lock:
                phase.sent += 1
                if answer.status_code in (200, 202):
                    phase.jobs[answer.json()["id"]] = pages
                elif answer.status_code == 429:
                    phase.refused += 1
                else:
                    phase.errors += 1
        except requests.RequestException:
            with phase.lock:
                phase.sent += 1
                phase.errors += 1


def _look(fleet: fleets.Fleet, phase: Phase) -> None:
    for job in [job for job in list(phase.jobs) if job not in phase.ended]:
        row = fleet.get(f"/v1/jobs/{job}")
        if row["status"] not in ("queued", "running"):
            phase.ended[job] = row


def _pages_done(fleet: fleets.Fleet, phase: Phase) -> int:
    done = 0
    for job in list(phase.jobs):
        row = fleet.get(f"/v1/jobs/{job}")
        done += row["progress"]["pages_done"]
    return done


def at(sorted_values: list[float], share: float) -> float:
    """A quantile by the nearest rank."""
    return (
        sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))] if sorted_values else float("nan")
    )


def main(arguments: Sequence[str]) -> int:
    """The command; exit status 0 if accepted equals answered and the speed was reached."""
    parser = argparse.ArgumentParser(prog="python -m bench load", description=__doc__)
    parser.add_argument("--models", type=Path, default=ROOT / "models")
    parser.add_argument("--seconds", type=float, default=180.0, help="length of a phase")
    parser.add_argument("--report", type=Path, default=ROOT / "bench" / "results" / "load.md")
    options = parser.parse_args(arguments)
    alone = engine_alone(options.models, min(30.0, options.seconds))
    print(f"engine alone, one process a core: {alone:.2f} pages a second", flush=True)
    bound = {"OCRFLEET_MAX_JOBS_IN_FLIGHT": str(BOUND), "OCRFLEET_CLIENT_SHARE": "1"}
    phases = []
    with fleets.running(options.models, bound) as fleet:
        for number, share in enumerate(SHARES):
            phase = run_phase(fleet, share, share * alone, options.seconds, seed=1_000_000 * (number + 1))
            phases.append(phase)
            found = phase.latencies()
            print(
                f"{share:.0%}: sent {phase.sent}, accepted {len(phase.jobs)}, answered {len(phase.ended)}, "
                f"p50 {at(found, 0.5):.2f} s, p99 {at(found, 0.99):.2f} s",
                flush=True,
            )
    text, held = report(alone, phases)
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text(text, encoding="utf-8")
    plot = options.report.with_suffix(".svg")
    plot.write_text(latency_plot({f"{p.share:.0%} of capacity": p.latencies() for p in phases}), encoding="utf-8")
    print(text)
    return 0 if held else 1


def report(alone: float, phases: list[Phase]) -> tuple[str, bool]:
    """The tables, and whether everything held."""
    rows, held, best = [], True, 0.0
    for phase in phases:
        found = phase.latencies()
        bad = [row["status"] for row in phase.ended.values() if row["status"] != "done"]
        speed = phase.pages_in_time / phase.seconds
        best = max(best, speed)
        held = held and len(phase.ended) == len(phase.jobs) and not bad and not phase.errors
        rows.append(
            f"| {phase.share:.0%} | {phase.sent} | {len(phase.jobs)} | {len(phase.ended) - len(bad)} | "
            f"{phase.refused / max(1, phase.sent):.1%} | {phase.errors} | {at(found, 0.5):.2f} | {at(found, 0.95):.2f} | "
            f"{at(found, 0.99):.2f} | {statistics.fmean(found) if found else 0:.2f} | {speed:.2f} |"
        )
    lines = [
        "# Load",
        "",
        f"Written by `python -m bench load` on {datetime.now(UTC):%Y-%m-%d}. {machine.describe()}.",
        "",
        f"Open loop: documents of {LINES} lines a page arrive at random times for {phases[0].seconds:.0f} s a phase, three",
        f"pictures to one PDF of {PDF_PAGES} pages; gateway, queue, workers and this program share the machine. In the",
        f"middle of each phase one worker process is killed with SIGKILL. At most {BOUND} jobs are accepted at a time, so",
        "that the last phase meets the bound. Seconds from acceptance to the end of a job.",
        "",
        "| share of capacity | sent | accepted | answered | 429 | errors | p50 | p95 | p99 | mean | pages a second |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
        *rows,
        "",
        f"Engine alone, one process a core, no gateway, no queue: {alone:.2f} pages a second. Best phase: {best:.2f}, "
        f"ratio **{best / alone:.2f}**.",
        "",
        f"Accepted = answered: **{'yes' if held else 'NO'}**.",
        "",
        "![latencies](load.svg)",
        "",
    ]
    return "\n".join(lines), held
