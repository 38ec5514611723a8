"""How long a job still takes, estimated from what is ahead of it and the mean service time of a page.

The same formula stands in `lua/_lib.lua`.
"""

from __future__ import annotations

from typing import NamedTuple

FAIR_SHARE = 4
"""Clients and runs take turns: a run ahead gets at most about so many pages in before ours ends its own first ones."""


class Ahead(NamedTuple):
    """Pages of our own that are left; our place in line (0 once running); messages on both queues; interactive runs
    that wait; whether we are bulk and so wait for those too."""

    own: int
    position: int
    sent_interactive: int
    sent_bulk: int
    queued_interactive: int
    bulk: bool


def estimate_ms(ahead: Ahead, page_ms: float, slots: int) -> int:
    """Milliseconds until the last page is read; 0 while no page was ever timed or no worker lives."""
    if not page_ms or not slots:
        return 0
    before = max(0, ahead.position - 1) * min(ahead.own, FAIR_SHARE)
    before += ahead.sent_interactive + (ahead.sent_bulk + ahead.queued_interactive if ahead.bulk else 0)
    if ahead.position == 0:
        before = 0
    return round((before + ahead.own) * page_ms / slots)
