"""The steps of the proof, in the order in which they are run. Each notes what it found in the report."""

from __future__ import annotations

import time

from proof.cores import worker_processes
from proof.engine import call, healthy, inspect, memory_mib, wait_until
from proof.fleet import Fleet
from proof.load import Load
from proof.roll import roll

SETTLE_S = 8.0  # after a change, before the clock of a measurement starts
GAIN = 1.85  # throughput of two workers on two cores over that of one
LEASE_S = 45.0  # a core's lease and one renewal, with a little air: longer may no core lie idle beside a loose process
AWAY_S = 20.0
BACK_S = 60.0
LEAST_JIFFIES = 5  # hundredths of a core's second; a heartbeat alone takes one or two
CRASH_BACK_S = 90.0


def measure(fleet: Fleet, load: Load, workers: int, seconds: float) -> float:
    """Pages a second with this many workers, and what their cores did meanwhile."""
    time.sleep(SETTLE_S)
    since = time.monotonic()
    time.sleep(seconds)
    until = time.monotonic()
    rate = load.rate(since, until)
    shared = fleet.watch.most_shared(since, until)
    loose = fleet.watch.longest_loose_s(since, until)
    look = fleet.watch.look()
    bound = sum(look.bound(fleet.watch.cores).values())
    fleet.report.fact(
        f"{workers} worker{'s' if workers > 1 else ''}",
        f"{rate:.2f} pages/s, {bound} of {len(look.processes)} bound to a core",
    )
    fleet.report.holds(f"{workers}: cores shared by two bound processes", str(shared), "0", shared == 0)
    fleet.report.holds(
        f"{workers}: longest a process was loose while a core was free", f"{loose:.0f} s", f"≤ {LEASE_S:.0f} s", loose <= LEASE_S
    )  # fmt: skip
    return rate


def scaling(fleet: Fleet, load: Load, seconds: float) -> None:
    """1 → 2 → 4 → 1 workers."""
    rates: dict[str, float] = {}
    cores = len(fleet.watch.cores)
    for step, workers in (("1", 1), ("2", 2), ("4", 4), ("1 again", 1)):
        if step != "1":
            took = fleet.scale(workers)
            fleet.report.say(f"{workers} workers: warm {took:.0f} s after their containers were there")
        rates[step] = measure(fleet, load, workers, seconds * (1.5 if workers <= 2 else 1))
        if step == "2":
            listed = sorted(f"{row['host']} on core {row['core']}" for row in fleet.workers_listed() if row["warm"])
            cores_told = {row["core"] for row in fleet.workers_listed()}
            right = len(listed) == len(cores_told) == 2
            fleet.report.holds("/v1/capacity lists", ", ".join(listed), "2 processes, 2 cores", right)
            for container in fleet.project.containers("worker")[:1]:
                fleet.report.fact("memory of a worker at work", f"{memory_mib(container):.0f} MiB", "")
            for service in ("gateway", "redis", "flower"):
                fleet.report.fact(f"memory of {service}", f"{memory_mib(fleet.project.containers(service)[0]):.0f} MiB")
    base = (rates["1"] + rates["1 again"]) / 2
    gain = rates["2"] / base if base else 0.0
    what = f"2 workers over 1 (mean of before and after: {base:.2f} pages/s)"
    if cores >= 2:
        fleet.report.holds(what, f"{gain:.2f} x", f"≥ {GAIN} x", gain >= GAIN)
    else:
        fleet.report.fact(what, f"{gain:.2f} x", "this machine has one core")


