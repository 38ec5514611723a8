"""`python -m bench COMMAND`: one measurement a command; `python -m bench COMMAND --help` explains each."""

from __future__ import annotations

import importlib
import sys

COMMANDS = {
    "reading": "lines and pages of a labelled folder: exact, CER, F1, seconds, memory; with --peers beside other readers",
    "pdfs": "whole PDF documents: error rate of their text and seconds a page, by their text layer and by their pictures",
    "geometry": "turned and tilted copies of the pages: how much recall they lose against the upright ones",
    "degrade": "blurred, dim, noisy, faxed, tiny copies: what preprocessing wins there, and what it costs on clean ones",
    "words": "lines and pages read with and without the words around doubtful characters: exact, CER, F1, milliseconds",
    "fields": "drawn fields of documents, sums, codes, signs, other languages: the share of each kind that is read exactly",
    "tables": "cells of tables on drawn pages and on turned, photographed and scanned copies; with --peers beside img2table",
    "forms": "fields of fixed forms out of what was read, against the same rules on the hand-made transcription",
    "arithmetic": "one line through a recogniser in float32, in bfloat16 and as served: milliseconds",
    "overhead": "one-line pictures through HTTP: what gateway, queue and store add to the reading, and a cached answer",
    "finetune": "teach a copy of the CRNN 1,000 lines in a hard font; 200 others and the golden lines before and after",
    "load": "open-loop load at 50, 90 and 150 % of capacity with a worker killed in each phase: answered, latency, speed",
}


def main() -> int:
    """Run one command; returns the exit status."""
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        print("usage: python -m bench COMMAND [options]\n")
        for name, about in COMMANDS.items():
            print(f"  {name:10} {about}")
        return 0 if sys.argv[1:] in ([], ["--help"], ["-h"]) else 2
    command = importlib.import_module(f"bench.{sys.argv[1]}")
    return int(command.main(sys.argv[2:]))


if __name__ == "__main__":
    sys.exit(main())
