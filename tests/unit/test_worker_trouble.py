"""One message whose process, store, broker or other worker goes wrong on the way."""

from __future__ import annotations

from unittest import mock

import pytest
from celery.exceptions import Reject, SoftTimeLimitExceeded

from shared.errors import StoreUnavailable
from shared.store.protocol import Status
from tests.worker_fleet import Fleet, Progress, png
from worker import lifecycle, tasks
from worker.heartbeat import Heartbeat
from worker.tasks import run_page

# What the process is to blame for


def test_an_unexpected_error_is_tried_again_and_then_said(fleet: Fleet) -> None:
    fleet.reader.act = mock.Mock(side_effect=[ZeroDivisionError, None])
    job = fleet.submit(png())
    assert fleet.work() == ["retry", "done"]
    assert fleet.outcomes(job) == ["error", "done"]

    fleet.reader.act = mock.Mock(side_effect=ZeroDivisionError)
    job = fleet.submit(png(50, 50))
    assert fleet.work() == ["retry", "retry"]
    assert "ZeroDivisionError" in fleet.page(job)["error"]["detail"]


# What others are to blame for


def test_a_cancelled_page_stops_at_the_next_line(fleet: Fleet) -> None:
    job = fleet.submit(png())
    heartbeat = Heartbeat(fleet.slot)
    after: list[int] = []

    def act(progress: Progress) -> None:
        progress(1, 10)
        fleet.store.cancel(job)
        heartbeat.beat(force=True)
        progress(2, 10)
        after.append(2)

    fleet.reader.act = act
    assert fleet.work() == ["void"]
    assert after == []
    assert fleet.store.view(job).status is Status.CANCELLED
    assert fleet.slot.work is None


def test_a_second_delivery_of_a_message_does_nothing(fleet: Fleet) -> None:
    fleet.submit(png())
    fleet.sink.sent *= 2
    assert fleet.work() == ["done", "nothing"]
    assert fleet.reader.calls == 1


def test_a_result_that_comes_after_another_worker_took_the_page_is_discarded(fleet: Fleet) -> None:
    job = fleet.submit(png())
    message = fleet.sink.sent[0]

    def act(progress: Progress) -> None:
        fleet.store.lose_page(message.run, 1, "host:1:2", "lost", final=None)
        fleet.store.claim(message.run, 1, "another", {"worker": "host:9:9"})

    fleet.reader.act = act
    assert fleet.work() == ["late"]
    assert fleet.store.view(job).status is Status.RUNNING


def test_a_finished_page_is_kept_in_hand_until_the_store_is_back(fleet: Fleet) -> None:
    job = fleet.submit(png())
    real = fleet.store.finish_page
    with mock.patch.object(fleet.store, "finish_page", side_effect=[StoreUnavailable] * 5 + [mock.DEFAULT], wraps=real):
        assert fleet.work() == ["done"]
    assert fleet.store.view(job).status is Status.DONE
    assert fleet.reader.calls == 1


def test_a_soft_limit_that_strikes_while_handing_in_does_not_cost_the_page(fleet: Fleet) -> None:
    job = fleet.submit(png())
    real = fleet.store.finish_page
    with mock.patch.object(fleet.store, "finish_page", side_effect=[SoftTimeLimitExceeded, mock.DEFAULT], wraps=real):
        assert fleet.work() == ["done"]
    assert fleet.store.view(job).status is Status.DONE


def test_a_store_that_stays_away_gives_the_message_back(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet.submit(png())
    message = fleet.sink.sent[0]
    monkeypatch.setattr(tasks, "KILL_MARGIN_S", 10.0)
    monkeypatch.setattr(lifecycle, "_slot", fleet.slot)
    with mock.patch.object(fleet.store, "claim", side_effect=StoreUnavailable), pytest.raises(Reject) as rejected:
        tasks.read_page(v=1, run=message.run, page=message.page)
    assert rejected.value.requeue


def test_a_broker_that_is_away_does_not_cost_the_page(fleet: Fleet) -> None:
    job = fleet.submit(png())
    message = fleet.sink.sent.pop()
    fleet.sink.fails = True
    assert run_page(fleet.slot, message.run, message.page) == "done"
    assert fleet.store.view(job).status is Status.DONE


def test_a_document_that_vanished_from_the_store_is_said_after_the_last_try(fleet: Fleet) -> None:
    job = fleet.submit(png())
    fleet.store.machine.blobs.clear()
    assert fleet.work() == ["retry", "retry"]
    assert fleet.page(job)["error"]["code"] == "BLOB"


def test_a_message_of_a_newer_version_is_left_to_a_newer_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "STRANGE_PAUSE_S", 0.0)
    with pytest.raises(Reject) as rejected:
        tasks.read_page(v=2, run="r", page=1, region=[0, 0, 1, 1])
    assert rejected.value.requeue


def test_fields_that_a_newer_publisher_adds_are_ignored(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet.submit(png())
    monkeypatch.setattr(lifecycle, "_slot", fleet.slot)
    message = fleet.sink.sent[0]
    assert tasks.read_page(v=1, run=message.run, page=message.page, colour="blue") == "done"
