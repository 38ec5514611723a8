"""`ocrfleet up`: the whole fleet on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from api.forms import load_all
from cli import fleet, screen, valkey, versions
from cli.data import data_folder
from cli.machine import can_bind
from cli.problems import AddressRefused, NotReady, PortTaken, QueueDamaged, RedisAway, ServiceDied
from cli.ready import Wait, queue_line, readiness, wait_for_slots, waiting_for, without_password
from cli.supervisor import Supervisor
from cli.words import pick
from shared.errors import OcrFleetError
from shared.host import process_count
from shared.settings import Settings, get_settings
from worker.reading import models

HELP = ("start the whole fleet on this machine", "在本机启动整个服务")
REDIS_START_S = 120.0  # a large AOF takes a while to load
REDIS_AWAY_S = 20.0  # for a Redis that somebody else runs
READY_EXTRA_S = 60.0  # beyond proc_alive_s


class Interrupts:
    """Counts Ctrl-C, SIGTERM and SIGHUP, and wakes the supervisor's loop."""

    def __init__(self) -> None:
        self.count = 0

    @contextlib.contextmanager
    def caught(self, supervisor: Supervisor) -> Iterator[None]:
        """Count signals inside the block instead of dying of them."""
        reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        supervisor.wake_on(reading)
        before = {
            number: signal.signal(number, self._count) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        }
        wakeup = signal.set_wakeup_fd(writing)
        try:
            yield
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _count(self, _number: int, _frame: object) -> None:
        self.count += 1


class Interrupted(Exception):
    """Raised when a person stops the fleet before it is ready."""


def configure(parser: argparse.ArgumentParser) -> None:
    """No options: settings come from the environment, so that `make run` and containers say the same."""
    parser.epilog = "Settings are environment variables: python -m shared.settings --table"


def run(_options: argparse.Namespace) -> int:
    """Start, show, watch, stop. 0 after a stop that was asked for; 1 with the reason where the fleet cannot run."""
    settings = get_settings()
    load_all(settings.forms)  # a mistake in them is told before anything starts
    progress = screen.Progress()
    data = settings.data.absolute()
    with data_folder(data) as state_file:
        weights = settings.models_folder.absolute()
        check_ports(settings)
        fetch_models(weights, progress)
        interrupts = Interrupts()
        with Supervisor(data / "logs", progress.line) as supervisor, interrupts.caught(supervisor):
            try:
                begin(settings, data, weights, supervisor, interrupts, progress, state_file)
                supervisor.settle()
                while not interrupts.count:
                    supervisor.step()
            except Interrupted:
                pass
            except OcrFleetError:
                progress.clear()
                stop(supervisor, lambda: True)
                raise
            finally:
                state_file.unlink(missing_ok=True)
            progress.line(pick("stopping: pages in work are finished first", "正在停止：先完成正在识别的页面"))
            asked = interrupts.count
            stop(supervisor, lambda: interrupts.count > asked)
    progress.line(pick("ocrfleet has stopped.", "ocrfleet 已停止。"))
    return 0


def check_ports(settings: Settings) -> None:
    """Raises PortTaken or AddressRefused with the variable to set."""
    wanted = [(settings.host, settings.port, "port")]
    if settings.flower_port:
        wanted.append(("127.0.0.1", settings.flower_port, "flower_port"))
    for host, port, field in wanted:
        error = can_bind(host, port)
        if error is None:
            continue
        if error.errno == 98:  # EADDRINUSE
            raise PortTaken(host=host, port=port, variable=Settings.environment_name(field))
        variable = "host" if field == "port" and error.errno != 13 else field  # EACCES: ports below 1024
        raise AddressRefused(
            host=host, port=port, reason=error.strerror or error, variable=Settings.environment_name(variable)
        )


def fetch_models(folder: Path, progress: screen.Progress) -> None:
    """Fetch the weights that are missing; sizes are compared, every byte is checked by `ocrfleet doctor`."""

    def lacks(weight: models.Weight) -> bool:
        file = models.place(folder, weight)
        return not file.is_file() or file.stat().st_size != weight.bytes

    if any(lacks(weight) for weight in models.weights()):
        progress.line(pick(f"fetching the models into {folder}", f"正在下载模型到 {folder}"))
        models.fetch(folder, progress.line)


def fetch_at_setup() -> int:
    """The same before the first start, for the set-up; 1 with the reason where it fails."""
    try:
        fetch_models(get_settings().models_folder.absolute(), screen.Progress())
    except OcrFleetError as error:
        screen.both(error.detail, error.detail_zh)
        return 1
    return 0


