"""8-bit weights behind an accuracy gate: several ways are tried, and one that reads worse than the gate allows is not kept.

Plain 8-bit breaks these recognisers: some layers carry a few very large values, beside which all others round to the same.
So every layer is tried alone first, and each way leaves more of those that suffer most as they are. What is not in 8 bits
is in the arithmetic that the processor is used with (`runtime.arithmetic`), and so is the model it must beat. NNCF does
the rounding; it is an optional extra.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.reading import ctc, labelled, models
from worker.reading.engines.ctc_recogniser import CtcRecogniser
from worker.reading.memory import resident_mb
from worker.reading.models import Facts, ModelError, Progress
from worker.reading.recogniser import Crop
from worker.reading.runtime import arithmetic, core

GATE = 0.005  # lines read exactly, of all held lines, that may be lost
FASTER = 1.05  # a way that is not at least this much faster is not worth a change of answers
CALIBRATION_LINES = 120
SUBFOLDER = "int8"

HEAVY = 0.003
MEMORY_LINES = 40
RANKING_LINES = 6  # a layer's own damage shows on few: every time step of a line counts
SHARES = (1.0, 0.85, 0.7, 0.5, 0.25)  # of the layers, the calmest first
WEIGHTS_ONLY = "weights alone, the arithmetic as it is"
CONVERSIONS = ("Convert", "Multiply", "Subtract", "Reshape", "FakeQuantize")
NO_ARITHMETIC = ("Constant", "Parameter", "Result")
CONFIG = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
LAYERS = ("Convolution", "GroupConvolution", "MatMul", "LSTMSequence")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way, measured on the held lines: exact, CER, processor time a line, the file's size, and the memory of a process
    that has read some lines with it."""

    way: str
    exact: float
    cer: float
    ms: float
    megabytes: float
    rss_mib: float
    layers_8bit: int
    layers: int


def quantize(
    engine: str,
    folder: Path,
    data: Path,
    progress: Progress = print,
    limit: int | None = None,
    precision: str = "auto",
) -> str:
    """Try every way on `engine`; returns the report (Markdown). The fastest that passes is written to `folder/int8`.

    `data` is a folder of labelled lines: half of them calibrate, the other half judges (at most `limit` of either).
    `precision` is that of all other arithmetic. Raises ModelError where NNCF is not installed.
    """
    if importlib.util.find_spec("nncf") is None:
        raise ModelError(reason="8-bit needs NNCF: run `pip install nncf` and try again.")
    facts = models.facts(engine)
    lines = list(labelled.lines(data))
    calibration = [line for line in lines if line.fits][: min(CALIBRATION_LINES, limit or CALIBRATION_LINES)]
    held = [line for line in lines if not line.fits][:limit]
    base = CtcRecogniser(facts, folder, precision)
    inputs = [x for line in calibration for x in base.inputs(line.crop)]
    progress(f"{engine}: {len(calibration)} lines calibrate, {len(held)} judge")
    file = models.place(folder, facts.weight(facts.recogniser["weight"]))
    outcomes = [measure(arithmetic(precision), base, held, file, memory(facts, folder, held, precision), (0, 0))]
    best: tuple[float, Path] | None = None
    with tempfile.TemporaryDirectory(prefix=".int8-", dir=folder) as name:
        for number, (way, small) in enumerate(
            ways(rank(CtcRecogniser(facts, folder, "f32"), file, inputs[: 2 * RANKING_LINES], progress))
        ):
            progress(f"trying: {way}")
            place = Path(name) / str(number)
            counts = write(facts, folder, place, base.alphabet, inputs, small)
            trial_facts = models.load_facts(place / "facts.toml")
            trial = CtcRecogniser(trial_facts, place, precision)
            rss_mib = memory(trial_facts, place, held, precision)
            outcome = measure(way, trial, held, place / "model.bin", rss_mib, counts)
            outcomes.append(outcome)
            progress(f"exact {outcome.exact:.4f}, {outcome.ms:.1f} ms a line")
            fast = outcome.ms * FASTER <= outcomes[0].ms
            if outcome.exact >= outcomes[0].exact - GATE and fast and (best is None or outcome.ms < best[0]):
                best = (outcome.ms, place)
        goal = folder / SUBFOLDER / engine
        if goal.exists():
            shutil.rmtree(goal)
        if best is not None:
            goal.parent.mkdir(exist_ok=True)
            best[1].rename(goal)
    return report(engine, outcomes, goal if best else None, len(held))


