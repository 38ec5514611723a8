"""Fetching a document from an address a client names, without becoming a way into the network behind the gateway.

Only hosts that the operator listed are asked. A listed name that resolves to a private address is refused as well: a
name is not proof of where it leads. To fetch from inside, the operator lists host and port (`files.local:8000`): that is
meant, and is let through. The connection goes to the very address that was checked, so a second answer of the name
service changes nothing. Redirects are not followed.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from api.problems import too_many_bytes
from api.wording import because
from shared.errors import UrlRefused
from shared.settings import Settings

_TIMEOUT_S = 10.0
"""Most seconds a server may take to connect, and between two pieces of its answer."""
_TOTAL_S = 60.0
"""Most seconds for the whole document."""
_CHUNK = 1 << 16


class _Target(NamedTuple):
    secure: bool
    host: str
    port: int
    path: str
    name: str


class UrlFetcher:
    """Call it with an address; it answers (bytes, name). Raises UrlRefused or TooManyBytes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._allowed = {host.strip().lower() for host in settings.allow_urls.split(",") if host.strip()}

    def __call__(self, url: str) -> tuple[bytes, str]:
        target = self._target(url)
        deadline = time.monotonic() + _TOTAL_S
        try:
            connection = self._connect(target, self._address(target))
            try:
                connection.request("GET", target.path, headers={"User-Agent": "ocrfleet", "Accept": "*/*"})
                return self._body(connection.getresponse(), deadline), target.name
            finally:
                connection.close()
        except (OSError, http.client.HTTPException):
            raise because(UrlRefused, "the server does not answer", "对方服务器无响应", "url") from None

    def _target(self, url: str) -> _Target:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise because(UrlRefused, "it is not an address", "地址无效", "url") from None
        host = (parts.hostname or "").lower()
        if parts.scheme not in ("http", "https") or not host or parts.username is not None:
            raise because(
                UrlRefused, "only plain http and https addresses are fetched", "仅支持 http 和 https 地址", "url"
            )
        standard = 443 if parts.scheme == "https" else 80
        port = port or standard
        if f"{host}:{port}" not in self._allowed and not (host in self._allowed and port == standard):
            raise because(UrlRefused, "its host is not on this service's list", "该主机不在允许列表中", "url")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if any(not 0x20 < ord(char) < 0x7F for char in path):
            raise because(UrlRefused, "it is not percent-encoded", "地址未正确编码", "url")
        return _Target(parts.scheme == "https", host, port, path, unquote(parts.path.rsplit("/", 1)[-1]))

    def _address(self, target: _Target) -> str:
        """The address to connect to: of a name listed without its port one on the open internet."""
        found = sorted(
            {str(row[4][0]) for row in socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)}
        )
        meant = f"{target.host}:{target.port}" in self._allowed
        if not found or not (meant or all(ipaddress.ip_address(one.split("%")[0]).is_global for one in found)):
            raise because(UrlRefused, "its host is not on the open internet", "该主机不在公网上", "url")
        return found[0]

    def _connect(self, target: _Target, address: str) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(target.host, target.port, timeout=_TIMEOUT_S)
        plain = socket.create_connection((address, target.port), _TIMEOUT_S)
        try:
            if target.secure:
                connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=target.host)
            else:
                connection.sock = plain
        except BaseException:
            plain.close()
            raise
        return connection

    def _body(self, response: http.client.HTTPResponse, deadline: float) -> bytes:
        if response.status != 200:
            raise because(
                UrlRefused, f"the server answers {response.status}", f"对方服务器返回 {response.status}", "url"
            )
        parts, total = [], 0
        while chunk := response.read1(_CHUNK):
            total += len(chunk)
            if total > self._settings.max_bytes:
                raise too_many_bytes(self._settings)
            if time.monotonic() > deadline:
                raise because(UrlRefused, "the server is too slow", "对方服务器太慢", "url")
            parts.append(chunk)
        if response.length:
            raise because(UrlRefused, "the server ended before the document did", "对方服务器传输中断", "url")
        return b"".join(parts)
