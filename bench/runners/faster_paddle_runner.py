"""faster-paddle, `tiny` or `small` (first argument). It has no mode for single lines: they are read as pages."""

import sys
from pathlib import Path
from typing import Any

from faster_paddle import OcrEngine  # type: ignore[import-not-found]
from protocol import serve  # type: ignore[import-not-found]

engine = OcrEngine(model_size=sys.argv[1])


def read(path: str, layout: str, request: dict[str, Any]) -> list[str]:
    result = engine.ocr(Path(path).read_bytes())
    return [bound["text"] for bound in result["bounds"].values()]


serve(f"faster-paddle {sys.argv[1]}", read)
