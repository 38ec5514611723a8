"""Random interleavings of everything that can happen to jobs, on the twin and on a real Valkey at once.

After each step both must show the same jobs, and what the project promises must hold: states never go backwards, a page
is read into a result once, the bound holds, and once all is quiet every accepted job has ended.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from shared import errors
from shared.store.protocol import QUEUES, Claim, Limits, Message, NewJob, PageDone, Status
from tests.contract.conftest import Bench

EXAMPLES = int(os.environ.get("OCRFLEET_EXPLORE", "25"))
LIMITS = Limits(
    max_jobs=6, client_share=0.7, max_blob_bytes=40, result_ttl_s=50, cache_ttl_s=90, cache_bytes=60, lease_s=10,
    job_deadline_s=200, max_attempts=2, idempotency_ttl_s=80, upload_ttl_s=600, slot_ttl_s=12,
)  # fmt: skip


class Twins(RuleBasedStateMachine):
    """Both stores, driven alike."""

    make: Any = None

    @initialize()
    def begin(self) -> None:
        self.benches: list[Bench] = [self.make("memory", LIMITS), self.make("redis", LIMITS)]
        self.clock = self.benches[0].clock
        self.benches[1].clock = self.clock
        self.benches[1].store._now = self.clock
        self.count = 0
        self.jobs: list[tuple[str, str]] = []
        self.ranks: dict[str, int] = {}
        self.results: dict[str, dict[int, bytes]] = {}
        self.messages: list[Message] = []
        self.claims: list[Claim] = []

    def both(self, call: str, *arguments: Any, **keywords: Any) -> Any:
        """The same call on both; the same answer or the same error."""
        answers: list[Any] = []
        for bench in self.benches:
            try:
                answers.append(getattr(bench.store, call)(*arguments, **keywords))
            except errors.OcrFleetError as error:
                answers.append(type(error))
        assert answers[0] == answers[1], call
        return answers[0]

    def send(self, messages: tuple[Message, ...]) -> None:
        self.messages += messages

    @rule(
        data=st.sampled_from([b"a" * 8, b"b" * 8, b"c" * 24]),
        pages=st.integers(1, 7),
        client=st.sampled_from(["ann", "bob"]),
        priority=st.sampled_from(QUEUES),
        keyed=st.booleans(),
        idempotency=st.sampled_from(["", "", "k"]),
    )
    def submit(self, data: bytes, pages: int, client: str, priority: str, keyed: bool, idempotency: str) -> None:
        sha = hashlib.sha256(data).hexdigest()
        self.count += 1
        for bench in self.benches:
            bench.store.put_blob(sha, data)
        numbers = tuple(range(1, pages + 1))
        new = NewJob(
            f"job{self.count}", f"run{self.count}", client, sha, len(data), "pdf", "n", numbers, "o",
            f"{sha}/{pages}" if keyed else "", priority, idempotency,
        )  # fmt: skip
        accepted = self.both("accept", new)
        if not isinstance(accepted, type):
            self.jobs.append((accepted.id, client))
            self.send(accepted.messages)

    @rule(data=st.data(), keep=st.booleans())
    def claim(self, data: st.DataObject, keep: bool) -> None:
        if not self.messages:
            return
        at = data.draw(st.integers(0, len(self.messages) - 1))
        message = self.messages[at] if keep else self.messages.pop(at)
        self.count += 1
        claim, messages = self.both(
            "claim", message.run, message.page, f"t{self.count}", {"worker": f"h:{self.count % 3}"}
        )
        self.send(messages)
        if claim is not None:
            self.claims.append(claim)

    @rule(data=st.data(), how=st.sampled_from(["finish", "finish", "finish", "fail", "retry", "beat", "lose", "kill"]))
    def work(self, data: st.DataObject, how: str) -> None:
        if not self.claims:
            return
        at = data.draw(st.integers(0, len(self.claims) - 1))
        claim = self.claims[at] if how == "beat" else self.claims.pop(at)
        if how == "finish":
            self.count += 1
            key = data.draw(st.sampled_from(["", "p1", "p2"]))
            done = PageDone(f"result {self.count}".encode(), 3, 50, data.draw(st.sampled_from(["f", "f", "g"])), key)
            counted, messages = self.both("finish_page", claim, done)
            if counted:
                pages = self.results.setdefault(claim.run, {})
                assert claim.page not in pages, "a page was read into a result twice"
                pages[claim.page] = done.result
        elif how in ("fail", "retry"):
            _, messages = self.both("fail_page", claim, {"detail": "x"}, b"", retry=how == "retry")
        elif how == "beat":
            self.both("beat", claim, 1, 4)
            messages = ()
        else:
            final = {"detail": "killed"} if how == "kill" else None
            messages = self.both("lose_page", claim.run, claim.page, "h:", how, final=final)
        self.send(messages)

    @rule(data=st.data(), call=st.sampled_from(["cancel", "delete"]))
    def give_up(self, data: st.DataObject, call: str) -> None:
        if self.jobs:
            job, _ = self.jobs[data.draw(st.integers(0, len(self.jobs) - 1))]
            with contextlib.suppress(errors.JobError):
                self.send(self.benches[0].store.view(job) and self.both(call, job))

    @rule(seconds=st.sampled_from([1, 6, 11, 25, 60, 201]))
    def time_passes(self, seconds: int) -> None:
        self.clock.forward(seconds)

    @rule(alive=st.integers(0, 3))
    def beat_slots(self, alive: int) -> None:
        for slot in range(alive):
            for bench in self.benches:
                bench.store.beat_slot(f"s{slot}", {"warm": True})

    @rule(empty=st.booleans())
    def reconcile(self, empty: bool) -> None:
        depths = dict.fromkeys(QUEUES, 0 if empty else 3)
        answers = [bench.store.reconcile("me", depths) for bench in self.benches]
        assert sorted(map(repr, answers[0])) == sorted(map(repr, answers[1]))
        self.send(answers[0])

    @invariant()
    def both_show_the_same(self) -> None:
        if not getattr(self, "benches", None):
            return
        capacities = [dataclasses.asdict(bench.store.capacity()) for bench in self.benches]
        for capacity in capacities:
            capacity["page_ms"] = round(capacity["page_ms"], 3)
        assert capacities[0] == capacities[1]
        assert capacities[0]["jobs_in_flight"] <= LIMITS.max_jobs
        assert capacities[0]["blob_bytes"] <= LIMITS.max_blob_bytes
        for job, _ in self.jobs:
            views = []
            for bench in self.benches:
                try:
                    views.append(bench.store.view(job))
                except errors.JobError:
                    views.append(None)
            if views[0] is not None and views[1] is not None:
                # Both round a mean of floats.
                assert views[0].eta_s == pytest.approx(views[1].eta_s, abs=0.002)
                views[1] = dataclasses.replace(views[1], eta_s=views[0].eta_s)
            assert views[0] == views[1]
            if views[0] is not None:
                rank = views[0].status.rank
                assert rank >= self.ranks.get(job, 0), "a state went backwards"
                self.ranks[job] = rank
                kept = [bench.store.page_results(job) for bench in self.benches]
                assert {page: bytes_of(row) for page, row in kept[0].items()} == {
                    page: bytes_of(row) for page, row in kept[1].items()
                }

    def teardown(self) -> None:
        """Everything that was accepted ends, by workers that work and a reconciler that looks."""
        if not getattr(self, "benches", None):
            return
        for _ in range(200):
            while self.messages:
                message = self.messages.pop()
                self.count += 1
                claim, messages = self.both("claim", message.run, message.page, f"t{self.count}", {"worker": "h"})
                self.send(messages)
                if claim is not None:
                    _, messages = self.both("finish_page", claim, PageDone(b"r", 1, 1, "f"))
                    self.send(messages)
            if self.benches[0].store.capacity().jobs_in_flight == 0:
                break
            self.clock.forward(6)
            self.reconcile(empty=True)
        for job, _ in self.jobs:
            for bench in self.benches:
                try:
                    assert bench.store.view(job).status.ended
                    assert bench.store.view(job).status is not Status.QUEUED
                except errors.JobError:
                    pass


def bytes_of(result: bytes) -> Any:
    """A result for comparison; failed pages are packed at reading time, so compare what they say."""
    import zlib

    try:
        return json.loads(zlib.decompress(result))
    except zlib.error:
        return result


@pytest.mark.timeout(300)
def test_the_twin_and_the_lua_agree_on_random_histories(make_bench: Any) -> None:
    kind = type("Twins", (Twins,), {"make": staticmethod(make_bench)})
    run_state_machine_as_test(
        kind,
        settings=settings(
            max_examples=EXAMPLES,
            # The suite plays the same histories each time; OCRFLEET_EXPLORE=500 looks for new ones.
            derandomize="OCRFLEET_EXPLORE" not in os.environ,
            database=None,
            stateful_step_count=40,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
