"""The least of a Redis client, for health checks: a new connection, a password, a few commands. Standard library only.

The real client takes half a second of a core to load; a check that runs every ten seconds may not.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from typing import Any, BinaryIO
from urllib.parse import parse_qs, unquote, urlsplit

Answer = Any


class Refused(Exception):
    """Raised when the server answers with an error."""


def ask(url: str, password: str, commands: Sequence[Sequence[str]], timeout_s: float = 3.0) -> list[Answer]:
    """Send commands to `redis://` or `rediss://` and return their answers. Raises OSError or Refused."""
    parts = urlsplit(url)
    secret = unquote(parts.password) if parts.password is not None else password
    login = [["AUTH", unquote(parts.username), secret]] if parts.username else [["AUTH", secret]]
    asked = [*(login if secret else []), *commands]
    with socket.create_connection((parts.hostname or "localhost", parts.port or 6379), timeout_s) as plain:
        connection = _encrypted(plain, url) if parts.scheme == "rediss" else plain
        connection.sendall(b"".join(_packed(command) for command in asked))
        with connection.makefile("rb") as stream:
            answers = [_answer(stream) for _ in asked]
    for answer in answers:
        if isinstance(answer, Refused):
            raise answer
    return answers[len(asked) - len(commands) :]


def _encrypted(plain: socket.socket, url: str) -> ssl.SSLSocket:
    query = {name: values[-1] for name, values in parse_qs(urlsplit(url).query).items()}
    context = ssl.create_default_context(cafile=query.get("ssl_ca_certs"))
    if query.get("ssl_check_hostname", "true").lower() == "false":
        context.check_hostname = False
    if query.get("ssl_cert_reqs") in ("none", "CERT_NONE"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(plain, server_hostname=urlsplit(url).hostname)


def _packed(words: Sequence[str]) -> bytes:
    rows = [f"*{len(words)}\r\n".encode()]
    for word in words:
        data = word.encode()
        rows.append(b"$%d\r\n%b\r\n" % (len(data), data))
    return b"".join(rows)


def _answer(stream: BinaryIO) -> Answer:
    line = stream.readline()
    if not line.endswith(b"\r\n"):
        raise ConnectionError("the connection ended inside an answer")
    kind, rest = line[:1], line[1:-2]
    match kind:
        case b"+":
            return rest.decode()
        case b"-":
            return Refused(rest.decode())
        case b":":
            return int(rest)
        case b"$":
            if int(rest) < 0:
                return None
            data = stream.read(int(rest) + 2)
            if len(data) != int(rest) + 2:
                raise ConnectionError("the connection ended inside an answer")
            return data[:-2]
        case b"*":
            return [_answer(stream) for _ in range(int(rest))]
    raise ConnectionError(f"not a Redis server: {line[:40]!r}")
