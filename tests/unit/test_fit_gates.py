"""The fit of the cascade's gate."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from worker.reading import fit_gates
from worker.reading.gate import FEATURES, load_gate


def samples(count: int, seed: int) -> list[fit_gates.Sample]:
    """Lines whose doubt shows in the first feature: the CRNN is wrong where it is high, the strong engine on one in ten."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(count):
        doubt = float(rng.random())
        wrong = rng.random() < doubt
        noise = tuple(rng.normal(size=len(FEATURES) - 1).tolist())
        rows.append(
            fit_gates.Sample(
                fits=i % 2 == 0,
                characters=10,
                features=(doubt, *noise),
                edits=(3 * int(wrong), int(rng.random() < 0.1)),
                confidence=(1 - doubt, 0.9),
                empty=False,
                ms=(5.0, 20.0),
            )
        )
    return rows


def test_the_fit_finds_the_telling_feature_and_a_threshold_that_pays(tmp_path: Path) -> None:
    rows = samples(1200, 1)
    fit = fit_gates.Table([row for row in rows if row.fits])
    held = fit_gates.Table([row for row in rows if not row.fits])
    found = fit_gates.fit_gate(fit, "toy")
    assert found.weights[0] == max(found.weights, key=abs) > 0.5
    doubt = fit_gates._doubt(found, held)
    point = held.point(doubt, found.threshold, found.margin)
    alone = float((held.edits[:, 0] == 0).mean())
    assert point.exact > alone + 0.2
    assert 0 < point.share < 1

    fit_gates.write_gate(found, tmp_path / "gate.toml")
    again = load_gate(tmp_path / "gate.toml")
    assert again.weights == pytest.approx(found.weights, abs=1e-4)
    assert again.fitted_for == "toy"
    assert "strong engine alone" in fit_gates.report(found, fit, held, fit, ("toy", "strong"), None)


def test_the_fit_counts_what_second_looks_mend_and_cost() -> None:
    """Of three lines that no doubt passes on the second has a fault, and the third one hardly read word of a long line."""
    common = {
        "fits": True,
        "characters": 10,
        "features": (0.0,) * len(FEATURES),
        "confidence": (0.9, 0.95),
        "empty": False,
    }
    plain = fit_gates.Sample(edits=(0, 0), ms=(5.0, 20.0), **common)
    faulty = dataclasses.replace(plain, edits=(2, 0), odd=True, faulty=True)
    parts = dataclasses.replace(plain, edits=(2, 0), odd=True, part=(1, 6.0))
    table, doubt = fit_gates.Table([plain, faulty, parts]), np.zeros(3)
    alone = table.point(doubt, 0.5, 0.0, second_looks=False)
    assert (alone.share, alone.exact, alone.ms) == (0, pytest.approx(1 / 3), 5.0)
    found = table.point(doubt, 0.5, 0.0)
    assert (found.share, found.exact) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert found.ms == pytest.approx((5 + 25 + 11) / 3)
    assert found.cer == pytest.approx(1 / 30)
    surer = fit_gates.Table([dataclasses.replace(faulty, confidence=(0.99, 0.8))])
    assert surer.point(np.zeros(1), 0.5, 0.0).exact == 1.0, "how sure the CRNN is of a faulty line says nothing"
