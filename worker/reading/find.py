"""Finding the lines of a page: at which scale to look, where to look again, and whether there is only one line."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.reading import geometry, prepare, straighten, tiles
from worker.reading.detect import Box, Detector
from worker.reading.geometry import Floats

LINE_ASPECT = 3.0  # from here on a picture may be the crop of one line
LINE_HEIGHT_PX = 160
ROW_GLYPHS = 2.4  # a row from its highest ascender to its lowest descender against its typical glyph: one line, not two
ROW_FILLS = 0.35  # of the picture's height that the glyphs of a single line take
ROW_SPOTS = 3  # fewer say nothing
ROW_DUST = 0.1  # of the picture's height: smaller spots are dots and dirt
ROW_TALLEST = 2.0  # the highest glyph against the typical one
ROW_STRAYS = 0.02  # of the ink that may lie outside the row: dust, the tips of a neighbour
SMALL_CORE_PX = 4.0  # a core thinner than this was hardly seen: its surroundings are looked at again, closer
MARGINS_SAVE = 0.9  # of the pixels that are looked at, or blank margins are looked at, too
MARGINS_CLOSER = 1.1  # times closer that what is between the margins may be looked at than the whole page
CLOSER_MIN = 1.5  # times closer, or it is not worth a second look
UNSEEN_GLYPH_PX = 5.0  # glyphs smaller than this at the detector's scale escape it
BLOCK_GLYPHS = 4.0  # a box that many times as high as its glyphs is no line of them
BLOCK_LINES = 1.8  # the height of the page's other lines, from which a box may hold several,
BLOCK_ROWS = 3.0  # and that of the glyphs in it; 22 boxes on 170 pages are so
BLOCK_CLOSER = 2.0  # times closer such a box is looked at again; at 1.5 columns of single characters are still one
DIVIDED_LINES = 3  # that are found then, at least,
DIVIDED_SHARE = 0.8  # and of what is found: formulas, signs and drawings fall into pieces of any size
UNSEEN_GROUP = 8  # that many of them near each other are text rather than dust
CLOSER_MAX_PX = 1_200_000  # pixels seen again, at most
CLOSER_MIN_SHARE = 0.08  # of the lines: a few thin boxes are underlines and dirt
REGION_MARGIN = 1.5  # line heights around small lines that are looked at again
MAX_DOUBTFUL = 48  # doubtful boxes that are read, of a page
SCENE_SHARE = 0.45  # of what looks like glyphs stands in no box: bricks, leaves, lattice. Documents have 0.41 at most
SCENE_CLOSER = 1.6  # times closer what is faint in a scene is looked at again; 1.5 to 2 find the same


def whole(image: NDArray[np.uint8]) -> Box:
    """The picture itself as one line."""
    height, width = image.shape[:2]
    return Box(np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32), 1.0, float(height))


def find(detector: Detector, image: NDArray[np.uint8], ink: prepare.Ink) -> list[Box]:
    """Every line of a BGR page, the doubtful ones last. It is seen at the scale that its ink asks for; lines that were
    hardly seen then, and glyphs too small to be seen, are looked at again, closer."""
    height, width = image.shape[:2]
    area, scale = place_to_look(ink, width, height)
    first, faint = _look(detector, image, area, scale)
    boxes, doubtful = apart(first)
    thin = [box for box in boxes if box.core_px < SMALL_CORE_PX]
    areas = [box.quad for box in thin] if len(thin) >= max(3, CLOSER_MIN_SHARE * len(boxes)) else []
    areas += unseen(ink, scale, boxes, width, height)
    budget = CLOSER_MAX_PX
    for left, top, right, bottom in regions(areas, width, height):
        inside = _heights_inside(ink, left, top, right, bottom)
        wanted = prepare.GLYPH_TARGET_PX / prepare.weighted_percentile(inside, 50) if len(inside) else scale * 2
        closer = min(max(wanted, scale * CLOSER_MIN), prepare.MAX_ZOOM)
        cost = tiles.seen_px(round((right - left) * closer), round((bottom - top) * closer))
        if closer < scale * CLOSER_MIN or cost > budget:
            continue
        budget -= cost
        found, more = apart(_inside(detector, image, (left, top, right, bottom), closer))
        boxes = merge(boxes, found, (left, top, right, bottom))
        doubtful = more + doubtful  # what was seen closer comes first
    for block in blocks(ink, boxes):
        closer = min(scale * BLOCK_CLOSER, prepare.MAX_ZOOM)
        (area,) = regions([block], width, height)
        cost = tiles.seen_px(round((area[2] - area[0]) * closer), round((area[3] - area[1]) * closer))
        if closer > scale and cost <= budget:
            budget -= cost
            boxes = divided(boxes, apart(_inside(detector, image, area, closer))[0], block)
    closer = min(scale * SCENE_CLOSER, prepare.MAX_ZOOM)
    for area in regions(faint, width, height) if closer > scale and is_scene(ink, boxes) else []:
        cost = tiles.seen_px(round((area[2] - area[0]) * closer), round((area[3] - area[1]) * closer))
        if cost <= budget:
            budget -= cost
            doubtful += [replace(box, doubtful=True) for box in _inside(detector, image, area, closer)]
    return boxes + uncovered(doubtful, boxes)


def place_to_look(ink: prepare.Ink, width: int, height: int) -> tuple[tuple[int, int, int, int], float]:
    """Left, top, right and bottom of the part of a page that the detector looks at, and at which scale: blank margins are left out
    where that saves it a good part of its time."""
    whole_page = (0, 0, width, height)
    options = [(whole_page, prepare.detector_scale(width, height, ink))]
    if ink.written is not None:
        left, top, right, bottom = ink.written
        area = max(0, int(left)), max(0, int(top)), min(width, math.ceil(right)), min(height, math.ceil(bottom))
        scale = prepare.detector_scale(area[2] - area[0], area[3] - area[1], ink)
        options.append((area, min(scale, MARGINS_CLOSER * options[0][1])))

    def cost(option: tuple[tuple[int, int, int, int], float]) -> int:
        (left, top, right, bottom), scale = option
        return tiles.seen_px(round((right - left) * scale), round((bottom - top) * scale))

    return options[-1] if cost(options[-1]) <= MARGINS_SAVE * cost(options[0]) else options[0]


def is_scene(ink: prepare.Ink, boxes: Sequence[Box]) -> bool:
    """Whether a page is a photograph of more than text: most of what looks like glyphs stands in none of its boxes. Signs
    in it have any size, and the scale that the typical glyph asks for means little."""
    if ink.glyphs < prepare.ENOUGH_GLYPHS:
        return False
    x, y = ink.spots[:, 0] + ink.spots[:, 2] / 2, ink.spots[:, 1] + ink.spots[:, 3] / 2
    mask = np.zeros((int(y.max()) + 1, int(x.max()) + 1), dtype=np.uint8)
    for box in boxes:
        cv2.fillPoly(mask, [np.round(box.quad).astype(np.int32)], 1)
    return bool(np.mean(mask[y.astype(int), x.astype(int)] == 0) >= SCENE_SHARE)


def apart(boxes: Sequence[Box]) -> tuple[list[Box], list[Box]]:
    """The sure boxes and the doubtful ones."""
    return [box for box in boxes if not box.doubtful], [box for box in boxes if box.doubtful]


def uncovered(doubtful: Sequence[Box], boxes: Sequence[Box]) -> list[Box]:
    """Those doubtful boxes that neither a sure one nor an earlier doubtful one covers, `MAX_DOUBTFUL` at most, the
    likeliest."""
    kept: list[Box] = []
    for box in doubtful:
        if not any(covers(other, box) for other in [*boxes, *kept]):
            kept.append(box)
    return sorted(kept, key=lambda box: -box.score)[:MAX_DOUBTFUL]


def unseen(ink: prepare.Ink, scale: float, boxes: Sequence[Box], width: int, height: int) -> list[Floats]:
    """Quads around groups of glyphs that were too small at `scale` and that no box covers."""
    tall = ink.spots[:, 2:].max(axis=1) if ink.glyphs else np.zeros(0)
    tiny = ink.spots[tall * scale < UNSEEN_GLYPH_PX]
    if len(tiny) < UNSEEN_GROUP:
        return []
    cell = max(2.0, float(np.median(tiny[:, 2:].max(axis=1))))  # the mask's pixel: one glyph
    mask = np.zeros((int(height / cell) + 2, int(width / cell) + 2), dtype=np.uint8)
    x = ((tiny[:, 0] + tiny[:, 2] / 2) / cell).astype(int)
    y = ((tiny[:, 1] + tiny[:, 3] / 2) / cell).astype(int)
    mask[y, x] = 1
    for box in boxes:
        if min(geometry.size(box.quad)) > BLOCK_GLYPHS * cell:
            continue  # a whole block of small print, seen as one line
        cv2.fillPoly(mask, [np.round(box.quad / cell).astype(np.int32)], 0)
    grouped = cv2.dilate(mask, np.ones((3, 5), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(grouped, connectivity=8)
    members = np.bincount(labels[mask > 0], minlength=len(stats))
    out = []
    for index in range(1, len(stats)):
        left, top, wide, high = (float(stats[index, i]) * cell for i in range(4))
        if members[index] >= UNSEEN_GROUP and wide > 3 * cell:
            corners = [[left, top], [left + wide, top], [left + wide, top + high], [left, top + high]]
            out.append(np.array(corners, dtype=np.float32))
    return out


def blocks(ink: prepare.Ink, boxes: Sequence[Box]) -> list[Floats]:
    """The quads of boxes that hold several lines: much higher than the page's others and than most of the glyphs in them."""
    heights = [min(geometry.size(box.quad)) for box in boxes]
    typical = float(np.median(heights)) if heights else 0.0
    middles = ink.spots[:, :2] + ink.spots[:, 2:] / 2
    out = []
    for box, height in zip(boxes, heights, strict=True):
        if height < BLOCK_LINES * typical:
            continue
        left, top, right, bottom = geometry.bounds(box.quad)
        near = ((middles >= (left, top)) & (middles <= (right, bottom))).all(axis=1)
        inside = [_within(box.quad, middle) for middle in middles[near]]
        glyphs = ink.spots[near][np.array(inside, dtype=bool), 2:].max(axis=1, initial=0)
        if len(glyphs) >= UNSEEN_GROUP and height >= BLOCK_ROWS * prepare.weighted_percentile(glyphs, 50):
            out.append(box.quad)
    return out


