"""How things end: attempts, runs, jobs, cache entries; and what is removed when nothing needs it any more."""

from __future__ import annotations

from typing import Any

from shared import errors
from shared.store.book import Job, Run
from shared.store.protocol import Message, Status
from shared.store.schedule import Schedule


class Endings(Schedule):
    """Ends and removals."""

    def _end_attempt(self, run: Run, number: int, outcome: str) -> None:
        self.leases.pop((run.id, number), None)
        record = run.attempts.get((number, run.pages[number].attempts))
        # An attempt that was given up as lost and then handed its page in after all was not lost.
        if record is not None and (record["outcome"] is None or outcome == "done"):
            record["ended_at"], record["outcome"] = self.now(), outcome

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


def worn_out() -> dict[str, Any]:
    """The problem of a page whose worker was lost at every attempt."""
    return errors.PageFailed(
        reason="its worker was lost at every attempt", reason_zh="每次尝试时处理进程都异常退出"
    ).to_json()


def past_deadline() -> dict[str, Any]:
    """The problem of a job that was not finished in time."""
    return errors.PageFailed(reason="the job was not finished in time", reason_zh="任务未能在期限内完成").to_json()
