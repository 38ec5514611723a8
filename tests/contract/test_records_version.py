"""Records that a newer release wrote are not touched by an older process."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
import redis

from shared.errors import RecordsTooNew, StoreUnavailable
from shared.store import scripts as store_module
from shared.store.redis import RedisStore


@pytest.fixture
def valkey(valkey_url: str) -> Iterator[redis.Redis]:
    """A client of the tests' server."""
    with redis.Redis.from_url(valkey_url) as client:
        yield client


@pytest.fixture
def prefix(valkey: redis.Redis) -> Iterator[str]:
    """A prefix of its own, swept afterwards."""
    name = f"{uuid.uuid4().hex}:"
    yield name
    for key in valkey.scan_iter(f"{name}*"):
        valkey.delete(key)


def test_an_older_process_is_refused_once_a_newer_one_was_there(
    valkey: redis.Redis, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = RedisStore(valkey, prefix)
    old.beat_slot("old:1:2", {"warm": True})
    monkeypatch.setattr(store_module, "RECORDS_VERSION", store_module.RECORDS_VERSION + 1)
    newer = RedisStore(valkey, prefix)
    newer.beat_slot("new:1:2", {"warm": True})
    monkeypatch.undo()

    with pytest.raises(RecordsTooNew, match="upgrade"):
        old.claim("run", 1, "token", {})
    with pytest.raises(RecordsTooNew):
        old.ping()
    assert not issubclass(RecordsTooNew, StoreUnavailable), "waiting for it would be for ever"
    assert {row["slot"] for row in newer.slots()} == {"old:1:2", "new:1:2"}


def test_processes_of_one_version_share_their_records(valkey: redis.Redis, prefix: str) -> None:
    RedisStore(valkey, prefix).beat_slot("a:1:2", {"warm": True})

    assert [row["slot"] for row in RedisStore(valkey, prefix).slots()] == ["a:1:2"]
    RedisStore(valkey, prefix).ping()
