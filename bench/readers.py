"""Readers in processes of their own, all held to one core, asked in turns: the machine's moods hit them alike."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent
RUNNERS = Path(__file__).resolve().parent / "runners"
_PLACES = (ROOT / "models", ROOT / "ocrfleet-data" / "models")  # by hand, and where `make run` and `make test` put them
MODELS = Path(os.environ.get("OCRFLEET_MODELS") or next((p for p in _PLACES if p.is_dir()), _PLACES[-1]))


@dataclass(slots=True)
class Reader:
    """A runner program: its name in tables and the command that starts it. Use as a context manager."""

    name: str
    command: list[str]
    core: int | None = None
    process: subprocess.Popen[str] | None = field(default=None, repr=False)
    loaded_mb: float = 0.0

    def __enter__(self) -> Self:
        environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        command = self.command if self.core is None else ["taskset", "-c", str(self.core), *self.command]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            env=environment,
            cwd=ROOT,
        )
        ready = self._answer()
        self.loaded_mb = float(ready["rss_mb"])
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
            self.process.wait(timeout=30)

    def read(self, image: Path, layout: str, **more: Any) -> dict[str, Any]:
        """One picture's answer: see `runners`. Raises RuntimeError where the runner died."""
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"image": str(image), "layout": layout, **more}) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process is not None
        assert self.process.stdout is not None
        row = self.process.stdout.readline()
        if not row:
            raise RuntimeError(f"{self.name} ended with status {self.process.wait()}: {' '.join(self.command)}")
        answer: dict[str, Any] = json.loads(row)
        return answer


def own(models: Path, engine: str, core: int | None, preprocess: str = "auto") -> Reader:
    """This project's reader."""
    command = [sys.executable, "-m", "bench.runners.own_runner", str(models), engine, preprocess]
    return Reader(f"ocrfleet {engine}" + ("" if preprocess == "auto" else f", preprocess {preprocess}"), command, core)