def crash(fleet: Fleet, load: Load) -> None:
    """Kill a worker's main process the hard way: the engine must start it again, and no page may be lost."""
    fleet.scale(2)
    wait_until("both workers bound to a core", lambda: len(fleet.watch.look().bound(fleet.watch.cores)) == 2, 60)
    victim = fleet.project.containers("worker")[0]
    killed = time.monotonic()
    mark = f"{time.time():.3f}"
    # The container's first process cannot be killed from inside; its child, Celery's parent, can, and takes all down.
    # Detached, for this one dies with it.
    call(["docker", "exec", "--detach", victim, "python3", "-c", KILL])
    wait_until("the engine starts the container again", lambda: int(inspect(victim)["RestartCount"]) > 0, CRASH_BACK_S)
    wait_until("a new warm process", lambda: READY in logs(victim, mark), CRASH_BACK_S)
    warm = time.monotonic() - killed
    fleet.report.holds(
        "worker killed: warm again after", f"{warm:.0f} s", f"≤ {CRASH_BACK_S:.0f} s", warm <= CRASH_BACK_S
    )
    wait_until("two processes bound to two cores", lambda: len(fleet.watch.look().bound(fleet.watch.cores)) == 2, 90)
    fleet.report.fact(
        "worker killed: both cores bound again after", f"{time.monotonic() - killed:.0f} s", "≤ 45 s and start"
    )
    wait_until("what was under way is answered", lambda: not load.open_since_before(killed), 180)
    open_then = [answer for answer in list(load.answers) if answer.submitted < killed < answer.finished]
    tried_twice = [
        answer for answer in open_then if any(int(str(row["attempt"])) > 1 for row in fleet.attempts(answer.id))
    ]
    waits = [answer.finished - killed for answer in tried_twice]
    fleet.report.holds(
        "worker killed: the page in its hands was answered after",
        f"{max(waits, default=0.0):.0f} s ({len(tried_twice)} read again)",
        "≤ 60 s",
        max(waits, default=0.0) <= 60,
    )


READY = "worker.lifecycle: ready"  # what a worker process says when it is warm


def logs(container: str, since: str) -> str:
    """What a container printed since a time (seconds since the epoch)."""
    return call(["docker", "logs", "--since", since, container], both=True)


KILL = """
import os, signal
for entry in filter(str.isdigit, os.listdir('/proc')):
    words = open(f'/proc/{entry}/cmdline', 'rb').read().split(b'\\0')
    parent = open(f'/proc/{entry}/stat').read().rpartition(')')[2].split()[1]
    if b'worker.app' in words and parent == '1':
        os.kill(int(entry), signal.SIGKILL)
"""


def redis_away(fleet: Fleet, load: Load) -> None:
    """Redis is stopped for 20 s and started again."""
    refused = load.refusals
    fleet.project.run("stop", "redis")
    stopped = time.monotonic()
    time.sleep(5)
    status, _ = fleet.get("/livez")
    fleet.report.holds("redis away: the gateway's /livez", str(status), "200", status == 200)
    status, _ = fleet.get("/readyz")
    fleet.report.holds("redis away: the gateway's /readyz", str(status), "503", status == 503)
    time.sleep(max(0.0, AWAY_S - (time.monotonic() - stopped)))
    fleet.project.run("start", "redis")
    back = time.monotonic()
    wait_until("an answer after Redis is back", lambda: any(a.finished > back for a in list(load.answers)), 180)
    took = time.monotonic() - back
    fleet.report.holds(
        "redis away 20 s: first answer after its start", f"{took:.0f} s", f"≤ {BACK_S:.0f} s", took <= BACK_S
    )
    wait_until("both workers at work again", lambda: working(fleet) >= 2, 180)
    took = time.monotonic() - back
    fleet.report.holds(
        "redis away 20 s: both workers at work after", f"{took:.0f} s", f"≤ {BACK_S:.0f} s", took <= BACK_S
    )
    fleet.report.fact("redis away 20 s: requests refused and sent again", str(load.refusals - refused))


def working(fleet: Fleet) -> int:
    """How many containers' processes use their core right now."""
    before = _jiffies(fleet)
    time.sleep(1.0)
    after = _jiffies(fleet)
    return sum(after[pid] - before.get(pid, after[pid]) > LEAST_JIFFIES for pid in after)


def _jiffies(fleet: Fleet) -> dict[int, int]:
    used = {}
    for pid in fleet.watch.look().processes:
        try:
            with open(f"/proc/{pid}/stat") as file:
                words = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        used[pid] = int(words[11]) + int(words[12])
    return used


