"""Every error of the gateway in one shape: RFC 9457 problem documents, in English and Chinese.

Handlers raise `shared.errors.OcrFleetError`; Flask's own errors (404, 405, 413...) and schema errors are turned into
such errors here, so that a client never meets a second shape.
"""

from __future__ import annotations

import json
import logging
from typing import Any
from urllib.parse import quote

from apiflask import APIFlask, HTTPError
from flask import Response, g, request
from werkzeug.exceptions import ClientDisconnected, HTTPException

from shared import errors
from shared.settings import MIB, Settings

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"


class NoSuchPath(errors.RequestError):
    """Raised for a path that this service does not have."""

    slug, status, title = "no-such-path", 404, "No such path"
    english = "There is nothing at {path}; see /docs for what there is."
    chinese = "路径 {path} 不存在；请参阅 /docs。"


class MethodNotAllowed(errors.RequestError):
    """Raised for a method that a path does not answer."""

    slug, status, title = "method-not-allowed", 405, "Method not allowed"
    english = "{path} does not answer {method}; it answers {known}."
    chinese = "{path} 不支持 {method} 方法；支持：{known}。"


class StillReading(errors.ServiceError):
    """Raised when a call that waits for the text has waited long enough; the job goes on."""

    slug, status, title = "still-reading", 504, "Still reading"
    english = "The document is still being read; ask for job {id} in {retry_after} seconds."
    chinese = "文件仍在识别中；请在 {retry_after} 秒后查询任务 {id}。"


class TooManyWaiting(errors.ServiceError):
    """Raised when as many callers wait for an answer as this process can hold."""

    slug = "too-many-waiting"
    english = "Too many callers are waiting for an answer; send the document to /v1/jobs, which answers at once."
    chinese = "等待结果的请求过多；请改用立即返回的 /v1/jobs 接口。"


class TooManyUploads(errors.ServiceError):
    """Raised when as many bytes are being taken in as this process can hold."""

    slug = "too-many-uploads"
    english = "Too many large documents are coming in at once; try again in {retry_after} seconds."
    chinese = "同时上传的大文件过多；请在 {retry_after} 秒后重试。"


class CrossSite(errors.RequestError):
    """Raised when a browser sends something on behalf of another site's page."""

    slug, status, title = "cross-site", 403, "Sent by another site"
    english = "A page of another site sent this; it is not accepted from there."
    chinese = "该请求来自其他网站的页面，已被拒绝。"


class TooSlow(errors.RequestError):
    """Raised when a request's body stopped coming."""

    slug, status, title = "too-slow", 408, "Request too slow"
    english = "The rest of the document did not come in time; send it again."
    chinese = "文件未能及时传完；请重新发送。"


def respond(error: errors.OcrFleetError, **members: Any) -> Response:
    """The answer for an error; `members` are added to the problem document."""
    return respond_document({**error.to_json(), **members})


def respond_document(document: dict[str, Any]) -> Response:
    """The answer for a ready problem document."""
    status = int(document.get("status", 500))
    body = json.dumps({**document, "instance": request.path}, ensure_ascii=False, separators=(",", ":"))
    response = Response(body, status=status, content_type=CONTENT_TYPE)
    if document.get("retry_after") is not None:
        response.headers["Retry-After"] = str(document["retry_after"])
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="ocrfleet"'
    return response


def too_many_bytes(settings: Settings) -> errors.TooManyBytes:
    """The error for a body above `max_bytes`."""
    return errors.TooManyBytes(limit_mib=f"{settings.max_bytes / MIB:g}")


def from_http(error: HTTPException, settings: Settings) -> errors.OcrFleetError:
    """One of Flask's or Werkzeug's errors as one of ours."""
    if error.code == 404:
        return NoSuchPath(path=request.path)
    if error.code == 405:
        known = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
        return MethodNotAllowed(path=request.path, method=request.method, known=known)
    # The server's time limit on a connection shows as this; whoever really went away hears no answer anyway.
    if isinstance(error, ClientDisconnected):
        return TooSlow()
    if error.code == 413:
        return too_many_bytes(settings)
    if error.code is not None and error.code >= 500:
        return errors.OcrFleetError()
    ours = errors.RequestError(reason=(error.description or error.name).rstrip("."))
    ours.status, ours.title = error.code or 400, error.name
    return ours


def _from_schema(error: HTTPError) -> errors.OcrFleetError:
    """A schema error as the error of its first field."""
    detail = error.detail if isinstance(error.detail, dict) else {}
    for fields in detail.values():
        for name, messages in fields.items() if isinstance(fields, dict) else ():
            value = str(request.values.get(name, ""))[:60]
            return errors.UnknownOption(field=name, name=name, value=value, known="; ".join(map(str, messages)))
    ours = errors.RequestError(reason=str(error.message).rstrip("."))
    ours.status = error.status_code
    return ours


def register(app: APIFlask, settings: Settings) -> None:
    """Install the handlers."""

    def ours(error: errors.OcrFleetError) -> Response:
        if error.status >= 500 and error.status != 504:
            log.warning("%s %s: %s [%s]", request.method, quote(request.path), error.detail, g.get("request_id", ""))
        return respond(error)

    def http(error: HTTPException) -> Response:
        response = respond(from_http(error, settings))
        for name, value in error.get_headers():
            if name.lower() == "allow":
                response.headers[name] = value
        return response

    def schema(error: HTTPError) -> Response:
        return respond(_from_schema(error))

    def unexpected(error: Exception) -> Response:
        log.error("%s %s failed [%s]", request.method, quote(request.path), g.get("request_id", ""), exc_info=error)
        return respond(errors.OcrFleetError())

    app.register_error_handler(errors.OcrFleetError, ours)
    app.register_error_handler(HTTPException, http)
    app.register_error_handler(HTTPError, schema)
    app.register_error_handler(Exception, unexpected)
