"""The recogniser in torch equals the published one, learns, resumes, and reads the same once exported."""

# ruff: noqa: E402 - imports follow the checks that skip where a package is missing
from __future__ import annotations

import importlib.util
import json
import pathlib

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch: pip install ocrfleet[train]")
onnx = pytest.importorskip("onnx", reason="exporting needs onnx: pip install ocrfleet[train]")
openvino = pytest.importorskip("openvino")

from training import fonts
from training.compact import Compact
from training.crnn import Crnn, load
from training.dataset import Plan
from training.export import averaged, export, soup
from training.losses import ClassDraw, ctc, hold, scores
from training.train import Recipe, Trainer
from worker.reading import eight_bit

ROOT = pathlib.Path(__file__).parents[2]
BASE = ROOT / "models" / "ch_PP-OCRv2_rec_infer.onnx"
SHIPPED = ROOT / "worker" / "reading" / "engines" / "crnn" / "ocrfleet_crnn.onnx"
KEYS = SHIPPED.with_name("ocrfleet_crnn_keys.txt")
CHARACTERS = [chr(code) for code in range(33, 127)]


def _can_draw() -> bool:
    try:
        return bool(fonts.faces()) and all(importlib.util.find_spec(name) for name in ("wordfreq", "fontTools"))
    except RuntimeError:
        return False


needs_fonts = pytest.mark.skipif(
    not _can_draw(), reason="the renderer needs word lists and the Debian fonts of docs/model-card.md"
)


def _small_plan(folder: pathlib.Path) -> Plan:
    """Short lines of figures, over ASCII."""
    torch.set_num_threads(1)
    vocabulary = folder / "characters.txt"
    vocabulary.write_text("\n".join(CHARACTERS), encoding="utf-8")
    return Plan(str(vocabulary), pool_lines=16, batch_px=480, batch_lines=3, max_width=80, kinds=("figures",))


def _openvino(path: pathlib.Path, x: np.ndarray) -> np.ndarray:
    core = openvino.Core()
    model = core.compile_model(
        core.read_model(str(path)), "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    )
    return np.array(model(x)[0])


@pytest.mark.skipif(not BASE.is_file(), reason="PP-OCRv2's recogniser is not in models/")
def test_the_rebuilt_recogniser_answers_like_the_published_file() -> None:
    x = np.random.default_rng(1).uniform(-1, 1, (1, 3, 32, 240)).astype(np.float32)
    with torch.no_grad():
        rebuilt = load(BASE)(torch.from_numpy(x)).softmax(-1).numpy()
    assert np.abs(rebuilt - _openvino(BASE, x)).max() < 1e-4


@needs_fonts
def test_two_hundred_steps_lower_the_loss_and_the_exported_file_agrees(tmp_path: pathlib.Path) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(1)
    plan = Plan(
        str(KEYS), pool_lines=12, pools=1, batch_px=480, batch_lines=3, max_width=80, kinds=("figures", "receipt")
    )
    model, base = load(SHIPPED), load(SHIPPED)
    model.train_from(9)
    recipe = Recipe(steps=200, rate=5e-4, warm_up=10, rivals=200, hold_every=20)
    trace = Trainer(model, plan, recipe, tmp_path / "run", base).run()
    assert len(trace) == 200
    assert np.mean(trace[-40:]) < 0.5 * np.mean(trace[:20])
    shown = [np.random.default_rng(3).uniform(-1, 1, (1, 3, 32, 160)).astype(np.float32)]
    digest = export(model, tmp_path / "out.onnx", {"ocrfleet.version": "test"}, shown)
    assert len(digest) == 64
    assert (tmp_path / "out.onnx").stat().st_size < 5_000_000, "the weights are not stored as float16"
    x = np.random.default_rng(2).uniform(-1, 1, (3, 3, 32, 176)).astype(np.float32)
    with torch.no_grad():
        want = model.eval()(torch.from_numpy(x)).softmax(-1).numpy()
    got = _openvino(tmp_path / "out.onnx", x)
    assert got.shape == want.shape == (3, 44, 6625)
    assert np.abs(got - want).max() < 1e-3
    named = {each.key: each.value for each in onnx.load(str(tmp_path / "out.onnx")).metadata_props}
    assert 5 < len(json.loads(named[eight_bit.KEY])) <= 13, "of twelve point-wise convolutions and the head"
    again = load(tmp_path / "out.onnx")
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))


