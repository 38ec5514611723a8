"""A small picture of a page for a browser that cannot show the document itself."""

from __future__ import annotations

from typing import Any

LONG_SIDE_PX = 1200
HALVE_ABOVE = 1.9  # times LONG_SIDE_PX; an A4 page at 200 dpi is 1.95
QUALITY = 80  # JPEG, 0 to 100: text stays clear


def preview_jpeg(image: Any) -> bytes | None:
    """A BGR page as JPEG bytes, its longer side 1200 pixels at most; None where it cannot be encoded."""
    import cv2

    height, width = image.shape[:2]
    # Halves are means of two by two pixels, ten times as fast as an area that is no whole number of pixels.
    while max(height, width) > HALVE_ABOVE * LONG_SIDE_PX and min(height, width) > 1:
        height, width = height // 2, width // 2
        image = cv2.resize(image[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)
    scale = min(1.0, LONG_SIDE_PX / max(height, width))
    if scale < 1.0:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        image = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
    good, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return bytes(data) if good else None