# The next release, as far as the queue is concerned: everything it publishes has the next message version.
NEXT = """
FROM {image}
USER root
RUN sed -i 's/^MESSAGE_VERSION = .*/MESSAGE_VERSION = 99/' /opt/ocrfleet/lib/python3*/site-packages/shared/queue.py \\
 && rm -f /opt/ocrfleet/lib/python3*/site-packages/shared/__pycache__/queue.*
USER ocrfleet
"""


def rolling(fleet: Fleet, load: Load) -> None:
    """Workers to a new image tag one at a time; the new ones publish messages that the old ones do not know."""
    tag = f"{fleet.tag}-next"
    call(
        ["docker", "build", "-t", f"ocrfleet-worker:{tag}", "-"], text=NEXT.format(image=f"ocrfleet-worker:{fleet.tag}")
    )
    began, answered = time.monotonic(), len(load.answers)
    for line in roll(fleet.project, tag):
        fleet.report.say(line)
        fleet.refresh()
        # Old and new side by side, for a while.
        time.sleep(SETTLE_S)
    took = time.monotonic() - began
    images = {str(inspect(each)["Config"]["Image"]) for each in fleet.project.containers("worker")}
    fleet.report.holds(
        "rolled to a new tag: images of the workers", ", ".join(images), tag, images == {f"ocrfleet-worker:{tag}"}
    )
    fleet.report.fact("rolled to a new tag: two workers, one at a time", f"{took:.0f} s")
    during = len(load.answers) - answered
    fleet.report.holds("rolled to a new tag: documents answered meanwhile", str(during), "> 0", during > 0)


def accounts(fleet: Fleet, load: Load) -> None:
    """Everything accepted is answered, once, and reads as it should."""
    load.stop(240)
    left, ended = load.under_way(), load.answers
    fleet.report.holds(
        "accepted = answered", f"{len(load.accepted)} = {len(ended)}", "equal", not left and not load.ran_out
    )
    done = sum(answer.status == "done" for answer in ended)
    fleet.report.holds("answered in full (`done`)", f"{done} of {len(ended)}", "all", done == len(ended))
    wrong = load.misread()
    fleet.report.holds("texts unlike the first of the same sample", str(len(wrong)), "0", not wrong)
    counted = fleet.counter("jobs_done")
    fleet.report.holds(
        "jobs the store counted as done", str(counted), "as many as accepted", counted == len(load.accepted)
    )
    shared = fleet.watch.most_shared()
    for look in fleet.watch.span():
        if look.shared(fleet.watch.cores):
            fleet.report.say(f"shared at {look.at - fleet.report.started:.1f} s: {look.processes}")
    fleet.report.holds("whole run: cores shared by two bound processes", str(shared), "0", shared == 0)


def limits(fleet: Fleet) -> None:
    """A container with a cpuset leases inside it; one with a CPU quota starts only as many processes as it carries."""
    cores = sorted(fleet.watch.cores)
    limited(fleet, ("--cpuset-cpus", str(cores[-1])), {cores[-1]})
    limited(fleet, ("--cpus", "1.5"), set(cores))


def limited(fleet: Fleet, words: tuple[str, str], inside: set[int]) -> None:
    """A worker container with this limit, left to choose its number of processes: one, on a core of `inside`."""
    command = ["docker", "run", "--detach", "--init", "--read-only", "--tmpfs", "/tmp", *words]
    command += ["--network", f"{fleet.project.name}_default", "-v", f"{fleet.project.name}_secrets:/run/ocrfleet:ro"]
    command += ["-e", "REDIS_URL=redis://redis:6379/0", "-e", "REDIS_PASSWORD_FILE=/run/ocrfleet/redis-password"]
    container = call([*command, "-e", "WORKER_CORES=0", f"ocrfleet-worker:{fleet.tag}"]).strip()
    try:
        wait_until(f"a worker with {' '.join(words)} is warm", lambda: healthy(container), 120)
        own = worker_processes({container})
        used = set().union(*own.values())
        fleet.report.holds(
            f"a worker with {' '.join(words)}, WORKER_CORES=0",
            f"{len(own)} process, cores {sorted(used)}",
            f"1 process, within {sorted(inside)}",
            len(own) == 1 and used <= inside,
        )
    finally:
        call(["docker", "rm", "--force", container])
