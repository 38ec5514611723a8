"""`python -m bench overhead`: what gateway, queue and store add to the reading of a one-line picture, and a cached answer.

Pictures go through HTTP one after the other to an idle fleet; from the whole time until the answer is held, the time
that the worker itself gives for decoding and reading is taken off.
"""

from __future__ import annotations

import argparse
import io
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import requests
from PIL import Image, ImageDraw, ImageFont

from bench import fleet as fleets
from bench import machine
from bench.load_report import at
from bench.readers import MODELS, ROOT


def line(number: int) -> bytes:
    """A one-line picture that no cache knows."""
    image = Image.new("L", (420, 48), 255)
    ImageDraw.Draw(image).text((12, 8), f"Order {number} was sent", fill=10, font=ImageFont.load_default(size=28))
    sink = io.BytesIO()
    image.save(sink, "PNG")
    return sink.getvalue()


def main(arguments: Sequence[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench overhead", description=__doc__)
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--report", type=Path, default=ROOT / "bench" / "results" / "overhead.md")
    options = parser.parse_args(arguments)
    whole: list[float] = []
    added: list[float] = []
    cached: list[float] = []
    with fleets.running(options.models) as fleet:
        session = requests.Session()
        for number in range(options.pictures + 20):
            picture = line(number)
            started = time.perf_counter()
            job = session.post(fleet.url + "/v1/jobs", files={"file": picture}, timeout=30).json()
            while job["status"] in ("queued", "running"):
                job = session.get(f"{fleet.url}/v1/jobs/{job['id']}?wait=20", timeout=30).json()
            ended = time.perf_counter()
            result = session.get(f"{fleet.url}/v1/jobs/{job['id']}/result", timeout=30).json()
            timing = result["pages"][0]["timing_ms"]
            again = time.perf_counter()
            answer = session.post(fleet.url + "/v1/jobs", files={"file": picture}, timeout=30)
            assert answer.status_code == 200, answer.text
            assert answer.json()["cached"]
            if number >= 20:
                whole.append(1000 * (ended - started))
                added.append(whole[-1] - float(timing["total"]) - float(timing.get("decode", 0)))
                cached.append(1000 * (time.perf_counter() - again))
    rows = [
        ("upload until the end is known", whole),
        ("of it not decoding or reading", added),
        ("cached repeat", cached),
    ]
    lines = [
        "# What the fleet adds to reading",
        "",
        f"Written by `python -m bench overhead` on {datetime.now(UTC):%Y-%m-%d}. {machine.describe()}.",
        "",
        f"{options.pictures} one-line pictures of 420x48, one after the other, through HTTP to an idle fleet. Milliseconds.",
        "",
        "| | p50 | p95 | mean |",
        "|---|---|---|---|",
    ]
    for name, values in rows:
        values.sort()
        lines.append(f"| {name} | {at(values, 0.5):.1f} | {at(values, 0.95):.1f} | {statistics.fmean(values):.1f} |")
    text = "\n".join(lines) + "\n"
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text(text, encoding="utf-8")
    print(text)
    return 0
