"""A worker process moves to other weights: between two pages, one process at a time, and never to none."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from shared.errors import StoreUnavailable
from shared.records import ReadOptions
from shared.settings import Settings
from shared.store.memory import MemoryStore
from tests.unit.test_versions import make
from tests.worker_fleet import FakeReader, Fleet, png
from worker import rollover, tasks
from worker.reading import versions
from worker.reading.models import ModelError
from worker.rollover import RETRY_S, Rollover, at_start, provide
from worker.tasks import run_page
from worker.turn import Turn

PATIENCE_S = 10.0


class Versioned(FakeReader):
    """A reader that says which versions it reads with."""

    def __init__(self, names: Mapping[str, str]) -> None:
        super().__init__()
        self.names = dict(names)

    def fingerprint(self, options: ReadOptions) -> str:
        return f"fake/{self.names.get('crnn', 'shipped')}"


class Mover:
    """A slot with its roll-over; `loads` counts, `during` runs while a reader is being loaded."""

    def __init__(self, folder: Path, store: MemoryStore | None = None, name: str = "host:1:2") -> None:
        self.fleet = Fleet(folder)
        self.slot = self.fleet.slot
        self.slot.name = name
        self.slot.reader = Versioned({})
        if store is not None:
            self.slot.store = store
        self.store: MemoryStore = self.slot.store  # type: ignore[assignment]
        self.loads = 0
        self.during = lambda: None
        self.clock = 0.0
        self.rollover = Rollover(self.slot, self.provide, self.renew, {}, lambda: self.clock)

    def provide(self, engine: str, name: str) -> Any:
        if name.startswith("bad"):
            raise ModelError(reason=f"{name} is damaged")
        return name

    def renew(self, old: Any, found: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        self.loads += 1
        self.during()
        reader = Versioned(found)
        print_ = f"{reader.fingerprint(ReadOptions())}/documents"
        return reader, {"fingerprint": print_, "fingerprints": {"auto": print_}}


@pytest.fixture
def mover(tmp_path: Path) -> Mover:
    return Mover(tmp_path)


def test_nothing_happens_while_nothing_else_is_wanted(mover: Mover) -> None:
    assert mover.rollover.look() == "same"
    mover.store.use_version("crnn", "")
    assert mover.rollover.look() == "same"
    assert mover.loads == 0


def test_a_slot_reads_with_what_is_wanted_and_says_so_at_once(mover: Mover) -> None:
    mover.slot.info["fingerprints"] = {"auto": "fake/shipped", "crnn": "an engine loaded on demand"}
    mover.store.use_version("crnn", "a-1")
    assert mover.rollover.look() == "changed"
    (told,) = mover.store.slots()
    assert told["versions"] == {"crnn": "a-1"}
    assert told["fingerprints"] == {"auto": "fake/a-1/documents"}
    assert mover.slot.fingerprint(ReadOptions(engine="auto")).startswith("fake/a-1/")
    assert mover.rollover.look() == "same"
    mover.store.rollback_version("crnn", "a-1")
    assert mover.rollover.look() == "changed"
    assert mover.slot.info["versions"] == {}
    assert mover.slot.fingerprint(ReadOptions(engine="auto")).startswith("fake/shipped/")


def test_pages_read_before_and_after_have_other_cache_keys(mover: Mover) -> None:
    first = mover.fleet.submit(png())
    assert mover.fleet.work() == ["done"]
    mover.store.use_version("crnn", "a-1")
    assert mover.rollover.look() == "changed"
    again = mover.fleet.submit(png(), options="auto/auto/page/auto")
    assert mover.fleet.work() == ["done"]
    before, after = (mover.store.attempts(job)[0]["models"] for job in (first, again))
    assert before != after
    mover.fleet.submit(png())
    mover.fleet.work()
    assert isinstance(mover.slot.reader, Versioned)
    assert mover.slot.reader.calls == 2, "the same pixels were answered with what the other version had read"


def test_one_process_at_a_time_loads(tmp_path: Path) -> None:
    one = Mover(tmp_path / "one") if (tmp_path / "one").mkdir() is None else None
    assert one is not None
    (tmp_path / "two").mkdir()
    two = Mover(tmp_path / "two", one.store, "host:1:3")
    seen: list[str] = []
    one.during = lambda: seen.append(two.rollover.look())
    one.store.use_version("crnn", "a-1")
    assert one.rollover.look() == "changed"
    assert seen == ["later"]
    assert two.loads == 0
    assert two.rollover.look() == "changed"


def test_a_process_reads_on_while_it_loads(mover: Mover) -> None:
    job = mover.fleet.submit(png())
    outcomes: list[str] = []

    def page() -> None:
        with mover.slot.turn.page():
            outcomes.extend(mover.fleet.work())

    mover.during = page
    mover.store.use_version("crnn", "a-1")
    assert mover.rollover.look() == "changed"
    assert outcomes == ["done"]
    assert mover.store.attempts(job)[0]["models"] == "fake/1", "read with the weights from before"


def test_a_page_in_hand_is_finished_first_and_the_next_one_is_read_with_the_new_weights(mover: Mover) -> None:
    begun, go_on = threading.Event(), threading.Event()
    old = mover.slot.reader
    assert isinstance(old, Versioned)

    def act(progress: Any) -> None:
        begun.set()
        assert go_on.wait(PATIENCE_S)

    old.act = act
    job = mover.fleet.submit(png())
    message = mover.fleet.sink.sent.pop(0)
    outcome: list[str] = []

    def work() -> None:
        with mover.slot.turn.page():
            outcome.append(run_page(mover.slot, message.run, message.page))

    page = threading.Thread(target=work)
    page.start()
    assert begun.wait(PATIENCE_S)
    mover.store.use_version("crnn", "a-1")
    changed: list[str] = []
    moving = threading.Thread(target=lambda: changed.append(mover.rollover.look()))
    moving.start()
    while mover.loads == 0:
        moving.join(0.01)
    assert mover.slot.reader is old
    go_on.set()
    page.join(PATIENCE_S)
    moving.join(PATIENCE_S)
    assert (outcome, changed) == (["done"], ["changed"])
    assert old.calls == 1
    assert mover.store.view(job).status == "done"
    mover.fleet.submit(png(40))
    mover.fleet.work()
    assert isinstance(mover.slot.reader, Versioned)
    assert (mover.slot.reader.names, mover.slot.reader.calls) == ({"crnn": "a-1"}, 1)


def test_a_process_that_is_never_idle_changes_over_at_the_next_page() -> None:
    turn, done = Turn(), threading.Event()
    entered, leave = threading.Event(), threading.Event()

    def page() -> None:
        with turn.page():
            entered.set()
            assert leave.wait(PATIENCE_S)

    first = threading.Thread(target=page)
    first.start()
    assert entered.wait(PATIENCE_S)
    renewals: list[int] = []
    waiting = threading.Thread(target=lambda: turn.between(done.set, lambda: renewals.append(1), 0.001))
    waiting.start()
    while not renewals:
        waiting.join(0.001)
    assert not done.is_set()
    leave.set()
    first.join(PATIENCE_S)
    with turn.page():
        assert done.is_set(), "what waits is done before the page"
    waiting.join(PATIENCE_S)


def test_a_version_that_does_not_load_changes_nothing_and_is_tried_again_later(mover: Mover) -> None:
    mover.store.use_version("crnn", "bad-1")
    before = mover.slot.reader
    assert mover.rollover.look() == "failed"
    assert mover.slot.reader is before
    (told,) = mover.store.slots()
    assert "bad-1 is damaged" in told["versions_problem"]
    assert mover.store.lease_rollover("another", 5), "the lease was not given back"
    mover.store.lease_rollover("another", 0)
    assert mover.rollover.look() == "later"
    mover.clock += RETRY_S
    assert mover.rollover.look() == "failed"
    mover.store.use_version("crnn", "good-2")
    assert mover.rollover.look() == "changed", "another wish is not held up by the failure of the last"
    assert not mover.store.slots()[0].get("versions_problem")


def test_a_reader_that_cannot_be_warmed_changes_nothing(mover: Mover, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("reads nonsense")

    mover.during = fail
    mover.store.use_version("crnn", "a-1")
    assert mover.rollover.look() == "failed"
    assert "reads nonsense" in mover.slot.info["versions_problem"]
    mover.store.use_version("crnn", "")
    assert mover.rollover.look() == "same"
    assert "versions_problem" not in mover.slot.info


def test_a_host_without_the_files_gets_them_from_the_store(tmp_path: Path) -> None:
    made = make(tmp_path / "maker")
    store = MemoryStore()
    settings = Settings(data=tmp_path / "data", models=tmp_path / "models")
    with pytest.raises(ModelError, match="no version"):
        provide(store, settings, "crnn", made.name)
    store.use_version("crnn", made.name, versions.pack(made))
    came = provide(store, settings, "crnn", made.name)
    assert came.folder.is_relative_to(tmp_path / "models")
    (came.folder / versions.MODEL_FILE).write_bytes(b"A model")
    assert versions.state_of(provide(store, settings, "crnn", made.name)) == "here", "a damaged copy is mended"


def test_a_models_folder_that_cannot_be_written_is_no_hindrance(tmp_path: Path) -> None:
    made = make(tmp_path / "maker")
    (tmp_path / "image").write_text("not a folder")
    store = MemoryStore()
    store.use_version("crnn", made.name, versions.pack(made))
    settings = Settings(data=tmp_path / "data", models=tmp_path / "image")
    assert provide(store, settings, "crnn", made.name).folder.is_relative_to(tmp_path / "data")


def test_a_new_process_starts_with_what_is_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make(tmp_path / "models")
    store = MemoryStore()
    settings = Settings(data=tmp_path / "data", models=tmp_path / "models")
    assert at_start(store, settings) == ({}, {}, None)
    versions.note_in_use(tmp_path / "models", "crnn", f'{{"version": "{made.name}"}}')
    assert at_start(store, settings)[0] == {"crnn": made}, "a fleet that was never told follows the folder"
    store.use_version("crnn", "")
    assert at_start(store, settings)[0] == {}, "the store goes before the folder"
    monkeypatch.setattr(store, "wanted_versions", lambda: (_ for _ in ()).throw(StoreUnavailable(retry_after=5)))
    assert at_start(store, settings)[0] == {"crnn": made}


def test_a_new_process_reads_with_what_is_shipped_where_the_wanted_version_cannot_be_had(tmp_path: Path) -> None:
    store = MemoryStore()
    store.use_version("crnn", "gone-00000000")
    found, _, problem = at_start(store, Settings(data=tmp_path))
    assert found == {}
    assert problem is not None
    assert "gone-00000000" in problem


def test_the_task_gives_way_between_pages(mover: Mover, monkeypatch: pytest.MonkeyPatch) -> None:
    from worker import lifecycle

    monkeypatch.setattr(lifecycle, "_slot", mover.slot)
    mover.fleet.submit(png())
    message = mover.fleet.sink.sent.pop(0)
    assert tasks.read_page(1, message.run, message.page) == "done"
    gap: list[int] = []
    mover.slot.turn.between(lambda: gap.append(1), lambda: None, 0.01)
    assert gap == [1]


class Untouchable:
    """A detector that another reader is using."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError("the detector was used")


def test_a_reader_is_renewed_and_warmed_without_touching_the_detector_it_will_share() -> None:
    from tests.stack import models_folder
    from worker.reading.page import Reader

    old = Reader(models_folder(), "crnn", {}, Untouchable())  # type: ignore[arg-type]
    new = old.renewed({})
    assert new.warm("line")
    assert new is not old
    with pytest.raises(AssertionError, match="the detector was used"):
        new.warm()


def test_versions_are_said_in_words() -> None:
    assert rollover.said({}) == "what is shipped"
    assert rollover.said({"ppocrv6": "b-2", "crnn": "a-1"}) == "crnn a-1, ppocrv6 b-2"
