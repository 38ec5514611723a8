"""Celery's prefork pool, quicker to replace a process that died."""

from __future__ import annotations

import time
from typing import Any

from celery.concurrency.asynpool import AsynPool
from celery.concurrency.prefork import TaskPool

GONE_WITHIN_S = 1.0  # from the end of a process's files to the moment when it can be collected
LOOK_S = 0.002


class PatientPool(AsynPool):  # type: ignore[misc]
    """Waits until a dying process is really gone before it looks for processes to replace.

    The kernel closes a process's files a moment before the process can be collected. Celery hears of the first, finds
    the process still there, and looks again only after five seconds.
    """

    def _event_process_exit(self, hub: Any, proc: Any) -> None:
        end = time.monotonic() + GONE_WITHIN_S
        while proc.exitcode is None and time.monotonic() < end:
            time.sleep(LOOK_S)
        super()._event_process_exit(hub, proc)


class PatientTaskPool(TaskPool):  # type: ignore[misc]
    """Named by Celery's setting `worker_pool`."""

    Pool = PatientPool
