"""The recognisers, each behind the Protocol of `recogniser.py`, and the one function that loads them by name."""

from __future__ import annotations

from pathlib import Path

from worker.reading import models
from worker.reading.recogniser import Recogniser


def load_recogniser(engine: str, folder: Path) -> Recogniser:
    """Load `auto`, `crnn`, `ppocrv6` or `modelscope` with the weights in `folder`.

    Raises ModelError where a weight is missing, ValueError for another name.
    """
    from worker.reading.engines.ctc_recogniser import CtcRecogniser

    if engine == "auto":
        return CtcRecogniser(models.facts("ppocrv6"), folder)
    if engine in ("crnn", "ppocrv6"):
        return CtcRecogniser(models.facts(engine), folder)
    if engine == "modelscope":
        found = models.added(folder)
        if found is None:
            raise models.ModelError(reason="No ModelScope model is here: run `ocrfleet models add modelscope:NAME`.")
        return CtcRecogniser(found, folder / "modelscope")
    raise ValueError(f"unknown engine {engine!r}")
