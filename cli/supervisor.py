"""Starts the processes of one fleet, watches them, starts again what died, and leaves none behind.

One thread, one loop: `step` reads what the processes print, collects those that ended and starts those whose time has
come. Three nets catch what would be left: every process leads a group of its own, which is killed with it; the kernel
kills a process when its supervisor dies (PDEATHSIG); and a sentinel kills the children of those children.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from cli import sentinel
from cli.logs import RotatingLog
from cli.problems import ServiceDied
from cli.processes import MARK, die_with, in_group, kill_group, marked

FIRST_DELAY_S = 0.5  # before a process that died is started again; doubled with every further death
LONGEST_DELAY_S = 30.0
STABLE_S = 60.0  # after this long alive, earlier deaths are forgotten
EXIT_HOPELESS = 78  # EX_CONFIG of sysexits.h: the process knows that starting it again will not help
DEATHS_ALLOWED = 4  # before the fleet was ever ready; then the reason is said and everything stops
STEP_S = 0.25
READ_BYTES = 64 * 1024
QUIET_LOOKS = 2  # a process in the middle of exec shows no environment for a moment
LEFTOVER_S = 5.0  # for the kernel to end what was killed


@dataclasses.dataclass(frozen=True, slots=True)
class Service:
    """A process to keep running. `environment` is added to the supervisor's. `grace_s` is how long SIGTERM may take."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)
    essential: bool = True  # without it the fleet is nothing
    grace_s: float = 10.0
    hand_over: tuple[int, ...] = ()  # file descriptors that the process keeps open


@dataclasses.dataclass
class Child:
    """A service's process as it stands now."""

    service: Service
    log: RotatingLog
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0  # in a row, without a stable life between them
    starts: int = 0
    due: float | None = None  # when it is to be started again
    wanted: bool = True


def how_it_ended(code: int) -> str:
    """An exit status in words."""
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return f"killed by {signal.Signals(-code).name}"
    return f"killed by signal {-code}"


