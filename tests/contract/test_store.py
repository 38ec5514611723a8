"""What the job store promises, of the twin and of the Lua alike: jobs, what they share, and how they end."""

from __future__ import annotations

import dataclasses
import json
import threading
import zlib
from typing import Any

import pytest

from shared import errors
from shared.store.protocol import Limits, Status
from tests.contract.conftest import LIMITS, Bench


def test_a_job_goes_from_queued_through_running_to_done(bench: Bench) -> None:
    job = bench.submit(pages=2).id
    assert bench.store.view(job).status is Status.QUEUED
    first = bench.take()
    assert first is not None
    assert (first.page, first.attempt, first.pages_total) == (1, 1, 2)
    assert bench.store.get_blob(first.blob) == b"one"
    assert bench.store.beat(first, 3, 9)
    view = bench.store.view(job)
    assert (view.status, view.lines_done, view.lines_total, view.pages_done) == (Status.RUNNING, 3, 9, 0)
    assert bench.finish(first)
    assert bench.store.page_result(job, 1) == b"text"
    assert bench.store.page_result(job, 2) is None
    assert bench.read_all() == 1
    view = bench.store.view(job)
    assert (view.status, view.pages_done, view.lines_done) == (Status.DONE, 2, 4)
    assert bench.store.page_results(job) == {1: b"text", 2: b"text"}


def test_bytes_are_freed_when_their_last_run_ends(bench: Bench) -> None:
    bench.submit()
    bench.submit(options="other")
    claim = bench.take()
    assert claim is not None
    bench.finish(claim)
    assert bench.store.get_blob(claim.blob) is not None
    bench.read_all()
    assert bench.store.get_blob(claim.blob) is None
    assert bench.store.capacity().blob_bytes == 0


def test_equal_jobs_under_way_share_one_run(bench: Bench) -> None:
    jobs = [bench.submit() for _ in range(5)]
    assert [job.how for job in jobs] == ["new"] + ["joined"] * 4
    assert bench.read_all() == 1
    assert {bench.store.view(job.id).status for job in jobs} == {Status.DONE}


def test_cancelling_one_of_several_leaves_the_others(bench: Bench) -> None:
    first, second = bench.submit().id, bench.submit().id
    bench.store.cancel(first)
    bench.read_all()
    assert bench.store.view(first).status is Status.CANCELLED
    assert bench.store.view(second).status is Status.DONE
    assert bench.store.page_result(first, 1) is None


def test_a_finished_run_answers_equal_jobs_at_once(bench: Bench) -> None:
    bench.submit()
    bench.read_all()
    again = bench.submit()
    assert again.how == "cached"
    view = bench.store.view(again.id)
    assert (view.status, view.cached) == (Status.DONE, True)
    assert bench.store.page_results(again.id) == {1: b"text"}


def test_failed_and_partial_runs_are_not_cached(bench: Bench) -> None:
    job = bench.submit(pages=2).id
    first = bench.take()
    assert first is not None
    bench.store.fail_page(first, {"detail": "bad"}, b"", retry=False)
    bench.read_all()
    view = bench.store.view(job)
    assert (view.status, view.pages_failed, view.error) == (Status.PARTIAL, 1, {"detail": "bad"})
    page = json.loads(zlib.decompress(bench.store.page_results(job)[1]))
    assert (page["page"], page["error"], page["lines"]) == (1, {"detail": "bad"}, [])
    assert bench.submit(pages=2).how == "new"


def test_a_run_read_by_two_model_versions_is_not_cached(bench: Bench) -> None:
    bench.submit(pages=2)
    for fingerprint in ("f1", "f2"):
        claim = bench.take()
        assert claim is not None
        bench.finish(claim, fingerprint=fingerprint)
    assert bench.submit(pages=2).how == "new"


def test_a_job_without_a_key_is_neither_joined_nor_cached(bench: Bench) -> None:
    assert bench.submit(key="").how == "new"
    assert bench.submit(key="").how == "new"
    assert bench.read_all() == 2
    assert bench.submit(key="").how == "new"


