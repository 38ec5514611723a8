"""`python -m bench degrade`: damaged copies of line crops, read with and without preprocessing.

The damages are those of daily life: out of focus, too dark, half in shadow, grainy, squeezed by JPEG, faxed, a thumbnail,
held askew, faded, shaken. Strengths are drawn from a seed, so every run damages alike. The clean crops are the control.
"""

from __future__ import annotations

import argparse
import contextlib
import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench import machine, readers
from bench.data import LineLabel, even_sample, line_labels, other_sample
from bench.readers import MODELS
from bench.scoring import LineScore, table

Image = NDArray[np.uint8]
Random = np.random.Generator
OTHER_SEEDS = 1000  # from here on the damages of other lines are drawn, so that they share none
COLUMN_ASPECT = 1.5  # height against width from which a line's picture shows a column


def line_height(image: Image) -> int:
    """How high the line is, in pixels: of a column, which is written from top to bottom, that is how wide it is."""
    height, width = image.shape[:2]
    return int(width if height > COLUMN_ASPECT * width else height)


def blur(image: Image, random: Random) -> Image:
    """Out of focus: a Gaussian of 4 to 7 % of the line's height."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), line_height(image) * random.uniform(0.04, 0.07)), dtype=np.uint8)


def motion(image: Image, random: Random) -> Image:
    """Shaken: smeared sideways by 12 to 20 % of the line's height."""
    length = max(3, round(line_height(image) * random.uniform(0.12, 0.20)))
    kernel = np.full((1, length), 1.0 / length, dtype=np.float32)
    return np.asarray(cv2.filter2D(image, -1, kernel), dtype=np.uint8)


def dim(image: Image, random: Random) -> Image:
    """Too dark: a tenth of the light, with the sensor's noise."""
    dark = image.astype(np.float32) * random.uniform(0.06, 0.15)
    return _to_bytes(dark + random.normal(0, 1.5, image.shape))


def faded(image: Image, random: Random) -> Image:
    """Washed out: contrast down to 6 to 12 %, around a light grey, with a little noise."""
    pale = (image.astype(np.float32) - 255) * random.uniform(0.06, 0.12) + random.uniform(200, 245)
    return _to_bytes(pale + random.normal(0, 1.2, image.shape))


def shadow(image: Image, random: Random) -> Image:
    """A hard shadow over part of the line and light falling off along it."""
    height, width = image.shape[:2]
    along = np.linspace(1.0, random.uniform(0.25, 0.5), width, dtype=np.float32)
    if random.random() < 0.5:
        along = along[::-1]
    edge = random.uniform(0.3, 0.7) * width
    slope = random.uniform(-1.5, 1.5)
    x = np.arange(width)[None, :] + slope * np.arange(height)[:, None]
    shade = np.where(x > edge, random.uniform(0.2, 0.4), 1.0).astype(np.float32)
    shade = cv2.GaussianBlur(shade, (0, 0), max(1.0, line_height(image) * 0.05))
    return _to_bytes(image.astype(np.float32) * (along[None, :] * shade)[:, :, None])


def noise(image: Image, random: Random) -> Image:
    """Grain: Gaussian noise of 30 to 55 grey levels."""
    return _to_bytes(image.astype(np.float32) + random.normal(0, random.uniform(30, 55), image.shape))


def salt(image: Image, random: Random) -> Image:
    """Salt and pepper on 6 to 14 % of the pixels."""
    hit = random.random(image.shape[:2])
    share = random.uniform(0.03, 0.07)
    out = image.copy()
    out[hit < share] = 0
    out[hit > 1 - share] = 255
    return out