@needs_fonts
def test_training_goes_on_where_it_was_left(tmp_path: pathlib.Path) -> None:
    plan = _small_plan(tmp_path)
    first = Trainer(Crnn(len(CHARACTERS) + 2), plan, Recipe(steps=3), tmp_path / "run")
    first.run()
    second = Trainer(Crnn(len(CHARACTERS) + 2), plan, Recipe(steps=5), tmp_path / "run")
    assert second.resume()
    assert second.step == 3
    assert all(torch.equal(a, b) for a, b in zip(first.model.parameters(), second.model.parameters(), strict=True))
    assert len(second.run()) == 2
    assert second.step == 5


@needs_fonts
def test_a_run_keeps_the_mean_of_its_weights_and_that_is_what_is_taken(tmp_path: pathlib.Path) -> None:
    plan = _small_plan(tmp_path)
    model, base = Crnn(len(CHARACTERS) + 2), Crnn(len(CHARACTERS) + 2)
    recipe = Recipe(steps=4, rate=1e-2, warm_up=1, average=0.9, head_times=0.0, tether=0.0)
    began = {name: weight.clone() for name, weight in model.state_dict().items()}
    trainer = Trainer(model, plan, recipe, tmp_path / "run", base)
    trainer.run()
    kept = torch.load(trainer.checkpoint, weights_only=True)
    name = "lstm.weight_ih_l0"
    moved, mean = ((kept[which][name] - began[name]).abs().max() for which in ("model", "mean"))
    assert 0 < mean < moved, "the mean lags behind"
    assert torch.equal(kept["model"]["head.weight"], began["head.weight"]), "a rate of nothing moves nothing"
    assert torch.equal(soup([kept])["model"][name], kept["mean"][name])
    second = Trainer(Crnn(len(CHARACTERS) + 2), plan, recipe, tmp_path / "run", base)
    assert second.resume()
    assert torch.equal(second._mean[name], kept["mean"][name])


def test_what_is_left_to_the_base_is_held_near_it_and_the_rest_near_the_earlier_weights(tmp_path: pathlib.Path) -> None:
    torch.manual_seed(3)
    model, base, earlier = (Crnn(len(CHARACTERS) + 2).eval() for _ in range(3))
    trainer = Trainer(model, _small_plan(tmp_path), Recipe(), tmp_path / "run", base, earlier=earlier)
    x = torch.rand(2, 3, 32, 64)
    anchor = trainer._opinion(None, model.front(x), None, 16, [True, False])
    assert anchor is not None
    with torch.no_grad():
        want = [each(x).log_softmax(-1) for each in (base, earlier)]
    assert torch.allclose(anchor[0], want[0][0], atol=1e-5)
    assert torch.allclose(anchor[1], want[1][1], atol=1e-5)
    assert not torch.allclose(want[0], want[1], atol=1e-3)


def test_an_average_lies_between_base_and_trained() -> None:
    base, trained = {"w": torch.zeros(3)}, {"w": torch.ones(3)}
    assert torch.equal(averaged(base, trained, 0.0)["w"], base["w"])
    assert torch.equal(averaged(base, trained, 1.0)["w"], trained["w"])
    assert torch.allclose(averaged(base, trained, 0.25)["w"], torch.full((3,), 0.25))


