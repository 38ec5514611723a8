"""Passwords of containers: from the environment, else from a file, else made once and kept in a file.

The file lies in a volume that all containers of a host share, so that `docker compose up` works without a set-up and
still leaves no server without a password. Standard library only: it runs in every image.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

FOLDER = Path("/run/ocrfleet")


def choose(variable: str, file: Path) -> str:
    """The password of the environment `variable`, else of `file`, else a new one; `file` then holds it.

    A `file` that cannot be written (an operator's own, mounted read-only) is left as it is. Exits with the reason where
    neither is given and none can be kept.
    """
    given = os.environ.get(variable, "").strip()
    kept = read(file)
    password = given or kept or secrets.token_urlsafe(32)
    if password != kept:
        try:
            write_private(file, password + "\n")
        except OSError as error:
            if not given:
                sys.exit(f"no password: set {variable}, or put one into {file} ({error.strerror})")
    return password


def read(file: Path) -> str:
    """The password in a file, "" where there is none. Exits with the reason where it may not be read."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""
    except OSError as error:
        sys.exit(f"{file} cannot be read by user {os.getuid()}: {error.strerror}")


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all. Raises OSError."""
    scratch = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as sink:
        sink.write(text)
    scratch.replace(file)
