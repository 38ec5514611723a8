"""Figures on labelled lines, real or rendered: exact, CER and lost, by source, several readers side by side.

Text is compared after NFKC, folded quotes and dashes and without white space; a label's rule may fold case (`nocase`) or keep
letters and digits only (`nopunct`). Lost: a reading under half as long as its label.
"""

from __future__ import annotations

import collections
import dataclasses
import pathlib
import re
import time
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

import cv2
import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
FOLD = str.maketrans(
    {
        **dict.fromkeys("‘’‛′`´", "'"),
        **dict.fromkeys("“”„″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−－", "-"),
        **dict.fromkeys("•∙・", "·"),
    }
)


@dataclasses.dataclass(frozen=True)
class Labelled:
    """A line picture (a path, or pixels), what it says, where it comes from, and its rule of comparing."""

    picture: pathlib.Path | Array
    text: str
    source: str
    rule: str = "plain"

    def pixels(self) -> Array:
        """BGR uint8; raises FileNotFoundError where the file is gone or no picture."""
        if isinstance(self.picture, pathlib.Path):
            seen = cv2.imread(str(self.picture), cv2.IMREAD_COLOR)
            if seen is None:
                raise FileNotFoundError(self.picture)
            return np.asarray(seen)
        return self.picture


@dataclasses.dataclass
class Tally:
    """Sums over lines; the three figures are shares of them (CER: of the labels' characters)."""

    lines: int = 0
    right: int = 0
    edits: int = 0
    characters: int = 0
    lost: int = 0

    def add(self, want: str, got: str) -> None:
        from rapidfuzz.distance import Levenshtein

        self.lines += 1
        self.right += want == got
        self.edits += Levenshtein.distance(want, got)
        self.characters += len(want)
        self.lost += len(got) < len(want) / 2

    @property
    def exact(self) -> float:
        return self.right / max(1, self.lines)

    @property
    def cer(self) -> float:
        return self.edits / max(1, self.characters)


def folded(text: str, rule: str = "plain") -> str:
    """`text` in the form in which it is compared."""
    text = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text).translate(FOLD))
    if "nocase" in rule:
        text = text.upper()
    if "nopunct" in rule:
        text = re.sub(r"[^\w]|_", "", text).upper()
    return text.replace("·", "") if "plate" in rule else text


def labelled_lines(table: pathlib.Path) -> list[Labelled]:
    """Rows `path<TAB>text[<TAB>language<TAB>kind<TAB>rule]`, paths beside the table; a source is the first folder's name."""
    found = []
    for row in table.read_text(encoding="utf-8").splitlines():
        path, text, *rest = row.split("\t")
        rule = rest[2] if len(rest) > 2 else "plain"
        found.append(
            Labelled(table.parent / path, text, path.split("/")[0], rule + (" plate" if "plate" in path else ""))
        )
    return found


def rendered_lines(
    vocabulary: pathlib.Path, count: int, seed: int, held_out: bool = True, kinds: tuple[str, ...] = ()
) -> list[Labelled]:
    """Lines in faces that training never sees; their source is the kind of text."""
    from training.alphabet import Alphabet
    from training.render import Renderer

    renderer = Renderer(Alphabet.load(vocabulary).characters, held_out, kinds=kinds)
    drawn = (renderer.sample(seed * 7_000_000_001 + i) for i in range(count))
    return [Labelled(s.picture, s.text, s.kind, "plate" if s.kind == "plate" else "plain") for s in drawn]


def judge(
    lines: Iterable[Labelled], read: Callable[[Array], str]
) -> tuple[dict[str, Tally], list[tuple[Labelled, str]], float]:
    """Tallies by source and for `all`, what was misread, and the mean milliseconds a line."""
    tallies: dict[str, Tally] = collections.defaultdict(Tally)
    wrong: list[tuple[Labelled, str]] = []
    spent = 0.0
    for line in lines:
        pixels = line.pixels()
        began = time.perf_counter()
        text = read(pixels)
        spent += time.perf_counter() - began
        want, got = folded(line.text, line.rule), folded(text, line.rule)
        tallies[line.source].add(want, got)
        tallies["all"].add(want, got)
        if want != got:
            wrong.append((line, text))
    return dict(tallies), wrong, 1000 * spent / max(1, tallies["all"].lines)


def table(columns: dict[str, dict[str, Tally]]) -> str:
    """Readers side by side as Markdown: a row a source, `exact / CER / lost` a cell."""
    sources = sorted({source for tallies in columns.values() for source in tallies}, key=lambda s: (s == "all", s))
    rows = ["| source | lines | " + " | ".join(columns) + " |", "|---" * (len(columns) + 2) + "|"]
    for source in sources:
        first = next(iter(columns.values()))[source]
        cells = [f"{t[source].exact:.4f} / {t[source].cer:.4f} / {t[source].lost}" for t in columns.values()]
        rows.append(f"| {source} | {first.lines} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def misread_sheet(wrong: list[tuple[Labelled, str]], path: pathlib.Path, columns: int = 3, most: int = 90) -> list[str]:
    """A picture of misread lines, and a caption for each (`number: label -> reading`) to look them up by."""
    cells, captions = [], []
    for number, (line, text) in enumerate(wrong[:most]):
        pixels = line.pixels()
        width = min(430, max(4, round(pixels.shape[1] * 34 / pixels.shape[0])))
        cell = np.full((40, 470, 3), (255, 215, 215), np.uint8)
        cell[3:37, 36 : 36 + width] = cv2.resize(pixels, (width, 34), interpolation=cv2.INTER_AREA)
        cv2.putText(cell, str(number), (2, 26), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 200), 1)
        cells.append(cell)
        captions.append(f"{number} [{line.source}] {line.text} -> {text}")
    while len(cells) % columns:
        cells.append(np.full((40, 470, 3), 255, np.uint8))
    rows = [np.hstack(cells[i : i + columns]) for i in range(0, len(cells), columns)]
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.vstack(rows))
    return captions
