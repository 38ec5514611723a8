"""`python -m bench forms`: a form's fields out of what was read, against the same form on the hand-made transcription.

It shows what reading costs a form, not whether the rules are right: where both say the same they may both be wrong.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2

from api.forms import fill, load_all
from bench.pictures import decode
from bench.readers import MODELS
from bench.scoring import table
from shared.records import ReadOptions
from worker.reading.page import Reader


def main(arguments: Sequence[str]) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench forms", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with pages.jsonl, whose lines have boxes")
    parser.add_argument("--source", default="sroie", help="first part of the pictures' names")
    parser.add_argument("--form", default="receipt")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--models", type=Path, default=MODELS)
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    forms = load_all()
    reader = Reader(options.models, options.engine)
    same: Counter[str] = Counter()
    either: Counter[str] = Counter()
    for row in (options.data / "pages.jsonl").read_text(encoding="utf-8").splitlines():
        label = json.loads(row)
        if not label["image"].startswith(options.source):
            continue
        image = decode(options.data / label["image"])
        page = reader.read(image, ReadOptions(engine=options.engine)).to_json(1)
        hand = [{**line, "confidence": 1.0, "chars": []} for line in label["lines"]]
        said = {**page, "lines": hand}
        ours, theirs = (_values(fill(forms, options.form, [one])) for one in (page, said))
        for key in ours.keys() | theirs.keys():
            either[key] += 1
            same[key] += ours.get(key) == theirs.get(key)
            if ours.get(key) != theirs.get(key):
                print(f"{label['image']} {key}: read {ours.get(key)}, transcribed {theirs.get(key)}")
    rows = [[key, same[key], either[key]] for key in forms[options.form].fields if either[key]]
    print("\n" + table(["field", "the same", "found in either"], rows))
    return 0


def _values(answer: dict[str, Any]) -> dict[str, str]:
    return {key: field["value"] for key, field in answer["fields"].items()}
