"""The shapes of requests and answers, for checking queries and for /openapi.json."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.intake import KINDS, MIN_SIDE
from api.options import CHOICES
from shared.settings import Settings
from shared.store.protocol import Store

Point = tuple[float, float]
Box = tuple[Point, Point, Point, Point]


class WaitQuery(BaseModel):
    """How long an answer may be held. Other names in the query are options of the document."""

    wait: float = Field(0, ge=0, description="Seconds to hold the answer; the service caps it.", examples=[20])

    def seconds(self, settings: Settings) -> float:
        """The time to wait, capped."""
        return min(self.wait, float(settings.max_wait_s))


class ListQuery(BaseModel):
    """A page of the list of jobs."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(50, ge=1, le=200, description="Most jobs in the answer.")
    before: int | None = Field(None, ge=0, description="Only jobs created before this time, ms since the epoch.")


class ResultQuery(BaseModel):
    """The form of a result."""

    model_config = ConfigDict(extra="forbid")

    format: str = Field(
        "json",
        description="json, text, markdown, hocr, alto, tsv, xlsx (tables), pdf (searchable) or fields.",
        examples=["text"],
    )
    form: str = Field(
        "auto", description="For `fields`: the form's name; `auto` takes the one that finds most.", examples=["receipt"]
    )


class Progress(BaseModel):
    """How far a job has come; `lines_total` counts the lines of pages that are done or in work."""

    pages_total: int
    pages_done: int
    pages_failed: int
    lines_done: int
    lines_total: int


class Problem(BaseModel):
    """An error, RFC 9457."""

    type: str = Field(examples=["https://ocrfleet.dev/problems/queue-full"])
    title: str
    status: int
    detail: str = Field(description="A sentence in English.")
    detail_zh: str = Field(description="The same in Chinese.")
    field: str | None = Field(None, description="The part of the request that is to blame.")
    retry_after: int | None = Field(None, description="Seconds after which to try again.")
    instance: str | None = None

    @classmethod
    def responses(cls, *statuses: int, **jobs: str) -> dict[int | str, dict[str, Any]]:
        """The other answers of a route for its documentation: errors by status, and with `job_202="when"` the job."""
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        rows: dict[int | str, dict[str, Any]] = {
            status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses
        }
        job = {"application/json": {"schema": {"$ref": "#/components/schemas/Job"}}}
        for name, meaning in jobs.items():
            rows[int(name.removeprefix("job_"))] = {"description": meaning, "content": job}
        return rows


class Job(BaseModel):
    """A job as it stands."""

    id: str
    status: Literal["queued", "running", "done", "partial", "failed", "cancelled"]
    progress: Progress
    queue_position: int | None = Field(description="From 1, while queued.")
    eta_s: float | None = Field(description="Estimated seconds until the end; null while unknown.")
    cached: bool = Field(description="Whether the answer came from an earlier reading.")
    created_at: str
    started_at: str | None
    finished_at: str | None
    expires_at: str | None = Field(description="When job and result are removed; then 410.")
    error: dict[str, Any] | None = Field(description="The problem, if the job or one of its pages failed.")
    name: str
    kind: str
    options: dict[str, str]
    priority: str
    pages: list[int] = Field(description="The page numbers that are read, from 1.")
    links: dict[str, str] = Field(description="Where to go on; `{page}` stands for a page number.")


class JobList(BaseModel):
    """A page of jobs, newest first."""

    jobs: list[Job]
    next: str | None


class Attempts(BaseModel):
    """Every try at a job's pages."""

    id: str
    attempts: list[dict[str, Any]]


class Character(BaseModel):
    """One character of a line, with its box and the next best readings where they are known."""

    text: str
    confidence: float
    box: Box | None
    alternatives: list[dict[str, Any]] | None = None


class Line(BaseModel):
    """One line; its box has four corners, clockwise from the text's top left, in pixels of the page as displayed."""

    text: str
    confidence: float
    box: Box
    engine: str
    chars: list[Character]
    vertical: bool = False


class Cell(BaseModel):
    """A cell of a table. Lines are given by their places among the page's, from 0."""

    row: int = Field(description="The first row, from 0.")
    column: int = Field(description="The first column, from 0.")
    rows: int = Field(description="How many rows it spans.")
    columns: int = Field(description="How many columns it spans.")
    text: str = Field(description="Line breaks only where they are more than the cell's width.")
    box: Box
    lines: list[int]


class Table(BaseModel):
    """A table of a page; every row and column is covered by its cells."""

    rows: int
    columns: int
    cells: list[Cell] = Field(description="Row by row, each from the left.")
    box: Box
    span: tuple[int, int] = Field(description="The part of the page's text that it takes up, in characters.")


class Page(BaseModel):
    """One page. `error` is there only on a page that could not be read."""

    page: int
    width: int
    height: int
    rotation: int = Field(description="Degrees clockwise that the page was turned to stand upright.")
    source: Literal["ocr", "text-layer"]
    text: str
    lines: list[Line]
    tables: list[Table] = Field(default=[], description="From the top; their lines are among the page's.")
    engine: str
    models: dict[str, str]
    timing_ms: dict[str, float | str]
    warnings: list[str]
    warnings_zh: list[str] = Field(default=[], description="The same in Chinese.")
    error: Problem | None = None


