"""Job ids that carry their own proof: 8 random bytes, the second they were issued, and a MAC under the store's secret.

So an id that expired (410) is told from one never issued (404) without keeping anything about it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

ID_BYTES = 20
_MAC_BYTES = 7


def issue(secret: bytes, now_ms: int) -> str:
    """A new id: 32 characters of lower-case base32."""
    body = (now_ms // 1000).to_bytes(5, "big") + secrets.token_bytes(ID_BYTES - 5 - _MAC_BYTES)
    return base64.b32encode(body + _mac(secret, body)).decode().lower()


def issued_here(secret: bytes, job_id: str) -> bool:
    """Whether `issue` made this id with this secret."""
    try:
        raw = base64.b32decode(job_id.upper())
    except ValueError:
        return False
    return len(raw) == ID_BYTES and hmac.compare_digest(_mac(secret, raw[:-_MAC_BYTES]), raw[-_MAC_BYTES:])


def new_run() -> str:
    """A run's id; it never leaves the service."""
    return secrets.token_hex(8)


def _mac(secret: bytes, body: bytes) -> bytes:
    return hmac.new(secret, body, hashlib.sha256).digest()[:_MAC_BYTES]
