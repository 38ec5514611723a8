"""The job store on Redis or Valkey: each transition one Lua script, so that nothing is ever half done.

The scripts are in `lua/`; `lua/_lib.lua` opens with the map of every key. Values are JSON or plain text, page results
are compressed JSON. Not for Redis Cluster: a transition touches keys of several slots.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import secrets
import time
from typing import Any, cast

from shared import errors, ids
from shared.store.fleet import Fleet
from shared.store.protocol import Accepted, Claim, JobView, Message, NewJob, PageDone
from shared.store.rows import as_hash, as_messages, as_view, unpacked
from shared.store.scripts import store_errors


class RedisStore(Fleet):
    """See `shared.store.protocol.Store`."""

    # The gateway's side

    @functools.cached_property
    def _secret(self) -> bytes:
        with store_errors():
            self._client.hsetnx(self._key("meta"), "id_secret", secrets.token_bytes(16))
            return cast(bytes, self._client.hget(self._key("meta"), "id_secret"))

    def issue_id(self) -> str:
        """See `Store.issue_id`."""
        return ids.issue(self._secret, self._now() or time.time_ns() // 1_000_000)

    def put_blob(self, sha256: str, data: bytes) -> None:
        """See `Store.put_blob`. Bytes that a run already needs are left alone, and so is their lack of an expiry."""
        key = self._key("blob", sha256)
        with store_errors():
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
                return Accepted(value.decode(), accepted, as_messages(messages))

    def _missing(self, job_id: str) -> errors.JobError:
        return (errors.JobGone if ids.issued_here(self._secret, job_id) else errors.JobNotFound)(id=job_id)

    def view(self, job_id: str) -> JobView:
        """See `Store.view`."""
        answer = self._run("view", job_id)
        if not answer:
            raise self._missing(job_id)
        return as_view(job_id, answer)

    def list_jobs(self, client: str, limit: int, before_ms: int | None = None) -> list[JobView]:
        """See `Store.list_jobs`."""
        top = "+inf" if before_ms is None else f"({before_ms}"
        with store_errors():
            found = self._client.zrevrangebyscore(self._key("jobs", client), top, "-inf", start=0, num=limit)
        views = []
        for job in cast(list[bytes], found):
            answer = self._run("view", job.decode())
            if answer:
                views.append(as_view(job.decode(), answer))
        return views

    def _job(self, job_id: str) -> dict[str, str]:
        with store_errors():
            job = as_hash(self._client.hgetall(self._key("job", job_id)))
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
        with store_errors():
            result = cast(bytes | None, self._client.hget(self._key("run", job["run"], "result"), str(page)))
        return None if result is None else unpacked(page, result)

    def page_results(self, job_id: str) -> dict[int, bytes]:
        """See `Store.page_results`."""
        job = self._job(job_id)
        if job.get("status"):
            return {}
        with store_errors():
            rows = cast(dict[bytes, bytes], self._client.hgetall(self._key("run", job["run"], "result")))
        return {int(page): unpacked(int(page), result) for page, result in rows.items()}

    def preview(self, job_id: str, page: int) -> bytes | None:
        """See `Store.preview`."""
        job = self._job(job_id)
        if job.get("status"):
            return None
        with store_errors():
            return cast(bytes | None, self._client.hget(self._key("run", job["run"], "preview"), str(page)))

    def attempts(self, job_id: str) -> list[dict[str, Any]]:
        """See `Store.attempts`."""
        job = self._job(job_id)
        with store_errors():
            rows = cast(list[bytes], self._client.hvals(self._key("run", job["run"], "attempts")))
        return sorted((json.loads(row) for row in rows), key=lambda row: (row["page"], row["attempt"]))

    def cancel(self, job_id: str) -> tuple[Message, ...]:
        """See `Store.cancel`."""
        self._job(job_id)
        return as_messages(self._run("cancel", job_id, "0"))

    def delete(self, job_id: str) -> tuple[Message, ...]:
        """See `Store.delete`."""
        self._job(job_id)
        return as_messages(self._run("cancel", job_id, "1"))

    # The worker's side

    def get_blob(self, sha256: str) -> bytes | None:
        """See `Store.get_blob`."""
        with store_errors():
            return cast(bytes | None, self._client.get(self._key("blob", sha256)))

    def claim(
        self, run: str, page: int, token: str, worker: dict[str, Any]
    ) -> tuple[Claim | None, tuple[Message, ...]]:
        """See `Store.claim`."""
        given, messages = self._run("claim", run, page, token, json.dumps(worker), self._worn_out)
        if not given:
            return None, as_messages(messages)
        attempt, blob, kind, options, total = given
        claim = Claim(run, page, token, int(attempt), blob.decode(), kind.decode(), options.decode(), int(total))
        return claim, as_messages(messages)

    def beat(self, claim: Claim, lines_done: int, lines_total: int) -> bool:
        """See `Store.beat`."""
        return bool(self._run("beat", claim.run, claim.page, claim.token, lines_done, lines_total))

    def finish_page(self, claim: Claim, done: PageDone) -> tuple[bool, tuple[Message, ...]]:
        """See `Store.finish_page`."""
        counted, messages = self._run(
            "finish_page", claim.run, claim.page, claim.token, done.result, done.lines, done.read_ms,
            done.fingerprint, done.page_key, done.preview or b"", int(done.cached),
        )  # fmt: skip
        return bool(counted), as_messages(messages)

    def fail_page(
        self, claim: Claim, problem: dict[str, Any], result: bytes, *, retry: bool
    ) -> tuple[bool, tuple[Message, ...]]:
        """See `Store.fail_page`."""
        row = json.dumps(problem, ensure_ascii=False)
        counted, messages = self._run("fail_page", claim.run, claim.page, claim.token, row, result, int(retry))
        return bool(counted), as_messages(messages)

    def lose_page(
        self, run: str, page: int, worker: str, outcome: str, *, final: dict[str, Any] | None
    ) -> tuple[Message, ...]:
        """See `Store.lose_page`."""
        problem = "" if final is None else json.dumps(final, ensure_ascii=False)
        return as_messages(self._run("lose_page", run, page, worker, outcome, problem, self._worn_out))

    def cached_page(self, page_key: str) -> bytes | None:
        """See `Store.cached_page`."""
        with store_errors():
            where = cast(bytes | None, self._client.hget(self._key("pkey"), page_key))
            if where is None:
                return None
            run, page = where.decode().split(" ")
            return cast(bytes | None, self._client.hget(self._key("run", run, "result"), page))

    # News

    def news(self) -> int:
        """See `Store.news`."""
        return self._listener.news()

    def wait_for_change(self, run: str, timeout_s: float, since: int | None = None) -> bool:
        """See `Store.wait_for_change`."""
        return self._listener.wait(run, timeout_s, since)
