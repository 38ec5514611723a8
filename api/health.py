"""Whether this process lives, whether the fleet can read, and the numbers for those who watch it."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response, jsonify

from api.gateway import Gateway
from api.problems import respond
from api.schemas import Alive, Problem, Ready
from shared.errors import OcrFleetError, ServiceError

_RETRY_S = 5


class NotReady(ServiceError):
    """Raised when the fleet cannot read a document now; `missing` says what it lacks."""

    slug, title = "not-ready", "Not ready"
    english = "The service is not ready: {missing}."
    chinese = "服务尚未就绪：{missing_zh}。"


def blueprint(gateway: Gateway) -> APIBlueprint:
    """The routes."""
    bp = APIBlueprint("health", __name__, tag="Health")

    @bp.get("/livez")
    @bp.output(Alive)
    def livez() -> Response:
        """Whether this process answers

        Touches nothing else: a gateway must not be restarted because Redis is away.
        """
        return jsonify({"alive": True})

    @bp.get("/readyz")
    @bp.output(Ready)
    @bp.doc(responses=Problem.responses(503))
    def readyz() -> Response:
        """Whether a document handed in now would be read

        The job store answers and at least one worker process is warm; else 503, with what is missing.
        """
        try:
            gateway.store.ping()
            slots = gateway.store.slots()
        except OcrFleetError:
            return _not_ready("store", "the job store (Redis) does not answer", "任务存储（Redis）无响应")
        warm = [slot for slot in slots if slot.get("warm", True)]
        if warm:
            return jsonify({"ready": True, "slots": len(warm), "missing": []})
        reasons = sorted({str(slot["problem"]) for slot in slots if slot.get("problem")})
        if reasons:
            return _not_ready("model", "no worker could load its model: " + "; ".join(reasons), "模型加载失败")
        if slots:
            return _not_ready("workers", "the workers are still loading their models", "处理进程正在加载模型")
        return _not_ready("workers", "no worker process is running", "没有运行中的处理进程")

    @bp.get("/metrics")
    @bp.output({}, content_type="text/plain", description="The text format of Prometheus.")
    def metrics() -> Response:
        """Numbers for Prometheus"""
        return gateway.metrics.render(gateway.store)

    return bp


def _not_ready(missing: str, reason: str, reason_zh: str) -> Response:
    error = NotReady(missing=reason, missing_zh=reason_zh, retry_after=_RETRY_S)
    return respond(error, ready=False, missing=[missing])
