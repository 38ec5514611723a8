"""`ocrfleet bench ...`: the measuring harness of a checkout; installed packages do not carry its data."""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from pathlib import Path

from cli.problems import CommandError
from cli.words import pick


class NoHarness(CommandError):
    """Raised where the measuring harness is not installed."""

    slug = "no-bench"
    english = "There is no measuring harness here: run this from a checkout of the project."
    chinese = "此处没有测试工具：请在项目源码目录中运行。"


def configure(parser: argparse.ArgumentParser) -> None:
    """Everything is handed on."""
    parser.add_argument(
        "rest", nargs=argparse.REMAINDER, help=pick("arguments of `python -m bench`", "`python -m bench` 的参数")
    )


def run(options: argparse.Namespace) -> int:
    """Hand over to `python -m bench`, in the folder that holds it."""
    spec = importlib.util.find_spec("bench.__main__") if importlib.util.find_spec("bench") else None
    if spec is None or spec.origin is None:
        raise NoHarness
    command = [sys.executable, "-m", "bench", *options.rest]
    return subprocess.run(command, cwd=Path(spec.origin).parent.parent, check=False).returncode
