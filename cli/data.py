"""The data folder: held by one `ocrfleet up` at a time, with a note of where that one answers."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cli.problems import AlreadyRunning, DataFolderRefused

STATE_FILE = "up.json"


@contextlib.contextmanager
def data_folder(data: Path) -> Iterator[Path]:
    """Make the data folder and hold it. Raises DataFolderRefused, AlreadyRunning."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        handle = os.open(data / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise DataFolderRefused(data=data, reason=error.strerror) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pid = os.read(handle, 32).decode().strip() or "?"
            state = read_state(data)
            where = f" ({state['url']}, pid {pid})" if state else f" (pid {pid})"
            raise AlreadyRunning(data=data, where=where, pid=pid) from None
        os.truncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield data / STATE_FILE
    finally:
        os.close(handle)


def read_state(data: Path) -> dict[str, Any]:
    """What a running `ocrfleet up` wrote about itself; empty where there is none."""
    try:
        state = json.loads((data / STATE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}
