"""How many worker processes fit, and that each gets a core of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from shared.errors import StoreUnavailable
from shared.host import cpu_quota, memory_bytes, process_count, usable_cores
from shared.settings import MIB
from shared.store.memory import MemoryStore
from worker import cores
from worker.cores import CoreLease, boot_id, container_id, host_tag


def fake_root(folder: Path, **files: str) -> Path:
    """A folder that looks like `/`; `__` stands for a slash and `DOT` for a dot in the names."""
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("DOT", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def four_cores() -> Iterator[None]:
    with mock.patch.object(os, "sched_getaffinity", return_value={0, 1, 2, 3}):
        yield


# What may be used


def test_without_a_quota_every_usable_core_gets_a_process(tmp_path: Path, four_cores: None) -> None:
    root = fake_root(tmp_path, proc__self__cgroup="0::/\n", sys__fs__cgroup__cpuDOTmax="max 100000\n")
    assert cpu_quota(root) is None
    assert process_count(0, root) == 4


@pytest.mark.parametrize(("quota", "processes"), [(400000, 4), (250000, 2), (150000, 1), (50000, 1), (900000, 4)])
def test_a_cgroup_v2_quota_bounds_the_processes(tmp_path: Path, four_cores: None, quota: int, processes: int) -> None:
    root = fake_root(tmp_path, proc__self__cgroup="0::/\n", sys__fs__cgroup__cpuDOTmax=f"{quota} 100000\n")
    assert cpu_quota(root) == quota / 100000
    assert process_count(0, root) == processes


def test_the_tightest_quota_on_the_way_up_counts(tmp_path: Path, four_cores: None) -> None:
    root = fake_root(
        tmp_path,
        proc__self__cgroup="0::/pod/app\n",
        sys__fs__cgroup__pod__cpuDOTmax="200000 100000\n",
        sys__fs__cgroup__pod__app__cpuDOTmax="max 100000\n",
    )
    assert process_count(0, root) == 2


def test_a_cgroup_v1_quota_counts_too(tmp_path: Path, four_cores: None) -> None:
    root = fake_root(
        tmp_path,
        proc__self__cgroup="5:cpu,cpuacct:/docker/abc\n1:name=systemd:/\n0::/\n",
        sys__fs__cgroup__cpu__cpuDOTcfs_quota_us="300000\n",
        sys__fs__cgroup__cpu__cpuDOTcfs_period_us="100000\n",
    )
    assert process_count(0, root) == 3


@pytest.mark.parametrize(
    "files",
    [
        {
            "proc__self__cgroup": "0::/app\n",
            "sys__fs__cgroup__app__memoryDOTmax": f"{512 * MIB}\n",
            "sys__fs__cgroup__app__memoryDOTcurrent": f"{500 * MIB}\n",
        },
        {
            "proc__self__cgroup": "9:memory:/docker/abc\n0::/\n",
            "sys__fs__cgroup__memory__memoryDOTlimit_in_bytes": f"{512 * MIB}\n",
            "sys__fs__cgroup__memory__memoryDOTusage_in_bytes": f"{500 * MIB}\n",
        },
    ],
    ids=["v2", "v1"],
)
def test_a_cgroup_s_memory_limit_counts(tmp_path: Path, files: dict[str, str]) -> None:
    meminfo = "MemTotal:  8388608 kB\nMemAvailable:  4194304 kB\n"
    assert memory_bytes(fake_root(tmp_path, proc__meminfo=meminfo, **files)) == (512 * MIB, 12 * MIB)


def test_without_a_limit_memory_is_the_machine_s(tmp_path: Path) -> None:
    root = fake_root(
        tmp_path,
        proc__meminfo="MemTotal:  8388608 kB\nMemAvailable:  4194304 kB\n",
        proc__self__cgroup="0::/\n",
        sys__fs__cgroup__memoryDOTmax="max\n",
    )
    assert memory_bytes(root) == (8192 * MIB, 4096 * MIB)


def test_an_unlimited_v1_quota_is_none(tmp_path: Path, four_cores: None) -> None:
    root = fake_root(
        tmp_path,
        proc__self__cgroup="5:cpu:/\n",
        sys__fs__cgroup__cpu__cpuDOTcfs_quota_us="-1\n",
        sys__fs__cgroup__cpu__cpuDOTcfs_period_us="100000\n",
    )
    assert process_count(0, root) == 4


def test_what_is_asked_for_is_not_second_guessed(tmp_path: Path, four_cores: None) -> None:
    root = fake_root(tmp_path, proc__self__cgroup="0::/\n", sys__fs__cgroup__cpuDOTmax="100000 100000\n")
    assert process_count(7, root) == 7


def test_second_threads_of_a_physical_core_come_last(tmp_path: Path, four_cores: None) -> None:
    files = {
        f"sys__devices__system__cpu__cpu{core}__topology__thread_siblings_list": pair
        for core, pair in enumerate(("0-1", "0-1", "2,3", "2,3"))
    }
    assert usable_cores(fake_root(tmp_path, **files)) == (0, 2, 1, 3)
    assert usable_cores(tmp_path / "nowhere") == (0, 1, 2, 3)


# Who


def test_a_host_is_known_by_its_boot_id(tmp_path: Path) -> None:
    root = fake_root(tmp_path, proc__sys__kernel__random__boot_id="0123-abcd\n")
    assert boot_id(root) == "0123-abcd"
    assert boot_id(tmp_path / "nowhere")


def test_a_container_is_known_by_its_id(tmp_path: Path) -> None:
    name = "0123456789abcdef" * 4
    assert container_id(fake_root(tmp_path / "a", proc__self__cgroup=f"0::/docker/{name}\n")) == name[:12]
    layer = "cd" * 32
    mounts = f"1 2 0:1 / / rw - overlay overlay rw,upperdir=/var/lib/docker/overlay2/{layer}/diff\n"
    mounts += f"1 2 0:1 /var/lib/docker/containers/{name}/hostname /etc/hostname rw\n"
    assert container_id(fake_root(tmp_path / "b", proc__self__mountinfo=mounts)) == name[:12]
    assert container_id(fake_root(tmp_path / "c", proc__self__cgroup="0::/\n")) == ""


def test_equal_names_on_two_machines_stay_apart(tmp_path: Path) -> None:
    tags = {
        host_tag(fake_root(tmp_path / boot, proc__sys__kernel__random__boot_id=boot)) for boot in ("first", "second")
    }
    assert len(tags) == 2


# The lease


class Clock:
    """Milliseconds that pass when told to."""

    def __init__(self) -> None:
        self.ms = 1_000_000

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def pinned(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    calls: list[list[int]] = []
    monkeypatch.setattr(cores, "pin", lambda chosen: calls.append(list(chosen)))
    return calls


def lease(store: MemoryStore, owner: str, of: tuple[int, ...] = (0, 1), host: str = "boot") -> CoreLease:
    return CoreLease(store, owner, 30, host, of)


def test_processes_of_one_host_get_different_cores_and_other_hosts_their_own(pinned: list[list[int]]) -> None:
    store = MemoryStore()
    leases = [lease(store, "a"), lease(store, "b"), lease(store, "c", host="other")]
    for each in leases:
        each.renew()
    assert [each.core for each in leases] == [0, 1, 0]
    assert pinned == [[0], [1], [0]]


def test_with_no_core_free_it_runs_unpinned_says_so_once_and_pins_later(
    pinned: list[list[int]], caplog: pytest.LogCaptureFixture
) -> None:
    store = MemoryStore()
    first, second, third = (lease(store, owner) for owner in "abc")
    for each in (first, second, third, third):
        each.renew()
    assert third.core is None
    assert pinned[-1] == [0, 1]
    assert [record.levelname for record in caplog.records].count("WARNING") == 1

    first.release()
    third.renew()

    assert third.core == 0
    assert pinned[-1] == [0]


def test_a_lease_kept_alive_is_kept_and_one_that_lapsed_is_replaced(pinned: list[list[int]]) -> None:
    clock = Clock()
    store = MemoryStore(now=clock)
    mine, other = lease(store, "a", (0,)), lease(store, "b", (0,))
    mine.renew()
    clock.ms += 20_000
    mine.renew()
    clock.ms += 20_000
    other.renew()
    assert (mine.core, other.core) == (0, None)

    clock.ms += 31_000
    other.renew()
    mine.renew()

    assert (mine.core, other.core) == (None, 0)
    assert pinned[-1] == [0]


def test_a_core_is_left_before_it_is_given_back(pinned: list[list[int]]) -> None:
    store = MemoryStore()
    mine = lease(store, "a")
    mine.renew()
    seen: list[list[int]] = []
    with mock.patch.object(store, "release_core", side_effect=lambda *_: seen.append(pinned[-1])):
        mine.release()
    assert seen == [[0, 1]], "whoever leases it next must be alone on it"


def test_a_reading_thread_that_lost_its_binding_is_bound_again_before_the_next_page(
    pinned: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = lease(MemoryStore(), "a")
    masks = iter([{0}, {0, 1}])
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: next(masks))
    mine.hold()
    assert pinned == [], "nothing was leased yet"
    mine.renew()
    mine.hold()
    assert pinned == [[0]], "it is bound as it should be"
    mine.hold()
    assert pinned == [[0], [0]], "OpenVINO had put the old mask back"


def test_a_store_that_does_not_answer_changes_nothing(pinned: list[list[int]]) -> None:
    store = MemoryStore()
    mine = lease(store, "a")
    mine.renew()
    with mock.patch.object(store, "lease_core", side_effect=StoreUnavailable), pytest.raises(StoreUnavailable):
        mine.renew()
    assert mine.core == 0
    assert pinned == [[0]]


def test_where_pinning_is_forbidden_the_core_is_left_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "pin", mock.Mock(side_effect=PermissionError))
    store = MemoryStore()
    mine = lease(store, "a")
    mine.renew()
    mine.renew()
    assert mine.core is None
    assert store.lease_core("boot", (0,), "another", 30) == 0


def test_a_released_core_is_not_taken_again_by_a_late_heartbeat(pinned: list[list[int]]) -> None:
    store = MemoryStore()
    mine = lease(store, "a", (0,))
    mine.renew()
    mine.release()
    mine.renew()
    assert store.lease_core("boot", (0,), "another", 30) == 0


def test_pinning_binds_every_thread_of_the_process() -> None:
    import threading

    before = os.sched_getaffinity(0)
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        one = min(before)
        cores.pin([one])
        assert all(os.sched_getaffinity(int(task)) == {one} for task in os.listdir("/proc/self/task"))
    finally:
        cores.pin(sorted(before))
        stop.set()
        thread.join()
