"""Fits the gate of the cascade on labelled lines, and writes down what it costs and what it buys.

    python -m worker.reading.fit_gates --data DIR [--models DIR]

`labelled.py` says what lies in DIR. Lines are halved by a hash of their names: one half fits, the other reports. Writes
`worker/reading/engines/auto/gate.toml` and `docs/cascade.md`.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.reading import gate as gates
from worker.reading import labelled, models, second_look, stretches
from worker.reading.cascade import FAIRLY_SURE, Cascade
from worker.reading.engines.ctc_recogniser import CtcRecogniser
from worker.reading.recogniser import Crop, Reading

REPORT_FILE = Path(__file__).parents[2] / "docs" / "cascade.md"
RIDGE = 0.01  # keeps weights of features that say the same from growing against each other
NEWTON_STEPS = 50
THRESHOLDS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.15, 0.1, 0.05, 0.02)
MARGINS = (0.0, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 1.0)  # 1 never keeps the CRNN's answer to a doubtful line
GAIN_WANTED = 0.0  # exact above the strong engine alone, on the fitting half; more is bought dearly
TIMED = 2  # times a line is read; the quicker counts, without what the first line of a width costs once
NONE_STAYS, NONE_GOES = -1.0, 2.0  # thresholds that every line is over, and none
SETTLED = 0.6  # found on pages, not fitted: docs/measurements.md
PROBE_LINES = 16  # of a page: enough to see what kind it is, if they are of all widths
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled line, read by both: features of the CRNN's reading, edits of either, confidences, milliseconds; whether it
    would get a second look for a fault of the CRNN's kind (`faulty`) or for a character that was hardly read (`odd`: either); `part`
    is the edits and milliseconds of the doubtful stretches read again, None where they cannot be told apart."""

    fits: bool
    characters: int
    features: tuple[float, ...]
    edits: tuple[int, int]
    confidence: tuple[float, float]
    empty: bool
    ms: tuple[float, float]
    odd: bool = False
    faulty: bool = False
    part: tuple[int, float] | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """The cascade at one threshold: share of lines passed on, lines exact, character error rate, ms a line."""

    share: float
    exact: float
    cer: float
    ms: float


