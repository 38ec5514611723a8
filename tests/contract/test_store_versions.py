"""Which weights a fleet reads with: chosen, stepped back from, kept for hosts that lack them, loaded one process at a time."""

from __future__ import annotations

from shared.store.versions import Wanted
from tests.contract.conftest import START_MS, Bench


def test_a_fleet_that_was_never_told_reads_with_what_is_shipped(bench: Bench) -> None:
    assert bench.store.wanted_versions() == {}
    assert bench.store.rollback_version("crnn", "") == Wanted()
    assert bench.store.wanted_versions() == {}


def test_a_chosen_version_is_wanted_from_then_on_with_what_came_before(bench: Bench) -> None:
    assert bench.store.use_version("crnn", "a-1", b"files of a") == Wanted("a-1", ("",), START_MS)
    bench.clock.forward(5)
    bench.store.use_version("crnn", "b-2", b"files of b")
    assert bench.store.wanted_versions() == {"crnn": Wanted("b-2", ("a-1", ""), START_MS + 5000)}
    assert bench.store.version_archive("crnn", "b-2") == b"files of b"
    assert bench.store.version_archive("crnn", "c-3") is None


def test_the_same_choice_again_changes_nothing(bench: Bench) -> None:
    first = bench.store.use_version("crnn", "a-1", b"files")
    bench.clock.forward(5)
    assert bench.store.use_version("crnn", "a-1", b"files") == first
    assert bench.store.rollback_version("crnn", "a-1").version == ""


def test_stepping_back_leads_to_the_version_before_and_coming_twice_does_not_step_twice(bench: Bench) -> None:
    for name in ("a-1", "b-2", "c-3"):
        bench.store.use_version("crnn", name, name.encode())
    back = bench.store.rollback_version("crnn", "c-3")
    assert (back.version, back.history) == ("b-2", ("a-1", ""))
    assert bench.store.rollback_version("crnn", "c-3") == back
    assert bench.store.rollback_version("crnn", "b-2").version == "a-1"
    assert bench.store.rollback_version("crnn", "a-1").version == ""
    assert bench.store.rollback_version("crnn", "").version == ""


def test_engines_are_apart(bench: Bench) -> None:
    bench.store.use_version("crnn", "a-1", b"x")
    bench.store.use_version("ppocrv6", "p-1", b"y")
    bench.store.rollback_version("crnn", "a-1")
    wanted = bench.store.wanted_versions()
    assert (wanted["crnn"].version, wanted["ppocrv6"].version) == ("", "p-1")
    assert bench.store.version_archive("ppocrv6", "p-1") == b"y"


def test_only_the_wanted_version_and_the_one_before_take_up_memory(bench: Bench) -> None:
    for name in ("a-1", "b-2", "c-3"):
        bench.store.use_version("crnn", name, name.encode())
    kept = [name for name in ("a-1", "b-2", "c-3") if bench.store.version_archive("crnn", name)]
    assert kept == ["b-2", "c-3"]
    bench.store.rollback_version("crnn", "c-3")
    kept = [name for name in ("a-1", "b-2", "c-3") if bench.store.version_archive("crnn", name)]
    assert kept == ["b-2"]
    bench.store.rollback_version("crnn", "b-2", b"a-1")
    assert bench.store.version_archive("crnn", "a-1") == b"a-1", "whoever steps back further brings the files along"


def test_a_version_chosen_again_later_keeps_its_files(bench: Bench) -> None:
    for name in ("a-1", "b-2", "a-1"):
        bench.store.use_version("crnn", name, name.encode())
    assert bench.store.version_archive("crnn", "a-1") == b"a-1"
    assert bench.store.version_archive("crnn", "b-2") == b"b-2"
    bench.store.use_version("crnn", "c-3", b"c-3")
    assert bench.store.version_archive("crnn", "a-1") == b"a-1"


def test_history_has_an_end(bench: Bench) -> None:
    for number in range(15):
        bench.store.use_version("crnn", f"v-{number}", b"x")
    wanted = bench.store.wanted_versions()["crnn"]
    assert wanted.version == "v-14"
    assert wanted.history == tuple(f"v-{number}" for number in range(13, 3, -1))


def test_one_process_at_a_time_loads_other_weights(bench: Bench) -> None:
    assert bench.store.lease_rollover("one", 60)
    assert not bench.store.lease_rollover("two", 60)
    assert bench.store.lease_rollover("one", 60), "the holder renews"
    assert not bench.store.lease_rollover("two", 0), "another cannot give it back"
    assert not bench.store.lease_rollover("two", 60)
    bench.store.lease_rollover("one", 0)
    assert bench.store.lease_rollover("two", 60)


def test_a_process_that_dies_while_loading_holds_the_others_up_only_so_long(bench: Bench) -> None:
    assert bench.store.lease_rollover("one", 60)
    bench.clock.forward(59)
    assert not bench.store.lease_rollover("two", 60)
    bench.clock.forward(2)
    assert bench.store.lease_rollover("two", 60)
