"""Windows over a picture: they cover it all, once, with few shapes."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.reading import tiles


@given(st.integers(1, 5000))
def test_spans_cover_a_length_once(length: int) -> None:
    covered = np.zeros(length, dtype=int)
    for start, side, first, last in tiles.spans(length):
        assert side in tiles.SIDES
        assert start <= first < last <= start + side
        covered[first:last] += 1
    assert (covered == 1).all()


@given(st.integers(641, 5000))
def test_a_seam_has_context_on_both_sides(length: int) -> None:
    spans = tiles.spans(length)
    for (_, _, _, cut), (start, _, first, _) in itertools.pairwise(spans):
        assert first == cut
        assert first - start >= tiles.OVERLAP // 2 - 1


@settings(max_examples=30)
@given(st.integers(1, 3000), st.integers(1, 3000))
def test_tiles_stay_within_the_known_shapes(width: int, height: int) -> None:
    shapes = {(tile.width, tile.height) for tile in tiles.plan(width, height)}
    assert len(shapes) == 1
    assert all(w in tiles.SIDES and h in tiles.SIDES for w, h in shapes)
