"""Documents at hand: fetched once, kept open while they are worked on, never more on disk than agreed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from shared.settings import Settings
from shared.store.protocol import Claim
from worker import shelf as shelf_module
from worker.shelf import BlobGone, Shelf, spool_folder, sweep

SAMPLES = Path(__file__).parents[2] / "samples"


class Blobs:
    """A store's blobs that count how often they are fetched."""

    def __init__(self) -> None:
        self.held = {"a1": (SAMPLES / "report-5p.pdf").read_bytes(), "b2": (SAMPLES / "letter.pdf").read_bytes()}
        self.fetched: list[str] = []

    def get(self, sha256: str) -> bytes | None:
        self.fetched.append(sha256)
        return self.held.get(sha256)


def claim(blob: str, page: int = 1, pages: int = 5) -> Claim:
    return Claim("run", page, "token", 1, blob, "pdf", "", pages)


@pytest.fixture
def blobs() -> Blobs:
    return Blobs()


def test_pages_of_one_document_share_one_open_document(blobs: Blobs, tmp_path: Path) -> None:
    shelf = Shelf(Settings(), blobs.get, tmp_path)
    assert shelf.open(claim("a1", 1)) is shelf.open(claim("a1", 2))
    assert blobs.fetched == ["a1"]


def test_two_processes_fetch_a_long_document_once(blobs: Blobs, tmp_path: Path) -> None:
    for shelf in (Shelf(Settings(), blobs.get, tmp_path), Shelf(Settings(), blobs.get, tmp_path)):
        assert shelf.open(claim("a1")).pages == 5
        shelf.close()
    assert blobs.fetched == ["a1"]
    assert [path.name for path in tmp_path.iterdir()] == ["a1"]


def test_a_document_of_one_page_is_not_written_to_disk(blobs: Blobs, tmp_path: Path) -> None:
    Shelf(Settings(), blobs.get, tmp_path).open(claim("b2", pages=1))
    assert list(tmp_path.iterdir()) == []


def test_the_next_document_replaces_the_last(blobs: Blobs, tmp_path: Path) -> None:
    shelf = Shelf(Settings(), blobs.get, tmp_path)
    assert [shelf.open(claim(blob)).pages for blob in ("a1", "b2", "a1")] == [5, 1, 5]
    assert blobs.fetched == ["a1", "b2"]


def test_a_blob_that_is_gone_is_said(blobs: Blobs, tmp_path: Path) -> None:
    with pytest.raises(BlobGone):
        Shelf(Settings(), blobs.get, tmp_path).open(claim("c3"))


def test_without_a_usable_folder_it_goes_on_in_memory(blobs: Blobs, tmp_path: Path) -> None:
    shelf = Shelf(Settings(), blobs.get, tmp_path / "missing")
    assert shelf.open(claim("a1")).pages == 5


def test_old_files_leave_and_the_budget_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf_module, "SPOOL_BYTES", 250)
    now = time.time()
    for name, age_s in (("old", 7200), ("used", 60), ("fresh", 5)):
        (tmp_path / name).write_bytes(b"x" * 100)
        os.utime(tmp_path / name, (now - age_s, now - age_s))
    sweep(tmp_path, room_for=100)
    assert {path.name for path in tmp_path.iterdir()} == {"fresh"}


def test_a_folder_that_others_can_write_to_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.shelf.tempfile.gettempdir", lambda: str(tmp_path))
    folder = spool_folder()
    assert folder.stat().st_mode & 0o077 == 0
    folder.chmod(0o777)
    with pytest.raises(OSError, match="open to others"):
        spool_folder()
