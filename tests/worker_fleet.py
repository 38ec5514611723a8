"""A worker's slot on a store in memory, with a reader that reads nothing, for the tests of its ways."""

from __future__ import annotations

import hashlib
import io
import json
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from PIL import Image

from shared.records import Char, Line, Page, ReadOptions
from shared.settings import Settings
from shared.store.memory import MemoryStore
from shared.store.protocol import Limits, Message, NewJob
from worker.cores import CoreLease
from worker.shelf import Shelf
from worker.slot import Slot
from worker.tasks import run_page

SAMPLES = Path(__file__).parents[1] / "samples"
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


def png(width: int = 30, height: int = 20, level: int = 200) -> bytes:
    file = io.BytesIO()
    Image.new("L", (width, height), level).save(file, "PNG")
    return file.getvalue()
