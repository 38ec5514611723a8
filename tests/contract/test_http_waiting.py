"""Answers that wait for a change."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.contract.http_bench import Gate
from tests.documents import pdf, picture


def test_a_waiting_answer_comes_when_the_job_changes() -> None:
    gate = Gate()
    job = gate.id(pdf(2))
    waiting = threading.Event()
    wait = gate.store.wait_for_change

    def notice(*args: Any) -> Any:
        waiting.set()
        return wait(*args)

    gate.store.wait_for_change = notice

    def worker() -> None:
        assert waiting.wait(10)
        claim = gate.claim()
        assert claim is not None
        gate.finish(claim, "one")

    thread = threading.Thread(target=worker)
    thread.start()
    changed = gate.http.get(f"/v1/jobs/{job}?wait=30").get_json()
    thread.join()
    assert changed["status"] == "running"


def test_a_wait_that_meets_no_change_ends_in_time() -> None:
    gate = Gate(max_wait_s=0)
    job = gate.id()
    assert gate.http.get(f"/v1/jobs/{job}?wait=30").get_json()["status"] == "queued"
    gate = Gate()
    job = gate.id()
    assert gate.http.get(f"/v1/jobs/{job}?wait=0.05").get_json()["status"] == "queued"


def test_an_ended_job_is_not_waited_for() -> None:
    gate = Gate()
    job = gate.id()
    gate.read()
    gate.store.wait_for_change = lambda *_: pytest.fail("it waits")
    assert gate.http.get(f"/v1/jobs/{job}?wait=30").get_json()["status"] == "done"


def test_with_its_last_etag_a_client_misses_no_change_between_two_requests() -> None:
    gate = Gate()
    job = gate.id()
    tag = gate.http.get(f"/v1/jobs/{job}").headers["ETag"]
    same = gate.http.get(f"/v1/jobs/{job}?wait=0.05", headers={"If-None-Match": tag})
    assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", tag)
    gate.claim()
    gate.store.wait_for_change = lambda *_: pytest.fail("it waits")
    changed = gate.http.get(f"/v1/jobs/{job}?wait=30", headers={"If-None-Match": tag})
    assert changed.get_json()["status"] == "running"


def test_submitting_may_wait_for_the_end() -> None:
    gate = Gate()
    wait = gate.store.wait_for_change

    def work_then_wait(*args: Any) -> Any:
        gate.read("waited for")
        return wait(*args)

    gate.store.wait_for_change = work_then_wait
    answer = gate.http.post("/v1/jobs?wait=30", data=picture(), content_type="image/png")
    assert (answer.status_code, answer.get_json()["status"]) == (200, "done")


def test_more_waiters_than_places_are_answered_at_once() -> None:
    gate = Gate(gateway_threads=2)
    job = gate.id()
    held = threading.Event()
    let_go = threading.Event()

    def hold(*_: Any) -> bool:
        held.set()
        return let_go.wait(10)

    gate.store.wait_for_change = hold
    thread = threading.Thread(target=lambda: gate.app.test_client().get(f"/v1/jobs/{job}?wait=5"))
    thread.start()
    assert held.wait(10)
    assert gate.http.get(f"/v1/jobs/{job}?wait=30").get_json()["status"] == "queued"
    gate.read()
    let_go.set()
    thread.join()
