"""Redis's answers as the store's records."""

from __future__ import annotations

import json
from typing import Any

from shared.records import failed_page
from shared.store.protocol import JobView, Message, Status


def as_messages(rows: list[list[Any]]) -> tuple[Message, ...]:
    """Messages from rows of run, page, queue."""
    return tuple(Message(run.decode(), int(page), queue.decode()) for run, page, queue in rows)


def as_hash(rows: Any) -> dict[str, str]:
    """A hash, as a dictionary or as a list of fields and values."""
    pairs = rows.items() if isinstance(rows, dict) else zip(rows[::2], rows[1::2], strict=True)
    return {field.decode(): value.decode() for field, value in pairs}


def unpacked(page: int, result: bytes) -> bytes:
    """A page's packed result; of a page that failed unread only its problem is kept."""
    return failed_page(page, json.loads(result[1:])) if result.startswith(b"!") else result


def _optional(text: str | None) -> int | None:
    return int(text) if text else None


def as_view(job_id: str, answer: list[Any]) -> JobView:
    """A job from the answer of `view.lua`."""
    job, run = as_hash(answer[0]), as_hash(answer[1])
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
