"""The recognisers, each behind the Protocol of `recogniser.py`, and the one function that loads them by name.

No implementation is imported before it is asked for: importing this must not start native libraries.
"""

from __future__ import annotations

from pathlib import Path

from shared.records import ENGINES
from worker.reading import models
from worker.reading.recogniser import Recogniser


def load_recogniser(engine: str, folder: Path) -> Recogniser:
    """Load `auto`, `crnn`, `ppocrv6` or `modelscope` with the weights in `folder`.

    Raises ModelError where a weight is missing or damaged, ValueError for another name.
    """
    from worker.reading.engines.ctc_recogniser import CtcRecogniser

    if engine == "auto":
        from worker.reading.cascade import Cascade
        from worker.reading.gate import load_gate

        quick = CtcRecogniser(models.facts("crnn"), folder)
        return Cascade(quick, CtcRecogniser(models.facts("ppocrv6"), folder), load_gate())
    if engine in ("crnn", "ppocrv6"):
        return CtcRecogniser(models.facts(engine), folder)
    if engine == "modelscope":
        found = models.added(folder)
        if found is None:
            raise models.ModelError(reason="No ModelScope model is here: run `ocrfleet models add modelscope:NAME`.")
        return CtcRecogniser(found, folder / "modelscope")
    raise ValueError(f"unknown engine {engine!r}; known: {', '.join(ENGINES)}")
