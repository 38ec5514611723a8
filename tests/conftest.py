"""What every kind of test may use: a real Valkey, and a whole running fleet. Both are started once, and leave nothing."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator

import hypothesis
import pytest

from cli import valkey
from cli.processes import die_with
from shared.settings import Settings
from tests.stack import Stack, free_ports, known_models, make_stack, processes_of

# The suite tries the same examples each time: what it finds is then found by everyone. OCRFLEET_EXPLORE looks for new ones.
hypothesis.settings.register_profile("suite", derandomize=True, database=None, deadline=None)
if "OCRFLEET_EXPLORE" not in os.environ:
    hypothesis.settings.load_profile("suite")
START_S = 20.0

if folder := known_models():  # for tests that ask for the weights by the environment
    os.environ["OCRFLEET_MODELS"] = str(folder)


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Valkey with the project's own configuration. Tests that share it keep apart by their `redis_prefix`."""
    data = tmp_path_factory.mktemp("valkey")
    server = valkey.prepare(Settings(redis_port=free_ports(1)[0], data=data), data)
    with (data / "valkey.log").open("wb") as log:
        process = subprocess.Popen(
            server.command, stdout=log, stderr=log, preexec_fn=die_with(os.getpid()), pass_fds=(server.lock,)
        )
    os.close(server.lock)
    end = time.monotonic() + START_S
    while (reason := valkey.probe(server.url)) is not None:
        assert process.poll() is None, (data / "valkey.log").read_text()
        assert time.monotonic() < end, reason
        time.sleep(0.02)
    yield server.url
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One fleet for all tests that do not harm it; at its end no process may be left."""
    one = make_stack(tmp_path_factory.mktemp("fleet"))
    try:
        one.start()
        yield one
        code = one.stop() if one.process and one.process.poll() is None else 0
        left = one.left()
        assert (code, left) == (0, []), f"exit code {code}, processes left: {left}\n{one.screen}"
    finally:
        one.kill_everything()


@pytest.fixture(scope="module")
def stack(fleet: Stack) -> Stack:
    """That fleet, which has forgotten what other modules of tests had it read."""
    fleet.forget()
    return fleet


@pytest.fixture
def own_stack(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A fleet of one worker process that a test may harm; the test starts it. Settings by `@pytest.mark.parametrize`
    with `indirect`, as a mapping of fields."""
    fields = getattr(request, "param", {})
    fleet = make_stack(tmp_path_factory.mktemp("own"), **{"worker_cores": "1", "flower_port": "0", **fields})
    yield fleet
    fleet.kill_everything()
    assert fleet.left() == []
    assert processes_of(fleet.data) == []
