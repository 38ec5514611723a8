"""The gateway for a WSGI server: `gunicorn -c python:api.gunicorn_conf` calls `build()` in each of its processes; a server
that wants a name finds it as `api.wsgi:app`.

Clients of Redis are made here, after the fork: a connection shared between processes mixes their answers up.
"""

from __future__ import annotations

import gc
import logging
import os
import secrets
import socket

from apiflask import APIFlask

from api.app import create_app
from shared.reconciler import start_reconciler
from shared.settings import get_settings
from shared.store.open import open_store


def build() -> APIFlask:
    """The application, from the environment. Each process also reconciles; the store lets one at a time do it."""
    settings = get_settings()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    store, publisher = open_store(settings)
    start_reconciler(store, publisher, settings, owner=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}")
    app = create_app(settings, store, publisher)
    # What is here now stays: a collection that walks through it all stops every request for tens of milliseconds.
    gc.collect()
    gc.freeze()
    return app


def __getattr__(name: str) -> APIFlask:
    """`app`, made when it is asked for, so that importing this module opens nothing."""
    if name != "app":
        raise AttributeError(name)
    return build()
