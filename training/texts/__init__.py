"""What the rendered lines say, a module for each kind of text: words and prose, figures, names, receipts, forms, signs, plates.

`draw` picks a kind by MIX. Every choice is drawn from the generator that the caller hands in, so one seed gives one text.
"""

from __future__ import annotations

import dataclasses
import random
import re

from training.texts.chinese import chinese, confusable, rare, scattered, subtitle
from training.texts.english import english, paper
from training.texts.figures import amount, code, date, phone, time
from training.texts.lists import traditional
from training.texts.names import compound, name, web
from training.texts.signs import plate, sign, street
from training.texts.slips import form, receipt

LOOKS = ("paper", "scan", "receipt", "screen", "scene", "plate", "subtitle")


@dataclasses.dataclass(frozen=True)
class Text:
    """A line to draw and the look it is usually met in (one of LOOKS)."""

    text: str
    look: str
    kind: str


MIX: tuple[tuple[str, float, str], ...] = (
    ("zh", 15, "paper"), ("zh-mixed", 13, "paper"), ("zh-long", 3, "paper"), ("rare", 6, "paper"), ("en", 11, "paper"), ("paper", 10, "paper"),
    ("receipt", 15, "receipt"), ("form", 11, "scan"), ("street", 14, "scene"), ("sign", 8, "scene"), ("plate", 10, "plate"), ("subtitle", 5, "subtitle"),
    ("alike", 7, "paper"), ("compound", 1.5, "paper"), ("web", 3, "screen"), ("figures", 5, "scan"), ("screen", 4, "screen"), ("zh-tw", 7, "paper"),
)  # fmt: skip
# Running text in which rare characters are as likely as common ones: the share of such lines, of these kinds.
SCATTERED = 0.35
RUNNING = ("zh", "zh-mixed", "zh-long", "zh-tw")
_WEIGHTS = [weight for _, weight, _ in MIX]


def draw(rng: random.Random, pool: str, kinds: tuple[str, ...] = ()) -> Text:
    """One line of text; `pool` is the vocabulary's Chinese characters, for the lone ones. `kinds` narrows the mix."""
    kind, _, look = rng.choices(MIX, weights=[w if not kinds or k in kinds else 0.0 for k, w, _ in MIX])[0]
    text = {
        "zh": lambda: chinese(rng, 2, 26, 0.04), "zh-mixed": lambda: chinese(rng, 6, 34, 0.3), "zh-long": lambda: chinese(rng, 30, 44, 0.12),
        "rare": lambda: rare(rng, pool), "en": lambda: english(rng, 6, 75), "paper": lambda: paper(rng), "receipt": lambda: receipt(rng),
        "form": lambda: form(rng), "street": lambda: street(rng), "sign": lambda: sign(rng), "plate": lambda: plate(rng), "alike": lambda: confusable(rng), "compound": lambda: compound(rng),
        "subtitle": lambda: subtitle(rng), "web": lambda: web(rng), "screen": lambda: rng.choice((chinese(rng, 2, 20, 0.25), english(rng, 5, 45), code(rng), f"{name(rng)} {phone(rng)}")),
        "figures": lambda: rng.choice((amount, date, time, phone, code))(rng), "zh-tw": lambda: traditional()(chinese(rng, 2, 22, 0.08)),
    }[kind]()  # fmt: skip
    if kind in RUNNING and pool and rng.random() < SCATTERED:
        text = scattered(rng, text, pool, rng.uniform(0.1, 0.6))
    if look == "paper" and rng.random() < 0.25:
        look = rng.choice(("scan", "screen", "scan", "scene"))
    elif rng.random() < 0.08:
        look = rng.choice(("paper", "scan", "screen")) if kind != "plate" else look
    return Text(re.sub(r"\s+", " ", text).strip(), look, kind)
