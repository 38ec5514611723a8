"""A user's own lines: the table of pictures with their text, checked row by row, and shared out for learning and judging."""

from __future__ import annotations

import collections
import dataclasses
import pathlib
import random
import unicodedata

import cv2
import numpy as np

from shared.errors import OcrFleetError
from training.alphabet import Alphabet
from training.evaluate import Array, Labelled
from training.render import STAND_INS

KEPT_HEIGHT_PX = 64  # of a line kept in memory; the recogniser looks at 32
LONGEST = 20.0  # times its height: longer lines are read in windows, and cannot be learnt from as one
MOST_LINES = 20_000  # of a table; more would not be seen twice in the time that a fine-tuning takes
LEAST_LINES = 20
ROW_PROBLEMS = ("no text", "unknown characters", "no picture", "too long")


class Untaught(OcrFleetError):
    """Raised when a fine-tuning cannot be begun; `reason` says what to do about it."""

    slug, status, title = "finetune", 422, "Cannot fine-tune"
    english = "{reason}"
    chinese = "无法微调：{reason}"
    exit_code = 2


@dataclasses.dataclass(frozen=True)
class Table:
    """The usable lines, their pictures in memory; `skipped` counts rows by why they are left out, `unknown` the characters
    that the recogniser does not have, commonest first."""

    lines: list[Labelled]
    skipped: dict[str, int]
    unknown: str = ""


def read_table(path: pathlib.Path, alphabet: Alphabet) -> Table:
    """Rows `picture<TAB>text`, the picture's path beside the table; more columns are left alone.

    Raises Untaught where the table cannot be read or hardly a row of it is usable.
    """
    try:
        rows = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Untaught(reason=f"{path} cannot be read as a table in UTF-8: {error}.") from error
    found: list[Labelled] = []
    skipped: collections.Counter[str] = collections.Counter()
    unknown: collections.Counter[str] = collections.Counter()
    for number, row in enumerate((row.rstrip("\r") for row in rows), start=1):
        if not row.strip():
            continue
        name, tab, rest = row.partition("\t")
        if not tab:
            raise Untaught(reason=f"{path}, row {number}: a picture's path, a tab and its text are needed.")
        text = spelled(rest.split("\t")[0])
        strange = [character for character in text if character not in alphabet.classes]
        if not text or strange:
            skipped["no text" if not text else "unknown characters"] += 1
            unknown.update(strange)
            continue
        picture = load(path.parent / name)
        if picture is None or picture.shape[1] > LONGEST * picture.shape[0]:
            skipped["no picture" if picture is None else "too long"] += 1
            continue
        found.append(Labelled(picture, text, "own"))
        if len(found) == MOST_LINES:
            break
    if len(found) < LEAST_LINES:
        why = ", ".join(f"{count} x {reason}" for reason, count in skipped.most_common())
        raise Untaught(
            reason=f"{path} holds {len(found)} usable lines, and {LEAST_LINES} are needed"
            + (f" ({why})." if why else ".")
        )
    return Table(found, dict(skipped), "".join(character for character, _ in unknown.most_common(40)))


def spelled(text: str) -> str:
    """A label as the recogniser could have written it: composed characters, one kind of space, stand-ins for look-alikes."""
    return " ".join(unicodedata.normalize("NFC", text).translate(STAND_INS).split())


def load(path: pathlib.Path) -> Array | None:
    """A line's picture, BGR, no higher than it is worth; None where the file is gone or no picture."""
    try:
        picture = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    except (OSError, cv2.error):
        return None
    if picture is None or min(picture.shape[:2]) < 4:
        return None
    if picture.shape[0] > 1.5 * KEPT_HEIGHT_PX:
        width = max(4, round(picture.shape[1] * KEPT_HEIGHT_PX / picture.shape[0]))
        picture = cv2.resize(picture, (width, KEPT_HEIGHT_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(picture)


def split(lines: list[Labelled], share: float, seed: int) -> tuple[list[Labelled], list[Labelled]]:
    """To go on with, and to set aside: at least one each. Lines of equal text stay on one side, or those set aside would
    be known by heart. Raises Untaught where every line says the same."""
    texts = sorted({line.text for line in lines})
    random.Random(seed).shuffle(texts)
    aside = set(texts[: max(1, round(share * len(texts)))])
    rest = [line for line in lines if line.text not in aside]
    if not rest:
        raise Untaught(reason="At least two lines of different text are needed.")
    return rest, [line for line in lines if line.text in aside]
