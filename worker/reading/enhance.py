"""Mending a line before it is read: only what is measured to be wrong with it, and nothing on a good one.

Each mend has a measure and a threshold. The thresholds were set so that hardly any clean line of real documents crosses
them, since a recogniser trained on photographs needs no help with those, and every filter costs strokes. What was tried
and not kept stands in docs/measurements.md.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.reading.levels import percentiles

Picture = NDArray[np.uint8]
Grey = NDArray[np.uint8]

SPECK_SHARE = 0.0075  # specks among all pixels, from which they are salt and pepper; of 951 clean lines 0.001 at most
GRAIN = 0.085  # noise against contrast, from which it hides strokes
COLOUR_GRAIN = 0.035  # the same of noise that differs from channel to channel; on 495 clean lines it was 0.025 at most
UNEVEN = 0.12  # darkest against brightest paper, below which a shadow lies on the line
WORN_EVENNESS = 0.5  # few clean lines lie in so much of a shadow
SOFT = 0.07  # steepest edges, contrast a pixel at 48 px height, below which a line is out of focus
GRAIN_HEIGHT_PX = 20  # in smaller lines strokes and noise look alike
GRAIN_CONTRAST = 40  # grey levels; in fainter lines smoothing takes strokes along with the noise
SOFT_GRAIN = 0.03  # a blurred line has little noise; where there is more, sharpening would only bring it out
WORN_SHARPNESS = (
    0.14  # below this a line is soft enough to lose letters; of 495 clean lines one in twenty is below 0.12
)
SMALL_HEIGHT_PX = 14  # lines no higher were made small by somebody
BLOCKS = 2.4  # grey levels that JPEG's blocks differ by at their edges; two clean lines of a hundred show as much
BLOCK_PX = 8
FAINT_CONTRAST = 100  # grey levels; with more, robust weights see enough
BILEVEL_REST = 0.03  # share of pixels between two levels, below which no filter is tried ...
FAX_REST = 0.004  # ... and below which it is a fax, and not print with much white around it
PLAIN_DAMAGE = 0.05  # confidence that a mended line may lose where what was wrong with it is beyond doubt
PAGE_SAMPLES = 6  # lines measured to decide for a page
PAPER_BLOCKS = 12  # parts of a line whose paper is compared


@dataclass(frozen=True, slots=True)
class Quality:
    """What is measured on a line. `contrast` in grey levels; `specks` their share, see the function; `grain` the
    noise's standard deviation as a share of the contrast, `colour_grain` that of the part which is not the same in all
    channels, as a sensor's is and no ink's; `evenness` darkest to brightest paper, 0 to 1; `sharpness`
    the steepest edges, in contrasts a pixel after scaling the line to 48 px height; `blocks` by how many grey levels the
    picture jumps at every eighth column and row more than elsewhere; `height` in pixels; `between` the share of pixels that
    are neither of two levels, see `between`."""

    contrast: float
    specks: float
    grain: float
    colour_grain: float
    evenness: float
    sharpness: float
    blocks: float
    height: int
    between: float

    @property
    def wear(self) -> str:
        """What is plainly wrong with the line, in one word; "" where nothing is. Whether a filter helps is another question."""
        if self.between < FAX_REST:
            return "fax"
        if self.contrast < GRAIN_CONTRAST:
            return "faint"
        if self.specks > SPECK_SHARE:
            return "salt"
        if self.colour_grain > COLOUR_GRAIN:
            return "grain"
        if self.height <= SMALL_HEIGHT_PX:
            return "small"
        if self.blocks > BLOCKS:
            return "blocks"
        if self.sharpness < WORN_SHARPNESS or self.evenness < WORN_EVENNESS:
            return "soft"
        return "grain" if self.grain > GRAIN and self.height >= GRAIN_HEIGHT_PX else ""


# What a line of a page must have to be read with robust weights. A page that lies askew is soft all over, because its lines
# are turned level, and scans often show JPEG's blocks; both read well.
PLAIN_WEAR = ("fax", "salt", "small")
# Of lines so worn, how much less surely the robust weights may read than others did and still be believed: a letter read out
# of specks or stairs is often read surely.
ROBUST_ALLOWANCE = {
    "fax": 0.05,
    "salt": 0.05,
    "small": 0.05,
    "blocks": 0.05,
    "soft": 0.0,
    "grain": 0.0,
    "faint": -0.02,
    "": 0.0,
}


def measure(picture: Picture) -> Quality:
    """Measures a BGR line, (height, width, 3)."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    soft = cv2.medianBlur(grey, 3) if min(grey.shape) >= 3 else grey
    low, high = percentiles(soft, 2, 98)
    contrast = max(high - low, 1.0)
    return Quality(
        contrast=contrast,
        specks=_share(specks(grey)),
        grain=noise_sigma(grey) / contrast,
        colour_grain=colour_sigma(picture) / contrast,
        evenness=evenness(soft),
        sharpness=sharpness(soft, contrast),
        blocks=blocks(grey),
        height=grey.shape[0],
        between=between(grey),
    )


