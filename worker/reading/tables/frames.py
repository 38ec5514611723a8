"""Frames: level rules of one extent above each other, with rows of a table between them (the three rules of a paper's table, a rule
under every row, the edges of tinted rows)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from worker.reading.order import rows_of
from worker.reading.tables.columns import columns_of, crosses, gutters_of, needed, white
from worker.reading.tables.rules import Rule
from worker.reading.tables.segments import Segment

SAME_END = 1.2  # glyphs between the ends of rules of one table, and
LEAN = 0.03  # of their distance: nothing tells how a photographed table without walls leans
TWICE = 0.7  # glyphs between the two edges of one rule, at most
WIDE = 0.6  # of a frame's width that a lone segment of a table may have
MOST_WAITING = 2  # lone lines between a table and a row that goes on with its columns
BAND = 1.8  # of the height of its lone lines, and a glyph, that a row of a frame may have
NEAR = 2.6  # glyphs of white between two of its rows, at most


def frames(pieces: Sequence[Segment], level: Sequence[Rule], glyph: float) -> list[list[Rule]]:
    """Rules of one extent with rows of text between them."""
    groups: list[list[Rule]] = []
    for rule in sorted(level, key=lambda each: each.at):
        for group in groups:
            slack = SAME_END * glyph + LEAN * (rule.at - group[-1].at)
            if abs(group[-1].start - rule.start) < slack and abs(group[-1].end - rule.end) < slack:
                group.append(rule)
                break
        else:
            groups.append([rule])
    out = []
    for group in groups:
        lines = [group[0]]
        for rule in group[1:]:
            if rule.at - lines[-1].at >= TWICE * glyph:
                lines.append(rule)
        bands = [_band(pieces, above, below, glyph) for above, below in itertools.pairwise(lines)]
        for tabular, run in itertools.groupby(range(len(bands)), key=lambda at: bands[at] > 0):
            places = list(run)
            if tabular and any(bands[at] > 1 for at in places):
                out.append(lines[places[0] : places[-1] + 2])
    return sorted(out, key=lambda frame: all(rule.edge for rule in frame))  # the edges of a sheet on a desk last


def _band(pieces: Sequence[Segment], above: Rule, below: Rule, glyph: float) -> int:
    """What stands between two rules: 2 for rows of a table (segments beside each other, none far wider than the others or running
    out of the frame), 1 for one short lone segment, which may stand between such, else 0."""
    band = [p for p in pieces if above.at < p.middle < below.at and meets(p, above)]
    rows = rows_of(band)
    lone = [row[0] for row in rows if len(row) == 1]
    if not all(within(p, [above], glyph) for p in band) or any(p.right - p.left > WIDE * above.length for p in lone):
        return 0
    if any(len(row) > 1 for row in rows):
        return 2
    high = sum(p.height for p in lone)
    return 1 if lone and below.at - above.at < BAND * high + glyph else 0


def meets(piece: Segment, rule: Rule) -> bool:
    return piece.left < rule.end and piece.right > rule.start


def within(piece: Segment, frame: Sequence[Rule], glyph: float) -> bool:
    return frame[0].start - glyph < piece.left and piece.right < frame[0].end + glyph


def extended(
    inside: Sequence[Segment], others: Sequence[Segment], frame: Sequence[Rule], glyph: float
) -> list[Segment]:
    """What stands between a frame's rules, and the rows next to it that go on with its columns: a heading above the first rule,
    the last row of tinted ones."""
    held = list(inside)
    if not held:
        return held
    for sign in (1, -1):
        rows = [row for row in rows_of(others) if sign * (row[0].middle - held[0].middle) > 0][::sign]
        last: Sequence[Segment] = held
        waiting: list[Segment] = []  # lines of a cell that has more of them than its neighbours
        for row in rows:
            gutters = needed(held, gutters_of(held, glyph))
            if (
                white(last, row) > NEAR * glyph
                or crosses(row, gutters)
                or not all(within(p, frame, glyph) for p in row)
            ):
                break
            if len(columns_of(row, gutters)) > 1:
                held += [*waiting, *row]
                waiting = []
            elif len(row) > 1 or len(waiting) == MOST_WAITING:
                break
            else:
                waiting += row
            last = row
    return held
