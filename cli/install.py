"""Sets a checkout up: one virtual environment, the packages of a lock file, the models. Run by `make`.

Runs under the machine's own Python before anything is installed, so it uses nothing but the standard library. Plain
pip does the work. A stamp in the environment says what was installed; with an unchanged lock nothing is done again.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = (3, 11)
LEFT_OUT = 3  # exit code
TAIL_LINES = 12  # of pip's output, shown when it fails
SAY_EVERY_S = 5.0  # where the output is not a terminal
# Settings of the person's own pip that would send packages elsewhere than into the environment.
MISLEADING = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PYTHONPATH", "PYTHONHOME")


TORCH = ROOT / "requirements" / "torch.txt"
FOR_A_CARD = ("nvidia", "cuda", "triton")  # what a torch for graphics cards requires besides: some 3 GB


class Failed(Exception):
    """A step failed; the two sentences say what a person can do about it."""

    def __init__(self, english: str, chinese: str) -> None:
        super().__init__(english)
        self.english, self.chinese = english, chinese


class LeftOut(Exception):
    """Nothing failed, but this is not set up here."""


def say(text: str) -> None:
    """One line of progress."""
    print("setup: " + text, flush=True)


def environment() -> dict[str, str]:
    """The environment for pip: the person's index, proxy and certificates stay, what misleads it goes."""
    kept = {key: value for key, value in os.environ.items() if key not in MISLEADING}
    return {**kept, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PYTHONUNBUFFERED": "1"}


def works(python: Path) -> bool:
    """Whether there is an interpreter that starts and has the age that is needed."""
    test = f"import sys; sys.exit(sys.version_info < {OLDEST_PYTHON!r})"
    try:
        return subprocess.run([str(python), "-c", test], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def make_environment(venv: Path) -> None:
    """Make `venv` with pip in it. Debian leaves `ensurepip` out of its Python: then the machine's pip puts pip in."""
    say(f"making the environment {venv}")
    whole = importlib.util.find_spec("ensurepip") is not None
    command = [sys.executable, "-m", "venv", "--clear", *([] if whole else ["--without-pip"]), str(venv)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
    if done.returncode and whole:  # an ensurepip that is there and does not work
        whole = False
        command.insert(-1, "--without-pip")
        done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
    if done.returncode:
        raise Failed(
            f"Python cannot make a virtual environment ({last_line(done.stderr + done.stdout)}). "
            "On Debian or Ubuntu: apt-get install python3-venv",
            "Python 无法创建虚拟环境。Debian/Ubuntu 请执行：apt-get install python3-venv",
        )
    if whole:
        return
    if importlib.util.find_spec("pip") is None:
        raise Failed(
            "This Python has neither ensurepip nor pip. On Debian or Ubuntu: apt-get install python3-venv",
            "此 Python 既没有 ensurepip 也没有 pip。Debian/Ubuntu 请执行：apt-get install python3-venv",
        )
    pip([sys.executable, "-m", "pip", "--python", str(venv / "bin" / "python")], "build", "pip")


def pip(command: list[str], lock: str, what: str) -> None:
    """Install a lock file with its hashes, showing what is fetched. Raises Failed."""
    file = ROOT / "requirements" / f"{lock}.lock"
    total = sum("==" in row for row in file.read_text(encoding="utf-8").splitlines())
    say(f"installing {what}: up to {total} packages, each checked against its hash")
    run_pip([*command, "install", "--progress-bar", "off", "--require-hashes", "-r", str(file)])


def run_pip(command: list[str]) -> None:
    """Run pip and turn its output into short progress. Raises Failed with its last lines."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment(), cwd=ROOT
    )
    assert process.stdout is not None
    lines: list[str] = []
    terminal, said, seen = sys.stdout.isatty(), time.monotonic(), 0
    for line in process.stdout:
        lines.append(line.rstrip())
        found = re.match(
            r"\s*(Collecting|Downloading|Using cached|Installing collected)\s+(\S+)(?:.*?(\([\d.]+ \wB\)))?", line
        )
        if not found:
            continue
        seen += found[1] == "Collecting"
        what = "unpacking" if found[1] == "Installing collected" else f"{seen:3d}  {found[2][:50]} {found[3] or ''}"
        if terminal:
            print(f"\r\033[Ksetup: {what}", end="", flush=True)
        elif what == "unpacking" or time.monotonic() - said > SAY_EVERY_S:
            say(what)
            said = time.monotonic()
    if terminal:
        print("\r\033[K", end="")
    if process.wait():
        print("\n".join(lines[-TAIL_LINES:]), file=sys.stderr)
        raise explained("\n".join(lines).lower())


def explained(output: str) -> Failed:
    """What to do about pip's failure, from what it printed."""
    if "do not match the hashes" in output:
        return Failed(
            "The package index sent a file that is not the one in the lock file. Nothing was installed from it; "
            "try again, or another index (pip config set global.index-url ...).",
            "软件源返回的文件与锁文件中的哈希不符，未安装。请重试或更换软件源。",
        )
    if "no space left" in output:
        return Failed(
            "The disk is full: about 1 GB is needed. Free some space and run the command again.",
            "磁盘已满：约需 1 GB。请清理后重试。",
        )
    if "no matching distribution" in output and "from versions: none" not in output:
        return Failed(
            "The package index has no file of a needed version for this machine "
            f"(Python {sys.version_info[0]}.{sys.version_info[1]}, {os.uname().machine}); "
            "an index that mirrors PyPI in full has it.",
            "软件源没有适用于本机的版本，请换用完整的 PyPI 镜像。",
        )
    return Failed(
        "pip could not install the packages (its last lines are above). If the network is slow or closed, check "
        "`pip config list` and run the command again: it goes on where it stopped.",
        "pip 安装失败（最后几行见上）。请检查网络和 `pip config list` 后重试。",
    )


def last_line(text: str) -> str:
    """The last line that says something."""
    return ([row.strip() for row in text.splitlines() if row.strip()] or ["no output"])[-1]


def fingerprint(locks: list[str]) -> str:
    """What an environment depends on; another fingerprint in the stamp means: install again."""
    digest = hashlib.sha256(str(ROOT).encode())
    files = [ROOT / "requirements" / f"{lock}.lock" for lock in locks]
    files += [TORCH] if any(lock.startswith("train") for lock in locks) else []
    for path in [*files, ROOT / "pyproject.toml"]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def install(venv: Path, lock: str) -> bool:
    """Bring `venv` to the state of a lock file; False where it already was. Raises Failed."""
    python = venv / "bin" / "python"
    stamp = venv / f".ocrfleet-{lock}"
    state = fingerprint(["build", lock])
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == state and works(python):
        return False
    if not works(python):
        make_environment(venv)
    has_pip = subprocess.run([str(python), "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0
    if not has_pip:
        make_environment(venv)
    pip([str(python), "-m", "pip"], "build", "pip and setuptools")
    if lock == "train-test" and needs_card(python):
        raise LeftOut
    pip([str(python), "-m", "pip"], lock, "the packages" if lock == "runtime" else f"the packages of {lock}.lock")
    if lock.startswith("train"):
        say("installing torch: its files differ from machine to machine, so it is not checked against a hash")
        run_pip([str(python), "-m", "pip", "install", "--progress-bar", "off", "-r", str(TORCH)])
    # Editable, so that the checkout is what runs; the build backend was just installed from its lock.
    run_pip([str(python), "-m", "pip", "install", "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])
    stamp.write_text(state, encoding="utf-8")
    return True


def needs_card(python: Path) -> bool:
    """Whether the torch that the package index offers is the one for graphics cards; only its description is fetched."""
    command = [str(python), "-m", "pip", "install", "--dry-run", "--ignore-installed", "--no-deps", "--quiet"]
    asked = subprocess.run(
        [*command, "--report", "-", "-r", str(TORCH)], capture_output=True, text=True, env=environment(), check=False
    )
    if asked.returncode:
        print("\n".join(asked.stderr.splitlines()[-TAIL_LINES:]), file=sys.stderr)
        raise explained(asked.stderr.lower())
    wanted = json.loads(asked.stdout)["install"][0]["metadata"].get("requires_dist", [])
    return any(row.startswith(FOR_A_CARD) for row in wanted)


def fetch_models(venv: Path) -> None:
    """Fetch the weights into the folder of the settings, as `ocrfleet up` would. Raises Failed."""
    say("fetching the models")
    command = [
        str(venv / "bin" / "python"),
        "-c",
        "import sys; from cli.up import fetch_at_setup; sys.exit(fetch_at_setup())",
    ]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        raise Failed("The models could not be fetched; the reason is above.", "模型下载失败，原因见上。")


def main() -> int:
    """Set up; 0 when everything is in place."""
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(map(str, sys.version_info[:2]))
        print(f"setup: Python 3.11 or newer is needed, this is {found}; name another: make PYTHON=python3.12 run")
        print(f"setup: 需要 Python 3.11 或更高版本，当前为 {found}；可指定：make PYTHON=python3.12 run")
        return 1
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("lock", choices=("runtime", "dev", "train", "train-test"))
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv")
    parser.add_argument("--no-models", action="store_true", help="leave the models out")
    options = parser.parse_args()
    started = time.monotonic()
    try:
        if install(options.venv, options.lock):
            if not options.no_models:
                fetch_models(options.venv)
            say(f"ready after {time.monotonic() - started:.0f} s")
    except LeftOut:
        say("left out: the package index has torch for graphics cards only, 3 GB (docs/finetune.md names another way)")
        return LEFT_OUT
    except Failed as failure:
        print(f"setup: {failure.english}\nsetup: {failure.chinese}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nsetup: interrupted; the next run goes on where this one stopped", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
