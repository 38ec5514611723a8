"""`python -m bench pdfs`: whole PDF documents against their text, by their own text layer and by reading their pictures.

The error rate is of all text in document order (edits over label characters, as `scoring.normalise` compares), so a
wrong order of columns counts as much as a wrong character. Labels hold formulas and tables as markup in places; what no
reader can say the same way is an error of every reader.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import machine
from bench.readers import MODELS, ROOT
from bench.scoring import edits, normalise, table

WAYS = ("text layer where it agrees", "read from pictures")


@dataclass(slots=True)
class Run:
    """One way of reading: text and seconds of each document."""

    texts: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)  # a page, one entry a document
    layered: int = 0  # pages taken from their text layer


def main(arguments: Sequence[str]) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench pdfs", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with pdfs.jsonl")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--core", type=int, default=None, help="hold the process to this core")
    parser.add_argument("--out", type=Path, default=None, help="folder for predictions, pdfs-WAY.jsonl")
    parser.add_argument("--report", type=Path, default=ROOT / "bench" / "results" / "pdfs.md")
    options = parser.parse_args(arguments)
    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    import cv2

    cv2.setNumThreads(0)
    from shared.records import ReadOptions
    from worker.reading.page import Reader

    rows = [json.loads(row) for row in (options.data / "pdfs.jsonl").read_text(encoding="utf-8").splitlines() if row]
    reader = Reader(options.models, options.engine)
    reader.warm()
    runs = [Run() for _ in WAYS]
    for row in rows:
        for run, layer in zip(runs, (True, False), strict=True):
            read(reader, ReadOptions(engine=options.engine), options.data / row["pdf"], layer, run)
    report = render(options.data, rows, runs, options.engine)
    print(report)
    options.report.write_text(report + "\n", encoding="utf-8")
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        for name, run in zip(("layer", "pictures"), runs, strict=True):
            answers = [{"pdf": row["pdf"], "text": text} for row, text in zip(rows, run.texts, strict=True)]
            text = "".join(json.dumps(answer, ensure_ascii=False) + "\n" for answer in answers)
            (options.out / f"pdfs-{name}.jsonl").write_text(text, encoding="utf-8")
    return 0


def read(reader: Any, options: Any, file: Path, layer: bool, run: Run) -> None:
    """One document, page by page, as a worker does it."""
    from worker.documents import open_document
    from worker.layer import page_from_layer

    started = time.process_time()
    document = open_document(file, "pdf", max_pixels=200_000_000, dpi=200)
    texts = []
    try:
        pages = document.pages
        for number in range(1, pages + 1):
            source = document.page(number)
            page = page_from_layer(source, reader, options, _quiet) if layer else None
            run.layered += page is not None
            texts.append((page or reader.read(source.image, options)).text)
    finally:
        document.close()
    run.texts.append("\n\n".join(texts))
    run.seconds.append((time.process_time() - started) / max(1, pages))


def render(data: Path, rows: Sequence[dict[str, Any]], runs: Sequence[Run], engine: str) -> str:
    """The report as Markdown."""
    body: list[list[object]] = []
    totals = [[0, 0] for _ in runs]
    for index, row in enumerate(rows):
        want = normalise(row["text"] if "text" in row else (data / row["gt_txt"]).read_text(encoding="utf-8"))
        cells: list[object] = []
        for run, total in zip(runs, totals, strict=True):
            wrong = edits(normalise(run.texts[index]), want)
            total[0] += wrong
            total[1] += len(want)
            cells += [f"{wrong / max(1, len(want)):.4f}", f"{run.seconds[index]:.2f}"]
        body.append([Path(row["pdf"]).name, row["pages"], *cells])
    whole: list[object] = []
    for run, (wrong, characters) in zip(runs, totals, strict=True):
        whole += [f"{wrong / max(1, characters):.4f}", f"{statistics.mean(run.seconds):.2f}"]
    body.append(["all", sum(row["pages"] for row in rows), *whole])
    head = ["document", "pages"] + [cell for way in WAYS for cell in (f"CER, {way}", "CPU s a page")]
    return "\n".join(
        [
            "# PDF documents",
            "",
            f"{machine.describe()}. {datetime.now(UTC):%Y-%m-%d}. Engine {engine}, pages drawn at 200 dpi.",
            f"{runs[0].layered} pages were taken from their own text layer after a few of its lines were read and agreed.",
            "",
            table(head, body),
        ]
    )


def _quiet(done: int, total: int) -> None:
    """Progress that nobody watches."""
