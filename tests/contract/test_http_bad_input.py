"""Every bad request is answered with one shape of error, and leaves nothing behind."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest

from tests.contract.http_bench import Gate, problem_of
from tests.documents import frames, pdf, picture, png_bomb

DOCUMENTS: dict[str, tuple[bytes, int, str]] = {
    "nothing in it": (b"", 422, "empty-file"),
    "text renamed .png": (b"Dear Sir or Madam,\n", 415, "unsupported-type"),
    "a picture cut off": (picture("JPEG", (300, 200))[:-200], 422, "broken-file"),
    "a PNG cut off": (picture("PNG", (300, 200))[:-20], 422, "broken-file"),
    "one pixel": (picture("PNG", (1, 1)), 422, "too-small"),
    "three pixels high": (picture("PNG", (300, 3)), 422, "too-small"),
    "a decompression bomb": (png_bomb(), 413, "too-many-pixels"),
    "a PDF with a password": (pdf(encrypted=True), 422, "encrypted-pdf"),
    "a PDF without pages": (pdf(0), 422, "no-pages"),
    "a PDF cut off": (pdf(3)[:-60], 422, "broken-file"),
    "a PDF of rubbish": (b"%PDF-1.4\nrubbish\n%%EOF", 422, "broken-file"),
    "more pages than are read": (pdf(6), 413, "too-many-pages"),
    "more TIFF pages than are read": (frames("TIFF", 6), 413, "too-many-pages"),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_bad_document_is_refused_and_leaves_nothing_behind(name: str) -> None:
    data, status, slug = DOCUMENTS[name]
    gate = Gate(max_pages=5)
    problem_of(gate.put(data, name="document.png"), status, slug)
    assert gate.is_untouched


def test_the_sentence_says_how_large_and_how_large_it_may_be() -> None:
    body = problem_of(Gate().put(png_bomb()), 413, "too-many-pixels")
    assert "30000x30000" in body["detail"]
    assert "100 megapixels" in body["detail"]
    assert "30000x30000" in body["detail_zh"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"lang": "klingon"}, "lang"),
        ({"engine": "gpt"}, "engine"),
        ({"layout": "circle"}, "layout"),
        ({"preprocess": "yes"}, "preprocess"),
        ({"fold": "halfwidth-simplified"}, "fold"),
        ({"pictures": "yes"}, "pictures"),
        ({"priority": "now"}, "priority"),
        ({"pages": "one"}, "pages"),
        ({"pages": "3-1"}, "pages"),
        ({"pages": "0"}, "pages"),
        ({"dpi": "300"}, "dpi"),
        ({"wait": "20"}, "wait"),
    ],
)
def test_an_unknown_option_is_refused_by_name(fields: dict[str, Any], field: str) -> None:
    gate = Gate()
    body = problem_of(gate.put(**fields), 422, "unknown-option")
    assert body["field"] == field
    assert field in body["detail"]
    assert gate.is_untouched


def test_pages_that_the_document_does_not_have() -> None:
    gate = Gate()
    assert problem_of(gate.put(pdf(3), pages="7-9"), 422, "no-pages")["field"] == "pages"
    assert gate.is_untouched


def test_an_engine_that_no_worker_has() -> None:
    gate = Gate()
    # A worker that does not list its engines may still load this one.
    assert gate.put(engine="modelscope").status_code == 202

    gate = Gate()
    gate.store.beat_slot("host:1:1", {"engines": ["crnn", "ppocrv6"], "fingerprints": {"auto": "models-1"}})
    assert gate.put(engine="crnn").status_code == 202
    gate = Gate()
    gate.store.beat_slot("host:1:1", {"engines": ["crnn", "ppocrv6"], "fingerprints": {"auto": "models-1"}})
    body = problem_of(gate.put(engine="modelscope"), 422, "engine-unavailable")
    assert body["field"] == "engine"
    assert "ppocrv6" in body["detail"]
    assert "retry_after" not in body
    assert gate.is_untouched


def post(gate: Gate, **request: Any) -> Any:
    return gate.http.post("/v1/jobs", **request)


def test_no_document_at_all() -> None:
    gate = Gate()
    for request in (
        {},
        {"data": {"lang": "zh"}, "content_type": "multipart/form-data"},
        {"data": {"lang": "zh"}},
        {"data": {"file": (io.BytesIO(b""), "")}},
        {"json": {"lang": "zh"}},
    ):
        problem_of(post(gate, **request), 400, "missing-file")
    assert gate.is_untouched


@pytest.mark.parametrize("encoded", ["not base64!", "Q", "data:image/png;base64,@@", "字", 7])
def test_broken_base64(encoded: object) -> None:
    gate = Gate()
    assert problem_of(post(gate, json={"image_base64": encoded}), 400, "bad-base64")["field"] == "image_base64"
    assert gate.is_untouched


@pytest.mark.parametrize("body", [b"{", b"[]", b'"text"', b"\xff"])
def test_json_that_is_none(body: bytes) -> None:
    problem_of(post(Gate(), data=body, content_type="application/json"), 400, "bad-request")


def test_an_option_of_the_wrong_type() -> None:
    body = {"image_base64": base64.b64encode(picture()).decode(), "lang": ["zh"]}
    assert problem_of(post(Gate(), json=body), 422, "unknown-option")["field"] == "lang"


def test_two_documents_at_once() -> None:
    gate = Gate()

    def file(name: str) -> Any:
        return io.BytesIO(picture()), name

    problem_of(post(gate, data={"file": [file("a.png"), file("b.png")]}), 400, "bad-request")
    problem_of(post(gate, data={"file": file("a.png"), "other": file("b.png")}), 400, "bad-request")
    assert gate.is_untouched


class Endless(io.RawIOBase):
    """A body that never ends; counts what was read of it."""

    def __init__(self) -> None:
        self.taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.taken += len(buffer)
        assert self.taken < 10_000_000, "it is read for ever"
        buffer[:] = b"\0" * len(buffer)
        return len(buffer)


@pytest.mark.parametrize("kind", ["image/png", "application/octet-stream", "", "application/json"])
def test_a_body_without_a_length_is_read_no_further_than_allowed(kind: str) -> None:
    gate = Gate(max_bytes=100_000)
    body = Endless()
    answer = post(
        gate,
        headers={"Content-Type": kind, "Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input": body, "wsgi.input_terminated": True},
    )
    assert "0.0953674 MiB" in problem_of(answer, 413, "too-many-bytes")["detail"]
    assert body.taken < 3_000_000
    assert gate.is_untouched


class Stalled(io.RawIOBase):
    """A body that stops coming: the server's time limit on the connection runs out."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")


