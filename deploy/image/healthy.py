"""The images' health check: `healthy.py gateway|worker|flower|redis|door`. Exit code 0 or 1, and one line that says why.

It answers "must this container be replaced?". A gateway or worker that waits for a Redis that is away need not be: what
the fleet as a whole can do is told by the gateway's /readyz. Costs some 50 ms of a core; standard library only.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

import passwords
import resp

HEARTBEAT_S = 3.0  # the default of the setting heartbeat_s; a process silent for four of them counts as gone
SILENT_BEATS = 4
PREFIX = "ocrfleet:"  # the default of the setting redis_prefix


def http_answers(port: int, path: str) -> str:
    """A GET on loopback answers 200. Raises OSError or Unwell."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=4)
    try:
        connection.request("GET", path)
        status = connection.getresponse().status
    finally:
        connection.close()
    if status != 200:
        raise Unwell(f"{path} answers {status}")
    return f"{path} answers"


class Unwell(Exception):
    """Raised with the reason."""


def redis_answers() -> str:
    """The server takes the password and is done loading."""
    password = os.environ.get("REDIS_PASSWORD") or passwords.read(passwords.FOLDER / "redis-password")
    try:
        resp.ask("redis://127.0.0.1:6379", password, [["PING"]])
    except resp.Refused as error:
        raise Unwell(str(error)) from None
    return "PONG"


def door_opens(port: int = 6380) -> str:
    """The door offers TLS and Redis answers behind it. Raises OSError or Unwell."""
    try:
        resp.ask(f"rediss://127.0.0.1:{port}?ssl_cert_reqs=none", "", [["PING"]])
    except resp.Refused as error:
        if not str(error).startswith("NOAUTH"):
            raise Unwell(str(error)) from None
    return "Redis answers through the door"


def worker_is_warm(proc: Path = Path("/proc")) -> str:
    """Every process that this container runs has a warm model and was heard of just now."""
    wanted = processes_wanted(proc)
    if wanted is None:
        raise Unwell("no worker is running here")
    url = os.environ.get("REDIS_URL", "")
    file = os.environ.get("REDIS_PASSWORD_FILE", "")
    password = os.environ.get("REDIS_PASSWORD") or (passwords.read(Path(file)) if file else "")
    prefix = os.environ.get("OCRFLEET_REDIS_PREFIX") or PREFIX
    try:
        time, rows = resp.ask(url, password, [["TIME"], ["HVALS", f"{prefix}slotinfo"]])
    except (OSError, resp.Refused) as error:
        return f"the worker runs and waits for Redis: {error}"
    now_ms = int(time[0]) * 1000 + int(time[1]) // 1000
    silent_ms = float(os.environ.get("OCRFLEET_HEARTBEAT_S") or HEARTBEAT_S) * SILENT_BEATS * 1000
    warm = warm_here([json.loads(row) for row in rows], socket.gethostname(), now_ms - silent_ms)
    if warm < wanted:
        raise Unwell(f"{warm} of {wanted} processes are warm")
    return f"{warm} processes are warm"


def warm_here(slots: list[dict[str, Any]], host: str, since_ms: float) -> int:
    """How many of the fleet's worker processes are of this host's name, warm, and were heard of since then."""
    return sum(
        slot.get("hostname") == host and slot.get("warm") is True and slot["beat_at"] > since_ms for slot in slots
    )


def processes_wanted(proc: Path) -> int | None:
    """How many processes the worker of this container was started with; None where none runs."""
    for file in proc.glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if "worker.app" in words and "--concurrency" in words:
            return int(words[words.index("--concurrency") + 1])
    return None


def check(role: str) -> str:
    """What is well. Raises Unwell or OSError."""
    if role == "gateway":
        return http_answers(int(os.environ.get("OCRFLEET_PORT") or 8080), "/livez")
    if role == "flower":
        return http_answers(int(os.environ.get("FLOWER_PORT") or 5555), "/healthcheck")
    return {"redis": redis_answers, "worker": worker_is_warm, "door": door_opens}[role]()


if __name__ == "__main__":
    try:
        print(check(sys.argv[1]))
    except (Unwell, OSError) as reason:
        print(reason)
        sys.exit(1)
