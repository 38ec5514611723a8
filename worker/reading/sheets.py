"""Several sheets in one picture, each lying at an angle of its own: three receipts on a desk, a card across a letter.

Lines of one sheet run one way. Where a picture's lines run two ways and more, and those of each way stand together and apart
from the others, each sheet is read by itself; a page seen in perspective, whose lines fan out, is one sheet, and so is one with a
stamp or a note across it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.reading import geometry, order
from worker.reading.geometry import Floats

LONG_ASPECT = 3.0  # width against height of a line whose angle is known well
APART_DEG = 3.5  # between the angles of two sheets; the lines of a fan or a crumpled receipt follow each other closer
FEWEST = 3  # long lines of a sheet
OVERLAP = 0.1  # of the smaller sheet's area that may lie in the other's


def parted(quads: Sequence[Floats]) -> list[list[int]]:
    """The lines of each sheet, by index, sheets in reading order; all in one list where there is one sheet."""
    whole = [list(range(len(quads)))]
    groups = _by_angle(quads)
    hulls = [_hull(quads, group) for group in groups]
    if len(groups) < 2 or _overlap(hulls):
        return whole
    sheets = [list(group) for group in groups]
    for index in sorted(set(whole[0]).difference(*groups)):
        x, y = (float(value) for value in quads[index].mean(axis=0))
        sheets[max(range(len(hulls)), key=lambda at: cv2.pointPolygonTest(hulls[at], (x, y), True))].append(index)
    bounds = [geometry.bounds(hull.reshape(-1, 2)) for hull in hulls]
    placed = [order.Placed(at, left, top, right, bottom) for at, (left, top, right, bottom) in enumerate(bounds)]
    return [sorted(sheets[each.index]) for row in order.rows_of(placed) for each in row]


def _by_angle(quads: Sequence[Floats]) -> list[list[int]]:
    """The long lines by the way they run, where enough run so."""
    long = [index for index, quad in enumerate(quads) if _is_long(quad)]
    if len(long) < 2 * FEWEST:
        return []
    main = order.tilt([quads[index] for index in long])
    turned = {index: (geometry.angle(quads[index]) - main + 180) % 360 - 180 for index in long}
    ordered = sorted(long, key=lambda index: turned[index])
    groups = [[ordered[0]]]
    for before, index in itertools.pairwise(ordered):
        if turned[index] - turned[before] > APART_DEG:
            groups.append([])
        groups[-1].append(index)
    if len(groups) > 1 and turned[ordered[0]] + 360 - turned[ordered[-1]] <= APART_DEG:  # upside down
        groups[0] += groups.pop()
    return [group for group in groups if len(group) >= FEWEST]


def _is_long(quad: Floats) -> bool:
    width, height = geometry.size(quad)
    return width >= LONG_ASPECT * height


def _hull(quads: Sequence[Floats], group: Sequence[int]) -> NDArray[np.float32]:
    return np.asarray(cv2.convexHull(np.concatenate([quads[index] for index in group])), dtype=np.float32)


def _overlap(hulls: Sequence[NDArray[np.float32]]) -> bool:
    """Whether two lie across each other."""
    return any(
        cv2.intersectConvexConvex(one, other)[0] > OVERLAP * min(cv2.contourArea(one), cv2.contourArea(other))
        for one, other in itertools.combinations(hulls, 2)
    )
