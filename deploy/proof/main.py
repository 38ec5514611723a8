"""`deploy/prove`: the order of the steps, the options, and the clean end."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from proof import hosts, steps
from proof.engine import ROOT, EngineError, call, compose_command
from proof.fleet import Fleet
from proof.report import Report

ABOUT = """Proves on this machine's docker engine what docs/deployment.md promises: the images, `docker compose up --scale
worker=N`, cores of their own, a killed worker, a Redis that goes away, a rolling upgrade, workers on another host.
Nothing outside its own containers is touched; images and containers are removed at the end, the build cache stays.
Exit code 0: all of it held. Needs docker, docker compose (v2 or 1.29) and about a quarter of an hour."""


def main() -> int:
    """0 when everything held, 1 when something did not, 2 when it could not be run."""
    parser = argparse.ArgumentParser(description=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="length of a measurement (60)")
    parser.add_argument("--width", type=int, default=10, help="documents under way at any time (10)")
    parser.add_argument("--samples", type=Path, default=ROOT / "samples", help="where the sample documents are")
    parser.add_argument("--write", type=Path, help="Markdown file to put the table into")
    parser.add_argument("--only", help="comma-separated steps: scaling,crash,redis,rolling,hosts,limits")
    parser.add_argument("--keep", action="store_true", help="leave everything running at the end, for looking at it")
    given = parser.parse_args()
    chosen = set(given.only.split(",")) if given.only else {"scaling", "crash", "redis", "rolling", "hosts", "limits"}
    report = Report()
    # An end from outside takes the containers down too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        version = call(["docker", "version", "--format", "{{.Server.Version}}"]).strip()
        compose = call([*compose_command(), "version", "--short"]).strip()
        engine = f"Docker {version}, docker compose {compose}"
        fleet = Fleet.new(f"ocrfleet-prove-{os.getpid()}", "prove", report, given.samples.resolve())
    except EngineError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        prove(fleet, chosen, given.seconds, given.width)
    except EngineError as error:
        report.broken.append(str(error))
        report.say(f"FAILED: {error}")
        _show_logs(fleet)
    finally:
        if not given.keep:
            report.say("taking everything down")
            fleet.take_down()
    print(f"\n{report.conditions(engine)}\n\n{report.table()}\n")
    if given.write and not report.broken:
        report.write(given.write, engine)
    for line in report.broken:
        print(f"did not hold: {line}")
    print("everything held" if not report.broken else f"{len(report.broken)} did not hold")
    return 1 if report.broken else 0


def prove(fleet: Fleet, chosen: set[str], seconds: float, width: int) -> None:
    """Run the chosen steps."""
    report = fleet.report
    report.say("building the images")
    fleet.build()
    began = time.monotonic()
    fleet.scale(1, "redis", "gateway", "flower")
    report.fact("`up` to the first warm worker", f"{time.monotonic() - began:.0f} s")
    fleet.watch.start()
    try:
        with fleet.under_load(_cycles(seconds), width) as load:
            attempt(fleet, "scaling", chosen, lambda: steps.scaling(fleet, load, seconds))
            attempt(fleet, "crash", chosen, lambda: steps.crash(fleet, load))
            fleet.scale(2)
            attempt(fleet, "redis", chosen, lambda: steps.redis_away(fleet, load))
            attempt(fleet, "rolling", chosen, lambda: steps.rolling(fleet, load))
            attempt(fleet, "hosts", chosen, lambda: hosts.several_hosts(fleet, load))
            steps.accounts(fleet, load)
        attempt(fleet, "limits", chosen, lambda: steps.limits(fleet))
    finally:
        fleet.watch.stop()


def attempt(fleet: Fleet, name: str, chosen: set[str], step: Callable[[], None]) -> None:
    """Run a step if it was chosen; one that cannot be finished is noted, and the next one goes on."""
    if name not in chosen:
        return
    fleet.report.say(f"--- {name}")
    try:
        step()
    except EngineError as error:
        fleet.report.holds(f"step {name}", str(error).splitlines()[0], "to be finished", False)
        _show_logs(fleet)


def _cycles(seconds: float) -> int:
    """Cycles of documents (ten pages each), more than are read in the whole proof; no step uses more than four cores."""
    return max(20, int((7 * seconds + 400) * min(4, len(os.sched_getaffinity(0))) / 0.45 / 10))


def _show_logs(fleet: Fleet) -> None:
    try:
        print(fleet.project.run("logs", "--no-color", "--tail", "40"), file=sys.stderr)
    except EngineError as error:
        print(error, file=sys.stderr)
