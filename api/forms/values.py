"""What values look like, and the one form in which they are handed on: amounts as 1386.50, dates as 2026-11-23."""

from __future__ import annotations

import datetime
import re
import unicodedata

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SEP = r"\s?[-/.]\s?"
_DATES = (
    re.compile(rf"(?P<y>\d{{4}})(?:{_SEP}|年\s?)(?P<m>\d{{1,2}})(?:{_SEP}|月\s?)(?P<d>\d{{1,2}})日?(?!\d)"),
    re.compile(r"(?<!\d)(?P<d>\d{1,2})(?:\s|-|/|\.)?(?P<name>[A-Za-z]{3})[a-z]*(?:\s|-|/|\.|,)*(?P<y>\d{4}|\d{2})(?!\d)"),
    re.compile(r"(?P<name>[A-Za-z]{3})[a-z]*\.?\s?(?P<d>\d{1,2})(?:st|nd|rd|th)?,?\s?(?P<y>\d{4})(?!\d)"),
    re.compile(rf"(?<!\d)(?P<a>\d{{1,2}}){_SEP}(?P<b>\d{{1,2}}){_SEP}(?P<y>\d{{4}}|\d{{2}})(?!\d)"),
)  # fmt: skip
PATTERNS = {
    "text": re.compile(r"[^\s:：].*"),
    "amount": re.compile(r"(?<![\d.,])[-−]?\d{1,3}(?:[,. ']\d{3})+(?:[.,]\d{1,2})?(?![\d.,]*\d)|[-−]?\d+(?:[.,]\d{1,2})?(?![\d%])"),
    "code": re.compile(r"(?=[A-Za-z/-]*\d)[A-Za-z0-9](?:[A-Za-z0-9/-]| (?=\d))*"),
}  # fmt: skip
_CENTURY = 2000
_AHEAD = 10  # years: a year of two digits further on is part of some other number


def find(kind: str, text: str, day_first: bool = True, pattern: str = "") -> tuple[int, int, str] | None:
    """The first value of this kind in a text: from, to, and the value in its one form; None where there is none.

    `pattern` is a regular expression to search by instead; of it the first group, if it has one.
    """
    text = _plain(text)
    if pattern:
        match = re.search(pattern, text)
        group = 1 if match is not None and match.re.groups else 0
        if match is None or match[group] is None:
            return None
        start, end = match.span(group)
        inner = find(kind, text[start:end], day_first) if kind in ("amount", "date") else None
        return start, end, inner[2] if inner else text[start:end].strip()
    if kind == "date":
        return _date(text, day_first)
    match = PATTERNS[kind].search(text)
    if match is None:
        return None
    start, end = match.span()
    end = start + len(match[0].rstrip())
    value = match[0].rstrip()
    return start, end, amount(value) if kind == "amount" else value


def _plain(text: str) -> str:
    """Full-width digits and signs as ASCII, place by place, so that positions stay."""
    out = []
    for char in text:
        plain = unicodedata.normalize("NFKC", char)
        out.append(plain if len(plain) == 1 else char)
    return "".join(out)


def amount(text: str) -> str:
    """Digits with a point before the decimals: 1,386.5 and 1.386,50 are 1386.5 and 1386.50."""
    sign = "-" if text[0] in "-−" else ""
    digits = re.sub(r"[^\d.,]", "", text)
    decimals = re.search(r"[.,](\d{1,2})$", digits)
    whole = digits[: decimals.start()] if decimals else digits
    return sign + re.sub(r"\D", "", whole) + (f".{decimals[1]}" if decimals else "")


def _date(text: str, day_first: bool) -> tuple[int, int, str] | None:
    """The date that stands first, as YYYY-MM-DD."""
    found = []
    for pattern in _DATES:
        for match in pattern.finditer(text):
            day = _day(match.groupdict(), day_first)
            if day is not None:
                found.append((match.start(), -match.end(), day.isoformat()))
                break
    if not found:
        return None
    start, end, value = min(found)
    return start, -end, value


def _day(parts: dict[str, str | None], day_first: bool) -> datetime.date | None:
    year = int(parts["y"] or 0)
    if year < 100:
        year += _CENTURY
        if year > datetime.datetime.now(datetime.UTC).year + _AHEAD:
            return None
    if parts.get("name"):
        name = (parts["name"] or "").lower()
        month, day = (MONTHS.index(name) + 1 if name in MONTHS else 0), int(parts["d"] or 0)
    elif parts.get("a"):
        first, second = int(parts["a"] or 0), int(parts["b"] or 0)
        day, month = (first, second) if (day_first and second <= 12) or first > 12 else (second, first)
    else:
        month, day = int(parts["m"] or 0), int(parts["d"] or 0)
    try:
        return datetime.date(year, month, day)
    except ValueError:
        return None
