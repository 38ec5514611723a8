"""/v1/jobs: hand a document in, follow it, stop it, remove it."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response, g, jsonify, request

from api.gateway import Gateway
from api.intake import take
from api.job_json import etag, job_json, job_response, rfc3339
from api.schemas import Attempts, Capacity, Job, JobList, ListQuery, Problem, WaitQuery
from api.waiting import never
from shared.store.protocol import JobView


def blueprint(gateway: Gateway) -> APIBlueprint:
    """The routes."""
    bp = APIBlueprint("jobs", __name__, url_prefix="/v1", tag="Jobs")

    @bp.post("/jobs")
    @bp.input(WaitQuery, location="query", arg_name="query")
    @bp.output(Job, status_code=202, description="Accepted; `Location` is where to ask for it.")
    @bp.doc(
        responses=Problem.responses(
            400,
            401,
            403,
            408,
            409,
            413,
            415,
            422,
            429,
            503,
            job_200="The finished job: an equal document was read before, or `wait` saw its end.",
        )
    )
    def create(query: WaitQuery) -> Response:
        """Hand a document in

        As a form's `file`, as the bytes themselves, or as JSON with `image_base64` (or `url`, for hosts that the
        operator listed). Options stand beside it in the form or the JSON, or in the query. 200 and the finished job
        where an equal document was read before; with `wait`, the answer is held until the job has ended.
        """
        accepted = take(gateway, request, g.client)
        view = gateway.store.view(accepted.id)
        seconds = query.seconds(gateway.settings)
        if seconds and not view.status.ended:
            view = gateway.polls.until(lambda: gateway.store.view(accepted.id), seconds, never)
        response = job_response(view, 200 if view.status.ended else 202)
        response.headers["Location"] = f"/v1/jobs/{accepted.id}"
        if accepted.how == "repeated":
            response.headers["Idempotent-Replayed"] = "true"
        return response

    @bp.get("/jobs/<job_id>")
    @bp.input(WaitQuery, location="query", arg_name="query")
    @bp.output(Job)
    @bp.doc(responses=Problem.responses(404, 410, 503))
    def show(job_id: str, query: WaitQuery) -> Response:
        """A job as it stands

        With `wait` the answer is held until its status or progress changes, at most so many seconds. Send the last
        `ETag` as `If-None-Match` and a change between two requests is not missed: 304 then means that nothing changed.
        """
        seen = request.if_none_match

        def look() -> JobView:
            return gateway.job(job_id)

        if seen:
            view = gateway.polls.until(look, query.seconds(gateway.settings), lambda now: not seen.contains(etag(now)))
        else:
            view = gateway.polls.until_changed(look, query.seconds(gateway.settings))
        if seen and seen.contains(etag(view)):
            unchanged = Response(status=304)
            unchanged.set_etag(etag(view))
            return unchanged
        return job_response(view)

    @bp.get("/jobs")
    @bp.input(ListQuery, location="query", arg_name="query")
    @bp.output(JobList)
    def index(query: ListQuery) -> Response:
        """This client's jobs, newest first

        `next` is the address of the following page, null on the last one.
        """
        views = gateway.store.list_jobs(g.client, query.limit + 1, query.before)
        shown, more = views[: query.limit], len(views) > query.limit
        following = f"/v1/jobs?limit={query.limit}&before={shown[-1].created_at}" if more else None
        return jsonify({"jobs": [job_json(view) for view in shown], "next": following})

    @bp.post("/jobs/<job_id>/cancel")
    @bp.output(Job)
    @bp.doc(responses=Problem.responses(404, 410, 503))
    def cancel(job_id: str) -> Response:
        """Stop a job

        No effect on one that has ended. Pages in work are dropped at their next step.
        """
        gateway.job(job_id)
        gateway.publish(gateway.store.cancel(job_id))
        return job_response(gateway.store.view(job_id))

    @bp.delete("/jobs/<job_id>")
    @bp.output({}, status_code=204, description="Removed.")
    @bp.doc(responses=Problem.responses(404, 410, 503))
    def remove(job_id: str) -> Response:
        """Stop a job and remove it, with its result"""
        gateway.job(job_id)
        gateway.publish(gateway.store.delete(job_id))
        return Response(status=204)

    @bp.get("/jobs/<job_id>/attempts")
    @bp.output(Attempts)
    @bp.doc(responses=Problem.responses(404, 410, 503))
    def attempts(job_id: str) -> Response:
        """Who read which page

        Every try at every page: worker, host, core, models, times and outcome.
        """
        gateway.job(job_id)
        rows = gateway.store.attempts(job_id)
        for row in rows:
            row.update({name: rfc3339(row.get(name)) for name in ("started_at", "ended_at")})
        return jsonify({"id": job_id, "attempts": rows})

    @bp.get("/capacity")
    @bp.output(Capacity)
    def capacity() -> Response:
        """How busy the fleet is, and what it accepts"""
        return jsonify(Capacity.now(gateway.store, gateway.settings).model_dump(mode="json"))

    return bp