class Supervisor:
    """Use as a context manager in the main thread: leaving it kills whatever still runs. `say` shows a line to a person."""

    def __init__(self, logs: Path, say: Callable[[str], None], now: Callable[[], float] = time.monotonic) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self.mark = secrets.token_hex(8)
        self._logs = logs
        self._say = say
        self._now = now
        self._children: dict[str, Child] = {}
        self._settled = False
        self._pipes = selectors.DefaultSelector()
        self._sentinel = self._start_sentinel()

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Starting and watching

    def start(self, service: Service) -> None:
        """Start a service and keep it running from now on."""
        child = Child(service, RotatingLog(self._logs / f"{service.name}.log"))
        self._children[service.name] = child
        self._launch(child)

    def settle(self) -> None:
        """The fleet is ready: from now on a death is always answered by a new start."""
        self._settled = True

    def pid(self, name: str) -> int | None:
        """The process id of a service while it runs."""
        child = self._children.get(name)
        return child.process.pid if child and child.process else None

    def tail(self, name: str) -> list[str]:
        """The last lines that a service printed."""
        child = self._children.get(name)
        return child.log.tail() if child else []

    def uptime(self, name: str) -> float:
        """Seconds since the service was last started; 0 while it does not run."""
        child = self._children.get(name)
        return self._now() - child.started if child and child.process else 0.0

    def wake_on(self, descriptor: int) -> None:
        """End a waiting `step` when this descriptor becomes readable (a signal's wake-up pipe)."""
        self._pipes.register(descriptor, selectors.EVENT_READ, None)

    def step(self, timeout_s: float = STEP_S) -> None:
        """Read, collect, start again. Raises ServiceDied when an essential service cannot be brought up."""
        for key, _ in self._pipes.select(timeout_s):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    os.read(key.fd, READ_BYTES)
            else:
                self._read(key.data, key.fd)
        if self._sentinel.poll() is not None:
            self._sentinel = self._start_sentinel()
        for child in self._children.values():
            if child.process is not None:
                self._collect(child)
            elif child.due is not None and child.wanted and self._now() >= child.due:
                self._launch(child)

    # Stopping

    def stop(self, names: Sequence[str], hurry: Callable[[], bool] = lambda: False) -> None:
        """Ask services to end, wait as long as each may take, then kill. `hurry` cuts the waiting short."""
        running = []
        for name in names:
            child = self._children.get(name)
            if child is None:
                continue
            child.wanted, child.due = False, None
            if child.process is not None:
                # Only the leader is asked, and once: it tells its own children what a warm stop means to them.
                with contextlib.suppress(ProcessLookupError):
                    child.process.send_signal(signal.SIGTERM)
                running.append((child, self._now() + child.service.grace_s))
        for child, deadline in running:
            while child.process is not None and self._now() < deadline and not hurry():
                self.step()
            self._kill(child)

    def close(self) -> None:
        """Kill what still runs, and the sentinel last."""
        for child in self._children.values():
            child.wanted, child.due = False, None
        for child in self._children.values():
            self._kill(child)
            child.log.close()
        end, quiet = time.monotonic() + LEFTOVER_S, 0
        while quiet < QUIET_LOOKS and time.monotonic() < end:
            left = marked(self.mark)
            quiet = 0 if left else quiet + 1
            for pid in left:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)
        self._tell_sentinel("done")
        with contextlib.suppress(BrokenPipeError):
            if self._sentinel.stdin is not None:
                self._sentinel.stdin.close()
        self._sentinel.wait()
        self._pipes.close()

    # Inside

    def _launch(self, child: Child) -> None:
        service = child.service
        child.due = None
        child.starts += 1
        child.started = self._now()
        child.log.write(f"--- {time.strftime('%Y-%m-%d %H:%M:%S')} start {child.starts}\n".encode())
        try:
            process = subprocess.Popen(
                service.command,
                env={**os.environ, **service.environment, MARK: self.mark, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with(os.getpid()),
                pass_fds=service.hand_over,
            )
        except OSError as error:
            child.log.write(f"{service.command[0]}: {error.strerror}\n".encode())
            self._died(child, f"it could not be started: {error.strerror}", hopeless=True)
            return
        child.process = process
        self._tell_sentinel(f"+{process.pid}")
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        self._pipes.register(process.stdout.fileno(), selectors.EVENT_READ, child)

    def _read(self, child: Child, descriptor: int) -> bool:
        """Take what is there; False at the end of the pipe, which is then watched no more."""
        try:
            data = os.read(descriptor, READ_BYTES)
        except BlockingIOError:
            return True
        if data:
            child.log.write(data)
            return True
        self._pipes.unregister(descriptor)
        return False

    def _collect(self, child: Child) -> None:
        """Notice that a process ended. Its group is killed before its number is given back to the kernel."""
        process = child.process
        assert process is not None
        ended = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            return
        end = self._now() + LEFTOVER_S
        while self._now() < end:
            kill_group(process.pid)
            if not in_group(process.pid):
                break
            time.sleep(0.01)
        assert process.stdout is not None
        descriptor = process.stdout.fileno()
        while descriptor in self._pipes.get_map() and self._read_rest(child, descriptor):
            pass
        process.stdout.close()
        code = process.wait()
        child.process = None
        self._tell_sentinel(f"-{process.pid}")
        if child.wanted:
            self._died(child, how_it_ended(code), hopeless=code == EXIT_HOPELESS)

    def _read_rest(self, child: Child, descriptor: int) -> bool:
        """Empty a dead process's pipe; False once nothing more will come."""
        try:
            data = os.read(descriptor, READ_BYTES)
        except BlockingIOError:
            data = b""
        if data:
            child.log.write(data)
            return True
        self._pipes.unregister(descriptor)
        return False

    def _died(self, child: Child, how: str, *, hopeless: bool) -> None:
        service = child.service
        stable = self._now() - child.started >= STABLE_S
        child.deaths = 1 if stable else child.deaths + 1
        tail = "\n".join(f"    {line}" for line in child.log.tail())
        if not self._settled and (hopeless or child.deaths >= DEATHS_ALLOWED):
            child.wanted = False
            if service.essential:
                self._say(tail)
                raise ServiceDied(name=service.name, times=child.deaths, how=how, log=child.log.path)
            self._say(f"{service.name} ended {child.deaths} times ({how}) and is left out. Its last lines:\n{tail}")
            return
        delay = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2 ** (child.deaths - 1))
        child.due = self._now() + delay
        self._say(f"{service.name} ended ({how}); started again in {delay:g} s. Its last lines:\n{tail}")

    def _kill(self, child: Child) -> None:
        if child.process is not None:
            kill_group(child.process.pid)
        while child.process is not None:
            self.step(0.02)

    def _start_sentinel(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-I", "-S", sentinel.__file__, f"{MARK}={self.mark}"]
        command += [str(child.process.pid) for child in self._children.values() if child.process]
        return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)

    def _tell_sentinel(self, line: str) -> None:
        with contextlib.suppress(BrokenPipeError, ValueError):
            if self._sentinel.stdin is not None:
                self._sentinel.stdin.write(f"{line}\n".encode())
                self._sentinel.stdin.flush()
