"""What those ask who watch the service, and what every answer carries."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from shared.errors import StoreUnavailable
from shared.settings import Settings
from tests.contract.http_bench import Gate, Queue, problem_of
from tests.documents import picture


class Untouchable:
    """A store that must not be asked."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the store was asked for {name}")


def test_livez_touches_nothing() -> None:
    app = create_app(Settings(), Untouchable(), Queue())
    answer = app.test_client().get("/livez")
    assert (answer.status_code, answer.get_json()) == (200, {"alive": True})


def test_readyz_is_ready_with_one_warm_worker() -> None:
    answer = Gate().http.get("/readyz")
    assert (answer.status_code, answer.get_json()) == (200, {"ready": True, "slots": 1, "missing": []})


def test_readyz_says_what_is_missing() -> None:
    gate = Gate(workers=False)
    body = problem_of(gate.http.get("/readyz"), 503, "not-ready")
    assert (body["ready"], body["missing"]) == (False, ["workers"])
    assert "no worker process is running" in body["detail"]

    gate.store.beat_slot("s", {"warm": False, "state": "loading"})
    assert "still loading" in problem_of(gate.http.get("/readyz"), 503, "not-ready")["detail"]

    gate.store.beat_slot("s", {"warm": False, "state": "broken", "problem": "rec.onnx: wrong SHA-256"})
    body = problem_of(gate.http.get("/readyz"), 503, "not-ready")
    assert (body["missing"], "rec.onnx: wrong SHA-256" in body["detail"]) == (["model"], True)

    def away() -> None:
        raise StoreUnavailable

    gate.store.ping = away
    answer = gate.http.get("/readyz")
    assert problem_of(answer, 503, "not-ready")["missing"] == ["store"]
    assert answer.headers["Retry-After"]


def series(text: str) -> dict[str, float]:
    rows = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, value in rows}


def test_metrics_tell_of_requests_of_the_queue_and_of_the_workers() -> None:
    gate = Gate()
    gate.store.beat_slot("host:1:1", {"hostname": "host", "core": 3, "rss_mib": 312, "fingerprints": {"auto": "m"}})
    gate.id()
    gate.read()
    gate.id(picture("PNG", (33, 33)))
    gate.http.get("/nowhere/1")
    gate.http.get("/nowhere/2")
    found = series(gate.http.get("/metrics").text)
    assert found['ocrfleet_http_requests_total{method="POST",route="/v1/jobs",status="202"}'] == 2
    # One series for all unknown paths: nobody fills the memory by asking for many.
    assert found['ocrfleet_http_requests_total{method="GET",route="none",status="404"}'] == 2
    assert found['ocrfleet_http_request_seconds_count{method="POST",route="/v1/jobs"}'] == 2
    assert found["ocrfleet_received_bytes_total"] > 200
    assert found['ocrfleet_pages_waiting{queue="interactive"}'] == 1
    assert (found["ocrfleet_slots"], found["ocrfleet_store_up"]) == (1, 1)
    assert found["ocrfleet_pages_read_total"] == 1
    assert found["ocrfleet_http_requests_open"] == 1
    assert found['ocrfleet_slot_rss_mib{slot="host:1:1"}'] == 312
    assert found['ocrfleet_slot_info{core="3",host="host",slot="host:1:1",warm="yes"}'] == 1


def test_metrics_answer_while_the_store_is_away() -> None:
    gate = Gate()

    def away() -> None:
        raise StoreUnavailable

    gate.store.capacity = away
    answer = gate.http.get("/metrics")
    assert answer.status_code == 200
    assert series(answer.text)["ocrfleet_store_up"] == 0


def test_processes_answer_for_each_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import subprocess
    import sys

    program = (
        "from tests.contract.http_bench import Gate\n"
        "import sys\n"
        "gate = Gate()\n"
        "gate.http.get('/livez')\n"
        "print(gate.http.get('/metrics').text)\n"
    )
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    found = series(done.stdout)
    assert found['ocrfleet_http_requests_total{method="GET",route="/livez",status="200"}'] == 2
    assert found["ocrfleet_slots"] == 1