def rank(
    base: CtcRecogniser, file: Path, inputs: Sequence[NDArray[np.float32]], progress: Progress
) -> list[tuple[str, float]]:
    """Every layer with the damage it does as the only one in 8 bits, least first: mean change of the best score a step."""
    half = len(inputs) // 2
    names = _heavy(core().read_model(str(file)))
    truth = [base.session(x, base.allow_all) for x in inputs[half:]]
    damage = []
    for name in names:
        graph = eight_bits(core().read_model(str(file)), inputs[:half], [name])
        request = core().compile_model(ctc.top_graph(graph, len(base.alphabet)), "CPU", CONFIG).create_infer_request()
        changes = []
        for x, (scores, classes) in zip(inputs[half:], truth, strict=True):
            request.infer([x, base.allow_all])
            ours, theirs = request.get_output_tensor(0).data, request.get_output_tensor(1).data
            same = theirs[..., 0] == classes[..., 0]
            changes.append(float(np.where(same, np.abs(ours[..., 0] - scores[..., 0]), 1).mean()))
        damage.append((name, sum(changes) / len(changes)))
        progress(f"{name}: {damage[-1][1]:.4f}")
    return sorted(damage, key=lambda row: row[1])


def ways(ranking: Sequence[tuple[str, float]]) -> list[tuple[str, list[str] | None]]:
    """What is tried: a name, and which layers become 8-bit; None stores the weights so and leaves the arithmetic."""
    found: list[tuple[str, list[str] | None]] = []
    for share in SHARES:
        way = "all layers" if share == 1 else f"the calmest {share:.0%} of the layers"
        found.append((way, [name for name, _ in ranking[: round(share * len(ranking))]]))
    return [*found, (WEIGHTS_ONLY, None)]


def eight_bits(graph: Any, inputs: Sequence[NDArray[np.float32]], small: Sequence[str] | None) -> Any:
    """The graph with the layers in `small` in 8 bits and everything else in float32; with None only stored weights are."""
    nncf: Any = importlib.import_module("nncf")
    logging.getLogger("nncf").setLevel(logging.ERROR)
    if small is None:
        return nncf.compress_weights(graph)
    chosen = set(small)
    kept = [
        node.get_friendly_name()
        for node in graph.get_ordered_ops()
        if node.get_type_name() not in NO_ARITHMETIC and node.get_friendly_name() not in chosen
    ]
    scope = nncf.IgnoredScope(names=kept, validate=False)
    # Asymmetric: what comes out of a GELU is hardly below zero, so half of a symmetric scale would stay empty.
    preset = nncf.QuantizationPreset.MIXED
    return nncf.quantize(graph, nncf.Dataset(inputs), preset=preset, subset_size=len(inputs), ignored_scope=scope)


def write(
    facts: Facts,
    folder: Path,
    place: Path,
    alphabet: Sequence[str],
    inputs: Sequence[NDArray[np.float32]],
    small: Sequence[str] | None,
) -> tuple[int, int]:
    """Quantize one way and write model, vocabulary and facts to `place`; returns (8-bit layers, all with weights)."""
    openvino: Any = importlib.import_module("openvino")
    weight = facts.weight(facts.recogniser["weight"])
    graph = eight_bits(core().read_model(str(models.place(folder, weight))), inputs, small)
    place.mkdir()
    openvino.save_model(graph, str(place / "model.xml"), compress_to_fp16=False)
    (place / "vocab.txt").write_text("\n".join(alphabet[1:]) + "\n", encoding="utf-8")
    rows = []
    for name, file in (("model", "model.xml"), ("keys", "vocab.txt")):
        path = place / file
        rows += ["[[weight]]", f'name = "int8_{name}"', f'file = "{file}"', f'sha256 = "{models.sha256(path)}"']
        rows += [
            f"bytes = {path.stat().st_size}",
            f'licence = "{weight.licence}"',
            f'version = "{weight.version}-int8"',
        ]
        rows += [f'about = "{weight.about} 8-bit."', ""]
    how = dict(facts.recogniser) | {"weight": "int8_model", "vocabulary": "file:int8_keys", "classes": len(alphabet)}
    for key in ("extra_characters", "blanks"):
        how.pop(key, None)
    rows += ["[recogniser]", *(f"{key} = {_toml(value)}" for key, value in how.items())]
    (place / "facts.toml").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return _counts(graph)


