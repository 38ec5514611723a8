"""A worker that is killed whole leaves notes by which its successor gives its pages to others at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.settings import Settings
from worker.notes import Note, birth, find_lost, usable_folder
from worker.slot import slot_name

Found = list[tuple[str, int, str]]


def lost(folder: Path) -> Found:
    found: Found = []
    find_lost(lambda run, page, slot: found.append((run, page, slot)), folder)
    return found


def died_with_note(folder: Path, run: str, page: int) -> str:
    """A process that wrote its note and was killed; the name of its slot."""
    code = (
        "import os, sys; from pathlib import Path; from worker.notes import Note; from worker.slot import slot_name; "
        "name = slot_name(os.getpid(), 1); "
        f"Note(name, Path({str(folder)!r})).write({run!r}, {page}); print(name, flush=True); sys.stdin.read()"
    )
    root = Path(__file__).parents[2]
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root)
    assert process.stdout is not None
    name = process.stdout.readline().decode().strip()
    assert lost(folder) == [], "it still lives"
    process.kill()
    process.communicate()
    return name


def test_the_page_of_a_killed_process_is_found_once(tmp_path: Path) -> None:
    slot = died_with_note(tmp_path, "run7", 3)
    assert lost(tmp_path) == [("run7", 3, slot)]
    assert lost(tmp_path) == []


def test_a_killed_process_without_a_page_is_found_too(tmp_path: Path) -> None:
    slot = died_with_note(tmp_path, "", 0)
    assert lost(tmp_path) == [("", 0, slot)]


def test_a_living_process_and_one_that_ended_well_are_left_alone(tmp_path: Path) -> None:
    note = Note(slot_name(os.getpid(), 1), tmp_path)
    note.write("run", 1)
    assert lost(tmp_path) == []
    note.remove()
    assert lost(tmp_path) == []


def test_the_last_one_to_end_well_takes_the_folder_away(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    first, second = Note("here:1:1", folder), Note("here:1:2", folder)
    first.remove()
    assert [path.name for path in folder.iterdir()] == ["here:1:2"]
    second.remove()
    assert not folder.exists()
    third = Note("here:1:3", folder)  # a process that was given the folder before it went
    third.write("run", 1)
    assert (folder / "here:1:3").exists()


def test_a_number_given_to_another_process_does_not_keep_the_dead_alive(tmp_path: Path) -> None:
    note = Note(slot_name(os.getpid(), 1), tmp_path)
    note.write("run", 1)
    (path,) = tmp_path.iterdir()
    path.write_text(path.read_text().replace(str(birth(os.getpid())), "1"))
    assert [run for run, _, _ in lost(tmp_path)] == ["run"]


def test_notes_of_other_hosts_and_torn_notes_are_left(tmp_path: Path) -> None:
    (tmp_path / "a").write_text('{"slot": "elsewhere-123456:1:2", "born": 1, "run": "r", "page": 1}')
    (tmp_path / "b").write_text('{"slot": ')
    (tmp_path / "c").write_text("")
    assert lost(tmp_path) == []
    assert len(list(tmp_path.iterdir())) == 3


def test_fleets_on_one_host_keep_their_notes_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.shelf.tempfile.gettempdir", lambda: str(tmp_path))
    folders = {usable_folder(Settings(redis_prefix=prefix)) for prefix in ("one:", "two:", "two:")}
    assert len(folders) == 2
    assert None not in folders


def test_without_a_disk_there_is_no_note_and_no_harm(tmp_path: Path) -> None:
    for folder in (tmp_path / "missing" / "too", None):
        note = Note("slot", folder)
        note.write("run", 1)
        note.remove()
    assert lost(tmp_path / "missing") == []
