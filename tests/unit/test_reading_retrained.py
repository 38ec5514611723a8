"""Weights trained further: what a file names is exchanged, what it leaves out stays, what does not fit is refused."""

from pathlib import Path

import numpy as np
import pytest

from worker.reading import retrained
from worker.reading.models import ModelError
from worker.reading.runtime import Session, core

openvino = pytest.importorskip("openvino")


def two_layers(folder: Path) -> Path:
    """y = (x * times) + plus, as a model file."""
    from openvino import opset13 as op

    x = op.parameter([1, 2], np.float32, name="x")
    times = op.constant(np.array([2, 3], np.float32), name="times")
    plus = op.constant(np.array([10, 20], np.float32), name="plus")
    graph = openvino.Model([op.add(op.multiply(x, times), plus)], [x], "small")
    file = folder / "small.xml"
    openvino.save_model(graph, str(file), compress_to_fp16=False)
    return file


def answer(model: Path, further: Path) -> list[float]:
    session = Session(model, precision="f32", edit=lambda graph: retrained.applied(graph, further))
    return [float(value) for value in session(np.array([[1, 1]], np.float32))[0][0]]


def test_named_weights_are_exchanged_and_others_stay(tmp_path: Path) -> None:
    np.savez(tmp_path / "further.npz", times=np.array([5, 7], np.float16))
    assert answer(two_layers(tmp_path), tmp_path / "further.npz") == [15, 27]


@pytest.mark.parametrize("wrong", [{"other": np.zeros(2)}, {"times": np.zeros(3)}])
def test_weights_of_another_model_are_refused(tmp_path: Path, wrong: dict[str, np.ndarray]) -> None:
    model = two_layers(tmp_path)
    np.savez(tmp_path / "further.npz", **wrong)
    with pytest.raises(ModelError, match="another model"):
        retrained.applied(core().read_model(str(model)), tmp_path / "further.npz")


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    model = two_layers(tmp_path)
    np.savez(tmp_path / "further.npz", times=np.zeros(2))
    whole = (tmp_path / "further.npz").read_bytes()
    (tmp_path / "further.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="damaged"):
        retrained.applied(core().read_model(str(model)), tmp_path / "further.npz")
