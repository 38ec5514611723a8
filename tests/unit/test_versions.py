"""Versions of an engine's weights: taken in whole, found again, carried to another host, refused where they are damaged."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from worker.reading import models, versions
from worker.reading.models import ModelError
from worker.reading.versions import Version

FIGURES = {"held_out": {"lines": 20, "exact_before": 0.25, "exact_after": 0.75}}


def make(folder: Path, content: bytes = b"a model", stem: str = "tickets", created: str = "2026-01-02") -> Version:
    source = folder.parent / "model.onnx"
    source.write_bytes(content)
    return versions.register(
        folder, "crnn", stem, source, "a\nb\n\u3000\n\"\n\\".encode(), {"height": 32, "mean": 0.5, "extra_characters": [" "]},
        {"licence": "Apache-2.0", "about": 'Knows "tickets".'}, {"parent": "PP-OCRv2-rec", "created": created}, FIGURES,
    )  # fmt: skip


def test_a_version_taken_in_is_found_again_with_its_facts(tmp_path: Path) -> None:
    made = make(tmp_path / "models")
    digest = hashlib.sha256(b"a model").hexdigest()
    assert made.name == f"tickets-{digest[:8]}"
    (found,) = versions.known(tmp_path / "models", "crnn")
    assert found == made
    assert (found.weight.sha256, found.weight.version, found.weight.licence) == (digest, made.name, "Apache-2.0")
    assert found.weight.about == 'Knows "tickets".'
    assert found.facts.engine == "crnn"
    assert found.facts.recogniser["extra_characters"] == [" "]
    assert found.origin["parent"] == "PP-OCRv2-rec"
    assert found.figures == FIGURES
    assert versions.state_of(found) == "here"
    assert models.place(found.folder, found.weight).read_bytes() == b"a model"


def test_the_same_model_again_is_the_same_version_and_another_is_another(tmp_path: Path) -> None:
    first, again = make(tmp_path / "models"), make(tmp_path / "models")
    other = make(tmp_path / "models", b"another model", created="2026-01-03")
    assert again.name == first.name != other.name
    assert [version.name for version in versions.known(tmp_path / "models", "crnn")] == [first.name, other.name]
    assert sorted(path.name for path in versions.room(tmp_path / "models", "crnn").iterdir()) == sorted(
        [first.name, other.name]
    ), "nothing else is left behind"


@pytest.mark.parametrize("stem", ["", "../up", "with space", "Capital", "-x", "x" * 80])
def test_a_name_that_cannot_be_a_folder_is_refused(tmp_path: Path, stem: str) -> None:
    with pytest.raises(ModelError, match="cannot be a version's name"):
        make(tmp_path / "models", stem=stem)


def test_a_version_travels_to_another_host(tmp_path: Path) -> None:
    made = make(tmp_path / "one" / "models") if (tmp_path / "one").mkdir() is None else None
    assert made is not None
    came = versions.unpack(tmp_path / "two", "crnn", made.name, versions.pack(made))
    assert came.facts == made.facts
    assert versions.state_of(came) == "here"
    assert versions.unpack(tmp_path / "two", "crnn", made.name, versions.pack(made)) == came, "it may come twice"


def repacked(archive: bytes, file: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(out, "w") as sink:
        for name in source.namelist():
            sink.writestr(name, data if name == file else source.read(name))
    return out.getvalue()


def test_an_archive_that_was_changed_on_its_way_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    made = make(tmp_path / "models")
    archive = versions.pack(made)
    changed = repacked(archive, versions.MODEL_FILE, b"b model")
    for bad in (changed, archive[: len(archive) // 2], b"", repacked(archive, versions.FACTS_FILE, b"")):
        with pytest.raises(ModelError):
            versions.unpack(tmp_path / "two", "crnn", made.name, bad)
    with pytest.raises(ModelError):
        versions.unpack(tmp_path / "two", "crnn", "../../etc-00000000", archive)
    with pytest.raises(ModelError):
        versions.unpack(tmp_path / "two", "crnn", "other-00000000", archive)
    assert not versions.known(tmp_path / "two", "crnn")


def test_a_damaged_version_is_not_used_and_not_sent_on(tmp_path: Path) -> None:
    made = make(tmp_path / "models")
    (made.folder / versions.MODEL_FILE).write_bytes(b"A model")
    assert versions.state_of(made) == "damaged"
    with pytest.raises(ModelError, match="damaged"):
        versions.pack(made)
    (made.folder / versions.MODEL_FILE).write_bytes(b"short")
    with pytest.raises(ModelError, match="damaged"):
        versions.find(tmp_path / "models", "crnn", made.name)
    assert make(tmp_path / "models") == made, "making it again mends it"
    assert versions.state_of(made) == "here"


def test_a_version_that_is_not_here_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no version nothing-00000000"):
        versions.find(tmp_path, "crnn", "nothing-00000000")


def test_the_folder_remembers_what_is_in_use(tmp_path: Path) -> None:
    assert versions.in_use(tmp_path, "crnn") == ""
    made = make(tmp_path / "models")
    versions.note_in_use(tmp_path / "models", "crnn", f'{{"version": "{made.name}"}}')
    assert versions.in_use(tmp_path / "models", "crnn") == made.name
    assert versions.all_in_use(tmp_path / "models") == {"crnn": made}
    with pytest.raises(ModelError, match="in use"):
        versions.drop(tmp_path / "models", "crnn", made.name)
    versions.note_in_use(tmp_path / "models", "crnn", '{"version": ""}')
    assert versions.all_in_use(tmp_path / "models") == {}
    versions.drop(tmp_path / "models", "crnn", made.name)
    assert versions.known(tmp_path / "models", "crnn") == []
    (versions.room(tmp_path / "models", "crnn") / versions.IN_USE_FILE).write_text("{half a")
    assert versions.in_use(tmp_path / "models", "crnn") == ""
