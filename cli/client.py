"""A client of the service over HTTP, for the commands and for anybody's program:

    from cli.client import OcrFleet
    print(OcrFleet("http://127.0.0.1:8080").read("invoice.pdf")["text"])

It waits as the service asks it to (429 and 503 with Retry-After), and a submission that was repeated after a lost answer
makes one job: each carries an Idempotency-Key.
"""

from __future__ import annotations

import os
import random
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import requests

from cli.problems import FileRefused, ServerAway
from shared.errors import OcrFleetError

DEFAULT_SERVER = "http://127.0.0.1:8080"
CONNECT_S = 5.0
ANSWER_S = 60.0  # beyond what `wait` asks for
WAIT_S = 20  # one held answer
PATIENCE_S = 600.0  # how long a busy service is asked again
AWAY_S = 15.0  # how long one that does not answer is asked again
LONGEST_PAUSE_S = 30.0
ENDED = frozenset({"done", "partial", "failed", "cancelled"})

Job = dict[str, Any]


class Refused(OcrFleetError):
    """Raised when the service answers with a problem document; `problem` is that document."""

    def __init__(self, problem: Mapping[str, Any], status: int) -> None:
        super().__init__()
        self.problem = dict(problem)
        self.status = status
        self.slug = str(problem.get("type", "")).rpartition("/")[2] or f"http-{status}"
        self.title = str(problem.get("title") or f"HTTP {status}")
        self.detail = str(problem.get("detail") or self.title)
        self.detail_zh = str(problem.get("detail_zh") or self.detail)
        self.args = (self.detail,)


