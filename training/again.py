"""How the shipped weights were made, run by run: `python -m training again` does it all over, two runs side by side."""

from __future__ import annotations

import dataclasses
import pathlib
import subprocess
import sys


@dataclasses.dataclass(frozen=True)
class Stage:
    """Runs that begin from the same weights, one for each seed; then their mean, `share` of it and the rest the base's, or
    that of the weights they began from (`towards_start`)."""

    name: str
    seeds: tuple[int, ...]
    minutes: float
    share: float
    options: tuple[str, ...]
    towards_start: bool = False


STAGES = (
    Stage("first", (1,), 62, 1.0, ("--train-from", "9", "--rate", "4e-4", "--tether", "5e-4")),
    Stage("second", (21, 22), 60, 0.85, ("--rate", "4e-4")),
    Stage(
        "third", (31, 32), 14, 0.75,
        ("--rate", "2e-4", "--hold", "2", "--full-after", "0.5", "--leave-to-base", "plate", "street"),
    ),
    Stage(
        "fourth", (41, 42), 10, 1.0,
        ("--rate", "1.5e-4", "--hold", "2", "--full-after", "0", "--leave-to-base", "plate", "street", "subtitle"),
    ),
    Stage(
        "fifth", (71,), 40, 0.5,
        (
            "--rate", "1e-4", "--head-times", "0.3", "--average", "0.998", "--near-start", "--tether", "0", "--hold", "3",
            "--full-after", "0", "--leave-to-base", "plate", "street", "subtitle",
        ),
        towards_start=True,
    ),
)  # fmt: skip


def commands(work: pathlib.Path, weights: pathlib.Path, version: str) -> list[list[list[str]]]:
    """What to run, in order; the commands of one entry run side by side. Each is the options of `python -m training`."""
    out: list[list[list[str]]] = []
    start: pathlib.Path | None = None
    for stage in STAGES:
        folders = [work / f"{stage.name}-{seed}" for seed in stage.seeds]
        begin = ["--start", str(start)] if start is not None else []
        towards = ["--towards", str(start)] if stage.towards_start else []
        side_by_side = []
        for folder, seed in zip(folders, stage.seeds, strict=True):
            one = ["train", "--folder", str(folder), "--seed", str(seed), "--minutes", f"{stage.minutes:g}"]
            side_by_side.append([*one, *begin, *stage.options])
        out.append(side_by_side)
        last = stage is STAGES[-1]
        start = work / f"{stage.name}.pt"
        blend = [
            "blend",
            "--checkpoint",
            *(str(folder / "last.pt") for folder in folders),
            "--shares",
            f"{stage.share:g}",
            *towards,
        ]
        target = weights if last else work / f"{stage.name}.onnx"
        out.append(
            [["--weights", str(target), *blend, "--keep", str(start), "--version", version if last else stage.name]]
        )
    return out


def run(work: pathlib.Path, weights: pathlib.Path, version: str) -> int:
    """Runs everything; what is in `work` already is taken up again. Returns the first exit code that is not 0."""
    for together in commands(work, weights, version):
        started = [subprocess.Popen([sys.executable, "-m", "training", *options]) for options in together]
        codes = [process.wait() for process in started]
        if any(codes):
            return next(code for code in codes if code)
    return 0
