"""A ModelScope OCR model -> ONNX, with what its own pipeline says to some pictures. A script of its own.

    python export.py SOURCE OUT [--sample PICTURE ...]

SOURCE is `modelscope:OWNER/NAME` or a folder of ModelScope's form. Runs under any Python that has modelscope, torch and
onnx, and imports nothing else of this program. Writes `model.onnx`, `vocab.txt`, `reference.npz` and `export.json` into
OUT. A failure is one JSON line on stdout, {"problem": sentence}, and exit code 3.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import re
import sys
import time
from pathlib import Path
from typing import Any

EXIT_PROBLEM = 3
RECOGNISERS = {"CRNN": 1, "ConvNextViT": 2, "LightweightEdge": 2}  # -> class of the first character in vocab.txt
BACKBONES = ("resnet18", "resnet50", "proxylessnas")
CHUNK_PX, CHUNK_SHIFT_PX, CHUNKS = 300, 252, 3  # ConvNextViT reads a line as three overlapping pieces
DETECTOR_MEAN = (123.68, 116.78, 103.94)  # what modelscope takes off blue, green and red, before it divides by 255
PAGES_PX = ((320, 320), (480, 360))  # of the pictures that a detector is compared on
DRAWN = ("OCR ready 2025", "The quick brown fox jumps over the lazy dog 0123456789", "A", "invoice 4711, 12.50")
TIMED_RUNS = 3
OPSET = 17


class Problem(Exception):
    """What went wrong, in words for a person."""


def main() -> int:
    """Run; returns the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("source")
    parser.add_argument("out", type=Path)
    parser.add_argument("--sample", type=Path, action="append", default=[])
    options = parser.parse_args()
    try:
        folder = find(options.source)
        print(json.dumps(export(folder, options.out, options.sample)))
    except Problem as problem:
        print(json.dumps({"problem": str(problem)}, ensure_ascii=False))
        return EXIT_PROBLEM
    return 0


def find(source: str) -> Path:
    """The folder of the model, downloaded where it is named by its place on the hub. Raises Problem."""
    if not source.startswith("modelscope:"):
        folder = Path(source)
        if not (folder / "configuration.json").is_file():
            raise Problem(f"{folder} is no folder of ModelScope's form: it has no configuration.json.")
        return folder
    name = source.removeprefix("modelscope:")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        raise Problem(f"{name!r} is no model of ModelScope's hub: it must be OWNER/NAME.")
    try:
        return Path(importlib.import_module("modelscope").snapshot_download(name))
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise Problem(
            f"ModelScope's hub did not give {name}: {reason} Download it elsewhere and give its folder instead."
        ) from error


def export(folder: Path, out: Path, samples: list[Path]) -> dict[str, Any]:
    """Load with modelscope's own classes, export, and record what its pipeline answers. Raises Problem."""
    settings = json.loads((folder / "configuration.json").read_text(encoding="utf-8"))
    model = settings.get("model", {})
    task = settings.get("task", "")
    if task == "ocr-recognition" and model.get("recognizer") in RECOGNISERS:
        kind = "recogniser"
    elif task == "ocr-detection" and model.get("backbone") in BACKBONES:
        kind = "detector"
    else:
        what = model.get("recognizer") or model.get("backbone") or model.get("model_type") or "of no known kind"
        raise Problem(
            f"{folder} holds a model for {task or 'no task'} ({what}); known are the recognisers "
            f"{', '.join(RECOGNISERS)} and DBNet detectors on {', '.join(BACKBONES)}."
        )
    pipeline = load(task, folder)
    facts = {"kind": kind, "architecture": model.get("recognizer") or model.get("backbone"), **about(folder)}
    work, own = (recogniser, drawn()) if kind == "recogniser" else (detector, drawn_pages())
    pictures = [*own, *(opened(path) for path in samples)]
    facts |= work(pipeline, folder, out, pictures, model.get("inference_kwargs", {}))
    (out / "export.json").write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
    return facts


def load(task: str, folder: Path) -> Any:
    """ModelScope's own pipeline on the folder. Raises Problem."""
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)
    try:
        return importlib.import_module("modelscope.pipelines").pipeline(task, model=str(folder), device="cpu")
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1][:300]
        lacking = re.search(r"No module named '(\w+)", reason)
        advice = f": run `pip install {lacking.group(1)}` for {sys.executable}" if lacking else ""
        raise Problem(f"modelscope could not load {folder}: {reason}{advice}") from error


def about(folder: Path) -> dict[str, str]:
    """Licence as the model's card says, and a version that changes with the weights."""
    card = folder / "README.md"
    found = re.search(r"^license:\s*(.+)$", card.read_text(encoding="utf-8"), re.M) if card.is_file() else None
    with (folder / "pytorch_model.pt").open("rb") as weights:
        digest = hashlib.file_digest(weights, "sha256").hexdigest()
    return {"licence": found.group(1).strip() if found else "see its card", "version": digest[:12]}


def drawn() -> list[Any]:
    """Pictures of lines to compare on where none are given."""
    image, draw, font = (importlib.import_module(f"PIL.{name}") for name in ("Image", "ImageDraw", "ImageFont"))
    pictures = []
    for text in DRAWN:
        face = font.load_default(size=26)
        picture = image.new("RGB", (int(face.getlength(text)) + 12, 40), "white")
        draw.Draw(picture).text((6, 4), text, fill="black", font=face)
        pictures.append(picture)
    return pictures


