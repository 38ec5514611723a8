"""The docker engine and docker compose (v2, or v1 from 1.29 on) as a few typed calls."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BUILD_S = 3600.0
CALL_S = 600.0


class EngineError(Exception):
    """Raised when a command of docker fails; the message holds what it printed."""


def call(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    timeout_s: float = CALL_S,
    *,
    text: str = "",
    both: bool = False,
) -> str:
    """Run a command on `text` and return what it printed (`both`: on stderr too). Raises EngineError."""
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            input=text,
            text=True,
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineError(f"{' '.join(command)}: {error}") from error
    if done.returncode:
        raise EngineError(
            f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
        )
    return done.stdout + (done.stderr if both else "")


def compose_command() -> list[str]:
    """`docker compose` where it is there, else `docker-compose`. Raises EngineError."""
    for words in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(words[0]):
            try:
                call([*words, "version"])
            except EngineError:
                continue
            return words
    raise EngineError("neither `docker compose` nor `docker-compose` is here")


def build(target: str, tag: str, arguments: Mapping[str, str]) -> None:
    """Build one target of the Dockerfile."""
    given = [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
    call(["docker", "build", "--network", "host", "--target", target, "-t", tag, *given, "."], timeout_s=BUILD_S)


def image_mb(tag: str) -> float:
    """An image's uncompressed size in MB (10^6 bytes)."""
    return int(call(["docker", "image", "inspect", "--format", "{{.Size}}", tag])) / 1e6


def memory_mib(container: str) -> float:
    """The container's own memory (its page cache left out where the engine tells), in MiB."""
    text = call(["docker", "stats", "--no-stream", "--format", "{{.MemUsage}}", container]).split("/")[0].strip()
    number = float(text.rstrip("KMGiB"))
    return number * {"K": 1 / 1024, "M": 1.0, "G": 1024.0}.get(text.rstrip("iB")[-1:], 1 / 1048576)


@dataclass
class Project:
    """One `docker compose` project: a name, its environment, its files."""

    name: str
    environment: dict[str, str]
    files: tuple[str, ...] = ("docker-compose.yml",)
    compose: list[str] = field(default_factory=compose_command)

    def run(self, *words: str, environment: Mapping[str, str] | None = None, timeout_s: float = CALL_S) -> str:
        """Run a compose command of this project."""
        files = [word for file in self.files for word in ("-f", file)]
        command = [*self.compose, "-p", self.name, *files, *words]
        return call(command, {**self.environment, **(environment or {})}, timeout_s)

    def scale(self, workers: int, *services: str, environment: Mapping[str, str] | None = None) -> None:
        """Have so many workers, with what else is named. Existing containers are left as they are."""
        wanted = [*services, "worker"]
        self.run(
            "up", "-d", "--no-build", "--no-recreate", "--scale", f"worker={workers}", *wanted, environment=environment
        )

    def containers(self, service: str, *, running: bool = True) -> list[str]:
        """The service's containers by id, oldest first."""
        command = ["docker", "ps", "--no-trunc", "--quiet", *([] if running else ["--all"])]
        command += ["--filter", f"label=com.docker.compose.project={self.name}"]
        command += ["--filter", f"label=com.docker.compose.service={service}"]
        return call(command).split()[::-1]

    def execute(self, container: str, *words: str) -> str:
        """Run a command in a container."""
        return call(["docker", "exec", container, *words])

    def down(self) -> None:
        """Remove containers, networks and volumes."""
        self.run("--profile", "remote", "down", "--volumes", "--remove-orphans", "--timeout", "10")


def inspect(container: str) -> dict[str, Any]:
    """What the engine knows of a container."""
    found: list[dict[str, Any]] = json.loads(call(["docker", "inspect", container]))
    return found[0]


def healthy(container: str) -> bool:
    """Ask the container's own health check now, instead of waiting for its next turn."""
    test = inspect(container)["Config"]["Healthcheck"]["Test"][1:]
    try:
        call(["docker", "exec", container, *test])
    except EngineError:
        return False
    return True


def wait_until(what: str, check: Callable[[], bool], limit_s: float, pause_s: float = 0.5) -> float:
    """Wait until `check` holds; returns how many seconds it took. Raises EngineError when `limit_s` is over."""
    started = time.monotonic()
    while not check():
        if time.monotonic() - started > limit_s:
            raise EngineError(f"{what}: not within {limit_s:.0f} s")
        time.sleep(pause_s)
    return time.monotonic() - started
