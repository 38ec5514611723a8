"""What `ocrfleet doctor` makes of what it sees."""

from __future__ import annotations

import dataclasses
import json
import os
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from cli import check_fleet, check_machine, doctor, machine
from cli.findings import BAD, NOTE, OK, WARN, Finding
from cli.main import main
from shared import host
from shared.settings import Settings, get_settings
from worker.reading import models

GOOD = {"name": "Valkey", "version": "9.1.2", "maxmemory_policy": "noeviction", "aof_enabled": "1", "maxmemory": "100"}


def levels(findings: Any) -> list[str]:
    return [row.level for row in findings]


def slot(**changes: Any) -> dict[str, Any]:
    row = {"hostname": "h", "boot_id": "b", "pid": 1, "core": 0, "pinned": True, "rss_mib": 300, "fingerprint": "f"}
    return {**row, **changes}


@pytest.mark.parametrize(
    ("change", "level", "word"),
    [
        ({"maxmemory_policy": "allkeys-lru"}, BAD, "noeviction"),
        ({"aof_enabled": "0"}, WARN, "appendonly"),
        ({"version": "5.0.7"}, BAD, "6.2"),
        ({"used_bytes": "95"}, WARN, "OCRFLEET_RESULT_TTL_S"),
        ({"aof_last_write_status": "err"}, BAD, "disk"),
    ],
)
def test_a_queue_that_would_lose_work_is_found(change: dict[str, str], level: str, word: str) -> None:
    (finding,) = check_fleet.judge_queue({**GOOD, **change})
    assert finding.level == level
    assert word in finding.advice


def test_a_good_queue_raises_nothing() -> None:
    assert list(check_fleet.judge_queue(GOOD)) == []


def test_two_workers_on_one_core_are_found() -> None:
    findings = list(check_fleet.check_slots([slot(pid=1), slot(pid=2)], expected=True))
    assert BAD in levels(findings)
    assert "core 0" in next(row.english for row in findings if row.level == BAD)


def test_the_same_core_of_two_hosts_is_no_overlap() -> None:
    assert levels(check_fleet.check_slots([slot(), slot(hostname="i", boot_id="c")], expected=True)) == [OK, OK]


@pytest.mark.parametrize(
    ("change", "level"),
    [
        ({"core": None, "pinned": False}, WARN),
        ({"rss_mib": 900}, WARN),
        ({"state": "broken", "problem": "no model"}, BAD),
    ],
)
def test_an_ailing_worker_is_found(change: dict[str, Any], level: str) -> None:
    assert levels(check_fleet.check_slots([slot(**change)], expected=True)) == [level]


def test_a_worker_that_may_leave_its_core_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_fleet, "is_here", lambda _slot: True)
    monkeypatch.setattr(check_fleet, "allowed_cores", lambda _pid: {0, 1})
    assert levels(check_fleet.check_slots([slot()], expected=True)) == [BAD]


def test_different_models_are_found() -> None:
    assert levels(check_fleet.check_slots([slot(), slot(core=1, fingerprint="g")], expected=True))[-1] == WARN


def test_no_worker_is_bad_only_where_one_should_be() -> None:
    assert levels(check_fleet.check_slots([], expected=True)) == [BAD]
    assert levels(check_fleet.check_slots([], expected=False)) == []


def test_packages_are_compared_with_the_lock() -> None:
    here = metadata.version("rich")
    lock = (
        f"rich=={here} \\\n    --hash=sha256:00\nredis==0.1 \\\n    --hash=sha256:00\nno-such-package==1\n"
        "not-here==1 ; sys_platform == 'win32'\n"
    )
    assert check_machine.differing(lock) == [f"redis {metadata.version('redis')} (==0.1)", "no-such-package is missing"]


@pytest.mark.parametrize(
    ("flags", "level"), [({"avx512f", "avx2"}, OK), ({"avx2"}, OK), ({"sse4_2"}, WARN), ({"asimd"}, OK)]
)
def test_a_processor_without_wide_instructions_is_found(
    monkeypatch: pytest.MonkeyPatch, flags: set[str], level: str
) -> None:
    monkeypatch.setattr(machine, "processor", lambda: ("cpu", flags))
    assert next(iter(check_machine.check_processor(Settings()))).level == level


