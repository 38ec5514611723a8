"""`ocrfleet cancel ID...`: stop jobs; with --delete, remove them and their results."""

from __future__ import annotations

import argparse

from cli.options import add_server, client
from cli.status import line
from cli.words import pick


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("ids", nargs="+", metavar="ID")
    parser.add_argument("--delete", action="store_true", help=pick("remove them with their results", "同时删除结果"))
    add_server(parser)


def run(options: argparse.Namespace) -> int:
    """Cancel, and say how each job stands now."""
    service = client(options)
    for job_id in options.ids:
        if options.delete:
            service.delete(job_id)
            print(f"{job_id}  " + pick("removed", "已删除"))
        else:
            print(line(service.cancel(job_id)))
    return 0
