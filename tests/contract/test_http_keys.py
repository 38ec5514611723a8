"""Who may come in, and whose jobs they see."""

from __future__ import annotations

from shared.store.protocol import Limits
from tests.contract.http_bench import Gate, problem_of
from tests.documents import picture


def test_with_keys_set_only_those_who_have_one_come_in() -> None:
    gate = Gate(api_keys="alpha, beta")
    answer = gate.put()
    problem_of(answer, 401, "key-missing")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    problem_of(gate.put(headers={"X-API-Key": "gamma"}), 403, "key-refused")
    problem_of(gate.http.post("/api/ocr", json={}), 401, "key-missing")
    assert gate.put(headers={"Authorization": "Bearer alpha"}).status_code == 202
    assert gate.put(headers={"X-API-Key": "beta"}).status_code == 202
    for path in ("/", "/livez", "/readyz", "/metrics", "/docs", "/openapi.json"):
        assert gate.http.get(path).status_code == 200, path


def test_a_key_sees_its_own_jobs_only() -> None:
    gate = Gate(api_keys="alpha,beta")
    mine, other = {"X-API-Key": "alpha"}, {"X-API-Key": "beta"}
    job = gate.put(headers=mine).get_json()["id"]
    gate.read()
    for path in ("", "/result", "/pages/1", "/pages/1/image", "/attempts"):
        assert gate.http.get(f"/v1/jobs/{job}{path}", headers=mine).status_code == 200
        problem_of(gate.http.get(f"/v1/jobs/{job}{path}", headers=other), 404, "job-not-found")
    problem_of(gate.http.delete(f"/v1/jobs/{job}", headers=other), 404, "job-not-found")
    problem_of(gate.http.post(f"/v1/jobs/{job}/cancel", headers=other), 404, "job-not-found")
    assert gate.http.get("/v1/jobs", headers=other).get_json()["jobs"] == []
    assert len(gate.http.get("/v1/jobs", headers=mine).get_json()["jobs"]) == 1


def test_a_key_is_kept_nowhere() -> None:
    gate = Gate(api_keys="a-very-secret-key")
    gate.put(headers={"X-API-Key": "a-very-secret-key"})
    assert "a-very-secret-key" not in repr(vars(gate.store.machine))


def test_one_client_by_address_does_not_take_the_share_of_another() -> None:
    gate = Gate(Limits(max_jobs=4, client_share=0.5), trusted_proxies=1)
    for side in (30, 31):
        assert gate.put(picture("PNG", (side, 30)), headers={"X-Forwarded-For": "203.0.113.1"}).status_code == 202
    problem_of(gate.put(picture("PNG", (32, 30)), headers={"X-Forwarded-For": "203.0.113.1"}), 429, "queue-full")
    assert gate.put(picture("PNG", (33, 30)), headers={"X-Forwarded-For": "203.0.113.2"}).status_code == 202


def test_nobody_names_his_own_address_where_no_proxy_is_trusted() -> None:
    gate = Gate(Limits(max_jobs=2, client_share=0.5))
    gate.put(picture("PNG", (30, 30)), headers={"X-Forwarded-For": "203.0.113.1"})
    answer = gate.put(picture("PNG", (31, 30)), headers={"X-Forwarded-For": "203.0.113.2"})
    problem_of(answer, 429, "queue-full")