def regions(quads: Iterable[Floats], width: int, height: int) -> list[tuple[int, int, int, int]]:
    """Upright rectangles (left, top, right, bottom) around quads, those that touch made one."""
    areas: list[list[float]] = []
    for quad in quads:
        left, top, right, bottom = geometry.bounds(quad)
        margin = max(8.0, REGION_MARGIN * min(right - left, bottom - top, 40.0))
        new = [left - margin, top - margin, right + margin, bottom + margin]
        apart = []
        for area in areas:
            if new[0] <= area[2] and area[0] <= new[2] and new[1] <= area[3] and area[1] <= new[3]:
                new = [min(new[0], area[0]), min(new[1], area[1]), max(new[2], area[2]), max(new[3], area[3])]
            else:
                apart.append(area)
        areas = [*apart, new]
    return [
        (max(0, int(a[0])), max(0, int(a[1])), min(width, int(a[2]) + 1), min(height, int(a[3]) + 1)) for a in areas
    ]


def merge(coarse: Sequence[Box], fine: Sequence[Box], region: tuple[int, int, int, int]) -> list[Box]:
    """Inside the region fine boxes take the place of the coarse ones they cover, if those were thin or hold several
    lines; other coarse boxes stay."""
    left, top, right, bottom = region
    kept: list[Box] = []
    for box in coarse:
        x, y = box.quad.mean(0)
        rivals = [other for other in fine if covers(other, box)] if left <= x < right and top <= y < bottom else []
        height = min(geometry.size(box.quad))
        lines = sum(min(geometry.size(other.quad)) < 0.6 * height for other in rivals)
        if not rivals or (box.core_px >= SMALL_CORE_PX and lines < 2):
            kept.append(box)
    return kept + [box for box in fine if not any(covers(other, box) for other in kept)]


