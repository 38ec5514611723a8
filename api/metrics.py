"""Numbers for Prometheus: what this gateway did, and what the job store says of the fleet at the moment of asking.

Gateway processes share their own numbers through files in `PROMETHEUS_MULTIPROC_DIR` (set by `gunicorn_conf.py`), so
that any of them answers for all. What comes from the store needs no sharing: it is the same whoever asks.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

from apiflask import APIFlask
from flask import Response, g, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from shared.errors import OcrFleetError
from shared.store.protocol import Store

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The gateway's own counters, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "ocrfleet_http_requests",
            "Requests answered, by route, method and status.",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "ocrfleet_http_request_seconds",
            "Time to answer, without the time that `wait` asked for.",
            ["route", "method"],
            registry=self.registry,
            buckets=_SECONDS,
        )
        self.unpublished = Counter(
            "ocrfleet_messages_unpublished",
            "Messages that the broker did not take; the reconciler sends them again.",
            registry=self.registry,
        )
        self.received = Counter("ocrfleet_received_bytes", "Bytes of request bodies.", registry=self.registry)
        self.open = Gauge(
            "ocrfleet_http_requests_open",
            "Requests being answered now, those that wait for a job included.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )

    def watch(self, app: APIFlask) -> None:
        """Count every request of an app."""

        def begin() -> None:
            g.began = time.perf_counter()
            self.open.inc()

        def end(response: Response) -> Response:
            route = request.url_rule.rule if request.url_rule is not None else "none"
            method = request.method if request.method in _METHODS else "other"
            self.requests.labels(route, method, str(response.status_code)).inc()
            if not request.args.get("wait") and "began" in g:
                self.seconds.labels(route, method).observe(time.perf_counter() - g.began)
            self.received.inc(request.content_length or 0)
            return response

        def over(_: BaseException | None) -> None:
            if "began" in g:
                self.open.dec()

        app.before_request(begin)
        app.after_request(end)
        app.teardown_request(over)

    def render(self, store: Store) -> Response:
        """Everything, in the text format of Prometheus."""
        own = self.registry
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            own = CollectorRegistry()
            MultiProcessCollector(own)  # type: ignore[no-untyped-call]
        fleet = CollectorRegistry()
        fleet.register(_Fleet(store))
        return Response(generate_latest(own) + generate_latest(fleet), content_type=CONTENT_TYPE_LATEST)


class _Fleet(Collector):
    """What the store says, asked anew each time."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def describe(self) -> Iterator[Metric]:
        """Nothing in advance: registering must not ask the store."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Capacity, totals and worker processes; only `ocrfleet_store_up 0` while the store does not answer."""
        up = GaugeMetricFamily("ocrfleet_store_up", "Whether the job store answers.")
        try:
            capacity, counters, slots = self._store.capacity(), self._store.counters(), self._store.slots()
        except OcrFleetError:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        waiting = GaugeMetricFamily("ocrfleet_pages_waiting", "Pages that no worker has claimed yet.", labels=["queue"])
        waiting.add_metric(["interactive"], capacity.waiting_interactive)
        waiting.add_metric(["bulk"], capacity.waiting_bulk)
        yield waiting
        for name, meaning, value in (
            ("slots", "Live worker processes with a warm model.", capacity.slots),
            ("pages_running", "Pages in work.", capacity.running),
            ("jobs_in_flight", "Unfinished jobs.", capacity.jobs_in_flight),
            ("page_seconds_mean", "Recent mean time a page takes.", capacity.page_ms / 1000),
            ("waiting_seconds", "How long the live workers need for what waits.", capacity.seconds_waiting),
            ("blob_bytes", "Bytes of waiting documents in the store.", capacity.blob_bytes),
            ("cache_bytes", "Bytes of results kept for equal documents.", capacity.cache_bytes),
        ):
            gauge = GaugeMetricFamily("ocrfleet_" + name, meaning)
            gauge.add_metric([], value)
            yield gauge
        for name, value in sorted(counters.items()):
            total = CounterMetricFamily("ocrfleet_" + name, f"Total of {name.replace('_', ' ')}.")
            total.add_metric([], value)
            yield total
        yield from _slots(slots)


def _slots(slots: list[dict[str, Any]]) -> Iterator[Metric]:
    """Every number that a worker process says of itself, one series a process; and one line with its names."""
    info = GaugeMetricFamily("ocrfleet_slot_info", "A live worker process.", labels=["slot", "host", "core", "warm"])
    numbers: dict[str, GaugeMetricFamily] = {}
    for slot in slots:
        name = str(slot.get("slot", ""))
        warm = "yes" if slot.get("warm", True) else "no"
        info.add_metric([name, str(slot.get("hostname", "")), str(slot.get("core", "")), warm], 1)
        for key in ("rss_mib", "pages", "load_ms", "pinned"):
            value = slot.get(key)
            if isinstance(value, (int, float)):
                family = numbers.setdefault(
                    key, GaugeMetricFamily("ocrfleet_slot_" + key, f"`{key}` of a worker process.", labels=["slot"])
                )
                family.add_metric([name], float(value))
    yield info
    yield from numbers.values()
