"""`ocrfleet models add`: export a ModelScope model, prove that it reads as modelscope's own pipeline does, register it."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.reading import ctc
from worker.reading.engines import added_detector
from worker.reading.engines.ctc_recogniser import CtcRecogniser
from worker.reading.models import ModelError, Progress, load_facts, sha256
from worker.reading.runtime import Session

EXPORT = Path(__file__).with_name("export.py")
FOLDERS = {"recogniser": "modelscope", "detector": "modelscope_det"}
NEEDED = ("torch", "modelscope", "onnx")
LOGITS_WITHIN = 1e-3  # two correct float32 runtimes differ by rounding only
EXPORT_TIMEOUT_S = 1800  # most of it the download
WIDTH_STEP, WIDTH_MIN = 32, 64  # pixels; ModelScope's CRNN looks at nothing but its neighbourhood and two LSTMs
TIMED_RUNS = 5


def add(
    source: str, folder: Path, samples: Sequence[Path] = (), progress: Progress = print, python: str | None = None
) -> str:
    """Bring `source` (`modelscope:OWNER/NAME`, or a folder of ModelScope's form) into `folder`; returns the report.

    `python` is an interpreter that has torch, modelscope and onnx; this one unless given. Raises ModelError, and then
    `folder` is as it was.
    """
    interpreter = python or os.environ.get("OCRFLEET_MODELSCOPE_PYTHON") or sys.executable
    require(interpreter)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".add-", dir=folder) as name:
        scratch = Path(name) / "model"
        scratch.mkdir()
        progress(f"loading and exporting {source} with modelscope's own classes")
        facts = export(interpreter, source, scratch, samples)
        progress(f"comparing with modelscope's own pipeline on {facts['samples']} pictures")
        with np.load(scratch / "reference.npz") as reference:
            kept = dict(reference)
        worst = compare(scratch, kept, facts["samples"])
        rows = [f"{source}: {facts['architecture']} ({facts['kind']}), exported; logits differ by at most {worst:.1e}."]
        write_facts(scratch, facts, source)
        if facts["kind"] == "recogniser":
            rows += trial(scratch, kept, facts)
        else:
            added_detector(load_facts(scratch / "facts.toml"), scratch)  # raises where it could not be served
        (scratch / "reference.npz").unlink()
        goal = folder / FOLDERS[facts["kind"]]
        if goal.exists():
            goal.replace(Path(name) / "old")
        scratch.rename(goal)
    rows.append(
        f"Registered in {goal}: "
        + ("use it with" if facts["kind"] == "recogniser" else "it finds the lines of pages read with")
        + " engine `modelscope`."
    )
    return "\n".join(rows)


def drop(folder: Path) -> bool:
    """Take every added model away; returns whether there was one."""
    found = [folder / name for name in FOLDERS.values() if (folder / name).is_dir()]
    for place in found:
        shutil.rmtree(place)
    return bool(found)


def require(interpreter: str) -> None:
    """Raise ModelError where the interpreter lacks a package."""
    test = f"import importlib.util, sys; print(*[n for n in {NEEDED!r} if importlib.util.find_spec(n) is None])"
    try:
        done = subprocess.run([interpreter, "-c", test], capture_output=True, text=True, check=False)
    except OSError as error:
        raise ModelError(reason=f"{interpreter} cannot be run: {error.strerror}.") from error
    lacking = done.stdout.split() if done.returncode == 0 else list(NEEDED)
    if lacking:
        raise ModelError(
            reason=f"{interpreter} has no {', '.join(lacking)}: run `pip install 'ocrfleet[modelscope]'`, or name another "
            "Python that has them in OCRFLEET_MODELSCOPE_PYTHON."
        )


def export(interpreter: str, source: str, scratch: Path, samples: Sequence[Path]) -> dict[str, Any]:
    """Run `export.py`; returns the facts it found. Raises ModelError."""
    command = [interpreter, str(EXPORT), source, str(scratch)]
    for sample in samples:
        command += ["--sample", str(sample)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=EXPORT_TIMEOUT_S, env=environment, check=False
        )
    except subprocess.TimeoutExpired:
        raise ModelError(reason=f"Exporting {source} took more than {EXPORT_TIMEOUT_S} s.") from None
    last = ([line for line in done.stdout.splitlines() if line.startswith("{")] or ["{}"])[-1]
    said: dict[str, Any] = json.loads(last)
    if "problem" in said:
        raise ModelError(reason=said["problem"])
    if done.returncode != 0 or not said:
        words = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise ModelError(reason=f"{source} could not be exported: {words}")
    return said


def compare(scratch: Path, kept: dict[str, NDArray[Any]], samples: int) -> float:
    """The largest difference between our runtime's outputs and modelscope's own. Raises ModelError over LOGITS_WITHIN."""
    session = Session(scratch / "model.onnx", precision="f32")
    worst = 0.0
    for i in range(samples):
        (ours,) = session(kept[f"input{i}"])
        theirs = kept[f"logits{i}"]
        if ours.shape != theirs.shape:
            raise ModelError(reason=f"The exported model answers {ours.shape} where modelscope answers {theirs.shape}.")
        worst = max(worst, float(np.abs(ours - theirs).max()))
    if worst > LOGITS_WITHIN:
        raise ModelError(reason=f"The exported model differs from modelscope's by {worst:.2g}: it is not used.")
    return worst


def write_facts(scratch: Path, facts: dict[str, Any], source: str) -> None:
    """Write `facts.toml`, in the form of the shipped ones. Raises ModelError where the vocabulary does not fit."""
    rows = []
    for name, file in (("model", "model.onnx"), ("keys", "vocab.txt")):
        path = scratch / file
        if path.is_file():
            rows += ["[[weight]]", f'name = "modelscope_{name}"', f'file = "{file}"', f'sha256 = "{sha256(path)}"']
            rows += [f"bytes = {path.stat().st_size}", f"licence = {json.dumps(facts['licence'])}"]
            version = f"{facts['architecture']}-{facts['version']}"
            rows += [f'version = "{version}"', f"about = {json.dumps(f'From {source}.', ensure_ascii=False)}", ""]
    if facts["kind"] == "detector":
        rows += ["[detector]", 'weight = "modelscope_model"', f"mean = {facts['mean']}", "std = [1.0, 1.0, 1.0]"]
        rows += [f"short_side = {facts['short_side']}", f"threshold = {facts['threshold']}"]
    else:
        characters = (scratch / "vocab.txt").read_text(encoding="utf-8").rstrip("\n").split("\n")
        if facts["first_character"] + len(characters) > facts["classes"]:
            raise ModelError(
                reason=f"vocab.txt has {len(characters)} characters, the model {facts['classes']} classes."
            )
        step, least = (facts["width"], facts["width"]) if facts["fixed_width"] else (WIDTH_STEP, WIDTH_MIN)
        rows += [
            "[recogniser]",
            'weight = "modelscope_model"',
            'vocabulary = "file:modelscope_keys"',
            f"classes = {facts['classes']}",
            f"first_character = {facts['first_character']}",
            f"height = {facts['height']}",
            "channels = 3",
            'order = "rgb"',
            "mean = 0.0",
            "std = 1.0",
            f"width_step = {step}",
            f"width_min = {least}",
            "width_after = 0",
            f"width_max = {facts['width']}",
        ]
    (scratch / "facts.toml").write_text("\n".join(rows) + "\n", encoding="utf-8")


def trial(scratch: Path, kept: dict[str, NDArray[Any]], facts: dict[str, Any]) -> list[str]:
    """Read the pictures at modelscope's padded width and at their own. Raises ModelError where padded texts differ."""
    engine = CtcRecogniser(load_facts(scratch / "facts.toml"), scratch, "f32", words=False)
    same = 0
    theirs_ms, padded_ms, true_ms = [], [], []
    for i in range(facts["samples"]):
        want, picture = str(kept[f"text{i}"]), kept[f"picture{i}"]
        padded = "".join(
            engine.alphabet[peak.index]
            for peak in ctc.decode(*(part[0] for part in engine.session(kept[f"input{i}"], engine.allow_all)))
        )
        if padded != want:
            raise ModelError(
                reason=f"The exported model reads {padded!r} where modelscope reads {want!r}: it is not used."
            )
        same += engine.trace(picture).reading.text == want
        theirs_ms.append(float(kept[f"ms{i}"]))
        padded_ms.append(_median_ms(lambda i=i: engine.session(kept[f"input{i}"], engine.allow_all)))
        true_ms.append(_median_ms(lambda picture=picture: engine.trace(picture)))
    theirs, padded_all, true = (statistics.mean(row) for row in (theirs_ms, padded_ms, true_ms))
    rows = [f"Same text on all {facts['samples']} pictures at its padded width ({facts['width']} px)."]
    rows.append(
        f"A line on one thread: modelscope {theirs:.1f} ms, here padded {padded_all:.1f} ms"
        + ("." if facts["fixed_width"] else f", here at its own width {true:.1f} ms ({theirs / true:.1f}x as fast).")
    )
    if not facts["fixed_width"]:
        rows.append(f"At their own width {same} of {facts['samples']} pictures read the same.")
    return rows


def _median_ms(call: Any) -> float:
    call()
    times = []
    for _ in range(TIMED_RUNS):
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1e3)
    return statistics.median(times)
