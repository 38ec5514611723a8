"""Makes the lock files out of pyproject.toml: `make lock`. Needs uv (a development tool only; installing needs just pip).

Every lock holds the hashes of all files of a release on PyPI, for every platform, so that pip refuses anything else.
`dev.lock` is solved first and binds the others: one version of a package everywhere. torch is left out on purpose: its
right build differs from machine to machine (CPU or CUDA); `requirements/README.md` says how it is installed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
EXTRAS = {
    "dev": ("gateway", "worker", "flower", "server", "dev"),
    "runtime": ("gateway", "worker", "flower", "server"),
    "gateway": ("gateway",),
    "worker": ("worker",),
    "flower": ("flower",),
    "server": ("server",),
    "train": ("worker", "train"),
    "train-test": ("worker", "train", "dev"),
}
# What installs the rest: pip itself (an environment made without ensurepip gets it from here) and the build backend.
BUILD = "pip==26.3\nsetuptools==84.2.1\n"
NOT_LOCKED = ("torch",)
# What every build of torch needs besides, so that only torch itself comes without a hash.
BESIDE_TORCH = ("filelock", "fsspec", "jinja2", "networkx", "sympy", "typing-extensions")
HEADER = """# Made by `make lock` from pyproject.toml ({extras}). Do not edit.
# Install with: pip install --require-hashes -r requirements/{name}.lock
"""


def wanted(extras: tuple[str, ...]) -> str:
    """The requirements of the project and some of its extras, one a line, without those that are not locked."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    rows = [*project["dependencies"], *(row for extra in extras for row in project["optional-dependencies"][extra])]
    rows += BESIDE_TORCH if any(row.startswith(NOT_LOCKED) for row in rows) else ()
    return "\n".join(row for row in rows if not row.startswith(NOT_LOCKED)) + "\n"


def compile_lock(name: str, requirements: str, constraints: list[Path], scratch: Path) -> None:
    """Write `requirements/<name>.lock`; exits with uv's message if no set of versions fits."""
    source = scratch / f"{name}.in"
    source.write_text(requirements, encoding="utf-8")
    output = scratch / f"{name}.lock"
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"]
    command += ["--generate-hashes", "--no-header", "--no-emit-index-url", "--no-emit-find-links", "--no-annotate"]
    command += ["--output-file", str(output), str(source)]
    for constraint in constraints:
        command += ["--constraints", str(constraint)]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("UV_", "PIP_"))}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    text = output.read_text(encoding="utf-8")
    header = HEADER.format(name=name, extras=", ".join(EXTRAS.get(name, ("pip and setuptools",))))
    (HERE / f"{name}.lock").write_text(header + text, encoding="utf-8")
    print(f"requirements/{name}.lock: {text.count('==')} packages")


def main() -> None:
    """Make every lock file anew."""
    with tempfile.TemporaryDirectory() as folder:
        compile_lock("build", BUILD, [], Path(folder))
        for name, extras in EXTRAS.items():
            compile_lock(name, wanted(extras), [] if name == "dev" else [HERE / "dev.lock"], Path(folder))


if __name__ == "__main__":
    main()
