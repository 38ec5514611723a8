"""Opens the job store and the queue that the settings name."""

from __future__ import annotations

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from shared.queue import Publisher
from shared.settings import Settings
from shared.store.protocol import Limits
from shared.store.redis import RedisStore


def limits_of(settings: Settings) -> Limits:
    """What the store needs of the settings."""
    return Limits(
        max_jobs=settings.max_jobs_in_flight,
        client_share=settings.client_share,
        max_blob_bytes=settings.max_blob_bytes,
        job_deadline_s=settings.job_deadline_s,
        max_attempts=settings.max_attempts,
        result_ttl_s=settings.result_ttl_s,
        cache_ttl_s=settings.cache_ttl_s,
        cache_bytes=settings.cache_bytes,
        idempotency_ttl_s=settings.idempotency_ttl_s,
        upload_ttl_s=settings.upload_ttl_s,
        lease_s=settings.lease_s,
        slot_ttl_s=settings.heartbeat_ttl_s,
        stale_after_s=settings.stale_after_s,
    )


def connect(url: str) -> redis.Redis:
    """A client that fails fast: a caller who waits is told within seconds that Redis is away. Make it after a fork."""
    return redis.Redis.from_url(
        url,
        socket_timeout=5.0,
        socket_connect_timeout=2.0,
        socket_keepalive=True,
        health_check_interval=25,
        # A broken connection is taken up anew and the transition sent again: each script knows its own repetition. A
        # server that does not answer in time is not asked again: the caller is told.
        retry=Retry(ExponentialBackoff(cap=0.2, base=0.02), 2, supported_errors=(redis.ConnectionError,)),
    )


def open_store(settings: Settings) -> tuple[RedisStore, Publisher]:
    """The job store and the queue at `settings.redis_url`. Nothing is sent until the first call."""
    client = connect(settings.redis_url)
    return RedisStore(client, settings.redis_prefix, limits_of(settings)), Publisher(
        settings, settings.redis_url, client
    )