class Table:
    """The samples as columns."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self.features: Floats = np.array([row.features for row in samples], np.float64)
        self.edits: NDArray[np.int64] = np.array([row.edits for row in samples], np.int64)
        self.confidence: Floats = np.array([row.confidence for row in samples], np.float64)
        self.empty: Flags = np.array([row.empty for row in samples], np.bool_)
        self.characters = int(sum(row.characters for row in samples))
        self.ms: Floats = np.array([row.ms for row in samples], np.float64)
        self.odd: Flags = np.array([row.odd for row in samples], np.bool_)
        self.faulty: Flags = np.array([row.faulty for row in samples], np.bool_)
        self.has_part: Flags = np.array([row.part is not None for row in samples], np.bool_)
        self.part: Floats = np.array([row.part or (0, 0.0) for row in samples], np.float64)

    def point(self, doubt: Floats, threshold: float, margin: float, second_looks: bool = True) -> Point:
        """How the cascade does where lines more doubtful than `threshold` go to the strong engine, and others for a second look."""
        whole = doubt > threshold
        odd = self.odd & second_looks
        partly = ~whole & self.has_part & (odd | (doubt > gates.PARTLY * threshold))
        whole = whole | (odd & ~partly)
        believed = self.confidence[:, 0] > np.maximum(FAIRLY_SURE, self.confidence[:, 1] + margin)
        kept = ~self.empty & believed & ~(self.faulty & second_looks & (self.confidence[:, 1] > FAIRLY_SURE))
        edits = np.where(whole & ~kept, self.edits[:, 1], self.edits[:, 0])
        edits = np.where(partly, self.part[:, 0].astype(np.int64), edits)
        ms = float((self.ms[:, 0] + self.ms[:, 1] * whole + self.part[:, 1] * partly).mean())
        again = float((whole | partly).mean())
        return Point(again, float((edits == 0).mean()), float(edits.sum() / self.characters), ms)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the fit; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with lines.tsv")
    parser.add_argument("--models", type=Path, default=Path("models"), help="folder of the weights")
    parser.add_argument("--threshold", type=float, help="pass lines on from this doubt on, instead of fitting it too")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(0)
    quick = CtcRecogniser(models.facts("crnn"), options.models)
    strong = CtcRecogniser(models.facts("ppocrv6"), options.models)
    samples = read_all(options.data, quick, strong)
    fit, held = Table([row for row in samples if row.fits]), Table([row for row in samples if not row.fits])
    gate = fit_gate(fit, quick.version)
    if options.threshold is not None:
        gate = dataclasses.replace(gate, threshold=options.threshold)
    write_gate(gate, gates.GATE_FILE)
    text = report(gate, fit, held, Table(samples), (quick.version, strong.version), options.threshold)
    REPORT_FILE.write_text(text, encoding="utf-8")
    print(text)
    return 0


def read_all(data: Path, quick: CtcRecogniser, strong: CtcRecogniser) -> list[Sample]:
    """Read every labelled line with both engines: all with the one, then all with the other, as a page's lines are read."""
    lines = list(labelled.lines(data))

    def quickly(crop: Crop) -> tuple[Reading, tuple[float, ...]]:
        trace = quick.trace(crop)
        return trace.reading, gates.features(trace, crop.shape[0])

    ours, quick_ms = _timed(quickly, lines)
    theirs, strong_ms = _timed(lambda crop: strong.trace(crop).reading, lines)
    looks = Cascade(quick, strong, gates.load_gate())
    again = [_look_again(line, *first, strong, looks) for line, first in zip(lines, ours, strict=True)]
    return [
        Sample(
            fits=line.fits,
            characters=len(line.want),
            features=features,
            edits=(line.edits(own.text), line.edits(other.text)),
            confidence=(own.confidence, other.confidence),
            empty=not own.text,
            ms=ms,
            odd=odd,
            faulty=faulty,
            part=part,
        )
        for line, (own, features), other, ms, (odd, faulty, part) in zip(
            lines, ours, theirs, zip(quick_ms, strong_ms, strict=True), again, strict=True
        )
    ]


def _look_again(
    line: labelled.Labelled, own: Reading, features: tuple[float, ...], strong: CtcRecogniser, looks: Cascade
) -> tuple[bool, bool, tuple[int, float] | None]:
    """Whether a line gets a second look, whether for a fault of the CRNN's kind, and edits and milliseconds where only the doubtful
    stretches are read again; None where there are none."""
    faults, hardly_read = looks.second_look(own, line.crop)
    odd = bool(faults) or hardly_read
    height, width = line.crop.shape[:2]
    parts = stretches.find(own, width, height, faults) if odd else gates.parts(features, own, line.crop)
    if not parts:
        return odd, bool(faults), None
    spent = []
    for _ in range(TIMED):
        began = time.process_time()
        answers = strong.read([part.of(line.crop) for part in parts])
        spent.append((time.process_time() - began) * 1e3)
    margin = 1 - FAIRLY_SURE if faults else stretches.MARGIN
    text = stretches.joined(own, list(zip(parts, answers, strict=True)), "auto", margin).text
    return odd, bool(faults), (line.edits(text), min(spent))


def _timed(read: Callable[[Crop], Answer], lines: Sequence[labelled.Labelled]) -> tuple[list[Answer], list[float]]:
    """What is read of every line, and its milliseconds: the quickest of TIMED rounds."""
    answers: list[Answer] = []
    spent = [float("inf")] * len(lines)
    for _ in range(TIMED):
        answers = []
        for index, line in enumerate(lines):
            began = time.process_time()
            answers.append(read(line.crop))
            spent[index] = min(spent[index], (time.process_time() - began) * 1e3)
    return answers, spent


