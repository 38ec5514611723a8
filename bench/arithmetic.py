"""`python -m bench arithmetic`: how long a recogniser takes for one line in float32, in bfloat16, and as it is served.

The network alone, with the scores of the classes and the choice of the best, on one thread held to one core; the
fastest of many, since whatever else the machine does only ever adds. Where the processor has no bfloat16 or no VNNI
the columns are equal.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench import machine
from bench.readers import MODELS
from bench.scoring import table
from worker.reading import models
from worker.reading.engines.ctc_recogniser import CtcRecogniser

PRECISIONS = {"f32": "float32", "bf16": "bfloat16", "auto": "as served"}
ROUNDS, TIMES = 4, 150


def main(arguments: Sequence[str]) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench arithmetic", description=__doc__)
    parser.add_argument("--engine", default="crnn", choices=("crnn", "ppocrv6"))
    parser.add_argument("--widths", type=int, nargs="+", default=[160, 320, 640], help="of the input, in pixels")
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    options = parser.parse_args(arguments)
    os.sched_setaffinity(0, {options.core})
    facts = models.facts(options.engine)
    engines = [CtcRecogniser(facts, options.models, precision=precision) for precision in PRECISIONS]
    rows: list[list[object]] = []
    for width in options.widths:
        best = [float("inf")] * len(engines)
        for _ in range(ROUNDS):  # in turns, so that a slow minute is shared by all
            best = [min(least, fastest_ms(engine, width)) for least, engine in zip(best, engines, strict=True)]
        rows.append([width, *(f"{ms:.1f}" for ms in best)])
    print(f"{machine.describe()}. {options.engine}, fastest of {ROUNDS * TIMES}, ms.\n")
    print(table(["width, px", *PRECISIONS.values()], rows))
    return 0


def fastest_ms(engine: CtcRecogniser, width: int) -> float:
    """The fastest of TIMES runs over one picture of noise."""
    x = np.random.default_rng(0).random((1, engine.channels, engine.height, width), np.float32)
    least = float("inf")
    for _ in range(TIMES):
        began = time.perf_counter()
        engine.session(x, engine.allow_all)
        least = min(least, time.perf_counter() - began)
    return least * 1e3
