"""The Celery app of a worker: `python -m celery -A worker.app worker`, or `python -m worker`, which knows the options.

Imports nothing native: the parent forks, and what runs threads before a fork hangs after it.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import celery
import kombu
from celery import signals

from shared.queue import TASK, make_celery, queue_name
from shared.settings import get_settings
from shared.store.protocol import QUEUES
from worker import lifecycle, watchdog
from worker.tasks import read_page
from worker.threads import one_thread_each

one_thread_each()

LOG_FORMAT = "%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s"

settings = get_settings()
app = make_celery(settings, settings.redis_url)
# In order of precedence, for a worker that is started without `-Q`.
app.conf.task_queues = [
    kombu.Queue(name, kombu.Exchange(name), routing_key=name)
    for name in (queue_name(settings, queue) for queue in QUEUES)
]
app.conf.worker_consumer = "worker.consumer:PatientConsumer"
app.conf.worker_pool = "worker.pool:PatientTaskPool"


class PageTask(celery.Task):  # type: ignore[misc]
    """Watched by the parent, see `worker.request`."""

    Request = "worker.request:PageRequest"


app.task(read_page, base=PageTask, name=TASK)


def set_up_logging(**_signal: Any) -> None:
    """One line an event, on standard error; takes the place of Celery's own set-up."""
    logging.basicConfig(level=settings.log_level.upper(), format=LOG_FORMAT, stream=sys.stderr)
    # Said at every lost connection; the setting it speaks of is chosen with care in `shared.queue`.
    logging.getLogger("py.warnings").addFilter(lambda record: "CPendingDeprecationWarning" not in record.getMessage())
    for name in ("celery.app.trace", "celery.worker.strategy"):
        # They log two lines a page; the attempt record says it better.
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))


def start_watch(**_signal: Any) -> None:
    """Before the first fork: the pipe that children speak through, and the watch."""
    if not settings.redis_url:
        sys.exit("ocrfleet worker: REDIS_URL is not set: say where Redis or Valkey is (redis://HOST:PORT/0)")
    from shared.store.open import open_store
    from worker.request import bury_the_lost, child_died

    _, publisher = open_store(settings)
    watchdog.Watchdog(settings.deaf_after_s, settings.stop_grace_s, publisher.depths, child_died, bury_the_lost).start()


signals.setup_logging.connect(set_up_logging)
signals.worker_init.connect(start_watch)
signals.worker_process_init.connect(lifecycle.start_child)
signals.worker_process_shutdown.connect(lifecycle.stop_child)
