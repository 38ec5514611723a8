"""tesseract's command line, LSTM engine, English (first argument: another language), one process a picture."""

import subprocess
import sys
from typing import Any

from protocol import serve  # type: ignore[import-not-found]

LANGUAGE = sys.argv[1] if len(sys.argv) > 1 else "eng"


def read(path: str, layout: str, request: dict[str, Any]) -> list[str]:
    command = ["tesseract", path, "-", "-l", LANGUAGE, "--psm", "7" if layout == "line" else "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"OMP_THREAD_LIMIT": "1"})
    return [line for line in done.stdout.splitlines() if line.strip()]


serve(f"tesseract {LANGUAGE}", read)
