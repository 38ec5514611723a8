"""deploy/prove judges by these; each must be able to say no."""

from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path
from typing import Any

import pytest

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


@pytest.fixture(autouse=True)
def proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof's modules as the script finds them."""
    monkeypatch.syspath_prepend(str(DEPLOY))


def look(at: float = 0.0, **masks: set[int]) -> Any:
    """A look at processes named p1, p2, ... with the cores they may run on."""
    from proof.cores import Look

    return Look(at, {int(name[1:]): frozenset(mask) for name, mask in masks.items()})


TWO = frozenset({0, 1})


def test_two_processes_bound_to_one_core_are_seen() -> None:
    assert look(p1={0}, p2={1}).shared(TWO) == 0
    assert look(p1={0}, p2={0}).shared(TWO) == 1
    assert look(p1={0}, p2={1}, p3={0, 1}, p4={0, 1}).shared(TWO) == 0


def test_a_process_without_a_core_while_one_is_free_is_seen() -> None:
    assert look(p1={0}, p2={0, 1}).loose(TWO)
    assert not look(p1={0}, p2={1}, p3={0, 1}).loose(TWO), "every core has somebody"
    assert not look(p1={0}).loose(TWO)


def test_the_longest_loose_time_is_one_stretch() -> None:
    from proof.cores import CoreWatch

    watch = CoreWatch(set, TWO)
    for at, loose in enumerate([True, True, True, False, True, True]):
        watch.looks.append(look(float(at), p1={0}, p2={0, 1} if loose else {1}))
    assert watch.longest_loose_s() == 2.0
    assert watch.longest_loose_s(since=3.0) == 1.0


def _idle() -> None:
    time.sleep(60)


def test_the_kernel_is_asked_for_the_cores_of_worker_processes(tmp_path: Path) -> None:
    from proof.cores import worker_processes

    child = multiprocessing.get_context("fork").Process(target=_idle)
    child.start()
    try:
        assert child.pid is not None
        os.sched_setaffinity(child.pid, {min(os.sched_getaffinity(0))})
        for pid, parent in ((child.pid, 900_001), (900_001, 1), (900_002, 900_001)):
            folder = tmp_path / str(pid)
            folder.mkdir()
            (folder / "cmdline").write_bytes(b"python\0-A\0worker.app\0" if pid != 900_002 else b"python\0-c\0other\0")
            (folder / "cgroup").write_text("0::/docker/abc123\n")
            (folder / "stat").write_text(f"{pid} (python (3)) S {parent} 0 0")
        found = worker_processes({"abc123"}, tmp_path)
        assert found == {child.pid: frozenset({min(os.sched_getaffinity(0))})}
        assert worker_processes({"def456"}, tmp_path) == {}
    finally:
        child.kill()
        child.join()


def answers(*rows: tuple[float, int, str]) -> Any:
    """A load that got these answers: when, pages, text."""
    from proof.load import Answer, Load

    load = Load(1, [], 0)
    for number, (finished, pages, text) in enumerate(rows):
        load.accepted[str(number)] = "receipt-en.jpg"
        load.answers.append(Answer(str(number), "receipt-en.jpg", pages, "done", text, 0.0, finished, 1))
    return load


def test_throughput_is_counted_in_pages_between_the_first_and_the_last_answer() -> None:
    load = answers((10.0, 1, "a"), (11.0, 3, "a"), (12.0, 1, "a"), (99.0, 50, "a"))
    assert load.rate(10.0, 20.0) == 2.0
    assert load.rate(50.0, 60.0) == 0.0


def test_a_job_that_was_accepted_and_never_answered_is_named() -> None:
    load = answers((1.0, 1, "a"))
    load.accepted["lost"] = "receipt-en.jpg"
    assert load.under_way() == ["lost"]


def test_a_text_that_reads_otherwise_than_the_first_is_named() -> None:
    load = answers(
        (1.0, 1, "TOTAL 12.50 EUR, thank you"), (2.0, 1, "TOTAL 12.50 EUR, thank yov"), (3.0, 1, "nothing at all")
    )
    assert load.misread() == ["2"]
    assert answers((1.0, 1, "")).misread() == ["0"]


def test_what_does_not_hold_is_reported_and_the_table_replaces_the_last_one(tmp_path: Path) -> None:
    from proof.report import Report

    report = Report()
    report.holds("cores shared", "1", "0", False)
    report.holds("accepted = answered", "7 = 7", "equal", True)
    assert report.broken == ["cores shared: 1, wanted 0"]
    file = tmp_path / "measurements.md"
    file.write_text("# Measurements\n\nBefore.\n")
    report.write(file, "Docker 1")
    report.fact("again", "yes")
    report.write(file, "Docker 2")
    text = file.read_text()
    assert text.startswith("# Measurements\n\nBefore.\n")
    assert text.count("## Horizontal scaling") == 1
    assert "| again | yes |" in text
    assert "Docker 1" not in text


class Engine:
    """A project whose containers come and go in memory."""

    def __init__(self, images: dict[str, str]) -> None:
        self.name = "test"
        self.images = dict(images)
        self.most = len(images)
        self.comes_as: str | None = None

    def containers(self, _service: str) -> list[str]:
        return list(self.images)

    def scale(self, workers: int, environment: dict[str, str]) -> None:
        while len(self.images) < workers:
            self.images[f"new{len(self.images)}-{self.most}"] = self.comes_as or f"w:{environment['OCRFLEET_TAG']}"
            self.most += 1

    def call(self, command: list[str], **_: Any) -> str:
        if command[1] == "rm":
            del self.images[command[-1]]
        return ""


def rolled(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Roll to tag 2."""
    from proof import roll

    monkeypatch.setattr(roll, "call", engine.call)
    monkeypatch.setattr(roll, "healthy", lambda _: True)
    monkeypatch.setattr(roll, "inspect", lambda each: {"Config": {"Image": engine.images[each], "StopTimeout": 150}})
    return list(roll.roll(engine, "2"))  # type: ignore[arg-type]


def test_rolling_replaces_every_worker_and_never_has_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine({"a": "w:1", "b": "w:1", "c": "w:1"})
    assert len(rolled(engine, monkeypatch)) == 3
    assert list(engine.images.values()) == ["w:2", "w:2", "w:2"]


def test_rolling_stops_when_the_new_worker_is_not_the_new_image(monkeypatch: pytest.MonkeyPatch) -> None:
    from proof.engine import EngineError

    engine = Engine({"a": "w:1", "b": "w:1"})
    engine.comes_as = "w:1"
    with pytest.raises(EngineError, match="does not run tag 2"):
        rolled(engine, monkeypatch)
    assert {"a", "b"} <= set(engine.images), "no old worker was stopped"
