"""docker-compose.yml and the Dockerfile say what the settings and the code say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from shared.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
# What an image, not an operator, decides; or what only `ocrfleet up` asks.
NOT_PASSED = {
    "data",
    "models",
    "host",
    "port",
    "flower_port",
    "redis_port",
    "redis_url",
    "redis_password_file",
    "worker_cores",
}


def block(text: str, name: str, indent: int) -> str:
    """The lines of a YAML mapping's entry, without its own."""
    rows = text.splitlines()
    start = next(k for k, row in enumerate(rows) if re.match(rf"^ {{{indent}}}{re.escape(name)}:", row))
    inside = []
    for row in rows[start + 1 :]:
        if row.strip() and not row.startswith(" " * (indent + 1)) and not row.lstrip().startswith("#"):
            break
        inside.append(row)
    return "\n".join(inside)


def service(name: str) -> str:
    """One service's lines."""
    return block(block(COMPOSE, "services", 0), name, 2)


def value(lines: str, key: str, indent: int = 4) -> str:
    """A scalar of a mapping."""
    found = re.search(rf"^ {{{indent}}}{key}: (.+)$", lines, re.MULTILINE)
    assert found, f"{key} is not there"
    return found.group(1)


SERVICES = ("redis", "gateway", "worker", "flower", "redis-tls")


def seconds(text: str) -> int:
    """`${NAME:-150}s` or `150s` in seconds, by its default."""
    found = re.fullmatch(r"(?:\$\{\w+:-(\d+)\}|(\d+))s", text)
    assert found, text
    return int(found.group(1) or found.group(2))


def test_a_worker_may_take_as_long_to_stop_as_the_settings_say() -> None:
    stop = value(service("worker"), "stop_grace_period")
    assert seconds(stop) == Settings().stop_grace_s
    assert Settings.environment_name("stop_grace_s") in stop
    assert (
        value(block(COMPOSE, "x-settings", 0), "OCRFLEET_STOP_GRACE_S", 2)
        == f"${{OCRFLEET_STOP_GRACE_S:-{Settings().stop_grace_s}}}"
    )


def test_a_gateway_answers_those_who_wait_before_it_stops() -> None:
    assert seconds(value(service("gateway"), "stop_grace_period")) > Settings().max_wait_s + 5


def test_every_setting_can_be_given_to_the_containers() -> None:
    names = set(re.findall(r"^  ([A-Z_0-9]+):", block(COMPOSE, "x-settings", 0), re.MULTILINE))
    wanted = {Settings.environment_name(field) for field in Settings.model_fields if field not in NOT_PASSED}
    assert wanted - names == set()
    known = {Settings.environment_name(field) for field in Settings.model_fields}
    assert names - known == set(), "the compose file passes on what no setting has"


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_confined(name: str) -> None:
    assert "<<: *common" in service(name)
    assert "mem_limit:" in service(name)
    common = block(COMPOSE, "x-common", 0)
    for line in (
        "read_only: true",
        "cap_drop: [ALL]",
        "no-new-privileges:true",
        "restart: unless-stopped",
        "max-size:",
    ):
        assert line in common
    assert "/tmp" in value(service(name), "tmpfs")


def test_the_queue_is_not_published_and_the_rest_is_on_loopback() -> None:
    assert "ports:" not in service("redis")
    assert value(service("flower"), "ports").startswith('["127.0.0.1:')
    assert "OCRFLEET_HOST:-127.0.0.1" in value(service("gateway"), "ports")
    assert "profiles: [remote]" in service("redis-tls"), "the TLS door is open only where it is asked for"


def test_a_host_with_only_workers_starts_nothing_else() -> None:
    assert "depends_on" not in service("worker")
    assert "${REDIS_URL:-" in value(block(COMPOSE, "x-settings", 0), "REDIS_URL", 2)


def stages() -> dict[str, str]:
    """The Dockerfile's stages by name."""
    parts = re.split(r"^FROM (\S+) AS (\S+)$", DOCKERFILE, flags=re.MULTILINE)
    return {
        name: f"FROM {base}\n{body}" for base, name, body in zip(parts[1::3], parts[2::3], parts[3::3], strict=True)
    }


def test_packages_are_installed_by_the_locked_pip() -> None:
    """A base image's own may be one that refuses the lock files."""
    asked = re.findall(r"(\S*)\bpip(?: --python \S+)? (?:install|wheel|freeze)\b", DOCKERFILE)
    assert len(asked) > 8
    assert set(asked) == {"/opt/build/bin/"}
    assert "-r build.lock" in stages()["installer"]


@pytest.mark.parametrize("name", ["gateway", "worker", "flower", "redis"])
def test_images_run_as_nobody_special_with_exec_form_commands(name: str) -> None:
    stage = stages()[name]
    assert stage.startswith("FROM runtime\n"), "nothing that builds is in it"
    assert "\nUSER ocrfleet\n" in stage
    assert "RUN " not in stage
    command = re.search(r"^CMD (\[.+\])$", stage, re.MULTILINE)
    assert command, "no exec-form command"
    assert json.loads(command.group(1))
    assert re.search(rf'CMD \["python3", "/opt/image/healthy.py", "{name}"\]', stage)


def test_dependencies_come_from_the_lock_files_with_their_hashes() -> None:
    for name, stage in stages().items():
        for lock in re.findall(r"-r (\S+\.lock)", stage):
            assert (ROOT / "requirements" / Path(lock).name).is_file(), f"{name}: {lock}"
        installs = re.findall(r"pip[^&;]*? install [^&;]*", stage.split("ARG MODELSCOPE")[0])
        assert all("--require-hashes" in each or "--no-index" in each for each in installs), name


def test_the_health_check_waits_as_long_as_a_model_may_take_to_load() -> None:
    found = re.search(r"--start-period=(\d+)s", stages()["worker"])
    assert found
    assert int(found.group(1)) >= Settings().proc_alive_s


def test_every_variable_of_the_file_is_documented() -> None:
    page = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    table = page.split("### What may be set", 1)[1].split("\n## ", 1)[0]
    code = "\n".join(line for line in COMPOSE.splitlines() if not line.lstrip().startswith("#"))
    variables = set(re.findall(r"\$\{([A-Z_]+)", code))
    assert {name for name in variables if f"`{name}`" not in table} == set()
    for name, default in re.findall(r"\$\{([A-Z_]+):?-([^}]+)\}", code):
        row = next(line for line in table.splitlines() if f"`{name}`" in line)
        assert default in row, f"{name}: the page does not say {default}"
