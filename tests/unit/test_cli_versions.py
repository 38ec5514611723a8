"""`ocrfleet models use`, `rollback` and `list`: names, the fleet's store, the note in the models folder."""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path

import pytest

from cli import main, models, versions
from cli.versions import Wanted
from shared.settings import Settings
from shared.store.memory import MemoryStore
from tests.unit.test_versions import make
from worker.reading.models import ModelError


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    """A store that the commands find."""
    store = MemoryStore(now=itertools.count(1_800_000_000_000).__next__)
    monkeypatch.setattr(versions, "reachable_store", lambda settings: store)
    monkeypatch.setattr(versions, "POLL_S", 0.001)
    return store


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No fleet answers."""
    monkeypatch.setattr(versions, "reachable_store", lambda settings: None)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OCRFLEET_LANG", "en")
    return tmp_path / "models"


def models_command(folder: Path, *words: str) -> int:
    parser = argparse.ArgumentParser()
    models.configure(parser)
    return models.run(parser.parse_args(["--folder", str(folder), *words]))


def beat(store: MemoryStore, slot: str, **info: object) -> None:
    store.beat_slot(slot, {"warm": True, "versions": {}, **info})


def test_a_version_is_chosen_by_the_beginning_of_its_name(folder: Path) -> None:
    first = make(folder)
    make(folder, b"another", stem="receipts")
    assert versions.resolve(folder, "tick") == ("crnn", first.name)
    assert versions.resolve(folder, first.name) == ("crnn", first.name)
    assert versions.resolve(folder, versions.shipped_name("crnn")) == ("crnn", "")
    make(folder, b"a third", stem="tickets2")
    with pytest.raises(ModelError, match="several"):
        versions.resolve(folder, "tick")
    with pytest.raises(ModelError, match="no version 'nothing'"):
        versions.resolve(folder, "nothing")


def test_use_tells_the_fleet_and_waits_for_every_process(
    folder: Path, fleet: MemoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    made = make(folder)
    beat(fleet, "a:1:1", versions={"crnn": made.name})
    beat(fleet, "a:1:2", versions={"crnn": made.name})
    beat(fleet, "a:1:3", warm=False)
    assert models_command(folder, "use", "tickets") == 0
    assert "2 of 2 worker processes have changed over" in capsys.readouterr().out
    assert fleet.wanted_versions()["crnn"].version == made.name
    archive = fleet.version_archive("crnn", made.name)
    assert archive is not None
    assert versions.noted(folder, "crnn") == fleet.wanted_versions()["crnn"]


def test_use_says_which_process_cannot_and_why(
    folder: Path, fleet: MemoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    made = make(folder)
    beat(fleet, "a:1:1", versions={"crnn": made.name})
    beat(fleet, "a:1:2", versions_problem="no space left")
    assert models_command(folder, "use", made.name) == 1
    out = capsys.readouterr().out
    assert "1 of 2" in out
    assert "no space left" in out


def test_use_does_not_wait_for_ever(folder: Path, fleet: MemoryStore) -> None:
    made = make(folder)
    beat(fleet, "a:1:1")
    assert models_command(folder, "use", made.name, "--wait", "0.01") == 1
    assert models_command(folder, "use", made.name, "--wait", "0") == 0


def test_a_damaged_version_is_not_handed_to_the_fleet(folder: Path, fleet: MemoryStore) -> None:
    made = make(folder)
    (made.folder / "model.onnx").write_bytes(b"A model")
    with pytest.raises(ModelError, match="damaged"):
        models_command(folder, "use", made.name)
    assert fleet.wanted_versions() == {}


def test_rollback_goes_back_step_by_step(folder: Path, fleet: MemoryStore) -> None:
    first, second = make(folder), make(folder, b"another", stem="receipts")
    for name in (first.name, second.name):
        models_command(folder, "use", name, "--wait", "0")
    assert models_command(folder, "rollback", "--wait", "0") == 0
    assert fleet.wanted_versions()["crnn"].version == first.name
    assert models_command(folder, "rollback", "--wait", "0") == 0
    assert fleet.wanted_versions()["crnn"].version == ""
    with pytest.raises(ModelError, match="before"):
        models_command(folder, "rollback", "--wait", "0")


def test_a_version_is_removed_unless_it_is_in_use(folder: Path, fleet: MemoryStore) -> None:
    first, second = make(folder), make(folder, b"another", stem="receipts")
    models_command(folder, "use", first.name, "--wait", "0")
    for name in (first.name, versions.shipped_name("crnn")):
        with pytest.raises(ModelError, match="in use"):
            models_command(folder, "remove", name)
    assert models_command(folder, "remove", "receipts") == 0
    assert [version.name for version in versions.all_known(folder)] == [first.name]
    assert not second.folder.exists()


@pytest.mark.usefixtures("alone")
def test_without_a_fleet_the_folder_remembers(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = make(folder)
    assert models_command(folder, "use", made.name) == 0
    assert "no fleet answers" in capsys.readouterr().out
    assert versions.noted(folder, "crnn") is not None
    assert models_command(folder, "rollback") == 0
    noted = versions.noted(folder, "crnn")
    assert noted is not None
    assert noted.version == ""


def test_a_starting_fleet_is_told_what_was_chosen_while_it_was_down(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(folder)
    store = MemoryStore(now=lambda: 5_000)
    monkeypatch.setattr(versions, "open_store", lambda settings: (store, None))
    versions.bring_along(Settings(), folder)
    assert store.wanted_versions() == {}
    store.use_version("crnn", "older-00000000", b"x")
    record = Wanted(made.name, ("",), 9_000)
    versions.versions.note_in_use(folder, "crnn", record.to_json())
    versions.bring_along(Settings(), folder)
    assert store.wanted_versions()["crnn"].version == made.name
    assert store.version_archive("crnn", made.name)
    monkeypatch.setattr(store.machine, "now", lambda: 10_000)
    store.use_version("crnn", "newer-00000000", b"y")
    versions.bring_along(Settings(), folder)
    assert store.wanted_versions()["crnn"].version == "newer-00000000", "the fleet was told later than the folder"


def test_list_shows_figures_origin_licence_and_sha256(
    folder: Path, fleet: MemoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    made = make(folder)
    models_command(folder, "use", made.name, "--wait", "0")
    capsys.readouterr()
    assert models_command(folder, "list") == 1, "the shipped weights are missing in this folder"
    out = capsys.readouterr().out
    assert f"* {made.name}  whole" in out
    for part in ("Apache-2.0", "2026-01-02", "PP-OCRv2-rec", made.weight.sha256, "exact 0.2500 -> 0.7500", "20 lines"):
        assert part in out
    assert "real lines: 951 lines, exact 0.9" in out
    for weight in models.models.weights():
        assert weight.sha256 in out


def test_the_program_says_a_wrong_version_in_one_sentence(
    folder: Path, fleet: MemoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["models", "--folder", str(folder), "use", "nothing"]) == 1
    assert capsys.readouterr().err.startswith("ocrfleet: There is no version 'nothing'")


def test_a_record_outlives_its_file(folder: Path) -> None:
    assert versions.noted(folder, "crnn") is None
    versions.versions.note_in_use(folder, "crnn", json.dumps({"version": "x"}))
    assert versions.noted(folder, "crnn") is None, "half a record is none"
