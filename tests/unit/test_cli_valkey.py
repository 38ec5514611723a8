"""The queue's server that `ocrfleet up` starts: what its configuration promises."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from cli import valkey
from cli.problems import DataFolderRefused, NoServerBinary, PortTaken
from shared.settings import MIB, Settings
from tests.stack import free_ports


def rows(text: str) -> dict[str, str]:
    return dict(line.split(" ", 1) for line in text.splitlines())


def prepared(data: Path) -> valkey.Valkey:
    return valkey.prepare(Settings(redis_port=free_ports(1)[0]), data)


def test_it_keeps_what_it_is_given_and_lets_nobody_else_in(tmp_path: Path) -> None:
    server = prepared(tmp_path)
    said = rows((tmp_path / "redis" / "valkey.conf").read_text())
    assert (said["appendonly"], said["appendfsync"], said["aof-load-truncated"]) == ("yes", "everysec", "yes")
    assert said["maxmemory-policy"] == "noeviction"
    assert (said["bind"], said["protected-mode"]) == ("127.0.0.1", "yes")
    assert len(said["requirepass"]) >= 32
    assert said["requirepass"] in server.url
    os.close(server.lock)


def test_its_secrets_are_for_their_owner_only(tmp_path: Path) -> None:
    os.close(prepared(tmp_path).lock)
    for name in ("password", "valkey.conf"):
        assert stat.S_IMODE((tmp_path / "redis" / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "redis").stat().st_mode) == 0o700


def test_the_password_stays_over_restarts(tmp_path: Path) -> None:
    first = prepared(tmp_path)
    os.close(first.lock)
    second = prepared(tmp_path)
    os.close(second.lock)
    assert first.password == second.password


def test_a_folder_whose_server_still_runs_is_not_given_to_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = prepared(tmp_path)
    monkeypatch.setattr(valkey, "OLD_SERVER_S", 0.0)
    with pytest.raises(DataFolderRefused, match="still writes"):
        prepared(tmp_path)
    os.close(first.lock)
    os.close(prepared(tmp_path).lock)


def test_a_taken_port_leads_to_the_next_one() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = int(holder.getsockname()[1])
        assert taken < valkey.free_port(taken) < taken + valkey.PORTS_TRIED


def test_no_free_port_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(valkey, "can_bind", lambda _host, _port: OSError(98, "taken"))
    with pytest.raises(PortTaken, match="OCRFLEET_REDIS_PORT"):
        valkey.free_port(6391)


@pytest.mark.parametrize(
    ("machine_bytes", "expected"),
    [(512 * MIB, 256 * MIB), (2048 * MIB, 1024 * MIB), (64 * 1024 * MIB, (1024 + 256 + 1024) * MIB)],
)
def test_memory_is_what_the_settings_need_and_never_more_than_half_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, machine_bytes: int, expected: int
) -> None:
    monkeypatch.setattr(valkey, "memory_bytes", lambda: (machine_bytes, machine_bytes))
    assert valkey.memory_limit(Settings()) == expected


def test_a_machine_without_a_server_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(valkey.platform, "machine", lambda: "riscv64")
    monkeypatch.setattr(valkey.shutil, "which", lambda _name: None)
    with pytest.raises(NoServerBinary, match="REDIS_URL"):
        valkey.binary()


def test_blocks_that_a_power_cut_left_unwritten_are_cut_off(tmp_path: Path) -> None:
    log = tmp_path / "appendonlydir" / "appendonly.aof.1.incr.aof"
    log.parent.mkdir()
    whole = b"*2\r\n$4\r\nINCR\r\n$1\r\na\r\n"
    for torn in (b"", b"*3\r\n$3\r\nSE"):
        log.write_bytes(whole + torn + bytes(300_000))
        assert valkey.cut_unwritten(tmp_path) == 300_000
        assert log.read_bytes() == whole + torn
    assert valkey.cut_unwritten(tmp_path) == 0
    log.write_bytes(bytes(100))
    assert valkey.cut_unwritten(tmp_path) == 100
