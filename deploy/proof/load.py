"""A steady load through the gateway: so many documents are always under way, and every one is accounted for.

Each submission carries an Idempotency-Key and is repeated until it is accepted; each accepted job is asked after until it
has ended and its text was fetched. So at the end nothing may be accepted and unanswered.
"""

from __future__ import annotations

import difflib
import http.client
import json
import threading
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proof.documents import PAGES

WAIT_S = 25
ANSWER_S = 60.0
PAUSE_S = 0.5  # before a refused or broken request is sent again
SAME = 0.9  # a text is read right if it is so like the first one read from that sample
TYPES = {"jpg": "image/jpeg", "png": "image/png", "tiff": "image/tiff"}


@dataclass(frozen=True, slots=True)
class Answer:
    """An ended job. Times are seconds of time.monotonic()."""

    id: str
    name: str
    pages: int
    status: str
    text: str
    submitted: float
    finished: float
    tries: int


class Load:
    """Keeps `width` documents under way until `stop`."""

    def __init__(self, port: int, documents: Iterable[Path], width: int) -> None:
        self._port = port
        self._documents = iter(documents)
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._work, name=f"client-{k}", daemon=True) for k in range(width)]
        self._open: dict[str, float] = {}
        self.accepted: dict[str, str] = {}
        self.answers: list[Answer] = []
        self.refusals = 0
        self.ran_out = False

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self, limit_s: float) -> None:
        """Submit nothing more, and wait until everything under way is answered."""
        self._ended.set()
        end = time.monotonic() + limit_s
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def under_way(self) -> list[str]:
        """Accepted and not yet answered."""
        with self._lock:
            answered = {answer.id for answer in self.answers}
            return [job for job in self.accepted if job not in answered]

    def open_since_before(self, moment: float) -> int:
        """Documents handed in before a moment (time.monotonic()) and not answered yet."""
        with self._lock:
            return sum(submitted < moment for submitted in self._open.values())

    def rate(self, since: float, until: float) -> float:
        """Pages answered a second in a span of time.monotonic(), from the first answer in it to the last."""
        with self._lock:
            inside = sorted((a.finished, a.pages) for a in self.answers if since <= a.finished <= until)
        if len(inside) < 3:
            return 0.0
        # The first answer opens the clock, so its own pages do not count.
        return sum(pages for _, pages in inside[1:]) / (inside[-1][0] - inside[0][0])

    def misread(self) -> list[str]:
        """Jobs whose text is not like the first text read from the same sample."""
        first: dict[str, str] = {}
        wrong = []
        for answer in self.answers:
            reference = first.setdefault(answer.name, answer.text)
            if not answer.text or difflib.SequenceMatcher(None, reference, answer.text, False).ratio() < SAME:
                wrong.append(answer.id)
        return wrong

    def _work(self) -> None:
        while not self._ended.is_set():
            with self._lock:
                document = next(self._documents, None)
            if document is None:
                self.ran_out = True
                return
            with self._lock:
                self._open[document.name] = time.monotonic()
            self._carry(document)
            with self._lock:
                del self._open[document.name]

    def _carry(self, document: Path) -> None:
        """One document, from here to its text."""
        name = document.name.partition("-")[2]
        body, key = document.read_bytes(), uuid.uuid4().hex
        headers = {"Content-Type": TYPES[name.rpartition(".")[2]], "Idempotency-Key": key}
        bulk = "&priority=bulk" if name.endswith("tiff") else ""
        submitted, tries, job = time.monotonic(), 0, None
        while job is None:
            tries += 1
            status, answer = self._ask("POST", f"/v1/jobs?wait={WAIT_S}&name={name}{bulk}", body, headers)
            if status in (200, 202):
                job = answer
            elif self._given_up(tries):
                return
        with self._lock:
            self.accepted[job["id"]] = name
        while job["status"] in ("queued", "running"):
            status, answer = self._ask("GET", f"/v1/jobs/{job['id']}?wait={WAIT_S}")
            if status == 200:
                job = answer
            elif status in (404, 410):
                return  # accepted and gone: it stays unanswered, which is what this is here to find
            else:
                time.sleep(PAUSE_S)
        status, text = 0, ""
        while job["status"] in ("done", "partial") and status != 200:
            status, text = self._ask("GET", f"/v1/jobs/{job['id']}/result?format=text")
            if status in (404, 410):
                return
            if status != 200:
                time.sleep(PAUSE_S)
        done = Answer(job["id"], name, PAGES[name], job["status"], str(text), submitted, time.monotonic(), tries)
        with self._lock:
            self.answers.append(done)

    def _given_up(self, tries: int) -> bool:
        """A refusal is waited out; a document that was never accepted may be dropped when the load ends."""
        with self._lock:
            self.refusals += 1
        time.sleep(PAUSE_S)
        return self._ended.is_set() and tries > 20

    def _ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Any:
        """Status and body (JSON parsed); status 0 where no answer came."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=ANSWER_S)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            data = response.read()
            parsed = json.loads(data) if "json" in (response.getheader("Content-Type") or "") else data.decode()
            return response.status, parsed
        except (OSError, http.client.HTTPException, ValueError):
            return 0, None
        finally:
            connection.close()