def fit_gate(table: Table, version: str) -> gates.Gate:
    """Logistic regression by Newton's method, then the lowest share passed on that buys GAIN_WANTED."""
    mean, scale = table.features.mean(0), table.features.std(0) + 1e-9
    x = np.c_[(table.features - mean) / scale, np.ones(len(table.features))]
    wrong = (table.edits[:, 0] > 0).astype(np.float64)
    weights = np.zeros(x.shape[1])
    ridge = RIDGE * np.r_[np.ones(x.shape[1] - 1), 0]
    for _ in range(NEWTON_STEPS):
        doubt = _sigmoid(x @ weights)
        slope = x.T @ (doubt - wrong) / len(wrong) + ridge * weights
        curve = (x.T * (doubt * (1 - doubt))) @ x / len(wrong) + np.diag(ridge + 1e-9)
        weights -= np.linalg.solve(curve, slope)
    doubt = np.where(table.empty, 1, _sigmoid(x @ weights))
    threshold, margin = choose(table, doubt)
    return gates.Gate(
        mean=tuple(mean.tolist()),
        scale=tuple(scale.tolist()),
        weights=tuple(weights[:-1].tolist()),
        bias=float(weights[-1]),
        threshold=threshold,
        margin=margin,
        probe_lines=PROBE_LINES,
        give_up_share=give_up_share(table),
        fitted_for=version,
        settled=SETTLED,
    )


def choose(table: Table, doubt: Floats) -> tuple[float, float]:
    """Threshold and margin: the fewest lines passed on with which the cascade reads GAIN_WANTED more exactly."""
    alone = float((table.edits[:, 1] == 0).mean())
    margin = max(MARGINS, key=lambda value: (table.point(doubt, NONE_STAYS, value).exact, value))
    best = (0.0, 0.0)
    for threshold in np.quantile(doubt, np.linspace(1, 0, 101)):
        exact = table.point(doubt, float(threshold), margin).exact
        if exact > best[0]:
            best = (exact, float(threshold))
        if exact >= alone + GAIN_WANTED:
            return float(threshold), margin
    return best[1], margin


def give_up_share(table: Table) -> float:
    """The share of lines passed on from which asking the CRNN first takes longer than not asking it.

    A line costs quick + share x strong with the cascade and strong without.
    """
    quick, strong = table.ms.mean(0)
    return round(max(0.0, 1 - float(quick / strong)), 2)


