"""The engine alone: the pages of the load, opened and read by one reader a core, without gateway, queue or store.

`python -m bench.alone MODELS CORE SECONDS` is one such reader: it says `warm`, waits for a line, reads for so many
seconds and says how many pages a second it read.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from bench.drawn import MIX, mixed
from bench.readers import ROOT

FIRST_SEED = 900_000
DOCUMENTS = 3 * MIX  # read in turn


def speeds(models: Path, seconds: float, cores: list[int]) -> list[float]:
    """Pages a second of one reader on each of the cores, all at once."""
    crew = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.alone", str(models), str(core), str(seconds)],
            cwd=ROOT,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for core in cores
    ]
    for one in crew:
        assert one.stdout is not None
        if one.stdout.readline().strip() != "warm":
            raise RuntimeError(f"a reader ended with status {one.wait()}")
    for one in crew:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    return [float(one.communicate()[0].strip()) for one in crew]


def main(models: Path, core: int, seconds: float) -> None:
    """One reader."""
    os.sched_setaffinity(0, {core})
    import cv2

    cv2.setNumThreads(0)
    from shared.records import ReadOptions
    from shared.settings import Settings
    from worker.documents import open_document
    from worker.reading.page import Reader

    settings = Settings()
    reader = Reader(models, settings.engine)
    reader.warm()
    files = [mixed(FIRST_SEED + 1000 * core + number) for number in range(DOCUMENTS)]

    def read(data: bytes, kind: str, pages: int) -> int:
        opened = open_document(data, kind, max_pixels=settings.max_pixels, dpi=settings.pdf_dpi)
        for page in range(1, pages + 1):
            reader.read(opened.page(page).image, ReadOptions())
        opened.close()
        return pages

    for file in files[:MIX]:
        read(*file)
    print("warm", flush=True)
    sys.stdin.readline()
    started, count, number = time.perf_counter(), 0, 0
    # Whole rounds of the mix, so that none of its kinds weighs more than its share.
    while time.perf_counter() < started + seconds or number % MIX:
        count += read(*files[number % len(files)])
        number += 1
    print(count / (time.perf_counter() - started), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
