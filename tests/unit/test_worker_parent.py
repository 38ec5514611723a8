"""What the parent process does: start the right command, see a deaf consumer, bury a dead child. And what it must not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from billiard.exceptions import WorkerLostError

from shared.errors import StoreUnavailable
from shared.settings import Settings
from shared.store.protocol import Message
from tests.worker_fleet import Fleet, png
from worker import forks, request, watchdog
from worker.__main__ import command
from worker.request import PageRequest, bury, child_died
from worker.slot import slot_name
from worker.watchdog import DeafCheck

ROOT = Path(__file__).parents[2]
NATIVE = ("numpy", "cv2", "openvino", "PIL", "pypdfium2", "torch", "onnxruntime", "worker.reading")


def test_the_parent_loads_nothing_native() -> None:
    code = f"import sys, worker.app, worker.request; print([name for name in {NATIVE} if name in sys.modules])"
    environment = {**os.environ, "REDIS_URL": "redis://127.0.0.1:1/0"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_command_line_asks_the_interactive_queue_first() -> None:
    line = command(Settings(worker_cores=3, redis_prefix="x:"), ["--extra"])
    assert line[line.index("-Q") + 1] == "x:queue:interactive,x:queue:bulk"
    assert line[line.index("--concurrency") + 1] == "3"
    assert {"--without-gossip", "--without-mingle", "--extra"} <= set(line)


# Deafness


class Activity:
    """What a consumer is doing, set by hand."""

    def __init__(self) -> None:
        self.counts = {"active": 0, "reserved": 0, "started": 7}

    def active(self) -> int:
        return self.counts["active"]

    def reserved(self) -> int:
        return self.counts["reserved"]

    def started(self) -> int:
        return self.counts["started"]


class Ward:
    """A DeafCheck that is asked every five seconds."""

    def __init__(self) -> None:
        self.activity = Activity()
        self.seconds = 0.0
        self.check = DeafCheck(30, self.activity, lambda: self.seconds)  # type: ignore[arg-type]

    def looks(self, count: int, depth: int | None = 5, warm: bool = True, **counts: int) -> bool:
        self.activity.counts.update(counts)
        deaf = False
        for _ in range(count):
            self.seconds += 5
            deaf = self.check.look(depth, warm) or deaf
        return deaf


def test_pages_that_wait_while_nothing_starts_mean_deaf() -> None:
    ward = Ward()
    assert not ward.looks(7)
    assert ward.looks(1)


def test_a_message_taken_but_never_started_means_deaf_too() -> None:
    assert Ward().looks(9, depth=0, reserved=1)


@pytest.mark.parametrize(
    "state", [{"depth": 0}, {"depth": None}, {"warm": False}, {"active": 1, "reserved": 1}], ids=str
)
def test_no_work_no_broker_no_model_or_work_in_hand_is_not_deaf(state: dict[str, Any]) -> None:
    assert not Ward().looks(20, **state)


def test_any_start_begins_the_count_anew() -> None:
    ward = Ward()
    for started in range(8, 20):
        assert not ward.looks(4, started=started)


# Dead children


def request_of(fleet: Fleet, worker_pid: int = 2) -> tuple[PageRequest, Message]:
    """A request as Celery holds it while the child `worker_pid` works on the page."""
    message = fleet.sink.sent.pop(0)
    made = PageRequest.__new__(PageRequest)
    made._kwargs = {"v": 1, "run": message.run, "page": message.page}
    made._payload = ((), made._kwargs, {})
    made.worker_pid = worker_pid
    return made, message


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path)


def test_a_lost_child_sends_its_page_to_another_and_frees_its_place_and_core(fleet: Fleet) -> None:
    job = fleet.submit(png())
    message = fleet.sink.sent.pop()
    fleet.store.claim(message.run, 1, "token", {"worker": "host:1:2"})
    fleet.store.beat_slot("host:1:2", {"core": 3, "warm": True})
    with mock.patch.object(request, "boot_id", return_value="boot"):
        fleet.store.lease_core("boot", (3,), "host:1:2", 30)
        bury(fleet.store, fleet.sink, message.run, 1, "host:1:2", "lost", None)
        assert fleet.store.lease_core("boot", (3,), "another", 30) == 3
    assert fleet.store.slots() == []
    assert fleet.outcomes(job) == ["lost"]
    assert [(sent.run, sent.page) for sent in fleet.sink.sent] == [(message.run, 1)]


def test_burying_waits_for_a_store_that_is_away(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.request.time.sleep", lambda seconds: None)
    job = fleet.submit(png())
    message = fleet.sink.sent.pop()
    fleet.store.claim(message.run, 1, "token", {"worker": "host:1:2"})
    real = fleet.store.lose_page
    with mock.patch.object(fleet.store, "lose_page", side_effect=[StoreUnavailable, mock.DEFAULT], wraps=real):
        bury(fleet.store, fleet.sink, message.run, 1, "host:1:2", "lost", None)
    assert fleet.outcomes(job) == ["lost"]


def test_the_page_of_another_child_is_left_alone(fleet: Fleet) -> None:
    job = fleet.submit(png())
    message = fleet.sink.sent.pop()
    fleet.store.claim(message.run, 1, "token", {"worker": "host:1:22"})
    bury(fleet.store, fleet.sink, message.run, 1, "host:1:3", "lost", None)
    assert fleet.outcomes(job) == [None]


Reports = list[tuple[str, int, str, str, Any]]


@pytest.fixture
def reports(monkeypatch: pytest.MonkeyPatch) -> Reports:
    found: Reports = []
    monkeypatch.setattr(request.undertaker, "report", lambda *loss: found.append(loss))
    return found


def test_the_watchdogs_word_of_a_death_names_the_page(
    fleet: Fleet, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.submit(png())
    dying, message = request_of(fleet, worker_pid=77)
    monkeypatch.setattr("worker.request.state.active_requests", {dying})
    child_died(77)
    child_died(78)
    assert reports == [
        (message.run, 1, slot_name(77, os.getpid()), "lost", None),
        ("", 0, slot_name(78, os.getpid()), "lost", None),
    ]


def test_a_hard_time_limit_fails_the_page_as_timeout(fleet: Fleet, reports: Reports) -> None:
    fleet.submit(png())
    slow, message = request_of(fleet)
    with mock.patch("celery.worker.request.Request.on_timeout"):
        slow.on_timeout(soft=True, timeout=8)
        assert reports == []
        slow.on_timeout(soft=False, timeout=10)
    ((run, page, _, outcome, problem),) = reports
    assert (run, page, outcome, problem["code"]) == (message.run, 1, "timeout", "TIMEOUT")


def test_a_child_that_vanished_is_reported_and_an_ordinary_failure_is_not(fleet: Fleet, reports: Reports) -> None:
    fleet.submit(png())
    failing, message = request_of(fleet)
    with mock.patch("celery.worker.request.Request.on_failure"):
        failing.on_failure(SimpleNamespace(exception=ValueError()))
        assert reports == []
        failing.on_failure(SimpleNamespace(exception=WorkerLostError()))
    assert [(run, outcome) for run, _, _, outcome, _ in reports] == [(message.run, "lost")]


def test_the_watch_hears_of_death_and_of_a_missing_model(monkeypatch: pytest.MonkeyPatch) -> None:
    import queue

    monkeypatch.setattr(watchdog, "_pipe", None)
    ended: queue.SimpleQueue[object] = queue.SimpleQueue()
    monkeypatch.setattr(watchdog, "end_worker", lambda code, grace_s: ended.put(code))
    watch = watchdog.Watchdog(3600, 1, dict, ended.put, lambda: ended.put("looked"))
    watch.start()
    assert ended.get(timeout=10) == "looked"
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    watchdog.tell_parent({"pid": child.pid, "warm": True})
    child.communicate(b"\n")
    assert ended.get(timeout=10) == child.pid
    watchdog.tell_parent({"pid": 1, "problem": "no weights here " * 1000})
    assert ended.get(timeout=10) == watchdog.EXIT_NO_MODEL


# A child that is forked while a thread of the parent holds a lock (of an import, say) would wait for it for ever.
FORKED_AMID_WORK = """
import os, threading, time
import shared.store.open
from worker import request, watchdog

