"""Which language a person reads: English or Chinese, by `OCRFLEET_LANG` or the locale."""

from __future__ import annotations

import os
from collections.abc import Mapping

LANGUAGES = ("en", "zh")


def language(environment: Mapping[str, str] = os.environ) -> str:
    """`zh` where the locale is Chinese, else `en`; `OCRFLEET_LANG` wins, then the usual order of locale variables."""
    for name in ("OCRFLEET_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = environment.get(name, "").lower()
        if value:
            return "zh" if value.startswith("zh") else "en"
    return "en"


def pick(english: str, chinese: str, lang: str | None = None) -> str:
    """The sentence in the person's language."""
    return chinese if (lang or language()) == "zh" else english