def test_a_page_is_found_by_its_pixels(bench: Bench) -> None:
    bench.submit()
    claim = bench.take()
    assert claim is not None
    assert bench.store.cached_page("pixels") is None
    bench.finish(claim, page_key="pixels")
    assert bench.store.cached_page("pixels") == b"text"
    other = bench.submit(data=b"same picture as BMP")
    claim = bench.take()
    assert claim is not None
    bench.finish(claim, page_key="pixels", cached=True)
    assert bench.store.view(other.id).cached


def test_an_idempotency_key_gives_the_same_job_and_refuses_another_document(bench: Bench) -> None:
    first = bench.submit(idempotency="k", key="")
    assert bench.submit(idempotency="k", key="") == dataclasses.replace(first, how="repeated", messages=())
    with pytest.raises(errors.IdempotencyConflict):
        bench.submit(data=b"other", idempotency="k")
    assert bench.submit(client="bob", idempotency="k", key="").how == "new"
    bench.read_all()
    bench.clock.forward(3 * 86400)
    bench.reconcile()
    if bench.store.__class__.__name__ == "MemoryStore":
        assert bench.submit(idempotency="k", key="").how == "new"


def test_the_bound_holds_for_all_and_for_one_client(bench: Bench) -> None:
    for number in range(10):
        bench.submit(options=str(number))
    with pytest.raises(errors.QueueFull) as refused:
        bench.submit(options="eleventh")
    assert 1 <= (refused.value.retry_after or 0) <= 120
    for number in range(10):
        bench.submit(options=str(number), client="bob")
    with pytest.raises(errors.QueueFull):
        bench.submit(client="eve")
    assert bench.store.capacity().jobs_in_flight == 20
    bench.read_all()
    assert bench.submit(client="eve", key="").how == "new"


def test_waiting_bytes_are_bounded(make_bench: Any) -> None:
    for kind in ("memory", "redis"):
        bench = make_bench(kind, Limits(max_blob_bytes=10))
        bench.submit(b"12345678")
        with pytest.raises(errors.QueueFull):
            bench.submit(b"abcdefgh")
        bench.read_all()
        assert bench.submit(b"abcdefgh").how == "new"


def test_bytes_that_vanished_are_asked_for_again(bench: Bench) -> None:
    with pytest.raises(errors.BlobMissing):
        bench.submit(blob="0" * 64)


def test_cancel_stops_the_rest_and_frees_the_slot_and_the_bytes(bench: Bench) -> None:
    job = bench.submit(pages=10).id
    claim = bench.take()
    assert claim is not None
    bench.store.cancel(job)
    assert not bench.store.beat(claim, 1, 2)
    assert not bench.finish(claim)
    assert bench.take() is None
    assert bench.store.view(job).status is Status.CANCELLED
    capacity = bench.store.capacity()
    assert (capacity.waiting, capacity.running, capacity.jobs_in_flight, capacity.blob_bytes) == (0, 0, 0, 0)
    bench.store.cancel(job)
    assert bench.store.view(job).status is Status.CANCELLED


def test_deleted_and_expired_jobs_are_gone_and_strange_ids_were_never_there(bench: Bench) -> None:
    deleted, expired = bench.submit(key="").id, bench.submit().id
    bench.store.delete(deleted)
    bench.read_all()
    with pytest.raises(errors.JobGone):
        bench.store.view(deleted)
    bench.clock.forward(3601)
    with pytest.raises(errors.JobGone):
        bench.store.view(expired)
    with pytest.raises(errors.JobGone):
        bench.store.page_results(expired)
    bench.reconcile()
    with pytest.raises(errors.JobGone):
        bench.store.view(expired)
    for strange in ("nonsense", "a" * 32, expired[:-1] + ("a" if expired[-1] != "a" else "b")):
        with pytest.raises(errors.JobNotFound):
            bench.store.view(strange)
    with pytest.raises(errors.PageNotFound):
        bench.store.page_result(bench.submit().id, 7)


