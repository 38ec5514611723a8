"""`python -m bench words`: what the words around a doubtful character win, and what they cost.

Every labelled line and page is read twice in this process, with them and without; in turns, so that a slow minute is
shared by both. Writes `bench/results/words.md`.
"""

from __future__ import annotations

import argparse
import math
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2

from bench import machine
from bench.data import even_sample, line_labels, page_labels
from bench.pictures import decode
from bench.readers import MODELS, ROOT
from bench.scoring import LineScore, PageScore, table
from shared.records import ReadOptions
from worker.reading.page import Reader

REPORT = ROOT / "bench" / "results" / "words.md"


@dataclass
class Tally:
    """One way of reading, by source and for `all`."""

    lines: dict[str, LineScore] = field(default_factory=lambda: defaultdict(LineScore))
    pages: dict[str, PageScore] = field(default_factory=lambda: defaultdict(PageScore))
    seconds: float = 0.0


def main(arguments: Sequence[str]) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench words", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--pages", type=int, default=0, help="this many pages, evenly; 0 for all")
    parser.add_argument("--report", type=Path, default=REPORT)
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    readers = [Reader(options.models, options.engine, words=words) for words in (False, True)]
    tallies = [Tally(), Tally()]
    changed = better = worse = 0
    for label in line_labels(options.data):
        image = decode(options.data / label.image)
        texts = []
        for reader, tally in zip(readers, tallies, strict=True):
            began = time.process_time()
            page = reader.read(image, ReadOptions(engine=options.engine, layout="line"))
            tally.seconds += time.process_time() - began
            texts.append(" ".join(line.text for line in page.lines))
            for group in (label.source, "all"):
                tally.lines[group].add(label.text, texts[-1], label.rule)
        changed += texts[0] != texts[1]
        once, then = (LineScore(), LineScore())
        for score, text in zip((once, then), texts, strict=True):
            score.add(label.text, text, label.rule)
        better += then.edits < once.edits
        worse += then.edits > once.edits
    for page_label in even_sample(page_labels(options.data), options.pages):
        image = decode(options.data / page_label.image)
        for reader, tally in zip(readers, tallies, strict=True):
            began = time.process_time()
            page = reader.read(image, ReadOptions(engine=options.engine))
            tally.seconds += time.process_time() - began
            for group in (page_label.source, "all"):
                tally.pages[group].add(page_label.lines, [line.text for line in page.lines], page_label.partial)
    text = report(options.engine, tallies, (changed, better, worse))
    options.report.write_text(text, encoding="utf-8")
    print(text)
    return 0


def report(engine: str, tallies: Sequence[Tally], counts: tuple[int, int, int]) -> str:
    """Both ways side by side."""
    off, on = tallies
    changed, better, worse = counts
    rows = [
        "# Words around doubtful characters",
        "",
        f"`python -m bench words --engine {engine}`. {machine.describe()}.",
        f"{on.lines['all'].lines} lines: {changed} come out differently, {better} of them nearer to the label, {worse} further away. "
        f"Everything together takes {on.seconds / off.seconds:.3f} times the processor time.",
        "",
        table(
            ["lines from", "lines", "exact without", "with", "CER without", "with"],
            [
                [name, on.lines[name].lines, f"{off.lines[name].exact_share:.4f}", f"{on.lines[name].exact_share:.4f}",
                 f"{off.lines[name].cer:.4f}", f"{on.lines[name].cer:.4f}"]
                for name in _order(on.lines)
            ],
        ),
        "",
        table(
            ["pages from", "F1 without", "with", "recall without", "with"],
            [
                [name, *(_figure(way.pages[name].f1) for way in tallies),
                 f"{off.pages[name].recall:.4f}", f"{on.pages[name].recall:.4f}"]
                for name in _order(on.pages)
            ],
        ),
    ]  # fmt: skip
    return "\n".join(rows) + "\n"


def _figure(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.4f}"


def _order(groups: Iterable[str]) -> list[str]:
    return sorted(groups, key=lambda name: (name == "all", name))