def test_runs_are_averaged_and_their_lines_counted() -> None:
    runs = [
        {"model": {"w": torch.full((2,), value).half()}, "lines": 10 + at, "began": 4, "pool": at}
        for at, value in enumerate((1.0, 3.0))
    ]
    mean = soup(runs)
    assert torch.equal(mean["model"]["w"], torch.full((2,), 2.0))
    assert (mean["lines"], mean["pool"]) == (4 + 6 + 7, 1)


def test_lines_left_to_the_base_are_taught_by_it_alone() -> None:
    log_probs = torch.randn(2, 5, 4).log_softmax(-1)
    labels = [[1, 2], [3]]
    both, first = ctc(log_probs, labels), ctc(log_probs, labels, [True, False])
    other = ctc(log_probs[1:], labels[1:])
    assert float(first) == pytest.approx(float(both) - float(other) / 2, rel=1e-5)
    base = torch.full((1, 3, 4), -9.0)
    base[0, :, 3] = 0.0
    flat = torch.zeros(1, 3, 4).log_softmax(-1)
    assert float(hold(flat, base, [[1]])[0]) == 0.0, "the base is wrong here"
    assert float(hold(flat, base, [[1]], None, [True])[0]) > 0
    once, twice = (hold(flat, base, [[3]], [weight])[0] for weight in (1.0, 2.0))
    assert float(twice) == pytest.approx(2 * float(once))


def test_frozen_blocks_get_no_gradient_and_the_rest_do() -> None:
    model = Crnn(20)
    model.train_from(9)
    ctc(model(torch.randn(2, 3, 32, 64)).log_softmax(-1), [[1, 2], [3]]).backward()
    assert model.backbone[0].weight.grad is None
    assert model.head.weight.grad is not None
    assert model.backbone[model.split + 2].weight.grad is not None


def test_a_drawn_part_of_the_classes_scores_the_labels_the_same_way() -> None:
    draw = ClassDraw(classes=50, rivals=10, always=[7], seed=1)
    labels = [[3, 49], [7]]
    chosen, renumbered = draw(labels)
    assert chosen is not None
    assert {0, 3, 7, 49} <= set(chosen.tolist())
    assert [[int(chosen[i]) for i in label] for label in renumbered] == labels
    everything, same = ClassDraw(50, 0, [], 1)(labels)
    assert everything is None
    assert same == labels
    head, features = torch.nn.Linear(4, 50), torch.randn(2, 6, 4)
    assert scores(features, head, chosen).exp().sum(-1).allclose(torch.ones(2, 6))


def test_the_base_holds_only_lines_it_reads_right() -> None:
    base = torch.full((2, 3, 4), -9.0)
    base[0, 0, 1] = base[0, 1, 0] = base[0, 2, 2] = 0.0
    base[1, :, 3] = 0.0
    other = torch.zeros(2, 3, 4).log_softmax(-1)
    pull, share = hold(other, base, [[1, 2], [1, 2]])
    assert share == 0.5
    assert float(pull) > 0
    assert float(hold(other, base, [[2], [2]])[0]) == 0.0


def test_the_compact_network_is_small_and_exports_its_best_classes(tmp_path: pathlib.Path) -> None:
    torch.manual_seed(3)
    model = Compact(7400).eval()
    assert 0.8e6 < sum(p.numel() for p in model.parameters()) < 3e6
    with torch.no_grad():
        model.head.weight.mul_(100)  # fresh weights score all classes nearly alike; make the best one stand out
    export(model, tmp_path / "compact.onnx", {})
    assert (tmp_path / "compact.onnx").stat().st_size < 4_000_000
    x = np.random.default_rng(4).uniform(-1, 1, (1, 3, 32, 200)).astype(np.float32)
    with torch.no_grad():
        probability, best = model(torch.from_numpy(x)).softmax(-1).max(-1)
    core = openvino.Core()
    read = core.compile_model(
        core.read_model(str(tmp_path / "compact.onnx")), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )(x)
    assert read[0].shape == (1, 50)
    assert (read[0] == best.numpy()).mean() > 0.95
    assert np.abs(read[1] - probability.numpy()).max() < 1e-3
