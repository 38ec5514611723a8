"""Log files of bounded size, written by the supervisor from what its processes print."""

from __future__ import annotations

import collections
from pathlib import Path
from typing import BinaryIO

LOG_BYTES = 10 * 1024 * 1024  # of one file, before it is put aside
LOG_FILES = 4  # put aside beside the one in use
TAIL_LINES = 12  # kept in memory, to show why a process ended
LINE_BYTES = 16 * 1024  # a line without an end is cut here


class RotatingLog:
    """`write` bytes as they come; whole lines reach the file, and the last ones are remembered."""

    def __init__(self, path: Path, limit: int = LOG_BYTES, files: int = LOG_FILES) -> None:
        self.path = path
        self._limit = limit
        self._files = files
        self._file: BinaryIO | None = None
        self._size = 0
        self._rest = b""
        self._tail: collections.deque[str] = collections.deque(maxlen=TAIL_LINES)

    def write(self, data: bytes) -> None:
        """Take what was read from a pipe."""
        self._rest += data
        *lines, self._rest = self._rest.split(b"\n")
        if len(self._rest) > LINE_BYTES:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._tail.append(line.decode("utf-8", errors="replace").rstrip())
            self._put(line + b"\n")
        if self._file is not None:
            self._file.flush()

    def tail(self) -> list[str]:
        """The last lines, oldest first, the unfinished one included."""
        rest = self._rest.decode("utf-8", errors="replace").strip()
        return [*self._tail, *([rest] if rest else [])]

    def close(self) -> None:
        """Write what is left and close the file."""
        if self._rest:
            self.write(b"\n")
        if self._file is not None:
            self._file.close()
            self._file = None

    def _put(self, line: bytes) -> None:
        if self._file is not None and self._size + len(line) > self._limit:
            self._file.close()
            self._file = None
            self._rotate()
        if self._file is None:
            self._file = self.path.open("ab")
            self._size = self._file.tell()
        self._file.write(line)
        self._size += len(line)

    def _rotate(self) -> None:
        for number in range(self._files, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{number - 1}") if number > 1 else self.path
            if older.exists():
                older.replace(self.path.with_name(f"{self.path.name}.{number}"))
