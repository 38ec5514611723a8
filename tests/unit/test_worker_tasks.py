"""One message, from claim to result, with everything that can go wrong on the way."""

from __future__ import annotations

import hashlib
import io
import json
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from celery.exceptions import Reject, SoftTimeLimitExceeded
from PIL import Image

from shared.errors import EngineUnavailable, StoreUnavailable
from shared.records import Char, Line, Page, ReadOptions
from shared.settings import Settings
from shared.store.memory import MemoryStore
from shared.store.protocol import Limits, Message, NewJob, Status
from worker import lifecycle, tasks
from worker.cores import CoreLease
from worker.heartbeat import Heartbeat
from worker.reading import fold
from worker.shelf import Shelf
from worker.slot import Slot
from worker.tasks import run_page

SAMPLES = Path(__file__).parents[2] / "samples"
Progress = Callable[[int, int], None]


class Sink:
    """Collects the messages that would go to the broker."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.fails = False

    def publish(self, messages: Iterable[Message]) -> None:
        if self.fails:
            raise OSError("the broker is away")
        self.sent += messages

    def depths(self) -> dict[str, int]:
        return {"interactive": 0, "bulk": 0}


class FakeReader:
    """Reads the size of a picture; `act` may do something else first."""

    def __init__(self) -> None:
        self.calls = 0
        self.act: Callable[[Progress], None] = lambda progress: None

    def warm(self) -> str:
        return "warm"

    def fingerprint(self, options: ReadOptions) -> str:
        return "fake/1"

    def models_used(self, options: ReadOptions) -> dict[str, str]:
        return {"fake": "1"}

    def read(self, image: Any, options: ReadOptions, progress: Progress) -> Page:
        self.calls += 1
        self.act(progress)
        height, width = image.shape[:2]
        progress(1, 1)
        quad = ((0.0, 0.0), (float(width), 0.0), (float(width), float(height)), (0.0, float(height)))
        line = Line(f"{width}x{height}", 0.9, quad, "fake", (Char("x", 0.9, quad),))
        return Page(width, height, (line,), line.text, timing_ms={"recognise": 1.0})


class Fleet:
    """A store, a slot on it, and short words for what the tests do."""

    def __init__(self, spool: Path) -> None:
        self.store = MemoryStore(Limits(max_attempts=2))
        self.sink = Sink()
        self.reader = FakeReader()
        self.settings = Settings(soft_limit_s=8, hard_limit_s=10)
        shelf = Shelf(self.settings, self.store.get_blob, spool)
        lease = CoreLease(self.store, "host:1:2", 30, "boot", (0,))
        info = {"hostname": "host", "fingerprint": "fake/1", "warm": True}
        self.slot = Slot("host:1:2", self.settings, self.store, self.sink, self.reader, shelf, lease, info)

    def submit(self, data: bytes, kind: str = "png", pages: int = 1, options: str = "auto/auto/auto/auto") -> str:
        sha = hashlib.sha256(data).hexdigest()
        self.store.put_blob(sha, data)
        job = NewJob(
            self.store.issue_id(), f"run{self.store.machine.order}", "me", sha, len(data), kind, "name",
            tuple(range(1, pages + 1)), options, "",
        )  # fmt: skip
        self.sink.publish(self.store.accept(job).messages)
        return job.id

    def work(self) -> list[str]:
        """Every message that is on the queue, and those that follow from them."""
        outcomes = []
        while self.sink.sent:
            message = self.sink.sent.pop(0)
            outcomes.append(run_page(self.slot, message.run, message.page))
        return outcomes

    def page(self, job: str, number: int = 1) -> dict[str, Any]:
        packed = self.store.page_result(job, number)
        assert packed is not None
        result: dict[str, Any] = json.loads(zlib.decompress(packed))
        return result

    def outcomes(self, job: str) -> list[str]:
        return [attempt["outcome"] for attempt in self.store.attempts(job)]


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    monkeypatch.setattr(tasks, "PAUSE_S", (0.001, 0.002))
    return Fleet(tmp_path)


def png(width: int = 30, height: int = 20, level: int = 200) -> bytes:
    file = io.BytesIO()
    Image.new("L", (width, height), level).save(file, "PNG")
    return file.getvalue()


# What goes well


def test_a_page_is_read_and_its_attempt_says_by_whom(fleet: Fleet) -> None:
    job = fleet.submit(png())
    assert fleet.work() == ["done"]
    assert fleet.store.view(job).status is Status.DONE
    page = fleet.page(job)
    assert page["text"] == "30x20"
    assert page["timing_ms"].keys() == {"decode", "recognise"}
    attempt = fleet.store.attempts(job)[0]
    assert (attempt["worker"], attempt["host"], attempt["models"]) == ("host:1:2", "host", "fake/1")


def test_a_document_of_many_pages_is_read_to_its_end_with_previews(fleet: Fleet) -> None:
    job = fleet.submit((SAMPLES / "report-5p.pdf").read_bytes(), "pdf", 5)
    assert fleet.work() == ["done"] * 5
    assert fleet.store.view(job).status is Status.DONE
    preview = fleet.store.preview(job, 5)
    assert preview is not None
    with Image.open(io.BytesIO(preview)) as picture:
        assert picture.format == "JPEG"
        assert max(picture.size) == 1200


def test_a_picture_needs_no_preview(fleet: Fleet) -> None:
    job = fleet.submit(png())
    fleet.work()
    assert fleet.store.preview(job, 1) is None


def test_a_page_is_handed_in_in_the_form_asked_for_and_not_mixed_up_with_another(fleet: Fleet) -> None:
    def read(image: Any, options: ReadOptions, progress: Progress) -> Page:
        quad = ((0.0, 0.0), (30.0, 0.0), (30.0, 20.0), (0.0, 20.0))
        return Page(30, 20, (Line("漢Ａ", 0.9, quad, "fake", (Char("漢", 0.9, quad), Char("Ａ", 0.9, quad))),), "漢Ａ")

    fleet.reader.read = read  # type: ignore[method-assign]
    texts = {}
    for how in ("off", "simplified", "simplified-halfwidth"):
        job = fleet.submit(png(), options=ReadOptions(fold=how).fingerprint())
        fleet.work()
        page = fleet.page(job)
        texts[how] = page["text"]
        assert "".join(char["text"] for char in page["lines"][0]["chars"]) == page["lines"][0]["text"] == page["text"]
    assert texts == {"off": "漢Ａ", "simplified": "汉Ａ", "simplified-halfwidth": "汉A"}


def test_the_same_pixels_in_another_file_are_read_once(fleet: Fleet) -> None:
    first = fleet.submit(png())
    fleet.work()
    file = io.BytesIO()
    Image.new("L", (30, 20), 200).save(file, "BMP")
    second = fleet.submit(file.getvalue(), "bmp")
    assert fleet.work() == ["done"]
    assert fleet.reader.calls == 1
    assert fleet.page(second)["text"] == fleet.page(first)["text"]
    assert fleet.store.view(second).cached


def test_other_options_are_another_reading(fleet: Fleet) -> None:
    fleet.submit(png())
    fleet.submit(png(), options="ja/auto/auto/auto")
    fleet.work()
    assert fleet.reader.calls == 2


def test_equal_pages_of_one_document_keep_their_own_numbers(fleet: Fleet) -> None:
    file = io.BytesIO()
    pages = [Image.new("L", (30, 20), 200) for _ in range(3)]
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:])
    job = fleet.submit(file.getvalue(), "tiff", 3)
    fleet.work()
    assert fleet.reader.calls == 1
    assert [fleet.page(job, number)["page"] for number in (1, 2, 3)] == [1, 2, 3]


def test_boxes_of_a_reduced_page_are_in_pixels_of_the_page_as_displayed() -> None:
    quad = ((0.0, 0.0), (10.0, 0.0), (10.0, 5.0), (0.0, 5.0))
    small = Page(50, 25, (Line("a", 1.0, quad, "fake", (Char("a", 1.0, quad), Char("b", 1.0))),))
    large = tasks.stretched(small, 100, 75)
    assert (large.width, large.height) == (100, 75)
    assert large.lines[0].box == ((0, 0), (20, 0), (20, 15), (0, 15))
    assert large.lines[0].chars[0].box == large.lines[0].box
    assert large.lines[0].chars[1].box is None


def test_warnings_of_the_decoder_reach_the_result(fleet: Fleet) -> None:
    file = io.BytesIO()
    Image.new("L", (40, 24)).save(file, "TIFF", dpi=(204, 98))
    job = fleet.submit(file.getvalue(), "tiff")
    fleet.work()
    assert "square" in fleet.page(job)["warnings"][0]


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("ja/crnn/line/off", ReadOptions("ja", "crnn", "line", "off")),
        ('{"lang": "ja", "newer": 1}', ReadOptions("ja")),
        ("", ReadOptions()),
    ],
)
def test_options_are_understood_in_both_forms(text: str, options: ReadOptions) -> None:
    assert tasks.parse_options(text) == options


# What the document is to blame for


def test_a_broken_document_fails_at_once_and_says_why(fleet: Fleet) -> None:
    job = fleet.submit(png()[:45])
    assert fleet.work() == ["failed"]
    view = fleet.store.view(job)
    assert view.status is Status.FAILED
    assert view.error is not None
    assert view.error["type"].endswith("broken-file")
    assert fleet.page(job)["error"] == view.error
    assert fleet.outcomes(job) == ["failed"]


def test_one_bad_page_leaves_the_others_readable(fleet: Fleet) -> None:
    file = io.BytesIO()
    Image.new("L", (30, 20)).save(file, "TIFF", save_all=True, append_images=[Image.new("L", (2, 2))])
    job = fleet.submit(file.getvalue(), "tiff", 2)
    assert sorted(fleet.work()) == ["done", "failed"]
    assert fleet.store.view(job).status is Status.PARTIAL
    assert fleet.page(job, 2)["error"]["type"].endswith("too-small")


def test_an_engine_that_is_not_installed_fails_the_page_with_that_reason(fleet: Fleet) -> None:
    def act(progress: Progress) -> None:
        raise EngineUnavailable(engine="modelscope", known="auto")

    fleet.reader.act = act
    job = fleet.submit(png())
    assert fleet.work() == ["failed"]
    assert fleet.page(job)["error"]["type"].endswith("engine-unavailable")


def test_out_of_memory_fails_the_page_and_the_slot_lives(fleet: Fleet) -> None:
    fleet.reader.act = mock.Mock(side_effect=MemoryError)
    job = fleet.submit(png())
    assert fleet.work() == ["failed"]
    assert fleet.page(job)["error"]["code"] == "MEMORY"
    fleet.reader.act = lambda progress: None
    assert fleet.submit(png(50, 50))
    assert fleet.work() == ["done"]


def test_a_page_that_takes_too_long_fails_as_timeout_without_a_second_try(fleet: Fleet) -> None:
    fleet.reader.act = mock.Mock(side_effect=SoftTimeLimitExceeded)
    job = fleet.submit(png())
    assert fleet.work() == ["failed"]
    assert fleet.page(job)["error"]["code"] == "TIMEOUT"
    assert fleet.reader.calls == 1


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