def write_gate(gate: gates.Gate, path: Path) -> None:
    """Write the gate in the form that `gate.load_gate` reads."""
    rows = [
        "# Written by `python -m worker.reading.fit_gates`; docs/cascade.md shows what it does.",
        f'fitted_for = "{gate.fitted_for}"',
        f"threshold = {gate.threshold:.4f}      # doubt, 0 to 1, over which a line goes to the stronger engine",
        f"margin = {gate.margin}           # by which the CRNN must be surer to be kept on such a line",
        f"settled = {gate.settled}           # doubt up to which a line without Chinese characters stands where words left no "
        "character hardly read",
        f"probe_lines = {gate.probe_lines}        # of a page, before the CRNN may be given up on it",
        f"give_up_share = {gate.give_up_share}    # of the width of these lines passed on, from which it is",
        f"bias = {gate.bias:.5f}",
    ]
    columns = zip(gates.FEATURES, gate.mean, gate.scale, gate.weights, strict=True)
    rows += [
        f"\n[feature.{name}]\nmean = {mean:.5f}\nscale = {scale:.5f}\nweight = {weight:.5f}"
        for name, mean, scale, weight in columns
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


def report(
    gate: gates.Gate, fit: Table, held: Table, whole: Table, versions: tuple[str, str], threshold: float | None
) -> str:
    """The page `docs/cascade.md`."""
    chosen = "" if threshold is None else f" --threshold {threshold:g}"
    rows = [
        "# The cascade: who reads which line",
        "",
        f"`auto` lets the CRNN (`{versions[0]}`) read every line and passes the doubtful ones on to `{versions[1]}`.",
        "What is doubtful is decided by a logistic regression over what the CRNN shows while reading, before the words around have their say, "
        "and by second looks at what it read after that. Of the two readings",
        f"of a doubtful line the CRNN's is kept only where its mean confidence is higher{f' by {gate.margin}' if gate.margin else ''}, "
        "or where it alone read a whole number plate. Of a long line with a doubt about single words only these are read again.",
        "",
        f"Written by `python -m worker.reading.fit_gates --data DIR{chosen}` on "
        f"{datetime.datetime.now(datetime.UTC).date()}: {len(fit.edits)} lines fitted it, {len(held.edits)} others, "
        "chosen by a hash of their names, report below. Milliseconds are a line's mean processor time, the quicker of two "
        "readings, on the machine that ran it.",
        "",
        "## On lines the fit never saw",
        "",
        *_curve(gate, held),
        "",
        "## On all lines",
        "",
        *_curve(gate, whole),
        "",
        "## The gate",
        "",
        f"A line is passed on where its doubt is over {gate.threshold:g} (over {gate.settled:g} in a line without Chinese characters of which words left "
        "no character hardly read), where the CRNN read nothing or passed over ink "
        f"{gates.START_HEIGHTS:g} line heights and more before its first character, or for a second look (`second_look.py`): where a character was read "
        f"less surely than {second_look.UNSURE:g} or a space less surely than {second_look.UNSURE_SPACE:g}, or where the answer has a fault of its kind: "
        "a small letter where a capital of its shape may stand, one letter of two, one bracket of two, a code in which nothing tells 0 from O; "
        "there the stronger engine's answer stands unless it is a guess. Where more than "
        f"{gate.give_up_share:.0%} of a page's first {gate.probe_lines} lines, by their width, were passed on, the CRNN is not asked about "
        "the rest of that page: by then it costs more time than it saves.",
        "",
        "| feature | weight (per standard deviation) |",
        "|---|---|",
        *[f"| {name} | {weight:+.2f} |" for name, weight in zip(gates.FEATURES, gate.weights, strict=True)],
    ]
    return "\n".join(rows) + "\n"


def _curve(gate: gates.Gate, table: Table) -> list[str]:
    doubt = _doubt(gate, table)
    rows = [
        "| threshold | read again | exact | CER | ms a line | against the strong engine alone |",
        "|---|---|---|---|---|---|",
    ]
    alone_ms = float(table.ms[:, 1].mean())

    def row(name: str, point: Point) -> str:
        share = f"{point.share:.0%}"
        return (
            f"| {name} | {share} | {point.exact:.4f} | {point.cer:.4f} | {point.ms:.1f} | {point.ms / alone_ms:.2f} |"
        )

    rows.append(row("CRNN alone", table.point(doubt, NONE_GOES, gate.margin, second_looks=False)))
    rows += [row(f"{value:g}", table.point(doubt, value, gate.margin)) for value in THRESHOLDS]
    rows.append(row(f"**as set: {gate.threshold:g}**", table.point(doubt, gate.threshold, gate.margin)))
    alone = table.edits[:, 1]
    strong = Point(1, float((alone == 0).mean()), float(alone.sum() / table.characters), alone_ms)
    rows.append(row("strong engine alone", strong))
    return rows


def _doubt(gate: gates.Gate, table: Table) -> Floats:
    x = (table.features - np.array(gate.mean)) / np.array(gate.scale)
    return np.where(table.empty, 1, _sigmoid(x @ np.array(gate.weights) + gate.bias))


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -60, 60))), np.float64)


if __name__ == "__main__":
    raise SystemExit(main())