def begin(
    settings: Settings,
    data: Path,
    weights: Path,
    supervisor: Supervisor,
    interrupts: Interrupts,
    progress: screen.Progress,
    state_file: Path,
) -> None:
    """Start everything and come back when `/readyz` is 200 and the screen is shown. Raises Interrupted, CommandError."""
    started = time.monotonic()

    def wait(text: Callable[[], str], check: Callable[[], bool], limit_s: float) -> bool:
        end = time.monotonic() + limit_s
        while not check():
            if interrupts.count:
                raise Interrupted
            if time.monotonic() > end:
                return False
            progress.show(text())
            supervisor.step(0.1)
        return True

    url = start_queue(settings, data, supervisor, wait)
    versions.bring_along(settings.model_copy(update={"redis_url": url}), weights)
    told = fleet.environment(settings, data, weights, url)
    supervisor.start(fleet.gateway_service(settings, told))
    supervisor.start(fleet.worker_service(settings, told))
    password = secrets.token_urlsafe(12)
    if settings.flower_port:
        supervisor.start(fleet.flower_service(settings, told, password, secrets.token_urlsafe(32)))
    answer: dict[str, Any] = {}

    def is_ready() -> bool:
        answer.clear()
        answer.update(readiness(settings))
        return answer.get("status_code") == 200

    limit_s = settings.proc_alive_s + READY_EXTRA_S
    if not wait(lambda: waiting_for(answer), is_ready, limit_s):
        raise NotReady(seconds=int(limit_s), reason=waiting_for(answer), logs=data / "logs")
    expected = process_count(settings.worker_cores)
    slots = wait_for_slots(settings.model_copy(update={"redis_url": url}), expected, wait)
    progress.clear()
    address = f"http://{settings.host}:{settings.port}"
    local = settings.host in ("127.0.0.1", "localhost", "::1")
    ready = screen.Ready(
        url=address,
        reachable=not local,
        flower=f"http://127.0.0.1:{settings.flower_port}" if settings.flower_port else None,
        flower_user=fleet.FLOWER_USER,
        flower_password=password,
        redis=queue_line(url, own=not settings.redis_url),
        data=data,
        models=weights,
        logs=data / "logs",
        slots=slots,
        seconds=time.monotonic() - started,
    )
    # Tells `ocrfleet doctor` and a second `up` where this one is; it holds no password.
    state = {"pid": os.getpid(), "url": address, "flower": ready.flower, "redis_port": urlsplit(url).port}
    valkey.write_private(state_file, json.dumps(state) + "\n")
    screen.show(ready)


def start_queue(
    settings: Settings,
    data: Path,
    supervisor: Supervisor,
    wait: Wait,
) -> str:
    """The queue's address, once it answers: Redis where REDIS_URL names one, else a Valkey of its own."""
    if settings.redis_url:
        url, limit_s = settings.redis_url, REDIS_AWAY_S
    else:
        server = valkey.prepare(settings, data)
        supervisor.start(fleet.valkey_service(server))
        url, limit_s = server.url, REDIS_START_S
    reason: list[str] = [""]

    def answers() -> bool:
        reason[0] = valkey.probe(url) or ""
        return not reason[0]

    def text() -> str:
        loading = reason[0] == "loading its data"
        return pick("waiting for the queue", "等待队列") + (f" ({reason[0]})" if loading else "")

    try:
        came = wait(text, answers, limit_s)
    except ServiceDied:
        if valkey.is_damaged(supervisor.tail("valkey")):
            raise QueueDamaged(folder=data / "redis" / "appendonlydir") from None
        raise
    if not came:
        raise RedisAway(url=without_password(url), reason=reason[0])
    return url


def stop(supervisor: Supervisor, hurry: Callable[[], bool]) -> None:
    """End everything in order; `hurry` ends the waiting."""
    supervisor.settle()
    for names in fleet.STOP_ORDER:
        # The store is waited for even in a hurry: its last second is worth the moment that it takes.
        supervisor.stop(names, (lambda: False) if "valkey" in names else hurry)


def main() -> int:
    """For `python -m cli.up`."""
    try:
        return run(argparse.Namespace())
    except OcrFleetError as error:
        screen.both(error.detail, error.detail_zh)
        return int(getattr(error, "exit_code", 1))


if __name__ == "__main__":
    sys.exit(main())
