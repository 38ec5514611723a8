"""A page written directly is the page written through dictionaries."""

from __future__ import annotations

import json
import zlib

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.packing import packed
from shared.records import Cell, Char, Line, Page, Quad, Table, pack_page

NUMBERS = st.floats(-50, 20_000, allow_nan=False, width=32)
SHARES = st.floats(0, 1, allow_nan=False)
TEXTS = st.text(max_size=5) | st.sampled_from(['"', "\\", '"lines":[]', '"chars":[]', "\n", "\u2028", "中"])


@st.composite
def quads(draw: st.DrawFn) -> Quad:
    corners = [(draw(NUMBERS), draw(NUMBERS)) for _ in range(4)]
    return corners[0], corners[1], corners[2], corners[3]


CHARS = st.builds(Char, TEXTS, SHARES, st.none() | quads(), st.lists(st.tuples(TEXTS, SHARES), max_size=2).map(tuple))
LINES = st.builds(Line, TEXTS, SHARES, quads(), st.just("crnn"), st.lists(CHARS, max_size=3).map(tuple), st.booleans())
SPANS = st.tuples(st.integers(0, 9), st.integers(0, 9))
CELLS = st.builds(
    Cell,
    st.just(0),
    st.just(1),
    st.just(1),
    st.just(2),
    TEXTS,
    quads(),
    st.lists(st.integers(0, 9), max_size=2).map(tuple),
)
TABLES = st.builds(Table, st.just(1), st.just(3), st.lists(CELLS, max_size=2).map(tuple), quads(), SPANS)
PAGES = st.builds(
    Page,
    st.just(640),
    st.just(480),
    st.lists(LINES, max_size=3).map(tuple),
    TEXTS,
    models=st.dictionaries(TEXTS, TEXTS, max_size=2),
    timing_ms=st.dictionaries(TEXTS, NUMBERS, max_size=2),
    warnings=st.lists(TEXTS, max_size=2).map(tuple),
    tables=st.lists(TABLES, max_size=2).map(tuple),
)


@settings(max_examples=100, deadline=None)
@given(PAGES, st.integers(1, 2000))
def test_it_says_the_same(page: Page, number: int) -> None:
    expected = json.loads(zlib.decompress(pack_page(page.to_json(number))))
    assert json.loads(zlib.decompress(packed(page, number))) == expected
