"""Robust weights: a published graph runs in torch as it runs in OpenVINO, learns, and comes back as a file that is served."""

# ruff: noqa: E402 - imports follow the checks that skip where a package is missing
from __future__ import annotations

import pathlib
import random

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch: pip install ocrfleet[train]")
onnx = pytest.importorskip("onnx", reason="training needs onnx: pip install ocrfleet[train]")
pytest.importorskip("openvino")

from onnx import TensorProto, helper, numpy_helper

from training import damage, harmed, robust
from training.onnx_module import OnnxModule
from training.relative_adam import RelativeAdam
from worker.reading import retrained
from worker.reading.runtime import Session

CLASSES = ["a", "b", "c"]


def small_recogniser(folder: pathlib.Path) -> pathlib.Path:
    """What PP-OCR's recognisers are made of, in small: (1, 3, 48, width) -> (1, width / 8, blank, a, b, c and the space)."""
    draw = np.random.default_rng(4)

    def weight(name: str, *shape: int) -> onnx.TensorProto:
        return numpy_helper.from_array((draw.standard_normal(shape) * 0.3).astype(np.float32), name)

    def number(name: str, value: float) -> onnx.TensorProto:
        return numpy_helper.from_array(np.array(value, np.float32), name)

    flat = {"strides": [8, 8], "pads": [0, 0, 0, 0], "dilations": [1, 1], "group": 1, "kernel_shape": [8, 8]}
    nodes = [
        helper.make_node("Conv", ["x", "first"], ["c0"], **flat),
        helper.make_node("Add", ["c0", "shift"], ["c1"]),
        helper.make_node("Identity", ["c1"], ["c2"]),
        helper.make_node("Div", ["c2", "root"], ["g0"]),
        helper.make_node("Erf", ["g0"], ["g1"]),
        helper.make_node("Add", ["g1", "one"], ["g2"]),
        helper.make_node("Mul", ["c2", "g2"], ["g3"]),
        helper.make_node("Mul", ["g3", "half"], ["g4"]),
        helper.make_node("AveragePool", ["g4"], ["p"], kernel_shape=[6, 1], strides=[6, 1]),
        helper.make_node("Squeeze", ["p"], ["s"], axes=[2]),
        helper.make_node("Transpose", ["s"], ["t"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["t", "last"], ["m"]),
        helper.make_node("Add", ["m", "bias"], ["a"]),
        helper.make_node("Softmax", ["a"], ["y"], axis=2),
    ]
    weights = [weight("first", 4, 3, 8, 8), weight("shift", 1, 4, 1, 1), weight("last", 4, 5), weight("bias", 5)]
    weights += [number("root", 2**0.5), number("one", 1), number("half", 0.5)]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 3, 48, None])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, None, 5])
    model = helper.make_model(
        helper.make_graph(nodes, "small", [x], [y], weights), opset_imports=[helper.make_opsetid("", 11)]
    )
    model.ir_version = 8
    helper.set_model_props(model, {"character": "\n".join(CLASSES)})
    file = folder / "small.onnx"
    onnx.save(model, str(file))
    return file


def test_a_graph_runs_in_torch_as_it_runs_in_openvino(tmp_path: pathlib.Path) -> None:
    file = small_recogniser(tmp_path)
    x = np.random.default_rng(1).uniform(-1, 1, (2, 3, 48, 64)).astype(np.float32)
    module = OnnxModule(file)
    assert [step.operator for step in module.steps] == [
        "Conv", "Gelu", "AveragePool", "Squeeze", "Transpose", "MatMul", "Add", "Softmax",
    ]  # fmt: skip
    with torch.no_grad():
        np.testing.assert_allclose(module(torch.from_numpy(x)).numpy(), Session(file, precision="f32")(x)[0], atol=1e-5)


