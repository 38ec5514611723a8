"""Versions of an engine's weights: what `ocrfleet finetune` made, beside what is shipped; which one is in use here.

A version lies in `<models>/versions/<engine>/<name>/` with all it needs: the model, its characters, and a `facts.toml` of
the form of the shipped one, with where it comes from (`[origin]`) and what it scored (`[figures]`). Its name ends with
the first digits of the model's SHA-256, so that one name never stands for two models. "" is the name of what is shipped.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from worker.reading import models
from worker.reading.models import Facts, ModelError

SHIPPED = ""
MODEL_FILE, CHARACTERS_FILE, FACTS_FILE, IN_USE_FILE = "model.onnx", "characters.txt", "facts.toml", "in-use.json"
FILES = (MODEL_FILE, CHARACTERS_FILE, FACTS_FILE)
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,60}-[0-9a-f]{8}")
ARCHIVE_BYTES = 64 << 20  # what is unpacked from another host's archive at most


@dataclasses.dataclass(frozen=True, slots=True)
class Version:
    """A version that is here. `facts` say how to read with it; its files lie in `folder`."""

    engine: str
    name: str
    folder: Path
    facts: Facts

    @property
    def weight(self) -> models.Weight:
        """The model itself."""
        return self.facts.weight(self.facts.recogniser["weight"])

    @property
    def origin(self) -> Mapping[str, Any]:
        """Where it comes from: `parent`, `created`, `lines`, ..."""
        table: Mapping[str, Any] = self.facts.extra.get("origin", {})
        return table

    @property
    def figures(self) -> Mapping[str, Mapping[str, Any]]:
        """What it scored, by set of lines: `lines`, `exact_before`, `exact_after`, `cer_before`, `cer_after`."""
        table: Mapping[str, Mapping[str, Any]] = self.facts.extra.get("figures", {})
        return table


def room(models_folder: Path, engine: str) -> Path:
    """The folder of an engine's versions."""
    return models_folder / "versions" / engine


def known(models_folder: Path, engine: str) -> list[Version]:
    """Every version that is here, oldest first; what is not whole is left out."""
    found = []
    for facts_file in room(models_folder, engine).glob(f"*/{FACTS_FILE}"):
        try:
            found.append(find(models_folder, engine, facts_file.parent.name))
        except ModelError:
            continue
    return sorted(found, key=lambda version: (str(version.origin.get("created", "")), version.name))


def find(models_folder: Path, engine: str, name: str) -> Version:
    """The version of that name. Raises ModelError where it is not here, or not whole (sizes are compared)."""
    folder = room(models_folder, engine) / name
    if not NAME.fullmatch(name) or not (folder / FACTS_FILE).is_file():
        raise ModelError(
            reason=f"There is no version {name} of {engine} in {models_folder}: `ocrfleet models list` shows what there is."
        )
    try:
        facts = dataclasses.replace(models.load_facts(folder / FACTS_FILE), engine=engine)
        version = Version(engine, name, folder, facts)
        named = version.weight.version
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(reason=f"The version {name} of {engine} is damaged ({FACTS_FILE}: {error}).") from error
    if named != name:
        raise ModelError(reason=f"The version {name} of {engine} is damaged: its {FACTS_FILE} calls it {named}.")
    for weight in facts.weights:
        file = folder / weight.file
        if not file.is_file() or file.stat().st_size != weight.bytes:
            raise ModelError(reason=f"The version {name} of {engine} is damaged: {file} is not what it should be.")
    return version


def state_of(version: Version) -> str:
    """`here` or `damaged`, found by reading every byte."""
    states = {models.state_of(version.folder / weight.file, weight) for weight in version.facts.weights}
    return "here" if states == {"here"} else "damaged"


