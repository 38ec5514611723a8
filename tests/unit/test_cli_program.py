"""The program's small parts: arguments, languages, progress lines, logs, set-up."""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
from pathlib import Path
from typing import Any

import pytest

from cli import install, main, read
from cli.data import data_folder
from cli.logs import RotatingLog
from cli.problems import AlreadyRunning, DataFolderRefused, ServerAway
from cli.ready import models_shown, without_password
from cli.screen import Progress
from cli.status import line
from cli.words import language
from shared.settings import Settings

JOB = {"id": "j1", "status": "queued", "progress": {"pages_total": 5, "pages_done": 0, "lines_done": 0}}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "de_DE.UTF-8", "OCRFLEET_LANG": "zh"}, "zh"),
        ({}, "en"),
    ],
)
def test_the_language_follows_the_locale(environment: dict[str, str], expected: str) -> None:
    assert language(environment) == expected


@pytest.mark.parametrize("command", sorted(set(main.COMMANDS) - {"models"}))
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main([command, "--help"])
    assert ended.value.code == 0
    assert "usage: ocrfleet " + command in capsys.readouterr().out


def test_a_failure_is_a_sentence_in_both_languages_and_a_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def away(_options: argparse.Namespace) -> int:
        raise ServerAway(server="http://x", reason="gone")

    monkeypatch.setattr("cli.jobs.run", away)
    assert main.main(["jobs"]) == 3
    said = capsys.readouterr().err
    assert "http://x" in said
    assert "没有响应" in said


def test_a_missing_file_is_said_before_the_server_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["read", "/no/such/file.png", "--server", "http://127.0.0.1:1"]) == 2
    assert "/no/such/file.png" in capsys.readouterr().err


def test_a_queued_job_tells_its_place_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCRFLEET_LANG", "en")
    shown = line({**JOB, "queue_position": 3, "eta_s": 12.4})
    assert "place 3" in shown
    assert "about 12 s" in shown
    monkeypatch.setenv("OCRFLEET_LANG", "zh")
    assert "排队中" in line(JOB)


def test_results_of_documents_with_one_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    options = argparse.Namespace(output=tmp_path, format="text", files=["a/x.png", "b/x.png"])
    for name in ("lang", "engine", "layout", "pages", "preprocess", "fold", "pictures", "priority"):
        setattr(options, name, "")
    reading = read.Reading(options)
    reading._put("a/x.png", b"one")
    reading._put("b/x.png", b"two")
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"x.png.txt": "one", "x.png-2.txt": "two"}


def test_progress_beyond_a_terminal_is_one_line_a_change() -> None:
    out = io.StringIO()
    progress = Progress(out)
    for text in ("queue", "queue", "worker", "worker"):
        progress.show(text)
    progress.line("ready")
    assert out.getvalue() == "queue ...\nworker ...\nready\n"


def test_a_log_is_bounded_and_keeps_its_newest_lines(tmp_path: Path) -> None:
    log = RotatingLog(tmp_path / "x.log", limit=1000, files=2)
    for number in range(500):
        log.write(f"line {number:04d}\n".encode())
    log.close()
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["x.log", "x.log.1", "x.log.2"]
    assert all(path.stat().st_size <= 1000 for path in tmp_path.iterdir())
    assert (tmp_path / "x.log").read_text().endswith("line 0499\n")
    assert log.tail()[-1] == "line 0499"


def test_a_log_takes_lines_in_pieces_and_never_waits_for_an_end(tmp_path: Path) -> None:
    log = RotatingLog(tmp_path / "x.log")
    for piece in (b"half ", b"a line\nand", b" no end"):
        log.write(piece)
    assert log.tail() == ["half a line", "and no end"]
    log.write(b"x" * 100_000)
    log.close()
    assert (tmp_path / "x.log").stat().st_size > 100_000


def test_a_data_folder_is_held_by_one(tmp_path: Path) -> None:
    with data_folder(tmp_path) as state:
        state.write_text('{"url": "http://127.0.0.1:8080", "pid": 1}')
        with pytest.raises(AlreadyRunning, match=r"http://127\.0\.0\.1:8080"), data_folder(tmp_path):
            pass
    with data_folder(tmp_path):
        pass


def test_a_data_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataFolderRefused, match="OCRFLEET_DATA"), data_folder(tmp_path / "file" / "data"):
        pass


def test_a_password_is_never_shown() -> None:
    assert without_password("rediss://user:secret@redis.example:7000/2") == "rediss://redis.example:7000/2"


def test_models_are_shown_by_their_names() -> None:
    assert models_shown("crnn/detector=D-small/preprocessing=1/recogniser=R-2") == "crnn: D-small, R-2"
    assert models_shown("auto") == "auto"


# The set-up


@pytest.fixture
def venv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A folder in the place of an environment, with pip replaced by a record of what it was asked."""
    calls: list[list[str]] = []
    monkeypatch.setattr(install, "run_pip", calls.append)
    monkeypatch.setattr(install, "works", lambda python: python.exists())

    def make(folder: Path) -> None:
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "python").symlink_to(sys.executable)

    monkeypatch.setattr(install, "make_environment", make)
    return argparse.Namespace(folder=tmp_path / "venv", calls=calls)


def test_an_unchanged_lock_is_not_installed_again(venv: Any) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        assert install.install(venv.folder, "runtime")
        calls = len(venv.calls)
        assert not install.install(venv.folder, "runtime")
        assert len(venv.calls) == calls
        (venv.folder / ".ocrfleet-runtime").write_text("another lock")
        assert install.install(venv.folder, "runtime")


def test_packages_come_with_their_hashes_or_not_at_all(venv: Any) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        install.install(venv.folder, "dev")
    locked = [call for call in venv.calls if "-r" in call]
    assert [Path(call[-1]).name for call in locked] == ["build.lock", "dev.lock"]
    assert all("--require-hashes" in call for call in locked)
    (own,) = [call for call in venv.calls if "--editable" in call]
    assert {"--no-deps", "--no-build-isolation"} <= set(own), "nothing unlocked may slip in with the project itself"


@pytest.mark.parametrize(
    ("output", "word"),
    [
        ("error: these packages do not match the hashes", "not the one in the lock file"),
        ("oserror: [errno 28] no space left on device", "disk is full"),
        ("no matching distribution found for x==1 (from versions: 2)", "no file of a needed version"),
        ("connection broken: newconnectionerror", "network"),
    ],
)
def test_a_failed_installation_says_what_to_do(output: str, word: str) -> None:
    assert word in install.explained(output).english


def test_the_locks_hold_hashes_for_everything_and_name_no_host() -> None:
    for lock in sorted((install.ROOT / "requirements").glob("*.lock")):
        text = lock.read_text()
        entries = [row for row in text.splitlines() if row and not row.startswith((" ", "#"))]
        assert entries, lock
        assert all("==" in row and row.endswith("\\") for row in entries), lock
        assert "://" not in text
        assert "--index" not in text
        assert "--find-links" not in text


def test_a_broken_form_is_told_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "permit.toml").write_text("title = 1", encoding="utf-8")
    monkeypatch.setattr("cli.up.get_settings", lambda: Settings(forms=tmp_path, data=tmp_path / "data"))
    assert main.main(["up"]) == 1
    said = capsys.readouterr().err
    assert "permit.toml" in said
    assert "表单规则" in said
    assert not (tmp_path / "data").exists()