def test_an_unknown_operator_is_named(tmp_path: pathlib.Path) -> None:
    file = small_recogniser(tmp_path)
    model = onnx.load(str(file))
    model.graph.node[-1].op_type = "LogSoftmax"
    onnx.save(model, str(file))
    with pytest.raises(ValueError, match="LogSoftmax"):
        OnnxModule(file)


def batch(head: robust.Head, model: pathlib.Path, lines: int = 4) -> harmed.Batch:
    """Noise as lines, labelled with what the teacher reads in them, and the same with other noise on top."""
    draw = np.random.default_rng(2)
    clean = draw.uniform(-1, 1, (lines, 3, 48, 128)).astype(np.float32)
    want = robust.teacher(model, head.features)(clean)
    best = head(torch.from_numpy(want)).argmax(-1).reshape(lines, -1).tolist()
    hurt = (clean * 0.5 + draw.normal(0, 0.3, clean.shape)).astype(np.float32)
    return harmed.Batch(want, hurt, [head.text(row) for row in best])


def test_the_pupil_learns_the_teachers_answers_and_is_served_with_them(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(robust, "RIVALS", 5)
    file = small_recogniser(tmp_path)
    head = robust.Head(file)
    shown = batch(head, file)
    pupil = OnnxModule(file, head.features)
    assert sorted(pupil.names) == ["first", "shift"], "the scoring layer stays the published one"
    steps, losses = RelativeAdam(list(pupil.parameters())), []
    for _ in range(60):
        loss, parts = robust.loss_of(head, pupil(torch.from_numpy(shown.hurt)), shown, np.random.default_rng(0))
        pupil.zero_grad()
        loss.backward()
        steps.step(0.02)
        losses.append(parts["answers"])
    assert parts["right"] == 1.0
    assert losses[-1] < 0.6 * losses[0]

    torch.save({"mean": [p.detach() for p in pupil.parameters()]}, tmp_path / "last.pt")
    robust.export(file, tmp_path / "last.pt", tmp_path / "further.npz")
    served = Session(file, precision="f32", edit=lambda graph: retrained.applied(graph, tmp_path / "further.npz"))
    with torch.no_grad():
        expected = head(pupil(torch.from_numpy(shown.hurt))).exp().numpy()
    np.testing.assert_allclose(served(shown.hurt)[0].reshape(expected.shape), expected, atol=5e-3)

    for start in ("last.pt", "further.npz"):  # training can go on from either
        for kept, p in zip(robust.kept_weights(tmp_path / start, pupil), pupil.parameters(), strict=True):
            np.testing.assert_allclose(kept.numpy(), p.detach().numpy(), atol=5e-3)


def test_a_step_is_a_share_of_each_channels_own_size() -> None:
    weight = torch.nn.Parameter(torch.stack([torch.full((3, 2, 2), 10.0), torch.full((3, 2, 2), 2.0)]))
    weight.grad = torch.ones_like(weight)
    before = weight.detach().clone()
    RelativeAdam([weight]).step(0.01)
    moved = (before - weight.detach()).mean(dim=(1, 2, 3))
    assert moved.tolist() == pytest.approx([0.1, 0.02], rel=1e-3)


def test_a_line_is_harmed_alike_for_a_seed_and_keeps_its_shape() -> None:
    line = np.full((40, 260, 3), 230, np.uint8)
    cv2.putText(line, "Total 12.50", (8, 30), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (30, 20, 20), 2)
    for way, _ in damage.DAMAGES:
        first, second = (way(random.Random(3), np.random.default_rng(3), line) for _ in range(2))
        assert (first == second).all(), way.__name__
        assert first.shape != line.shape or (first != line).any(), way.__name__
        assert first.shape[1] / first.shape[0] == pytest.approx(260 / 40, rel=0.06), way.__name__
    names = {damage.harm(random.Random(seed), np.random.default_rng(seed), line)[1] for seed in range(200)}
    assert "none" in names
    assert any("+" in name for name in names)
