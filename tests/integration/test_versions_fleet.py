"""A running fleet moves to other weights and back: no page is lost or read twice, and someone always reads."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.client import OcrFleet
from shared.settings import Settings
from shared.store.open import open_store
from shared.store.redis import RedisStore
from tests.stack import ROOT, Stack, make_stack
from worker.reading import models, versions

SAMPLES = ROOT / "samples"
NAMES = ("line-en.png", "line-zh.png", "line-digits.png", "line-mixed.png")
PATIENCE_S = 240.0


@pytest.fixture
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Two worker processes and a models folder of their own, so that nobody else sees the versions made here."""
    data = tmp_path_factory.mktemp("versions")
    stack = make_stack(data, worker_cores="2", flower_port="0", engine="crnn")
    shipped, folder = stack.settings.models_folder, data / "weights"
    folder.mkdir()
    for weight in models.weights():
        if weight.packaged is None:
            (folder / weight.file).symlink_to(models.place(shipped, weight).resolve())
    stack.environment["OCRFLEET_MODELS"] = str(folder)
    stack.settings = stack.settings.model_copy(update={"models": folder})
    yield stack
    stack.kill_everything()


def another(folder: Path) -> versions.Version:
    """The shipped weights under another name: a protobuf file goes on where another of its kind is put behind it."""
    facts = models.facts("crnn")
    weight = facts.weight(facts.recogniser["weight"])
    source = folder.parent / "copy.onnx"
    # One more entry of ModelProto.metadata_props: {key: "v", value: "2"}.
    source.write_bytes(models.place(folder, weight).read_bytes() + bytes((0x72, 6, 0x0A, 1, 0x76, 0x12, 1, 0x32)))
    keys = facts.weight(facts.recogniser["vocabulary"].split(":")[1])
    how = {key: value for key, value in facts.recogniser.items() if key not in ("weight", "vocabulary")}
    return versions.register(
        folder, "crnn", "copy", source, models.place(folder, keys).read_bytes(), {**how, "calibrated_as": weight.version},
        {"licence": weight.licence, "about": "A copy."}, {"parent": weight.version, "created": "2026-01-01"}, {},
    )  # fmt: skip


def command(stack: Stack, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli.main", "models", *words],
        cwd=ROOT, env=stack.environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip


class Watch(threading.Thread):
    """Looks at the fleet all the time: the fewest processes that were ready to read."""

    def __init__(self, store: RedisStore) -> None:
        super().__init__(daemon=True)
        self.store, self.fewest, self.ended = store, 99, threading.Event()

    def run(self) -> None:
        while not self.ended.wait(0.05):
            self.fewest = min(self.fewest, self.store.capacity().slots)


def readers(stack: Stack, store: RedisStore, name: str) -> set[int]:
    """The fleet's two worker processes, once both say that they read with a version."""
    end = time.monotonic() + PATIENCE_S
    while True:
        slots = [slot for slot in store.slots() if slot.get("warm")]
        pids = {int(slot["pid"]) for slot in slots if slot.get("versions", {}).get("crnn", "") == name}
        if len(pids) == len(slots) == 2 and pids == set(stack.worker_children()):
            return pids
        assert time.monotonic() < end, f"{slots}\n{stack.logs()}"
        time.sleep(0.1)


def test_a_fleet_changes_over_under_load_and_back_without_losing_a_page(fleet: Stack) -> None:
    fleet.start()
    made = another(fleet.settings.models_folder)
    client = OcrFleet(fleet.url)
    store, _ = open_store(Settings(redis_url=fleet.redis_url, redis_prefix=fleet.settings.redis_prefix))
    before = client.read(SAMPLES / NAMES[0], engine="crnn")
    assert client.submit(SAMPLES / NAMES[0], engine="crnn")["cached"]
    pids = readers(fleet, store, "")
    watch, stop, jobs = Watch(store), threading.Event(), []

    def load() -> None:
        turn = 0
        while not stop.is_set():
            # Comments behind a picture's end change its hash and not its pixels; a job without a cached page is wanted.
            data = (SAMPLES / NAMES[turn % len(NAMES)]).read_bytes() + str(turn).encode()
            jobs.append(client.submit(data, name="line.png", layout=("line", "page")[turn % 2], engine="crnn")["id"])
            client.wait(jobs[-1])
            turn += 1

    loader = threading.Thread(target=load)
    watch.start()
    loader.start()
    done = command(fleet, "use", "copy")
    assert done.returncode == 0, done.stdout + done.stderr + fleet.logs()
    assert "worker processes have changed over" in done.stdout
    assert readers(fleet, store, made.name) == pids, "a process was restarted to change over"

    after = client.submit(SAMPLES / NAMES[0], engine="crnn")
    assert not after["cached"], "the other version's result was given out"
    client.wait(after["id"])
    (attempt,) = store.attempts(after["id"])
    assert made.name in attempt["models"]
    assert client.read(SAMPLES / NAMES[0], engine="crnn")["text"] == before["text"], "the same weights read the same"

    os.kill(min(pids), signal.SIGKILL)
    while min(pids) in (replaced := readers(fleet, store, made.name)):
        time.sleep(0.1)  # the parent takes a moment to see it

    watch.fewest = 99
    back = command(fleet, "rollback")
    assert back.returncode == 0, back.stdout + back.stderr + fleet.logs()
    assert readers(fleet, store, "") == replaced
    stop.set()
    loader.join(PATIENCE_S)
    watch.ended.set()
    assert watch.fewest >= 1, "nobody was ready to read"
    assert len(jobs) > 4
    for job in jobs:
        assert store.view(job).status == "done"
        outcomes = [attempt["outcome"] for attempt in store.attempts(job)]
        assert outcomes[-1] == "done"
        assert set(outcomes[:-1]) <= {"lost"}, "only the process that was killed may have lost one"
    assert client.submit(SAMPLES / NAMES[0], engine="crnn")["cached"], "the first version's results are good again"
    listed = command(fleet, "list")
    assert made.weight.sha256 in listed.stdout
    assert f"  {made.name}  whole" in listed.stdout
