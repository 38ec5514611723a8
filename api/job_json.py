"""A job as clients see it."""

from __future__ import annotations

import hashlib
import math
from datetime import UTC, datetime
from typing import Any

from flask import Response, jsonify

from api.waiting import State
from shared.records import FOLDS, PICTURES
from shared.store.protocol import JobView

_OPTION_NAMES = ("lang", "engine", "layout", "preprocess", "fold", "pictures")
_SOON_S, _LATE_S = 1, 10


def job_json(view: JobView) -> dict[str, Any]:
    """The job document of the contract. Times are RFC 3339 in UTC."""
    here = f"/v1/jobs/{view.id}"
    links = {
        "self": here,
        "result": f"{here}/result",
        "pages": f"{here}/pages/{{page}}",
        "image": f"{here}/pages/{{page}}/image",
        "attempts": f"{here}/attempts",
    }
    if not view.status.ended:
        links["cancel"] = f"{here}/cancel"
    return {
        "id": view.id,
        "status": view.status.value,
        "progress": {
            "pages_total": view.pages_total,
            "pages_done": view.pages_done,
            "pages_failed": view.pages_failed,
            "lines_done": view.lines_done,
            "lines_total": view.lines_total,
        },
        "queue_position": view.queue_position,
        "eta_s": view.eta_s,
        "cached": view.cached,
        "created_at": rfc3339(view.created_at),
        "started_at": rfc3339(view.started_at),
        "finished_at": rfc3339(view.finished_at),
        "expires_at": rfc3339(view.expires_at),
        "error": view.error,
        "name": view.name,
        "kind": view.kind,
        "options": {
            "fold": FOLDS[0],
            "pictures": PICTURES[0],
            **dict(zip(_OPTION_NAMES, view.options.split("/"), strict=False)),
        },
        "priority": view.priority,
        "pages": list(view.pages),
        "links": links,
    }


def rfc3339(ms: int | None) -> str | None:
    """Milliseconds since the epoch as `2026-01-31T12:00:00.000Z`."""
    if ms is None:
        return None
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def etag(view: JobView) -> str:
    """Changes exactly when `?wait=` would answer."""
    return hashlib.sha256(f"{view.id}{State.of(view)}".encode()).hexdigest()[:16]


def job_response(view: JobView, status: int = 200) -> Response:
    """The job as an answer; while it runs, with a Retry-After that follows the estimate."""
    response = jsonify(job_json(view))
    response.status_code = status
    response.set_etag(etag(view))
    if not view.status.ended:
        seconds = _SOON_S if view.eta_s is None else math.ceil(view.eta_s)
        response.headers["Retry-After"] = str(min(_LATE_S, max(_SOON_S, seconds)))
    return response
