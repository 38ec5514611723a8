"""Several short lines side by side in one picture: recognisers pad short lines to a least width, and a page of prices and
codes would otherwise be read mostly as padding.

What is read in the shared picture is given back to the lines by where its characters stand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.reading.recogniser import Crop, ReadChar, Reading, reading_of, without_margins

HEIGHT_PX = 48  # of the shared picture: the height recognisers see
CAPACITY = 6.0  # width of the shared picture against its height; recognisers take 6.7 at least, and want some padding
GAP = 0.6  # paper between two lines, in heights
NARROWEST = 0.5  # width against height; what is narrower is no line, and is read alone
MOST = 3  # lines in one picture
SURE = 0.85  # a line read less surely than this in company is read again alone


def read(crops: Sequence[Crop], one: Callable[[Crop], Reading]) -> list[Reading]:
    """Reads every crop with `one`, short ones in company; what is not read surely so is read again alone."""
    out: list[Reading | None] = [None] * len(crops)
    fit = [index for index, crop in enumerate(crops) if crop.size and crop.shape[1] > crop.shape[0] * NARROWEST]
    for group in groups([crops[index] for index in fit]):
        members = [fit[index] for index in group]
        if len(members) < 2:
            continue
        pictures = [crops[index] for index in members]
        shared, places = together(pictures)
        for index, own in zip(members, apart(one(shared), pictures, places), strict=True):
            if own.confidence >= SURE:
                out[index] = own
    return [one(crop) if reading is None else reading for crop, reading in zip(crops, out, strict=True)]


def groups(pictures: Sequence[NDArray[np.uint8]]) -> list[list[int]]:
    """Which lines go into one picture, by index; a line that goes alone is a group of one. First-fit, widest first."""
    aspects = [picture.shape[1] / picture.shape[0] for picture in pictures]
    widths: list[float] = []
    out: list[list[int]] = []
    for index in sorted(range(len(pictures)), key=lambda i: -aspects[i]):
        aspect = aspects[index]
        for place, members in enumerate(out):
            if len(members) < MOST and widths[place] + GAP + aspect <= CAPACITY:
                members.append(index)
                widths[place] += GAP + aspect
                break
        else:
            out.append([index])
            widths.append(aspect)
    return out


def together(pictures: Sequence[NDArray[np.uint8]]) -> tuple[NDArray[np.uint8], list[tuple[int, int]]]:
    """Lines side by side with paper between them, and where each stands: (from x, to x)."""
    parts: list[NDArray[np.uint8]] = []
    places: list[tuple[int, int]] = []
    x = 0
    for picture in pictures:
        high, wide = picture.shape[:2]
        how = cv2.INTER_AREA if high > HEIGHT_PX else cv2.INTER_LINEAR
        part = cv2.resize(picture, (max(1, round(wide * HEIGHT_PX / high)), HEIGHT_PX), interpolation=how)
        if parts:
            edges = np.concatenate([parts[-1][0], parts[-1][-1], part[0], part[-1]])
            paper = np.median(edges, axis=0).astype(np.uint8)
            parts.append(np.broadcast_to(paper, (HEIGHT_PX, round(GAP * HEIGHT_PX), 3)))
            x += parts[-1].shape[1]
        places.append((x, x + part.shape[1]))
        parts.append(part)
        x += part.shape[1]
    return np.ascontiguousarray(np.hstack(parts)), places


def apart(reading: Reading, pictures: Sequence[NDArray[np.uint8]], places: Sequence[tuple[int, int]]) -> list[Reading]:
    """The shared picture's reading as one reading a line, positions in pixels of each line's own picture."""
    half_gap = GAP * HEIGHT_PX / 2
    out = []
    for picture, (left, right) in zip(pictures, places, strict=True):
        zoom = picture.shape[1] / (right - left)
        chars = [
            ReadChar(
                char.text,
                char.confidence,
                float(np.clip((char.x0 - left) * zoom, 0, picture.shape[1])),
                float(np.clip((char.x1 - left) * zoom, 0, picture.shape[1])),
                char.alternatives,
            )
            for char in reading.chars
            if left - half_gap <= (char.x0 + char.x1) / 2 < right + half_gap
        ]
        out.append(reading_of(without_margins(chars), reading.engine))
    return out
