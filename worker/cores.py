"""A core of its own for every worker process.

Containers of one host do not see each other, so a core is leased in the job store under the host's boot id, which is
the same in all of them.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.host import ROOT, text_of
from shared.store.protocol import Store

log = logging.getLogger(__name__)

_CONTAINER_ID = re.compile(r"(?:/docker/|/docker-|/libpod-|/cri-containerd-|containers/)([0-9a-f]{64})(?![0-9a-f])")


def boot_id(root: Path = ROOT) -> str:
    """What is the same in every container of a host and in no other host; the host's name where the kernel hides it."""
    return text_of(root / "proc/sys/kernel/random/boot_id").strip() or socket.gethostname()


def container_id(root: Path = ROOT) -> str:
    """The container's id, its first 12 characters as docker prints them, or ""."""
    for source in ("proc/self/cgroup", "proc/self/mountinfo"):
        found = _CONTAINER_ID.search(text_of(root / source))
        if found:
            return found.group(1)[:12]
    return ""


def host_tag(root: Path = ROOT) -> str:
    """The host's name with a mark of the machine and process namespace, so that no two worker processes share a name."""
    namespace = ""
    with contextlib.suppress(OSError):
        namespace = os.readlink(root / "proc/self/ns/pid")
    mark = hashlib.sha256(f"{boot_id(root)}{namespace}".encode()).hexdigest()[:6]
    return f"{socket.gethostname()}-{mark}"


def pin(cores: Sequence[int]) -> None:
    """Bind every thread of this process to cores. Raises OSError where the kernel forbids it."""
    os.sched_setaffinity(0, cores)
    for thread in os.listdir("/proc/self/task") if os.path.isdir("/proc/self/task") else ():
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(int(thread), cores)


@dataclass
class CoreLease:
    """One worker process's hold on a core. `renew` is called from the heartbeat; `core` is None while unpinned.

    Every change is said in the log. A process without a core runs on all it may use and asks again at each renewal.
    """

    store: Store
    owner: str
    ttl_s: int
    host: str
    cores: tuple[int, ...]
    core: int | None = None
    _told: bool = False
    _closed: bool = False

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def renew(self) -> None:
        """Take, keep or change the core. Raises StoreUnavailable; the pinning then stays as it is."""
        with self._lock:
            if self._closed:
                return
            core = self.store.lease_core(self.host, self.cores, self.owner, self.ttl_s)
            if core == self.core and (core is not None or self._told):
                return
            try:
                pin([core] if core is not None else self.cores)
            except OSError as error:
                log.warning("core %s was leased but this process may not be pinned to it: %s", core, error)
                if core is not None:
                    self.store.release_core(self.host, core, self.owner)
                core = None
                self._closed = True
            if core is None:
                log.warning("no core is free on this host (of %s): running unpinned", list(self.cores))
            else:
                log.info("pinned to core %d", core)
            self.core, self._told = core, True

    def hold(self) -> None:
        """Called by the thread that reads, before a page: bind it again if need be.

        OpenVINO gives a thread back, at the end of an inference, the cores it had at the beginning; a core that the
        heartbeat leased meanwhile would be undone for the very thread that reads.
        """
        # Without the lock, which the heartbeat holds while it waits for the store.
        core = self.core
        wanted = {core} if core is not None else set(self.cores)
        if self._told and not self._closed and os.sched_getaffinity(0) != wanted:
            with contextlib.suppress(OSError):
                pin(sorted(wanted))

    def release(self) -> None:
        """Give the core back; later renewals do nothing."""
        with self._lock:
            self._closed = True
            if self.core is not None:
                # Off the core first, so that whoever gets it next is alone on it while this process ends.
                with contextlib.suppress(OSError):
                    pin(self.cores)
                self.store.release_core(self.host, self.core, self.owner)
                self.core = None
