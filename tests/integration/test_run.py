"""`ocrfleet up` for real: documents go through the whole fleet, and no way of ending it loses or leaves anything."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.client import OcrFleet
from cli.processes import allowed_cores, is_zombie
from tests.stack import ROOT, Stack, free_ports, make_stack

SAMPLES = ROOT / "samples"
RESTART_S = 60.0


def truth(name: str) -> list[str]:
    """The lines of a sample, page after page."""
    rows = json.loads((SAMPLES / "samples.json").read_text(encoding="utf-8"))
    found = next(row for row in rows if row["file"] == name)
    return [line for page in found["pages"] for line in page["lines"]]


def squeezed(text: str) -> str:
    return "".join(text.split())


def wait_for(check: object, patience_s: float = RESTART_S) -> object:
    """The first true answer of `check`; the last one when the time is over."""
    end = time.monotonic() + patience_s
    while True:
        with contextlib.suppress(Exception):
            found = check()  # type: ignore[operator]
            if found:
                return found
        if time.monotonic() > end:
            return None
        time.sleep(0.1)


def test_a_picture_is_read(stack: Stack) -> None:
    result = OcrFleet(stack.url).read(SAMPLES / "line-en.png")
    assert result["text"].split() == truth("line-en.png")[0].split()
    assert result["pages"][0]["lines"][0]["confidence"] > 0.8


def test_the_second_upload_is_answered_from_the_cache(stack: Stack) -> None:
    client = OcrFleet(stack.url)
    first = client.read(SAMPLES / "line-zh.png")
    again = client.submit(SAMPLES / "line-zh.png")
    assert (again["status"], again["cached"]) == ("done", True)
    assert json.loads(client.result(again["id"]))["text"] == first["text"]
    assert squeezed(first["text"]) == squeezed("".join(truth("line-zh.png")))


def test_pages_of_a_pdf_arrive_one_after_another(stack: Stack) -> None:
    client = OcrFleet(stack.url)
    job = client.submit(SAMPLES / "report-5p.pdf")
    seen = [change["progress"]["pages_done"] for change in client.follow(job["id"])]
    assert seen == sorted(seen), "progress went backwards"
    assert seen[-1] == 5
    assert set(seen) & {1, 2, 3, 4}, f"no page was seen between the first and the last: {seen}"
    text = squeezed(client.result(job["id"], "text").decode())
    lines = [squeezed(line) for line in truth("report-5p.pdf")]
    assert sum(line in text for line in lines) >= 0.9 * len(lines)


def test_every_worker_process_has_a_core_of_its_own(stack: Stack) -> None:
    readers = stack.worker_children()
    cores = [allowed_cores(pid) for pid in readers]
    assert len(readers) == len(os.sched_getaffinity(0))
    assert all(len(core) == 1 for core in cores), cores
    assert len(set().union(*cores)) == len(readers), cores


def test_the_screen_tells_where_everything_is(stack: Stack) -> None:
    for word in (stack.url, f"http://127.0.0.1:{stack.settings.flower_port}", str(stack.data), "Ctrl-C"):
        assert word in stack.screen


def test_a_second_start_on_the_same_folder_is_refused(stack: Stack) -> None:
    second = make_stack(stack.data)
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "up"], cwd=ROOT, env=second.environment, capture_output=True, timeout=30
    )
    said = done.stderr.decode()
    assert done.returncode == 1
    assert "already running" in said
    assert stack.url in said
    assert OcrFleet(stack.url).ready()["ready"]


def test_a_taken_port_is_named_with_its_variable(own_stack: Stack) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", own_stack.settings.port))
        holder.listen()
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", "up"],
            cwd=ROOT,
            env=own_stack.environment,
            capture_output=True,
            timeout=30,
        )
    assert done.returncode == 1
    assert "OCRFLEET_PORT" in done.stderr.decode()
    assert str(own_stack.settings.port) in done.stderr.decode()


@pytest.mark.parametrize("word", ["gunicorn", "worker.app", "cli.flower", "valkey-server"])
def test_a_process_that_is_killed_is_started_again(stack: Stack, word: str) -> None:
    before = stack.service(word)
    # A worker that lost its broker in an unlucky moment ends and is started again; the others wait for it.
    others = {stack.service(other) for other in ("gunicorn", "cli.flower", "valkey-server")} - {before}
    os.kill(before, signal.SIGKILL)
    after = wait_for(lambda: (pid := stack.service(word)) != before and pid)
    assert after, stack.screen
    assert wait_for(lambda: OcrFleet(stack.url).ready()["ready"]), stack.logs()
    # Another file each time: an answer from the cache would prove nothing.
    sample = {
        "gunicorn": "line-digits",
        "worker.app": "line-mixed",
        "cli.flower": "line-small",
        "valkey-server": "badge",
    }
    assert OcrFleet(stack.url).read(SAMPLES / f"{sample[word]}.png")["text"].strip(), stack.logs()
    assert is_zombie(before)
    assert not any(map(is_zombie, others)), f"more than {word} was started again:\n{stack.screen}"


@pytest.mark.timeout(900)
def test_work_that_was_accepted_survives_kill_9_of_everything(own_stack: Stack) -> None:
    own_stack.start()
    client = OcrFleet(own_stack.url)
    files = ["report-5p.pdf", "page-en.png", "scan-3p.tiff"]
    jobs = {name: client.submit(SAMPLES / name)["id"] for name in files}
    time.sleep(1.2)  # appendfsync everysec: what is older than a second is on the disk
    own_stack.kill_everything()
    assert own_stack.left() == []

    own_stack.start()
    client = OcrFleet(own_stack.url)
    for name, job_id in jobs.items():
        job = client.wait(job_id)
        assert job["status"] == "done", (name, job, own_stack.logs())
    # The supervisor alone is killed: the kernel and the sentinel end the rest.
    assert own_stack.process is not None
    own_stack.process.send_signal(signal.SIGKILL)
    own_stack.process.wait()
    assert own_stack.left() == []


@pytest.mark.timeout(900)
@pytest.mark.parametrize("own_stack", [{"flower_port": str(free_ports(1)[0])}], indirect=True)
def test_ctrl_c_finishes_the_page_and_leaves_no_process(own_stack: Stack) -> None:
    own_stack.start()
    client = OcrFleet(own_stack.url)
    job = client.submit(SAMPLES / "report-5p.pdf")
    assert wait_for(lambda: client.job(job["id"])["status"] == "running")
    assert own_stack.stop() == 0, own_stack.screen
    assert own_stack.left(1.0) == []
    assert "stopped" in own_stack.screen
    # A torn tail of the log, as a power cut leaves it, is cut off; the rest of the job is read.
    log = next((own_stack.data / "redis" / "appendonlydir").glob("*.incr.aof"))
    tear(log)
    own_stack.start()
    assert OcrFleet(own_stack.url).wait(job["id"])["status"] == "done"


def tear(log: Path) -> None:
    """Leave a command at the end of an append-only file that was half written, and blocks that were not at all."""
    with log.open("ab") as file:
        file.write(b"*3\r\n$3\r\nSET\r\n$4\r\nhalf" + bytes(5000))


def test_a_queue_file_damaged_in_its_middle_is_said_and_left_alone(own_stack: Stack) -> None:
    folder = own_stack.data / "redis" / "appendonlydir"
    folder.mkdir(parents=True)
    (folder / "appendonly.aof.manifest").write_text("file appendonly.aof.1.incr.aof seq 1 type i\n")
    damaged = b"*2\r\n$4\r\nINCR\r\n$1\r\na\r\n" + b"\xff" * 40 + b"*2\r\n$4\r\nINCR\r\n$1\r\na\r\n"
    (folder / "appendonly.aof.1.incr.aof").write_bytes(damaged)
    command = [sys.executable, "-m", "cli.main", "up"]
    done = subprocess.run(command, cwd=ROOT, env=own_stack.environment, capture_output=True, timeout=60)
    assert done.returncode == 1
    assert str(folder) in done.stderr.decode()
    assert "damaged" in done.stderr.decode()
    assert (folder / "appendonly.aof.1.incr.aof").read_bytes() == damaged
