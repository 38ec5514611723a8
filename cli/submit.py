"""`ocrfleet submit FILE...`: hand documents in; the ids of their jobs, one a line, in the order of the files."""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor

from cli.client import OcrFleet, Refused
from cli.options import add_reading, add_server, client, reading
from cli.words import pick

AT_ONCE = 4


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help=pick("a picture or PDF; - is stdin", "图片或 PDF；- 为标准输入")
    )
    add_reading(parser)
    add_server(parser)


def run(options: argparse.Namespace) -> int:
    """Submit; 1 where a document was refused."""
    wanted = reading(options)

    def one(file: str) -> str | Refused:
        service: OcrFleet = client(options)
        try:
            if file == "-":
                return str(service.submit(sys.stdin.buffer.read(), name="stdin", **wanted)["id"])
            return str(service.submit(file, **wanted)["id"])
        except Refused as error:
            return error

    code = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for file, outcome in zip(options.files, pool.map(one, options.files), strict=True):
            if isinstance(outcome, Refused):
                print(f"{file}: {pick(outcome.detail, outcome.detail_zh)}", file=sys.stderr)
                code = 1
            else:
                print(outcome, flush=True)
    return code