@pytest.mark.parametrize("kind", ["image/png", "multipart/form-data; boundary=b", "application/json"])
def test_a_body_that_stops_coming(kind: str) -> None:
    gate = Gate()
    environment = {"wsgi.input": Stalled(), "CONTENT_LENGTH": "5000"}
    answer = post(gate, headers={"Content-Type": kind}, environ_overrides=environment)
    problem_of(answer, 408, "too-slow")
    assert gate.is_untouched


def test_too_many_bytes_in_each_way_of_sending() -> None:
    gate = Gate(max_bytes=2000)
    data = picture("BMP", (60, 40))
    assert len(data) > 2000
    problem_of(gate.put(data), 413, "too-many-bytes")
    problem_of(post(gate, data=data, content_type="image/bmp"), 413, "too-many-bytes")
    problem_of(post(gate, json={"image_base64": base64.b64encode(data).decode()}), 413, "too-many-bytes")
    problem_of(gate.put(b"\0" * 4_000_000), 413, "too-many-bytes")
    assert gate.is_untouched


def test_a_url_that_is_not_on_the_list() -> None:
    gate = Gate()
    for url in ("http://example.com/a.png", "file:///etc/passwd", "http://127.0.0.1:6379/", "nonsense", 5):
        assert problem_of(post(gate, json={"url": url}), 422, "url-refused")["field"] == "url"
    both = {"url": "http://example.com/a.png", "image_base64": "QUJD"}
    problem_of(post(gate, json=both), 400, "bad-request")


@pytest.mark.parametrize("query", ["wait=soon", "wait=-1", "wait=nan"])
def test_a_wait_that_is_no_time(query: str) -> None:
    body = problem_of(Gate().http.get(f"/v1/jobs/x?{query}"), 422, "unknown-option")
    assert body["field"] == "wait"


def test_large_documents_beyond_what_memory_holds_are_asked_to_come_later() -> None:
    gate = Gate(max_bytes=100 << 20)
    # Each is still coming in while the next one begins; the limit is four of the largest documents.
    answers: list[Any] = []

    class Crowd(Stalled):
        def readinto(self, buffer: Any) -> int:
            if len(answers) < 9:
                send()
            return super().readinto(buffer)

    def send() -> None:
        environment = {"wsgi.input": Crowd(), "CONTENT_LENGTH": str(100 << 20)}
        place = len(answers)
        answers.append(None)
        answers[place] = post(gate, environ_overrides=environment)

    send()
    slugs = [answer.get_json()["type"].rpartition("/")[2] for answer in answers]
    assert slugs == ["too-slow"] * 4 + ["too-many-uploads"]
    assert answers[-1].headers["Retry-After"]
    assert gate.put().status_code == 202


def test_what_another_site_s_page_sends_is_refused() -> None:
    gate = Gate()
    for path in ("/v1/jobs", "/upload", "/api/ocr"):
        answer = gate.http.post(path, data=picture(), headers={"Sec-Fetch-Site": "cross-site"})
        problem_of(answer, 403, "cross-site")
    assert gate.is_untouched
    for site in ("same-origin", "none", "same-site"):
        assert gate.put(headers={"Sec-Fetch-Site": site}).status_code == 202
    assert gate.http.get("/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_an_idempotency_key_that_is_too_long() -> None:
    gate = Gate()
    body = problem_of(gate.put(headers={"Idempotency-Key": "k" * 300}), 400, "bad-request")
    assert body["field"] == "Idempotency-Key"
    assert gate.is_untouched


def test_paths_and_methods_that_are_not_there() -> None:
    gate = Gate()
    problem_of(gate.http.get("/v2/jobs"), 404, "no-such-path")
    answer = gate.http.put("/v1/jobs")
    problem_of(answer, 405, "method-not-allowed")
    assert "POST" in answer.headers["Allow"]
    problem_of(gate.http.get("/static/../api/app.py"), 404, "no-such-path")


def test_a_fault_inside_tells_nothing_of_itself() -> None:
    gate = Gate()

    def fault(*_: object) -> None:
        raise ValueError("secret")

    gate.store.accept = fault
    answer = gate.put()
    problem_of(answer, 500, "internal")
    assert "secret" not in json.dumps(answer.get_json())
    assert answer.headers["X-Request-ID"]
