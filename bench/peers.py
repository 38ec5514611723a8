"""Other readers, each installed by pip into an environment of its own under `bench/work/` (ignored by git)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from bench.readers import RUNNERS, Reader

WORK = Path(__file__).resolve().parent / "work"
PACKAGES = {
    "rapidocr": ["rapidocr==3.10.0", "onnxruntime==1.32.0"],
    "faster-paddle": ["faster-paddle==1.0.4"],
    "img2table": ["img2table==2.0.0", "rapidocr==3.10.0", "onnxruntime==1.32.0"],
}
LAST = {"img2table": ["opencv-contrib-python==5.1.0.95"]}
"""Put over what others brought: two packages hold OpenCV, and only one of them has all that is needed."""


def environment(name: str) -> Path:
    """The Python of the environment `name`, made at the first call. Raises CalledProcessError where pip fails."""
    python = WORK / name / "bin" / "python"
    done = WORK / name / "installed"
    wanted = "\n".join(PACKAGES[name])
    if not done.is_file() or done.read_text(encoding="utf-8") != wanted:
        subprocess.run([sys.executable, "-m", "venv", str(WORK / name)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PACKAGES[name]], check=True)
        if name in LAST:
            last = [str(python), "-m", "pip", "install", "--quiet", "--force-reinstall", "--no-deps", *LAST[name]]
            subprocess.run(last, check=True)
        done.write_text(wanted, encoding="utf-8")
    return python


def all_peers(core: int | None) -> list[Reader]:
    """Every peer that can be had here; tesseract only where it is installed."""
    rapidocr, paddle = environment("rapidocr"), environment("faster-paddle")
    peers = [
        Reader("rapidocr 3.10", [str(rapidocr), str(RUNNERS / "rapidocr_runner.py")], core),
        Reader("faster-paddle tiny", [str(paddle), str(RUNNERS / "faster_paddle_runner.py"), "tiny"], core),
        Reader("faster-paddle small", [str(paddle), str(RUNNERS / "faster_paddle_runner.py"), "small"], core),
    ]
    if shutil.which("tesseract"):
        peers.append(Reader("tesseract 5 eng", [sys.executable, str(RUNNERS / "tesseract_runner.py"), "eng"], core))
    return peers
