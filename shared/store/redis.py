"""The job store on Redis or Valkey: each transition one Lua script, so that nothing is ever half done.

The scripts are in `lua/`; `lua/_lib.lua` opens with the map of every key. Values are JSON or plain text, page results
are compressed JSON. Not for Redis Cluster: a transition touches keys of several slots.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import importlib.resources
import json
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import redis

from shared import errors, ids
from shared.records import failed_page
from shared.store.endings import past_deadline, worn_out
from shared.store.events import Listener
from shared.store.protocol import (
    Accepted,
    Capacity,
    Claim,
    JobView,
    Limits,
    Message,
    NewJob,
    PageDone,
    Status,
)
from shared.store.versions import Wanted

RECORDS_VERSION = 1
"""Of everything the scripts keep. Raised when the last release would misunderstand what this one writes; from its first
call on, processes that know only earlier versions are refused (RecordsTooNew) instead of misreading anything."""


@contextmanager
def _store_errors() -> Iterator[None]:
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


class RedisStore:
    """See `shared.store.protocol.Store`. `now` replaces Redis's clock, for tests only."""

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
        with _store_errors():
            try:
                return self._client.evalsha(sha, 1, *given)
            except redis.exceptions.NoScriptError:
                return self._client.eval(_source(name), 1, *given)

    def _key(self, *parts: str) -> str:
        return self._prefix + ":".join(parts)

    # The gateway's side

    @functools.cached_property
    def _secret(self) -> bytes:
        with _store_errors():
            self._client.hsetnx(self._key("meta"), "id_secret", secrets.token_bytes(16))
            return cast(bytes, self._client.hget(self._key("meta"), "id_secret"))

    def issue_id(self) -> str:
        """See `Store.issue_id`."""
        return ids.issue(self._secret, self._now() or time.time_ns() // 1_000_000)

    def put_blob(self, sha256: str, data: bytes) -> None:
        """See `Store.put_blob`. Bytes that a run already needs are left alone, and so is their lack of an expiry."""
        key = self._key("blob", sha256)
        with _store_errors():
            if not self._client.set(key, data, nx=True, ex=self._limits.upload_ttl_s):
                self._client.expire(key, self._limits.upload_ttl_s, xx=True)

    def accept(self, job: NewJob) -> Accepted:
        """See `Store.accept`."""
        row = json.dumps({**dataclasses.asdict(job), "pages": list(job.pages)}, ensure_ascii=False)
        mark = f"{job.blob}|{job.options}|{','.join(map(str, job.pages))}"
        how, value, messages = self._run("accept", row, mark)
        match how.decode():
            case "conflict":
                raise errors.IdempotencyConflict(field="Idempotency-Key")
            case "full":
                raise errors.QueueFull(retry_after=int(value))
            case "noblob":
                raise errors.BlobMissing
            case accepted:
                return Accepted(value.decode(), accepted, _messages(messages))

    def _missing(self, job_id: str) -> errors.JobError:
        return (errors.JobGone if ids.issued_here(self._secret, job_id) else errors.JobNotFound)(id=job_id)

    def view(self, job_id: str) -> JobView:
        """See `Store.view`."""
        answer = self._run("view", job_id)
        if not answer:
            raise self._missing(job_id)
        return _view(job_id, answer)

    def list_jobs(self, client: str, limit: int, before_ms: int | None = None) -> list[JobView]:
        """See `Store.list_jobs`."""
        top = "+inf" if before_ms is None else f"({before_ms}"
        with _store_errors():
            found = self._client.zrevrangebyscore(self._key("jobs", client), top, "-inf", start=0, num=limit)
        views = []
        for job in cast(list[bytes], found):
            answer = self._run("view", job.decode())
            if answer:
                views.append(_view(job.decode(), answer))
        return views

    def _job(self, job_id: str) -> dict[str, str]:
        with _store_errors():
            job = _hash(self._client.hgetall(self._key("job", job_id)))
        now = self._now() or time.time_ns() // 1_000_000
        # A minute's grace: clocks differ, and the reconciler removes what has expired anyway.
        if not job or int(job.get("expires", 1 << 62)) <= now - (0 if self._now() else 60_000):
            raise self._missing(job_id)
        return job

    def page_result(self, job_id: str, page: int) -> bytes | None:
        """See `Store.page_result`."""
        job = self._job(job_id)
        if page not in json.loads(job["pages"]):
            raise errors.PageNotFound(id=job_id, page=page)
        if job.get("status"):
            return None
        with _store_errors():
            result = cast(bytes | None, self._client.hget(self._key("run", job["run"], "result"), str(page)))
        return None if result is None else _unpacked(page, result)

    def page_results(self, job_id: str) -> dict[int, bytes]:
        """See `Store.page_results`."""
        job = self._job(job_id)
        if job.get("status"):
            return {}
        with _store_errors():
            rows = cast(dict[bytes, bytes], self._client.hgetall(self._key("run", job["run"], "result")))
        return {int(page): _unpacked(int(page), result) for page, result in rows.items()}

    def preview(self, job_id: str, page: int) -> bytes | None:
        """See `Store.preview`."""
        job = self._job(job_id)
        if job.get("status"):
            return None
        with _store_errors():
            return cast(bytes | None, self._client.hget(self._key("run", job["run"], "preview"), str(page)))

    def attempts(self, job_id: str) -> list[dict[str, Any]]:
        """See `Store.attempts`."""
        job = self._job(job_id)
        with _store_errors():
            rows = cast(list[bytes], self._client.hvals(self._key("run", job["run"], "attempts")))
        return sorted((json.loads(row) for row in rows), key=lambda row: (row["page"], row["attempt"]))

    def cancel(self, job_id: str) -> tuple[Message, ...]:
        """See `Store.cancel`."""
        self._job(job_id)
        return _messages(self._run("cancel", job_id, "0"))

    def delete(self, job_id: str) -> tuple[Message, ...]:
        """See `Store.delete`."""
        self._job(job_id)
        return _messages(self._run("cancel", job_id, "1"))

    # The worker's side

    def get_blob(self, sha256: str) -> bytes | None:
        """See `Store.get_blob`."""
        with _store_errors():
            return cast(bytes | None, self._client.get(self._key("blob", sha256)))

    def claim(
        self, run: str, page: int, token: str, worker: dict[str, Any]
    ) -> tuple[Claim | None, tuple[Message, ...]]:
        """See `Store.claim`."""
        given, messages = self._run("claim", run, page, token, json.dumps(worker), self._worn_out)
        if not given:
            return None, _messages(messages)
        attempt, blob, kind, options, total = given
        claim = Claim(run, page, token, int(attempt), blob.decode(), kind.decode(), options.decode(), int(total))
        return claim, _messages(messages)

    def beat(self, claim: Claim, lines_done: int, lines_total: int) -> bool:
        """See `Store.beat`."""
        return bool(self._run("beat", claim.run, claim.page, claim.token, lines_done, lines_total))

    def finish_page(self, claim: Claim, done: PageDone) -> tuple[bool, tuple[Message, ...]]:
        """See `Store.finish_page`."""
        counted, messages = self._run(
            "finish_page", claim.run, claim.page, claim.token, done.result, done.lines, done.read_ms,
            done.fingerprint, done.page_key, done.preview or b"", int(done.cached),
        )  # fmt: skip
        return bool(counted), _messages(messages)

    def fail_page(
        self, claim: Claim, problem: dict[str, Any], result: bytes, *, retry: bool
    ) -> tuple[bool, tuple[Message, ...]]:
        """See `Store.fail_page`."""
        row = json.dumps(problem, ensure_ascii=False)
        counted, messages = self._run("fail_page", claim.run, claim.page, claim.token, row, result, int(retry))
        return bool(counted), _messages(messages)

    def lose_page(
        self, run: str, page: int, worker: str, outcome: str, *, final: dict[str, Any] | None
    ) -> tuple[Message, ...]:
        """See `Store.lose_page`."""
        problem = "" if final is None else json.dumps(final, ensure_ascii=False)
        return _messages(self._run("lose_page", run, page, worker, outcome, problem, self._worn_out))

    def cached_page(self, page_key: str) -> bytes | None:
        """See `Store.cached_page`."""
        with _store_errors():
            where = cast(bytes | None, self._client.hget(self._key("pkey"), page_key))
            if where is None:
                return None
            run, page = where.decode().split(" ")
            return cast(bytes | None, self._client.hget(self._key("run", run, "result"), page))

    # The fleet

    def beat_slot(self, slot: str, info: dict[str, Any]) -> None:
        """See `Store.beat_slot`."""
        self._run("beat_slot", slot, json.dumps(info), int(bool(info.get("warm", True))))

    def drop_slot(self, slot: str) -> None:
        """See `Store.drop_slot`."""
        with _store_errors():
            self._client.zrem(self._key("slots"), slot)
            self._client.hdel(self._key("slotinfo"), slot)

    def slots(self) -> list[dict[str, Any]]:
        """See `Store.slots`."""
        rows = self._run("slots")
        pairs = zip(rows[::2], rows[1::2], strict=True)
        return [{"slot": slot.decode(), **json.loads(info)} for slot, info in sorted(pairs)]

    def capacity(self) -> Capacity:
        """See `Store.capacity`."""
        rows = self._run("capacity")
        slots, interactive, bulk, running, jobs, page_ms, blob_bytes, cache_bytes = rows
        return Capacity(
            int(slots), int(interactive), int(bulk), int(running), int(jobs),
            float(page_ms or 0), int(float(blob_bytes or 0)), int(float(cache_bytes or 0)),
        )  # fmt: skip

    def counters(self) -> dict[str, int]:
        """See `Store.counters`."""
        with _store_errors():
            rows = _hash(self._client.hgetall(self._key("totals")))
        return {
            name: int(float(value))
            for name, value in rows.items()
            if name.startswith(("jobs_", "pages_", "attempts_", "eta_"))
        }

    def fleet_fingerprint(self, engine: str) -> str | None:
        """See `Store.fleet_fingerprint`."""
        named = {slot.get("fingerprints", {}).get(engine) for slot in self.slots() if slot.get("warm", True)}
        return named.pop() if len(named) == 1 else None

    def lease_core(self, host: str, cores: Sequence[int], owner: str, ttl_s: int) -> int | None:
        """See `Store.lease_core`."""
        core = self._run("lease_core", host, json.dumps(list(cores)), owner, ttl_s * 1000)
        return None if core is None else int(core)

    def release_core(self, host: str, core: int, owner: str) -> None:
        """See `Store.release_core`."""
        self._run("release_core", host, core, owner)

    def use_version(self, engine: str, version: str, archive: bytes = b"") -> Wanted:
        """See `Store.use_version`."""
        return Wanted.from_json(self._run("use_version", engine, "use", version, archive))

    def rollback_version(self, engine: str, current: str, archive: bytes = b"") -> Wanted:
        """See `Store.rollback_version`."""
        row = self._run("use_version", engine, "back", current, archive)
        return Wanted.from_json(row) if row else Wanted()

    def wanted_versions(self) -> dict[str, Wanted]:
        """See `Store.wanted_versions`."""
        with _store_errors():
            rows = cast(dict[bytes, bytes], self._client.hgetall(self._key("versions")))
        return {engine.decode(): Wanted.from_json(row) for engine, row in rows.items()}

    def version_archive(self, engine: str, version: str) -> bytes | None:
        """See `Store.version_archive`."""
        with _store_errors():
            return cast(bytes | None, self._client.get(self._key("weights", engine, version)))

    def lease_rollover(self, owner: str, ttl_s: int) -> bool:
        """See `Store.lease_rollover`."""
        return bool(self._run("lease_rollover", owner, ttl_s * 1000))

    def reconcile(self, owner: str, depths: dict[str, int]) -> tuple[Message, ...] | None:
        """See `Store.reconcile`."""
        answer = self._run("reconcile", owner, json.dumps(depths), self._worn_out, self._past_deadline)
        return None if answer is None else _messages(answer)

    def ping(self) -> None:
        """See `Store.ping`. Raises RecordsTooNew as any transition would."""
        with _store_errors():
            found = int(self._client.hget(self._key("meta"), "records") or 0)
        if found > RECORDS_VERSION:
            raise errors.RecordsTooNew(known=RECORDS_VERSION, found=found)

    def news(self) -> int:
        """See `Store.news`."""
        return self._listener.news()

    def wait_for_change(self, run: str, timeout_s: float, since: int | None = None) -> bool:
        """See `Store.wait_for_change`."""
        return self._listener.wait(run, timeout_s, since)


def _messages(rows: list[list[Any]]) -> tuple[Message, ...]:
    return tuple(Message(run.decode(), int(page), queue.decode()) for run, page, queue in rows)


def _hash(rows: Any) -> dict[str, str]:
    pairs = rows.items() if isinstance(rows, dict) else zip(rows[::2], rows[1::2], strict=True)
    return {field.decode(): value.decode() for field, value in pairs}


def _unpacked(page: int, result: bytes) -> bytes:
    return failed_page(page, json.loads(result[1:])) if result.startswith(b"!") else result


def _optional(text: str | None) -> int | None:
    return int(text) if text else None


def _view(job_id: str, answer: list[Any]) -> JobView:
    job, run = _hash(answer[0]), _hash(answer[1])
    running, running_all, place, eta_ms = (int(value) for value in answer[2:6])
    status = Status(job.get("status") or run["status"])
    done, failed, total = (int(run.get(name, 0)) for name in ("done", "failed", "total"))
    cached, created = job["cached"] == "1", int(job["created"])
    position = place if status is Status.QUEUED and place else None
    started = _optional(run.get("started"))
    problem = job.get("error") or (run.get("error") if status in (Status.FAILED, Status.PARTIAL) else None)
    return JobView(
        id=job_id,
        run=job["run"],
        client=job["client"],
        status=status,
        kind=job["kind"],
        name=job["name"],
        options=job["options"],
        priority=job["priority"],
        pages=tuple(json.loads(job["pages"])),
        pages_done=done,
        pages_failed=failed,
        lines_done=int(run.get("lines", 0)) + running,
        lines_total=int(run.get("lines", 0)) + running_all,
        cached=cached or (status is Status.DONE and int(run.get("copied", 0)) == total),
        created_at=created,
        started_at=created if cached else None if started is None else max(started, created),
        finished_at=_optional(job.get("finished")) if status.ended else None,
        expires_at=_optional(job.get("expires")) if status.ended else None,
        error=json.loads(problem) if problem else None,
        queue_position=position,
        eta_s=None if status.ended or not eta_ms else eta_ms / 1000,
    )
