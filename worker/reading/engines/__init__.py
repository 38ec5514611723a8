"""The recognisers, each behind the Protocol of `recogniser.py`, and the one function that loads them by name.

No implementation is imported before it is asked for: importing this must not start native libraries.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from shared.records import ENGINES
from worker.reading import models
from worker.reading.recogniser import Recogniser
from worker.reading.versions import Version, all_in_use

DETECTOR = "ppocrv6_det"

if TYPE_CHECKING:
    from worker.reading.detect import Detector
    from worker.reading.engines.ctc_recogniser import CtcRecogniser


def load_recogniser(
    engine: str,
    folder: Path,
    wanted: Mapping[str, Version] | None = None,
    precision: str = "auto",
    words: bool = True,
) -> Recogniser:
    """Load `auto`, `crnn`, `ppocrv6` or `modelscope` with the weights in `folder`.

    `wanted` holds versions of weights by engine (see `versions`); None takes what the folder says is in use.
    `precision` is that of the arithmetic, see `runtime.arithmetic`; without `words` every character stands for itself. Raises ModelError where a weight is missing or damaged, ValueError for another name.
    """
    chosen = all_in_use(folder) if wanted is None else wanted
    if engine == "auto":
        from worker.reading.cascade import Cascade
        from worker.reading.gate import load_gate

        parts = [_load(part, folder, chosen.get(part), precision, words) for part in ("crnn", "ppocrv6")]
        return Cascade(parts[0], parts[1], load_gate(), words)
    if engine in ("crnn", "ppocrv6"):
        return _load(engine, folder, chosen.get(engine), precision, words)
    if engine == "modelscope":
        from worker.reading.engines.ctc_recogniser import CtcRecogniser

        return CtcRecogniser(_added(folder), folder / "modelscope", precision, words)
    raise ValueError(f"unknown engine {engine!r}; known: {', '.join(ENGINES)}")


def robust_version(engine: str) -> str | None:
    """The version of the weights that `engine` reads damaged lines with, or None where it has only its own."""
    found = _robust_facts(engine)
    return None if found is None else found.weight(found.extra["robust"]["further"]).version


def load_robust(engine: str, folder: Path, precision: str = "auto", words: bool = True) -> Recogniser | None:
    """What `engine` reads damaged lines with, or None where it has only its own weights. Raises ModelError where a weight is
    missing or damaged."""
    from worker.reading.engines.ctc_recogniser import CtcRecogniser

    found = _robust_facts(engine)
    return None if found is None else CtcRecogniser(found, folder, precision, words, robust=True)


def _robust_facts(engine: str) -> models.Facts | None:
    """`auto` has those of its stronger part."""
    name = "ppocrv6" if engine == "auto" else engine
    found = models.facts(name) if name in ("crnn", "ppocrv6") else None
    return found if found is not None and "robust" in found.extra else None


def load_detector(engine: str, folder: Path, precision: str = "auto") -> tuple[Detector, str]:
    """What finds the lines that `engine` reads, and its version: for `modelscope` the added detector where there is one,
    else PP-OCRv6's. Raises ModelError where a weight is missing or damaged."""
    from worker.reading.detect import Detector

    found = models.added_detector(folder) if engine == "modelscope" else None
    if found is None:
        return Detector.load(folder, DETECTOR, precision), models.find(DETECTOR).version
    return added_detector(found, folder / "modelscope_det", precision), found.weights[0].version


def added_detector(facts: models.Facts, folder: Path, precision: str = "auto") -> Detector:
    """The detector that `facts` describe, with the weights in `folder`. Raises ModelError where it is no detector."""
    from worker.reading.detect import Detector

    how = facts.detector
    file = models.place(folder, facts.weight(how["weight"]))
    if not file.is_file():
        raise models.ModelError(reason=f"The detector {file} is missing: add it again with `ocrfleet models add`.")
    return Detector(file, tuple(how["mean"]), tuple(how["std"]), precision)


def _load(engine: str, folder: Path, version: Version | None, precision: str, words: bool) -> CtcRecogniser:
    from worker.reading.engines.ctc_recogniser import CtcRecogniser

    return CtcRecogniser(*_chosen(engine, folder, version), precision, words)


def _chosen(engine: str, folder: Path, version: Version | None) -> tuple[models.Facts, Path]:
    """A version of the engine's weights, else what is shipped: the 8-bit model, where one passed its gate on this machine
    (`ocrfleet models quantize`), or float32."""
    if version is not None:
        return version.facts, version.folder
    small = folder / "int8" / engine
    if (small / "facts.toml").is_file():
        return models.load_facts(small / "facts.toml"), small
    return models.facts(engine), folder


def version_of(engine: str, folder: Path, wanted: Mapping[str, Version] | None = None) -> str:
    """The version of what `load_recogniser` would load, told without loading it. Raises what it raises."""
    chosen = all_in_use(folder) if wanted is None else wanted

    def told(facts: models.Facts, place: Path) -> str:
        weight = facts.weight(facts.recogniser["weight"])
        if not models.place(place, weight).is_file():
            raise models.ModelError(reason=f"The model {weight.name} is not in {place}: run `ocrfleet models fetch`.")
        return weight.version

    if engine == "auto":
        from worker.reading.gate import load_gate

        quick, strong = (told(*_chosen(part, folder, chosen.get(part))) for part in ("crnn", "ppocrv6"))
        return f"{quick}+{strong}+gate-{load_gate().fingerprint()}"
    if engine in ("crnn", "ppocrv6"):
        return told(*_chosen(engine, folder, chosen.get(engine)))
    if engine == "modelscope":
        return told(_added(folder), folder / "modelscope")
    raise ValueError(f"unknown engine {engine!r}; known: {', '.join(ENGINES)}")


def _added(folder: Path) -> models.Facts:
    found = models.added(folder)
    if found is None:
        raise models.ModelError(reason="No ModelScope model is here: run `ocrfleet models add modelscope:NAME`.")
    return found