def mend(picture: Picture, quality: Quality | None = None) -> Picture:
    """The line with what is wrong put right; the very same array where nothing is."""
    q = measure(picture) if quality is None else quality
    if q.contrast < 4 or min(picture.shape[:2]) < 8:
        return picture
    out = picture
    if q.between < BILEVEL_REST:
        return picture  # a recogniser has seen faxes; every filter of this kind costs thin strokes
    if q.specks > SPECK_SHARE:
        out = without_impulses(out)
        q = measure(out)
    if q.evenness < UNEVEN:
        out = flatten(out)
        q = measure(out)
    if q.colour_grain > COLOUR_GRAIN:
        out = without_colour_grain(out)
    elif q.grain > GRAIN and out.shape[0] >= GRAIN_HEIGHT_PX and q.contrast >= GRAIN_CONTRAST:
        out = without_grain(out, q.grain * q.contrast)
    elif q.sharpness < SOFT and q.grain < SOFT_GRAIN:
        out = sharpen(out)
    return out


def allowance(quality: Quality) -> float:
    """How much less surely the mended line may be read and still be believed: nothing, but where its contrast shows plainly
    that it is grain or salt that was taken out. A letter read out of specks is often read surely."""
    plain = quality.specks > SPECK_SHARE or quality.colour_grain > COLOUR_GRAIN
    return PLAIN_DAMAGE if plain and quality.contrast >= GRAIN_CONTRAST else 0.0


def needed(pictures: Sequence[Picture], robust: bool = False) -> bool:
    """Whether the lines of a page are worth mending: a third of some of them, evenly taken, are not left alone, or half of
    them are plainly what `robust` weights are for."""
    some = pictures[:: max(1, len(pictures) // PAGE_SAMPLES)][:PAGE_SAMPLES]
    seen = [measure(one) for one in some]
    mended = sum(mend(one, quality) is not one for one, quality in zip(some, seen, strict=True))
    worn = sum(quality.wear in PLAIN_WEAR for quality in seen) if robust else 0
    return bool(some) and (3 * mended >= len(some) or 2 * worn >= len(some))


def impulses(grey: Grey) -> NDArray[np.bool_]:
    """Pixels that are the extreme of the picture and differ sharply from the median of their surroundings."""
    if min(grey.shape) < 5:
        return np.zeros(grey.shape, dtype=bool)
    low, high = int(grey.min()), int(grey.max())
    around = cv2.medianBlur(grey, 3)
    least = int(0.35 * (high - low))  # a whole level: NumPy compares pixels with those ten times as quickly
    far = cv2.absdiff(grey, around) > least
    return np.asarray(far & ((grey <= low + 6) | (grey >= high - 6)))


def specks(grey: Grey) -> NDArray[np.bool_]:
    """The impulses that none of their eight neighbours goes along with: the thin strokes of small, crisp print are lone
    extremes, too, but they go on."""
    if min(grey.shape) < 5:
        return np.zeros(grey.shape, dtype=bool)
    around = np.ones((3, 3), dtype=np.uint8)
    around[1, 1] = 0
    both = int(grey.min()) + int(grey.max())
    below, above = both // 2, (both + 1) // 2  # the whole levels beside the middle
    dark = (grey < above) & (cv2.erode(grey, around) > below)
    bright = (grey > below) & (cv2.dilate(grey, around) < above)
    return np.asarray(impulses(grey) & (dark | bright))


def between(grey: Grey) -> float:
    """The share of pixels that are neither nearly black nor nearly white, of the line's own levels: hardly any of a fax,
    where every pixel is extreme."""
    low, high = int(grey.min()), int(grey.max())
    band = min(8.0, (high - low) / 16)
    return _share((grey > math.floor(low + band)) & (grey < math.ceil(high - band)))


def _share(where: NDArray[np.bool_]) -> float:
    return int(np.count_nonzero(where)) / where.size


def without_impulses(picture: Picture) -> Picture:
    """Salt and pepper replaced by the median of what is around; every other pixel stays."""
    lone = impulses(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY))
    out = picture.copy()
    out[lone] = cv2.medianBlur(picture, 3)[lone]
    return out


def spread(picture: Picture) -> Picture:
    """The levels of a faint line spread over all of them, every channel alike; the very same array where they are spread enough."""
    low, high = np.percentile(cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), (0, 0), 1.0), (0.5, 99.5))
    if not 1 <= high - low < FAINT_CONTRAST:
        return picture
    room = 0.1 * (high - low)
    wide = (picture.astype(np.float32) - low + room) * (255 / (high - low + 2 * room))
    return np.asarray(np.clip(wide, 0, 255).astype(np.uint8))


def noise_sigma(grey: NDArray[np.uint8] | NDArray[np.float32]) -> float:
    """Standard deviation of the noise, grey levels: the median of a Laplacian's size, which edges hardly move (after
    Immerkaer 1996, with the median for the mean)."""
    if min(grey.shape) < 3:
        return 0.0
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)
    response = cv2.filter2D(grey.astype(np.float32), cv2.CV_32F, kernel)[1:-1, 1:-1]
    (median,) = percentiles(cv2.convertScaleAbs(response), 50)
    if median > 127:  # all above 255 was counted as that
        median = float(np.median(np.abs(response)))
    return median / (0.6745 * 6.0)


