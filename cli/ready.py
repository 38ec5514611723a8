"""Whether the fleet is ready, what it still waits for, and what the screen tells of its queue and slots."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import redis

from cli import valkey
from cli.words import pick
from shared.settings import Settings
from shared.store.protocol import Limits
from shared.store.redis import RedisStore

PROBE_S = 1.0
SLOTS_QUIET_S = 8.0  # no further slot for this long: they are all there
SLOTS_S = 20.0

# (text shown while waiting, what is waited for, most seconds) -> whether it came in time
Wait = Callable[[Callable[[], str], Callable[[], bool], float], bool]


def readiness(settings: Settings) -> dict[str, Any]:
    """What GET /readyz says, with `status_code`; 0 while nothing listens."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    connection = http.client.HTTPConnection(host, settings.port, timeout=PROBE_S)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        body = response.read()
        with contextlib.suppress(ValueError):
            found = json.loads(body)
            if isinstance(found, dict):
                return {**found, "status_code": response.status}
        return {"status_code": response.status}
    except (OSError, http.client.HTTPException):
        return {"status_code": 0}
    finally:
        connection.close()


def waiting_for(answer: Mapping[str, Any]) -> str:
    """What the fleet still lacks, in words."""
    if not answer.get("status_code"):
        return pick("waiting for the gateway", "等待网关启动")
    if answer.get("missing") == ["workers"]:
        return pick("waiting for a worker to load its model", "等待识别进程加载模型")
    reason = answer.get(pick("detail", "detail_zh")) or answer.get("detail") or answer.get("reason")
    return str(reason) if reason else pick("waiting for a worker to load its model", "等待识别进程加载模型")


def wait_for_slots(settings: Settings, expected: int, wait: Wait) -> list[dict[str, Any]]:
    """The slots, once as many as expected are warm, or no further one has come for a while.

    One is enough to be ready; the screen shows all.
    """
    store = store_at(settings, settings.redis_url)
    slots: list[dict[str, Any]] = []
    changed = time.monotonic()

    def complete() -> bool:
        nonlocal slots, changed
        found = [slot for slot in store.slots() if slot.get("warm", True)]
        if len(found) != len(slots):
            slots, changed = found, time.monotonic()
        return len(slots) >= expected or time.monotonic() - changed > SLOTS_QUIET_S

    wait(lambda: pick("waiting for all worker processes", "等待所有识别进程"), complete, SLOTS_S)
    return slots


def store_at(settings: Settings, url: str) -> RedisStore:
    """The job store without the queue, whose client would pull Celery in."""
    client = redis.Redis.from_url(url, socket_timeout=5.0, socket_connect_timeout=2.0)
    return RedisStore(client, settings.redis_prefix, Limits(slot_ttl_s=settings.heartbeat_ttl_s))


def models_shown(fingerprint: str) -> str:
    """The models of a fingerprint such as `crnn/recogniser=NAME/...`, for a person: `crnn: NAME, ...`."""
    engine, *parts = fingerprint.split("/")
    named = dict(part.split("=", 1) for part in parts if "=" in part)
    names = [named[what] for what in ("detector", "recogniser") if named.get(what)]
    return f"{engine}: {', '.join(names)}" if names else fingerprint


def queue_line(url: str, *, own: bool) -> str:
    """The queue's server in a few words."""
    address = without_password(url)
    try:
        found = valkey.facts(url)
    except (redis.exceptions.RedisError, OSError):
        return address
    durable = f"AOF {found.get('appendfsync', '')}".strip() if found.get("aof_enabled") == "1" else "no AOF"
    words = f"{found['name']} {found['version']} ({durable}, {found.get('maxmemory_policy', '')})"
    return f"{words} {'' if own else 'REDIS_URL '}{address}"


def without_password(url: str) -> str:
    """A Redis address that may be shown."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or 6379}{parts.path}"
