"""What a result says of how it came to be, in English and Chinese.

A page carries its notices in English, as `warnings`; the same in Chinese is found by the sentence, so that nothing that
makes, stores or caches a page need carry both.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Notice:
    """A sentence with names in braces for what differs, in both languages."""

    english: str
    chinese: str

    def said(self, **values: Any) -> str:
        """The English sentence."""
        return self.english.format(**values)

    @functools.cached_property
    def pattern(self) -> re.Pattern[str]:
        """Fits the English sentence with any values, and names them."""
        return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(self.english)), re.DOTALL)


LARGE_IMAGE = Notice(
    "The image was read at {width}x{height} pixels: it is very large.", "图片很大，已按 {width}x{height} 像素识别。"
)
LARGE_PAGE = Notice(
    "The page is very large ({width}x{height} points): it was read at {dpi} dpi.",
    "页面很大（{width}x{height} 点），已按 {dpi} dpi 识别。",
)
OBLONG_PIXELS = Notice(
    "The page's pixels are not square ({across}x{down} dpi): it was stretched.",
    "页面的像素不是正方形（{across}x{down} dpi），已拉伸。",
)
NO_FORM = Notice(
    "no known form fits this document: name one, or write one", "没有适合该文档的表单：请指定一个，或自行编写"
)
NOT_FOUND = Notice("{field} was not found", "未找到 {field}")
UNREAD = Notice("page {page} was not read", "第 {page} 页未能识别")
KNOWN = (LARGE_IMAGE, LARGE_PAGE, OBLONG_PIXELS, NO_FORM, NOT_FOUND, UNREAD)


def chinese(sentence: str) -> str:
    """The same notice in Chinese; a sentence that is none of ours stays as it is."""
    for notice in KNOWN:
        found = notice.pattern.fullmatch(sentence)
        if found is not None:
            return notice.chinese.format(**found.groupdict())
    return sentence