def in_use(models_folder: Path, engine: str) -> str:
    """The version that this models folder says is in use; "" for what is shipped. A fleet's store goes before it."""
    try:
        row = json.loads((room(models_folder, engine) / IN_USE_FILE).read_text(encoding="utf-8"))
        return str(row["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return SHIPPED


def all_in_use(models_folder: Path) -> dict[str, Version]:
    """The versions in use by engine, of those that do not read with what is shipped. Raises ModelError for a missing one."""
    engines = sorted(file.parent.name for file in (models_folder / "versions").glob(f"*/{IN_USE_FILE}"))
    names = {engine: in_use(models_folder, engine) for engine in engines}
    return {engine: find(models_folder, engine, name) for engine, name in names.items() if name != SHIPPED}


def note_in_use(models_folder: Path, engine: str, record: str) -> None:
    """Write down what is in use; `record` is JSON with a `version`. Raises ModelError where the folder is not writable."""
    folder = room(models_folder, engine)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / IN_USE_FILE, record.encode())
    except OSError as error:
        raise ModelError(
            reason=f"The models folder {models_folder} cannot be written to ({error.strerror})."
        ) from error


def register(
    models_folder: Path,
    engine: str,
    stem: str,
    model: Path,
    characters: bytes,
    recogniser: Mapping[str, Any],
    about: Mapping[str, str],
    origin: Mapping[str, Any],
    figures: Mapping[str, Mapping[str, Any]],
) -> Version:
    """Take a model in as a version called `stem` and the start of its SHA-256; it appears whole or not at all.

    `characters` is the file of its characters, one a line; `recogniser` how it wants a picture (the keys of the facts,
    without weight and vocabulary); `about` has `licence` and `about` of the weights. Raises ModelError.
    """
    digest = models.sha256(model)
    name = f"{stem}-{digest[:8]}"
    if not NAME.fullmatch(name):
        raise ModelError(reason=f"{stem!r} cannot be a version's name: small letters, digits, '.', '_' and '-' only.")
    sha_of_characters = hashlib.sha256(characters).hexdigest()
    weight_rows = [
        _weight(f"{engine}_rec", MODEL_FILE, digest, model.stat().st_size, name, about),
        _weight(f"{engine}_keys", CHARACTERS_FILE, sha_of_characters, len(characters), name, about),
    ]
    how = {**recogniser, "weight": f"{engine}_rec", "vocabulary": f"file:{engine}_keys"}
    tables: dict[str, Mapping[str, Any]] = {"recogniser": how, "origin": origin}
    tables |= {f"figures.{key}": row for key, row in figures.items()}
    text = "# Written by `ocrfleet finetune`.\n"
    text += "".join(f"\n[[weight]]\n{_rows(row)}" for row in weight_rows)
    text += "".join(f"\n[{key}]\n{_rows(row)}" for key, row in tables.items())
    contents = {MODEL_FILE: model.read_bytes(), CHARACTERS_FILE: characters, FACTS_FILE: text.encode()}
    _appear(models_folder, engine, name, contents)
    return find(models_folder, engine, name)


def pack(version: Version) -> bytes:
    """The version's files as one archive, for hosts that lack it. Raises ModelError where a byte is not as it was."""
    if state_of(version) != "here":
        raise ModelError(reason=f"The version {version.name} of {version.engine} is damaged: make or fetch it again.")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in FILES:
            archive.write(version.folder / file, file)
    return out.getvalue()


def unpack(models_folder: Path, engine: str, name: str, archive: bytes) -> Version:
    """Undoes `pack` on another host: every byte is checked against the facts. Raises ModelError."""
    if not NAME.fullmatch(name):
        raise ModelError(reason=f"{name!r} is no version's name.")
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as source:
            if sum(info.file_size for info in source.infolist()) > ARCHIVE_BYTES:
                raise ModelError(reason=f"The archive of version {name} of {engine} is too large.")
            contents = {file: source.read(file) for file in FILES}
    except (zipfile.BadZipFile, KeyError) as error:
        raise ModelError(reason=f"The archive of version {name} of {engine} is damaged: {error}.") from error
    _appear(models_folder, engine, name, contents)
    version = find(models_folder, engine, name)
    if state_of(version) != "here" or not version.weight.sha256.startswith(name.rpartition("-")[2]):
        shutil.rmtree(version.folder)
        raise ModelError(reason=f"The archive of version {name} of {engine} is damaged (SHA-256 differs).")
    return version


def drop(models_folder: Path, engine: str, name: str) -> None:
    """Remove a version. Raises ModelError where it is not here, or in use."""
    version = find(models_folder, engine, name)
    if in_use(models_folder, engine) == name:
        raise ModelError(reason=f"The version {name} of {engine} is in use: choose another first.")
    shutil.rmtree(version.folder)


def _appear(models_folder: Path, engine: str, name: str, contents: Mapping[str, bytes]) -> None:
    goal = room(models_folder, engine) / name
    try:
        goal.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".making-", dir=goal.parent) as scratch:
            made = Path(scratch) / name
            made.mkdir()
            for file, data in contents.items():
                _write(made / file, data)
            if goal.is_dir():
                # The same name means the same model; a damaged or half copied one makes way.
                goal.rename(Path(scratch) / "old")
            made.rename(goal)
    except OSError as error:
        # Another process of this host may have been quicker with the same files.
        if not (goal / FACTS_FILE).is_file():
            raise ModelError(reason=f"{goal} cannot be written ({error.strerror or error}).") from error


def _write(file: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    with os.fdopen(handle, "wb") as sink:
        sink.write(data)
        sink.flush()
        os.fsync(sink.fileno())
    os.chmod(name, 0o644)
    os.replace(name, file)


def _weight(name: str, file: str, sha256: str, size: int, version: str, about: Mapping[str, str]) -> dict[str, Any]:
    return {"name": name, "file": file, "sha256": sha256, "bytes": size, "version": version, **about}


def _rows(table: Mapping[str, Any]) -> str:
    """A flat table as TOML: text, numbers, truth values and lists of them, which TOML and JSON write alike."""
    return "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in table.items())
