"""Becomes Flower behind a password; its settings go by the environment, so that no process list shows it."""

from __future__ import annotations

import os
import secrets

import passwords

USER = "ocrfleet"


def main() -> None:
    """Does not return."""
    file = passwords.FOLDER / "flower-password"
    password = passwords.choose("FLOWER_PASSWORD", file)
    os.environ["FLOWER_BASIC_AUTH"] = f"{USER}:{password}"
    os.environ["FLOWER_COOKIE_SECRET"] = secrets.token_urlsafe(32)
    print(f"Flower: user {USER}, password in {file}", flush=True)
    os.execvp("python", ["python", "-m", "celery", "-A", "cli.flower", "flower"])


if __name__ == "__main__":
    main()