def jpeg(image: Image, random: Random) -> Image:
    """JPEG at quality 4 to 10."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(4, 11))])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)


def fax(image: Image, random: Random) -> Image:
    """Faxed: 18 to 22 px high, black or white by one threshold, with specks."""
    small = lowres(image, random, 18, 22, back=False)
    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    if grey.mean() < 110:
        grey = 255 - grey
    level, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_OTSU)
    bits = np.where(grey > level + random.uniform(-10, 15), 255, 0)
    bits[random.random(bits.shape) < 0.015] = 0
    return np.repeat(bits.astype(np.uint8)[:, :, None], 3, axis=2)


def lowres(image: Image, random: Random, low: int = 10, high: int = 14, back: bool = False) -> Image:
    """A thumbnail: the line 10 to 14 px high."""
    height, width = image.shape[:2]
    scale = int(random.integers(low, high + 1)) / line_height(image)
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8)


def tilt(image: Image, random: Random) -> Image:
    """Held askew by 3 to 7 degrees, cut out with its surroundings filled in the edge's colours; long lines less, so that
    the picture never becomes more than three times as high."""
    height, width = image.shape[:2]
    limit = math.degrees(math.atan2(2.0 * height, max(width, 1)))
    degrees = min(random.uniform(3, 7), limit) * (1 if random.random() < 0.5 else -1)
    high = math.ceil(height + width * abs(math.sin(math.radians(degrees))))
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    matrix[1, 2] += (high - height) / 2
    paper = np.median(np.concatenate([image[0], image[-1]]), axis=0)
    colour = (float(paper[0]), float(paper[1]), float(paper[2]))
    turned = cv2.warpAffine(image, matrix, (width, high), flags=cv2.INTER_CUBIC, borderValue=colour)
    return np.asarray(turned, dtype=np.uint8)


def _to_bytes(values: NDArray[np.floating]) -> Image:
    return np.asarray(np.clip(values, 0, 255).round().astype(np.uint8))


DAMAGES: dict[str, Callable[[Image, Random], Image]] = {
    "blur": blur,
    "motion": motion,
    "dim": dim,
    "faded": faded,
    "shadow": shadow,
    "noise": noise,
    "salt": salt,
    "jpeg": jpeg,
    "fax": fax,
    "lowres": lowres,
    "tilt": tilt,
}


def damaged(image: Image, name: str, seed: int) -> Image:
    """The picture with one damage, drawn from `seed`; `clean` leaves it alone."""
    if name == "clean":
        return image
    return DAMAGES[name](image, np.random.default_rng([seed, sum(name.encode())]))


def main(arguments: Sequence[str]) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench degrade", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--engine", default="ppocrv6")
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--lines", type=int, default=240, help="lines a damage, evenly taken; 0 for all")
    parser.add_argument("--others", type=int, default=240, help="lines that are not among these, the same; 0 for none")
    parser.add_argument("--control", type=int, default=0, help="clean lines, evenly taken; 0 for all")
    parser.add_argument("--damages", default=",".join(DAMAGES))
    parser.add_argument("--core", type=int, default=None)
    parser.add_argument("--report", type=Path, default=None)
    options = parser.parse_args(arguments)
    every = line_labels(options.data)
    names = [name for name in options.damages.split(",") if name]
    seen = even_sample(every, options.lines)
    others = other_sample(every, seen, options.others)
    clean = even_sample(every, options.control)
    parts = [f"# Damaged lines\n\n{machine.describe()}. Engine {options.engine}."]
    with contextlib.ExitStack() as stack:
        reader = stack.enter_context(readers.own(options.models, options.engine, options.core))
        asked = {"clean": _seeded(clean)} | {name: _seeded(seen) for name in names}
        parts.append(_table(reader, options.data, asked))
        if others:
            parts.append(
                "## Other lines\n\nNone of those that the choice between readings and its limits were made on."
            )
            parts.append(_table(reader, options.data, {name: _seeded(others, OTHER_SEEDS) for name in names}))
    report = "\n\n".join(parts)
    print(report)
    if options.report is not None:
        options.report.write_text(report + "\n", encoding="utf-8")
    return 0


def _seeded(labels: Sequence[LineLabel], first: int = 0) -> list[tuple[int, LineLabel]]:
    return list(enumerate(labels, first))


def _table(reader: readers.Reader, data: Path, asked: Mapping[str, Sequence[tuple[int, LineLabel]]]) -> str:
    """Reads the lines asked for, by damage, each with its seed; the table of how well, and at which cost."""
    scores: dict[tuple[str, str], LineScore] = defaultdict(LineScore)
    seconds: dict[tuple[str, str], float] = defaultdict(float)
    for name, labels in asked.items():
        for seed, label in labels:
            for mode in ("off", "auto"):
                answer = reader.read(data / label.image, "line", damage=name, seed=seed, preprocess=mode)
                text = " ".join(answer["lines"])
                for group in (name, *(("all damages",) if name != "clean" else ())):
                    scores[group, mode].add(label.text, text, label.rule)
                    seconds[group, mode] += answer.get("read_seconds", 0.0)
    rows = []
    for name in [*asked, "all damages"]:
        off, auto = scores[name, "off"], scores[name, "auto"]
        cost = 1000 * (seconds[name, "auto"] - seconds[name, "off"]) / max(1, auto.lines)
        gain = f"{100 * (auto.exact_share - off.exact_share):+.2f}"
        rows.append([name, off.lines, off.exact_share, auto.exact_share, gain, off.cer, auto.cer, f"{cost:+.1f}"])
    head = ["damage", "lines", "exact, off", "exact, auto", "points", "CER, off", "CER, auto", "ms a line"]
    return table(head, rows)