def test_every_answer_is_guarded_and_named() -> None:
    gate = Gate()
    for path in ("/", "/v1/jobs", "/nowhere", "/docs", "/static/index.html", "/livez"):
        headers = gate.http.get(path).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'self'; img-src 'self' blob: data:;"), path
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert re.fullmatch(r"[0-9a-f]{16}", headers["X-Request-ID"])
    assert gate.http.get("/livez", headers={"X-Request-ID": "trace-7"}).headers["X-Request-ID"] == "trace-7"
    assert gate.http.get("/livez", headers={"X-Request-ID": "a b\t<"}).headers["X-Request-ID"] != "a b\t<"


def test_static_files_are_asked_for_again_and_mostly_unchanged(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "main.js").write_text("export const one = 1;")
    app = create_app(Settings(), Untouchable(), Queue(), web=tmp_path)
    client = app.test_client()
    first = client.get("/static/app/main.js")
    assert (first.status_code, first.headers["Cache-Control"]) == (200, "no-cache")
    assert "javascript" in first.content_type
    again = client.get("/static/app/main.js", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


# The documentation


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(references(value) for value in node.values()))
    return set().union(*(references(value) for value in node)) if isinstance(node, list) else set()


def test_openapi_describes_every_route_and_is_whole() -> None:
    gate = Gate()
    spec = gate.http.get("/openapi.json").get_json()
    assert spec["openapi"] == "3.1.0"
    paths = spec["paths"]
    for path in (
        "/v1/jobs",
        "/v1/jobs/{job_id}",
        "/v1/jobs/{job_id}/result",
        "/v1/jobs/{job_id}/pages/{page}",
        "/v1/jobs/{job_id}/pages/{page}/image",
        "/v1/jobs/{job_id}/attempts",
        "/v1/jobs/{job_id}/cancel",
        "/v1/capacity",
        "/api/ocr",
        "/livez",
        "/readyz",
        "/metrics",
    ):
        assert path in paths
    for reference in references(spec):
        node = spec
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]
    identifiers = [operation["operationId"] for one in paths.values() for operation in one.values()]
    assert len(identifiers) == len(set(identifiers))
    for path, operations in paths.items():
        named = set(re.findall(r"{(\w+)}", path))
        for operation in operations.values():
            given = {row["name"] for row in operation.get("parameters", []) if row["in"] == "path"}
            assert given == named, path
            assert operation["responses"], path
            assert operation["summary"], path
    accepted = paths["/v1/jobs"]["post"]["requestBody"]["content"]
    assert set(accepted) >= {"multipart/form-data", "application/json", "application/octet-stream"}
    assert set(accepted["multipart/form-data"]["schema"]["properties"]) >= {"file", "lang", "pages", "priority"}


def test_a_job_has_the_shape_that_is_described() -> None:
    from pydantic import TypeAdapter

    from api.schemas import Capacity, Job, Page, Problem, Result

    gate = Gate()
    job = gate.id()
    gate.read("text")
    http = gate.http
    for shape, path in (
        (Job, f"/v1/jobs/{job}"),
        (Result, f"/v1/jobs/{job}/result"),
        (Page, f"/v1/jobs/{job}/pages/1"),
        (Capacity, "/v1/capacity"),
        (Problem, "/nowhere"),
    ):
        body = http.get(path).get_json()
        described = TypeAdapter(shape).json_schema()["properties"]
        TypeAdapter(shape).validate_json(json.dumps(body))
        assert set(body) <= set(described), shape


def test_docs_need_nothing_from_elsewhere() -> None:
    gate = Gate()
    page = gate.http.get("/docs").text
    for wanted in ("/v1/jobs/{job_id}/result", "Idempotency-Key", "multipart/form-data", "Result"):
        assert wanted in page
    assert "<script" not in page
    assert "style=" not in page
    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert sources
    for source in sources:
        assert source.startswith(("/", "#")), source
        if source.startswith("/"):
            assert gate.http.get(source).status_code == 200, source
