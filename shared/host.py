"""What of this host a process may use: its cores and memory, as the affinity mask and the cgroups (v2 and v1) allow."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path("/")


def usable_cores(root: Path = ROOT) -> tuple[int, ...]:
    """The cores of the affinity mask; one thread of every physical core first, their second threads after."""
    allowed = sorted(os.sched_getaffinity(0))
    return tuple(sorted(allowed, key=lambda core: (_thread_of_core(core, root), core)))


def _thread_of_core(core: int, root: Path) -> int:
    """0 for the first hardware thread of a physical core, 1 for the second; 0 where the kernel does not say."""
    path = root / f"sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list"
    siblings = _core_list(text_of(path))
    return siblings.index(core) if core in siblings else 0


def _core_list(text: str) -> list[int]:
    """`0-2,8` as [0, 1, 2, 8]."""
    cores: list[int] = []
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        cores += range(int(first), int(last or first) + 1)
    return cores


def cpu_quota(root: Path = ROOT) -> float | None:
    """The tightest CPU quota of this process's cgroups, in cores; None without one."""
    quotas = [_quota_v2(folder) for folder in cgroup_v2(root)]
    quotas += [_quota_v1(folder) for folder in cgroup_v1("cpu", ("cpu", "cpu,cpuacct"), root)]
    return min((quota for quota in quotas if quota is not None), default=None)


def cgroup_v2(root: Path = ROOT) -> list[Path]:
    """The folders of version 2 whose limits hold for this process, the outermost first."""
    for hierarchy, controllers, path in _cgroups(root):
        if hierarchy == "0" and not controllers:
            return _upwards(root / "sys/fs/cgroup", path)
    return []


def cgroup_v1(controller: str, mounts: tuple[str, ...], root: Path = ROOT) -> list[Path]:
    """The folders of version 1 whose limits on `controller` hold for this process; `mounts`: where it may be mounted."""
    folders: list[Path] = []
    for _, controllers, path in _cgroups(root):
        if controller in controllers.split(","):
            for mount in dict.fromkeys((controllers, *mounts)):
                folders += _upwards(root / "sys/fs/cgroup" / mount, path)
    return folders


def _cgroups(root: Path) -> list[tuple[str, str, str]]:
    """Hierarchy, controllers and path of each of this process's cgroups."""
    rows = [line.split(":", 2) for line in text_of(root / "proc/self/cgroup").splitlines()]
    return [(row[0], row[1], row[2]) for row in rows if len(row) == 3]


def _upwards(mount: Path, path: str) -> list[Path]:
    """A cgroup's folder and those above it. Inside a container the path may not exist: then the mount is the cgroup."""
    folders, here = [mount], mount
    for part in Path(path.lstrip("/")).parts:
        if part != "..":
            here = here / part
            folders.append(here)
    return folders


def _quota_v2(folder: Path) -> float | None:
    quota, _, period = text_of(folder / "cpu.max").strip().partition(" ")
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() and int(period) else None


def _quota_v1(folder: Path) -> float | None:
    quota, period = (text_of(folder / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period"))
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() and int(period) else None


def process_count(wanted: int, root: Path = ROOT) -> int:
    """How many worker processes to start: as many as `wanted`, or for 0 one a usable core within the CPU quota.

    A quota is rounded down (1.5 cores hold one process that is never throttled), to 1 at least.
    """
    if wanted > 0:
        return wanted
    quota = cpu_quota(root)
    cores = len(usable_cores(root))
    return max(1, cores if quota is None else min(cores, int(quota + 0.01)))


def memory_bytes(root: Path = ROOT) -> tuple[int, int]:
    """Total and available memory in bytes, the cgroups' limits taken into account."""
    rows = dict(row.split(":", 1) for row in text_of(root / "proc/meminfo").splitlines() if ":" in row)
    total, available = (int(rows[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
    places = [(folder / "memory.max", folder / "memory.current") for folder in cgroup_v2(root)]
    for folder in cgroup_v1("memory", ("memory",), root):
        places.append((folder / "memory.limit_in_bytes", folder / "memory.usage_in_bytes"))
    for limit_file, used_file in places:
        limit, used = text_of(limit_file).strip(), text_of(used_file).strip()
        if limit.isdigit() and used.isdigit() and int(limit) < total:
            total = int(limit)
            available = min(available, int(limit) - int(used))
    return total, max(0, available)


def text_of(path: Path) -> str:
    """A small file's text, "" where it cannot be read."""
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
