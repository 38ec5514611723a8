"""What a slot says of itself while it reads."""

from __future__ import annotations

from typing import Any
from unittest import mock

import numpy as np
import pytest

from shared.errors import StoreUnavailable
from shared.records import Page, ReadOptions
from tests.worker_fleet import Fleet, Progress, png
from worker.heartbeat import Heartbeat
from worker.reading import fold

# The heartbeat


def test_the_heartbeat_renews_the_page_and_reports_its_lines(fleet: Fleet) -> None:
    job = fleet.submit(png())
    heartbeat = Heartbeat(fleet.slot)
    seen: list[tuple[int, int]] = []

    def act(progress: Progress) -> None:
        progress(3, 10)
        heartbeat.beat(force=True)
        view = fleet.store.view(job)
        seen.append((view.lines_done, view.lines_total))

    fleet.reader.act = act
    fleet.work()
    assert seen == [(3, 10)]


def test_a_slot_is_seen_with_its_core_and_state(fleet: Fleet) -> None:
    fleet.slot.lease.core = 0
    with mock.patch("worker.cores.pin"):
        Heartbeat(fleet.slot).beat()
    (info,) = fleet.store.slots()
    assert (info["slot"], info["core"], info["pinned"], info["state"]) == ("host:1:2", 0, True, "idle")
    assert info["rss_mib"] > 0
    assert fleet.store.capacity().slots == 1


def test_the_heartbeat_outlives_a_store_that_is_away_and_complains_once(
    fleet: Fleet, caplog: pytest.LogCaptureFixture
) -> None:
    heartbeat = Heartbeat(fleet.slot)
    with mock.patch.object(fleet.store, "beat_slot", side_effect=StoreUnavailable), mock.patch("worker.cores.pin"):
        for _ in range(5):
            heartbeat.beat(force=True)
    assert [record.levelname for record in caplog.records].count("WARNING") == 1
    heartbeat.beat(force=True)
    assert fleet.store.capacity().slots == 1


def test_engines_beyond_the_default_are_reported_once_known(fleet: Fleet) -> None:
    fleet.submit(png(), options="auto/crnn/auto/auto")
    fleet.work()
    with mock.patch("worker.cores.pin"):
        Heartbeat(fleet.slot).beat(force=True)
    assert fleet.store.fleet_fingerprint("crnn") == f"fake/1/documents=1/fold={fold.version()}"


def test_the_image_handed_to_the_reader_is_plain_bgr(fleet: Fleet) -> None:
    kinds: list[tuple[Any, int]] = []
    read = fleet.reader.read

    def spy(image: Any, options: ReadOptions, progress: Progress) -> Page:
        kinds.append((image.dtype, image.ndim))
        return read(image, options, progress)

    with mock.patch.object(fleet.reader, "read", spy):
        fleet.submit(png())
        fleet.work()
    assert kinds == [(np.dtype(np.uint8), 3)]
