"""This machine: its processor's features, its ports. What of it a process may use is in `shared.host`. Linux only."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from shared.host import text_of


def processor() -> tuple[str, set[str]]:
    """The processor's name and features (`flags` on x86, `Features` on ARM)."""
    name, flags = os.uname().machine, set[str]()
    for line in text_of(Path("/proc/cpuinfo")).splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name" and value.strip():
            name = value.strip()
        if key.strip() in ("flags", "Features"):
            flags = set(value.split())
            break
    return name, flags


def listening(host: str, port: int, timeout_s: float = 0.5) -> bool:
    """Whether something accepts connections there."""
    try:
        with socket.create_connection((host, port), timeout=timeout_s):
            return True
    except OSError:
        return False


def can_bind(host: str, port: int) -> OSError | None:
    """None where the port can be listened on, else why not. Ports in TIME_WAIT count as free, as they do for servers."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        return error
    return None
