"""The guide's three routes, on the same queue as everything else."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import pytest

from api import guide
from api.app import create_app
from shared.errors import PageFailed
from shared.settings import Settings
from shared.store.memory import MemoryStore
from tests.contract.http_bench import Gate, Queue, problem_of
from tests.documents import pdf, picture


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guide, "MOST_S", 0.2)


def worked(gate: Gate, *lines: str) -> Gate:
    """A gate whose pages are read as soon as somebody waits for them."""
    wait = gate.store.wait_for_change

    def work_then_wait(*args: Any) -> Any:
        gate.read(*lines)
        return wait(*args)

    gate.store.wait_for_change = work_then_wait
    return gate


def ocr(gate: Gate, **fields: Any) -> Any:
    return gate.http.post("/api/ocr", json={"image_base64": base64.b64encode(picture()).decode(), **fields})


def test_base64_in_text_out() -> None:
    answer = ocr(worked(Gate(), "Hello", "世界"))
    assert answer.status_code == 200
    assert answer.get_json()["text"] == "Hello\n世界"
    assert "世界" in answer.text
    assert answer.headers["Location"] == f"/v1/jobs/{answer.get_json()['id']}"


def test_a_data_url_and_options_are_taken() -> None:
    gate = worked(Gate(), "one")
    encoded = "data:image/png;base64," + base64.b64encode(picture()).decode()
    answer = gate.http.post("/api/ocr", json={"image_base64": encoded, "lang": "zh"})
    assert answer.get_json()["text"] == "one"
    problem_of(ocr(gate, lang="tlh"), 422, "unknown-option")
    problem_of(gate.http.post("/api/ocr", json={"image_base64": "@"}), 400, "bad-base64")
    problem_of(gate.http.post("/api/ocr", json={}), 400, "missing-file")


def test_a_text_that_takes_too_long_is_to_be_asked_for_later() -> None:
    gate = Gate()
    answer = ocr(gate)
    body = problem_of(answer, 504, "still-reading")
    assert answer.headers["Location"] == body["job"]["links"]["self"]
    assert answer.headers["Retry-After"]
    gate.read("late")
    assert gate.http.get(body["job"]["links"]["result"]).get_json()["text"] == "late"


def test_a_failed_reading_answers_why() -> None:
    gate = Gate()
    wait = gate.store.wait_for_change

    def fail_then_wait(*args: Any) -> Any:
        while (claim := gate.claim()) is not None:
            gate.fail(claim, PageFailed(reason="it took too long", reason_zh="超时").to_json())
        return wait(*args)

    gate.store.wait_for_change = fail_then_wait
    assert "too long" in problem_of(ocr(gate), 422, "page-failed")["detail"]


def test_more_callers_than_places_are_refused_before_anything_is_taken_in() -> None:
    gate = Gate(gateway_threads=2)
    calls: list[Any] = []

    def second_call_meanwhile(*_: Any) -> bool:
        gate.store.wait_for_change = wait
        calls.append(ocr(gate))
        gate.read()
        return True

    wait = gate.store.wait_for_change
    gate.store.wait_for_change = second_call_meanwhile
    assert ocr(gate).status_code == 200
    problem_of(calls[0], 503, "too-many-waiting")
    assert gate.store.counters()["jobs_accepted"] == 1


def upload(gate: Gate, data: bytes | None = None, **fields: str) -> Any:
    file = (io.BytesIO(picture() if data is None else data), "a.png")
    return gate.http.post("/upload", data={"image": file, **fields})


def test_an_upload_answers_a_page_with_the_text() -> None:
    answer = upload(worked(Gate(), "<b>12 < 13</b>"))
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/html")
    assert "&lt;b&gt;12 &lt; 13&lt;/b&gt;" in answer.text
    assert "<b>12" not in answer.text


def test_an_upload_that_is_refused_answers_a_page_that_says_why() -> None:
    gate = Gate(max_bytes=5000)
    for data, status, sentence in (
        (b"just text", 415, "The content is not a PNG"),
        (pdf(0), 422, "no page"),
        (b"\0" * 3_000_000, 413, "larger than"),
    ):
        answer = upload(gate, data)
        assert answer.status_code == status
        assert answer.content_type.startswith("text/html")
        assert sentence in answer.text
    assert gate.http.post("/upload").status_code == 400
    assert gate.is_untouched


def test_an_upload_that_takes_too_long_links_to_its_job() -> None:
    gate = Gate()
    answer = upload(gate)
    assert answer.status_code == 504
    (job,) = gate.store.machine.jobs
    assert job in answer.text
    assert answer.headers["Retry-After"]


def test_an_upload_needs_the_key_too() -> None:
    gate = worked(Gate(api_keys="alpha"), "text")
    assert upload(gate).status_code == 401
    assert upload(gate, api_key="wrong").status_code == 403
    assert gate.is_untouched
    assert upload(gate, api_key="alpha").status_code == 200
    file = (io.BytesIO(picture()), "a.png")
    assert gate.http.post("/upload", data={"image": file}, headers={"X-API-Key": "alpha"}).status_code == 200


def test_without_the_page_s_folder_a_plain_page_does(tmp_path: Path) -> None:
    store = MemoryStore()
    client = create_app(Settings(), store, Queue(), web=tmp_path).test_client()
    page = client.get("/").text
    assert 'action="/upload"' in page
    assert 'name="image"' in page
    answer = client.post("/upload", data={"image": (io.BytesIO(b"x"), "a")})
    assert answer.status_code == 415
    assert "不是 PNG" in answer.text


def test_the_page_is_served() -> None:
    gate = Gate()
    assert gate.http.get("/").content_type.startswith("text/html")
    assert gate.http.get("/static/index.html").status_code == 200
