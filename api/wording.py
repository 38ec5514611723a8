"""Errors whose reason is said in both languages."""

from __future__ import annotations

from typing import Any, TypeVar

from shared.errors import OcrFleetError

_Error = TypeVar("_Error", bound=OcrFleetError)


def because(kind: type[_Error], reason: str, reason_zh: str, field: str | None = None, **values: Any) -> _Error:
    """An error of a kind whose sentences take `{reason}`, and `values` besides."""
    return kind(reason=reason, reason_zh=reason_zh, field=field, **values)
