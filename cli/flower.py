"""Flower's view of the fleet: a Celery app with the queue's configuration and nothing of the workers' code.

Started by the supervisor as `python -m celery -A cli.flower flower`; its settings come in `FLOWER_...` variables, so
that the password stands in no process list.
"""

from __future__ import annotations

from shared.queue import make_celery
from shared.settings import get_settings

app = make_celery(get_settings(), get_settings().redis_url)
# It asks a dozen things at once, each on a connection of its own.
app.conf.broker_pool_limit = 24
