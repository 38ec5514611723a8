"""Why a page was not read, as it stands in its result."""

from __future__ import annotations

from typing import Any

from shared.errors import PageFailed


def page_problem(code: str, reason: str, reason_zh: str) -> dict[str, Any]:
    """A problem document; `code` is one word for programs."""
    return {**PageFailed(reason=reason, reason_zh=reason_zh).to_json(), "code": code}


def timeout_problem(seconds: float) -> dict[str, Any]:
    """The problem of a page that took too long."""
    return page_problem("TIMEOUT", f"it took longer than {seconds:g} seconds", f"处理时间超过 {seconds:g} 秒")
