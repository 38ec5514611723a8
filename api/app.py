"""The gateway's application: takes documents in, answers, and never reads a picture."""

from __future__ import annotations

import logging
import secrets
import time
import tomllib
from importlib import metadata
from pathlib import Path
from urllib.parse import quote

from apiflask import APIFlask
from flask import Response, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from api import docs, form_list, guide, health, jobs, problems, results
from api.budget import Budget
from api.clients import Doors
from api.fetch_url import UrlFetcher
from api.forms import load_all
from api.gateway import Gateway, Queue
from api.metrics import Metrics
from api.waiting import Waiters
from shared.settings import Settings
from shared.store.protocol import Store

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parent.parent
_ID_LENGTH = 64
_LOGGED = ("/v1/", "/api/", "/upload")
"""Paths whose requests are logged; probes and static files are not."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def create_app(settings: Settings, store: Store, queue: Queue, web: Path | None = None) -> APIFlask:
    """The application around what it is handed. `web` is the folder of the page; the repository's own unless given."""
    web = web or ROOT / "web"
    app = APIFlask(
        "api",
        title="ocrfleet",
        version=_version(),
        spec_path=None,
        docs_path=None,
        json_errors=False,
        static_folder=str(web),
        static_url_path="/static",
        template_folder=str(web / "templates"),
    )
    app.config["MAX_CONTENT_LENGTH"] = settings.max_bytes * 4 // 3 + (1 << 20)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    gateway = _gateway(settings, store, queue)
    gateway.metrics.watch(app)
    _guard(app, gateway)
    problems.register(app, settings)
    for blueprint in (
        jobs.blueprint(gateway),
        results.blueprint(gateway),
        form_list.blueprint(gateway),
        guide.blueprint(gateway, web),
        health.blueprint(gateway),
        docs.blueprint(app),
    ):
        app.register_blueprint(blueprint)
    return app


def _gateway(settings: Settings, store: Store, queue: Queue) -> Gateway:
    threads = settings.gateway_threads
    return Gateway(
        settings=settings,
        store=store,
        queue=queue,
        doors=Doors(settings),
        metrics=Metrics(),
        fetch=UrlFetcher(settings),
        budget=Budget(settings),
        forms=load_all(settings.forms),
        # Half of the threads may hold `?wait=`, a quarter may wait for a text: a quarter always answers at once.
        polls=Waiters(store, threads // 2),
        guests=Waiters(store, threads // 4),
    )


def _guard(app: APIFlask, gateway: Gateway) -> None:
    """Names of requests, the key where one is needed, and the headers that every answer carries."""

    def enter() -> None:
        given = request.headers.get("X-Request-ID", "")
        usable = (
            0 < len(given) <= _ID_LENGTH and given.isascii() and all(char.isalnum() or char in "-_." for char in given)
        )
        g.request_id = given if usable else secrets.token_hex(8)
        g.entered = time.perf_counter()
        # A page anywhere may make a visitor's browser send to an address inside, such as this machine's own.
        if request.method not in _SAFE and request.headers.get("Sec-Fetch-Site") == "cross-site":
            raise problems.CrossSite
        if request.path.startswith(("/v1/", "/api/")):
            g.client = gateway.doors.client(request)

    def leave(response: Response) -> Response:
        if request.path.startswith(_LOGGED):
            _log(response)
        response.headers.setdefault("X-Request-ID", g.get("request_id", ""))
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        # Results are somebody's documents: no cache in between keeps them. Static files say for themselves.
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        return response

    app.before_request(enter)
    app.after_request(leave)


def _log(response: Response) -> None:
    """One line a request: at INFO what changed something or was refused, at DEBUG who only looked."""
    level = logging.DEBUG if request.method in _SAFE and response.status_code < 400 else logging.INFO
    took = (time.perf_counter() - g.entered) * 1000 if "entered" in g else 0.0
    who, name = g.get("client", request.remote_addr), g.get("request_id", "")
    log.log(
        level, "%s %s %d %.1f ms %s [%s]", request.method, quote(request.path), response.status_code, took, who, name
    )


def _version() -> str:
    """The installed version; in a checkout that was not installed, the one that would be."""
    try:
        return metadata.version("ocrfleet")
    except metadata.PackageNotFoundError:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        return str(project["project"]["version"])
