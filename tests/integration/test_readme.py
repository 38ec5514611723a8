"""What the readmes promise is true: their commands run as printed, their table of settings is the program's own."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from shared.settings import table
from tests.stack import ROOT, Stack

READMES = (ROOT / "README.md", ROOT / "README.zh.md")
PRINTED_URL = "http://127.0.0.1:8080"
PATIENCE_S = 120


class Block(NamedTuple):
    """A fenced block that is run, and what the fence after it says that it prints."""

    name: str
    language: str
    code: str
    output: str | None


def blocks() -> list[Block]:
    """Every `sh` and `python` block of the readmes."""
    found = []
    for path in READMES:
        text = path.read_text(encoding="utf-8")
        fences = list(re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.S | re.M))
        for at, fence in enumerate(fences):
            if fence[1] not in ("sh", "python"):
                continue
            after = fences[at + 1] if at + 1 < len(fences) else None
            told = after is not None and after[1] == "text" and not text[fence.end() : after.start()].strip()
            line = text.count("\n", 0, fence.start()) + 1
            found.append(Block(f"{path.name}:{line}", fence[1], fence[2], after[2] if after and told else None))
    return found


@pytest.mark.parametrize("block", blocks(), ids=lambda block: block.name)
def test_an_example_does_what_it_says(block: Block, stack: Stack) -> None:
    code = block.code.replace(PRINTED_URL, stack.url)
    assert stack.url in code or ".venv/bin/ocrfleet" in code, "an example that does not use the service"
    code = code.replace(".venv/bin/ocrfleet", f"{shlex.quote(sys.executable)} -m cli.main")
    command = ["bash", "-euo", "pipefail", "-c", code] if block.language == "sh" else [sys.executable, "-c", code]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "OCRFLEET_SERVER": stack.url, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stdout.strip(), "an example that prints nothing"
    if block.output is not None:
        assert done.stdout.strip() == block.output.strip()


def test_the_table_of_settings_is_the_programs_own() -> None:
    text = READMES[0].read_text(encoding="utf-8")
    shown = re.search(r"<!-- settings:begin -->\n(.*?)\n<!-- settings:end -->", text, re.S)
    assert shown, "the markers are gone"
    assert shown[1] == table(), "run: python -m shared.settings --table, and put it between the markers"


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.name)
def test_every_link_and_picture_is_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)]+)\)", text)
    assert targets
    for target in targets:
        file, _, anchor = target.partition("#")
        linked = (path.parent / file) if file else path
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.M)
            assert anchor in {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in headings}
