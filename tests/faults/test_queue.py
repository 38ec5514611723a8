"""The queue's server that stops, freezes, dies, fills up; messages that are lost or come twice; clocks that differ."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
import requests

from bench.drawn import pdf, png
from cli.processes import pids
from shared.queue import Publisher
from shared.store.open import connect, open_store
from shared.store.protocol import Message, NewJob
from tests.faults.conftest import Observer, OwnValkey, eventually, slot_pid
from tests.stack import ROOT, Stack, free_ports

Fleet = Callable[..., Stack]
Observe = Callable[[Stack], Observer]
Recovered = Callable[[str, float], None]
READ_AGAIN_S = 30.0
STARTS = 3


@contextmanager
def away(server: OwnValkey, how: str, seconds: float) -> Iterator[None]:
    """The queue's server away for a time."""
    server.signal(signal.SIGSTOP if how == "frozen" else signal.SIGTERM)
    try:
        yield
        time.sleep(seconds)
    finally:
        if how == "frozen":
            server.signal(signal.SIGCONT)
        else:
            server.start()


@pytest.mark.timeout(400)
@pytest.mark.parametrize("busy", [True, False], ids=["busy", "idle"])
@pytest.mark.parametrize(("how", "seconds"), [("stopped", 20), ("frozen", 60)])
def test_the_queue_goes_away_and_comes_back(
    how: str, seconds: float, busy: bool, fleet: Fleet, own_valkey: OwnValkey, observe: Observe, recovered: Recovered
) -> None:
    stack = fleet(redis_url=own_valkey.url)
    eye = observe(stack)
    if busy:
        job = eye.submit(pdf(10, pages=12))
        eye.running(job)
    with away(own_valkey, how, seconds):
        asked = time.monotonic()
        refused = requests.post(stack.url + "/v1/jobs", files={"file": png(11)}, timeout=20)
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) > 0
        assert refused.json()["detail_zh"]
        assert time.monotonic() - asked < 15
        assert requests.get(stack.url + "/readyz", timeout=20).status_code == 503
        assert requests.get(stack.url + "/livez", timeout=5).status_code == 200
    back = time.monotonic()
    eventually(lambda: eye.submit(png(12)), READ_AGAIN_S, "an upload is accepted again")
    eye.ended(eye.jobs[-1], READ_AGAIN_S)
    recovered(f"Redis {how} {seconds:.0f} s, {'with work running' if busy else 'idle'}", time.monotonic() - back)
    eye.all_ended()


def test_the_queue_is_killed_and_starts_from_its_log(
    fleet: Fleet, own_valkey: OwnValkey, observe: Observe, recovered: Recovered
) -> None:
    stack = fleet(redis_url=own_valkey.url)
    eye = observe(stack)
    for seed in range(20, 26):
        eye.submit(png(seed, lines=40))
    eye.submit(pdf(27, pages=5))

    def pages_done() -> int:
        return sum(int(eye.get(f"/v1/jobs/{job}")["progress"]["pages_done"]) for job in eye.jobs)

    # What is older than a second is on disk (appendfsync everysec).
    time.sleep(1.5)
    own_valkey.signal(signal.SIGKILL)
    own_valkey.start()
    back = time.monotonic()
    done = eventually(lambda: [pages_done()], what="the gateway answers again")[0]
    eventually(lambda: pages_done() > done, what="a page after the loss")
    recovered("Redis killed -9 and started from its AOF", time.monotonic() - back)
    eye.all_ended()


def direct_job(stack: Stack, data: bytes) -> tuple[str, tuple[Message, ...], Publisher]:
    """Accept a job as the gateway does, and stop there, as if the gateway were killed before it could publish."""
    import hashlib

    settings = stack.settings.model_copy(update={"redis_url": stack.redis_url})
    store, publisher = open_store(settings)
    sha = hashlib.sha256(data).hexdigest()
    store.put_blob(sha, data)
    new = NewJob(store.issue_id(), os.urandom(8).hex(), "test", sha, len(data), "png", "p.png", (1,), "", "")
    accepted = store.accept(new)
    return accepted.id, accepted.messages, publisher


def test_the_gateway_dies_between_accepting_and_publishing(
    fleet: Fleet, observe: Observe, recovered: Recovered
) -> None:
    stack = fleet()
    eye = observe(stack)
    job, messages, _ = direct_job(stack, png(30))
    accepted = time.monotonic()
    assert len(messages) == 1
    eye.jobs.append(job)
    eye.all_ended()
    recovered("gateway killed between accept and publish", time.monotonic() - accepted)


