"""What several unit tests start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.worker_fleet import Fleet
from worker import tasks


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    monkeypatch.setattr(tasks, "PAUSE_S", (0.001, 0.002))
    return Fleet(tmp_path)