def test_more_processes_than_cores_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "usable_cores", lambda *_: (0, 1, 2, 3))
    monkeypatch.setattr(host, "cpu_quota", lambda *_: 2.0)
    found = {row.about: row for row in check_machine.check_processor(Settings(worker_cores=4))}
    assert found["cores"].level == WARN
    found = {row.about: row for row in check_machine.check_processor(Settings())}
    assert (found["cores"].level, found["cores"].english) == (OK, "4 usable core(s), quota 2: 2 worker process(es)")


def test_little_memory_is_found_with_the_setting_that_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "usable_cores", lambda *_: (0, 1, 2, 3))
    monkeypatch.setattr(host, "memory_bytes", lambda: (2 * 1024**3, 1024**3))
    found = {row.about: row for row in check_machine.check_processor(Settings())}
    assert (found["memory"].level, found["memory"].advice) == (WARN, "set WORKER_CORES=2, or add memory")


def test_a_damaged_model_is_found(tmp_path: Path) -> None:
    weight = next(weight for weight in models.weights() if weight.packaged is None)
    (tmp_path / weight.file).write_bytes(b"half a download")
    (finding,) = check_machine.check_models(Settings(models=tmp_path))
    assert finding.level == BAD
    assert f"{weight.name} (damaged)" in finding.english


def test_a_state_that_a_killed_up_left_is_not_taken_for_a_running_one(tmp_path: Path) -> None:
    (tmp_path / "up.json").write_text(json.dumps({"pid": 2**22 + 1, "url": "http://127.0.0.1:1", "redis_port": 1}))
    settings = Settings(data=tmp_path)
    assert check_fleet.running_here(settings) == {}
    assert levels(check_fleet.check_server(settings, None)) == [NOTE]
    (tmp_path / "up.json").write_text(json.dumps({"pid": os.getpid(), "url": "http://127.0.0.1:1", "redis_port": 1}))
    assert check_fleet.running_here(settings)["pid"] == os.getpid()


@pytest.mark.parametrize(("level", "code"), [(OK, 0), (WARN, 0), (BAD, 1)])
def test_the_exit_code_says_whether_something_is_bad(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], level: str, code: int
) -> None:
    monkeypatch.setattr(doctor, "look", lambda *_: [Finding(level, "x", "so", "如此", "do", "做")])
    monkeypatch.setattr(doctor, "get_settings", lambda: Settings(data=Path("/nowhere")))
    assert main(["doctor", "--lang", "zh"]) == code
    assert "如此" in capsys.readouterr().out


def test_a_check_that_breaks_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken() -> None:
        raise RuntimeError("oops")

    monkeypatch.setattr(check_machine, "check_python", broken)
    findings = list(doctor.look(Settings(data=tmp_path), "", [], None))
    assert "oops" in findings[0].english
    assert {"cores", "models"} <= {row.about for row in findings}


def test_a_setting_that_is_wrong_is_named_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OCRFLEET_PORT", "eighty")
    get_settings.cache_clear()
    try:
        assert main(["doctor"]) == 2
    finally:
        get_settings.cache_clear()
    assert "OCRFLEET_PORT" in capsys.readouterr().err


def test_a_variable_that_is_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OCRFLEET_MODELS", "OCRFLEET_DATA", "OCRFLEET_PORT"):
        monkeypatch.setenv(name, "")
    settings = Settings()
    assert settings.models_folder == Settings.model_fields["data"].default / "models"
    assert settings.port == Settings.model_fields["port"].default


def test_every_finding_is_said_in_both_languages(tmp_path: Path) -> None:
    for row in doctor.look(Settings(data=tmp_path, models=tmp_path), "redis://127.0.0.1:1/0", [], "http://127.0.0.1:1"):
        assert all(dataclasses.astuple(row)[:4]), row
        assert bool(row.advice) == bool(row.advice_zh or row.advice)
