"""`ocrfleet result ID`: the result of a job that has ended, on stdout or into a file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cli.options import add_format, add_server, client
from cli.problems import FileRefused
from cli.words import pick


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("id", metavar="ID")
    parser.add_argument("--wait", action="store_true", help=pick("until the job has ended", "等待任务结束"))
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help=pick("instead of stdout", "写入文件"))
    add_format(parser)
    add_server(parser)


def run(options: argparse.Namespace) -> int:
    """Print or write it."""
    service = client(options)
    if options.wait:
        service.wait(options.id)
    content = service.result(options.id, options.format, options.form)
    if options.output:
        try:
            options.output.write_bytes(content)
        except OSError as error:
            raise FileRefused(path=options.output, reason=error.strerror) from error
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        if sys.stdout.isatty() and not content.endswith(b"\n"):
            sys.stdout.buffer.write(b"\n")
        sys.stdout.buffer.flush()
    return 0
