"""`python -m bench geometry`: pages turned by quarters and tilted; recall of each copy against the upright page."""

from __future__ import annotations

import argparse
import contextlib
import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench import machine, readers
from bench.data import even_sample, page_labels
from bench.readers import MODELS
from bench.scoring import PageScore, table

TURNS = (0, 90, 180, 270, -10, 10, -5, 5, 20)  # degrees clockwise


def turned(image: NDArray[np.uint8], degrees: float) -> NDArray[np.uint8]:
    """The picture turned clockwise, on a canvas large enough to hold it all, the corners in the paper's colour."""
    quarters, rest = divmod(round(degrees), 90)
    if rest == 0:
        return np.ascontiguousarray(np.rot90(image, -quarters))
    height, width = image.shape[:2]
    a = math.radians(degrees)
    wide = math.ceil(width * abs(math.cos(a)) + height * abs(math.sin(a)))
    high = math.ceil(width * abs(math.sin(a)) + height * abs(math.cos(a)))
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    matrix[:, 2] += (wide - width) / 2, (high - height) / 2
    paper = np.median(image[:: max(1, height // 50), :: max(1, width // 50)].reshape(-1, 3), axis=0)
    colour = (float(paper[0]), float(paper[1]), float(paper[2]))
    return np.asarray(
        cv2.warpAffine(
            image, matrix, (wide, high), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT, borderValue=colour
        ),
        dtype=np.uint8,
    )


def main(arguments: Sequence[str]) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench geometry", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--pages", type=int, default=40)
    parser.add_argument("--source", default="sroie", help="sources that start with one of these, with commas")
    parser.add_argument("--turns", default=",".join(str(t) for t in TURNS), help="degrees clockwise, with commas")
    parser.add_argument("--core", type=int, default=None)
    parser.add_argument("--report", type=Path, default=None)
    options = parser.parse_args(arguments)
    chosen = tuple(options.source.split(","))
    pages = even_sample([p for p in page_labels(options.data) if p.source.startswith(chosen)], options.pages)
    turns = [float(turn) for turn in options.turns.split(",")]
    scores: dict[float, PageScore] = defaultdict(PageScore)
    right: dict[float, int] = defaultdict(int)
    seconds: dict[float, float] = defaultdict(float)
    with contextlib.ExitStack() as stack:
        reader = stack.enter_context(readers.own(options.models, options.engine, options.core))
        for label in pages:
            for turn in turns:
                answer = reader.read(options.data / label.image, "page", turn=turn)
                scores[turn].add(label.lines, answer["lines"], label.partial)
                right[turn] += answer.get("rotation") == (-round(turn / 90) * 90) % 360
                seconds[turn] += answer.get("read_seconds", 0.0)
    base = scores[turns[0]].recall
    rows = [
        [
            f"{t:g}",
            s.recall,
            f"{100 * (s.recall - base):+.2f}",
            s.f1,
            f"{right[t]} of {s.pages}",
            f"{seconds[t] / s.pages:.3f}",
        ]
        for t, s in scores.items()
    ]
    head = ["turned by, degrees", "recall", "points against the first", "F1", "rotation found", "s a page"]
    report = f"# Geometry\n\n{machine.describe()}. Engine {options.engine}, {len(pages)} pages.\n\n{table(head, rows)}"
    print(report)
    if options.report is not None:
        options.report.write_text(report + "\n", encoding="utf-8")
    return 0
