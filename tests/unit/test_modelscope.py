"""ModelScope models: every failure is a sentence; and, where modelscope is installed, a model in its real architecture."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from worker.reading.engines import load_recogniser
from worker.reading.models import ModelError
from worker.reading.modelscope_import import add

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
    monkeypatch.setattr(add, "Session", lambda path: lambda x: [x + 0.01])
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
