"""Worker processes that are killed, stopped, starved and overdue."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path

from bench.drawn import pdf, png
from cli.processes import children
from tests.faults.conftest import Observer, eventually, slot_pid
from tests.stack import Stack

Fleet = Callable[..., Stack]
Observe = Callable[[Stack], Observer]
Recovered = Callable[[str, float], None]
SHORT = {"soft_limit_s": "3", "hard_limit_s": "5"}


def test_a_child_killed_in_a_page(fleet: Fleet, observe: Observe, recovered: Recovered) -> None:
    stack = fleet()
    eye = observe(stack)
    job = eye.submit(png(1, lines=60))
    os.kill(slot_pid(eye.running(job)), signal.SIGKILL)
    killed = time.monotonic()
    eye.running(job, least=2)
    recovered("kill -9 of a worker process in a page", time.monotonic() - killed)
    eye.all_ended()
    assert [row["outcome"] for row in eye.attempts(job)] == ["lost", "done"]


def test_a_whole_worker_killed(fleet: Fleet, observe: Observe, recovered: Recovered) -> None:
    stack = fleet()
    eye = observe(stack)
    job = eye.submit(pdf(2, pages=6))
    eye.running(job)
    os.kill(stack.service("worker.app"), signal.SIGKILL)
    killed = time.monotonic()
    before = eye.get(f"/v1/jobs/{job}")["progress"]["pages_done"]
    eventually(lambda: eye.get(f"/v1/jobs/{job}")["progress"]["pages_done"] > before, what="a page after the loss")
    recovered("kill -9 of a whole worker", time.monotonic() - killed)
    eye.all_ended()


def test_sigterm_in_a_page_finishes_it_and_does_not_read_it_again(
    fleet: Fleet, observe: Observe, recovered: Recovered
) -> None:
    stack = fleet()
    eye = observe(stack)
    job = eye.submit(png(3, lines=60))
    eye.running(job)
    worker = stack.service("worker.app")
    os.kill(worker, signal.SIGTERM)
    asked = time.monotonic()
    eye.all_ended()
    assert [row["attempt"] for row in eye.attempts(job)] == [1]
    eventually(lambda: worker not in children(stack.process.pid if stack.process else 0), what="the worker ends")
    second = eye.submit(png(31))
    eye.ended(second)
    recovered("SIGTERM in a page", time.monotonic() - asked)


def test_a_page_over_its_hard_limit_fails_alone(fleet: Fleet, observe: Observe, recovered: Recovered) -> None:
    stack = fleet(**SHORT)
    eye = observe(stack)
    job = eye.submit(png(4, lines=40))
    os.kill(slot_pid(eye.running(job)), signal.SIGSTOP)
    stopped = time.monotonic()
    row = eye.ended(job)
    assert row["status"] == "failed"
    assert "TIMEOUT" in str(row["error"]) or "second" in row["error"]["detail"], row
    assert row["error"]["detail_zh"]
    assert [attempt["outcome"] for attempt in eye.attempts(job)] == ["timeout"]
    eye.jobs.remove(job)
    eye.submit(png(41))
    eye.all_ended()
    recovered("hard time limit", time.monotonic() - stopped)


def test_a_page_that_needs_more_memory_than_there_is_fails_and_the_process_lives(
    fleet: Fleet, observe: Observe, recovered: Recovered
) -> None:
    stack = fleet()
    eye = observe(stack)
    eye.ended(eye.submit(png(5)))
    (child,) = stack.worker_children()
    used = int(Path(f"/proc/{child}/statm").read_text(encoding="ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.prlimit(child, resource.RLIMIT_AS, (used + (8 << 20), resource.RLIM_INFINITY))
    job = eye.submit(png(51, lines=150))
    row = eye.ended(job)
    starved = time.monotonic()
    with contextlib.suppress(ProcessLookupError):
        resource.prlimit(child, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert row["status"] in ("failed", "done"), row
    if row["status"] == "failed":
        assert row["error"]["detail"]
        assert row["error"]["detail_zh"]
        eye.jobs.remove(job)
    eye.submit(png(52))
    eye.all_ended()
    recovered("not enough memory for a page", time.monotonic() - starved)


def test_a_page_that_kills_its_worker_three_times_fails_and_the_rest_is_returned(
    fleet: Fleet, observe: Observe, recovered: Recovered
) -> None:
    stack = fleet()
    eye = observe(stack)
    # Pages long enough to be killed within them for certain.
    job = eye.submit(pdf(6, pages=3, lines=60))
    for attempt in (1, 2, 3):
        row = eye.running(job, page=2, least=attempt)
        assert row["attempt"] == attempt
        os.kill(slot_pid(row), signal.SIGKILL)
        killed = time.monotonic()
    row = eye.ended(job)
    recovered("a page that kills its worker three times", time.monotonic() - killed)
    assert (row["status"], row["progress"]["pages_done"], row["progress"]["pages_failed"]) == ("partial", 2, 1)
    result = eye.get(f"/v1/jobs/{job}/result")
    texts = {page["page"]: page["text"] for page in result["pages"]}
    assert "6000" in texts[1]
    assert "6002" in texts[3]
    failed = next(page for page in result["pages"] if page["page"] == 2)
    assert "lost" in failed["error"]["detail"]
    assert failed["error"]["detail_zh"]
    assert result["warnings"]


def test_a_replacement_that_loads_slowly_is_not_killed_for_it(
    fleet: Fleet, observe: Observe, recovered: Recovered
) -> None:
    stack = fleet()
    eye = observe(stack)
    (child,) = stack.worker_children()
    os.kill(child, signal.SIGKILL)
    killed = time.monotonic()
    (fresh,) = eventually(lambda: [pid for pid in stack.worker_children() if pid != child], what="a replacement")
    os.kill(fresh, signal.SIGSTOP)
    # Celery's own limit would be 4 s: held stopped for longer, the same process must still become ready.
    time.sleep(7)
    os.kill(fresh, signal.SIGCONT)
    eye.submit(png(7))
    eye.all_ended()
    assert stack.worker_children() == [fresh]
    recovered("a replacement process that loads slowly (7 s)", time.monotonic() - killed)


def test_a_deaf_worker_ends_and_is_started_again(fleet: Fleet, observe: Observe, recovered: Recovered) -> None:
    from shared.queue import make_celery, queue_name

    stack = fleet(deaf_after_s="5")
    eye = observe(stack)
    worker = stack.service("worker.app")
    control = make_celery(stack.settings, stack.redis_url).control
    for queue in ("interactive", "bulk"):
        control.cancel_consumer(queue_name(stack.settings, queue), reply=True, timeout=5)
    deaf = time.monotonic()
    eye.submit(png(8))
    eye.all_ended()
    recovered("a deaf worker", time.monotonic() - deaf)
    assert stack.service("worker.app") != worker
