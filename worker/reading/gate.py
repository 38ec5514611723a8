"""The gate of the cascade: from what the CRNN read, how likely is it that the line must be read again?

A logistic regression over few features that a person can understand, fitted by `fit_gates.py` on labelled lines. Mean
confidence alone is not enough: a CRNN may drop a whole prefix and be sure of the rest, so ink that no character covers
counts too.
"""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from worker.reading import ink, stretches
from worker.reading.engines.ctc_recogniser import Trace
from worker.reading.recogniser import Crop, Reading
from worker.reading.stretches import Stretch

GATE_FILE = Path(__file__).parent / "engines" / "auto" / "gate.toml"
FEATURES = (
    "worst_character",  # log of the doubt (1 - confidence) about the character it is least sure of
    "mean_character",  # log of the mean doubt
    "runner_up",  # the highest probability of any second-best character
    "bare_stretch",  # longest stretch of ink without a character, in line heights
    "bare_share",  # share of all ink without a character
    "bare_start",  # ink before the first character, in line heights
    "bare_end",  # ink after the last character, in line heights
    "characters",  # log of their number
    "character_width",  # ink columns a character, in line heights: too many characters, or too few
    "enlargement",  # log of how much the crop was shrunk to the model's height; below 0 it was enlarged
)
DOUBT_FLOOR = 1e-3  # doubt below this says nothing more
REACH_HEIGHTS = 0.5  # ink this near to a peak belongs to its character
BARE_MAX_HEIGHTS = 3.0
PARTLY = 0.7  # of the threshold: doubt from which a long line's doubtful parts are read again, if not all of it
# Ink so far before the first character is a sign that the CRNN passed over (√): none of 652 lines of pages has it, and 4 drawn ones.
START_HEIGHTS = 0.5
PASSED_OVER = 1.0  # the doubt about such a line
GAP_HEIGHTS = 1.0  # ink so wide without a character is no matter of single ones: no parts are read again


@dataclass(frozen=True, slots=True)
class Gate:
    """Fitted weights. A line whose `doubt` is over `threshold` is read by the stronger engine too. One without Chinese characters
    stands up to a doubt of `settled` where no character of it was hardly read once words had their say.

    Of two readings the CRNN's stands only where its confidence beats the other's by `margin`. Where more than
    `give_up_share` of a page's first `probe_lines` lines, by their width, were passed on, the CRNN is not asked about the others.
    """

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float
    threshold: float
    margin: float
    probe_lines: int
    give_up_share: float
    fitted_for: str
    settled: float = 0.0

    def fingerprint(self) -> str:
        """Changes whenever a decision may: part of the cascade's version, and so of cache keys."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:8]

    def judge(self, trace: Trace, crop: Crop) -> tuple[float, list[Stretch]]:
        """How doubtful a reading of `crop` is, and the parts of it that must be read again, if parts are enough.
        Ink before the first character is doubt enough by itself."""
        seen = features(trace, crop.shape[0])
        if seen[FEATURES.index("bare_start")] >= START_HEIGHTS:
            return PASSED_OVER, []
        doubt = self.doubt(seen)
        nearly = PARTLY * self.threshold < doubt <= self.threshold
        return doubt, parts(seen, trace.reading, crop) if nearly else []

    def doubt(self, features: Sequence[float]) -> float:
        """The probability, 0 to 1, that the reading is wrong."""
        terms = zip(features, self.mean, self.scale, self.weights, strict=True)
        x = self.bias + sum((value - mean) / scale * weight for value, mean, scale, weight in terms)
        return 1 / (1 + math.exp(-max(-60.0, min(60.0, x))))


def load_gate(path: Path = GATE_FILE) -> Gate:
    """Read the fitted gate."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    rows = [table["feature"][name] for name in FEATURES]
    return Gate(
        mean=tuple(row["mean"] for row in rows),
        scale=tuple(row["scale"] for row in rows),
        weights=tuple(row["weight"] for row in rows),
        bias=table["bias"],
        threshold=table["threshold"],
        margin=table["margin"],
        probe_lines=table["probe_lines"],
        give_up_share=table["give_up_share"],
        fitted_for=table["fitted_for"],
        settled=table["settled"],
    )


def features(trace: Trace, crop_height: int) -> tuple[float, ...]:
    """The values of FEATURES for one reading of a crop `crop_height` pixels high."""
    height, share = trace.height, trace.ink
    doubts = [1 - peak.confidence for peak in trace.peaks] or [1.0]
    seconds = [peak.alternatives[0][1] for peak in trace.peaks if peak.alternatives] or [0.0]
    bare_share, stretch = ink.uncovered(share, trace.spans, REACH_HEIGHTS * height)
    start, end = _bare_ends(share, trace.spans)
    count = max(1, len(trace.peaks))
    return (
        math.log(max(doubts) + DOUBT_FLOOR),
        math.log(sum(doubts) / len(doubts) + DOUBT_FLOOR),
        max(seconds),
        min(stretch / height, BARE_MAX_HEIGHTS),
        bare_share,
        max(-1.0, min(start / height, BARE_MAX_HEIGHTS)),
        max(-1.0, min(end / height, BARE_MAX_HEIGHTS)),
        math.log(count),
        float(np.count_nonzero(share)) / height / count,
        math.log(max(1, crop_height) / height),
    )


def parts(seen: Sequence[float], reading: Reading, crop: Crop) -> list[Stretch]:
    """The parts of a doubtful line that are worth reading again by themselves; none where it must be all of it."""
    gaps = (seen[FEATURES.index(name)] for name in ("bare_stretch", "bare_start"))
    return [] if max(gaps) >= GAP_HEIGHTS else stretches.find(reading, crop.shape[1], crop.shape[0])


def _bare_ends(share: NDArray[np.float32], spans: NDArray[np.float32]) -> tuple[float, float]:
    inked = np.flatnonzero(share)
    if not len(inked):
        return 0.0, 0.0
    if not len(spans):
        return float(len(share)), float(len(share))
    return float(spans[0, 0] - inked[0]), float(inked[-1] - spans[-1, 1])
