"""A whole fleet for a test: `ocrfleet up` itself on free ports and in a data folder of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import redis

from cli.data import read_state
from cli.processes import children, is_zombie, pids
from shared.settings import Settings
from worker.reading import models

ROOT = Path(__file__).resolve().parent.parent
FETCHED = ROOT / "ocrfleet-data" / "models"  # where `make run` and `make test` put them
READY_S = 240.0
STOP_S = 60.0
GONE_S = 10.0


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago, all different."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def known_models() -> Path | None:
    """The first folder that has every weight: OCRFLEET_MODELS, `models/`, the default data folder; None without one."""
    named = os.environ.get("OCRFLEET_MODELS")
    for folder in (*([Path(named)] if named else []), ROOT / "models", FETCHED):
        files = [(models.place(folder, weight), weight.bytes) for weight in models.weights()]
        if all(file.is_file() and file.stat().st_size == size for file, size in files):
            return folder
    return None


def models_folder() -> Path:
    """A folder with every weight; they are fetched once where none has them."""
    folder = known_models()
    if folder is None:
        folder = FETCHED
        models.fetch(folder)
    return folder


def processes_of(data: Path) -> list[int]:
    """Every living process that belongs to a data folder: told of it, or at work inside it."""
    told = f"OCRFLEET_DATA={data}".encode()
    found = []
    for pid in pids():
        with contextlib.suppress(OSError):
            inside = os.readlink(f"/proc/{pid}/cwd").startswith(str(data))
            if (inside or told in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")) and not is_zombie(pid):
                found.append(pid)
    return found


@dataclasses.dataclass
class Stack:
    """A running (or stopped) fleet. `url` is the gateway, `redis_url` its queue, password included."""

    data: Path
    environment: dict[str, str]
    settings: Settings
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The gateway's address."""
        return f"http://127.0.0.1:{self.settings.port}"

    @property
    def redis_url(self) -> str:
        """The queue's address; only while it runs."""
        password = (self.data / "redis" / "password").read_text(encoding="ascii").strip()
        return f"redis://:{password}@127.0.0.1:{read_state(self.data)['redis_port']}/0"

    @property
    def screen(self) -> str:
        """Everything that the program has printed."""
        return (self.data / "screen.txt").read_text(encoding="utf-8")

    def start(self) -> None:
        """Start and wait until the screen is shown. Raises AssertionError with what was printed."""
        state = self.data / "up.json"
        state.unlink(missing_ok=True)
        with (self.data / "screen.txt").open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cli.main", "up"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        end = time.monotonic() + READY_S
        while not state.exists():
            assert self.process.poll() is None, f"the fleet ended:\n{self.screen}"
            assert time.monotonic() < end, f"the fleet was not ready in {READY_S} s:\n{self.screen}\n{self.logs()}"
            time.sleep(0.05)

    def stop(self, number: int = signal.SIGINT) -> int:
        """Ask it to end, and wait; returns its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(STOP_S)

    def forget(self) -> None:
        """Empty the cache: what was read before is read again."""
        client = redis.Redis.from_url(self.redis_url)
        client.delete(*(self.settings.redis_prefix + name for name in ("cache", "pkey")))
        client.close()

    def kill_everything(self) -> None:
        """`kill -9` of every process at once, as losing the machine would."""
        for pid in processes_of(self.data):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def left(self, patience_s: float = GONE_S) -> list[int]:
        """Processes that are still there after a moment."""
        end = time.monotonic() + patience_s
        while (found := processes_of(self.data)) and time.monotonic() < end:
            time.sleep(0.05)
        return found

    def service(self, word: str) -> int:
        """The process of a service, by a word of its command line."""
        assert self.process is not None
        for pid in children(self.process.pid):
            if word in Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace"):
                return pid
        raise AssertionError(f"no process of {word}:\n{self.screen}")

    def worker_children(self) -> list[int]:
        """The processes that read pages."""
        return children(self.service("worker.app"))

    def logs(self) -> str:
        """The ends of the log files."""
        files = sorted((self.data / "logs").glob("*.log"))
        return "\n".join(f"--- {file.name}\n" + file.read_text(errors="replace")[-2000:] for file in files)


def make_stack(data: Path, **settings: str) -> Stack:
    """A fleet that is not started yet. `settings` are fields of Settings."""
    port, flower, queue = free_ports(3)
    fields = {
        "data": str(data),
        "models": str(models_folder()),
        "port": str(port),
        "flower_port": str(flower),
        "redis_port": str(queue),
        # A test machine may be busy with something else: a slow start is not what is tested.
        "model_load_s": "150",
        "proc_alive_s": "180",
        **settings,
    }
    kept = {key: value for key, value in os.environ.items() if not key.startswith("OCRFLEET_") and key != "REDIS_URL"}
    named = {Settings.environment_name(name): value for name, value in fields.items()}
    values = {(Settings.model_fields[name].alias or name): value for name, value in fields.items()}
    data.mkdir(parents=True, exist_ok=True)
    return Stack(data, {**kept, **named, "OCRFLEET_LANG": "en"}, Settings(**values))  # type: ignore[arg-type]
