"""Who asks: API keys, and the name under which a client's share of the queue is counted."""

from __future__ import annotations

import hashlib
import ipaddress

from flask import Request

from shared.errors import KeyMissing, KeyRefused
from shared.settings import Settings


class Doors:
    """Lets requests in. With `api_keys` set, a key is needed; a client is then its key, otherwise its address."""

    def __init__(self, settings: Settings) -> None:
        keys = (key.strip() for key in settings.api_keys.split(","))
        # Looked up by digest: the time a look-up takes then says nothing about how much of a key was right.
        self._clients = {_digest(key): f"key:{_digest(key)[:16]}" for key in keys if key}

    @property
    def locked(self) -> bool:
        """Whether a key is needed."""
        return bool(self._clients)

    def client(self, request: Request, form_key: str = "") -> str:
        """The client's name. Raises KeyMissing or KeyRefused. Keys themselves are never stored or logged."""
        if not self._clients:
            return "addr:" + _network(request.remote_addr or "")
        key = request.headers.get("X-API-Key", "").strip() or _bearer(request) or form_key
        if not key:
            raise KeyMissing
        try:
            return self._clients[_digest(key)]
        except KeyError:
            raise KeyRefused from None


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _network(address: str) -> str:
    """An IPv4 address as it is; of an IPv6 address its /64, because one host may use all of it."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
