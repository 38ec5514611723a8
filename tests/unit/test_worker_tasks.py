"""One message, from claim to result, and what a document is to blame for."""

from __future__ import annotations

import io
from typing import Any
from unittest import mock

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from PIL import Image

from shared.errors import EngineUnavailable
from shared.records import Cell, Char, Line, Page, ReadOptions, Table
from shared.store.protocol import Status
from tests.worker_fleet import SAMPLES, Fleet, Progress, png
from worker import tasks

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


def test_a_picture_s_own_small_one_is_kept_where_that_is_asked_for_and_is_no_reason_to_read_it_again(
    fleet: Fleet,
) -> None:
    fleet.submit(png())
    fleet.work()
    kept = fleet.submit(png(), options=ReadOptions(pictures="keep").fingerprint())
    assert fleet.work() == ["done"]
    assert fleet.reader.calls == 1
    preview = fleet.store.preview(kept, 1)
    assert preview is not None
    with Image.open(io.BytesIO(preview)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (30, 20))


def test_a_document_of_many_pages_is_read_without_previews_where_none_are_wanted(fleet: Fleet) -> None:
    options = ReadOptions(pictures="off").fingerprint()
    job = fleet.submit((SAMPLES / "report-5p.pdf").read_bytes(), "pdf", 5, options=options)
    assert fleet.work() == ["done"] * 5
    assert [fleet.store.preview(job, page) for page in range(1, 6)] == [None] * 5


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
    table = Table(1, 1, (Cell(0, 0, 1, 1, "a", quad, (0,)),), quad, (0, 1))
    small = Page(50, 25, (Line("a", 1.0, quad, "fake", (Char("a", 1.0, quad), Char("b", 1.0))),), tables=(table,))
    large = tasks.stretched(small, 100, 75)
    assert (large.width, large.height) == (100, 75)
    assert large.lines[0].box == ((0, 0), (20, 0), (20, 15), (0, 15))
    assert large.lines[0].chars[0].box == large.lines[0].box
    assert large.lines[0].chars[1].box is None
    assert large.tables[0].box == large.tables[0].cells[0].box == large.lines[0].box


def test_warnings_of_the_decoder_reach_the_result(fleet: Fleet) -> None:
    file = io.BytesIO()
    Image.new("L", (40, 24)).save(file, "TIFF", dpi=(204, 98))
    job = fleet.submit(file.getvalue(), "tiff")
    fleet.work()
    assert "square" in fleet.page(job)["warnings"][0]
    assert "204x98 dpi" in fleet.page(job)["warnings_zh"][0]
    assert "不是正方形" in fleet.page(job)["warnings_zh"][0]


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