def divided(boxes: Sequence[Box], fine: Sequence[Box], block: Floats) -> list[Box]:
    """The boxes with those of a closer look in the place of all that lie in a block, where those are lines."""
    inside = [box for box in fine if _within(block, box.quad.mean(0))]
    lines = sum(min(geometry.size(box.quad)) <= 0.5 * min(geometry.size(block)) for box in inside)
    if lines < DIVIDED_LINES or lines < DIVIDED_SHARE * len(inside):
        return list(boxes)
    kept = [box for box in boxes if not _within(block, box.quad.mean(0))]
    return kept + [box for box in inside if not any(covers(other, box) for other in kept)]


def _within(quad: Floats, place: Floats) -> bool:
    x, y = (float(value) for value in place)
    return cv2.pointPolygonTest(quad.reshape(-1, 1, 2).astype(np.float32), (x, y), False) >= 0


def covers(one: Box, other: Box) -> bool:
    """Whether the upright bounds of two boxes share at least half of the smaller."""
    a, b = geometry.bounds(one.quad), geometry.bounds(other.quad)
    shared = max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    return shared > 0.5 * min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))


def is_one_line(image: NDArray[np.uint8], boxes: Sequence[Box]) -> bool:
    """Whether a picture is the tight crop of a single line: flat, and nothing found in it but one row that fills it."""
    height, width = image.shape[:2]
    if width < LINE_ASPECT * height or height > LINE_HEIGHT_PX:
        return False
    if not boxes:
        return True
    middles = [float(box.quad[:, 1].mean()) for box in boxes]
    tallest = max(geometry.bounds(box.quad)[3] - geometry.bounds(box.quad)[1] for box in boxes)
    return max(middles) - min(middles) < 0.3 * tallest and tallest > 0.5 * height


