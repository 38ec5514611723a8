"""`python -m bench load`: open-loop load through HTTP, with a worker process killed in each phase.

First the engine alone, one reader a core and no queue, reads the same mix of documents: what the machine could do. Then
documents (three single pictures to one PDF of four pages) arrive at random times, at shares of that speed, whether or
not the earlier ones are done. Every accepted job must be answered. All times are the service's own (acceptance, end,
every attempt at a page), so that how often this program looks does not matter; it looks only once a phase is over.
"""

from __future__ import annotations

import argparse
import itertools
import os
import queue
import random
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

from bench import alone
from bench import fleet as fleets
from bench.cores import Account
from bench.drawn import MIX, MIX_PAGES, mixed
from bench.load_report import BOUND, at, report
from bench.plot import latency_plot
from bench.readers import MODELS, ROOT

SHARES = (0.5, 0.9, 1.5)
SENDERS = 24
PATIENCE_S = 300.0
ALONE_S = 20.0  # before the phases, and again after them: machines have moods
KILL_AT = 0.5  # of a phase


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a page: which process, from when to when (seconds since 1970), how it ended."""

    worker: str
    started: float
    ended: float
    outcome: str


@dataclass(slots=True)
class Phase:
    """One phase: what was sent, what became of it."""

    share: float
    seconds: float
    sent: int = 0
    refused: int = 0
    errors: int = 0
    jobs: list[str] = field(default_factory=list)
    ended: dict[str, dict[str, Any]] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    began: float = 0.0
    killed: float = 0.0
    cores: dict[str, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def latencies(self, pages: int = 0) -> list[float]:
        """Seconds from acceptance to end, of every job that was done (of so many pages, if said), sorted."""
        rows = [row for row in self.ended.values() if row["status"] == "done"]
        rows = [row for row in rows if pages in (0, row["progress"]["pages_total"])]
        return sorted(_seconds(row["finished_at"]) - _seconds(row["created_at"]) for row in rows)

    def speed(self) -> float:
        """Pages a second that were read within the phase."""
        end = self.began + self.seconds
        return sum(one.outcome == "done" and self.began <= one.ended <= end for one in self.attempts) / self.seconds

    def page_s(self) -> float:
        """Mean seconds from claim to handing in, of the pages read within the phase."""
        inside = [one for one in self._inside() if one.outcome == "done"]
        return sum(one.ended - one.started for one in inside) / max(1, len(inside))

    def between_s(self) -> float:
        """Mean seconds from one page's end to the next one's claim in the same process, as good as nothing to do aside."""
        rows = sorted(self._inside(), key=lambda one: (one.worker, one.started))
        gaps = [b.started - a.ended for a, b in itertools.pairwise(rows) if a.worker == b.worker]
        return sum(gaps) / max(1, len(gaps))

    def away_s(self) -> float:
        """Seconds from the kill to the first page of the process that took the killed one's place."""
        before = {one.worker for one in self.attempts if one.started < self.killed}
        fresh = [one.started for one in self.attempts if one.started >= self.killed and one.worker not in before]
        return min(fresh) - self.killed if fresh else float("nan")

    def _inside(self) -> list[Attempt]:
        return [one for one in self.attempts if self.began <= one.started and one.ended <= self.began + self.seconds]


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def run_phase(fleet: fleets.Fleet, share: float, rate: float, seconds: float, seed: int) -> Phase:
    """Send documents at random times for a while, kill a worker process in the middle, wait for every answer."""
    phase = Phase(share, seconds)
    dice = random.Random(seed)
    gap = MIX_PAGES / MIX / rate
    # Drawn before the clock runs: drawing pages is this program's work, not the fleet's.
    plan: list[tuple[float, bytes]] = []
    due = 0.0
    while due < seconds:
        plan.append((due, mixed(seed + len(plan))[0]))
        due += dice.expovariate(1 / gap)
    waiting: queue.Queue[bytes | None] = queue.Queue()
    senders = [threading.Thread(target=_send, args=(fleet, phase, waiting), daemon=True) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()

    def kill() -> None:
        pid = dice.choice(fleet.workers())
        phase.killed = time.time()
        os.kill(pid, signal.SIGKILL)

    account = Account(fleet.process.pid)
    account.start()
    killer = threading.Timer(KILL_AT * seconds, kill)
    killer.start()
    phase.began, start = time.time(), time.monotonic()
    for due, data in plan:
        time.sleep(max(0.0, start + due - time.monotonic()))
        waiting.put(data)
    time.sleep(max(0.0, start + seconds - time.monotonic()))
    phase.cores = account.stop()
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


def _send(fleet: fleets.Fleet, phase: Phase, waiting: queue.Queue[bytes | None]) -> None:
    session = requests.Session()
    while (data := waiting.get()) is not None:
        status, job = 0, ""
        try:
            answer = session.post(fleet.url + "/v1/jobs", files={"file": data}, timeout=60)
            status = answer.status_code
            job = answer.json()["id"] if status in (200, 202) else ""
        except requests.RequestException:
            pass
        with phase.lock:
            phase.sent += 1
            if job:
                phase.jobs.append(job)
            elif status == 429:
                phase.refused += 1
            else:
                phase.errors += 1


def _look(fleet: fleets.Fleet, phase: Phase) -> None:
    for job in [job for job in phase.jobs if job not in phase.ended]:
        row = fleet.get(f"/v1/jobs/{job}")
        if row["status"] in ("queued", "running"):
            continue
        phase.ended[job] = row
        for attempt in fleet.get(f"/v1/jobs/{job}/attempts")["attempts"]:
            started, ended = _seconds(attempt["started_at"]), _seconds(attempt["ended_at"])
            phase.attempts.append(Attempt(attempt["worker"], started, ended, attempt["outcome"]))


def main(arguments: Sequence[str]) -> int:
    """The command; exit status 0 if accepted equals answered."""
    parser = argparse.ArgumentParser(prog="python -m bench load", description=__doc__)
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--seconds", type=float, default=180.0, help="length of a phase")
    parser.add_argument("--shares", type=float, nargs="+", default=SHARES, help="of what the engine alone can do")
    parser.add_argument("--report", type=Path, default=ROOT / "bench" / "results" / "load.md")
    options = parser.parse_args(arguments)
    cores = sorted(os.sched_getaffinity(0))
    seconds = min(ALONE_S, options.seconds)
    one = alone.speeds(options.models, seconds, cores[:1])
    before = sum(alone.speeds(options.models, seconds, cores))
    print(
        f"engine alone: {one[0]:.2f} pages a second by itself, {before:.2f} on {len(cores)} cores at once", flush=True
    )
    bound = {"OCRFLEET_MAX_JOBS_IN_FLIGHT": str(BOUND), "OCRFLEET_CLIENT_SHARE": "1"}
    phases = []
    with fleets.running(options.models, bound) as fleet:
        for number, share in enumerate(options.shares):
            phase = run_phase(fleet, share, share * before, options.seconds, seed=1_000_000 * (number + 1))
            phases.append(phase)
            found = phase.latencies()
            print(
                f"{share:.0%}: sent {phase.sent}, accepted {len(phase.jobs)}, answered {len(phase.ended)}, "
                f"p50 {at(found, 0.5):.2f} s, p99 {at(found, 0.99):.2f} s, {phase.speed():.2f} pages a second",
                flush=True,
            )
    after = sum(alone.speeds(options.models, seconds, cores))
    one += alone.speeds(options.models, seconds, cores[-1:])
    print(f"engine alone, again: {one[1]:.2f} pages a second by itself, {after:.2f} on all cores at once", flush=True)
    text, held = report(one, [before, after], len(cores), phases)
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text(text, encoding="utf-8")
    plot = options.report.with_suffix(".svg")
    plot.write_text(latency_plot({f"{p.share:.0%} of capacity": p.latencies() for p in phases}), encoding="utf-8")
    print(text)
    return 0 if held else 1
