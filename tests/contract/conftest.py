"""The same tests over the in-memory twin and a real Valkey, with one clock that the tests turn."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from shared.store.memory import MemoryStore
from shared.store.protocol import Accepted, Claim, Limits, Message, NewJob, PageDone
from shared.store.redis import RedisStore

START_MS = 1_800_000_000_000
LIMITS = Limits(max_jobs=20, result_ttl_s=3600, cache_ttl_s=7200, cache_bytes=10_000, lease_s=20)


class Clock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.ms = START_MS

    def __call__(self) -> int:
        return self.ms

    def forward(self, seconds: float) -> None:
        self.ms += int(seconds * 1000)


@dataclasses.dataclass
class Bench:
    """A store, its clock, and short ways to do what every test does."""

    store: Any
    clock: Clock
    sent: list[Message] = dataclasses.field(default_factory=list)
    numbers: Iterator[int] = dataclasses.field(default_factory=lambda: itertools.count(1))

    def submit(self, data: bytes = b"one", pages: int = 1, **changes: Any) -> Accepted:
        """Upload and accept; collects the messages."""
        sha = hashlib.sha256(data).hexdigest()
        self.store.put_blob(sha, data)
        options = str(changes.pop("options", "auto"))
        new = NewJob(
            id=self.store.issue_id(),
            run=f"run{next(self.numbers)}",
            client="ann",
            blob=sha,
            blob_bytes=len(data),
            kind="png",
            name="picture.png",
            pages=tuple(range(1, pages + 1)),
            options=options,
            key=f"{sha}/{options}/{pages}",
        )
        accepted: Accepted = self.store.accept(dataclasses.replace(new, **changes))
        self.sent += accepted.messages
        return accepted

    def claim(self, message: Message, worker: str = "host:1:2") -> Claim | None:
        """Claim as a worker would on this message."""
        claim, messages = self.store.claim(message.run, message.page, uuid.uuid4().hex, {"worker": worker, "core": 0})
        self.sent += messages
        return claim  # type: ignore[no-any-return]

    def take(self, worker: str = "host:1:2") -> Claim | None:
        """The oldest message that gives work, claimed."""
        while self.sent:
            claim = self.claim(self.sent.pop(0), worker)
            if claim is not None:
                return claim
        return None

    def finish(self, claim: Claim, text: bytes = b"text", **changes: Any) -> bool:
        """Hand a result in."""
        done = PageDone(result=text, lines=2, read_ms=100, fingerprint="f1")
        counted, messages = self.store.finish_page(claim, dataclasses.replace(done, **changes))
        self.sent += messages
        return bool(counted)

    def read_all(self) -> int:
        """Play worker until nothing is left; how many pages were read."""
        count = 0
        while (claim := self.take()) is not None:
            self.finish(claim)
            count += 1
        return count

    def reconcile(self, **depths: int) -> tuple[Message, ...]:
        """As the reconciler would; collects the messages."""
        messages: tuple[Message, ...] = self.store.reconcile("me", depths)
        self.sent += messages
        return messages


@pytest.fixture
def make_bench(request: pytest.FixtureRequest) -> Any:
    """A maker of benches by kind, `memory` or `redis`, each with a store of its own."""
    clients: list[tuple[redis.Redis, str]] = []

    def make(kind: str, limits: Limits = LIMITS) -> Bench:
        clock = Clock()
        if kind == "memory":
            return Bench(MemoryStore(limits, clock), clock)
        client = redis.Redis.from_url(request.getfixturevalue("valkey_url"))
        prefix = f"t{uuid.uuid4().hex[:8]}:"
        clients.append((client, prefix))
        return Bench(RedisStore(client, prefix, limits, clock), clock)

    yield make
    for client, prefix in clients:
        keys = list(client.scan_iter(prefix + "*"))
        if keys:
            client.delete(*keys)
        client.close()


@pytest.fixture(params=["memory", "redis"])
def bench(request: pytest.FixtureRequest, make_bench: Any) -> Bench:
    """A bench over each kind of store in turn."""
    return make_bench(request.param)  # type: ignore[no-any-return]
