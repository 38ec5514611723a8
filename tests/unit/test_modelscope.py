"""ModelScope models: every failure is a sentence; and, where modelscope is installed, a model in its real architecture."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from worker.reading.engines import load_detector, load_recogniser
from worker.reading.models import ModelError, find
from worker.reading.modelscope_import import add
from worker.reading.tiles import Tile

PYTHON = os.environ.get("OCRFLEET_MODELSCOPE_PYTHON", sys.executable)
SEED = """
import json, pathlib, sys, torch
from modelscope.models.cv.ocr_recognition.modules.CRNN.main_model import CRNN
torch.manual_seed(7)
out, model = pathlib.Path(sys.argv[1]), CRNN().eval()
with torch.no_grad():
    model.cls.weight *= 200  # an untrained head is all but flat: logits must be of a trained one's size to compare
torch.save(model.state_dict(), out / "pytorch_model.pt")
(out / "vocab.txt").write_text("".join(chr(0x4E00 + i) + chr(10) for i in range(7643)), encoding="utf-8")
"""
SEED_DETECTOR = """
import pathlib, sys, torch
from modelscope.models.cv.ocr_detection.modules.dbnet import DBModel
torch.manual_seed(7)
model = DBModel().eval()
with torch.no_grad():
    last = [layer for layer in model.modules() if isinstance(layer, torch.nn.ConvTranspose2d)][1]
    last.weight *= 40  # an untrained map is all but flat: it must run from 0 to 1 to compare
torch.save(model.state_dict(), pathlib.Path(sys.argv[1]) / "pytorch_model.pt")
"""
OFFICIAL_MAP = """
import sys, numpy, torch
from modelscope.pipelines import pipeline
found = pipeline("ocr-detection", model=sys.argv[1], device="cpu")
with torch.no_grad():
    seen = found.preprocessor(numpy.load(sys.argv[2])[:, :, ::-1])["img"]
    numpy.save(sys.argv[3], found.model.detector.eval()(seen).numpy()[0, 0])
"""


def has_modelscope() -> bool:
    try:
        add.require(PYTHON)
    except ModelError:
        return False
    return True


def folder_of(path: Path, recogniser: str = "CRNN") -> Path:
    path.mkdir(exist_ok=True)
    how = {"img_height": 32, "img_width": 640, "do_chunking": False}
    settings = {
        "framework": "pytorch",
        "task": "ocr-recognition",
        "model": {"type": "OCRRecognition", "recognizer": recogniser, "inference_kwargs": how},
        "preprocessor": {"type": "ocr-recognition"},
        "pipeline": {"type": "convnextTiny-ocr-recognition"},
    }
    (path / "configuration.json").write_text(json.dumps(settings), encoding="utf-8")
    return path


def detector_folder_of(path: Path) -> Path:
    path.mkdir()
    how = {"image_short_side": 736, "thresh": 0.2, "return_polygon": False}
    settings = {
        "framework": "pytorch",
        "task": "ocr-detection",
        "model": {"type": "OCRDetection", "model_type": "DBNet", "backbone": "resnet18", "inference_kwargs": how},
        "preprocessor": {"type": "ocr-detection"},
        "pipeline": {"type": "resnet18-ocr-detection"},
    }
    (path / "configuration.json").write_text(json.dumps(settings), encoding="utf-8")
    return path


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretends that this interpreter has modelscope: `export.py` says what is wrong before it needs it."""
    monkeypatch.setattr(add, "require", lambda interpreter: None)


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="torch is installed here")
def test_without_torch_a_sentence_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no torch.*pip install 'ocrfleet\[modelscope\]'"):
        add.add(str(tmp_path), tmp_path / "models", python=sys.executable)
    assert not (tmp_path / "models").exists()


@pytest.mark.usefixtures("ready")
def test_a_folder_of_another_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no configuration\.json"):
        add.add(str(tmp_path / "nowhere"), tmp_path / "models", progress=lambda text: None)


