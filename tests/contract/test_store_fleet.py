"""What the job store knows of the fleet: cores, slots, and who puts things right."""

from __future__ import annotations

from typing import Any

from tests.contract.conftest import Bench


def test_cores_are_leased_once_until_their_lease_lapses(bench: Bench) -> None:
    lease = bench.store.lease_core
    assert [lease("h", [0, 1], owner, 30) for owner in ("a", "b", "c")] == [0, 1, None]
    assert lease("h", [0, 1], "b", 30) == 1
    assert lease("other", [0], "c", 30) == 0
    bench.store.release_core("h", 0, "b")
    assert lease("h", [0, 1], "c", 30) is None
    bench.store.release_core("h", 0, "a")
    assert lease("h", [0, 1], "c", 30) == 0
    bench.clock.forward(31)
    assert lease("h", [1], "d", 30) == 1


def test_slots_are_live_while_heard_of_and_name_the_fleets_models(bench: Bench) -> None:
    bench.store.beat_slot("s1", {"warm": True, "fingerprints": {"auto": "v1"}})
    bench.store.beat_slot("s2", {"warm": True, "fingerprints": {"auto": "v1"}})
    bench.store.beat_slot("s3", {"warm": False, "problem": "no weights"})
    assert bench.store.capacity().slots == 2
    assert bench.store.fleet_fingerprint("auto") == "v1"
    assert bench.store.fleet_fingerprint("other") is None
    bench.store.beat_slot("s2", {"warm": True, "fingerprints": {"auto": "v2"}})
    assert bench.store.fleet_fingerprint("auto") is None
    bench.store.drop_slot("s2")
    bench.clock.forward(13)
    assert bench.store.capacity().slots == 0
    assert bench.store.slots() == []


def test_one_reconciler_at_a_time(make_bench: Any) -> None:
    bench = make_bench("memory")
    assert bench.store.reconcile("one", {}) == ()
    assert bench.store.reconcile("two", {}) is None
    bench.clock.forward(6)
    assert bench.store.reconcile("two", {}) == ()
    bench = make_bench("redis")
    assert bench.store.reconcile("one", {}) == ()
    assert bench.store.reconcile("two", {}) is None
