"""The job store's state machine, without input or output: the in-memory twin of the Lua, and the reference for it.

Every public method is one transition at the time `self.now()`. `memory.py` adds a lock and waiting; the Lua scripts do
the same on Redis. Where the two differ, a test that drives both with random interleavings fails.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from shared import errors
from shared.records import failed_page
from shared.store.eta import Ahead, estimate_ms
from shared.store.protocol import (
    BULK,
    INTERACTIVE,
    QUEUES,
    Accepted,
    Claim,
    Limits,
    Message,
    NewJob,
    PageDone,
    Status,
)

FIRST_PAGES = 4
"""So many pages of an interactive document go on the interactive queue; the rest of a long one waits with the bulk."""
MIN_WINDOW = 4
"""Least number of messages kept on a queue; else twice the live slots, so that no worker runs dry between two pages."""
LOST_AFTER_MS = 5_000
"""A message that nobody claimed for so long, while its queue is empty, was lost on the way."""
AGED_AFTER_MS = 20_000
"""A bulk page that waits so long on its queue is sent to the interactive one: bulk work is slowed, never starved."""
EWMA = 0.1
"""Weight of the newest page in the mean service time."""


@dataclasses.dataclass(slots=True)
class PageState:
    """A page of a run; `waiting` pages have none yet."""

    state: str = "queued"
    attempts: int = 0
    token: str = ""
    worker: str = ""
    lines: tuple[int, int] = (0, 0)


@dataclasses.dataclass(slots=True)
class Run:
    """The reading of one document with one set of options."""

    id: str
    blob: str
    blob_bytes: int
    kind: str
    options: str
    key: str
    client: str
    queue: str
    order: int
    total: int
    todo: collections.deque[int]
    status: Status = Status.QUEUED
    started_at: int | None = None
    finished_at: int | None = None
    dispatched: int = 0
    done: int = 0
    failed: int = 0
    lines: int = 0
    copied: int = 0
    size: int = 0
    cached: bool = False
    mixed: bool = False
    fingerprint: str = ""
    error: dict[str, Any] | None = None
    active: set[str] = dataclasses.field(default_factory=set)
    refs: set[str] = dataclasses.field(default_factory=set)
    pages: dict[int, PageState] = dataclasses.field(default_factory=dict)
    results: dict[int, bytes] = dataclasses.field(default_factory=dict)
    previews: dict[int, bytes] = dataclasses.field(default_factory=dict)
    attempts: dict[tuple[int, int], dict[str, Any]] = dataclasses.field(default_factory=dict)
    page_keys: set[str] = dataclasses.field(default_factory=set)


@dataclasses.dataclass(slots=True)
class Job:
    """What a client asked for. `status` is set only where it differs from the run's (cancelled, past its deadline)."""

    id: str
    run: str
    client: str
    name: str
    kind: str
    options: str
    priority: str
    pages: tuple[int, ...]
    created_at: int
    cached: bool = False
    status: Status | None = None
    finished_at: int | None = None
    expires_at: int | None = None
    error: dict[str, Any] | None = None
    idempotency: str = ""
    eta_ms: int = 0


