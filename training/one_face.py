"""Rendered lines in one face alone: for showing what fine-tuning does for a font that training never saw."""

from __future__ import annotations

import random

import numpy as np

from training import draw, texts
from training.fonts import ROOT, Face, coverage
from training.render import STAND_INS, Renderer, Sample

LOOKS = ("paper", "scan", "screen")
SIZES_PX = (24, 30, 38)


class OneFace(Renderer):
    """Draws everything in one face, and only what the face can draw. `font` is a path below /usr/share/fonts."""

    def __init__(self, characters: list[str], font: str, max_width: int = 640) -> None:
        self.face = Face(str(ROOT / font), "one", 0, True)
        known = coverage(self.face) | {" "}
        super().__init__([character for character in characters if character in known], max_width=max_width)

    def sample(self, seed: int) -> Sample:
        """One labelled picture."""
        rng, noise = random.Random(seed), np.random.default_rng(seed)
        while True:
            text = texts.draw(rng, self.pool, self.kinds)
            words = "".join(c for c in text.text.translate(STAND_INS) if c in self.known).strip()
            if not words or text.look == "plate" or len(words) < 0.8 * len(text.text):
                continue
            look = rng.choice(LOOKS)
            style = draw.Style(self.face, self.face, rng.choice(SIZES_PX), jitter=rng.uniform(0, 0.02))
            picture = self._picture(rng, noise, words, look, style)
            if picture is not None and 4 * len(words) <= picture.shape[1] <= self.max_width:
                return Sample(picture, words, text.kind, look)
