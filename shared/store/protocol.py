"""The job store's contract. `memory.py` and `redis.py` pass the same tests; nothing here does input or output.

Words. A **job** is what a client asked for. A **run** is the reading of one document with one set of options: equal jobs
share a run, and a cached run answers later jobs. A **page** of a run is `waiting` (not on the queue yet), `queued` (a
message for it is on the queue), `running` (claimed under a lease), `done` or `failed`. An **attempt** is one claim of a
page by one worker process, known by its token.

The queue (Celery) carries a short window of messages, `Message(run, page, queue)`; which page comes next is decided
here, fairly between clients and between the runs of a client. Every transition that frees room in the window returns
the messages to publish next; a message lost on the way is found and published again by `reconcile`. Publishing one
twice is harmless: only `claim` gives work away.

Times are milliseconds since the epoch, by the store's own clock (Redis's TIME), never by a client's or a worker's.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Sequence
from typing import Any, Protocol

from shared.store.versions import Wanted

INTERACTIVE = "interactive"
BULK = "bulk"
QUEUES = (INTERACTIVE, BULK)


class Status(enum.StrEnum):
    """A job's status as a client sees it. It only ever moves forward in this order of rank: queued, running, ended."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self not in (Status.QUEUED, Status.RUNNING)

    @property
    def rank(self) -> int:
        """0 queued, 1 running, 2 ended; never falls over a job's life."""
        return {Status.QUEUED: 0, Status.RUNNING: 1}.get(self, 2)


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """What the store needs of the settings; bytes, counts and seconds as the settings say."""

    max_jobs: int = 2000
    client_share: float = 0.5
    max_blob_bytes: int = 1 << 30
    job_deadline_s: int = 21600
    max_attempts: int = 3
    result_ttl_s: int = 86400
    cache_ttl_s: int = 604800
    cache_bytes: int = 256 << 20
    idempotency_ttl_s: int = 86400
    upload_ttl_s: int = 600
    lease_s: int = 20
    slot_ttl_s: float = 12.0
    stale_after_s: int = 300


@dataclasses.dataclass(frozen=True, slots=True)
class NewJob:
    """A checked request. `pages` are the page numbers to read, counted from 1, in order; `blob` the SHA-256 of the bytes.

    `key` is the cache key (bytes, options, engine and model versions) or "" where it is not known; equal keys share a
    run. `idempotency` is the client's Idempotency-Key or "".
    """

    id: str
    run: str
    client: str
    blob: str
    blob_bytes: int
    kind: str
    name: str
    pages: tuple[int, ...]
    options: str
    key: str
    priority: str = INTERACTIVE
    idempotency: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Message:
    """One message for the queue: ids only."""

    run: str
    page: int
    queue: str


