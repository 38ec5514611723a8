"""Handing documents in, following them, stopping and removing them."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest

from shared.errors import StoreUnavailable
from shared.store.protocol import Limits
from tests.contract.http_bench import Gate, problem_of
from tests.documents import frames, pdf, picture


def test_a_picture_handed_in_is_read_and_given_back() -> None:
    gate = Gate()
    answer = gate.put(name="folder/receipt.png")
    job = answer.get_json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/v1/jobs/{job['id']}" == job["links"]["self"]
    assert int(answer.headers["Retry-After"]) >= 1
    assert (job["status"], job["name"], job["kind"], job["queue_position"]) == ("queued", "receipt.png", "png", 1)
    assert job["progress"]["pages_total"] == 1
    assert job["created_at"].endswith("Z")

    assert gate.read("Total 12.00") == 1
    done = gate.http.get(job["links"]["self"]).get_json()
    assert (done["status"], done["progress"]["pages_done"], done["error"]) == ("done", 1, None)
    assert done["started_at"] <= done["finished_at"] < done["expires_at"]
    assert "cancel" not in done["links"]
    assert gate.http.get(job["links"]["result"]).get_json()["text"] == "Total 12.00"


@pytest.mark.parametrize(
    ("kind", "data", "pages"),
    [
        ("png", picture("PNG"), 1),
        ("jpeg", picture("JPEG"), 1),
        ("bmp", picture("BMP"), 1),
        ("webp", picture("WEBP"), 1),
        ("gif", frames("GIF", 3, mode="P"), 1),
        ("tiff", frames("TIFF", 3), 3),
        ("pdf", pdf(3), 3),
    ],
)
def test_the_kinds_by_content_and_their_pages(kind: str, data: bytes, pages: int) -> None:
    job = Gate().put(data, name="wrongly-named.txt").get_json()
    assert (job["kind"], job["pages"]) == (kind, list(range(1, pages + 1)))


def test_every_way_of_sending_means_the_same() -> None:
    data = picture()
    encoded = base64.b64encode(data).decode()
    ways: list[dict[str, Any]] = [
        {"data": {"file": (io.BytesIO(data), "a.png"), "lang": "zh", "pages": "1"}},
        {"data": data, "content_type": "image/png", "query_string": {"lang": "zh", "pages": "1", "name": "a.png"}},
        {"data": data, "query_string": {"lang": "zh", "name": "a.png"}},
        {"data": data, "content_type": "application/x-www-form-urlencoded", "query_string": {"lang": "zh"}},
        {"json": {"image_base64": encoded, "lang": "ZH ", "pages": 1, "name": "a.png"}},
        {"json": {"image_base64": f"data:image/png;base64,{encoded}", "lang": "zh", "name": "x/a.png"}},
        {"json": {"image_base64": encoded.replace("+", "-").replace("/", "_").rstrip("="), "lang": "zh"}},
    ]
    gate = Gate()
    for way in ways:
        job = gate.http.post("/v1/jobs", **way).get_json()
        assert job["options"] == {
            "lang": "zh",
            "engine": "auto",
            "layout": "auto",
            "preprocess": "auto",
            "fold": "off",
            "pictures": "auto",
        }, way
        assert job["name"] in ("a.png", "")
    # One document, read one way: they share one run, and its bytes are kept once.
    assert gate.store.counters() == {"jobs_accepted": 1, "jobs_joined": 6}
    assert list(gate.store.machine.blobs.values()) == [data]


def test_chosen_pages_are_read_and_no_others() -> None:
    gate = Gate()
    job = gate.put(pdf(9), pages="7, 1-3,8-", priority="bulk").get_json()
    assert (job["pages"], job["priority"]) == ([1, 2, 3, 7, 8, 9], "bulk")
    assert {message.queue for message in gate.queue.messages} == {"bulk"}
    assert gate.read() == 6


def test_an_equal_document_is_answered_at_once_with_200() -> None:
    gate = Gate()
    first = gate.id()
    gate.read("once")
    answer = gate.put(name="again.png")
    job = answer.get_json()
    assert (answer.status_code, job["status"], job["cached"]) == (200, "done", True)
    assert job["id"] != first
    assert gate.http.get(job["links"]["result"]).get_json()["text"] == "once"
    assert gate.queue.messages == []


@pytest.mark.parametrize(
    "change",
    [
        {"lang": "en"},
        {"engine": "crnn"},
        {"layout": "line"},
        {"preprocess": "off"},
        {"fold": "simplified"},
        {"pictures": "keep"},
    ],
)
def test_other_options_are_another_reading(change: dict[str, Any]) -> None:
    gate = Gate()
    gate.id()
    gate.read()
    assert gate.put(**change).status_code == 202


def test_nothing_is_shared_while_nobody_knows_what_reads() -> None:
    gate = Gate(workers=False)
    gate.id()
    gate.read()
    assert gate.put().status_code == 202


def test_new_models_read_again() -> None:
    gate = Gate()
    gate.id()
    gate.read()
    gate.store.beat_slot("host:1:1", {"fingerprints": {"auto": "models-2"}})
    assert gate.put().status_code == 202


def test_a_repeated_idempotency_key_is_the_same_job() -> None:
    gate = Gate()
    headers = {"Idempotency-Key": "order-17"}
    first = gate.put(headers=headers)
    again = gate.put(headers=headers)
    assert again.get_json()["id"] == first.get_json()["id"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    body = problem_of(gate.put(picture("PNG", (99, 33)), headers=headers), 409, "idempotency-conflict")
    assert body["field"] == "Idempotency-Key"


def test_too_much_work_is_refused_and_leaves_no_document_behind() -> None:
    gate = Gate(Limits(max_jobs=2, client_share=1))
    gate.id(picture("PNG", (30, 30)))
    gate.id(picture("PNG", (31, 30)))
    answer = gate.put(picture("PNG", (32, 30)))
    body = problem_of(answer, 429, "queue-full")
    assert int(answer.headers["Retry-After"]) == body["retry_after"] >= 1
    assert len(gate.store.machine.blobs) == 2


def test_bytes_that_vanish_before_the_job_is_accepted_are_put_again() -> None:
    gate = Gate()
    accept, tries = gate.store.accept, []

    def once_too_late(job: Any) -> Any:
        tries.append(job.id)
        if len(tries) == 2:
            gate.store.machine.blobs.clear()
        return accept(job)

    gate.store.accept = once_too_late
    assert gate.put().status_code == 202
    assert gate.read() == 1


def test_a_broker_that_is_away_is_no_error_for_the_client() -> None:
    gate = Gate()
    gate.queue.broken = True
    job = gate.id()
    gate.queue.broken = False
    assert gate.http.get(f"/v1/jobs/{job}").get_json()["status"] == "queued"
    assert "ocrfleet_messages_unpublished_total 1.0" in gate.http.get("/metrics").text


def test_a_store_that_is_away_is_said_so_with_a_time_to_come_back() -> None:
    gate = Gate()

    def away(*_: Any) -> Any:
        raise StoreUnavailable

    gate.store.accept = gate.store.view = gate.store.fleet_fingerprint = away
    for answer in (gate.put(), gate.http.get("/v1/jobs/x")):
        problem_of(answer, 503, "store-unavailable")
        assert answer.headers["Retry-After"] == "5"


def test_ids_never_issued_and_ids_that_are_gone() -> None:
    gate = Gate()
    gone = gate.id()
    assert gate.http.delete(f"/v1/jobs/{gone}").status_code == 204
    for path in ("", "/result", "/pages/1", "/pages/1/image", "/attempts"):
        problem_of(gate.http.get(f"/v1/jobs/{gone}{path}"), 410, "job-gone")
        problem_of(gate.http.get(f"/v1/jobs/{'a' * 32}{path}"), 404, "job-not-found")
    problem_of(gate.http.delete(f"/v1/jobs/{gone}"), 410, "job-gone")
    problem_of(gate.http.post(f"/v1/jobs/{'a' * 32}/cancel"), 404, "job-not-found")


def test_cancelling_stops_a_job_and_says_so() -> None:
    gate = Gate()
    job = gate.id(pdf(5))
    answer = gate.http.post(f"/v1/jobs/{job}/cancel")
    assert answer.get_json()["status"] == "cancelled"
    assert gate.read() == 0
    body = problem_of(gate.http.get(f"/v1/jobs/{job}/result"), 409, "job")
    assert "cancelled" in body["detail"]
    assert "已取消" in body["detail_zh"]
    assert gate.http.post(f"/v1/jobs/{job}/cancel").get_json()["status"] == "cancelled"


def test_jobs_are_listed_newest_first_and_page_by_page() -> None:
    gate = Gate()
    clock = iter(range(1_800_000_000_000, 1_900_000_000_000, 1000))
    gate.store.machine.now = lambda: next(clock)
    made = [gate.id(picture("PNG", (30 + n, 30)), name=f"{n}.png") for n in range(5)]
    seen, path = [], "/v1/jobs?limit=2"
    while path:
        body = gate.http.get(path).get_json()
        assert len(body["jobs"]) <= 2
        seen += [job["id"] for job in body["jobs"]]
        path = body["next"]
    assert seen == made[::-1]
    problem_of(gate.http.get("/v1/jobs?limit=0"), 422, "unknown-option")
    problem_of(gate.http.get("/v1/jobs?colour=red"), 422, "unknown-option")


def test_attempts_tell_who_read_what() -> None:
    gate = Gate()
    job = gate.id()
    gate.read()
    (attempt,) = gate.http.get(f"/v1/jobs/{job}/attempts").get_json()["attempts"]
    assert (attempt["page"], attempt["attempt"], attempt["core"], attempt["outcome"]) == (1, 1, 0, "done")
    assert attempt["started_at"] <= attempt["ended_at"]
    assert attempt["ended_at"].endswith("Z")


def test_capacity_says_what_fits() -> None:
    gate = Gate(max_bytes=1234)
    gate.id()
    body = gate.http.get("/v1/capacity").get_json()
    assert (body["slots"], body["waiting"], body["limits"]["max_bytes"]) == (1, {"interactive": 1, "bulk": 0}, 1234)
    assert body["engines"] == ["auto", "crnn", "ppocrv6"]
    assert "zh" in body["options"]["lang"]
