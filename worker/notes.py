"""What each worker process of this host has in hand, on disk, so that whoever outlives it can say that it is lost.

A child that dies is reported by its parent. When the parent is killed too, nobody is left who knows; the next worker on
the host (or another one beside it) finds the note of a process that is gone and ends its attempt at once, instead of
when the lease does. Where the disk is not shared or not there, the lease still does it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path

from shared.settings import Settings
from worker.cores import host_tag
from worker.shelf import spool_folder

log = logging.getLogger(__name__)

NOTE_BYTES = 512  # a note is written in one piece, so that no reader sees half of one
Lost = Callable[[str, int, str], None]


def notes_folder(settings: Settings) -> Path:
    """Where the notes of this user and fleet lie: fleets on one host do not bury each other's dead. Raises OSError."""
    fleet = hashlib.sha256(f"{settings.redis_url} {settings.redis_prefix}".encode()).hexdigest()[:12]
    folder = spool_folder().with_name(f"ocrfleet-notes-{os.getuid()}-{fleet}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.lstat().st_uid != os.getuid() or folder.is_symlink():
        raise OSError(f"{folder} belongs to another")
    return folder


def usable_folder(settings: Settings) -> Path | None:
    """The folder, None (and a line in the log) where there can be none."""
    try:
        return notes_folder(settings)
    except OSError as error:
        log.info("no notes of pages in hand are kept: %s", error)
        return None


class Note:
    """The note of this process. Nothing here raises: without a disk there is no note."""

    def __init__(self, slot: str, folder: Path | None) -> None:
        self._slot = slot
        self._path: Path | None = None
        self._file = -1
        if folder is None:
            return
        path = folder / slot.replace("/", "_")
        try:
            self._file = _opened(path)
            self._path = path
        except OSError as error:
            log.info("no note of the page in hand is kept: %s", error)
        self.write("", 0)

    def write(self, run: str, page: int) -> None:
        """The page in hand; no run: none."""
        if self._file < 0:
            return
        text = json.dumps({"slot": self._slot, "born": birth(os.getpid()), "run": run, "page": page})
        with contextlib.suppress(OSError):
            os.pwrite(self._file, text.encode().ljust(NOTE_BYTES)[:NOTE_BYTES], 0)

    def remove(self) -> None:
        """The process ends as it should. The last one of the fleet takes the folder away."""
        if self._path is not None:
            os.close(self._file)
            self._file = -1
            self._path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # others have notes in it
                self._path.parent.rmdir()


def _opened(path: Path) -> int:
    """The note's file, made; and its folder, where the last process that had a note took it away meanwhile."""
    for _ in range(3):
        with contextlib.suppress(FileNotFoundError):
            return os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        path.parent.mkdir(mode=0o700, exist_ok=True)
    return os.open(path, os.O_CREAT | os.O_RDWR, 0o600)


def birth(pid: int) -> int | None:
    """When a process started, in ticks since boot; None for one that is gone or only waits to be buried."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in ("Z", "X") else int(fields[19])


def find_lost(lost: Lost, folder: Path) -> None:
    """Calls `lost(run, page, slot)` for every process of this host that left a note and is gone; the note goes too.

    `run` is "" for one that had no page in hand.
    """
    mine = host_tag() + ":"
    try:
        paths = sorted(folder.iterdir())
    except OSError:
        return
    for path in paths:
        try:
            note = json.loads(path.read_bytes() or b"{}")
            slot, run, page, born = str(note["slot"]), str(note["run"]), int(note["page"]), note["born"]
            pid = int(slot.rpartition(":")[2])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if not slot.startswith(mine) or birth(pid) == born:
            continue
        try:
            path.unlink()
        except OSError:
            continue  # another worker was quicker
        log.warning("worker process %d is gone: its page and place are given to others", pid)
        lost(run, page, slot)
