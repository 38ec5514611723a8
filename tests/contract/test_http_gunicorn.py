"""The gateway as it is run: gunicorn with two processes, over a real Valkey."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import requests

from shared.records import pack_page
from shared.settings import Settings
from shared.store.open import open_store
from shared.store.protocol import PageDone
from tests.contract.http_bench import ENGINES, page
from tests.documents import picture

ROOT = Path(__file__).resolve().parents[2]
START_S = 30.0


class Server:
    """A running gateway and the store behind it."""

    def __init__(self, url: str, process: subprocess.Popen[bytes], settings: Settings) -> None:
        self.url, self.process, self.settings = url, process, settings
        self.store, self.publisher = open_store(settings)

    def get(self, path: str, **options: object) -> requests.Response:
        """GET."""
        return requests.get(self.url + path, timeout=30, **options)  # type: ignore[arg-type]

    def post(self, path: str, **options: object) -> requests.Response:
        """POST."""
        return requests.post(self.url + path, timeout=30, **options)  # type: ignore[arg-type]

    def number(self, series: str) -> float:
        """The sum of the metrics whose names begin so."""
        rows = [row for row in self.get("/metrics").text.splitlines() if row.startswith(series)]
        return sum(float(row.rsplit(" ", 1)[1]) for row in rows)

    def read(self, run: str, text: str) -> None:
        """Play worker for a run of one page."""
        claim, _ = self.store.claim(run, 1, uuid.uuid4().hex, {"worker": "w"})
        assert claim is not None
        self.store.finish_page(claim, PageDone(pack_page(page(text).to_json(1)), 1, 20, "models-1"))


@pytest.fixture(scope="module")
def server(valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One gateway for the module."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    prefix = f"g{uuid.uuid4().hex[:8]}:"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("OCRFLEET_", "PROMETHEUS_"))},
        "REDIS_URL": valkey_url,
        "OCRFLEET_REDIS_PREFIX": prefix,
        "OCRFLEET_PORT": str(port),
        "OCRFLEET_MAX_BYTES": "1000000",
        "OCRFLEET_DATA": str(tmp_path_factory.mktemp("gateway")),
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "python:api.gunicorn_conf", "api.wsgi:app"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    running = Server(
        f"http://127.0.0.1:{port}", process, Settings(redis_url=valkey_url, redis_prefix=prefix, max_bytes=1_000_000)
    )
    try:
        end = time.monotonic() + START_S
        while True:
            try:
                if running.get("/livez").status_code == 200:
                    break
            except requests.ConnectionError:
                assert process.poll() is None, "it ended"
                assert time.monotonic() < end, "it does not answer"
                time.sleep(0.05)
        yield running
    finally:
        process.kill() if process.poll() is None else None
        process.wait()
        client = redis.Redis.from_url(valkey_url)
        for key in client.scan_iter(prefix + "*"):
            client.delete(key)
        client.close()


def test_a_document_goes_round_through_real_processes(server: Server) -> None:
    assert server.get("/readyz").status_code == 503
    server.store.beat_slot("w", {"warm": True, "fingerprints": ENGINES})
    assert server.get("/readyz").json()["slots"] == 1
    accepted = server.post("/v1/jobs", files={"file": ('a "b" 发票.png', picture())})
    job = accepted.json()
    assert (accepted.status_code, job["name"]) == (202, 'a "b" 发票.png')
    assert server.publisher.depths()["interactive"] == 1
    run = server.store.view(job["id"]).run

    thread = threading.Thread(target=server.read, args=(run, "through"))
    thread.start()
    began = time.monotonic()
    while job["status"] != "done":
        job = server.get(job["links"]["self"], params={"wait": 20}).json()
    thread.join()
    assert time.monotonic() - began < 10
    assert server.get(job["links"]["result"], params={"format": "text"}).text == "through\n"
    assert server.post("/v1/jobs", files={"file": ("b.png", picture())}).status_code == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_meets_an_answer_not_a_reset(server: Server, chunked: bool) -> None:
    size = 6_000_000
    pieces = (b"\0" * 60_000 for _ in range(size // 60_000))
    data = pieces if chunked else b"\0" * size
    answer = server.post("/v1/jobs", data=data, headers={"Content-Type": "image/png"})
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (413, "too-many-bytes")
    assert server.get("/livez").status_code == 200


def test_all_processes_count_together(server: Server) -> None:
    series = 'ocrfleet_http_requests_total{method="GET",route="/livez"'
    before = server.number(series)
    for _ in range(40):
        server.get("/livez", headers={"Connection": "close"})
    assert server.number(series) == before + 40


def test_asked_to_stop_it_answers_those_who_wait_and_ends(server: Server) -> None:
    job = server.post("/v1/jobs", files={"file": ("c.png", picture("PNG", (99, 44)))}).json()
    answers: list[requests.Response] = []
    thread = threading.Thread(target=lambda: answers.append(server.get(job["links"]["self"], params={"wait": 30})))
    thread.start()
    end = time.monotonic() + 10
    while server.number("ocrfleet_http_requests_open") < 2:  # it, and the one that asks
        assert time.monotonic() < end
    server.process.send_signal(signal.SIGTERM)
    asked = time.monotonic()
    thread.join(30)
    assert answers[0].json()["status"] == "queued"
    assert server.process.wait(40) == 0
    assert time.monotonic() - asked < 20