def measure(
    way: str,
    engine: CtcRecogniser,
    held: Sequence[labelled.Labelled],
    file: Path,
    rss_mib: float,
    counts: tuple[int, int],
) -> Outcome:
    """Read the held lines with one recogniser."""
    engine.read([line.crop for line in held[:8]])  # prepares the commonest shapes
    edits, seconds = [], 0.0
    for line in held:
        began = time.process_time()
        (reading,) = engine.read([line.crop])
        seconds += time.process_time() - began
        edits.append(line.edits(reading.text))
    return Outcome(
        way=way,
        exact=sum(count == 0 for count in edits) / len(held),
        cer=sum(edits) / sum(len(line.want) for line in held),
        ms=seconds / len(held) * 1e3,
        megabytes=file.stat().st_size / 1e6,
        rss_mib=rss_mib,
        layers_8bit=counts[0],
        layers=counts[1],
    )


def memory(facts: Facts, folder: Path, held: Sequence[labelled.Labelled], precision: str) -> float:
    """MiB that a process of its own holds after reading some lines with the model."""
    crops = [line.crop for line in held[:MEMORY_LINES]]
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_rss_after, facts, folder, crops, precision).result()


def _rss_after(facts: Facts, folder: Path, crops: Sequence[Crop], precision: str) -> float:
    CtcRecogniser(facts, folder, precision).read(crops)
    return resident_mb() * 1e6 / 2**20


def report(engine: str, outcomes: Sequence[Outcome], goal: Path | None, lines: int) -> str:
    """What was tried, and what came of it."""
    rows = [
        f"# 8-bit {engine}",
        "",
        f"Measured on {lines} labelled lines that calibrated nothing. The gate: at most {GATE:.1%} of the lines lost, "
        f"and at least {FASTER:.2f} times as fast. Milliseconds are processor time a line on one thread.",
        "",
        "| way | 8-bit layers | exact | CER | ms a line | file, MB | memory, MiB | passes |",
        "|---|---|---|---|---|---|---|---|",
    ]
    base = outcomes[0]
    for row in outcomes:
        exact, fast = row.exact >= base.exact - GATE, row.ms * FASTER <= base.ms
        verdict = (
            "the model as it is"
            if row is base
            else "yes"
            if exact and fast
            else "no, slow"
            if exact
            else "no, reads worse"
        )
        layers = f"{row.layers_8bit} of {row.layers}" if row.layers else "none"
        rows.append(
            f"| {row.way} | {layers} | {row.exact:.4f} | {row.cer:.4f} | {row.ms:.1f} | {row.megabytes:.1f} | "
            f"{row.rss_mib:.0f} | {verdict} |"
        )
    if goal is None:
        rows += ["", "No way passes: the feature stays off, and the model is served as it is."]
    else:
        rows += ["", f"Kept in {goal} and served from the next start on."]
        rows += [
            "The cascade's gate was fitted to the model as it was: fit it again (`python -m worker.reading.fit_gates`)."
        ]
    return "\n".join(rows) + "\n"


def _counts(graph: Any) -> tuple[int, int]:
    """(layers whose weights are stored in 8 bits, layers with weights)."""
    layers = [node for node in graph.get_ordered_ops() if _has_weight(node)]
    return sum(any(kind in ("i8", "u8") for kind in _stored(node)) for node in layers), len(layers)


def _has_weight(node: Any) -> bool:
    return node.get_type_name() in LAYERS and any(_stored(node))


def _heavy(graph: Any) -> list[str]:
    """The layers worth rounding: those with at least HEAVY of all weights. The others take no time and stay as they are."""
    sizes = {
        node.get_friendly_name(): sum(_elements(node.input_value(i)) for i in range(1, node.get_input_size()))
        for node in graph.get_ordered_ops()
        if _has_weight(node)
    }
    return [name for name, size in sizes.items() if size >= HEAVY * sum(sizes.values())]


def _elements(value: Any) -> int:
    shape = value.get_partial_shape()
    return int(np.prod([dimension.get_length() for dimension in shape])) if shape.is_static else 0


def _stored(node: Any) -> list[str]:
    """The types in which a layer's weights are stored, behind their conversions; "" for an input that is no weight."""
    found = []
    for i in range(1, node.get_input_size()):
        source = node.input_value(i).get_node()
        while source.get_type_name() in CONVERSIONS and source.get_input_size():
            source = source.input_value(0).get_node()
        constant = source.get_type_name() == "Constant"
        found.append(str(source.get_element_type().get_type_name()) if constant else "")
    return found


def _toml(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return "[" + ", ".join(_toml(item) for item in value) + "]" if isinstance(value, list) else str(value)