at_work, lock = threading.Event(), threading.Lock()

def work(*_, **__):
    with lock:
        at_work.set()
        time.sleep(0.3)
    return ()

class Store:
    lose_page = drop_slot = work
    slots = lambda self: []

shared.store.open.open_store = lambda settings: (Store(), None)
START
assert at_work.wait(10)
child = os.fork()
if child == 0:
    os._exit(0 if lock.acquire(blocking=False) else 1)
print("free" if os.waitpid(child, 0)[1] == 0 else "held", flush=True)
os._exit(0)
"""


@pytest.mark.parametrize(
    "start",
    [
        "request.undertaker.report('run', 1, 'slot', 'lost', None)",
        "watchdog.Watchdog(3600, 1, dict, print, work).start()",
        "watchdog.Watchdog(0.1, 1, work, print, lambda: None).start()",
        "w = watchdog.Watchdog(3600, 1, dict, work, print); w.start(); watchdog.tell_parent({'pid': os.spawnlp(os.P_NOWAIT, 'true', 'true'), 'warm': True})",
    ],
    ids=["undertaker", "look around", "depths", "death"],
)
def test_no_process_is_forked_amid_the_work_of_a_thread(start: str) -> None:
    code = FORKED_AMID_WORK.replace("START", start)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.split()[-1:] == ["free"], done.stdout + done.stderr


def test_a_fork_waits_no_longer_for_a_thread_than_it_must(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forks, "WAIT_S", 0.05)
    with forks.put_off():
        child = os.fork()
        if child == 0:
            with forks.put_off():
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    with forks.put_off():
        pass


def test_a_store_is_named_or_the_worker_says_what_is_missing() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    code = "import worker.app; worker.app.start_watch()"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode != 0
    assert "REDIS_URL" in done.stderr