def is_plainly_one_line(image: NDArray[np.uint8]) -> bool:
    """Whether the ink alone shows that a BGR picture is the crop of a single line, so that no detector need look: it is
    flat, and its glyphs stand in one row that fills it."""
    height, width = image.shape[:2]
    if width < LINE_ASPECT * height or height > LINE_HEIGHT_PX:
        return False
    mask = (straighten.ink_map(image) > 0).astype(np.uint8)
    if mask[0].any() or mask[-1].any():
        return False  # a neighbour or the paper's edge reaches in, or the crop is too tight to tell
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    spots = stats[1:][stats[1:, cv2.CC_STAT_HEIGHT] >= ROW_DUST * mask.shape[0]]
    if len(spots) < ROW_SPOTS:
        return False
    tops, heights = spots[:, cv2.CC_STAT_TOP], spots[:, cv2.CC_STAT_HEIGHT]
    typical = prepare.weighted_percentile(heights.astype(np.float64), 50)
    if heights.max() > ROW_TALLEST * typical:
        return False  # a rule, a frame, the edge of the paper: not for the ink to judge
    rows: list[tuple[int, int, int]] = []  # from y, to y, summed height of the glyphs
    for index in np.argsort(tops, kind="stable"):
        top, bottom = int(tops[index]), int(tops[index] + heights[index])
        if rows and top < rows[-1][1]:
            rows[-1] = (rows[-1][0], max(rows[-1][1], bottom), rows[-1][2] + bottom - top)
        else:
            rows.append((top, bottom, bottom - top))
    top, bottom, _ = max(rows, key=lambda row: row[2])
    fills = ROW_FILLS * mask.shape[0] < bottom - top < ROW_GLYPHS * typical
    return fills and int(mask[top:bottom].sum()) >= (1 - ROW_STRAYS) * int(mask.sum())


def _inside(detector: Detector, image: NDArray[np.uint8], area: tuple[int, int, int, int], scale: float) -> list[Box]:
    """The lines of a part of the picture (left, top, right, bottom), seen at `scale` times its size; quads in pixels of
    the whole."""
    left, top, right, bottom = area
    fine = detector.detect(np.ascontiguousarray(image[top:bottom, left:right]), scale)
    return [_moved(box, area, image) for box in fine]


def _look(
    detector: Detector, image: NDArray[np.uint8], area: tuple[int, int, int, int], scale: float
) -> tuple[list[Box], Iterable[Floats]]:
    """The same, and quads around what is fainter than any line there, sought when they are asked for (see `Detector.look`)."""
    left, top, right, bottom = area
    found, faint = detector.look(image[top:bottom, left:right], scale)
    return [_moved(box, area, image) for box in found], (quad + np.array((left, top), np.float32) for quad in faint)


def _moved(box: Box, area: tuple[int, int, int, int], image: NDArray[np.uint8]) -> Box:
    """A box of a part of the picture in pixels of the whole."""
    same, offset = np.ones(2, dtype=np.float32), np.array(area[:2], dtype=np.float32)
    return box.moved(same, offset, (image.shape[1], image.shape[0]))


def _heights_inside(ink: prepare.Ink, left: int, top: int, right: int, bottom: int) -> NDArray[np.float64]:
    x, y = ink.spots[:, 0], ink.spots[:, 1]
    inside = ink.spots[(x >= left) & (x < right) & (y >= top) & (y < bottom)]
    return np.asarray(inside[:, 2:].max(axis=1)) if len(inside) else np.zeros(0)