class Machine:
    """All state in plain dictionaries; each method one transition."""

    def __init__(self, limits: Limits, now: Callable[[], int]) -> None:
        self.limits = limits
        self.now = now
        self.jobs: dict[str, Job] = {}
        self.runs: dict[str, Run] = {}
        self.blobs: dict[str, bytes] = {}
        self.blob_refs: collections.Counter[str] = collections.Counter()
        self.blob_bytes = 0
        self.unaccepted: dict[str, int] = {}
        self.flight: dict[str, str] = {}
        self.cache: dict[str, str] = {}
        self.used: dict[str, int] = {}
        self.cache_size = 0
        self.page_keys: dict[str, tuple[str, int]] = {}
        self.idempotency: dict[tuple[str, str], tuple[str, str, int]] = {}
        self.inflight: dict[str, int] = {}
        self.ring: dict[str, collections.deque[str]] = {queue: collections.deque() for queue in QUEUES}
        self.backlog: dict[tuple[str, str], collections.deque[str]] = {}
        self.conveyor: dict[str, dict[tuple[str, int], int]] = {queue: {} for queue in QUEUES}
        self.leases: dict[tuple[str, int], int] = {}
        self.waiting: dict[str, dict[str, int]] = {queue: {} for queue in QUEUES}
        self.slot_beats: dict[str, int] = {}
        self.slot_info: dict[str, dict[str, Any]] = {}
        self.cores: dict[tuple[str, int], tuple[str, int]] = {}
        self.totals: collections.Counter[str] = collections.Counter()
        self.order = 0
        self.page_ms = 0.0
        self.changed: Callable[[str], None] = lambda run: None

    # Accepting

    def accept(self, new: NewJob) -> Accepted:
        """See `Store.accept`. Order: repeated key, cache, bound, join, new run."""
        now = self.now()
        mark = f"{new.blob}|{new.options}|{','.join(map(str, new.pages))}"
        if new.id in self.jobs:
            # The same call again, after a connection that broke before its answer came; so below.
            return Accepted(new.id, "new")
        if new.idempotency:
            known = self.idempotency.get((new.client, new.idempotency))
            if known and known[2] > now and known[0] in self.jobs:
                if known[1] != mark:
                    raise errors.IdempotencyConflict(field="Idempotency-Key")
                return Accepted(known[0], "repeated")
        held = self.cache.get(new.key) if new.key else None
        if held is not None:
            run = self.runs[held]
            self._add_job(new, run, mark, cached=True)
            self.used[run.id] = now
            self.totals["jobs_cached"] += 1
            return Accepted(new.id, "cached")
        mine = sum(1 for job in self.inflight if self.jobs[job].client == new.client)
        if len(self.inflight) >= self.limits.max_jobs or mine >= max(
            1, int(self.limits.max_jobs * self.limits.client_share)
        ):
            self.totals["jobs_refused"] += 1
            raise errors.QueueFull(retry_after=self.retry_after())
        joined = self.flight.get(new.key) if new.key else None
        if joined is not None:
            self._add_job(new, self.runs[joined], mark)
            self.totals["jobs_joined"] += 1
            return Accepted(new.id, "joined", self._dispatch())
        if self.blob_refs[new.blob] == 0:
            if new.blob not in self.blobs:
                raise errors.BlobMissing
            if self.blob_bytes + new.blob_bytes > self.limits.max_blob_bytes:
                self.totals["jobs_refused"] += 1
                raise errors.QueueFull(retry_after=self.retry_after())
            self.blob_bytes += new.blob_bytes
            self.unaccepted.pop(new.blob, None)
        self.blob_refs[new.blob] += 1
        self.order += 1
        run = Run(
            id=new.run,
            blob=new.blob,
            blob_bytes=new.blob_bytes,
            kind=new.kind,
            options=new.options,
            key=new.key,
            client=new.client,
            queue=new.priority,
            order=self.order,
            total=len(new.pages),
            todo=collections.deque(new.pages),
        )
        self.runs[run.id] = run
        if new.key:
            self.flight[new.key] = run.id
        self.waiting[run.queue][run.id] = run.order
        self._line_up(run)
        self._add_job(new, run, mark)
        self.totals["jobs_accepted"] += 1
        return Accepted(new.id, "new", self._dispatch())

    def retry_after(self) -> int:
        """Seconds until a slot is likely free: depth x mean service time / live slots, between 1 and 120."""
        pages = sum(len(self.runs[run].todo) for line in self.backlog.values() for run in line)
        pages += sum(len(messages) for messages in self.conveyor.values())
        return int(min(120, max(1, pages * (self.page_ms or 1000) / 1000 / max(1, self.live_slots()))))

    def _add_job(self, new: NewJob, run: Run, mark: str, *, cached: bool = False) -> None:
        now = self.now()
        job = Job(
            new.id, run.id, new.client, new.name, new.kind, new.options, new.priority, new.pages, now,
            cached=cached, idempotency=new.idempotency,
        )  # fmt: skip
        self.jobs[new.id] = job
        run.refs.add(new.id)
        if cached:
            job.finished_at, job.expires_at = now, now + self.limits.result_ttl_s * 1000
        else:
            run.active.add(new.id)
            self.inflight[new.id] = now + self.limits.job_deadline_s * 1000
            job.eta_ms = self.estimate(run)
        if new.idempotency:
            until = now + self.limits.idempotency_ttl_s * 1000
            self.idempotency[(new.client, new.idempotency)] = (new.id, mark, until)

    def place_of(self, run_id: str) -> int:
        """A run's place in line, counted from 1 over both queues; 0 once its first page is claimed."""
        before = 0
        for queue in QUEUES:
            line = sorted(self.waiting[queue], key=self.waiting[queue].__getitem__)
            if run_id in line:
                return before + line.index(run_id) + 1
            before += len(line)
        return 0

    def estimate(self, run: Run) -> int:
        """Milliseconds until the run's last page is read, 0 while unknown."""
        sent = {queue: len(self.conveyor[queue]) for queue in QUEUES}
        own, queued = run.total - run.done - run.failed, len(self.waiting[INTERACTIVE])
        ahead = Ahead(own, self.place_of(run.id), sent[INTERACTIVE], sent[BULK], queued, run.queue == BULK)
        return estimate_ms(ahead, self.page_ms, self.live_slots())

    # Dispatching: clients take turns, and so do the runs of a client

    def _line_up(self, run: Run) -> None:
        line = self.backlog.setdefault((run.queue, run.client), collections.deque())
        if not line:
            self.ring[run.queue].append(run.client)
        line.append(run.id)

    def live_slots(self) -> int:
        """How many worker processes were heard of lately."""
        horizon = self.now() - self.limits.slot_ttl_s * 1000
        return sum(1 for beat in self.slot_beats.values() if beat > horizon)

    def _dispatch(self) -> tuple[Message, ...]:
        window = max(MIN_WINDOW, 2 * self.live_slots())
        messages: list[Message] = []
        for queue in QUEUES:
            while len(self.conveyor[queue]) < window and self.ring[queue]:
                client = self.ring[queue].popleft()
                line = self.backlog[(queue, client)]
                run = self.runs.get(line.popleft())
                if run is not None and not run.status.ended and run.todo:
                    page = run.todo.popleft()
                    run.dispatched += 1
                    if page not in run.pages:
                        run.pages[page] = PageState()
                        messages.append(self._send(run.id, page, queue))
                    if run.todo:
                        if queue == INTERACTIVE and run.dispatched >= FIRST_PAGES:
                            run.queue = BULK
                            self._line_up(run)
                        else:
                            line.append(run.id)
                if line:
                    self.ring[queue].append(client)
                else:
                    del self.backlog[(queue, client)]
        return tuple(messages)

    def _send(self, run: str, page: int, queue: str) -> Message:
        self.conveyor[queue][(run, page)] = self.now()
        return Message(run, page, queue)

    def _unqueue(self, run: str, page: int) -> None:
        for queue in QUEUES:
            self.conveyor[queue].pop((run, page), None)

    # A page's life

    def claim(
        self, run_id: str, number: int, token: str, worker: dict[str, Any]
    ) -> tuple[Claim | None, tuple[Message, ...]]:
        """See `Store.claim`."""
        now = self.now()
        self._unqueue(run_id, number)
        run = self.runs.get(run_id)
        if run is None or run.status.ended:
            return None, self._dispatch()
        page = run.pages.get(number)
        if page is None:
            # A message without its state: written in the last second before a power loss. Take the page out of turn.
            if number not in run.todo:
                return None, self._dispatch()
            page = run.pages[number] = PageState()
        given = Claim(run_id, number, token, page.attempts, run.blob, run.kind, run.options, run.total)
        if page.state == "running" and page.token == token:
            return given, ()
        if page.state in ("done", "failed") or (page.state == "running" and self.leases[(run_id, number)] > now):
            return None, self._dispatch()
        if page.state == "running":
            self._end_attempt(run, number, "lost")
        if page.attempts >= self.limits.max_attempts:
            return None, self._fail(run, number, worn_out(), b"") + self._dispatch()
        page.attempts += 1
        page.state, page.token, page.worker, page.lines = "running", token, str(worker.get("worker", "")), (0, 0)
        self.leases[(run_id, number)] = now + self.limits.lease_s * 1000
        run.attempts[(number, page.attempts)] = {
            "page": number, "attempt": page.attempts, **worker, "started_at": now, "ended_at": None, "outcome": None,
        }  # fmt: skip
        if run.status is Status.QUEUED:
            run.status, run.started_at = Status.RUNNING, now
            self._leave_waiting(run)
        self.changed(run_id)
        return dataclasses.replace(given, attempt=page.attempts), self._dispatch()

    def _leave_waiting(self, run: Run) -> None:
        for queue in QUEUES:
            self.waiting[queue].pop(run.id, None)

    def _holder(self, claim: Claim, *states: str) -> tuple[Run, PageState] | None:
        run = self.runs.get(claim.run)
        page = run.pages.get(claim.page) if run is not None else None
        if run is None or page is None or run.status.ended or page.token != claim.token or page.state not in states:
            return None
        return run, page

    def beat(self, claim: Claim, lines_done: int, lines_total: int) -> bool:
        """See `Store.beat`."""
        held = self._holder(claim, "running")
        if held is None:
            return False
        self.leases[(claim.run, claim.page)] = self.now() + self.limits.lease_s * 1000
        if held[1].lines != (lines_done, lines_total):
            held[1].lines = (lines_done, lines_total)
            self.changed(claim.run)
        return True

    def finish_page(self, claim: Claim, done: PageDone) -> tuple[bool, tuple[Message, ...]]:
        """See `Store.finish_page`. A claim whose lease lapsed still counts while nobody else took the page."""
        before = self.runs[claim.run].pages.get(claim.page) if claim.run in self.runs else None
        if before is not None and before.state == "done" and before.token == claim.token:
            return True, ()
        held = self._holder(claim, "running", "queued")
        if held is None:
            self.totals["pages_late"] += 1
            return False, ()
        run, page = held
        page.state = "done"
        run.done += 1
        run.lines += done.lines
        run.copied += done.cached
        run.results[claim.page] = done.result
        run.size += len(done.result) + len(done.preview or b"")
        if done.preview is not None:
            run.previews[claim.page] = done.preview
        run.mixed = run.mixed or run.fingerprint not in ("", done.fingerprint)
        run.fingerprint = done.fingerprint
        if done.page_key and done.page_key not in self.page_keys:
            self.page_keys[done.page_key] = (run.id, claim.page)
            run.page_keys.add(done.page_key)
        if not done.cached:
            self.page_ms = done.read_ms if not self.page_ms else (1 - EWMA) * self.page_ms + EWMA * done.read_ms
        self.totals["pages_cached" if done.cached else "pages_read"] += 1
        self._close_page(run, claim.page, "done")
        return True, self._dispatch()

    def fail_page(
        self, claim: Claim, problem: dict[str, Any], result: bytes, *, retry: bool
    ) -> tuple[bool, tuple[Message, ...]]:
        """See `Store.fail_page`."""
        held = self._holder(claim, "running", "queued")
        if held is None:
            self.totals["pages_late"] += 1
            return False, ()
        run, page = held
        if retry and page.attempts < self.limits.max_attempts:
            return True, self._requeue(run, claim.page, "error") + self._dispatch()
        return True, self._fail(run, claim.page, problem, result) + self._dispatch()

    def lose_page(
        self, run_id: str, number: int, worker: str, outcome: str, *, final: dict[str, Any] | None
    ) -> tuple[Message, ...]:
        """See `Store.lose_page`."""
        run = self.runs.get(run_id)
        page = run.pages.get(number) if run is not None else None
        if run is None or page is None or page.state != "running" or not page.worker.startswith(worker):
            return ()
        return self._lost(run, number, outcome, final) + self._dispatch()

    def _lost(self, run: Run, number: int, outcome: str, final: dict[str, Any] | None = None) -> tuple[Message, ...]:
        self.totals["attempts_lost"] += 1
        if final is None and run.pages[number].attempts < self.limits.max_attempts:
            return self._requeue(run, number, outcome)
        return self._fail(run, number, final or worn_out(), b"", outcome)

    def _requeue(self, run: Run, number: int, outcome: str) -> tuple[Message, ...]:
        self._end_attempt(run, number, outcome)
        run.pages[number].state = "queued"
        self._unqueue(run.id, number)
        return (self._send(run.id, number, INTERACTIVE if run.queue == INTERACTIVE else BULK),)

    def _fail(
        self, run: Run, number: int, problem: dict[str, Any], result: bytes, outcome: str = "failed"
    ) -> tuple[Message, ...]:
        run.pages[number].state = "failed"
        run.failed += 1
        run.results[number] = result or failed_page(number, problem)
        run.error = run.error or problem
        self.totals["pages_failed"] += 1
        self._close_page(run, number, outcome)
        return ()

    def _end_attempt(self, run: Run, number: int, outcome: str) -> None:
        self.leases.pop((run.id, number), None)
        record = run.attempts.get((number, run.pages[number].attempts))
        if record is not None and record["outcome"] is None:
            record["ended_at"], record["outcome"] = self.now(), outcome

    def _close_page(self, run: Run, number: int, outcome: str) -> None:
        self._end_attempt(run, number, outcome)
        self._unqueue(run.id, number)
        run.pages[number].lines = (0, 0)
        if run.done + run.failed == run.total:
            status = Status.DONE if not run.failed else Status.FAILED if not run.done else Status.PARTIAL
            self._end_run(run, status)
        self.changed(run.id)

    # A run's end

    def _end_run(self, run: Run, status: Status) -> None:
        now = self.now()
        run.status, run.finished_at = status, now
        run.todo.clear()
        if self.flight.get(run.key) == run.id:
            del self.flight[run.key]
        self._leave_waiting(run)
        for page in list(run.pages):
            self._unqueue(run.id, page)
            if (run.id, page) in self.leases:
                self._end_attempt(run, page, "cancelled")
        self.blob_refs[run.blob] -= 1
        if self.blob_refs[run.blob] == 0:
            del self.blob_refs[run.blob]
            self.blob_bytes -= run.blob_bytes
            self.blobs.pop(run.blob, None)
        if status is Status.CANCELLED:
            run.results.clear()
            run.previews.clear()
        for job in run.active:
            self.inflight.pop(job, None)
            self.jobs[job].finished_at = now
            self.jobs[job].expires_at = now + self.limits.result_ttl_s * 1000
            self.totals["jobs_" + status.value] += 1
            if status is Status.DONE and self.jobs[job].eta_ms:
                self.totals["eta_jobs"] += 1
                self.totals["eta_error_ms"] += abs(now - self.jobs[job].created_at - self.jobs[job].eta_ms)
        run.active.clear()
        if status is Status.DONE and run.key and not run.mixed and self.limits.cache_bytes > 0:
            run.cached = True
            self.cache[run.key] = run.id
            self.used[run.id] = now
            self.cache_size += run.size
            self._trim()
        self.changed(run.id)

    def _drop_job(self, job: Job, status: Status, error: dict[str, Any] | None = None) -> None:
        """End one job apart from its run: the run ends with it only if no other job waits for it."""
        now = self.now()
        run = self.runs[job.run]
        job.status, job.error, job.finished_at = status, error, now
        job.expires_at = now + self.limits.result_ttl_s * 1000
        self.inflight.pop(job.id, None)
        run.active.discard(job.id)
        self.totals["jobs_" + status.value] += 1
        if not run.active and not run.status.ended:
            self._end_run(run, Status.CANCELLED)
        self.changed(run.id)

    def cancel(self, job_id: str) -> tuple[Message, ...]:
        """See `Store.cancel`."""
        job = self.jobs.get(job_id)
        if job is not None and job.id in self.inflight:
            self._drop_job(job, Status.CANCELLED)
        return self._dispatch()

    def delete(self, job_id: str) -> tuple[Message, ...]:
        """See `Store.delete`."""
        messages = self.cancel(job_id)
        job = self.jobs.get(job_id)
        if job is not None:
            run = self.runs[job.run]
            if run.refs == {job_id} and run.cached:
                self._uncache(run)
            self._remove_job(job)
        return messages

    def _remove_job(self, job: Job) -> None:
        del self.jobs[job.id]
        if job.idempotency:
            self.idempotency.pop((job.client, job.idempotency), None)
        run = self.runs[job.run]
        run.refs.discard(job.id)
        self._remove_run_if_unused(run)

    def _remove_run_if_unused(self, run: Run) -> None:
        if run.refs or run.cached or not run.status.ended:
            return
        for key in run.page_keys:
            self.page_keys.pop(key, None)
        del self.runs[run.id]

    # The cache: runs that are kept for the next equal document

    def _uncache(self, run: Run) -> None:
        run.cached = False
        self.used.pop(run.id, None)
        self.cache_size -= run.size
        if self.cache.get(run.key) == run.id:
            del self.cache[run.key]

    def _trim(self) -> None:
        horizon = self.now() - self.limits.cache_ttl_s * 1000
        for run_id, used in sorted(self.used.items(), key=lambda item: (item[1], item[0])):
            if used > horizon and self.cache_size <= self.limits.cache_bytes:
                break
            run = self.runs[run_id]
            self._uncache(run)
            self._remove_run_if_unused(run)

    # Putting right

    def reconcile(self, depths: dict[str, int]) -> tuple[Message, ...]:
        """See `Store.reconcile`."""
        now = self.now()
        messages: list[Message] = []
        for run_id, number in [key for key, until in self.leases.items() if until <= now]:
            messages += self._lost(self.runs[run_id], number, "lost")
        messages += self._resend(now, depths)
        for job_id in [job for job, deadline in self.inflight.items() if deadline <= now]:
            self._drop_job(self.jobs[job_id], Status.FAILED, past_deadline())
        for job in [job for job in self.jobs.values() if job.expires_at is not None and job.expires_at <= now]:
            self._remove_job(job)
        for sha in [sha for sha, until in self.unaccepted.items() if until <= now]:
            del self.unaccepted[sha]
            if self.blob_refs[sha] == 0:
                self.blobs.pop(sha, None)
        for key in [key for key, value in self.idempotency.items() if value[2] <= now]:
            del self.idempotency[key]
        horizon = now - self.limits.slot_ttl_s * 1000 * 10
        for slot in [slot for slot, beat in self.slot_beats.items() if beat <= horizon]:
            del self.slot_beats[slot]
            self.slot_info.pop(slot, None)
        self._trim()
        return (*messages, *self._dispatch())

    def _resend(self, now: int, depths: dict[str, int]) -> Iterator[Message]:
        for queue in QUEUES:
            aged = now - max(AGED_AFTER_MS, int(10 * self.page_ms))
            lost = now - LOST_AFTER_MS
            for (run_id, number), sent in sorted(self.conveyor[queue].items(), key=lambda item: (item[1], item[0])):
                if sent <= aged:
                    self.conveyor[queue][(run_id, number)] = now
                    yield Message(run_id, number, INTERACTIVE)
                elif sent <= lost and depths.get(queue, 0) == 0:
                    self.conveyor[queue][(run_id, number)] = now
                    yield Message(run_id, number, queue)


def worn_out() -> dict[str, Any]:
    """The problem of a page whose worker was lost at every attempt."""
    return errors.PageFailed(
        reason="its worker was lost at every attempt", reason_zh="每次尝试时处理进程都异常退出"
    ).to_json()


def past_deadline() -> dict[str, Any]:
    """The problem of a job that was not finished in time."""
    return errors.PageFailed(reason="the job was not finished in time", reason_zh="任务未能在期限内完成").to_json()