def test_deleting_the_only_job_of_a_cached_run_forgets_the_result(bench: Bench) -> None:
    job = bench.submit().id
    bench.read_all()
    bench.store.delete(job)
    assert bench.store.capacity().cache_bytes == 0
    assert bench.submit().how == "new"


def test_the_cache_keeps_to_its_budget_and_drops_the_least_recently_used(bench: Bench) -> None:
    for number in range(3):
        bench.submit(options=str(number))
        claim = bench.take()
        assert claim is not None
        bench.clock.forward(1)
        bench.finish(claim, b"x" * 4000)
    assert bench.store.capacity().cache_bytes == 8000
    assert bench.submit(options="0").how == "new"
    assert bench.submit(options="2").how == "cached"
    bench.clock.forward(7300)
    bench.reconcile()
    assert bench.store.capacity().cache_bytes == 0


def test_a_job_past_its_deadline_fails(bench: Bench) -> None:
    job = bench.submit().id
    bench.clock.forward(LIMITS.job_deadline_s + 1)
    bench.reconcile()
    view = bench.store.view(job)
    assert view.status is Status.FAILED
    assert view.error is not None
    assert "in time" in view.error["detail"]
    assert bench.store.capacity().jobs_in_flight == 0


def test_queue_position_and_eta_shrink(bench: Bench) -> None:
    bench.store.beat_slot("s1", {"warm": True})
    bench.submit(options="first")
    bench.read_all()
    jobs = [bench.submit(options=str(number)).id for number in range(3)]
    assert [bench.store.view(job).queue_position for job in jobs] == [1, 2, 3]
    before = bench.store.view(jobs[2]).eta_s
    claim = bench.take()
    assert claim is not None
    bench.finish(claim)
    assert bench.store.view(jobs[2]).queue_position == 2
    assert 0 < bench.store.view(jobs[2]).eta_s < before
    bench.clock.forward(1)
    bench.read_all()
    counters = bench.store.counters()
    assert counters["eta_jobs"] == 3
    assert 1000 < counters["eta_error_ms"] < 3000


def test_jobs_are_listed_newest_first_for_their_client_only(bench: Bench) -> None:
    ids = []
    for number in range(3):
        bench.clock.forward(1)
        ids.append(bench.submit(options=str(number)).id)
    bench.submit(client="bob", options="b")
    views = bench.store.list_jobs("ann", 2)
    assert [view.id for view in views] == ids[:0:-1]
    assert [view.id for view in bench.store.list_jobs("ann", 5, before_ms=views[-1].created_at)] == ids[:1]


def test_waiting_for_a_change_misses_nothing(bench: Bench) -> None:
    job = bench.submit().id
    run = bench.store.view(job).run
    news = bench.store.news()
    claim = bench.take()
    assert claim is not None
    assert bench.store.wait_for_change(run, 5, news), "news from before the wait counts"
    news = bench.store.news()
    timer = threading.Timer(0.05, bench.finish, [claim])
    timer.start()
    while bench.store.view(job).status is not Status.DONE:
        assert bench.store.wait_for_change(run, 5, news)
        news = bench.store.news()
    timer.join()
    assert not bench.store.wait_for_change("another", 0.01, bench.store.news())


def test_nothing_is_left_when_everything_has_expired(bench: Bench) -> None:
    jobs = [bench.submit(pages=6, idempotency="k"), bench.submit(options="b"), bench.submit(options="c", client="bob")]
    bench.store.cancel(jobs[1].id)
    bench.read_all()
    bench.clock.forward(8 * 86400)
    bench.reconcile()
    bench.reconcile()
    if bench.store.__class__.__name__ == "MemoryStore":
        machine = bench.store.machine
        assert not (machine.jobs)
        assert not (machine.runs)
        assert not (machine.blobs)
        assert not (machine.page_keys)
        assert not (machine.cache)
    else:
        store = bench.store
        left = {key.decode().removeprefix(store._prefix) for key in store._client.scan_iter(store._prefix + "*")}
        # Idempotency keys leave by Redis's own clock.
        assert {key for key in left if not key.startswith("idem:")} <= {"meta", "order", "totals", "todo", "reconciler"}
