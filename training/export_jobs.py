"""A job whose text a person has corrected, as lines to learn from: pictures cut from the document, and their table.

The result is the JSON that the page and `ocrfleet result -f json` hand out, corrected in place: what `text` says of a
line is what it is taught to be; a line whose text was emptied is left out.
"""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np

from shared.errors import DocumentError
from training.evaluate import Array
from training.table import Untaught
from worker.documents import open_document
from worker.reading.crop import cut

MAX_PIXELS = 400_000_000  # the document was read already: this only keeps a damaged one from filling the memory
DPI = 200  # of a PDF's pages; boxes are brought to it from the size that the result says its pages had


def export(result: pathlib.Path, document: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """Write the lines of a corrected result to `folder`; returns the table, `LINES.tsv`.

    Raises Untaught where the two files do not belong together or cannot be read.
    """
    try:
        pages = json.loads(result.read_text(encoding="utf-8"))["pages"]
        source = open_document(document.read_bytes(), "", max_pixels=MAX_PIXELS, dpi=DPI)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Untaught(reason=f"{result} is no result of a job in JSON, or {document} is gone: {error}.") from error
    except DocumentError as error:
        raise Untaught(reason=f"{document}: {error.detail}") from error
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    try:
        for page in pages:
            if not 1 <= int(page.get("page", 1)) <= source.pages:
                raise Untaught(
                    reason=f"{result} has a page {page.get('page')}, and {document} has not: is it the same document?"
                )
            pictured = source.page(int(page.get("page", 1)))
            scale = (pictured.image.shape[1] / max(1, page["width"]), pictured.image.shape[0] / max(1, page["height"]))
            if abs(scale[0] / scale[1] - 1) > 0.02:
                raise Untaught(reason=f"Page {page['page']} of {document} has other proportions than in {result}.")
            for number, (text, picture) in enumerate(lines(page, pictured.image, scale), start=1):
                name = f"{document.stem}-{page['page']}-{number}.png"
                cv2.imwrite(str(folder / name), picture)
                rows.append(f"{name}\t{text}\n")
    except (KeyError, TypeError, ValueError) as error:
        raise Untaught(reason=f"{result} is not the result of a job: {error!r}.") from error
    finally:
        source.close()
    table = folder / "LINES.tsv"
    table.write_text("".join(rows), encoding="utf-8")
    return table


def lines(page: dict[str, Any], image: Array, scale: tuple[float, float]) -> Iterator[tuple[str, Array]]:
    """Text and picture of every line that has text; columns are left out, for they are read in another way."""
    for line in page["lines"]:
        text = " ".join(str(line["text"]).split())
        if not text or line.get("vertical"):
            continue
        quad = np.array(line["box"], np.float32) * np.array(scale, np.float32)
        yield text, cut(image, quad).image
