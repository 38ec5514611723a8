"""The processes of one machine's fleet: what is started, with what, and how long each may take to stop."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from cli.supervisor import Service
from cli.valkey import Valkey
from shared.settings import Settings

FLOWER_USER = "ocrfleet"
# Order of the end: the worker finishes its page while the gateway still tells clients of it; the store goes last.
STOP_ORDER = (("worker",), ("flower", "gateway"), ("valkey",))
# One thread a process, said before any library reads it: a worker process has one core.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
GATEWAY_GRACE_S = 15.0  # beyond the longest `?wait=`
FLOWER_GRACE_S = 2.0  # it has nothing to lose, and its threads hold it up
VALKEY_GRACE_S = 20.0  # its last write to the disk


def valkey_service(server: Valkey) -> Service:
    """The queue's server. It holds the lock of its folder as long as it lives."""
    return Service("valkey", server.command, grace_s=VALKEY_GRACE_S, hand_over=(server.lock,))


def environment(settings: Settings, data: Path, models: Path, redis_url: str) -> dict[str, str]:
    """What every process of the fleet is told; folders are absolute, so that nothing depends on where it runs."""
    counters = data / "metrics"  # shared by the gateway's processes while they run; numbers of dead ones mean nothing
    shutil.rmtree(counters, ignore_errors=True)
    counters.mkdir(parents=True)
    return {
        "PROMETHEUS_MULTIPROC_DIR": str(counters),
        "REDIS_URL": redis_url,
        Settings.environment_name("data"): str(data),
        Settings.environment_name("models"): str(models),
        Settings.environment_name("port"): str(settings.port),
    }


def gateway_service(settings: Settings, told: dict[str, str]) -> Service:
    """The gateway under gunicorn."""
    command = (sys.executable, "-m", "gunicorn", "--config", "python:api.gunicorn_conf", "--no-control-socket")
    return Service("gateway", command, told, grace_s=settings.max_wait_s + GATEWAY_GRACE_S)


def worker_service(settings: Settings, told: dict[str, str]) -> Service:
    """Celery with one process a core."""
    command = (sys.executable, "-m", "worker")
    return Service("worker", command, {**told, **ONE_THREAD}, grace_s=float(settings.stop_grace_s))


def flower_service(settings: Settings, told: dict[str, str], password: str, cookie_secret: str) -> Service:
    """Flower on loopback, behind a password, reading only. The fleet lives without it."""
    command = (sys.executable, "-m", "celery", "-A", "cli.flower", "flower")
    own = {
        "FLOWER_ADDRESS": "127.0.0.1",
        "FLOWER_PORT": str(settings.flower_port),
        "FLOWER_BASIC_AUTH": f"{FLOWER_USER}:{password}",
        "FLOWER_READ_ONLY": "true",
        "FLOWER_COOKIE_SECRET": cookie_secret,
        "FLOWER_MAX_TASKS": "2000",
    }
    return Service("flower", command, {**told, **own}, essential=False, grace_s=FLOWER_GRACE_S)
