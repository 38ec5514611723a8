"""The supervisor over small real processes: it restarts what dies, gives up with the reason, and leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli import supervisor as module
from cli.problems import ServiceDied
from cli.processes import is_zombie, marked
from cli.supervisor import Service, Supervisor

PATIENCE_S = 20.0
# A process with a child and a grandchild in a session of its own, which nothing but the fleet's mark ties to it.
FAMILY = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
subprocess.Popen(sleep)
subprocess.Popen(sleep, start_new_session=True)
print("up", flush=True)
time.sleep(600)
"""


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", textwrap.dedent(code))


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, said: list[str]) -> Iterator[Supervisor]:
    with Supervisor(tmp_path / "logs", said.append) as one:
        yield one
    assert marked(one.mark) == []


def until(supervisor: Supervisor, check: Callable[[], object]) -> bool:
    end = time.monotonic() + PATIENCE_S
    while not check():
        if time.monotonic() > end:
            return False
        supervisor.step(0.02)
    return True


def test_a_process_that_dies_is_started_again_after_a_growing_pause(
    supervisor: Supervisor, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_DELAY_S", 0.05)
    supervisor.settle()
    supervisor.start(Service("short", python("print('so long'); raise SystemExit(3)")))
    assert until(supervisor, lambda: len(said) >= 4)
    assert ["0.05 s" in said[0], "0.1 s" in said[1], "0.2 s" in said[2], "0.4 s" in said[3]] == [True] * 4
    assert "exit code 3" in said[0]
    assert "so long" in said[0]


def test_a_process_that_cannot_start_ends_it_all_with_the_reason(
    supervisor: Supervisor, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_DELAY_S", 0.01)
    supervisor.start(Service("worker", python("raise SystemExit('the model is not there')")))
    with pytest.raises(ServiceDied, match="tried 4 x"):
        until(supervisor, lambda: False)
    assert "the model is not there" in said[-1]


def test_a_process_that_knows_it_is_hopeless_is_not_tried_again(supervisor: Supervisor) -> None:
    supervisor.start(Service("worker", python("raise SystemExit(78)")))
    with pytest.raises(ServiceDied, match="tried 1 x"):
        until(supervisor, lambda: False)


def test_a_window_that_does_not_open_does_not_close_the_house(
    supervisor: Supervisor, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_DELAY_S", 0.01)
    supervisor.start(Service("flower", python("raise SystemExit(1)"), essential=False))
    assert until(supervisor, lambda: "left out" in said[-1] if said else False)
    supervisor.step(0.1)
    assert supervisor.pid("flower") is None


def test_a_program_that_is_not_there_is_said(supervisor: Supervisor) -> None:
    with pytest.raises(ServiceDied, match="could not be started"):
        supervisor.start(Service("valkey", ("/no/such/server",)))


def test_stopping_asks_once_and_waits_for_the_work_in_hand(supervisor: Supervisor, tmp_path: Path) -> None:
    code = f"""
        import signal, sys, time
        asked = []
        signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
        print("up", flush=True)
        while not asked:
            time.sleep(0.01)
        time.sleep(0.3)
        open({str(tmp_path / "finished")!r}, "w").write(str(len(asked)))
    """
    supervisor.start(Service("worker", python(code), grace_s=PATIENCE_S))
    assert until(supervisor, lambda: "up" in supervisor.tail("worker"))
    supervisor.stop(["worker"])
    assert (tmp_path / "finished").read_text() == "1"
    assert supervisor.pid("worker") is None


def test_hurry_does_not_wait(supervisor: Supervisor) -> None:
    supervisor.start(Service("worker", python(FAMILY), grace_s=600))
    assert until(supervisor, lambda: "up" in supervisor.tail("worker"))
    started = time.monotonic()
    supervisor.stop(["worker"], hurry=lambda: True)
    assert time.monotonic() - started < 10


def test_grandchildren_go_with_a_process_that_is_killed(supervisor: Supervisor) -> None:
    supervisor.settle()
    supervisor.start(Service("worker", python(FAMILY)))
    assert until(supervisor, lambda: "up" in supervisor.tail("worker"))
    first = supervisor.pid("worker")
    assert first is not None
    with open(f"/proc/{first}/task/{first}/children") as file:
        family = [int(word) for word in file.read().split()]
    assert len(family) == 2
    os.kill(first, signal.SIGKILL)
    assert until(supervisor, lambda: supervisor.pid("worker") not in (None, first))
    # The one in the same group is gone before its parent is started again; the stray one goes with the fleet.
    assert is_zombie(family[0])


def test_closing_leaves_no_process_not_even_a_stray_one(tmp_path: Path, said: list[str]) -> None:
    with Supervisor(tmp_path, said.append) as one:
        one.start(Service("worker", python(FAMILY)))
        assert until(one, lambda: "up" in one.tail("worker"))
        assert until(one, lambda: len(marked(one.mark)) == 3)
    assert marked(one.mark) == []


def test_kill_9_of_the_supervisor_takes_everything_along(tmp_path: Path) -> None:
    code = f"""
        from pathlib import Path
        from cli.supervisor import Service, Supervisor
        one = Supervisor(Path({str(tmp_path)!r}), print)
        one.start(Service("worker", {python(FAMILY)!r}))
        while "up" not in one.tail("worker"):
            one.step()
        print(one.mark, flush=True)
        while True:
            one.step()
    """
    process = subprocess.Popen(python(code), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    mark = process.stdout.readline().strip()
    end = time.monotonic() + PATIENCE_S
    while len(marked(mark)) < 3 and time.monotonic() < end:
        time.sleep(0.02)
    assert len(marked(mark)) == 3
    process.kill()
    process.wait()
    end = time.monotonic() + PATIENCE_S
    while marked(mark) and time.monotonic() < end:
        time.sleep(0.02)
    assert marked(mark) == []


def test_a_flood_of_output_is_read_and_rotated_not_blocked_on(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    flood = "import sys\nfor i in range(40000): print('x' * 50)\nprint('end', flush=True)\nimport time; time.sleep(600)"
    supervisor.start(Service("gateway", (sys.executable, "-c", flood)))
    assert until(supervisor, lambda: "end" in supervisor.tail("gateway"))
    assert (tmp_path / "logs" / "gateway.log").stat().st_size > 2_000_000
