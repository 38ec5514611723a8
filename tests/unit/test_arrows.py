"""The house's arrows: which room may import which. Read from the source, so nothing has to be installed or run."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("api", "worker", "shared", "cli", "bench", "training")
HEAVY = {"cv2", "numpy", "openvino", "torch", "modelscope", "onnx", "onnxruntime"}


def imports(path: Path) -> set[str]:
    """Every module a file imports, at its top or inside a function."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def reaches(room: str, forbidden: set[str]) -> list[str]:
    """Files of a room that import one of the forbidden modules or something inside it."""
    broken = []
    files = sorted((ROOT / room).rglob("*.py"))
    assert files, f"{room} holds no module"
    for path in files:
        for module in imports(path):
            if any(module == name or module.startswith(name + ".") for name in forbidden):
                broken.append(f"{path.relative_to(ROOT)} imports {module}")
    return broken


@pytest.mark.parametrize(
    ("room", "forbidden"),
    [
        ("shared", {"api", "worker", "cli", "bench", "training", "web", "flask"} | HEAVY),
        ("api", {"worker", "cli", "bench", "training"} | HEAVY),
        ("worker", {"api", "cli", "bench", "training", "flask"}),
        ("worker/reading", {"celery", "redis", "kombu", "shared.settings", "shared.store", "shared.queue"}),
        ("worker/documents", {"celery", "redis", "kombu", "shared.store", "shared.queue", "worker.reading"}),
    ],
)
def test_arrows_point_one_way(room: str, forbidden: set[str]) -> None:
    assert reaches(room, forbidden) == []


def test_the_check_sees_an_arrow_that_is_there() -> None:
    assert reaches("worker", {"shared"})
    assert reaches("api", {"shared.settings"})
