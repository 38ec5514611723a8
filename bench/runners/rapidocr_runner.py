"""rapidocr as installed: its own defaults, models and onnxruntime. Lines are read with its recogniser alone."""

from typing import Any

from protocol import serve  # type: ignore[import-not-found]
from rapidocr import RapidOCR

engine = RapidOCR()


def read(path: str, layout: str, request: dict[str, Any]) -> list[str]:
    if layout == "line":
        result = engine(path, use_det=False, use_cls=False, use_rec=True)
        return list(result.txts or ())
    result = engine(path)
    return list(result.txts or ())


serve("rapidocr", read)
