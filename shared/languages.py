"""The language codes that `lang` may name (ISO 639-1, plus `auto` and the two Chinese scripts). Pure data."""

from __future__ import annotations

LANGUAGES: dict[str, str] = {
    "auto": "found out page by page",
    "zh": "Chinese, simplified or traditional, with English",
    "zh-hans": "Chinese, simplified",
    "zh-hant": "Chinese, traditional",
    "en": "English",
    "ja": "Japanese",
    "ko": "Korean",
    "de": "German",
    "es": "Spanish",
    "fr": "French",
    "it": "Italian",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "tr": "Turkish",
    "vi": "Vietnamese",
}
"""Code -> what it stands for. An engine refuses what it cannot read and names what it can."""
