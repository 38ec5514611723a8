"""Celery's consumer, quicker to come back: it asks a broker that is away every few seconds, never as rarely as 30."""

from __future__ import annotations

import functools
from typing import Any

from celery.worker.consumer import Consumer

FIRST_PAUSE_S, LONGER_BY_S, LONGEST_PAUSE_S = 0.5, 0.5, 5.0  # between two tries to connect


class PatientConsumer(Consumer):  # type: ignore[misc]
    """Named by Celery's setting `worker_consumer`."""

    def ensure_connected(self, conn: Any) -> Any:
        """Try to connect until it works."""
        conn.ensure_connection = functools.partial(
            conn.ensure_connection,
            interval_start=FIRST_PAUSE_S,
            interval_step=LONGER_BY_S,
            interval_max=LONGEST_PAUSE_S,
        )
        return super().ensure_connected(conn)
