"""`python -m bench tables`: tables of drawn pages, their cells against those that the browser drew; with --peers beside img2table.

A cell is right where its row, its column and what it spans are the table's, and its text is four fifths the same. Each page is read
as it is, turned a little, photographed from the side (shaded, grained, JPEG), and as a poor scan. The rules of `worker/reading/tables`
were made while looking at pages of such looks, but of other seeds; so they compare readers and promise nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import random
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench import machine, peers, table_pages
from bench.readers import MODELS, ROOT, RUNNERS, Reader
from bench.scoring import table

FIRST_SEED = 5000
COPIES = ("as it is", "turned", "photographed", "scanned")
OVERLAP = 0.5  # of two tables' union, from which they are one
ALIKE = 0.8  # of a cell's text

Picture = NDArray[np.uint8]
Cells = dict[tuple[int, int, int, int], str]


def copy(picture: Picture, how: str, seed: int) -> tuple[Picture, NDArray[np.float64]]:
    """A copy of a page and the perspective that points of the page go through, (3, 3)."""
    dice, grain = random.Random(seed), np.random.RandomState(seed)
    height, width = picture.shape[:2]
    if how == "as it is":
        return picture, np.eye(3)
    if how == "turned":
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), dice.choice((-6.0, -3.0, 2.0, 4.5)), 0.75)
        matrix = np.vstack([turn, [0, 0, 1]])
        return _seen(picture, matrix, (width, height), (235, 235, 235)), matrix
    if how == "photographed":
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        inwards = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
        moved = [[60 + dice.uniform(0, 0.06) * width, 60 + dice.uniform(0, 0.06) * height] for _ in range(4)]
        matrix = cv2.getPerspectiveTransform(corners, ((corners + inwards * moved) * 0.85).astype(np.float32))
        seen = _seen(picture, matrix, (round(width * 0.85), round(height * 0.85)), (90, 110, 130))
        shade = np.linspace(1, 0.7, seen.shape[1])[None, :, None] * np.linspace(1, 0.88, seen.shape[0])[:, None, None]
        return _squeezed(seen * shade + grain.normal(0, 3, seen.shape), 60), np.asarray(matrix)
    small = np.diag([0.75, 0.75, 1.0])
    grey = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA)
    grey = cv2.GaussianBlur(grey, (0, 0), 0.7)
    turn = np.vstack(
        [cv2.getRotationMatrix2D((grey.shape[1] / 2, grey.shape[0] / 2), dice.uniform(-0.8, 0.8), 1), [0, 0, 1]]
    )
    leaning = _seen(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), turn, (grey.shape[1], grey.shape[0]), (255, 255, 255))
    noise = grain.normal(-6, 8, leaning.shape[:2])[:, :, None]
    return _squeezed(leaning + noise, 50), turn @ small


def _seen(picture: Picture, matrix: Any, size: tuple[int, int], colour: tuple[int, int, int]) -> Picture:
    return np.asarray(cv2.warpPerspective(picture, matrix, size, borderValue=colour, flags=cv2.INTER_AREA), np.uint8)


def _squeezed(pixels: NDArray[np.float64], quality: int) -> Picture:
    data = cv2.imencode(".jpg", np.clip(pixels, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def through(box: Sequence[float], matrix: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """The upright bounds of a box that went through a perspective."""
    left, top, right, bottom = box
    corners = np.array([[[left, top], [right, top], [right, bottom], [left, bottom]]], np.float64)
    seen = cv2.perspectiveTransform(corners, matrix)[0]
    return float(seen[:, 0].min()), float(seen[:, 1].min()), float(seen[:, 0].max()), float(seen[:, 1].max())


def shared(one: Sequence[float], other: Sequence[float]) -> float:
    """Intersection over union."""
    wide, high = min(one[2], other[2]) - max(one[0], other[0]), min(one[3], other[3]) - max(one[1], other[1])
    if wide <= 0 or high <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return float(wide * high / (sum(areas) - wide * high))


def cells_of(rows: Sequence[Sequence[Any]]) -> Cells:
    """Cells by row, column and spans; texts without spaces."""
    return {(row, column, down, across): "".join(str(text).split()) for row, column, down, across, text in rows}


def score(found: Sequence[dict[str, Any]], true: Sequence[dict[str, Any]], sums: dict[str, Counter[str]]) -> None:
    """Add a page to the sums by look; `false` counts tables that are none."""
    used = set()
    for one in true:
        best = max(range(len(found)), key=lambda at: shared(found[at]["box"], one["box"]), default=None)
        want, count = cells_of(one["cells"]), sums[one["look"]]
        count["tables"] += 1
        count["true"] += len(want)
        if best is None or shared(found[best]["box"], one["box"]) < OVERLAP:
            continue
        used.add(best)
        got = cells_of(found[best]["cells"])
        count["found"] += len(got)
        count["same"] += set(got) == set(want)
        count["placed"] += len(set(got) & set(want))
        count["right"] += sum(
            difflib.SequenceMatcher(None, got[at], want[at], autojunk=False).ratio() >= ALIKE
            for at in got.keys() & want
        )
    sums["false"]["tables"] += len(found) - len(used)


def f1(count: Counter[str], what: str) -> float:
    """Of cells: `placed` as they should be, or `right` in text, too."""
    return 2 * count[what] / max(1, count["true"] + count["found"])


def main(arguments: Sequence[str]) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench tables", description=__doc__)
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--pages", type=int, default=20)
    parser.add_argument("--seed", type=int, default=FIRST_SEED)
    parser.add_argument("--core", type=int, default=None)
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--report", type=Path, default=ROOT / "bench" / "results" / "tables.md")
    options = parser.parse_args(arguments)
    everyone = [
        Reader(
            "ocrfleet auto",
            [sys.executable, "-m", "bench.runners.own_runner", str(options.models), "auto"],
            options.core,
        )
    ]
    if options.peers:
        python = peers.environment("img2table")
        everyone.append(
            Reader("img2table 2.0 + rapidocr", [str(python), str(RUNNERS / "img2table_runner.py")], options.core)
        )
    sums: dict[tuple[str, str], dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    seconds: dict[str, float] = defaultdict(float)
    with tempfile.TemporaryDirectory(prefix="ocrfleet-bench-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        pages = table_pages.drawn(range(options.seed, options.seed + options.pages), folder)
        for reader in everyone:
            stack.enter_context(reader)
        for number, (file, tables) in enumerate(pages):
            picture = np.asarray(cv2.imread(str(file)), np.uint8)
            for how in COPIES:
                pixels, matrix = copy(picture, how, number)
                target = folder / "copy.png"
                cv2.imwrite(str(target), pixels)
                true = [{**one, "box": through(one["box"], matrix)} for one in tables]
                for reader in everyone:
                    answer = reader.read(target, "auto", tables=True)
                    seconds[reader.name] += float(answer["cpu_seconds"])
                    score(answer.get("tables", []), true, sums[reader.name, how])
    report = render([reader.name for reader in everyone], options.pages, sums, seconds)
    options.report.write_text(report, encoding="utf-8")
    print(report)
    return 0


def render(
    names: Sequence[str],
    pages: int,
    sums: dict[tuple[str, str], dict[str, Counter[str]]],
    seconds: dict[str, float],
) -> str:
    """The report in Markdown."""
    rows = []
    for how in COPIES:
        for name in names:
            looks = sums[name, how]
            total = sum((looks[look] for look in table_pages.LOOKS), Counter())
            exact = f"{total['same']} of {total['tables']}"
            rows.append(
                (how, name, exact, looks["false"]["tables"], f"{f1(total, 'placed'):.3f}", f"{f1(total, 'right'):.3f}")
            )
    first = [
        (look, *(f"{sums[name, COPIES[0]][look]['same']} of {sums[name, COPIES[0]][look]['tables']}" for name in names))
        for look in table_pages.LOOKS
    ]
    return "\n".join(
        [
            "# Tables",
            "",
            f"Written by `python -m bench tables{' --peers' if len(names) > 1 else ''}` on {datetime.now(UTC):%Y-%m-%d}. {machine.describe()}.",
            "",
            f"{pages} drawn pages, Chinese and English, and three poor copies of each. A table is the same where all of its cells are; cells by F1.",
            "",
            table(
                ["copy", "reader", "tables the same", "tables that are none", "cells in place", "and their text right"],
                rows,
            ),
            "",
            "As they are, tables that are the same, by look:",
            "",
            table(["look", *names], first),
            "",
            "Processor seconds a page: "
            + ", ".join(f"{name} {seconds[name] / (pages * len(COPIES)):.2f}" for name in names)
            + ".",
            "",
        ]
    )