class OcrFleet:
    """One service. Not for several threads at once: give each its own.

    `server` and `api_key` default to OCRFLEET_SERVER and OCRFLEET_API_KEY. Every call may raise ServerAway or Refused.
    """

    def __init__(
        self,
        server: str | None = None,
        api_key: str | None = None,
        *,
        patience_s: float = PATIENCE_S,
        away_s: float = AWAY_S,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        named = server or os.environ.get("OCRFLEET_SERVER") or DEFAULT_SERVER
        self.server = (named if "://" in named else f"http://{named}").rstrip("/")
        self._patience_s = patience_s
        self._away_s = away_s
        self._sleep = sleep
        self._session = requests.Session()
        key = api_key or os.environ.get("OCRFLEET_API_KEY")
        if key:
            self._session.headers["Authorization"] = f"Bearer {key}"
        self._session.headers["User-Agent"] = "ocrfleet-client"

    def submit(self, document: str | Path | bytes, *, name: str | None = None, **options: str) -> Job:
        """Hand a document in and return its job. `options` are those of `POST /v1/jobs`: lang, engine, layout, ..."""
        if isinstance(document, bytes):
            data, shown = document, name or "document"
        else:
            try:
                data = Path(document).read_bytes()
            except OSError as error:
                raise FileRefused(path=document, reason=error.strerror) from error
            shown = name or Path(document).name
        response = self._call(
            "POST",
            "/v1/jobs",
            files={"file": (shown, data)},
            data={key: value for key, value in options.items() if value},
            headers={"Idempotency-Key": str(uuid.uuid4())},
        )
        return self._object(response)

    def job(self, job_id: str, wait_s: float = 0) -> Job:
        """The job as it stands, or as it changes within `wait_s` seconds."""
        response = self._call(
            "GET", f"/v1/jobs/{job_id}", params={"wait": f"{wait_s:g}"} if wait_s else None, wait_s=wait_s
        )
        return self._object(response)

    def follow(self, job_id: str) -> Iterator[Job]:
        """The job at each change, the last time when it has ended."""
        tag = ""
        while True:
            headers = {"If-None-Match": tag} if tag else {}
            wait_s = WAIT_S if tag else 0
            response = self._call(
                "GET", f"/v1/jobs/{job_id}", params={"wait": str(wait_s)}, headers=headers, wait_s=wait_s
            )
            if response.status_code == 304:
                continue
            tag = response.headers.get("ETag", "")
            job = self._object(response)
            yield job
            if job["status"] in ENDED:
                return

    def wait(self, job_id: str) -> Job:
        """The job once it has ended."""
        return list(self.follow(job_id))[-1]

    def result(self, job_id: str, form: str = "json", fields_of: str = "auto") -> bytes:
        """The result in one of the service's formats; `fields_of` is the form for `fields`. Raises Refused for a job that failed or has not ended."""
        asked = {"format": form} | ({"form": fields_of} if form == "fields" else {})
        response = self._call("GET", f"/v1/jobs/{job_id}/result", params=asked)
        if response.status_code == 202:
            raise Refused(
                {"title": "Not ready", "detail": "The job has not ended.", "detail_zh": "任务尚未结束。"}, 202
            )
        return response.content

    def read(self, document: str | Path | bytes, *, name: str | None = None, **options: str) -> dict[str, Any]:
        """Submit, wait, and return the result: `text`, `pages`, ... as in the service's JSON."""
        job = self.submit(document, name=name, **options)
        if job["status"] not in ENDED:
            self.wait(job["id"])
        response = self._call("GET", f"/v1/jobs/{job['id']}/result")
        return self._object(response)

    def cancel(self, job_id: str) -> Job:
        """Stop a job; no effect on one that ended."""
        return self._object(self._call("POST", f"/v1/jobs/{job_id}/cancel"))

    def delete(self, job_id: str) -> None:
        """Remove a job and its result."""
        self._call("DELETE", f"/v1/jobs/{job_id}")

    def jobs(self, limit: int = 20) -> list[Job]:
        """This client's jobs, newest first."""
        found = self._object(self._call("GET", "/v1/jobs", params={"limit": str(limit)}))
        return list(found.get("jobs", []))

    def capacity(self) -> dict[str, Any]:
        """How busy the fleet is."""
        return self._object(self._call("GET", "/v1/capacity"))

    def ready(self) -> dict[str, Any]:
        """What `/readyz` says, with `ready` true or false; a fleet that is not ready raises nothing."""
        try:
            response = self._session.get(f"{self.server}/readyz", timeout=(CONNECT_S, ANSWER_S))
            return {"ready": response.status_code == 200, **self._object(response)}
        except requests.RequestException as error:
            raise ServerAway(server=self.server, reason=brief(error)) from error

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        files: Mapping[str, tuple[str, bytes]] | None = None,
        headers: Mapping[str, str] | None = None,
        wait_s: float = 0,
    ) -> requests.Response:
        """One request, repeated while the service is busy or away. Every call here may be repeated without harm."""
        busy_until = time.monotonic() + self._patience_s
        away_until = time.monotonic() + self._away_s
        pause_s = 0.25
        while True:
            try:
                response = self._session.request(
                    method,
                    self.server + path,
                    params=params,
                    data=data,
                    files=files,
                    headers=headers,
                    timeout=(CONNECT_S, ANSWER_S + wait_s),
                )
            except requests.RequestException as error:
                if time.monotonic() + pause_s > away_until:
                    raise ServerAway(server=self.server, reason=brief(error)) from error
                self._sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                continue
            away_until = time.monotonic() + self._away_s
            if response.status_code not in (429, 503):
                break
            asked_s = min(retry_after(response), LONGEST_PAUSE_S)
            if time.monotonic() + asked_s > busy_until:
                break
            self._sleep(asked_s * random.uniform(1.0, 1.2))  # not all who were refused together come back together
        if response.status_code >= 400:
            raise Refused(self._object(response), response.status_code)
        return response

    @staticmethod
    def _object(response: requests.Response) -> dict[str, Any]:
        """The answer's JSON object; an answer that is none becomes a problem of its own."""
        try:
            found = response.json()
        except ValueError:
            found = None
        if isinstance(found, dict):
            return found
        title = f"HTTP {response.status_code} without JSON: is this an ocrfleet server?"
        if response.status_code < 400:
            raise Refused({"title": title}, response.status_code)
        return {"title": title}


def retry_after(response: requests.Response) -> float:
    """The seconds that the service asks to wait; 1 where it does not say."""
    try:
        return max(0.1, float(response.headers.get("Retry-After", "1")))
    except ValueError:
        return 1.0


def brief(error: requests.RequestException) -> str:
    """A connection's failure in a few words."""
    if isinstance(error, requests.ConnectTimeout):
        return "no connection within 5 s"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    text = str(error)
    for sign in ("Connection refused", "Name or service not known", "Temporary failure in name resolution", "No route"):
        if sign in text:
            return sign.lower()
    return type(error).__name__ if len(text) > 120 else text