class Result(BaseModel):
    """What was read."""

    id: str
    status: Literal["done", "partial"]
    text: str
    pages: list[Page]
    engine: str
    models: dict[str, str]
    warnings: list[str]
    warnings_zh: list[str] = Field(description="The same in Chinese.")


class FormField(BaseModel):
    """One field of a form."""

    name: str
    title: str
    title_zh: str
    kind: Literal["text", "amount", "date", "code", "tick", "choice"]


class KnownForm(BaseModel):
    """A fixed form and its fields."""

    name: str = Field(examples=["receipt"])
    title: str
    title_zh: str
    fields: list[FormField]


class Forms(BaseModel):
    """All of them."""

    forms: list[KnownForm]


def _choice(option: str, meaning: str) -> Any:
    known = CHOICES[option]
    return Field(known[0], description=meaning, json_schema_extra={"enum": list(known)})


class Upload(BaseModel):
    """A document and its options as JSON."""

    image_base64: str | None = Field(None, description="The bytes in base64; a data: URL is fine.")
    url: str | None = Field(None, description="An address on a host that the operator listed.")
    name: str | None = None
    lang: str = _choice("lang", "The language of the text.")
    engine: str = _choice("engine", "What reads the lines.")
    layout: str = _choice("layout", "`line` where the picture is one line of text.")
    preprocess: str = _choice("preprocess", "`off` leaves the picture as it is.")
    fold: str = _choice("fold", "The form of the answer's characters; `off` leaves them as they are written.")
    pictures: str = _choice(
        "pictures",
        "Whether a small picture of each page stays with the text, for searchable PDF: `auto` of PDF and TIFF, `keep` of all.",
    )
    pages: str = Field("", description="Which pages, such as `1-3,7` or `5-`; all unless given.", examples=["1-3,7"])
    priority: str = _choice("priority", "`bulk` lets others go first.")


class Read(BaseModel):
    """The text of a document."""

    text: str
    id: str
    status: str


class Worker(BaseModel):
    """One worker process."""

    host: str
    container: str | None
    core: int | None = Field(description="The core it is pinned to; null while none was free.")
    pid: int
    state: str = Field(examples=["idle", "busy", "broken"])
    warm: bool
    engine: str
    models: dict[str, str] = Field(description="Fingerprint of the models, by engine.")
    rss_mib: float | None
    problem: str | None
    versions_problem: str | None = Field(description="Why it still reads with other weights than are wanted.")

    @classmethod
    def of(cls, slot: dict[str, Any]) -> Worker:
        """From what the process says of itself."""
        return cls(
            host=str(slot.get("hostname", "")),
            container=slot.get("container") or None,
            core=slot.get("core"),
            pid=int(slot.get("pid", 0)),
            state=str(slot.get("state", "idle")),
            warm=bool(slot.get("warm", True)),
            engine=str(slot.get("engine", "")),
            models=dict(slot.get("fingerprints", {})),
            rss_mib=slot.get("rss_mib"),
            problem=slot.get("problem"),
            versions_problem=slot.get("versions_problem"),
        )


class Alive(BaseModel):
    """This process answers."""

    alive: Literal[True]


class Ready(BaseModel):
    """The fleet can read."""

    ready: Literal[True]
    slots: int = Field(description="Worker processes with a warm model.")
    missing: list[str]


class Capacity(BaseModel):
    """The state of the fleet."""

    slots: int = Field(description="Live worker processes with a warm model.")
    waiting: dict[str, int] = Field(description="Pages that no worker has claimed yet, by queue.")
    running: int = Field(description="Pages in work.")
    jobs_in_flight: int
    page_ms: float = Field(description="Mean milliseconds a page takes.")
    seconds_waiting: float = Field(description="How long the live workers need for what waits.")
    limits: dict[str, int]
    kinds: list[str]
    options: dict[str, list[str]]
    engines: list[str] = Field(description="Engines that live workers have loaded or can load.")
    workers: list[Worker] = Field(description="Every worker process heard of lately.")

    @classmethod
    def now(cls, store: Store, settings: Settings) -> Capacity:
        """As it stands."""
        fleet, slots = store.capacity(), store.slots()
        limits = ("max_bytes", "max_pixels", "max_pages", "max_jobs_in_flight", "max_wait_s", "result_ttl_s")
        return cls(
            slots=fleet.slots,
            waiting={"interactive": fleet.waiting_interactive, "bulk": fleet.waiting_bulk},
            running=fleet.running,
            jobs_in_flight=fleet.jobs_in_flight,
            page_ms=round(fleet.page_ms, 1),
            seconds_waiting=round(fleet.seconds_waiting, 2),
            limits={name: getattr(settings, name) for name in limits} | {"min_side": MIN_SIDE},
            kinds=list(KINDS),
            options={name: list(values) for name, values in CHOICES.items()},
            engines=sorted({name for slot in slots for name in slot.get("engines") or slot.get("fingerprints", {})}),
            workers=[Worker.of(slot) for slot in slots],
        )
