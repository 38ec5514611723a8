"""The three routes of the guide that this service grew from: the page, an upload that answers a page, and a call that
answers the text. They wait on the same queue as everything else."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Any

from apiflask import APIBlueprint
from flask import Response, g, jsonify, render_template, render_template_string, request, send_from_directory
from jinja2 import TemplateNotFound
from werkzeug.exceptions import HTTPException

from api import assemble
from api.gateway import Gateway
from api.intake import take
from api.job_json import job_json
from api.problems import StillReading, TooManyWaiting, from_http, respond, respond_document
from api.results import why
from api.schemas import Problem, Read
from api.waiting import never
from shared.errors import OcrFleetError
from shared.store.protocol import JobView, Status

MOST_S = 60
"""Longest that these routes wait for a text; then the job goes on without them."""

_PLAIN_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>ocrfleet</title>
<h1>Text out of a picture · 图片转文字</h1>
{% if text is not none and not problem %}<h2>{{ name }}</h2><pre>{{ text }}</pre>{% for line, line_zh in warnings %}<p>{{ line }}<br><span lang="zh">{{ line_zh }}</span></p>{% endfor %}{% endif %}
{% if problem %}<p role="alert">{{ problem.detail }}<br><span lang="zh">{{ problem.detail_zh }}</span></p>{% endif %}
{% if job %}<p><a href="{{ job.links.self }}">{{ job.id }}</a></p>{% endif %}
<form action="/upload" method="post" enctype="multipart/form-data">
<input type="file" name="image" required>{% if needs_key %}<input type="password" name="api_key" required>{% endif %}
<button>Read · 识别</button></form></html>"""


def blueprint(gateway: Gateway, web: Path) -> APIBlueprint:
    """The routes."""
    bp = APIBlueprint("guide", __name__, tag="Guide")

    @bp.get("/")
    @bp.doc(hide=True)
    def home() -> Response | str:
        """The page"""
        if (web / "index.html").is_file():
            return send_from_directory(web, "index.html")
        return render_template_string(_PLAIN_PAGE, text=None, needs_key=gateway.doors.locked)

    @bp.post("/upload")
    @bp.doc(hide=True)
    def upload() -> tuple[str, int] | tuple[str, int, dict[str, str]]:
        """A form's `image` -> a page with its text; works without JavaScript"""
        shown: dict[str, Any] = {"text": None, "result": None, "warnings": [], "problem": None, "job": None}
        shown |= {"job_id": "", "name": ""}
        shown["needs_key"] = gateway.doors.locked
        headers: dict[str, str] = {}
        status = 200
        try:
            request.max_content_length = gateway.settings.max_bytes + (1 << 20)
            g.client = gateway.doors.client(request, request.form.get("api_key", ""))
            view = _read(gateway, "image")
            shown |= {"job": job_json(view), "job_id": view.id, "name": view.name}
            if view.status in (Status.DONE, Status.PARTIAL):
                summary = assemble.summarise(gateway.store.page_results(view.id))
                shown |= {
                    "text": summary.text,
                    "warnings": list(zip(summary.warnings, summary.warnings_zh, strict=True)),
                    "result": summary._asdict(),
                }
            else:
                shown["problem"] = _why(view)
        except HTTPException as error:
            shown["problem"] = from_http(error, gateway.settings).to_json()
        except OcrFleetError as error:
            shown["problem"] = error.to_json()
        if shown["problem"]:
            # A template that knows nothing of problems still says what is wrong.
            shown["text"] = shown["problem"]["detail"] + "\n" + shown["problem"]["detail_zh"]
            status = int(shown["problem"].get("status", HTTPStatus.INTERNAL_SERVER_ERROR))
            if shown["problem"].get("retry_after") is not None:
                headers["Retry-After"] = str(shown["problem"]["retry_after"])
        try:
            return render_template("upload.html", **shown), status, headers
        except TemplateNotFound:
            return render_template_string(_PLAIN_PAGE, **shown), status, headers

    @bp.post("/api/ocr")
    @bp.output(Read)
    @bp.doc(responses=Problem.responses(400, 413, 415, 422, 429, 503, 504))
    def read() -> Response:
        """Send `image_base64`, get `text`

        Holds the answer until the text is there, at most a minute; then 504 with the job to ask for. Everything else
        that `POST /v1/jobs` takes is taken here too.
        """
        view = _read(gateway, "file")
        location = {"Location": f"/v1/jobs/{view.id}"}
        if view.status in (Status.DONE, Status.PARTIAL):
            summary = assemble.summarise(gateway.store.page_results(view.id))
            answer = jsonify({"text": summary.text, "id": view.id, "status": view.status.value})
        elif view.status.ended:
            answer = respond_document(_why(view))
        else:
            answer = respond(StillReading(id=view.id, retry_after=5), job=job_json(view))
        answer.headers.update(location)
        return answer

    return bp


def _read(gateway: Gateway, file_field: str) -> JobView:
    """Accept the request's document and wait for its end. A place to wait is taken first: without one, nothing is."""
    with gateway.guests.place() as held:
        if not held:
            raise TooManyWaiting(retry_after=2)
        accepted = take(gateway, request, g.client, file_field)
        return gateway.guests.hold(lambda: gateway.store.view(accepted.id), MOST_S, never)


def _why(view: JobView) -> dict[str, Any]:
    """The problem of a job that ended without a text, or has not ended yet."""
    if not view.status.ended:
        return StillReading(id=view.id, retry_after=5).to_json()
    return {**why(view).to_json(), **(view.error or {})}
