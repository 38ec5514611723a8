"""A page in grey: what of it is kept must not change what is seen."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from worker.reading import grey
from worker.reading.grey import GreyPage, shrunk


@pytest.mark.parametrize("kept_px", [12_000_000, 400 * 301, 200 * 150, 9_000])
@pytest.mark.parametrize("scale", [1.0, 0.7, 0.5, 0.49, 0.31, 0.25, 0.1, 0.01])
def test_what_is_kept_of_a_page_changes_nothing(monkeypatch: pytest.MonkeyPatch, kept_px: int, scale: float) -> None:
    monkeypatch.setattr(grey, "KEPT_MOST_PX", kept_px)
    page = np.random.default_rng(1).integers(0, 256, (403, 301, 3), np.uint8)
    whole = np.asarray(cv2.cvtColor(page, cv2.COLOR_BGR2GRAY), np.uint8)
    seen = GreyPage(page)
    assert np.array_equal(seen.full(), whole)
    assert np.array_equal(seen.shrunk(scale), shrunk(whole, scale))
