"""`python -m bench reading`: reads a folder of labelled lines and pages, writes predictions and scores them."""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import machine, peers, readers
from bench.data import LineLabel, PageLabel, even_sample, line_labels, page_labels
from bench.readers import MODELS, Reader
from bench.scoring import LineScore, PageScore, by_source, table

WARM_UP = 2  # pictures read before the clock counts


@dataclass(slots=True)
class Run:
    """What one reader did."""

    reader: Reader
    lines: dict[str, LineScore] = field(default_factory=lambda: defaultdict(LineScore))
    pages: dict[str, PageScore] = field(default_factory=lambda: defaultdict(PageScore))
    line_cpu_s: list[float] = field(default_factory=list)
    page_cpu_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    page_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    rss_mb: float = 0.0
    peak_mb: float = 0.0
    errors: int = 0
    predictions: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def take(self, answer: dict[str, Any]) -> None:
        """Note memory and failures."""
        self.rss_mb = answer["rss_mb"]
        self.peak_mb = max(self.peak_mb, answer["peak_mb"])
        self.errors += "error" in answer


def main(arguments: Sequence[str]) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench reading", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with lines.tsv and pages.jsonl")
    parser.add_argument(
        "--engine",
        default="",
        help="auto, crnn, ppocrv6, modelscope; several with commas (auto; with --peers the first three)",
    )
    parser.add_argument("--preprocess", default="auto", choices=("auto", "off"))
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--out", type=Path, default=None, help="folder for predictions (lines.jsonl, pages.jsonl)")
    parser.add_argument("--pages", type=int, default=0, help="this many pages only, evenly taken; -1 for none")
    parser.add_argument("--lines", type=int, default=0, help="this many lines only, evenly taken; -1 for none")
    parser.add_argument("--source", default="", help="only sources that start with one of these, with commas")
    parser.add_argument("--core", type=int, default=None, help="hold every reader to this core")
    parser.add_argument("--peers", action="store_true", help="other readers too, in turns on the same core")
    parser.add_argument("--report", type=Path, default=None, help="write the tables here (--peers: results/reading.md)")
    options = parser.parse_args(arguments)

    chosen = tuple(name for name in options.source.split(",") if name)
    pages = [p for p in page_labels(options.data) if not chosen or p.source.startswith(chosen)]
    lines = [row for row in line_labels(options.data) if not chosen or row.source.startswith(chosen)]
    pages = [] if options.pages < 0 else even_sample(pages, options.pages)
    lines = [] if options.lines < 0 else even_sample(lines, options.lines)
    engines = options.engine or ("auto,crnn,ppocrv6" if options.peers else "auto")
    own = [readers.own(options.models, name, options.core, options.preprocess) for name in engines.split(",")]
    everyone = own + (peers.all_peers(options.core) if options.peers else [])
    with contextlib.ExitStack() as stack:
        runs = [Run(stack.enter_context(reader)) for reader in everyone]
        read_pages(runs, options.data, pages)
        read_lines(runs, options.data, lines)
    report = render(runs, pages, lines, options.core)
    print(report)
    if options.out is not None:
        for run in runs:
            write_predictions(run, options.out / run.reader.name.replace(" ", "-") if len(runs) > 1 else options.out)
    goal = options.report or (Path(__file__).parent / "results" / "reading.md" if options.peers else None)
    if goal is not None:
        goal.parent.mkdir(parents=True, exist_ok=True)
        goal.write_text(report + "\n", encoding="utf-8")
    return 0


def read_pages(runs: Sequence[Run], folder: Path, labels: Sequence[PageLabel]) -> None:
    """Every page through every reader in turns."""
    for label in labels[:WARM_UP]:
        for run in runs:
            run.reader.read(folder / label.image, "page")
    for label in labels:
        for run in runs:
            answer = run.reader.read(folder / label.image, "page")
            run.take(answer)
            for group in (label.source, "all"):
                run.page_s[group].append(answer["seconds"])
                run.page_cpu_s[group].append(answer["cpu_seconds"])
            run.predictions["pages"].append({"image": label.image, "lines": answer["lines"]})
            for group in (label.source, "all"):
                run.pages[group].add(label.lines, answer["lines"], label.partial)


def read_lines(runs: Sequence[Run], folder: Path, labels: Sequence[LineLabel]) -> None:
    """Every line crop through every reader in turns."""
    for label in labels:
        for run in runs:
            answer = run.reader.read(folder / label.image, "line")
            run.take(answer)
            run.line_cpu_s.append(answer["cpu_seconds"])
            text = " ".join(answer["lines"])
            run.predictions["lines"].append({"image": label.image, "text": text})
            for group in (label.source, "all"):
                run.lines[group].add(label.text, text, label.rule)


