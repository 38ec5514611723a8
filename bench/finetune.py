"""`python -m bench finetune`: 1,000 rendered lines in a hard font that training never saw, and 200 others to judge on.

Draws them, runs `ocrfleet finetune` on them as a user would, and prints what it said with the time it took. Needs the
trainer (`pip install 'ocrfleet[worker,train]'`) and the fonts that `docs/model-card.md` names.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from worker.reading import models

HARD = "truetype/sjfonts/Delphine.ttf"  # a running hand that `training.fonts` does not name
LONGEST_CHARACTERS = 30


def main(words: list[str]) -> int:
    """Run it; returns the exit code of the fine-tuning."""
    parser = argparse.ArgumentParser(prog="python -m bench finetune", description=__doc__)
    parser.add_argument("--font", default=HARD, help="below /usr/share/fonts")
    parser.add_argument("--lines", type=int, default=1000)
    parser.add_argument("--held-out", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=20.0, help="of learning; drawing and judging come on top")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=41)
    parser.add_argument("--models", type=Path, default=Path("models"), help="folder with the shipped weights")
    parser.add_argument("--work", type=Path, help="keep lines, checkpoint and candidates here")
    parser.add_argument("--register", action="store_true", help="into --models; else into a copy that is removed")
    options = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="bench-finetune-") as scratch:
        work = options.work or Path(scratch)
        folder = options.models
        if not options.register:
            folder = copy_of(options.models, Path(scratch) / "models")
        began = time.monotonic()
        tables = draw(options.font, (options.lines, options.held_out), options.seed, folder, work)
        print(
            f"drew {options.lines} + {options.held_out} lines in {time.monotonic() - began:.0f} s: {work}", flush=True
        )
        began = time.monotonic()
        command = [sys.executable, "-m", "cli.main", "finetune", str(tables[0]), "--held-out", str(tables[1])]
        command += ["--minutes", str(options.minutes), "--threads", str(options.threads), "--name", "hard-font"]
        command += ["--folder", str(folder), "--work", str(work / "learning")]
        code = subprocess.run(command, check=False).returncode
        load = os.getloadavg()[0]
        print(
            f"{(time.monotonic() - began) / 60:.1f} minutes in all, {options.threads} threads, load {load:.1f} at the end"
        )
    return code


def copy_of(source: Path, folder: Path) -> Path:
    """A models folder of its own with the shipped weights."""
    folder.mkdir(parents=True)
    for file in source.iterdir():
        if file.is_file():
            (folder / file.name).symlink_to(file.absolute())
    return folder


def draw(font: str, counts: Sequence[int], seed: int, folder: Path, work: Path) -> list[Path]:
    """Lines in one font as tables with their pictures; no text of one table is in another."""
    import cv2

    from training.alphabet import Alphabet
    from training.one_face import OneFace
    from training.served import Base

    characters = Alphabet.load(Base(models.facts("crnn"), folder).characters).characters
    renderer, held = OneFace(characters, font), set[str]()
    tables = []
    for table, count in enumerate(counts):
        place = work / ("lines", "held-out")[table]
        place.mkdir(parents=True, exist_ok=True)
        rows: list[str] = []
        at = 0
        texts: set[str] = set()
        while len(rows) < count:
            at += 1
            sample = renderer.sample(seed * 1_000_003 + table * 500_000 + at)
            if len(sample.text) > LONGEST_CHARACTERS or sample.text in held:
                continue
            texts.add(sample.text)
            name = f"{len(rows):04}.png"
            cv2.imwrite(str(place / name), sample.picture)
            rows.append(f"{name}\t{sample.text}\n")
        held |= texts
        (place / "LINES.tsv").write_text("".join(rows), encoding="utf-8")
        tables.append(place / "LINES.tsv")
    return tables
