"""Which core each worker process is bound to, as the kernel says it; nothing of what the fleet says of itself is used.

Two bound to one core are *shared*. A process bound to none while a core has nobody bound to it is *loose*.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

PERIOD_S = 0.5
PROC = Path("/proc")
MARK = b"worker.app"


@dataclass(frozen=True, slots=True)
class Look:
    """One look: when (time.monotonic()), and process id -> the cores it may run on."""

    at: float
    processes: dict[int, frozenset[int]]

    def bound(self, cores: frozenset[int]) -> Counter[int]:
        """How many processes are bound to each core."""
        alone = [next(iter(mask)) for mask in self.processes.values() if len(mask) == 1 and len(cores) > 1]
        return Counter(alone)

    def shared(self, cores: frozenset[int]) -> int:
        """Cores that more than one process is bound to."""
        return sum(count > 1 for count in self.bound(cores).values())

    def loose(self, cores: frozenset[int]) -> bool:
        """Somebody is bound to no core though a core has nobody."""
        free = len(cores) - len(self.bound(cores))
        return free > 0 and any(len(mask) > 1 for mask in self.processes.values())


def worker_processes(containers: set[str], proc: Path = PROC) -> dict[int, frozenset[int]]:
    """The processes that read pages (children of a Celery parent) in these containers, with their cores."""
    parents: dict[int, int] = {}
    for entry in os.listdir(proc):
        if not entry.isdigit():
            continue
        with contextlib.suppress(OSError, ValueError, IndexError):
            if MARK not in (proc / entry / "cmdline").read_bytes().split(b"\0"):
                continue
            if not any(name in (proc / entry / "cgroup").read_text() for name in containers):
                continue
            parents[int(entry)] = int((proc / entry / "stat").read_text().rpartition(")")[2].split()[1])
    found = {}
    for pid, parent in parents.items():
        if parent in parents:
            with contextlib.suppress(OSError):
                found[pid] = frozenset(os.sched_getaffinity(pid))
    return found


@dataclass
class CoreWatch:
    """Looks again and again, in a thread of its own. `containers` tells the ids of the workers' containers."""

    containers: Callable[[], set[str]]
    cores: frozenset[int] = field(default_factory=lambda: frozenset(os.sched_getaffinity(0)))
    looks: list[Look] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cores", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._ended.set()
        self._thread.join()

    def look(self) -> Look:
        """One look, now."""
        return Look(time.monotonic(), worker_processes(self.containers()))

    def _run(self) -> None:
        while not self._ended.wait(PERIOD_S):
            self.looks.append(self.look())

    def span(self, since: float = 0.0, until: float = float("inf")) -> list[Look]:
        """The looks of a span of time."""
        return [look for look in self.looks if since <= look.at <= until]

    def most_shared(self, since: float = 0.0, until: float = float("inf")) -> int:
        """The most cores that were shared at any look."""
        return max((look.shared(self.cores) for look in self.span(since, until)), default=0)

    def longest_loose_s(self, since: float = 0.0, until: float = float("inf")) -> float:
        """The longest that a process went without a core of its own though one was free, in seconds."""
        longest, began = 0.0, None
        for look in self.span(since, until):
            if look.loose(self.cores):
                began = look.at if began is None else began
                longest = max(longest, look.at - began)
            else:
                began = None
        return longest
