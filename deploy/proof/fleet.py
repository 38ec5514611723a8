"""The fleet under proof: how it is started, scaled, looked at and taken down."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proof.cores import CoreWatch
from proof.engine import EngineError, Project, build, call, healthy, image_mb, wait_until
from proof.load import Load
from proof.report import Report

TARGETS = ("redis", "gateway", "flower", "worker")
WANTED_MB = {"worker": 700, "gateway": 250}
WARM_S = 180.0


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Fleet:
    """One compose project, with a load on it and an eye on its cores."""

    project: Project
    port: int
    tag: str
    report: Report
    samples: Path
    watch: CoreWatch
    workers: set[str]

    @classmethod
    def new(cls, name: str, tag: str, report: Report, samples: Path) -> Fleet:
        """A fleet that does not run yet, on free ports."""
        port = free_port()
        environment = {
            "OCRFLEET_TAG": tag,
            "OCRFLEET_HOST": "127.0.0.1",
            "OCRFLEET_PORT": str(port),
            "OCRFLEET_FLOWER_PORT": str(free_port()),
            "OCRFLEET_SECRETS": "secrets",
            "WORKER_CORES": "1",
            # Nothing of an .env file or of this shell may bend the proof.
            "REDIS_URL": "redis://redis:6379/0",
            "REDIS_PASSWORD": "",
            "FLOWER_PASSWORD": "",
        }
        workers: set[str] = set()
        return cls(Project(name, environment), port, tag, report, samples, CoreWatch(lambda: workers), workers)

    def build(self) -> None:
        """Build the four images and note their sizes."""
        for target in TARGETS:
            build(target, f"ocrfleet-{target}:{self.tag}", {})
            size = image_mb(f"ocrfleet-{target}:{self.tag}")
            limit = WANTED_MB.get(target)
            if limit is None:
                self.report.fact(f"image {target}", f"{size:.0f} MB")
            else:
                self.report.holds(f"image {target}", f"{size:.0f} MB", f"≤ {limit} MB", size <= limit)

    def scale(self, workers: int, *services: str, tag: str | None = None) -> float:
        """Have so many workers; returns the seconds until all of them are warm and none too many is left."""
        environment = {"OCRFLEET_TAG": tag} if tag else None
        before = set(self.project.containers("worker"))
        started_all = before  # a scale down is waited for by compose itself
        self.project.scale(workers, *services, environment=environment)
        self.refresh()
        fresh = set(self.project.containers("worker")) - started_all
        return wait_until(f"{workers} workers warm", lambda: all(healthy(each) for each in fresh), WARM_S)

    def refresh(self) -> None:
        """Tell the eye on the cores which containers are workers now."""
        self.workers.update(self.project.containers("worker"))

    def get(self, path: str) -> tuple[int, str]:
        """Ask the gateway; status 0 where it does not answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()

    def ready(self) -> bool:
        """The fleet would read a document now."""
        return self.get("/readyz")[0] == 200

    def workers_listed(self) -> list[dict[str, Any]]:
        """The worker processes that GET /v1/capacity lists."""
        status, body = self.get("/v1/capacity")
        rows: list[dict[str, Any]] = json.loads(body)["workers"] if status == 200 else []
        return rows

    def counter(self, name: str) -> int:
        """One of the store's totals, by its name in /metrics."""
        found = re.search(rf"^ocrfleet_{name}(?:_total)? ([0-9.e+]+)$", self.get("/metrics")[1], re.MULTILINE)
        return int(float(found.group(1))) if found else 0

    def attempts(self, job: str) -> list[dict[str, object]]:
        """Every try at a job's pages."""
        status, body = self.get(f"/v1/jobs/{job}/attempts")
        rows: list[dict[str, object]] = json.loads(body)["attempts"] if status == 200 else []
        return rows

    @contextlib.contextmanager
    def under_load(self, cycles: int, width: int) -> Iterator[Load]:
        """A steady load, from documents made for it. The block must stop it."""
        with tempfile.TemporaryDirectory(prefix="ocrfleet-prove-") as name:
            folder = Path(name)
            self.report.say(f"making {cycles} cycles of documents")
            here = Path(__file__).parent
            command = ["docker", "run", "--rm", "--network", "none", "--user", str(os.getuid())]
            command += ["-v", f"{here}:/proof:ro", "-v", f"{folder}:/out", "-v", f"{self.samples}:/samples:ro"]
            command += [
                f"ocrfleet-gateway:{self.tag}",
                "python",
                "/proof/documents.py",
                "/samples",
                "/out",
                str(cycles),
            ]
            call(command)
            load = Load(self.port, sorted(folder.iterdir()), width)
            load.start()
            try:
                yield load
            finally:
                load.stop(5)

    def take_down(self) -> None:
        """Leave nothing behind but the engine's build cache."""
        with contextlib.suppress(EngineError):
            self.project.down()
        for line in call(["docker", "images", "--format", "{{.Repository}}:{{.Tag}}"]).splitlines():
            if line.startswith("ocrfleet-") and line.endswith((f":{self.tag}", f":{self.tag}-next")):
                with contextlib.suppress(EngineError):
                    call(["docker", "rmi", "--no-prune", line])
