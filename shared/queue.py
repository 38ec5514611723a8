"""The queue: one Celery configuration for those who publish (gateway, reconciler) and those who consume (workers).

Messages carry ids only. What may be lost between a publisher, the broker and a worker is found again by the job store
(see `shared.store`), so Celery's own result backend stays unused.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import celery
import redis

from shared.settings import Settings
from shared.store.protocol import QUEUES, Message

TASK = "ocrfleet.read_page"
MESSAGE_VERSION = 1
"""Raised when older workers would misunderstand a message: they put newer ones back. A worker takes all older ones, so
that a release may only add fields, each with a meaning for messages that lack it."""


def queue_name(settings: Settings, queue: str) -> str:
    """The broker's name of a queue; the prefix keeps fleets on one Redis apart."""
    return f"{settings.redis_prefix}queue:{queue}"


def configuration(settings: Settings, redis_url: str) -> dict[str, Any]:
    """Celery's settings, each with its reason."""
    return {
        "broker_url": redis_url,
        # Prefork children die alone and can be limited in time; other pools cannot.
        "worker_pool": "prefork",
        # A message is acknowledged after its page: a worker that dies gives it back. The store counts attempts.
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_acks_on_failure_or_timeout": True,
        "worker_prefetch_multiplier": 1,
        "task_soft_time_limit": settings.soft_limit_s,
        "task_time_limit": settings.hard_limit_s,
        # A replacement child that loads its model slowly must not be killed for it.
        "worker_proc_alive_timeout": float(settings.proc_alive_s),
        # Every recycle would load the model again.
        "worker_max_tasks_per_child": None,
        "worker_max_memory_per_child": settings.max_rss_mib * 1024,
        "worker_soft_shutdown_timeout": 20.0,
        "worker_enable_soft_shutdown_on_idle": True,
        # Open faults upstream make the True of this one lose work.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_pool_limit": 4,
        "broker_transport_options": {
            "visibility_timeout": settings.visibility_timeout_s,
            "unacked_restore_interval": 10,
            "unacked_restore_throttle": 1,
            # Interactive pages overtake bulk pages: queues are asked in the order they were given, each time.
            "queue_order_strategy": "priority",
            "socket_timeout": 30,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            "health_check_interval": 25,
        },
        "visibility_timeout": settings.visibility_timeout_s,
        "result_backend_transport_options": {"visibility_timeout": settings.visibility_timeout_s},
        "broker_pool_acquire_timeout": 5,
        "task_publish_retry": True,
        "task_publish_retry_policy": {"max_retries": 3, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5},
        # Results live in the job store: Celery's PENDING also means "never heard of it".
        "task_ignore_result": True,
        "task_store_errors_even_if_ignored": False,
        "accept_content": ["json"],
        "task_serializer": "json",
        "task_default_queue": queue_name(settings, QUEUES[0]),
        "task_create_missing_queues": True,
        # Flower asks for them while it runs; nobody else listens, and they are half of the parent's work.
        "worker_send_task_events": False,
        "task_send_sent_event": False,
        "worker_hijack_root_logger": False,
        "enable_utc": True,
    }


def make_celery(settings: Settings, redis_url: str) -> celery.Celery:
    """A Celery app with the project's configuration; workers add their tasks to it."""
    app = celery.Celery("ocrfleet", set_as_current=False)
    app.conf.update(configuration(settings, redis_url))
    return app


class Publisher:
    """Puts messages on the queue and tells how long the queues are."""

    def __init__(self, settings: Settings, redis_url: str, client: redis.Redis) -> None:
        self._settings = settings
        self._client = client
        self._app = make_celery(settings, redis_url)

    def publish(self, messages: Iterable[Message]) -> None:
        """Publish; raises kombu's OperationalError when the broker does not answer. Twice does no harm."""
        for message in messages:
            self._app.send_task(
                TASK,
                kwargs={"v": MESSAGE_VERSION, "run": message.run, "page": message.page},
                queue=queue_name(self._settings, message.queue),
                ignore_result=True,
            )

    def depths(self) -> dict[str, int]:
        """The length of each queue at the broker."""
        pipe = self._client.pipeline(transaction=False)
        for queue in QUEUES:
            pipe.llen(queue_name(self._settings, queue))
        return dict(zip(QUEUES, pipe.execute(), strict=True))
