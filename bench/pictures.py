"""Decoding a picture for the reader: as displayed, BGR, by the same code that a worker uses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from worker.documents import open_document

MAX_PIXELS = 200_000_000  # bench reads whatever it is given


def decode(path: Path) -> NDArray[np.uint8]:
    """The first page of a picture file, BGR, (height, width, 3)."""
    document = open_document(path, path.suffix.lstrip("."), max_pixels=MAX_PIXELS, dpi=200)
    try:
        return document.page(1).image
    finally:
        document.close()