@dataclasses.dataclass(frozen=True, slots=True)
class Accepted:
    """The outcome of `accept`: the job's id (an earlier one for a repeated Idempotency-Key) and how it was met.

    `how` is `new`, `joined` (an equal run is under way), `cached` (done at once) or `repeated` (same Idempotency-Key).
    """

    id: str
    how: str
    messages: tuple[Message, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class JobView:
    """A job as it stands. Times in milliseconds since the epoch; `queue_position` counts from 1 while queued."""

    id: str
    run: str
    client: str
    status: Status
    kind: str
    name: str
    options: str
    priority: str
    pages: tuple[int, ...]
    pages_done: int
    pages_failed: int
    lines_done: int
    lines_total: int
    cached: bool
    created_at: int
    started_at: int | None
    finished_at: int | None
    expires_at: int | None
    error: dict[str, Any] | None
    queue_position: int | None
    eta_s: float | None

    @property
    def pages_total(self) -> int:
        """How many pages were asked for."""
        return len(self.pages)


@dataclasses.dataclass(frozen=True, slots=True)
class Claim:
    """A page given to one worker process until its lease ends."""

    run: str
    page: int
    token: str
    attempt: int
    blob: str
    kind: str
    options: str
    pages_total: int


@dataclasses.dataclass(frozen=True, slots=True)
class PageDone:
    """What a worker hands in: `result` is the page's JSON as zlib-compressed bytes, `preview` a JPEG or None.

    `page_key` is the cache key by decoded pixels or "". `read_ms` is the page's service time; `cached` says that the
    result was copied from the pixel cache. `fingerprint` names the engine and model versions that were used.
    """

    result: bytes
    lines: int
    read_ms: int
    fingerprint: str
    page_key: str = ""
    preview: bytes | None = None
    cached: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Capacity:
    """The state of the fleet: live slots, unclaimed pages, pages in work, and the mean milliseconds a page takes."""

    slots: int
    waiting_interactive: int
    waiting_bulk: int
    running: int
    jobs_in_flight: int
    page_ms: float
    blob_bytes: int
    cache_bytes: int

    @property
    def waiting(self) -> int:
        """Pages that no worker has claimed yet."""
        return self.waiting_interactive + self.waiting_bulk

    @property
    def seconds_waiting(self) -> float:
        """How long the live slots would need for the pages that wait, in seconds."""
        return self.waiting * self.page_ms / 1000 / max(1, self.slots)


class Store(Protocol):
    """One atomic transition a call. Every call may raise `shared.errors.StoreUnavailable`."""

    # The gateway's side

    def issue_id(self) -> str:
        """A new job id, signed, so that one that expired can be told from one never issued."""

    def put_blob(self, sha256: str, data: bytes) -> None:
        """Keep a document's bytes once under their hash; they vanish unless a job is accepted for them in time."""

    def accept(self, job: NewJob) -> Accepted:
        """Take a job in. Raises QueueFull, IdempotencyConflict, or BlobMissing (put it again)."""

    def view(self, job_id: str) -> JobView:
        """The job as it stands. Raises JobNotFound for an id never issued, JobGone for one expired or deleted."""

    def list_jobs(self, client: str, limit: int, before_ms: int | None = None) -> list[JobView]:
        """A client's jobs, newest first, created before a time."""

    def page_result(self, job_id: str, page: int) -> bytes | None:
        """One page's compressed JSON, None while it is not done. Raises JobNotFound, JobGone or PageNotFound."""

    def page_results(self, job_id: str) -> dict[int, bytes]:
        """Every page's compressed JSON that is there, failed pages included."""

    def preview(self, job_id: str, page: int) -> bytes | None:
        """The page's preview (JPEG), None where there is none."""

    def attempts(self, job_id: str) -> list[dict[str, Any]]:
        """Every attempt at the job's pages: page, attempt, worker, host, core, models, started_at, ended_at, outcome."""

    def cancel(self, job_id: str) -> tuple[Message, ...]:
        """Stop a job; no effect on one that ended. Other jobs of the same run go on."""

    def delete(self, job_id: str) -> tuple[Message, ...]:
        """Cancel, and remove the record, and the result unless another job still holds it."""

    # The worker's side

    def get_blob(self, sha256: str) -> bytes | None:
        """A document's bytes, None once no run needs them."""

    def claim(
        self, run: str, page: int, token: str, worker: dict[str, Any]
    ) -> tuple[Claim | None, tuple[Message, ...]]:
        """Take a page. None means: nothing to do here (done, cancelled, claimed by another, or out of attempts)."""

    def beat(self, claim: Claim, lines_done: int, lines_total: int) -> bool:
        """Renew the lease and report progress. False: the claim is void (cancelled or given to another): stop."""

    def finish_page(self, claim: Claim, done: PageDone) -> tuple[bool, tuple[Message, ...]]:
        """Hand a page's result in. False: too late, it was discarded."""

    def fail_page(
        self, claim: Claim, problem: dict[str, Any], result: bytes, *, retry: bool
    ) -> tuple[bool, tuple[Message, ...]]:
        """The page could not be read. `retry` puts it on the queue again while attempts are left; `result` is what the
        page's JSON says if it fails for good. False: too late."""

    def lose_page(
        self, run: str, page: int, worker: str, outcome: str, *, final: dict[str, Any] | None
    ) -> tuple[Message, ...]:
        """A worker process died in a page: end its attempt now instead of when the lease does. `worker` must begin the
        name of the process that holds the claim. `final` fails the page with that problem (a hard time limit)."""

    def cached_page(self, page_key: str) -> bytes | None:
        """A page's compressed JSON by its pixel key."""

    # The fleet

    def beat_slot(self, slot: str, info: dict[str, Any]) -> None:
        """A worker process says that it lives, is warm, and what it is."""

    def drop_slot(self, slot: str) -> None:
        """A worker process leaves."""

    def slots(self) -> list[dict[str, Any]]:
        """Every live worker process's info."""

    def capacity(self) -> Capacity:
        """Slots, waiting work, speed."""

    def counters(self) -> dict[str, int]:
        """Totals since the store was made: jobs and pages by outcome, cache hits, attempts lost."""

    def fleet_fingerprint(self, engine: str) -> str | None:
        """The engine and model versions that live workers report for an engine; None while unknown or not unanimous."""

    def lease_core(self, host: str, cores: Sequence[int], owner: str, ttl_s: int) -> int | None:
        """Lease the first free core of a host; the one already held by `owner` is renewed. None: none is free."""

    def release_core(self, host: str, core: int, owner: str) -> None:
        """Give a core back, if `owner` still holds it."""

    def use_version(self, engine: str, version: str, archive: bytes = b"") -> Wanted:
        """From now on the fleet reads with this version of an engine's weights, "" for what is shipped. `archive` holds
        its files, for hosts that lack them; only those of the wanted version and the one before are kept."""

    def rollback_version(self, engine: str, current: str, archive: bytes = b"") -> Wanted:
        """Step back from `current` to the version before, whose files `archive` holds. Nothing changes where another is
        wanted by now, or none was."""

    def wanted_versions(self) -> dict[str, Wanted]:
        """What the fleet is to read with, by engine; an engine that is not named reads with what is shipped."""

    def version_archive(self, engine: str, version: str) -> bytes | None:
        """The files of a version as `use_version` was given them."""

    def lease_rollover(self, owner: str, ttl_s: int) -> bool:
        """Whether this worker process may load other weights now: one of the fleet at a time. 0 s gives the lease back."""

    def reconcile(self, owner: str, depths: dict[str, int]) -> tuple[Message, ...] | None:
        """Put right what was lost: lapsed leases, lost messages, deadlines, expiry, the cache's budget. `depths` is the
        length of each queue as the broker has it. None: another reconciler is at it."""

    def ping(self) -> None:
        """Answers, or raises StoreUnavailable."""

    def news(self) -> int:
        """How much has been heard of all runs so far. Taken before `view`, it makes `wait_for_change` miss nothing."""

    def wait_for_change(self, run: str, timeout_s: float, since: int | None = None) -> bool:
        """Hold until the run changes (counted from `since`, else from now) or the time is over. Holds no connection per
        waiter. May come back for nothing: look again."""
