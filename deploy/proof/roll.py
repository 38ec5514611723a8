"""Workers to another image tag, one at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator

from proof.engine import EngineError, Project, call, healthy, inspect, wait_until

WARM_S = 180.0
STOP_S = 600  # docker's own patience; the container's stop_grace_period is shorter and is what counts


def roll(project: Project, tag: str) -> Iterator[str]:
    """Yields a line a step. Raises EngineError; what was rolled so far stays, and both kinds work side by side."""
    old = project.containers("worker")
    if not old:
        raise EngineError(f"no worker of project {project.name} is running")
    for number, container in enumerate(old, start=1):
        began = time.monotonic()
        before = set(project.containers("worker"))
        project.scale(len(old) + 1, environment={"OCRFLEET_TAG": tag})
        fresh = set(project.containers("worker")) - before
        for each in fresh:
            if not str(inspect(each)["Config"]["Image"]).endswith(f":{tag}"):
                raise EngineError(f"the new worker {each[:12]} does not run tag {tag}")
        wait_until("the new worker warm", lambda fresh=fresh: all(map(healthy, fresh)), WARM_S)  # type: ignore[misc]
        warm = time.monotonic()
        grace = inspect(container)["Config"].get("StopTimeout") or 150
        call(["docker", "stop", "--time", str(grace), container], timeout_s=STOP_S)
        call(["docker", "rm", container])
        yield (
            f"worker {number} of {len(old)}: {container[:12]} replaced by "
            f"{', '.join(each[:12] for each in fresh)}: warm after {warm - began:.0f} s, "
            f"old one gone after another {time.monotonic() - warm:.0f} s"
        )