def render(runs: Sequence[Run], pages: Sequence[PageLabel], lines: Sequence[LineLabel], core: int | None) -> str:
    """The tables as Markdown."""
    held = "not held to a core" if core is None else f"all held to core {core}, one thread, asked in turns"
    out = [
        "# Reading",
        "",
        f"{machine.describe()}. {datetime.now(UTC):%Y-%m-%d}. Readers {held}. Seconds include decoding the file.",
        "Shares are of processor seconds, which a machine with other work changes less than seconds on the clock.",
        "",
    ]
    if pages:
        first = statistics.mean(runs[0].page_cpu_s["all"])
        rows: list[list[object]] = [
            [
                run.reader.name,
                run.pages["all"].f1,
                run.pages["all"].recall,
                f"{(mean := statistics.mean(run.page_cpu_s['all'])):.3f}",
                f"{statistics.median(run.page_cpu_s['all']):.3f}",
                f"{statistics.mean(run.page_s['all']):.3f}",
                f"{first / mean:.2f}",
                f"{run.reader.loaded_mb:.0f} / {run.rss_mb:.0f} / {run.peak_mb:.0f}",
                run.errors,
            ]
            for run in runs
        ]
        head = [
            "reader",
            "F1",
            "recall",
            "CPU s a page, mean",
            "median",
            "s on the clock",
            "first reader's time as a share",
            "MB loaded / end / peak",
            "failed",
        ]
        out += [f"## {len(pages)} pages", "", table(head, rows), ""]
        for title, value in (("F1 of completely labelled pages", "f1"), ("Recall", "recall")):
            groups = by_source(runs[0].pages)
            table_rows = [
                [group, runs[0].pages[group].pages, *(float(getattr(run.pages[group], value)) for run in runs)]
                for group in groups
            ]
            out += [f"### {title}", "", table(["source", "pages", *(r.reader.name for r in runs)], table_rows), ""]
        if unspaced := without_spaces(runs, pages):
            out += ["### Recall with spaces left out, of sources whose labels have none", ""]
            out += [table(["source", *(r.reader.name for r in runs)], unspaced), ""]
        table_rows = [
            [group, *(f"{statistics.mean(run.page_cpu_s[group]):.3f}" for run in runs)]
            for group in by_source(runs[0].pages)
        ]
        out += ["### CPU seconds a page", "", table(["source", *(r.reader.name for r in runs)], table_rows), ""]
    if lines:
        rows = [
            [
                run.reader.name,
                run.lines["all"].exact_share,
                run.lines["all"].cer,
                run.lines["all"].lost,
                f"{1000 * statistics.mean(run.line_cpu_s):.1f}",
            ]
            for run in runs
        ]
        out += [f"## {len(lines)} lines", "", table(["reader", "exact", "CER", "lost", "CPU ms a line"], rows), ""]
        table_rows = [
            [
                group,
                runs[0].lines[group].lines,
                *(f"{run.lines[group].exact_share:.3f} / {run.lines[group].cer:.3f}" for run in runs),
            ]
            for group in by_source(runs[0].lines)
        ]
        out += ["### Exact / CER", "", table(["source", "lines", *(r.reader.name for r in runs)], table_rows), ""]
    return "\n".join(out).rstrip()


def without_spaces(runs: Sequence[Run], pages: Sequence[PageLabel]) -> list[list[object]]:
    """Recall by source where labels run Latin words together: who reads the spaces between them right is marked down
    for it, so here every reader's are left out, too."""
    texts: dict[str, str] = defaultdict(str)
    for page in pages:
        texts[page.source] += "".join(page.lines)
    rows: list[list[object]] = []
    for source, text in texts.items():
        if " " in text or not re.search("[A-Za-z]{12}", text):
            continue
        row: list[object] = [source]
        for run in runs:
            score = PageScore()
            for page, read in zip(pages, run.predictions["pages"], strict=True):
                if page.source == source:
                    score.add(page.lines, [line.replace(" ", "") for line in read["lines"]], page.partial)
            row.append(score.recall)
        rows.append(row)
    return rows


def write_predictions(run: Run, folder: Path) -> None:
    """`lines.jsonl` and `pages.jsonl`, one prediction a row."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in run.predictions.items():
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
