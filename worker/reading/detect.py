"""Where the text is: a differentiable-binarization detector (DBNet, Liao et al. 2020) and its boxes.

The network says for each pixel how surely it lies in the shrunk core of a line. Cores are cut out at a threshold,
wrapped in the smallest rectangle, and grown back by the offset area * ratio / perimeter (Vatti clipping; for a
rectangle that is just longer sides). Detectors have no memory between pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.reading import curved, geometry, models, tiles
from worker.reading.geometry import Floats
from worker.reading.memory import trim
from worker.reading.models import ModelError
from worker.reading.runtime import Session

CORE_THRESHOLD = 0.3  # probability from which a pixel belongs to a core
BOX_THRESHOLD = 0.5  # mean probability inside a core from which it is text
UNCLIP = 1.6  # offset = area * UNCLIP / perimeter of the core
MIN_CORE_PX = 3  # shorter side of a core, in detector pixels
DOUBTFUL_THRESHOLD = 0.35  # a core from here on may be text; what is read there says whether it is
FAINT_THRESHOLD = 0.1  # probability from which something may be text that is too small to be seen at this scale
MIN_FAINT_PX = 12  # pixels of such a place
EDGE_PX = 8  # so close to a window's edge nothing that only this window saw is believed
MAX_BOXES = 3000
STRIP_PX = 64  # rows that are smoothed at a time to see whether there is ink; a multiple of 4
BLANK_SPREAD = 12  # grey levels: a tile whose brightest and darkest smoothed pixels differ by less holds no ink


@dataclass(frozen=True, slots=True)
class Box:
    """One line found: its quad (4, 2) in pixels of the picture given, the mean probability of its core, and the core's
    shorter side in detector pixels (small: the detector saw too little). `spine` where the line bends. A `doubtful` one
    is a line only if it can be read."""

    quad: Floats
    score: float
    core_px: float
    spine: curved.Spine | None = None
    doubtful: bool = False

    def moved(self, zoom: Floats, offset: Floats, size: tuple[int, int]) -> Box:
        """The box in pixels of another picture of (width, height): times `zoom` (2,), plus `offset` (2,)."""
        spine = None if self.spine is None else self.spine.scaled(zoom).moved(offset)
        return replace(self, quad=geometry.clip(self.quad * zoom + offset, *size), spine=spine)


class Detector:
    """A warm detector. `mean` and `std` are those of its training, for pixels scaled to 0..1, in BGR order."""

    def __init__(
        self,
        model: Path | bytes,
        mean: tuple[float, float, float] = (0.5, 0.5, 0.5),
        std: tuple[float, float, float] = (0.5, 0.5, 0.5),
        precision: str = "auto",
    ) -> None:
        self._session = Session(model, precision=precision, edit=_without_sigmoid)
        # (pixel / 255 - mean) / std as one multiply and one add
        gain = 1.0 / (255.0 * np.asarray(std, dtype=np.float32))
        self._gain: NDArray[np.float32] = gain.astype(np.float32)
        bias = -np.asarray(mean, dtype=np.float32) / np.asarray(std, dtype=np.float32)
        self._bias: NDArray[np.float32] = bias.astype(np.float32)

    @classmethod
    def load(cls, folder: Path, name: str = "ppocrv6_det", precision: str = "auto") -> Detector:
        """The detector called `name` in the registry, from the models folder."""
        return cls(models.path(folder, name), precision=precision)

    def probability(self, image: NDArray[np.uint8], windows: Iterable[tiles.Tile] | None = None) -> Floats:
        """The probability map of a BGR picture, (height, width), 0 where the windows do not reach."""
        return self._maps(image, windows)[0]

    def _maps(
        self, image: NDArray[np.uint8], windows: Iterable[tiles.Tile] | None = None
    ) -> tuple[Floats, NDArray[np.uint8]]:
        """The probability map, and the most that any window sees at a pixel, in 255ths: where windows overlap, a glyph
        that the one next to its edge misses may be plain to the other."""
        height, width = image.shape[:2]
        out = np.zeros((height, width), dtype=np.float32)
        most = np.zeros((height, width), dtype=np.uint8)
        for tile in tiles.plan(width, height) if windows is None else windows:
            part = image[tile.y : tile.y + tile.height, tile.x : tile.x + tile.width]
            if is_blank(part):
                continue
            high, wide = part.shape[:2]
            if (high, wide) != (tile.height, tile.width):
                part = cv2.copyMakeBorder(
                    part, 0, tile.height - high, 0, tile.width - wide, cv2.BORDER_CONSTANT, value=_border_colour(part)
                )
            core = _sigmoid(self._session(self._input(part))[0][0, 0])
            out[tile.top : tile.bottom, tile.left : tile.right] = core[
                tile.top - tile.y : tile.bottom - tile.y, tile.left - tile.x : tile.right - tile.x
            ]
            left, top, right, bottom = tile.trusted(EDGE_PX, wide, high)
            seen = cv2.convertScaleAbs(core[top - tile.y : bottom - tile.y, left - tile.x : right - tile.x], alpha=255)
            np.maximum(most[top:bottom, left:right], seen, out=most[top:bottom, left:right])
        return out, most

    def _input(self, part: NDArray[np.uint8]) -> Floats:
        """A window as the network takes it, (1, 3, height, width). Channel by channel: to convert and part them at once takes
        ten times as long."""
        x = np.empty((1, 3, *part.shape[:2]), dtype=np.float32)
        for channel, out, gain, bias in zip(cv2.split(part), x[0], self._gain, self._bias, strict=True):
            np.multiply(channel, gain, out=out)
            out += bias
        return x

    def detect(self, image: NDArray[np.uint8], scale: float = 1.0) -> list[Box]:
        """Lines of a BGR picture, looked at `scale` times its size, the doubtful ones last; quads in pixels of the
        picture given."""
        return self.look(image, scale)[0]

    def look(self, image: NDArray[np.uint8], scale: float = 1.0) -> tuple[list[Box], Iterable[Floats]]:
        """Its lines as `detect` finds them, and upright quads around what is outside of them and fainter than any line:
        a closer look may find text there. Those are sought when they are asked for, once: most pages never are."""
        height, width = image.shape[:2]
        if scale != 1.0:
            goal = (max(1, round(width * scale)), max(1, round(height * scale)))
            seen = cv2.resize(image, goal, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        else:
            seen = image
        probability, most = self._maps(seen)
        sure = boxes_of(probability)
        zoom = np.array([width / seen.shape[1], height / seen.shape[0]], dtype=np.float32)
        nowhere = np.zeros(2, dtype=np.float32)
        doubtful = doubtful_boxes(most, sure)
        faint = (quad * zoom for quad in faint_places(most, doubtful))
        return [box.moved(zoom, nowhere, (width, height)) for box in [*sure, *doubtful]], faint

    def release(self) -> None:
        """Give back the memory of the last shapes: the detector's working space is the largest of a process, and it
        sleeps while lines are read. Costs some milliseconds at the next page."""
        self._session.release()
        trim()


def doubtful_boxes(most: NDArray[np.uint8], sure: Iterable[Box]) -> list[Box]:
    """What stands outside the sure boxes and may be text: faint cores, and those that one of two windows missed. Blots
    the sure boxes out of the map that it is given (probability in 255ths)."""
    for box in sure:
        cv2.fillPoly(most, [np.round(box.quad).astype(np.int32)], 0)
    return [replace(box, doubtful=True) for box in boxes_of(most, DOUBTFUL_THRESHOLD, 255.0)]


def faint_places(most: NDArray[np.uint8], boxes: Iterable[Box]) -> Iterator[Floats]:
    """Upright quads around what is likelier than `FAINT_THRESHOLD` in the map (probability in 255ths) and in none of the
    boxes, which are blotted out; nothing is done before the first is asked for."""
    for box in boxes:
        cv2.fillPoly(most, [np.round(box.quad).astype(np.int32)], 0)
    _, _, stats, _ = cv2.connectedComponentsWithStats((most > FAINT_THRESHOLD * 255).view(np.uint8))
    for x, y, wide, high, _ in stats[1:][stats[1:, cv2.CC_STAT_AREA] >= MIN_FAINT_PX].tolist():
        yield np.array([[x, y], [x + wide, y], [x + wide, y + high], [x, y + high]], dtype=np.float32)


def boxes_of(probability: NDArray[Any], threshold: float = BOX_THRESHOLD, one: float = 1.0) -> list[Box]:
    """Cuts the cores out of a probability map whose certainty is `one`, those of at least `threshold`; quads in pixels of
    the map, grown to the whole line."""
    mask = (probability > CORE_THRESHOLD * one).view(np.uint8)
    mask = cv2.dilate(mask, np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for contour in contours[:MAX_BOXES]:
        if len(contour) < 4:
            continue
        centre, (w, h), turn = cv2.minAreaRect(contour)
        if min(w, h) < MIN_CORE_PX:
            continue
        score = _core_score(probability, contour) / one
        if score < threshold:
            continue
        w, h, turn = geometry.upright(w, h, turn)
        offset = w * h * UNCLIP / (2 * (w + h))
        quad = geometry.quad_of_rect(centre, w + 2 * offset, h + 2 * offset, turn)
        spine = curved.spine_of(contour, geometry.quad_of_rect(centre, w, h, turn), w, h, offset)
        if spine is not None:  # the line is as high as its core is thick, not as its rectangle
            thick = 2 * (spine.half - offset)
            spine = curved.Spine(spine.points, thick / 2 + w * thick * UNCLIP / (2 * (w + thick)))
        found.append(Box(quad, score, min(w, h), spine))
    return found


def _without_sigmoid(graph: Any) -> Any:
    """The graph up to its logits: the runtime takes 2.3 ms for the sigmoid of a window of 480 x 480, OpenCV 0.3."""
    from openvino import Model

    last = graph.get_results()[0].input_value(0).get_node()
    if last.get_type_name() != "Sigmoid":
        raise ModelError(reason=f"The detector ends in {last.get_type_name()}, not in a sigmoid.")
    return Model([last.input_value(0)], graph.get_parameters(), "logits")


def _sigmoid(logits: Floats) -> Floats:
    out: Floats = cv2.exp(-logits)
    out += 1
    return np.divide(np.float32(1), out, out=out)


def is_blank(part: NDArray[np.uint8]) -> bool:
    """Whether a window holds nothing but paper: the spread of its smoothed brightness is within noise."""
    height, width = part.shape[:2]
    # Strip by strip, where that gives the same: the first one mostly shows that there is ink.
    step = STRIP_PX if height % 4 == 0 and width % 4 == 0 else height
    low, high = 255, 0
    for top in range(0, height, step):
        strip = part[top : top + step]
        small = cv2.resize(strip, (max(1, width // 4), max(1, strip.shape[0] // 4)), interpolation=cv2.INTER_AREA)
        low, high = min(low, int(small.min())), max(high, int(small.max()))
        if high - low >= BLANK_SPREAD:
            return False
    return True


def _core_score(probability: NDArray[Any], contour: NDArray[np.int32]) -> float:
    x, y, w, h = cv2.boundingRect(contour)
    inside = np.zeros((h, w), dtype=np.uint8)
    cv2.fillPoly(inside, [contour - (x, y)], 1)
    return float(cv2.mean(probability[y : y + h, x : x + w], inside)[0])


def _border_colour(part: NDArray[np.uint8]) -> tuple[float, float, float]:
    """The paper's colour: the median of the edge rows, so that padding brings no new edge."""
    b, g, r = np.median(np.concatenate([part[-1], part[0], part[:, 0], part[:, -1]]), axis=0)
    return float(b), float(g), float(r)
