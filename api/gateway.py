"""What every route needs, made once by `create_app` and handed to each blueprint. No route reads a global."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable, Mapping
from typing import Protocol

from flask import g
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from api.budget import Budget
from api.clients import Doors
from api.forms import Form
from api.metrics import Metrics
from api.receive import Fetch
from api.waiting import Waiters
from shared.errors import EngineUnavailable, JobNotFound
from shared.settings import Settings
from shared.store.protocol import JobView, Message, Store

log = logging.getLogger(__name__)


class Queue(Protocol):
    """Where messages are put; `shared.queue.Publisher` is one."""

    def publish(self, messages: Iterable[Message]) -> None:
        """Put messages on the queue; twice does no harm."""


@dataclasses.dataclass(frozen=True, slots=True)
class Gateway:
    """Everything handed in, and what is made of it once a process."""

    settings: Settings
    store: Store
    queue: Queue
    doors: Doors
    metrics: Metrics
    fetch: Fetch
    budget: Budget
    forms: Mapping[str, Form]
    polls: Waiters
    guests: Waiters
    """Places for `?wait=`, and for the two routes that answer with the text itself: neither can starve the other."""

    def job(self, job_id: str) -> JobView:
        """The job, if this client may see it: with API keys each key sees its own jobs, without them the id is the key."""
        view = self.store.view(job_id)
        if self.doors.locked and view.client != g.client:
            raise JobNotFound(id=job_id)
        return view

    def publish(self, messages: Iterable[Message]) -> None:
        """Publish what a transition set free. The job is safe in the store already: what fails here is sent again by
        the reconciler, so it is no error for the client."""
        messages = tuple(messages)
        if not messages:
            return
        try:
            self.queue.publish(messages)
        except (OperationalError, RedisError, OSError) as error:
            self.metrics.unpublished.inc(len(messages))
            log.warning("%d messages were not published, the reconciler will: %s", len(messages), error)

    def fingerprint(self, engine: str) -> str | None:
        """What the fleet reads an engine with; None while unknown: a worker loads an engine when it is first asked for.

        Raises EngineUnavailable where the live workers list their engines and this one is not among them.
        """
        known = self.store.fleet_fingerprint(engine)
        if known is None and engine != "auto":
            engines = {str(name) for slot in self.store.slots() for name in slot.get("engines", ())}
            if engines and engine not in engines:
                raise EngineUnavailable(
                    field="engine", retry_after=None, engine=engine, known=", ".join(sorted(engines))
                )
        return known
