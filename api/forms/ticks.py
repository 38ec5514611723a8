"""What is ticked on a form: whether the box of a label is.

A line's boxes stand all before their labels or all behind them. Mostly the line says which it is: it begins with a box, or one
follows the colon of its title, or it ends with one. Where it does not, a label's box is the nearer one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

TICKED = frozenset("☑☒■√✓✔●◉")
EMPTY = frozenset("☐□○〇")
BOXES = TICKED | EMPTY
BETWEEN = " :：)）"  # what may stand between a label and its box


def state(
    text: str, start: int, end: int, sides: Sequence[str] = (), chars: Sequence[dict[str, Any]] = ()
) -> bool | None:
    """Whether the box of the label that stands from `start` to `end` of a line is ticked; None where it has none.

    `sides` says where its box is, `before` or `after`; where it says neither, the line does. `chars` are those of the line as
    results have them, one for each character of `text`, or none.
    """
    before, after = len(text[:start].rstrip(BETWEEN)) - 1, len(text) - len(text[end:].lstrip(BETWEEN))
    places = {"before": before, "after": after}
    boxes = {side: at for side, at in places.items() if 0 <= at < len(text) and text[at] in BOXES}
    asked = [side for side in (sides or _told(text)) if side in boxes]
    if not asked and not sides:
        asked = sorted(boxes, key=lambda side: _gap(chars, boxes[side], start, end))
    return text[boxes[asked[0]]] in TICKED if asked else None


def _told(text: str) -> tuple[str, ...]:
    """On which side of their labels a line's boxes are, if it tells."""
    plain = text.strip()
    title = plain[: next((at for at, char in enumerate(plain) if char in BOXES), 0)].rstrip()
    if plain[:1] in BOXES or title.endswith((":", "：")):
        return ("before",)
    return ("after",) if plain[-1:] in BOXES else ()


def _gap(chars: Sequence[dict[str, Any]], box: int, start: int, end: int) -> float:
    """Pixels between a box and the label's nearest character; 0 where the result has no places of characters."""
    pair = (box, start) if box < start else (end - 1, box)
    if len(chars) <= max(pair):
        return 0.0
    left, right = (chars[at].get("box") for at in pair)
    return float(right[0][0] - left[1][0]) if left and right else 0.0
