"""Every setting, once: its environment variable, unit, default and reason. `python -m shared.settings --table` prints the docs' table."""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MIB = 1024 * 1024


def _setting(default: Any, meaning: str, **constraints: Any) -> Any:
    return Field(default, description=meaning, **constraints)


class Settings(BaseSettings):
    """Read from the environment (`OCRFLEET_` + the field's name in capitals, or the alias); refuses a set that contradicts itself."""

    # A variable that is set to nothing, as `NAME=` in a compose file or a unit, is one that is not set.
    model_config = SettingsConfigDict(
        env_prefix="OCRFLEET_", env_ignore_empty=True, frozen=True, extra="ignore", populate_by_name=True
    )

    # Where things are
    data: Path = _setting(Path("ocrfleet-data"), "The one folder for everything that is kept: queue, models, logs.")
    models: Path | None = _setting(
        None, "Folder of the weights; `<data>/models` unless set (container images bake them in)."
    )
    forms: Path | None = _setting(
        None, "Folder with rules for fixed forms (docs/forms.md), beside the ones that are built in."
    )
    host: str = _setting("127.0.0.1", "Address the gateway listens on; 0.0.0.0 lets other machines in.")
    port: int = _setting(8080, "Port of the gateway.", ge=1, le=65535)
    flower_port: int = _setting(5555, "Port of Flower, on loopback only; 0 leaves Flower out.", ge=0, le=65535)
    redis_port: int = _setting(
        6391, "Port of the Valkey that `make run` starts, on loopback; the next free one if it is taken."
    )
    redis_url: str = _setting(
        "", "Redis or Valkey to use instead of starting one (redis:// or rediss://).", alias="REDIS_URL"
    )
    redis_password: str = _setting("", "Password of that Redis, unless redis_url carries it.", alias="REDIS_PASSWORD")
    redis_password_file: Path | None = _setting(
        None, "File that holds the password, unless it is given otherwise.", alias="REDIS_PASSWORD_FILE"
    )
    redis_prefix: str = _setting("ocrfleet:", "Put before every key, so that one Redis can serve several fleets.")

    # Who may do what
    api_keys: str = _setting(
        "", "Comma-separated keys; when set, /v1 and /api ask for `Authorization: Bearer KEY` or `X-API-Key`."
    )
    allow_urls: str = _setting(
        "", "Comma-separated host names that JSON `url` may fetch from; empty refuses every `url`."
    )
    trusted_proxies: int = _setting(0, "How many reverse proxies in front may set X-Forwarded-For.", ge=0, le=10)

    # Limits on a document
    max_bytes: int = _setting(64 * MIB, "Largest upload, in bytes; more is answered 413.", ge=1)
    max_pixels: int = _setting(
        100_000_000, "Largest image or page, in pixels, checked before decoding; more is answered 413.", ge=1
    )
    max_pages: int = _setting(2000, "Most pages of one document; more is answered 413.", ge=1)
    pdf_dpi: int = _setting(200, "Resolution at which PDF pages are rendered, in dots per inch.", ge=50, le=600)

    # Limits on the queue
    max_jobs_in_flight: int = _setting(
        2000, "Most unfinished jobs of all clients together; more is answered 429.", ge=1
    )
    client_share: float = _setting(
        0.5, "Share of max_jobs_in_flight that one client (API key or address) may hold.", gt=0, le=1
    )
    max_blob_bytes: int = _setting(
        1024 * MIB, "Most bytes of waiting documents held in Redis; more is answered 429.", ge=1
    )
    job_deadline_s: int = _setting(
        6 * 3600, "A job unfinished for this many seconds is failed, so that nothing waits for ever.", ge=60
    )
    max_attempts: int = _setting(
        3, "How often a page is tried before it fails and the rest is returned as `partial`.", ge=1, le=10
    )

    # How long things are kept
    result_ttl_s: int = _setting(
        24 * 3600, "How long a finished job and its result are kept, in seconds; then 410.", ge=1
    )
    cache_ttl_s: int = _setting(7 * 24 * 3600, "How long an unused result stays in the hash cache, in seconds.", ge=1)
    cache_bytes: int = _setting(
        256 * MIB, "Budget of the hash cache in Redis, in bytes; the least recently used leave first.", ge=0
    )
    idempotency_ttl_s: int = _setting(24 * 3600, "How long an Idempotency-Key is remembered, in seconds.", ge=1)
    upload_ttl_s: int = _setting(600, "How long uploaded bytes wait for their job to be accepted, in seconds.", ge=10)

    # A page's time
    soft_limit_s: int = _setting(90, "A page's soft time limit, in seconds: the page fails as TIMEOUT.", ge=1)
    hard_limit_s: int = _setting(120, "A page's hard time limit, in seconds: its process is killed and replaced.", ge=1)
    lease_s: int = _setting(20, "A worker's claim on a page, in seconds; renewed while it works.", ge=2)
    model_load_s: int = _setting(100, "Most seconds a model may take to load and warm.", ge=1)
    proc_alive_s: int = _setting(120, "Seconds a new worker process has to become ready.", ge=1)
    stop_grace_s: int = _setting(150, "Seconds a worker may take to finish its page when asked to stop.", ge=1)
    clock_skew_s: int = _setting(
        60, "Largest difference between clocks of hosts that must do no harm, in seconds.", ge=0
    )
    visibility_timeout_s: int = _setting(
        240, "Seconds until Redis hands a message of a vanished worker to another.", ge=1
    )
    stale_after_s: int = _setting(
        300, "Seconds after which a message that nobody claimed is put on the queue again at the latest.", ge=1
    )

    # The worker
    worker_cores: int = _setting(
        0, "Worker processes of this host or container; 0 takes one a usable core.", ge=0, alias="WORKER_CORES"
    )
    engine: str = _setting("auto", "Engine loaded at start: auto, crnn, ppocrv6 or modelscope.")
    precision: Literal["auto", "f32", "bf16"] = _setting(
        "auto", "Arithmetic of the engine: auto takes bf16 where the processor has it, else f32."
    )
    words: Literal["auto", "off"] = _setting(
        "auto",
        "Whether words around it settle a doubtful character; off reads letter by letter, for codes and misspellings.",
    )
    core_lease_s: int = _setting(
        30, "A worker process's claim on its core, in seconds; renewed by its heartbeat.", ge=5
    )
    heartbeat_s: float = _setting(3.0, "Seconds between heartbeats of a worker process.", gt=0)
    deaf_after_s: int = _setting(
        30, "A worker idle this long while pages wait is deaf: it exits and is started again.", ge=5
    )
    max_rss_mib: int = _setting(
        1200, "A worker process above this peak memory is replaced after its page, in MiB.", ge=100
    )

    # The gateway
    gateway_workers: int = _setting(2, "Gateway processes.", ge=1)
    gateway_threads: int = _setting(32, "Threads of a gateway process.", ge=2)
    max_wait_s: int = _setting(30, "Longest `?wait=`, in seconds.", ge=0)
    log_level: str = _setting("INFO", "DEBUG, INFO, WARNING or ERROR.")

    @property
    def models_folder(self) -> Path:
        """Where the weights lie."""
        return self.models or self.data / "models"

    @property
    def heartbeat_ttl_s(self) -> float:
        """A worker process silent for this long counts as gone."""
        return self.heartbeat_s * 4

    @model_validator(mode="after")
    def _holds_together(self) -> Settings:
        chain = {
            "model_load_s < proc_alive_s": self.model_load_s < self.proc_alive_s,
            "soft_limit_s < hard_limit_s": self.soft_limit_s < self.hard_limit_s,
            "hard_limit_s < stop_grace_s": self.hard_limit_s < self.stop_grace_s,
            "hard_limit_s + 10 + clock_skew_s < visibility_timeout_s": self.hard_limit_s + 10 + self.clock_skew_s
            < self.visibility_timeout_s,
            "visibility_timeout_s < stale_after_s": self.visibility_timeout_s < self.stale_after_s,
            "heartbeat_s * 2 < lease_s": self.heartbeat_s * 2 < self.lease_s,
        }
        broken = [rule for rule, holds in chain.items() if not holds]
        if broken:
            raise ValueError("settings contradict each other: " + "; ".join(broken))
        return self

    @field_validator("redis_password_file", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return value or None

    @model_validator(mode="after")
    def _with_password(self) -> Settings:
        """Put the password into redis_url, where everybody looks for it."""
        parts = urlsplit(self.redis_url)
        if parts.scheme not in ("redis", "rediss") or parts.password is not None:
            return self
        secret = self.redis_password
        if not secret and self.redis_password_file is not None:
            try:
                secret = self.redis_password_file.read_text(encoding="utf-8").strip()
            except OSError as error:
                raise ValueError(
                    f"REDIS_PASSWORD_FILE: {self.redis_password_file} cannot be read: {error.strerror}"
                ) from error
        if secret:
            user, _, address = parts.netloc.rpartition("@")
            # The only write to a frozen object, before anybody has seen it.
            self.__dict__["redis_url"] = parts._replace(netloc=f"{user}:{quote(secret, safe='')}@{address}").geturl()
        return self

    @classmethod
    def environment_name(cls, field: str) -> str:
        """The environment variable of a field."""
        return cls.model_fields[field].alias or "OCRFLEET_" + field.upper()


@functools.cache
def get_settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()


def table() -> str:
    """The settings as a Markdown table: name, environment variable, default, meaning."""
    rows = ["| setting | environment variable | default | meaning |", "|---|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (None, "") else f"`{field.default}`"
        rows.append(f"| {name} | `{Settings.environment_name(name)}` | {default} | {field.description} |")
    return "\n".join(rows)


if __name__ == "__main__":
    if sys.argv[1:] != ["--table"]:
        sys.exit("usage: python -m shared.settings --table")
    print(table())
