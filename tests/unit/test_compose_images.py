"""What the containers run beside the program itself: passwords, the queue's server, health checks, the TLS door."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import redis

from shared.errors import OcrFleetError
from shared.settings import Settings
from shared.store.redis import RedisStore

IMAGE = Path(__file__).resolve().parents[2] / "deploy" / "image"


@pytest.fixture
def image(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports a module of deploy/image as its own container would."""
    monkeypatch.syspath_prepend(str(IMAGE))

    def load(name: str) -> ModuleType:
        return __import__(name)

    yield load
    for name in ("passwords", "resp", "healthy", "start_redis", "start_worker", "start_flower", "tls_door"):
        sys.modules.pop(name, None)


# Passwords


def test_a_password_is_made_once_and_kept_for_its_owner_alone(
    image: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REDIS_PASSWORD", raising=False)
    passwords = image("passwords")
    file = tmp_path / "redis-password"

    first = passwords.choose("REDIS_PASSWORD", file)

    assert len(first) >= 32
    assert passwords.choose("REDIS_PASSWORD", file) == first
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_environment_beats_the_file_and_is_told_to_the_others(
    image: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "redis-password"
    file.write_text("old\n")
    monkeypatch.setenv("REDIS_PASSWORD", "new")

    assert image("passwords").choose("REDIS_PASSWORD", file) == "new"
    assert file.read_text() == "new\n"


def test_without_any_password_and_no_place_for_one_it_ends_with_the_reason(
    image: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REDIS_PASSWORD", raising=False)
    with pytest.raises(SystemExit, match="set REDIS_PASSWORD"):
        image("passwords").choose("REDIS_PASSWORD", tmp_path / "missing" / "redis-password")


@pytest.mark.parametrize(
    ("url", "environment", "expected"),
    [
        ("redis://redis:6379/0", {"REDIS_PASSWORD": "a/b@c"}, "redis://:a%2Fb%40c@redis:6379/0"),
        ("rediss://me@q:6380/0?ssl_cert_reqs=required", {"REDIS_PASSWORD": "x"},
         "rediss://me:x@q:6380/0?ssl_cert_reqs=required"),
        ("redis://:own@redis:6379/0", {"REDIS_PASSWORD": "other", "REDIS_PASSWORD_FILE": "/nowhere"},
         "redis://:own@redis:6379/0"),
        ("redis://redis:6379/0", {"REDIS_PASSWORD_FILE": ""}, "redis://redis:6379/0"),
    ],
)  # fmt: skip
def test_the_password_goes_into_the_address(
    url: str, environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REDIS_PASSWORD", "REDIS_PASSWORD_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**environment, "REDIS_URL": url}.items():
        monkeypatch.setenv(name, value)
    assert Settings().redis_url == expected


def test_the_password_is_read_from_its_file_and_a_missing_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REDIS_PASSWORD", raising=False)
    monkeypatch.setenv("REDIS_URL", "redis://redis:6379/0")
    monkeypatch.setenv("REDIS_PASSWORD_FILE", str(tmp_path / "secret"))
    with pytest.raises(ValueError, match=r"REDIS_PASSWORD_FILE.*cannot be read"):
        Settings()
    (tmp_path / "secret").write_text("s3cret\n")
    assert Settings().redis_url == "redis://:s3cret@redis:6379/0"


# The worker waits for the password that the queue's container makes


@pytest.mark.parametrize(
    ("environment", "waits"),
    [
        ({"REDIS_URL": "redis://redis:6379/0", "REDIS_PASSWORD_FILE": "/run/x"}, True),
        ({"REDIS_URL": "redis://:pw@redis:6379/0", "REDIS_PASSWORD_FILE": "/run/x"}, False),
        ({"REDIS_URL": "redis://redis:6379/0", "REDIS_PASSWORD_FILE": "/run/x", "REDIS_PASSWORD": "pw"}, False),
        ({"REDIS_URL": "redis://redis:6379/0", "REDIS_PASSWORD_FILE": ""}, False),
    ],
)
def test_the_worker_waits_only_for_a_password_that_it_needs(
    image: Any, environment: dict[str, str], waits: bool
) -> None:
    assert (image("start_worker").awaited(environment) is not None) is waits


# The queue's server


def test_its_memory_stays_within_the_container(image: Any, tmp_path: Path) -> None:
    start = image("start_redis")
    limit = tmp_path / "memory.max"
    assert start.container_mib((limit,)) is None
    limit.write_text("max\n")
    assert start.container_mib((limit,)) is None
    limit.write_text(f"{1024 * 1024 * 1024}\n")
    assert start.container_mib((limit,)) == 1024
    assert start.memory_mib(1024) == 768
    assert start.memory_mib(None) == start.memory_mib(100_000) == start.WANTED_MIB


def test_it_is_as_durable_as_the_one_of_a_single_machine(image: Any, tmp_path: Path) -> None:
    from cli import valkey

    def rows(text: str) -> dict[str, str]:
        return dict(line.split(None, 1) for line in text.splitlines() if line and not line.startswith("#"))

    theirs = rows(valkey.configuration(Settings(), tmp_path, 6391, "secret"))
    ours = rows((IMAGE / "redis.conf").read_text())
    own_to_a_host = {"bind", "port", "dir", "requirepass", "maxmemory"}
    assert {k: v for k, v in theirs.items() if k not in own_to_a_host} == {
        k: v for k, v in ours.items() if k not in own_to_a_host
    }


def test_its_memory_wish_is_what_the_settings_let_it_hold(image: Any) -> None:
    from cli import valkey

    settings = Settings()
    wanted = settings.max_blob_bytes + settings.cache_bytes + valkey.ROOM_BYTES
    assert wanted == image("start_redis").WANTED_MIB << 20


def test_any_password_fits_into_its_configuration(image: Any) -> None:
    assert image("start_redis").quoted('a" b\n§') == r'"\x61\x22\x20\x62\x0a\xc2\xa7"'


# Health


@pytest.fixture
def queue(valkey_url: str) -> Iterator[tuple[redis.Redis, RedisStore]]:
    """A client and a store under a prefix of this test."""
    with redis.Redis.from_url(valkey_url) as client:
        yield client, RedisStore(client, "health:")
        for key in client.scan_iter("health:*"):
            client.delete(key)


def fake_proc(folder: Path, processes: int) -> Path:
    """A /proc in which a worker runs."""
    (folder / "7").mkdir()
    words = ["python", "-m", "celery", "-A", "worker.app", "worker", "--concurrency", str(processes)]
    (folder / "7" / "cmdline").write_bytes(b"\0".join(word.encode() for word in words) + b"\0")
    return folder


def test_a_worker_is_well_when_all_its_processes_are_warm(
    image: Any, queue: tuple[redis.Redis, RedisStore], valkey_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    healthy = image("healthy")
    client, store = queue
    monkeypatch.setenv("REDIS_URL", valkey_url)
    monkeypatch.setenv("OCRFLEET_REDIS_PREFIX", "health:")
    monkeypatch.delenv("REDIS_PASSWORD_FILE", raising=False)
    monkeypatch.setattr(healthy.socket, "gethostname", lambda: "box1")
    proc = fake_proc(tmp_path, 2)

    store.beat_slot("box1:1:2", {"hostname": "box1", "warm": True})
    store.beat_slot("box1:1:3", {"hostname": "box1", "warm": False})
    store.beat_slot("box2:1:3", {"hostname": "box2", "warm": True})
    with pytest.raises(healthy.Unwell, match="1 of 2"):
        healthy.worker_is_warm(proc)

    store.beat_slot("box1:1:3", {"hostname": "box1", "warm": True})
    assert healthy.worker_is_warm(proc) == "2 processes are warm"

    silent = json.loads(client.hget("health:slotinfo", "box1:1:3") or b"{}")  # type: ignore[arg-type]
    silent["beat_at"] -= 60_000
    client.hset("health:slotinfo", "box1:1:3", json.dumps(silent))
    with pytest.raises(healthy.Unwell, match="1 of 2"):
        healthy.worker_is_warm(proc)


def test_a_worker_is_not_to_blame_for_a_redis_that_is_away(
    image: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    healthy = image("healthy")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    assert "waits for Redis" in healthy.worker_is_warm(fake_proc(tmp_path, 1))


def test_a_container_whose_worker_is_gone_is_unwell(image: Any, tmp_path: Path) -> None:
    healthy = image("healthy")
    with pytest.raises(healthy.Unwell, match="no worker"):
        healthy.worker_is_warm(tmp_path)


def test_the_health_check_knows_the_defaults_of_the_settings(image: Any) -> None:
    healthy, settings = image("healthy"), Settings()
    assert settings.heartbeat_s == healthy.HEARTBEAT_S
    assert settings.heartbeat_ttl_s == healthy.HEARTBEAT_S * healthy.SILENT_BEATS
    assert settings.redis_prefix == healthy.PREFIX


def test_a_gateway_that_does_not_listen_is_unwell(image: Any) -> None:
    with pytest.raises(OSError):
        image("healthy").http_answers(1, "/livez")


# The TLS door


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here")
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=queue"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(folder / "key"), "-out", str(folder / "crt")]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "crt", folder / "key"


async def shut(server: asyncio.Server) -> None:
    """Close the door and wait for those inside."""
    server.close()
    rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


@contextlib.contextmanager
def door(tls_door: Any, certificate: tuple[Path, Path], redis_port: int) -> Iterator[int]:
    """The door in front of a Redis; yields its port."""
    import threading

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(tls_door.serve(0, "127.0.0.1", redis_port, context))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield next(each for each in server.sockets if each.family is socket.AF_INET).getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(shut(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


def test_documents_pass_the_door_and_strangers_do_not(
    image: Any, certificate: tuple[Path, Path], valkey_url: str
) -> None:
    parts = redis.connection.parse_url(valkey_url)
    tls_door, resp = image("tls_door"), image("resp")
    secret = f":{parts['password']}@" if parts.get("password") else ""
    with door(tls_door, certificate, int(parts["port"])) as port:
        url = f"rediss://{secret}127.0.0.1:{port}/0?ssl_cert_reqs=required&ssl_ca_certs={certificate[0]}"
        with redis.Redis.from_url(url) as client:
            document = bytes(range(256)) * 20_000
            client.set("door:document", document)
            assert client.get("door:document") == document
            client.delete("door:document")
        assert resp.ask(url, "", [["PING"]]) == ["PONG"]
        stranger = redis.Redis.from_url(f"rediss://127.0.0.1:{port}/0?ssl_cert_reqs=required")
        with pytest.raises(redis.ConnectionError, match=r"(?i)certificate"):
            stranger.ping()
        stranger.close()
        plain = redis.Redis.from_url(f"redis://127.0.0.1:{port}/0", socket_timeout=5)
        with pytest.raises(redis.RedisError):
            plain.ping()
        plain.close()


def test_a_store_speaks_through_the_door(image: Any, certificate: tuple[Path, Path], valkey_url: str) -> None:
    from shared.store.open import open_store

    parts = redis.connection.parse_url(valkey_url)
    with door(image("tls_door"), certificate, int(parts["port"])) as port:
        secret = f":{parts['password']}@" if parts.get("password") else ""
        url = f"rediss://{secret}127.0.0.1:{port}/0?ssl_cert_reqs=required&ssl_ca_certs={certificate[0]}"
        store, publisher = open_store(Settings(redis_url=url, redis_prefix="door:"))
        try:
            store.ping()
            assert publisher.depths() == {"interactive": 0, "bulk": 0}
        except OcrFleetError as error:
            pytest.fail(str(error))
