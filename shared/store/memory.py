"""The in-memory twin of the job store: the state machine behind a lock. For tests and notebooks; one process only."""

from __future__ import annotations

import copy
import functools
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from shared import errors, ids
from shared.store import versions
from shared.store.book import Job
from shared.store.machine import Machine
from shared.store.protocol import (
    BULK,
    INTERACTIVE,
    QUEUES,
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

_Call = TypeVar("_Call", bound=Callable[..., Any])


def _locked(method: _Call) -> _Call:
    @functools.wraps(method)
    def under_lock(self: MemoryStore, *args: Any, **kwargs: Any) -> Any:
        with self._changed:
            return method(self, *args, **kwargs)

    return under_lock  # type: ignore[return-value]


class MemoryStore:
    """See `shared.store.protocol.Store`. `now` gives milliseconds since the epoch."""

    def __init__(self, limits: Limits | None = None, now: Callable[[], int] | None = None) -> None:
        self.machine = Machine(limits or Limits(), now or (lambda: time.time_ns() // 1_000_000))
        self.machine.changed = self._notify
        self._secret = secrets.token_bytes(16)
        self._changed = threading.Condition(threading.RLock())
        self._latest: dict[str, int] = {}
        self._news = 0
        self._reconciler: tuple[str, int] = ("", 0)
        self._wanted: dict[str, versions.Wanted] = {}
        self._archives: dict[tuple[str, str], bytes] = {}
        self._rollover: tuple[str, int] = ("", 0)

    def _notify(self, run: str) -> None:
        self._news += 1
        self._latest[run] = self._news
        self._changed.notify_all()

    # The gateway's side

    def issue_id(self) -> str:
        """See `Store.issue_id`."""
        return ids.issue(self._secret, self.machine.now())

    @_locked
    def put_blob(self, sha256: str, data: bytes) -> None:
        """See `Store.put_blob`."""
        self.machine.blobs[sha256] = data
        if self.machine.blob_refs[sha256] == 0:
            self.machine.unaccepted[sha256] = self.machine.now() + self.machine.limits.upload_ttl_s * 1000

    @_locked
    def accept(self, job: NewJob) -> Accepted:
        """See `Store.accept`."""
        return self.machine.accept(job)

    def _job(self, job_id: str) -> Job:
        job = self.machine.jobs.get(job_id)
        if job is None or (job.expires_at is not None and job.expires_at <= self.machine.now()):
            raise (errors.JobGone if ids.issued_here(self._secret, job_id) else errors.JobNotFound)(id=job_id)
        return job

    @_locked
    def view(self, job_id: str) -> JobView:
        """See `Store.view`."""
        return self._view(self._job(job_id))

    def _view(self, job: Job) -> JobView:
        machine, run = self.machine, self.machine.runs[job.run]
        status = job.status or run.status
        started = None if run.started_at is None else max(run.started_at, job.created_at)
        position = (machine.place_of(job.run) or None) if status is Status.QUEUED else None
        running = [page.lines for page in run.pages.values() if page.state == "running"]
        eta_ms = 0 if status.ended else machine.estimate(run)
        ended = status.ended
        return JobView(
            id=job.id,
            run=job.run,
            client=job.client,
            status=status,
            kind=job.kind,
            name=job.name,
            options=job.options,
            priority=job.priority,
            pages=job.pages,
            pages_done=run.done,
            pages_failed=run.failed,
            lines_done=run.lines + sum(done for done, _ in running),
            lines_total=run.lines + sum(total for _, total in running),
            cached=job.cached or (status is Status.DONE and run.copied == run.total),
            created_at=job.created_at,
            started_at=started if not job.cached else job.created_at,
            finished_at=job.finished_at if ended else None,
            expires_at=job.expires_at if ended else None,
            error=job.error or (run.error if status in (Status.FAILED, Status.PARTIAL) else None),
            queue_position=position,
            eta_s=eta_ms / 1000 if eta_ms else None,
        )

    @_locked
    def list_jobs(self, client: str, limit: int, before_ms: int | None = None) -> list[JobView]:
        """See `Store.list_jobs`."""
        now = self.machine.now()
        mine = [
            job
            for job in self.machine.jobs.values()
            if job.client == client
            and (before_ms is None or job.created_at < before_ms)
            and (job.expires_at is None or job.expires_at > now)
        ]
        mine.sort(key=lambda job: (job.created_at, job.id), reverse=True)
        return [self._view(job) for job in mine[:limit]]

    @_locked
    def page_result(self, job_id: str, page: int) -> bytes | None:
        """See `Store.page_result`."""
        job = self._job(job_id)
        if page not in job.pages:
            raise errors.PageNotFound(id=job_id, page=page)
        return None if job.status else self.machine.runs[job.run].results.get(page)

    @_locked
    def page_results(self, job_id: str) -> dict[int, bytes]:
        """See `Store.page_results`."""
        job = self._job(job_id)
        return {} if job.status else dict(self.machine.runs[job.run].results)

    @_locked
    def preview(self, job_id: str, page: int) -> bytes | None:
        """See `Store.preview`."""
        job = self._job(job_id)
        return None if job.status else self.machine.runs[job.run].previews.get(page)

    @_locked
    def attempts(self, job_id: str) -> list[dict[str, Any]]:
        """See `Store.attempts`."""
        attempts = self.machine.runs[self._job(job_id).run].attempts
        return [copy.deepcopy(attempts[key]) for key in sorted(attempts)]

    @_locked
    def cancel(self, job_id: str) -> tuple[Message, ...]:
        """See `Store.cancel`."""
        self._job(job_id)
        return self.machine.cancel(job_id)

    @_locked
    def delete(self, job_id: str) -> tuple[Message, ...]:
        """See `Store.delete`."""
        self._job(job_id)
        return self.machine.delete(job_id)

    # The worker's side

    @_locked
    def get_blob(self, sha256: str) -> bytes | None:
        """See `Store.get_blob`."""
        return self.machine.blobs.get(sha256)

    @_locked
    def claim(
        self, run: str, page: int, token: str, worker: dict[str, Any]
    ) -> tuple[Claim | None, tuple[Message, ...]]:
        """See `Store.claim`."""
        return self.machine.claim(run, page, token, worker)

    @_locked
    def beat(self, claim: Claim, lines_done: int, lines_total: int) -> bool:
        """See `Store.beat`."""
        return self.machine.beat(claim, lines_done, lines_total)

    @_locked
    def finish_page(self, claim: Claim, done: PageDone) -> tuple[bool, tuple[Message, ...]]:
        """See `Store.finish_page`."""
        return self.machine.finish_page(claim, done)

    @_locked
    def fail_page(
        self, claim: Claim, problem: dict[str, Any], result: bytes, *, retry: bool
    ) -> tuple[bool, tuple[Message, ...]]:
        """See `Store.fail_page`."""
        return self.machine.fail_page(claim, problem, result, retry=retry)

    @_locked
    def lose_page(
        self, run: str, page: int, worker: str, outcome: str, *, final: dict[str, Any] | None
    ) -> tuple[Message, ...]:
        """See `Store.lose_page`."""
        return self.machine.lose_page(run, page, worker, outcome, final=final)

    @_locked
    def cached_page(self, page_key: str) -> bytes | None:
        """See `Store.cached_page`."""
        held = self.machine.page_keys.get(page_key)
        return None if held is None else self.machine.runs[held[0]].results.get(held[1])

    # The fleet

    @_locked
    def beat_slot(self, slot: str, info: dict[str, Any]) -> None:
        """See `Store.beat_slot`."""
        if info.get("warm", True):
            self.machine.slot_beats[slot] = self.machine.now()
        self.machine.slot_info[slot] = dict(info, beat_at=self.machine.now())

    @_locked
    def drop_slot(self, slot: str) -> None:
        """See `Store.drop_slot`."""
        self.machine.slot_beats.pop(slot, None)
        self.machine.slot_info.pop(slot, None)

    @_locked
    def slots(self) -> list[dict[str, Any]]:
        """See `Store.slots`."""
        horizon = self.machine.now() - self.machine.limits.slot_ttl_s * 1000
        return [
            {"slot": slot, **info} for slot, info in sorted(self.machine.slot_info.items()) if info["beat_at"] > horizon
        ]

    @_locked
    def capacity(self) -> Capacity:
        """See `Store.capacity`."""
        machine = self.machine
        todo = {queue: len(machine.conveyor[queue]) for queue in QUEUES}
        for (queue, _), line in machine.backlog.items():
            todo[queue] += sum(len(machine.runs[run].todo) for run in line if run in machine.runs)
        return Capacity(
            slots=machine.live_slots(),
            waiting_interactive=todo[INTERACTIVE],
            waiting_bulk=todo[BULK],
            running=len(machine.leases),
            jobs_in_flight=len(machine.inflight),
            page_ms=machine.page_ms,
            blob_bytes=machine.blob_bytes,
            cache_bytes=machine.cache_size,
        )

    @_locked
    def counters(self) -> dict[str, int]:
        """See `Store.counters`."""
        return dict(self.machine.totals)

    @_locked
    def fleet_fingerprint(self, engine: str) -> str | None:
        """See `Store.fleet_fingerprint`."""
        named = {info.get("fingerprints", {}).get(engine) for info in self.slots() if info.get("warm", True)}
        return named.pop() if len(named) == 1 else None

    @_locked
    def lease_core(self, host: str, cores: Sequence[int], owner: str, ttl_s: int) -> int | None:
        """See `Store.lease_core`."""
        now, table = self.machine.now(), self.machine.cores
        mine = [core for core in cores if table.get((host, core), ("", 0))[0] == owner]
        free = [core for core in cores if table.get((host, core), ("", 0))[1] <= now]
        for core in (*mine, *free):
            table[(host, core)] = (owner, now + ttl_s * 1000)
            return core
        return None

    @_locked
    def release_core(self, host: str, core: int, owner: str) -> None:
        """See `Store.release_core`."""
        if self.machine.cores.get((host, core), ("", 0))[0] == owner:
            del self.machine.cores[(host, core)]

    @_locked
    def use_version(self, engine: str, version: str, archive: bytes = b"") -> versions.Wanted:
        """See `Store.use_version`."""
        return self._want(engine, versions.use(self._wanted.get(engine), version, self.machine.now()), archive)

    @_locked
    def rollback_version(self, engine: str, current: str, archive: bytes = b"") -> versions.Wanted:
        """See `Store.rollback_version`."""
        held = self._wanted.get(engine)
        wanted = versions.roll_back(held, current, self.machine.now())
        return wanted if wanted == (held or versions.Wanted()) else self._want(engine, wanted, archive)

    def _want(self, engine: str, wanted: versions.Wanted, archive: bytes) -> versions.Wanted:
        self._wanted[engine] = wanted
        if archive:
            self._archives[(engine, wanted.version)] = archive
        for key in [key for key in self._archives if key[0] == engine and key[1] not in wanted.kept]:
            del self._archives[key]
        return wanted

    @_locked
    def wanted_versions(self) -> dict[str, versions.Wanted]:
        """See `Store.wanted_versions`."""
        return dict(self._wanted)

    @_locked
    def version_archive(self, engine: str, version: str) -> bytes | None:
        """See `Store.version_archive`."""
        return self._archives.get((engine, version))

    @_locked
    def lease_rollover(self, owner: str, ttl_s: int) -> bool:
        """See `Store.lease_rollover`."""
        now, (holder, until) = self.machine.now(), self._rollover
        if until > now and holder != owner:
            return False
        self._rollover = (owner, now + ttl_s * 1000) if ttl_s else ("", 0)
        return bool(ttl_s)

    @_locked
    def reconcile(self, owner: str, depths: dict[str, int]) -> tuple[Message, ...] | None:
        """See `Store.reconcile`."""
        holder, until = self._reconciler
        if holder != owner and until > self.machine.now():
            return None
        self._reconciler = (owner, self.machine.now() + 5000)
        return self.machine.reconcile(depths)

    def ping(self) -> None:
        """See `Store.ping`."""

    @_locked
    def news(self) -> int:
        """See `Store.news`."""
        return self._news

    def wait_for_change(self, run: str, timeout_s: float, since: int | None = None) -> bool:
        """See `Store.wait_for_change`."""
        with self._changed:
            mark = self._news if since is None else since
            return self._changed.wait_for(lambda: self._latest.get(run, 0) > mark, timeout_s)
