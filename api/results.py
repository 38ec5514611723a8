"""What was read: the whole result in its formats, one page, and a page's picture."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from apiflask import APIBlueprint
from flask import Response, jsonify, request

from api import assemble, formats, searchable_pdf, spreadsheet
from api.forms import fill
from api.gateway import Gateway
from api.job_json import job_response
from api.problems import respond_document
from api.schemas import Page, Problem, Result, ResultQuery
from api.wording import because
from shared import notices
from shared.errors import JobError, OcrFleetError, PageNotFound, UnknownOption
from shared.store.protocol import JobView, Status

_AT_ONCE_BYTES = 4 << 20
"""Packed results up to this size are built in memory; larger ones are sent as they are unpacked."""

FORMATS: dict[str, tuple[str, Callable[[JobView, Mapping[int, bytes]], Iterator[bytes]] | None]] = {
    "json": ("application/json", assemble.result_json),
    "text": ("text/plain; charset=utf-8", formats.text),
    "markdown": ("text/markdown; charset=utf-8", formats.markdown),
    "hocr": ("text/html; charset=utf-8", formats.hocr),
    "alto": ("application/xml", formats.alto),
    "tsv": ("text/tab-separated-values; charset=utf-8", formats.tsv),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", spreadsheet.write),
    "pdf": ("application/pdf", None),
    "fields": ("application/json", None),
}
"""Format -> its content type and what writes it; a PDF also needs the pages' pictures, fields a form."""


def blueprint(gateway: Gateway) -> APIBlueprint:
    """The routes."""
    bp = APIBlueprint("results", __name__, url_prefix="/v1/jobs", tag="Results")

    @bp.get("/<job_id>/result")
    @bp.input(ResultQuery, location="query", arg_name="query")
    @bp.output(Result, description="The result, in the format asked for.")
    @bp.doc(responses=Problem.responses(404, 409, 410, 422, 503, job_202="Not yet: the job as it stands."))
    def result(job_id: str, query: ResultQuery) -> Response:
        """The whole result

        `fields` are named values of a fixed form, such as a receipt's total; `GET /v1/forms` lists the forms.
        202 with the job while it runs. A partial result is a result: `warnings` name the pages that failed.
        """
        if query.format not in FORMATS:
            raise UnknownOption(field="format", name="format", value=query.format[:60], known=", ".join(FORMATS))
        if query.form != "auto" and query.form not in gateway.forms:
            known = ", ".join(["auto", *gateway.forms])
            raise UnknownOption(field="form", name="form", value=query.form[:60], known=known)
        view = gateway.job(job_id)
        if not view.status.ended:
            return job_response(view, 202)
        if view.status in (Status.CANCELLED, Status.FAILED):
            return respond_document({**why(view).to_json(), **(view.error or {})})
        packed = gateway.store.page_results(job_id)
        kind, write = FORMATS[query.format]
        if query.format == "fields":
            return jsonify({"id": view.id, **_fields(gateway, packed, query.form)})
        pieces = _pdf(gateway, view, packed) if write is None else write(view, packed)
        if sum(map(len, packed.values())) <= _AT_ONCE_BYTES:
            return Response(b"".join(pieces), content_type=kind)
        return Response(pieces, content_type=kind)

    @bp.get("/<job_id>/pages/<int:page>")
    @bp.output(Page)
    @bp.doc(responses=Problem.responses(404, 409, 410, 503, job_202="Not yet: the job as it stands."))
    def one_page(job_id: str, page: int) -> Response:
        """One page, as soon as it is done

        202 with the job while the page waits or is read. A page that failed carries `error`.
        """
        view = gateway.job(job_id)
        packed = gateway.store.page_result(job_id, page)
        if packed is not None:
            return _unpacked(packed)
        if view.status is Status.CANCELLED or (view.status is Status.FAILED and view.error):
            return respond_document({**why(view).to_json(), **(view.error or {})})
        return job_response(view, 202)

    @bp.get("/<job_id>/pages/<int:page>/image")
    @bp.output({}, content_type="image/jpeg", description="The page as it was read.")
    @bp.doc(responses=Problem.responses(404, 410, 503))
    def image(job_id: str, page: int) -> Response:
        """A page's picture

        A JPEG, smaller than the page itself; 404 while the page is not done, and where none was kept.
        """
        gateway.job(job_id)
        preview = gateway.store.preview(job_id, page)
        if preview is None:
            raise PageNotFound(id=job_id, page=page)
        return Response(preview, content_type="image/jpeg")

    return bp


def _pdf(gateway: Gateway, view: JobView, packed: Mapping[int, bytes]) -> Iterator[bytes]:
    def preview(page: int) -> bytes | None:
        return gateway.store.preview(view.id, page)

    return searchable_pdf.write(view, packed, preview, gateway.settings.pdf_dpi)


def _fields(gateway: Gateway, packed: Mapping[int, bytes], form: str) -> dict[str, Any]:
    unread: list[str] = []

    def pages() -> Iterator[dict[str, Any]]:
        for page in assemble.pages(packed):
            if page.get("error"):
                unread.append(notices.UNREAD.said(page=page["page"]))
            yield page

    found = fill(gateway.forms, form, pages())
    in_chinese = found["warnings_zh"] + [notices.chinese(one) for one in unread]
    return {**found, "warnings": found["warnings"] + unread, "warnings_zh": in_chinese}


def _unpacked(packed: bytes) -> Response:
    """A stored page; as it is stored to those who unpack it themselves, for HTTP's `deflate` is the same form."""
    accepted = request.accept_encodings.best_match(["deflate", "identity"], default="identity")
    response = Response(packed if accepted == "deflate" else zlib.decompress(packed), content_type="application/json")
    if accepted == "deflate":
        response.content_encoding = "deflate"
    response.vary.add("Accept-Encoding")
    return response


def why(view: JobView) -> OcrFleetError:
    """Why an ended job has no result."""
    if view.status is Status.CANCELLED:
        error = because(JobError, "it was cancelled", "任务已取消", id=view.id)
    else:
        error = because(JobError, "it failed", "任务失败", id=view.id)
    return error
