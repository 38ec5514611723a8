"""The job store's state machine, without input or output: the in-memory twin of the Lua, and the reference for it.

Every public method is one transition at the time `self.now()`. `memory.py` adds a lock and waiting; the Lua scripts do
the same on Redis. Where the two differ, a test that drives both with random interleavings fails. The records are in
`book.py`, who comes next in `schedule.py`, ends and removals in `endings.py`.
"""

from __future__ import annotations

import collections
import dataclasses
from typing import Any

from shared import errors
from shared.records import failed_page
from shared.store.book import Job, PageState, Run
from shared.store.endings import Endings, past_deadline, worn_out
from shared.store.protocol import BULK, INTERACTIVE, Accepted, Claim, Message, NewJob, PageDone, Status

EWMA = 0.1
"""Weight of the newest page in the mean service time."""


class Machine(Endings):
    """Jobs in, pages out, results in."""

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

    def _close_page(self, run: Run, number: int, outcome: str) -> None:
        self._end_attempt(run, number, outcome)
        self._unqueue(run.id, number)
        run.pages[number].lines = (0, 0)
        if run.done + run.failed == run.total:
            status = Status.DONE if not run.failed else Status.FAILED if not run.done else Status.PARTIAL
            self._end_run(run, status)
        self.changed(run.id)

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
