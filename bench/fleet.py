"""A fleet of its own for a measurement: `ocrfleet up` on free ports, in a folder that goes with it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from bench.readers import ROOT

READY_S = 180.0
STOP_S = 180.0


@dataclass(frozen=True, slots=True)
class Fleet:
    """A running fleet: where it answers and the process that watches it."""

    url: str
    process: subprocess.Popen[bytes]

    def get(self, path: str) -> Any:
        """JSON of a GET; raises requests' errors."""
        answer = requests.get(self.url + path, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def workers(self) -> list[int]:
        """The processes that read pages."""
        return [int(worker["pid"]) for worker in self.get("/v1/capacity")["workers"]]


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


@contextlib.contextmanager
def running(models: Path, settings: Mapping[str, str] | None = None) -> Iterator[Fleet]:
    """Start a fleet, wait until it is ready, stop it at the end. `settings` are environment variables."""
    port, queue = free_ports(2)
    with tempfile.TemporaryDirectory(prefix="ocrfleet-bench-") as folder:
        told = {
            **{name: value for name, value in os.environ.items() if not name.startswith("OCRFLEET_")},
            "OCRFLEET_DATA": folder,
            "OCRFLEET_MODELS": str(models.resolve()),
            "OCRFLEET_PORT": str(port),
            "OCRFLEET_REDIS_PORT": str(queue),
            "OCRFLEET_FLOWER_PORT": "0",
            **(settings or {}),
        }
        told.pop("REDIS_URL", None)
        command = [sys.executable, "-m", "cli.main", "up"]
        with (Path(folder) / "screen.txt").open("wb") as screen:
            process = subprocess.Popen(
                command, cwd=ROOT, env=told, stdout=screen, stderr=screen, start_new_session=True
            )
        try:
            url = f"http://127.0.0.1:{port}"
            end = time.monotonic() + READY_S
            cores = len(os.sched_getaffinity(0))
            while True:
                with contextlib.suppress(requests.RequestException):
                    if len(requests.get(url + "/v1/capacity", timeout=5).json().get("workers", [])) >= cores:
                        break
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError("the fleet did not start:\n" + (Path(folder) / "screen.txt").read_text())
                time.sleep(0.2)
            yield Fleet(url, process)
        finally:
            process.terminate()
            process.wait(STOP_S)