def test_messages_that_come_twice_are_read_once(fleet: Fleet, observe: Observe, recovered: Recovered) -> None:
    stack = fleet(worker_cores="2")
    eye = observe(stack)
    job, messages, publisher = direct_job(stack, png(33, lines=20))
    sent = time.monotonic()
    for _ in range(6):
        publisher.publish(messages)
    eye.jobs.append(job)
    eye.all_ended()
    publisher.publish(messages)
    eye.ended(eye.submit(png(34)))
    assert [row["outcome"] for row in eye.attempts(job)] == ["done"]
    recovered("every message delivered six times", time.monotonic() - sent)


def test_two_gateways_serve_one_fleet(fleet: Fleet, observe: Observe, recovered: Recovered) -> None:
    stack = fleet()
    port = free_ports(1)[0]
    environment = {**stack.environment, "OCRFLEET_PORT": str(port), "REDIS_URL": stack.redis_url}
    command = [sys.executable, "-m", "gunicorn", "--config", "python:api.gunicorn_conf", "api.wsgi:app"]
    second = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        other = f"http://127.0.0.1:{port}"
        eventually(lambda: requests.get(other + "/readyz", timeout=5).status_code == 200, what="the second gateway")
        started = time.monotonic()
        eye, far = observe(stack), Observer(other)
        data = png(35, lines=30)
        jobs = [eye.submit(data), far.submit(data), eye.submit(data), far.submit(data)]
        for job in jobs:
            assert far.ended(job)["status"] == eye.ended(job)["status"] == "done"
        assert len({str(eye.get(f"/v1/jobs/{job}/result")["text"]) for job in jobs}) == 1
        assert len(eye.attempts(jobs[3])) == 1
        far.close()
        recovered("two gateways, equal uploads", time.monotonic() - started)
    finally:
        second.terminate()
        second.wait(30)


