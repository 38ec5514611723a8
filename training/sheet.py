"""Contact sheets of rendered lines, so that a person sees what the recogniser is taught on."""

from __future__ import annotations

import pathlib

import cv2
import numpy as np

from training.render import Renderer


def contact_sheet(renderer: Renderer, path: pathlib.Path, seed: int, rows: int = 40, width_px: int = 1400) -> list[str]:
    """Writes a picture of `rows` rows of rendered lines and returns their labels in reading order."""
    labels: list[str] = []
    sheet = np.full((rows * 38 + 6, width_px, 3), 235, np.uint8)
    y, x = 6, 6
    while y + 32 <= sheet.shape[0]:
        sample = renderer.sample(seed)
        seed += 1
        wide = sample.picture.shape[1]
        if x + wide > width_px - 6 and x > 6:
            y, x = y + 38, 6
            if y + 32 > sheet.shape[0]:
                break
        cut = sample.picture[:, : width_px - 12 - x + 6]
        sheet[y : y + 32, x : x + cut.shape[1]] = cut
        x += wide + 8
        labels.append(sample.text)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), sheet, (cv2.IMWRITE_WEBP_QUALITY, 85))  # heeded where the name ends in .webp
    return labels
