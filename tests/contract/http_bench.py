"""A gateway around the in-memory store, with a client in front and a hand that plays the workers behind."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

from werkzeug.test import TestResponse

from api.app import create_app
from shared.records import Char, Line, Page, pack_page
from shared.settings import Settings
from shared.store.memory import MemoryStore
from shared.store.protocol import Claim, Limits, Message, PageDone
from tests.documents import picture

ENGINES = {"auto": "models-1", "crnn": "crnn-1", "ppocrv6": "v6-1"}
PROBLEM = "application/problem+json"


class Queue:
    """Keeps what was published; `broken` makes it a broker that is away."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.broken = False

    def publish(self, messages: Iterable[Message]) -> None:
        """Keep them."""
        if self.broken:
            raise ConnectionError("the broker is away")
        self.messages += messages


class Gate:
    """One gateway. `put` submits, `read` plays worker."""

    def __init__(self, limits: Limits | None = None, *, workers: bool = True, **settings: Any) -> None:
        self.settings = Settings(**settings)
        # Any: tests replace its calls by faults of their own.
        self.store: Any = MemoryStore(limits)
        self.queue = Queue()
        self.app = create_app(self.settings, self.store, self.queue)
        self.http = self.app.test_client()
        if workers:
            self.store.beat_slot("host:1:1", {"fingerprints": ENGINES, "hostname": "host", "core": 0})

    def put(self, data: bytes | None = None, name: str = "a.png", headers: Any = None, **fields: Any) -> TestResponse:
        """POST /v1/jobs as a form does."""
        file = (io.BytesIO(picture() if data is None else data), name)
        return self.http.post("/v1/jobs", data={"file": file, **fields}, headers=headers)

    def id(self, *args: Any, **fields: Any) -> str:
        """The id of a job that was accepted."""
        answer = self.put(*args, **fields)
        assert answer.status_code in (200, 202), answer.text
        return str(answer.get_json()["id"])

    def claim(self) -> Any:
        """The oldest message's page."""
        while self.queue.messages:
            message = self.queue.messages.pop(0)
            worker = {"worker": "host:1:1", "host": "host", "core": 0, "models": "v6"}
            claim, more = self.store.claim(message.run, message.page, f"t{message.page}", worker)
            self.queue.messages += more
            if claim is not None:
                return claim
        return None

    def finish(self, claim: Claim, *lines: str, preview: bytes | None = b"\xff\xd8jpeg") -> None:
        """Hand a page's result in."""
        packed = pack_page(page(*lines).to_json(claim.page))
        _, more = self.store.finish_page(claim, PageDone(packed, len(lines), 20, "models-1", preview=preview))
        self.queue.messages += more

    def finish_with(self, claim: Claim, page: Page) -> None:
        """Hand in a page as it is given."""
        packed = pack_page(page.to_json(claim.page))
        _, more = self.store.finish_page(claim, PageDone(packed, len(page.lines), 20, "models-1"))
        self.queue.messages += more

    def fail(self, claim: Claim, problem: dict[str, Any]) -> None:
        """A page that cannot be read."""
        _, more = self.store.fail_page(claim, problem, b"", retry=False)
        self.queue.messages += more

    def read(self, *lines: str) -> int:
        """Read every page that waits; how many there were."""
        count = 0
        while (claim := self.claim()) is not None:
            self.finish(claim, *(lines or (f"text of page {claim.page}",)))
            count += 1
        return count

    @property
    def is_untouched(self) -> bool:
        """Whether the store holds no job, no run and no document."""
        machine = self.store.machine
        return not (machine.jobs or machine.runs or machine.blobs or self.queue.messages)


def page(*lines: str, width: int = 400, height: int = 100) -> Page:
    """A page whose characters are ten pixels wide and lines twenty high."""
    read = tuple(line(text, 20 * index) for index, text in enumerate(lines))
    return Page(width, height, read, "\n".join(lines), engine="ppocrv6", models={"rec": "v6"})


def line(text: str, top: int = 0) -> Line:
    """One line with a box for every character."""

    def box(left: int, right: int) -> Any:
        return ((left, top), (right, top), (right, top + 20), (left, top + 20))

    chars = tuple(Char(char, 0.9, box(10 * at, 10 * at + 10)) for at, char in enumerate(text))
    return Line(text, 0.9, box(0, 10 * len(text)), "ppocrv6", chars)


def problem_of(answer: TestResponse, status: int, slug: str) -> dict[str, Any]:
    """The problem document of an answer, which has to be a whole one."""
    assert answer.content_type == PROBLEM, answer.text
    body: dict[str, Any] = answer.get_json()
    assert (answer.status_code, body["type"].rpartition("/")[2]) == (status, slug), body
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert any("\u4e00" <= char <= "\u9fff" for char in body["detail_zh"])
    return body
