"""`ocrfleet jobs`: your jobs, newest first."""

from __future__ import annotations

import argparse
import json

from cli.options import add_server, client
from cli.status import line
from cli.words import pick


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("-n", "--limit", type=int, default=20, help=pick("at most so many (20)", "最多条数（20）"))
    parser.add_argument("--json", action="store_true", help=pick("one JSON object a line", "每行一个 JSON"))
    add_server(parser)


def run(options: argparse.Namespace) -> int:
    """Print them."""
    for job in client(options).jobs(options.limit):
        print(json.dumps(job, ensure_ascii=False) if options.json else line(job))
    return 0
