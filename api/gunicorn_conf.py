"""Gunicorn's settings, from the service's own; `gunicorn -c python:api.gunicorn_conf`."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import struct
import tempfile
from pathlib import Path
from types import FrameType
from typing import Any

from shared.settings import get_settings

_settings = get_settings()

# Where the processes share their counters; read by prometheus_client when it is first imported, so set before.
if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="ocrfleet-metrics-")
    _owner = os.getpid()

    @atexit.register
    def _tidy() -> None:
        if os.getpid() == _owner:
            shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


wsgi_app = "api.wsgi:build()"
bind = f"[{_settings.host}]:{_settings.port}" if ":" in _settings.host else f"{_settings.host}:{_settings.port}"
worker_class = "gthread"
workers = _settings.gateway_workers
threads = _settings.gateway_threads
# Each process makes its own connections.
preload_app = False
# A thread pool's process is silent only if it is stuck; requests themselves may take longer than this.
timeout = 60
# Whoever is still being answered then is cut off. Those who wait for a job are answered within seconds, see below.
graceful_timeout = _settings.max_wait_s + 5
keepalive = 30
backlog = 512
limit_request_field_size = 8190
limit_request_fields = 64
# Heartbeat files on a disk can stall; memory does not.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None
proc_name = "ocrfleet-gateway"
loglevel = _settings.log_level.lower()
accesslog = None
errorlog = "-"
# X-Forwarded-For is judged by the application, which knows how many proxies to believe.
forwarded_allow_ips = ""
# Its default place is one for all instances of a user.
control_socket_disable = True

_STALLED_S = 30
"""A client from whom nothing comes for so long in the middle of a request is let go, and so is one who takes nothing."""


def when_ready(server: Any) -> None:
    """Connections inherit the listeners' time limits: else a client whose network went away holds a thread for ever."""
    limit = struct.pack("ll", _STALLED_S, 0)
    for listener in server.LISTENERS:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)


def post_worker_init(worker: Any) -> None:
    """Asked to end, a process first answers those who wait for a job: they ask again, and meet its successor."""
    from api.waiting import STOPPING

    before = signal.getsignal(signal.SIGTERM)

    def end(number: int, frame: FrameType | None) -> None:
        STOPPING.set()
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGTERM, end)


def child_exit(server: Any, worker: Any) -> None:
    """Forget a gone process's gauges."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
