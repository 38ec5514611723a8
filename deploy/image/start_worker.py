"""Becomes the worker, once the queue's password is there: on a fresh host the queue's own container makes it."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

WAIT_S = 60.0


def awaited(environment: dict[str, str]) -> Path | None:
    """The file that must be there first; None where the password is given another way, or none is used."""
    url = urlsplit(environment.get("REDIS_URL", ""))
    file = environment.get("REDIS_PASSWORD_FILE", "")
    if not file or environment.get("REDIS_PASSWORD") or url.password is not None:
        return None
    return Path(file)


def main() -> None:
    """Does not return."""
    file = awaited(dict(os.environ))
    end = time.monotonic() + WAIT_S
    while file is not None and not file.exists():
        if time.monotonic() > end:
            sys.exit(
                f"the password of Redis is not there: {file}. Set REDIS_PASSWORD, put it into REDIS_URL, or have the "
                "file made; see docs/deployment.md"
            )
        time.sleep(0.2)
    os.execvp("python", ["python", "-m", "worker", *sys.argv[1:]])


if __name__ == "__main__":
    main()