def skewed_worker(stack: Stack, seconds: int, screen: Path) -> subprocess.Popen[bytes]:
    """A second worker of the fleet whose clock is off; what it prints goes into `screen`."""
    faketime = shutil.which("faketime")
    if faketime is None:
        message = "faketime is not installed (Debian package faketime)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with screen.open("wb") as output:
        return subprocess.Popen(
            # -m: the library for programs with threads. The other crashes in some starts (SIGSEGV, 2 of 23 and in CI).
            [faketime, "-m", "-f", f"{seconds:+d}s", sys.executable, "-m", "worker"],
            cwd=ROOT,
            env={
                **stack.environment,
                "REDIS_URL": stack.redis_url,
                "WORKER_CORES": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            },
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def second_worker(stack: Stack, seconds: int, screen: Path, eye: Observer) -> subprocess.Popen[bytes]:
    """`skewed_worker`, once the fleet knows it.

    A start in which libfaketime itself crashes is made again: its shared memory does that with some programs
    (wolfcw/libfaketime, pull request 465), seldom with this one, and it says so.
    """
    for _ in range(STARTS):
        other = skewed_worker(stack, seconds, screen)
        if known(other, eye):
            return other
        printed = screen.read_text(errors="replace")
        if not any(sign in printed for sign in ("libfaketime:", "Caught Segmentation fault")):
            break
    raise AssertionError(f"the worker with the other clock ended:\n{printed[-4000:]}")


def known(other: subprocess.Popen[bytes], eye: Observer) -> bool:
    """Whether the fleet came to know a second worker; False when that ended first."""
    eventually(
        lambda: other.poll() is not None or len(eye.get("/v1/capacity")["workers"]) == 2,
        what="both workers are there",
    )
    return other.poll() is None


def group(leader: int) -> set[int]:
    """Every process of a process group."""
    found = set()
    for pid in pids():
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(pid) == leader:
                found.add(pid)
    return found


@pytest.mark.parametrize("seconds", [60, -60])
def test_clocks_that_differ_do_no_harm(
    seconds: int, fleet: Fleet, observe: Observe, recovered: Recovered, tmp_path: Path
) -> None:
    stack = fleet()
    eye = observe(stack)
    other = second_worker(stack, seconds, tmp_path / "other.log", eye)
    try:
        started = time.monotonic()
        job = eye.submit(pdf(40 + seconds, pages=16))
        mine = set(stack.worker_children())
        row = eventually(
            lambda: next((a for a in eye.attempts(job) if a["outcome"] is None and slot_pid(a) not in mine), {}),
            what="a page read by the worker with the other clock",
        )
        os.kill(slot_pid(row), signal.SIGKILL)
        eye.all_ended()
        recovered(f"clocks {seconds:+d} s apart, a worker killed", time.monotonic() - started)
        assert {slot_pid(a) in mine for a in eye.attempts(job)} == {True, False}
    finally:
        # faketime itself ends last: it takes away what it put into /dev/shm.
        for pid in group(other.pid) - {other.pid}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        other.wait(30)


def test_redis_full_refuses_whole_and_goes_on(
    fleet: Fleet, own_valkey: OwnValkey, observe: Observe, recovered: Recovered
) -> None:
    stack = fleet(redis_url=own_valkey.url)
    eye = observe(stack)
    job = eye.submit(pdf(50, pages=4))
    eye.running(job)
    client = connect(own_valkey.url)
    limit = client.config_get("maxmemory")["maxmemory"]
    client.config_set("maxmemory", client.info("memory")["used_memory"] + 100_000)
    noise = os.urandom(3_000_000)
    bulky = png(51)[:-12] + len(noise).to_bytes(4, "big") + b"noIs" + noise
    import zlib

    bulky += zlib.crc32(b"noIs" + noise).to_bytes(4, "big") + png(51)[-12:]
    refused = requests.post(stack.url + "/v1/jobs", files={"file": bulky}, timeout=30)
    assert refused.status_code == 503, refused.text
    assert int(refused.headers["Retry-After"]) > 0
    client.config_set("maxmemory", limit)
    freed = time.monotonic()
    eye.submit(bulky)
    eye.all_ended()
    recovered("Redis at maxmemory", time.monotonic() - freed)


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk can be mounted by root only")
def test_a_full_disk_refuses_whole_and_goes_on(
    fleet: Fleet, tmp_path: Path, observe: Observe, recovered: Recovered
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no small disk can be mounted here: " + mounted.stderr.decode())
    server = None
    try:
        server = OwnValkey(disk)
        stack = fleet(redis_url=server.url)
        eye = observe(stack)
        job = eye.submit(png(60, lines=60))
        (disk / "ballast").write_bytes(b"\0" * _free(disk))

        def refused() -> bool:
            answer = requests.post(stack.url + "/v1/jobs", files={"file": png(61)}, timeout=30)
            assert answer.status_code in (202, 503), answer.text
            if answer.status_code == 202:
                eye.jobs.append(answer.json()["id"])
            return answer.status_code == 503

        eventually(refused, what="a full disk is refused")
        (disk / "ballast").unlink()
        freed = time.monotonic()
        eventually(lambda: eye.submit(png(62)), what="accepted again")
        eye.ended(eye.jobs[-1])
        recovered("disk full for the AOF", time.monotonic() - freed)
        assert job in eye.jobs
        eye.all_ended()
    finally:
        if server is not None:
            server.signal(signal.SIGKILL)
        subprocess.run(["umount", "-l", str(disk)], check=False)


def _free(folder: Path) -> int:
    stats = os.statvfs(folder)
    return stats.f_bavail * stats.f_frsize


def test_cancel_stops_a_document_before_its_next_page_and_leaves_nothing(
    fleet: Fleet, observe: Observe, recovered: Recovered
) -> None:
    stack = fleet()
    eye = observe(stack)
    job = eye.submit(pdf(70, pages=30))
    eye.running(job)
    eye.client.cancel(job)
    asked = time.monotonic()
    eventually(lambda: eye.get("/v1/capacity")["running"] == 0, what="no page in work")
    stopped = time.monotonic() - asked
    attempts = eye.attempts(job)
    assert all(row["outcome"] is not None for row in attempts)
    eye.jobs.remove(job)
    eye.client.delete(job)
    client = redis.Redis.from_url(stack.redis_url)
    left = {key.decode() for key in client.scan_iter(stack.settings.redis_prefix + "*")}
    kept = ("slots", "slotinfo", "cores:", "meta", "order", "totals", "todo", "reconciler", "queue:")
    assert not [key for key in left if not key.removeprefix(stack.settings.redis_prefix).startswith(kept)], left
    assert requests.get(f"{stack.url}/v1/jobs/{job}", timeout=5).status_code == 410
    recovered("cancel and delete of a running document", stopped)
