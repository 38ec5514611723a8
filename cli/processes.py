"""What the kernel knows about processes, and how none is left behind. Linux only (/proc, prctl)."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

PR_SET_PDEATHSIG = 1
MARK = "OCRFLEET_FLEET"  # environment variable that every process of one `ocrfleet up` carries


def die_with(parent: int) -> Callable[[], None]:
    """For `preexec_fn`: the process is killed when the thread that started it ends, `kill -9` included."""
    libc = ctypes.CDLL(None, use_errno=True)

    def arrange() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it ended before the arrangement was made
            os.kill(os.getpid(), signal.SIGKILL)

    return arrange


def pids() -> Iterator[int]:
    """Every process that can be seen."""
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            yield int(entry)


def marked(mark: str) -> list[int]:
    """The processes whose environment carries `MARK=mark`, however they were started and whoever adopted them."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for pid in pids():
        with contextlib.suppress(OSError):
            if wanted in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0") and not is_zombie(pid):
                found.append(pid)
    return found


def is_zombie(pid: int) -> bool:
    """Whether a process has ended and only waits to be collected; True where it is gone altogether."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True
    return text.rpartition(")")[2].split()[0] in "ZX"


def in_group(group: int) -> list[int]:
    """The living processes of a process group."""
    found = []
    for pid in pids():
        with contextlib.suppress(OSError):
            if os.getpgid(pid) == group and not is_zombie(pid):
                found.append(pid)
    return found


def children(pid: int) -> list[int]:
    """The direct children of a process, those of all its threads."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(word) for word in task.read_text(encoding="ascii").split()]
    return found


def kill_group(group: int, number: int = signal.SIGKILL) -> None:
    """Send a signal to every process of a group; nothing happens where there is none."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def status(pid: int) -> dict[str, str]:
    """The fields of /proc/PID/status; empty where the process is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    return {key: value.strip() for key, _, value in (row.partition(":") for row in text.splitlines())}


def allowed_cores(pid: int) -> set[int]:
    """The cores a process may run on, by /proc/PID/status `Cpus_allowed_list`; empty where it is gone."""
    cores: set[int] = set()
    for part in filter(None, status(pid).get("Cpus_allowed_list", "").split(",")):
        first, _, last = part.partition("-")
        cores.update(range(int(first), int(last or first) + 1))
    return cores


def rss_bytes(pid: int) -> int:
    """The resident memory of a process in bytes; 0 where it is gone."""
    return int(status(pid).get("VmRSS", "0 kB").split()[0]) * 1024
