"""The HTTP client against a small server that answers as it is told."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.client import OcrFleet, Refused
from cli.problems import FileRefused, ServerAway
from tests.stack import free_ports

Answer = tuple[int, dict[str, str], Any]


class Server:
    """Gives the answers it was handed, in order, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.asked.append((f"{self.command} {self.path}", dict(self.headers), body))
                status, headers, content = outer.answers.pop(0)
                data = b"" if status == 304 else content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(data)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_DELETE = answer

            def log_message(self, *_words: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server()
    yield one
    one.close()


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def client(server: Server, slept: list[float]) -> OcrFleet:
    return OcrFleet(server.url, patience_s=100, away_s=1, sleep=slept.append)


def job(status: str, **more: Any) -> dict[str, Any]:
    return {"id": "j1", "status": status, "progress": {"pages_total": 1, "pages_done": 0}, **more}


def test_a_busy_service_is_asked_again_when_it_says(server: Server, client: OcrFleet, slept: list[float]) -> None:
    server.answers = [(429, {"Retry-After": "7"}, {}), (503, {"Retry-After": "2"}, {}), (202, {}, job("queued"))]
    assert client.submit(b"bytes")["id"] == "j1"
    assert [7 <= slept[0] <= 8.4, 2 <= slept[1] <= 2.4] == [True, True]


def test_a_repeated_submission_carries_the_same_idempotency_key(server: Server, client: OcrFleet) -> None:
    server.answers = [(503, {"Retry-After": "1"}, {}), (202, {}, job("queued")), (202, {}, job("queued"))]
    client.submit(b"bytes")
    client.submit(b"bytes")
    keys = [headers["Idempotency-Key"] for _, headers, _ in server.asked]
    assert keys[0] == keys[1]
    assert keys[1] != keys[2]


def test_patience_ends(server: Server, slept: list[float]) -> None:
    server.answers = [(429, {"Retry-After": "30"}, {"title": "busy", "detail": "Too much", "detail_zh": "太多"})]
    client = OcrFleet(server.url, patience_s=10, sleep=slept.append)
    with pytest.raises(Refused) as refused:
        client.submit(b"bytes")
    assert (refused.value.status, refused.value.detail, refused.value.detail_zh) == (429, "Too much", "太多")
    assert slept == []


def test_a_problem_document_becomes_its_sentences(server: Server, client: OcrFleet) -> None:
    problem = {"type": "https://x/problems/empty-file", "title": "Broken", "detail": "Empty.", "detail_zh": "空。"}
    server.answers = [(422, {}, problem)]
    with pytest.raises(Refused) as refused:
        client.submit(b"")
    assert (refused.value.slug, str(refused.value)) == ("empty-file", "Empty.")


def test_no_server_is_said_with_its_address() -> None:
    address = f"http://127.0.0.1:{free_ports(1)[0]}"
    with pytest.raises(ServerAway, match=address):
        OcrFleet(address, away_s=0).capacity()


def test_another_web_server_is_not_taken_for_this_one(server: Server, client: OcrFleet) -> None:
    server.answers = [(200, {}, b"<html>hello</html>")]
    with pytest.raises(Refused, match="is this an ocrfleet server"):
        client.job("j1")


def test_following_a_job_ends_with_it_and_asks_for_changes_only(server: Server, client: OcrFleet) -> None:
    server.answers = [
        (200, {"ETag": '"a"'}, job("queued")),
        (304, {"ETag": '"a"'}, None),
        (200, {"ETag": '"b"'}, job("running")),
        (200, {"ETag": '"c"'}, job("done")),
    ]
    assert [change["status"] for change in client.follow("j1")] == ["queued", "running", "done"]
    assert [headers.get("If-None-Match") for _, headers, _ in server.asked] == [None, '"a"', '"a"', '"b"']


def test_read_submits_waits_and_returns_the_result(server: Server, client: OcrFleet, tmp_path: Path) -> None:
    file = tmp_path / "号.png"
    file.write_bytes(b"picture")
    server.answers = [(202, {}, job("queued")), (200, {"ETag": '"c"'}, job("done")), (200, {}, {"text": "hi"})]
    assert client.read(file, lang="zh", pages="")["text"] == "hi"
    calls = [call for call, _, _ in server.asked]
    assert calls == ["POST /v1/jobs", "GET /v1/jobs/j1?wait=0", "GET /v1/jobs/j1/result"]
    body = server.asked[0][2]
    assert b"picture" in body
    assert b'name="lang"' in body
    assert b'name="pages"' not in body, "an option that was not given is not sent"


def test_a_finished_submission_is_not_waited_for(server: Server, client: OcrFleet) -> None:
    server.answers = [(200, {}, job("done", cached=True)), (200, {}, {"text": "cached"})]
    assert client.read(b"bytes")["text"] == "cached"


def test_the_key_comes_from_the_environment(
    server: Server, monkeypatch: pytest.MonkeyPatch, slept: list[float]
) -> None:
    monkeypatch.setenv("OCRFLEET_API_KEY", "secret")
    monkeypatch.setenv("OCRFLEET_SERVER", server.url)
    server.answers = [(200, {}, {"jobs": []})]
    assert OcrFleet(sleep=slept.append).jobs() == []
    assert server.asked[0][1]["Authorization"] == "Bearer secret"


def test_a_file_that_is_not_there_is_said_before_anything_is_sent(server: Server, client: OcrFleet) -> None:
    with pytest.raises(FileRefused, match="no-such-file"):
        client.submit("/no-such-file")
    assert server.asked == []