def colour_sigma(picture: Picture) -> float:
    """Standard deviation, grey levels, of the noise of one channel that another does not share: red less blue."""
    apart = picture[:, :, 2].astype(np.float32) - picture[:, :, 0]
    return noise_sigma(apart) / 2**0.5


def without_colour_grain(picture: Picture) -> Picture:
    """The mean of the channels, in which such noise averages out, spread over all levels before it is rounded, and then
    `without_grain`."""
    mean = picture.mean(axis=2, dtype=np.float32)
    low, high = np.percentile(cv2.GaussianBlur(mean, (0, 0), 1.0), (0.5, 99.5))
    room = 0.1 * (high - low)
    grey = np.clip((mean - low + room) * (255 / max(1.0, high - low + 2 * room)), 0, 255).round().astype(np.uint8)
    return without_grain(np.repeat(grey[:, :, None], 3, axis=2), noise_sigma(grey))


def without_grain(picture: Picture, sigma: float) -> Picture:
    """Non-local means (Buades et al. 2005) on grey, as strong as the noise is."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    clean = cv2.fastNlMeansDenoising(grey, None, h=float(0.8 * sigma), templateWindowSize=5, searchWindowSize=13)
    return np.repeat(clean[:, :, None], 3, axis=2)


def evenness(grey: Grey) -> float:
    """The darkest paper along the line against the brightest, 0 to 1; 1 for light ink, whose paper is dark anyway. The
    paper of a part of the line is its 80th percentile."""
    height, width = grey.shape
    values = grey.astype(np.float32)
    side = max(3, height // 2 * 2 + 1)
    away = values - cv2.blur(values, (side, side))
    if float((away * away * away).mean()) > 0:
        return 1.0
    count = min(PAPER_BLOCKS, max(1, width // max(height, 4)))
    edges = [at * (width // count) + min(at, width % count) for at in range(count + 1)]
    paper = [_percentile(grey[:, begin:end], 80) for begin, end in itertools.pairwise(edges)]
    return min(paper) / max(*paper, 1.0)


def _percentile(values: NDArray[np.uint8], percent: float) -> float:
    """What `np.percentile` answers, for small pictures in a fifth of its time."""
    flat = values.ravel()
    at = percent / 100 * (flat.size - 1)
    low = int(at)
    near = np.partition(flat, (low, min(low + 1, flat.size - 1)))[low : low + 2].astype(float)
    return float(near[0] + (near[-1] - near[0]) * (at - low))


def flatten(picture: Picture) -> Picture:
    """Divides by the paper's brightness: its local maximum over half a line's height, smoothed."""
    height = picture.shape[0]
    grey = cv2.medianBlur(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), 3)
    side = max(3, height // 2 | 1)
    paper = cv2.morphologyEx(grey, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8)).astype(np.float32)
    paper = np.maximum(cv2.GaussianBlur(paper, (0, 0), height * 0.12), 4.0)
    return np.asarray(np.clip(picture.astype(np.float32) * (235.0 / paper)[:, :, None], 0, 255).astype(np.uint8))


def sharpness(grey: Grey, contrast: float) -> float:
    """The 98th percentile of the horizontal slope, in contrasts a pixel at 48 px height."""
    if min(grey.shape) < 3:
        return 1.0
    slope = cv2.convertScaleAbs(cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=1))  # over two pixels
    (steep,) = percentiles(slope, 98)
    return float(steep / 2 / contrast * grey.shape[0] / 48)


def blocks(grey: Grey) -> float:
    """How much more the picture jumps at one column and row in eight than at the others, in grey levels: what JPEG leaves
    where it was squeezed hard. A jump is what a step is larger by than the steps beside it."""
    found = 0.0
    for values in (grey, cv2.transpose(grey)):
        high, wide = values.shape[0], values.shape[1] - 1
        if wide < 3 * BLOCK_PX:
            continue
        steps = cv2.absdiff(values[:, 1:], values[:, :-1])
        jumps = np.minimum(cv2.subtract(steps[:, 1:-1], cv2.max(steps[:, :-2], steps[:, 2:])), 12)
        sums = np.zeros(-(-wide // BLOCK_PX) * BLOCK_PX)
        sums[1 : wide - 1] = cv2.reduce(jumps, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32F)[0]
        counts = [high * len(range(phase, wide, BLOCK_PX)) for phase in range(BLOCK_PX)]
        phases: list[float] = (sums.reshape(-1, BLOCK_PX).sum(axis=0) / counts).tolist()
        found += max(phases) - (sum(phases) - max(phases)) / (BLOCK_PX - 1)
    return found


def sharpen(picture: Picture) -> Picture:
    """Unsharp masking with a radius of 5 % of the line's height."""
    soft = cv2.GaussianBlur(picture, (0, 0), max(0.6, picture.shape[0] * 0.05))
    return np.asarray(cv2.addWeighted(picture, 2.5, soft, -1.5, 0), dtype=np.uint8)
