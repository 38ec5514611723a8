"""Running the scripts of `lua/` on Redis or Valkey: what both sides of the job store are built on."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import importlib.resources
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import redis

from shared import errors
from shared.store.endings import past_deadline, worn_out
from shared.store.events import Listener
from shared.store.protocol import Limits

RECORDS_VERSION = 1
"""Of everything the scripts keep. Raised when the last release would misunderstand what this one writes; from its first
call on, processes that know only earlier versions are refused (RecordsTooNew) instead of misreading anything."""


@contextmanager
def store_errors() -> Iterator[None]:
    """What Redis raises, as the store's own errors: RecordsTooNew, StoreUnavailable."""
    try:
        yield
    except redis.RedisError as error:
        if str(error).startswith("RECORDS "):
            raise errors.RecordsTooNew(known=RECORDS_VERSION, found=str(error).split()[1]) from error
        raise errors.StoreUnavailable(retry_after=5) from error


@functools.cache
def _source(name: str) -> str:
    folder = importlib.resources.files("shared.store") / "lua"
    return (folder / "_lib.lua").read_text() + (folder / f"{name}.lua").read_text()


class Scripts:
    """A connection, the prefix of all keys, the limits. `now` replaces Redis's clock, for tests only."""

    def __init__(
        self, client: redis.Redis, prefix: str, limits: Limits | None = None, now: Callable[[], int] | None = None
    ) -> None:
        self._client = client
        self._prefix = prefix
        self._limits = limits or Limits()
        self._limits_json = json.dumps({**dataclasses.asdict(self._limits), "records": RECORDS_VERSION})
        self._now = now or (lambda: 0)
        self._hashes: dict[str, str] = {}
        self._listener = Listener(client, prefix + "events")
        self._worn_out = json.dumps(worn_out(), ensure_ascii=False)
        self._past_deadline = json.dumps(past_deadline(), ensure_ascii=False)

    def _run(self, name: str, *arguments: str | bytes | int) -> Any:
        """Run one script of `lua/`; loads it where the server does not have it."""
        given = [self._prefix, str(self._now()), self._limits_json, *arguments]
        sha = self._hashes.get(name) or hashlib.sha1(_source(name).encode()).hexdigest()
        self._hashes[name] = sha
        with store_errors():
            try:
                return self._client.evalsha(sha, 1, *given)
            except redis.exceptions.NoScriptError:
                return self._client.eval(_source(name), 1, *given)

    def _key(self, *parts: str) -> str:
        return self._prefix + ":".join(parts)
