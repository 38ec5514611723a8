"""This machine as the program may use it: cores and their quota, memory, processor features. Linux only."""

from __future__ import annotations

import os
import socket
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def own_cgroups(root: Path = CGROUP) -> list[Path]:
    """The folders whose limits hold for this process, the nearest first."""
    for line in _text(Path("/proc/self/cgroup")).splitlines():
        number, _, path = line.split(":", 2)
        if number == "0":
            nearest = root / path.lstrip("/")
            return [nearest, *(folder for folder in nearest.parents if root in (folder, *folder.parents))]
    return [root]


def usable_cores() -> list[int]:
    """The cores this process may run on."""
    return sorted(os.sched_getaffinity(0))


def cpu_quota() -> float | None:
    """The cgroup's limit in cores (v2 `cpu.max`, v1 `cfs_quota_us`), the smallest on the way up; None without one."""
    found: list[float] = []
    for folder in own_cgroups():
        words = _text(folder / "cpu.max").split()
        if len(words) == 2 and words[0] != "max":
            found.append(int(words[0]) / int(words[1]))
    quota, period = (_text(CGROUP / "cpu" / f"cpu.cfs_{name}_us") for name in ("quota", "period"))
    if quota.isdigit() and period.isdigit() and int(quota) > 0:
        found.append(int(quota) / int(period))
    return min(found, default=None)


def expected_slots(worker_cores: int) -> int:
    """How many worker processes there will be: as many as asked for, or for 0 one a usable core within the quota."""
    quota = cpu_quota()
    cores = len(usable_cores())
    return worker_cores or max(1, cores if quota is None else min(cores, int(quota + 0.01)))


def memory_bytes() -> tuple[int, int]:
    """Total and available memory in bytes, the cgroup's limit taken into account."""
    rows = dict(row.split(":", 1) for row in _text(Path("/proc/meminfo")).splitlines() if ":" in row)
    total, available = (int(rows[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
    places = [(folder / "memory.max", folder / "memory.current") for folder in own_cgroups()]
    places.append((CGROUP / "memory/memory.limit_in_bytes", CGROUP / "memory/memory.usage_in_bytes"))
    for limit_file, used_file in places:
        limit, used = _text(limit_file), _text(used_file)
        if limit.isdigit() and used.isdigit() and int(limit) < total:
            total = int(limit)
            available = min(available, int(limit) - int(used))
    return total, max(0, available)


def processor() -> tuple[str, set[str]]:
    """The processor's name and features (`flags` on x86, `Features` on ARM)."""
    name, flags = os.uname().machine, set[str]()
    for line in _text(Path("/proc/cpuinfo")).splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name" and value.strip():
            name = value.strip()
        if key.strip() in ("flags", "Features"):
            flags = set(value.split())
            break
    return name, flags


def listening(host: str, port: int, timeout_s: float = 0.5) -> bool:
    """Whether something accepts connections there."""
    try:
        with socket.create_connection((host, port), timeout=timeout_s):
            return True
    except OSError:
        return False


def can_bind(host: str, port: int) -> OSError | None:
    """None where the port can be listened on, else why not. Ports in TIME_WAIT count as free, as they do for servers."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        return error
    return None
