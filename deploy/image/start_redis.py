"""Becomes the queue's server: writes its password and memory limit beside `redis.conf`, then is replaced by Valkey."""

from __future__ import annotations

import os
from pathlib import Path

import passwords

CONF = Path(__file__).with_name("redis.conf")
SCRATCH = Path("/tmp/redis.conf")
MIB = 1024 * 1024
WANTED_MIB = 2304  # waiting documents, cached results, records: what cli/valkey.py asks for under the default settings
SHARE = 0.75  # of the container's memory; the rest is for the copy that is made while the AOF is written anew
LEAST_MIB = 64
CGROUP_FILES = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def container_mib(files: tuple[Path, ...] = CGROUP_FILES) -> int | None:
    """The container's memory limit in MiB (cgroup v2 or v1); None without one."""
    for file in files:
        try:
            text = file.read_text().strip()
        except OSError:
            continue
        if text.isdigit():
            return int(text) // MIB
    return None


def memory_mib(limit_mib: int | None, wanted_mib: int = WANTED_MIB) -> int:
    """`maxmemory` in MiB: what is wanted, within the container's share."""
    return wanted_mib if limit_mib is None else max(LEAST_MIB, min(wanted_mib, int(limit_mib * SHARE)))


def quoted(value: str) -> str:
    """A value as the configuration file takes it, whatever characters it has."""
    return '"' + "".join(f"\\x{byte:02x}" for byte in value.encode()) + '"'


def main() -> None:
    """Does not return."""
    password = passwords.choose("REDIS_PASSWORD", passwords.FOLDER / "redis-password")
    wanted = int(os.environ.get("REDIS_MAXMEMORY_MIB") or WANTED_MIB)
    limit = memory_mib(container_mib(), wanted)
    passwords.write_private(SCRATCH, f"include {CONF}\nmaxmemory {limit}mb\nrequirepass {quoted(password)}\n")
    os.execvp("valkey-server", ["valkey-server", str(SCRATCH)])


if __name__ == "__main__":
    main()
