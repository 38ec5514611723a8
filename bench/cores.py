"""Where the cores' time went while a fleet worked: processor seconds by role, from /proc."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

from cli.processes import children

ROLES = (("valkey-server", "queue"), ("gunicorn", "gateway"), ("flower", "flower"), ("celery", "worker's parent"))
READING, SUPERVISOR, THIS, OTHERS, IDLE = "reading processes", "supervisor", "this program", "others", "idle"
LOOK_S = 1.0  # what a process used after the last look before its death is counted as idle or of others
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
Key = tuple[int, int]


class Account(threading.Thread):
    """From `start` to `stop`: adds up, once a second, what every process of a fleet and this one have used."""

    def __init__(self, fleet: int) -> None:
        super().__init__(name="account", daemon=True)
        self._fleet = fleet
        self._used: dict[Key, float] = {}
        self._role: dict[Key, str] = {}
        self._before: dict[Key, float] = {}
        self._end = threading.Event()
        self._machine = machine()
        self._look(first=True)

    def run(self) -> None:
        """The thread's loop."""
        while not self._end.wait(LOOK_S):
            self._look()

    def stop(self) -> dict[str, float]:
        """Shares of all cores' time by role, 0 to 1; they add up to 1 but for rounding."""
        self._end.set()
        self.join()
        self._look()
        busy, idle = (now - then for now, then in zip(machine(), self._machine, strict=True))
        whole = max(busy + idle, TICK_S)
        seconds: dict[str, float] = {}
        for key, used in self._used.items():
            role = self._role[key]
            seconds[role] = seconds.get(role, 0.0) + used - self._before.get(key, 0.0)
        seconds[OTHERS] = max(0.0, busy - sum(seconds.values()))
        seconds[IDLE] = idle
        return {role: used / whole for role, used in sorted(seconds.items(), key=lambda row: -row[1])}

    def _look(self, first: bool = False) -> None:
        self._note(os.getpid(), THIS, first)
        self._note(self._fleet, SUPERVISOR, first)
        for service in children(self._fleet):
            role = role_of(service)
            self._note(service, role, first)
            for child in children(service):
                self._note(child, READING if role == "worker's parent" else role, first)

    def _note(self, pid: int, role: str, first: bool) -> None:
        with contextlib.suppress(OSError, IndexError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            key = pid, int(fields[19])
            self._used[key] = (int(fields[11]) + int(fields[12])) * TICK_S
            self._role.setdefault(key, role)
            if first:
                self._before[key] = self._used[key]


def role_of(pid: int) -> str:
    """What a service of `ocrfleet up` is, by its command line."""
    with contextlib.suppress(OSError):
        line = Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
        return next((role for word, role in ROLES if word in line), SUPERVISOR)
    return SUPERVISOR


def machine() -> tuple[float, float]:
    """Seconds all cores together were busy and idle since the machine started."""
    user, nice, system, idle, iowait, irq, softirq, steal, *_ = (
        int(word) * TICK_S for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    )
    return user + nice + system + irq + softirq + steal, idle + iowait