@pytest.mark.usefixtures("ready")
def test_a_model_of_another_kind_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    source = folder_of(tmp_path / "source", recogniser="Transformer")
    with pytest.raises(ModelError, match=r"Transformer.*CRNN, ConvNextViT, LightweightEdge"):
        add.add(str(source), tmp_path / "models", progress=lambda text: None)
    assert list((tmp_path / "models").iterdir()) == []


@pytest.mark.usefixtures("ready")
def test_a_name_that_is_none_is_refused_before_the_hub_is_asked(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="must be OWNER/NAME"):
        add.add("modelscope:crnn", tmp_path / "models", progress=lambda text: None)


def test_logits_that_differ_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(add, "Session", lambda path, precision: lambda x: [x + 0.01])
    kept = {"input0": np.zeros((1, 3, 4), np.float32), "logits0": np.zeros((1, 3, 4), np.float32)}
    with pytest.raises(ModelError, match=r"differs from modelscope's by 0\.01"):
        add.compare(tmp_path, kept, 1)


def test_without_an_added_model_the_engine_says_how_to_add_one(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="ocrfleet models add"):
        load_recogniser("modelscope", tmp_path)


@pytest.mark.skipif(not has_modelscope(), reason=f"torch, modelscope and onnx are not installed for {PYTHON}")
def test_a_crnn_is_exported_reads_as_the_pipeline_and_is_served(tmp_path: Path) -> None:
    source = folder_of(tmp_path / "source")
    subprocess.run([PYTHON, "-c", SEED, str(source)], check=True, capture_output=True)
    models = tmp_path / "models"

    report = add.add(str(source), models, progress=lambda text: None, python=PYTHON)
    assert "Same text on all 4 pictures at its padded width (640 px)." in report
    assert "x as fast" in report

    engine = load_recogniser("modelscope", models)
    assert len(engine.vocabulary) == 7643
    (reading,) = engine.read([np.random.default_rng(1).integers(0, 255, (40, 300, 3)).astype(np.uint8)])
    assert reading.engine == "modelscope"
    assert reading.text
    assert add.drop(models)
    with pytest.raises(ModelError):
        load_recogniser("modelscope", models)


@pytest.mark.skipif(not has_modelscope(), reason=f"torch, modelscope and onnx are not installed for {PYTHON}")
def test_a_dbnet_is_exported_and_served_with_the_map_of_the_official_network(tmp_path: Path) -> None:
    source = detector_folder_of(tmp_path / "source")
    subprocess.run([PYTHON, "-c", SEED_DETECTOR, str(source)], check=True, capture_output=True)
    models = tmp_path / "models"
    report = add.add(str(source), models, progress=lambda text: None, python=PYTHON)
    assert "it finds the lines of pages read with engine `modelscope`" in report

    # As high and as wide as the official pipeline wants its pictures, so that neither of the two scales it.
    page = cv2.resize(np.random.default_rng(1).integers(0, 255, (46, 46, 3)).astype(np.uint8), (736, 736))
    np.save(tmp_path / "page.npy", page)
    command = [PYTHON, "-c", OFFICIAL_MAP, str(source), str(tmp_path / "page.npy"), str(tmp_path / "map.npy")]
    subprocess.run(command, check=True, capture_output=True)
    official = np.load(tmp_path / "map.npy")
    assert official.max() - official.min() > 0.5

    detector, version = load_detector("modelscope", models, precision="f32")
    assert version.startswith("resnet18-")
    ours = detector.probability(page, [Tile(0, 0, 736, 736, 0, 0, 736, 736)])
    assert float(np.abs(ours - official).max()) < 1e-3


def test_pages_of_other_engines_keep_their_own_detector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Path, str, str]] = []
    monkeypatch.setattr("worker.reading.detect.Detector.load", lambda *how: asked.append(how))
    for engine in ("auto", "modelscope"):  # none was added, so that even modelscope reads with it
        _, version = load_detector(engine, tmp_path, "f32")
        assert version == find("ppocrv6_det").version
    assert asked == [(tmp_path, "ppocrv6_det", "f32")] * 2
