"""The small detector: drawn pages are repeatable, a DBNet runs in torch as in OpenVINO, learns its teacher's map, and is served."""

# ruff: noqa: E402 - imports follow the checks that skip where a package is missing
from __future__ import annotations

import pathlib

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch: pip install ocrfleet[train]")
onnx = pytest.importorskip("onnx", reason="training needs onnx: pip install ocrfleet[train]")
pytest.importorskip("openvino")
pytest.importorskip("wordfreq", reason="the renderer needs word lists: pip install ocrfleet[train]")

from onnx import TensorProto, helper, numpy_helper

from tests.unit.test_training import needs_fonts
from training import detector
from training.onnx_module import OnnxModule
from training.pages import Pages
from training.relative_adam import RelativeAdam
from worker.reading.detect import Detector
from worker.reading.runtime import Session

CHARACTERS = [chr(code) for code in range(33, 127)]


def small_detector(folder: pathlib.Path, seed: int) -> pathlib.Path:
    """What PP-OCR's detectors are made of, in small: (1, 3, rows, columns) -> (1, 1, rows, columns)."""
    draw = np.random.default_rng(seed)

    def weight(name: str, *shape: int) -> onnx.TensorProto:
        return numpy_helper.from_array((draw.standard_normal(shape) * 0.4).astype(np.float32), name)

    plain = {"dilations": [1, 1], "group": 1}
    half = {**plain, "strides": [2, 2], "pads": [1, 1, 1, 1], "kernel_shape": [3, 3]}
    point = {**plain, "strides": [1, 1], "pads": [0, 0, 0, 0], "kernel_shape": [1, 1]}
    up = {**plain, "strides": [2, 2], "pads": [0, 0, 0, 0], "kernel_shape": [2, 2]}
    nearest = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    nodes = [
        helper.make_node("Conv", ["x", "one"], ["a"], **half),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "two"], ["c"], **half),
        helper.make_node("GlobalAveragePool", ["c"], ["d"]),
        helper.make_node("HardSigmoid", ["d"], ["e"], alpha=0.2, beta=0.5),
        helper.make_node("Mul", ["c", "e"], ["f"]),
        helper.make_node("Resize", ["f", "none", "twice"], ["g"], **nearest),
        helper.make_node("Concat", ["b", "g"], ["h"], axis=1),
        helper.make_node("Conv", ["h", "three"], ["i"], **point),
        helper.make_node("ConvTranspose", ["i", "four"], ["j"], **up),
        helper.make_node("Add", ["j", "shift"], ["k"]),
        helper.make_node("Sigmoid", ["k"], ["y"]),
    ]
    weights = [
        weight("one", 16, 3, 3, 3),
        weight("two", 16, 16, 3, 3),
        weight("three", 8, 32, 1, 1),
        weight("four", 8, 1, 2, 2),
        numpy_helper.from_array(np.full((1, 1, 1, 1), -0.3, np.float32), "shift"),
        numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "twice"),
        numpy_helper.from_array(np.zeros(0, np.float32), "none"),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 3, None, None])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 1, None, None])
    graph = helper.make_graph(nodes, "small", [x], [y], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    file = folder / f"small{seed}.onnx"
    onnx.save(model, str(file))
    return file


def test_a_detector_runs_in_torch_as_it_runs_in_openvino(tmp_path: pathlib.Path) -> None:
    file = small_detector(tmp_path, 1)
    x = np.random.default_rng(1).uniform(-1, 1, (2, 3, 64, 96)).astype(np.float32)
    module = OnnxModule(file)
    assert "twice" not in module.names, "by how much a map is enlarged is no weight"
    with torch.no_grad():
        np.testing.assert_allclose(module(torch.from_numpy(x)).numpy(), Session(file, precision="f32")(x)[0], atol=1e-5)


def test_the_pupil_learns_the_teachers_map_and_is_served_with_it(tmp_path: pathlib.Path) -> None:
    teacher, pupil = small_detector(tmp_path, 2), small_detector(tmp_path, 3)
    pictures = np.random.default_rng(4).integers(0, 255, (3, 160, 160, 3), dtype=np.uint8)
    x = detector.normalise(pictures)
    want = torch.from_numpy(detector.asked(teacher)(x))
    module = detector.logits_of(pupil)
    steps, losses = RelativeAdam(list(module.parameters())), []
    for _ in range(80):
        loss = detector.loss_of(module(torch.from_numpy(x))[:, 0], want)
        module.zero_grad()
        loss.backward()
        steps.step(0.02)
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.4 * losses[0]
    assert float(detector.loss_of(torch.logit(want), want)) < 1e-4, "of the teacher's own answers nothing is asked"

    mean = {name: module.weights[key].detach() for name, key in module.names.items()}
    torch.save({"mean": mean}, tmp_path / "last.pt")
    digest = detector.export(pupil, tmp_path / "last.pt", tmp_path / "taught.onnx", {"ocrfleet.version": "1"})
    assert len(digest) == 64
    with torch.no_grad():
        expected = torch.sigmoid(module(torch.from_numpy(x[:1])))[0, 0].numpy()
    served = Detector(tmp_path / "taught.onnx", precision="f32")
    np.testing.assert_allclose(served.probability(pictures[0]), expected, atol=5e-3)
    again = detector.logits_of(tmp_path / "taught.onnx")  # training goes on from what was written
    for name, key in again.names.items():
        np.testing.assert_allclose(again.weights[key].detach().numpy(), mean[name].numpy(), atol=5e-3)


def test_a_graph_that_ends_otherwise_is_no_detector(tmp_path: pathlib.Path) -> None:
    file = small_detector(tmp_path, 5)
    model = onnx.load(str(file))
    model.graph.node[-1].op_type = "Relu"
    onnx.save(model, str(file))
    with pytest.raises(ValueError, match="ends in Relu"):
        detector.logits_of(file)


@needs_fonts
def test_a_seed_draws_one_page_and_pages_hold_text() -> None:
    pages = Pages(CHARACTERS, 160)
    first = [pages.sample(seed) for seed in range(12)]
    for seed in (0, 7):
        np.testing.assert_array_equal(pages.sample(seed), first[seed])
    assert {page.shape for page in first} == {(160, 160, 3)}
    assert sum(float(page.std()) > 10 for page in first) >= 8


@needs_fonts
def test_every_part_is_shown_as_often_and_with_the_teachers_answer() -> None:
    shown: dict[bytes, list[int]] = {}
    batches = detector.drawn(Pages(CHARACTERS, 64), 5, lambda x: (x.mean(1) + 1) / 2)
    for _ in range(2 * detector.POOL // detector.BATCH):
        pictures, want = next(batches)
        for picture, answer in zip(pictures, want, strict=True):
            shown.setdefault(picture.tobytes(), []).append(1)
            grey = picture.astype(np.float32).mean(2)
            assert np.abs(grey - answer).max() <= 1.5
    assert max(len(times) for times in shown.values()) == detector.TIMES
