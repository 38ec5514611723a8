"""What the fault tests share: a fleet to harm, heavy pages, an observer of every state a client sees, and the table."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from cli import valkey
from cli.client import OcrFleet
from cli.processes import die_with
from shared.settings import Settings
from tests.stack import Stack, free_ports, make_stack

RANK = {"queued": 0, "running": 1}
WAIT_S = 90.0
ROWS: list[tuple[str, str, str]] = []


def eventually(check: Callable[[], Any], patience_s: float = WAIT_S, what: str | Callable[[], str] = "") -> Any:
    """The first true answer; AssertionError when the time is over."""
    end = time.monotonic() + patience_s
    problem: object = None
    while time.monotonic() < end:
        try:
            if found := check():
                return found
            problem = None
        except (requests.RequestException, OSError, KeyError, RuntimeError) as error:
            problem = error
        time.sleep(0.05)
    what = what or check.__name__
    raise AssertionError(f"not within {patience_s} s: {what if isinstance(what, str) else what()} ({problem})")


class Observer:
    """Watches jobs as clients do, and holds that what they see never goes backwards."""

    def __init__(self, url: str) -> None:
        self.client = OcrFleet(url)
        self.url = url
        self.jobs: list[str] = []
        self.seen: dict[str, list[tuple[str, int]]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def submit(self, data: bytes, **options: str) -> str:
        """Upload; the job's id."""
        job = str(self.client.submit(data, name="fault.bin", **options)["id"])
        self.jobs.append(job)
        return job

    def _watch(self) -> None:
        session = requests.Session()
        while not self._stop.wait(0.1):
            for job in list(self.jobs):
                with contextlib.suppress(requests.RequestException, ValueError, KeyError):
                    row = session.get(f"{self.url}/v1/jobs/{job}", timeout=5).json()
                    step = (row["status"], row["progress"]["pages_done"])
                    if self.seen.setdefault(job, [step])[-1] != step:
                        self.seen[job].append(step)

    def get(self, path: str) -> Any:
        """JSON of a GET; raises on an error status."""
        response = requests.get(self.url + path, timeout=10)
        response.raise_for_status()
        return response.json()

    def status(self, job: str) -> str:
        """A job's status now."""
        return str(self.get(f"/v1/jobs/{job}")["status"])

    def attempts(self, job: str) -> list[dict[str, Any]]:
        """Every attempt at a job's pages."""
        return list(self.get(f"/v1/jobs/{job}/attempts")["attempts"])

    def running(self, job: str, page: int | None = None, least: int = 1) -> dict[str, Any]:
        """Wait for an attempt of at least that number that is under way; gives it."""
        return eventually(
            lambda: next(
                (
                    row
                    for row in self.attempts(job)
                    if row["outcome"] is None and page in (None, row["page"]) and row["attempt"] >= least
                ),
                {},
            ),
            what=lambda: f"a running attempt of {job}, but {self.attempts(job)}",
        )

    def ended(self, job: str, patience_s: float = WAIT_S) -> dict[str, Any]:
        """Wait for a job's end; gives the job."""

        def look() -> dict[str, Any]:
            row: dict[str, Any] = self.get(f"/v1/jobs/{job}")
            return {} if row["status"] in RANK else row

        return eventually(look, patience_s, f"the end of job {job}")

    def all_ended(self, patience_s: float = WAIT_S) -> None:
        """Every job submitted here is done, and read into its result once."""
        for job in self.jobs:
            row = self.ended(job, patience_s)
            assert row["status"] == "done", row
            done = [attempt["page"] for attempt in self.attempts(job) if attempt["outcome"] == "done"]
            assert len(done) == len(set(done)) == row["progress"]["pages_total"], self.attempts(job)

    def close(self) -> None:
        """Stop watching; fails if anything went backwards."""
        self._stop.set()
        self._thread.join()
        for job, steps in self.seen.items():
            ranks = [(RANK.get(status, 2), pages) for status, pages in steps]
            assert ranks == sorted(ranks), f"job {job} went backwards: {steps}"


def slot_pid(attempt: dict[str, Any]) -> int:
    """The process of an attempt: the last part of its worker's name."""
    return int(str(attempt["worker"]).rpartition(":")[2])


class OwnValkey:
    """A Valkey of the test's own, to be stopped, frozen and killed."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = free_ports(1)[0]
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.start()

    def start(self) -> None:
        """Start it (again) on the same port and files, and wait until it answers."""
        server = valkey.prepare(Settings(redis_port=self.port, data=self.data), self.data)
        assert server.port == self.port
        with (self.data / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                server.command, stdout=log, stderr=log, preexec_fn=die_with(os.getpid()), pass_fds=(server.lock,)
            )
        os.close(server.lock)
        self.url = server.url
        eventually(lambda: valkey.probe(server.url) is None, 30, "Valkey answers")

    def signal(self, number: int) -> None:
        """Send it a signal; waits for its end where the signal ends it."""
        assert self.process is not None
        self.process.send_signal(number)
        if number in (signal.SIGTERM, signal.SIGKILL):
            self.process.wait(30)


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[OwnValkey]:
    """A Valkey to harm."""
    folder = tmp_path / "queue"
    folder.mkdir()
    server = OwnValkey(folder)
    yield server
    with contextlib.suppress(ProcessLookupError):
        server.signal(signal.SIGCONT)
        server.signal(signal.SIGKILL)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Callable[..., Stack]]:
    """A maker of fleets to harm, started; one worker process unless told otherwise."""
    made: list[Stack] = []

    def make(**fields: str) -> Stack:
        stack = make_stack(tmp_path / f"fleet{len(made)}", **{"worker_cores": "1", "flower_port": "0", **fields})
        made.append(stack)
        stack.start()
        return stack

    yield make
    for stack in made:
        stack.kill_everything()


@pytest.fixture
def observe() -> Iterator[Callable[[Stack], Observer]]:
    """A maker of observers; at the end each holds its promise."""
    made: list[Observer] = []

    def make(stack: Stack) -> Observer:
        made.append(Observer(stack.url))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def recovered(request: pytest.FixtureRequest) -> Callable[[str, float], None]:
    """Puts a row into the table: what was done, and how many seconds the fleet needed."""

    def put(fault: str, seconds: float) -> None:
        ROWS.append((fault, "held", f"{seconds:.1f}"))

    return put


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table."""
    if ROWS:
        failed = [
            ("(" + report.nodeid.rpartition("::")[2] + ")", "FAILED", "")
            for report in terminalreporter.stats.get("failed", [])
        ]
        width = max(len(row[0]) for row in ROWS + failed)
        terminalreporter.section("faults")
        terminalreporter.write_line(f"{'fault'.ljust(width)}  result  seconds to recover")
        for fault, result, seconds in ROWS + failed:
            terminalreporter.write_line(f"{fault.ljust(width)}  {result:6}  {seconds:>6}")
