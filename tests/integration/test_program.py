"""The program `ocrfleet` against a running fleet, as a person types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from cli.client import OcrFleet
from tests.stack import ROOT, Stack

SAMPLES = ROOT / "samples"


def ocrfleet(stack: Stack, *words: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run the program against the fleet."""
    environment = {**stack.environment, "OCRFLEET_SERVER": stack.url}
    command = [sys.executable, "-m", "cli.main", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, env=environment, input=stdin, capture_output=True, timeout=120)


def test_read_prints_the_text(stack: Stack) -> None:
    done = ocrfleet(stack, "read", SAMPLES / "line-en.png")
    assert (done.returncode, done.stdout.decode().strip()) == (0, "Every page tells a story")


def test_read_takes_standard_input(stack: Stack) -> None:
    done = ocrfleet(stack, "read", "-", "--layout", "line", stdin=(SAMPLES / "line-en.png").read_bytes())
    assert (done.returncode, done.stdout.decode().strip()) == (0, "Every page tells a story")


def test_read_several_keeps_their_order_and_writes_files(stack: Stack, tmp_path: Path) -> None:
    names = ["report-5p.pdf", "line-en.png", "line-zh.png"]
    files = [SAMPLES / name for name in names]
    done = ocrfleet(stack, "read", *files)
    assert done.returncode == 0, done.stderr
    heads = [line for line in done.stdout.decode().splitlines() if line.startswith("==> ")]
    assert heads == [f"==> {file} <==" for file in files]
    done = ocrfleet(stack, "read", *files, "--json", "--output", tmp_path)
    assert (done.returncode, done.stdout) == (0, b"")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"{name}.json" for name in names)
    assert len(json.loads((tmp_path / "report-5p.pdf.json").read_text())["pages"]) == 5


def test_read_goes_on_after_a_document_that_is_refused(stack: Stack, tmp_path: Path) -> None:
    text = tmp_path / "text.png"
    text.write_text("this is no picture")
    done = ocrfleet(stack, "read", text, SAMPLES / "line-en.png")
    assert done.returncode == 1
    assert "Every page tells a story" in done.stdout.decode()
    assert str(text) in done.stderr.decode()


def test_submit_status_result_cancel_and_jobs_go_together(stack: Stack) -> None:
    done = ocrfleet(stack, "submit", SAMPLES / "note-en.jpg", "--priority", "bulk")
    job_id = done.stdout.decode().strip()
    assert done.returncode == 0, done.stderr
    done = ocrfleet(stack, "status", job_id, "--wait")
    assert done.returncode == 0
    assert job_id in done.stdout.decode()
    assert "done" in done.stdout.decode()
    text = ocrfleet(stack, "result", job_id).stdout.decode()
    assert text.strip() == json.loads(OcrFleet(stack.url).result(job_id))["text"].strip()
    assert job_id in ocrfleet(stack, "jobs").stdout.decode()
    assert ocrfleet(stack, "cancel", job_id).returncode == 0
    assert ocrfleet(stack, "cancel", job_id, "--delete").returncode == 0
    assert ocrfleet(stack, "status", job_id).returncode == 1


def test_doctor_sees_the_fleet_with_its_cores_and_memory(stack: Stack) -> None:
    done = ocrfleet(stack, "doctor", "--json")
    report = json.loads(done.stdout)
    rows = {row["about"]: row for row in report["findings"]}
    bad = [row for row in report["findings"] if row["level"] == "bad"]
    assert (done.returncode, bad) == (0, [])
    assert "AOF" not in rows["queue"]["finding"]
    assert rows["server"]["finding"] == f"{stack.url} is ready"
    workers = [row for row in report["findings"] if row["about"] == "workers"]
    assert len(workers) == len(report["slots"]) == len(os.sched_getaffinity(0))
    assert all(0 < slot["rss_mib"] < 500 for slot in report["slots"]), report["slots"]


def test_doctor_speaks_chinese_and_shows_the_fleet(stack: Stack) -> None:
    shown = ocrfleet(stack, "doctor", "--fleet", "--lang", "zh").stdout.decode()
    assert "已就绪" in shown
    assert "识别" in shown
    for pid in stack.worker_children():
        assert str(pid) in shown


def test_flower_shows_itself_only_to_who_has_the_password(stack: Stack) -> None:
    address = f"http://127.0.0.1:{stack.settings.flower_port}/"
    assert requests.get(address, timeout=10).status_code == 401
    words = stack.screen.split("user ocrfleet password ")[1].split()
    assert requests.get(address, auth=("ocrfleet", words[0]), timeout=10).status_code == 200
    shutdown = address + "api/worker/shutdown/any"
    assert requests.post(shutdown, auth=("ocrfleet", words[0]), timeout=10).status_code == 403


@pytest.mark.parametrize("words", [("read", "x.png", "--format", "docx"), ("frobnicate",), ()])
def test_wrong_words_end_with_2(stack: Stack, words: tuple[str, ...]) -> None:
    done = ocrfleet(stack, *words)
    assert done.returncode == 2
    assert b"usage:" in done.stderr
