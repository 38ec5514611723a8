"""Workers on another host: a second compose project in a network of its own, which reaches the queue only through TLS.

The same docker-compose.yml, with REDIS_URL set and a folder of secrets of its own: nothing but a certificate authority
and the password crosses over.
"""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import time
from pathlib import Path

from proof.engine import EngineError, Project, call, healthy, wait_until
from proof.fleet import Fleet, free_port
from proof.load import Answer, Load

WARM_S = 180.0


def several_hosts(fleet: Fleet, load: Load) -> None:
    """All reading is done by the other host's workers, then handed back."""
    # An address of this machine, in the queue's network: from the other network the way goes through the machine itself.
    network = f"{fleet.project.name}_default"
    address = call(["docker", "network", "inspect", network, "--format", "{{(index .IPAM.Config 0).Gateway}}"]).strip()
    port = free_port()
    redis = fleet.project.containers("redis")[0]
    # As docs/deployment.md has it: a certificate for the name or address that workers use, and its authority.
    call(["docker", "exec", redis, *CERTIFICATE, "-subj", f"/CN={address}", "-addext", f"subjectAltName=IP:{address}"])
    door = {"REDIS_TLS_ADDRESS": address, "REDIS_TLS_PORT": str(port)}
    fleet.project.environment.update(door)
    fleet.project.run("--profile", "remote", "up", "-d", "--no-build", "--no-recreate", "redis-tls")
    wait_until("the TLS door is open", lambda: healthy(fleet.project.containers("redis-tls")[0]), 60)
    with tempfile.TemporaryDirectory(prefix="ocrfleet-secrets-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for source, target in (("tls.crt", "ca.crt"), ("redis-password", "redis-password")):
            (folder / target).write_text(fleet.project.execute(redis, "cat", f"/run/ocrfleet/{source}"))
        url = f"rediss://{address}:{port}/0?ssl_cert_reqs=required&ssl_ca_certs=/run/ocrfleet/ca.crt"
        other = Project(
            f"{fleet.project.name}-b", {**fleet.project.environment, "REDIS_URL": url, "OCRFLEET_SECRETS": name}
        )
        try:
            other.run("up", "-d", "--no-build", "worker")
            containers = other.containers("worker")
            services = {line.split("=")[-1] for line in _services(other)}
            fleet.report.holds(
                "another host: services started there", ", ".join(sorted(services)), "worker", services == {"worker"}
            )
            fleet.workers.update(containers)
            took = wait_until("the other host's worker is warm", lambda: all(map(healthy, containers)), WARM_S)
            fleet.report.fact("another host: its worker warm after", f"{took:.0f} s")
            reachable = _plain_redis_answers(containers[0])
            fleet.report.holds(
                "another host: redis reached past the TLS door", str(reachable).lower(), "false", not reachable
            )
            fleet.scale(0)
            alone = time.monotonic()

            def by_it() -> list[Answer]:
                return [answer for answer in list(load.answers) if answer.submitted > alone]

            wait_until("the other host answers", lambda: len(by_it()) >= 12, 240)
            hosts = {str(row["host"]) for answer in by_it() for row in fleet.attempts(answer.id)}
            right = hosts <= {each[:12] for each in containers}
            fleet.report.holds("another host: documents read by it alone", str(len(by_it())), "≥ 12", right)
            fleet.scale(1)
        finally:
            with contextlib.suppress(EngineError):
                other.run("down", "--volumes", "--timeout", "30")
            fleet.workers.difference_update(other.containers("worker"))


CERTIFICATE = (
    *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "7"),
    *("-keyout", "/run/ocrfleet/tls.key", "-out", "/run/ocrfleet/tls.crt"),
)


def _services(project: Project) -> list[str]:
    filters = ["--filter", f"label=com.docker.compose.project={project.name}"]
    return call(["docker", "ps", *filters, "--format", '{{.Label "com.docker.compose.service"}}']).split()


def _plain_redis_answers(container: str) -> bool:
    """Whether the queue's own port can be reached by name from there."""
    code = "import socket; socket.create_connection(('redis', 6379), 3)"
    done = subprocess.run(["docker", "exec", container, "python3", "-c", code], capture_output=True, check=False)
    return done.returncode == 0
