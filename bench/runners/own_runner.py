"""This project's reader, as a worker's child runs it: `own_runner.py MODELS ENGINE [PREPROCESS]`.

A request may carry `turn` (degrees clockwise, free) and `damage` (a name of bench.degrade): the picture is altered
after it is decoded and before the clock that counts starts. With `tables` the answer has them.
"""

import sys
import time
from pathlib import Path
from typing import Any

import cv2

from bench.pictures import decode
from bench.runners.protocol import cpu_seconds, serve
from shared.records import ReadOptions
from worker.reading.page import Reader

cv2.setNumThreads(0)
models, engine = Path(sys.argv[1]), sys.argv[2]
preprocess = sys.argv[3] if len(sys.argv) > 3 else "auto"
reader = Reader(models, engine)
reader.warm()


def read(path: str, layout: str, request: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
    image = decode(Path(path))
    if "turn" in request:
        from bench.geometry import turned

        image = turned(image, request["turn"])
    if "damage" in request:
        from bench.degrade import damaged

        image = damaged(image, request["damage"], request.get("seed", 0))
    cpu = cpu_seconds()
    started = time.perf_counter()
    options = ReadOptions(engine=engine, layout=layout, preprocess=request.get("preprocess", preprocess))
    page = reader.read(image, options)
    more = {
        "timing_ms": {k: v for k, v in page.timing_ms.items() if not isinstance(v, str)},
        "text": page.text,
        "rotation": page.rotation,
        "read_seconds": time.perf_counter() - started,
        "read_cpu_seconds": cpu_seconds() - cpu,
    }
    if "tables" in request:
        more["tables"] = [
            {
                "box": [*map(min, zip(*one.box, strict=True)), *map(max, zip(*one.box, strict=True))],
                "cells": [[cell.row, cell.column, cell.rows, cell.columns, cell.text] for cell in one.cells],
            }
            for one in page.tables
        ]
    return [line.text for line in page.lines], more


serve(f"ocrfleet {engine}", read)
