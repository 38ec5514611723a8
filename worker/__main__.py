"""`python -m worker`: becomes the Celery worker with the right options. Further arguments are passed on to Celery."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence

from shared.host import process_count
from shared.queue import queue_name
from shared.settings import Settings, get_settings
from shared.store.protocol import QUEUES
from worker.threads import one_thread_each


def command(settings: Settings, more: Sequence[str] = ()) -> list[str]:
    """The command line. The order of the queues is their precedence."""
    return [
        *(sys.executable, "-m", "celery", "-A", "worker.app", "worker"),
        *("--pool", "prefork", "--concurrency", str(process_count(settings.worker_cores))),
        *("-Q", ",".join(queue_name(settings, queue) for queue in QUEUES)),
        *("-n", f"ocrfleet-{os.getpid()}@{socket.gethostname()}"),
        *("--without-gossip", "--without-mingle", "--loglevel", settings.log_level.upper()),
        *more,
    ]


def main() -> None:
    """Replaces this process, so that signals reach Celery itself."""
    one_thread_each()
    line = command(get_settings(), sys.argv[1:])
    os.execv(line[0], line)


if __name__ == "__main__":
    main()
