"""The book of the state machine: its records and tables, without any transition."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable
from typing import Any

from shared.store.protocol import QUEUES, Limits, Status


@dataclasses.dataclass(slots=True)
class PageState:
    """A page of a run; `waiting` pages have none yet."""

    state: str = "queued"
    attempts: int = 0
    token: str = ""
    worker: str = ""
    lines: tuple[int, int] = (0, 0)


@dataclasses.dataclass(slots=True)
class Run:
    """The reading of one document with one set of options."""

    id: str
    blob: str
    blob_bytes: int
    kind: str
    options: str
    key: str
    client: str
    queue: str
    order: int
    total: int
    todo: collections.deque[int]
    status: Status = Status.QUEUED
    started_at: int | None = None
    finished_at: int | None = None
    dispatched: int = 0
    done: int = 0
    failed: int = 0
    lines: int = 0
    copied: int = 0
    size: int = 0
    cached: bool = False
    mixed: bool = False
    fingerprint: str = ""
    error: dict[str, Any] | None = None
    active: set[str] = dataclasses.field(default_factory=set)
    refs: set[str] = dataclasses.field(default_factory=set)
    pages: dict[int, PageState] = dataclasses.field(default_factory=dict)
    results: dict[int, bytes] = dataclasses.field(default_factory=dict)
    previews: dict[int, bytes] = dataclasses.field(default_factory=dict)
    attempts: dict[tuple[int, int], dict[str, Any]] = dataclasses.field(default_factory=dict)
    page_keys: set[str] = dataclasses.field(default_factory=set)


@dataclasses.dataclass(slots=True)
class Job:
    """What a client asked for. `status` is set only where it differs from the run's (cancelled, past its deadline)."""

    id: str
    run: str
    client: str
    name: str
    kind: str
    options: str
    priority: str
    pages: tuple[int, ...]
    created_at: int
    cached: bool = False
    status: Status | None = None
    finished_at: int | None = None
    expires_at: int | None = None
    error: dict[str, Any] | None = None
    idempotency: str = ""
    eta_ms: int = 0


class Book:
    """All state in plain dictionaries."""

    def __init__(self, limits: Limits, now: Callable[[], int]) -> None:
        self.limits = limits
        self.now = now
        self.jobs: dict[str, Job] = {}
        self.runs: dict[str, Run] = {}
        self.blobs: dict[str, bytes] = {}
        self.blob_refs: collections.Counter[str] = collections.Counter()
        self.blob_bytes = 0
        self.unaccepted: dict[str, int] = {}
        self.flight: dict[str, str] = {}
        self.cache: dict[str, str] = {}
        self.used: dict[str, int] = {}
        self.cache_size = 0
        self.page_keys: dict[str, tuple[str, int]] = {}
        self.idempotency: dict[tuple[str, str], tuple[str, str, int]] = {}
        self.inflight: dict[str, int] = {}
        self.ring: dict[str, collections.deque[str]] = {queue: collections.deque() for queue in QUEUES}
        self.backlog: dict[tuple[str, str], collections.deque[str]] = {}
        self.conveyor: dict[str, dict[tuple[str, int], int]] = {queue: {} for queue in QUEUES}
        self.leases: dict[tuple[str, int], int] = {}
        self.waiting: dict[str, dict[str, int]] = {queue: {} for queue in QUEUES}
        self.slot_beats: dict[str, int] = {}
        self.slot_info: dict[str, dict[str, Any]] = {}
        self.cores: dict[tuple[str, int], tuple[str, int]] = {}
        self.totals: collections.Counter[str] = collections.Counter()
        self.order = 0
        self.page_ms = 0.0
        self.changed: Callable[[str], None] = lambda run: None