def drawn_pages() -> list[Any]:
    """Small pages of a few lines to compare detectors on where none are given."""
    image = importlib.import_module("PIL.Image")
    pages = []
    for size in PAGES_PX:
        page = image.new("RGB", size, "white")
        for row, line in enumerate(drawn()):
            page.paste(line, (10 + 25 * row, 15 + 70 * row))
        pages.append(page)
    return pages


def opened(path: Path) -> Any:
    """A picture from a file. Raises Problem."""
    try:
        return importlib.import_module("PIL.Image").open(path).convert("RGB")
    except OSError as error:
        raise Problem(f"{path} is no picture: {error}") from error


def recogniser(pipeline: Any, folder: Path, out: Path, pictures: list[Any], how: dict[str, Any]) -> dict[str, Any]:
    """Export the recogniser so that it takes a whole line (1, 3, height, width) and gives logits (1, steps, classes)."""
    torch = importlib.import_module("torch")
    numpy = importlib.import_module("numpy")
    core, chunked = pipeline.model.recognizer.eval(), bool(how["do_chunking"])
    height = int(how["img_height"])
    width = CHUNK_SHIFT_PX * (CHUNKS - 1) + CHUNK_PX if chunked else int(how["img_width"])

    class Line(torch.nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.core = core

        def forward(self, x: Any) -> Any:
            if chunked:
                starts = [CHUNK_SHIFT_PX * i for i in range(CHUNKS)]
                x = torch.cat([x[:, :, :, start : start + CHUNK_PX] for start in starts], 0)
            return self.core(x)

    line = Line().eval()
    write_onnx(line, torch.zeros(1, 3, height, width), out / "model.onnx", {} if chunked else {"x": {3: "width"}})
    kept: dict[str, Any] = {}
    for i, picture in enumerate(pictures):
        prepared = pipeline.preprocessor(picture)["image"]
        with torch.no_grad():
            logits = core(prepared)
            began = time.perf_counter()
            for _ in range(TIMED_RUNS):
                answer = pipeline(picture)
            seconds = (time.perf_counter() - began) / TIMED_RUNS
        text = answer["text"]
        kept[f"input{i}"] = unchunk(prepared, chunked).numpy()
        kept[f"logits{i}"] = logits.numpy()
        kept[f"text{i}"] = numpy.array(text[0] if isinstance(text, list) else text)
        kept[f"picture{i}"] = numpy.asarray(picture)[:, :, ::-1]
        kept[f"ms{i}"] = numpy.array(seconds * 1e3)
    numpy.savez_compressed(out / "reference.npz", **kept)
    (out / "vocab.txt").write_bytes((folder / "vocab.txt").read_bytes())
    return {
        "height": height,
        "width": width,
        "fixed_width": chunked,
        "first_character": RECOGNISERS[type(core).__name__],
        "classes": int(kept["logits0"].shape[-1]),
        "samples": len(pictures),
    }


def unchunk(prepared: Any, chunked: bool) -> Any:
    """The whole line (1, 3, height, width) out of the pieces that ModelScope's preprocessor made."""
    if not chunked:
        return prepared
    torch = importlib.import_module("torch")
    return torch.cat([*(prepared[i : i + 1, :, :, :CHUNK_SHIFT_PX] for i in range(CHUNKS - 1)), prepared[-1:]], 3)


def detector(pipeline: Any, folder: Path, out: Path, pictures: list[Any], how: dict[str, Any]) -> dict[str, Any]:
    """Export the DBNet so that it takes (1, 3, height, width) and gives the map of text probabilities."""
    torch = importlib.import_module("torch")
    numpy = importlib.import_module("numpy")
    core = pipeline.model.detector.eval()

    class Map(torch.nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.core = core

        def forward(self, x: Any) -> Any:
            return self.core(x)

    write_onnx(Map().eval(), torch.zeros(1, 3, 736, 736), out / "model.onnx", {"x": {2: "height", 3: "width"}})
    kept: dict[str, Any] = {}
    for i, picture in enumerate(pictures):
        prepared = pipeline.preprocessor(picture)["img"]
        with torch.no_grad():
            kept[f"input{i}"], kept[f"logits{i}"] = prepared.numpy(), core(prepared).numpy()
    numpy.savez_compressed(out / "reference.npz", **kept)
    return {
        "short_side": int(how["image_short_side"]),
        "threshold": float(how["thresh"]),
        "mean": [round(mean / 255, 6) for mean in DETECTOR_MEAN],
        "samples": len(pictures),
    }


def write_onnx(module: Any, example: Any, path: Path, dynamic: dict[str, dict[int, str]]) -> None:
    """Write the graph as torch traces it. Raises Problem."""
    torch = importlib.import_module("torch")
    try:
        torch.onnx.export(
            module, (example,), str(path), input_names=["x"], output_names=["y"],
            dynamic_axes=dynamic, opset_version=OPSET, dynamo=False,
        )  # fmt: skip
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        raise Problem(f"torch could not write the model as ONNX: {reason}") from error


if __name__ == "__main__":
    sys.exit(main())
