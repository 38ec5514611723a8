"""Many at once: equal uploads, long documents beside single pictures, and what two thousand jobs leave behind."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
import requests

from bench.drawn import pdf, png
from tests.faults.conftest import Observer, eventually
from tests.stack import Stack

Fleet = Callable[..., Stack]
Observe = Callable[[Stack], Observer]
Recovered = Callable[[str, float], None]


def test_fifty_equal_uploads_cost_one_read(fleet: Fleet, observe: Observe, recovered: Recovered) -> None:
    stack = fleet(worker_cores="2")
    eye = observe(stack)
    data = png(80, lines=40)
    started = time.monotonic()
    with ThreadPoolExecutor(50) as crowd:
        jobs = list(crowd.map(lambda _: str(eye.client.submit(data, name="same.png")["id"]), range(50)))
    assert len(set(jobs)) == 50
    quitter = jobs.pop(25)
    eye.client.cancel(quitter)
    states = [eye.ended(job) for job in jobs]
    assert {row["status"] for row in states} == {"done"}
    assert eye.status(quitter) in ("cancelled", "done")
    assert len(eye.attempts(jobs[0])) == 1
    total = requests.get(stack.url + "/metrics", timeout=10).text
    assert any(
        line.startswith("ocrfleet_") and "pages" in line and line.endswith(" 1.0") for line in total.splitlines()
    )
    recovered("50 equal uploads at once: one read", time.monotonic() - started)


@pytest.mark.timeout(400)
def test_single_pictures_overtake_long_documents(fleet: Fleet, observe: Observe, recovered: Recovered) -> None:
    stack = fleet(worker_cores="2", max_pages="300")
    eye = observe(stack)
    long = pdf(81, pages=30, lines=14)
    book = _many_pages(long, 300)
    documents = [eye.submit(book), eye.submit(book, lang="en")]
    eye.running(documents[0])
    eventually(lambda: eye.get("/v1/capacity")["running"] >= 2, what="both processes busy")
    taken = []
    for number in range(25):
        job = eye.submit(png(8200 + number))
        row = eye.ended(job)
        assert row["status"] == "done"
        taken.append(_seconds(row["finished_at"]) - _seconds(row["created_at"]))
    page_s = _page_s([row for document in documents for row in eye.attempts(document)])
    assert eye.status(documents[0]) == eye.status(documents[1]) == "running", "the documents were too short to matter"
    p95 = sorted(taken)[int(0.95 * len(taken))]
    assert p95 < page_s + 1, (p95, page_s)
    progress = [eye.get(f"/v1/jobs/{job}")["progress"]["pages_done"] for job in documents]
    assert min(progress) > 0.5 * max(progress), f"the documents do not take turns: {progress}"
    for job in documents:
        eye.client.cancel(job)
        eye.jobs.remove(job)
    recovered(f"a picture beside two 300-page documents, p95 (a page takes {page_s:.1f} s)", p95)


def _page_s(attempts: list[dict[str, Any]]) -> float:
    """What a page takes, seconds: of those read meanwhile, one in twenty took longer."""
    done = [row for row in attempts if row["outcome"] == "done"]
    taken = sorted(_seconds(row["ended_at"]) - _seconds(row["started_at"]) for row in done)
    return taken[int(0.95 * len(taken))]


def _many_pages(document: bytes, pages: int) -> bytes:
    """The pages of a document again and again."""
    import io

    import pypdfium2 as pdfium

    source, target = pdfium.PdfDocument(document), pdfium.PdfDocument.new()
    for start in range(0, pages, len(source)):
        target.import_pages(source, list(range(min(len(source), pages - start))))
    sink = io.BytesIO()
    target.save(sink)
    return sink.getvalue()


def _seconds(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()


@pytest.mark.timeout(600)
def test_two_thousand_jobs_leave_nothing_behind(fleet: Fleet, recovered: Recovered) -> None:
    stack = fleet(
        worker_cores="2",
        result_ttl_s="5",
        cache_ttl_s="5",
        idempotency_ttl_s="5",
        client_share="1",
    )
    client = redis.Redis.from_url(stack.redis_url)
    prefix = stack.settings.redis_prefix
    assert requests.post(stack.url + "/v1/jobs", files={"file": png(1)}, timeout=30).status_code == 202
    eventually(lambda: _left(client, prefix) == set(), 60, "the first job leaves nothing")
    memory = client.info("memory")["used_memory"]
    dice = random.Random(9)
    uploads = [png(9000 + number) for number in range(150)] + [pdf(9200 + number, 3, lines=1) for number in range(15)]
    started = time.monotonic()
    local = threading.local()

    def one(number: int) -> None:
        session = local.__dict__.setdefault("session", requests.Session())
        headers = {"Idempotency-Key": f"k{number}"} if number % 7 == 0 else {}
        while True:
            answer = session.post(
                stack.url + "/v1/jobs", files={"file": dice.choice(uploads)}, headers=headers, timeout=60
            )
            if answer.status_code in (200, 202):
                break
            assert answer.status_code == 429, answer.text
            time.sleep(0.2)
        job = answer.json()["id"]
        if number % 11 == 0:
            session.post(f"{stack.url}/v1/jobs/{job}/cancel", timeout=30)
        elif number % 13 == 0:
            session.delete(f"{stack.url}/v1/jobs/{job}", timeout=30)

    with ThreadPoolExecutor(8) as crowd:
        list(crowd.map(one, range(2000)))
    eventually(lambda: _left(client, prefix) == set(), 240, "nothing is left")
    assert client.info("memory")["used_memory"] < memory + 3_000_000
    recovered("2,000 mixed jobs, until Redis is as it was", time.monotonic() - started)


def _left(client: redis.Redis, prefix: str) -> set[str]:
    """Keys of jobs, runs, results, bytes and caches; the fleet's own and the broker's stay."""
    kept = ("slots", "slotinfo", "cores:", "meta", "order", "totals", "reconciler", "queue:", "todo")
    names = {key.decode().removeprefix(prefix) for key in client.scan_iter(prefix + "*", count=1000)}
    return {name for name in names if not name.startswith(kept)}
