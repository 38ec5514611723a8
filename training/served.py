"""Reads lines with the very recogniser that serves them, so that a version is judged by what it will do."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable, Sequence

from training.evaluate import Array, Labelled, Tally, folded
from worker.reading import gate as gates
from worker.reading import models
from worker.reading.engines.ctc_recogniser import CtcRecogniser
from worker.reading.models import Facts


@dataclasses.dataclass
class Score(Tally):
    """`silent` counts lines that were read wrong without the cascade's gate doubting them: nobody reads those again."""

    silent: int = 0

    def figures(self, before: Score) -> dict[str, float]:
        """As a version's facts keep them."""
        return {
            "lines": self.lines,
            "exact_before": round(before.exact, 4),
            "exact_after": round(self.exact, 4),
            "cer_before": round(before.cer, 4),
            "cer_after": round(self.cer, 4),
        }


@dataclasses.dataclass(frozen=True)
class Base:
    """The weights that a copy is made of: facts and folder of the version in use, or of what is shipped."""

    facts: Facts
    folder: pathlib.Path

    def _file(self, name: str) -> pathlib.Path:
        return models.place(self.folder, self.facts.weight(name)).absolute()

    @property
    def model(self) -> pathlib.Path:
        """The ONNX file."""
        return self._file(self.facts.recogniser["weight"])

    @property
    def characters(self) -> pathlib.Path:
        """The file of its characters, one a line. Raises KeyError for weights that carry them inside."""
        kind, name = self.facts.recogniser["vocabulary"].split(":")
        if kind != "file":
            raise KeyError(kind)
        return self._file(name)

    @property
    def name(self) -> str:
        """What the weights are called."""
        return self.facts.weight(self.facts.recogniser["weight"]).version

    @property
    def calibrated_as(self) -> str:
        """The version whose habits of confidence they have."""
        return str(self.facts.recogniser.get("calibrated_as", self.name))

    def engine(self, model: pathlib.Path | None = None) -> CtcRecogniser:
        """The recogniser with these weights, or with another file of the same kind."""
        rows = []
        for weight in self.facts.weights:
            own = weight.name == self.facts.recogniser["weight"] and model is not None
            file = model.absolute() if own and model is not None else self._file(weight.name)
            rows.append(dataclasses.replace(weight, file=str(file), packaged=None))
        return CtcRecogniser(dataclasses.replace(self.facts, weights=tuple(rows)), self.folder)


class Served:
    """A recogniser and the gate that decides which of its lines are read again."""

    def __init__(self, engine: CtcRecogniser) -> None:
        self._engine = engine
        self._gate = gates.load_gate()

    def look(self, picture: Array) -> tuple[str, bool]:
        """What a line says, and whether the gate doubts it."""
        trace = self._engine.trace(picture)
        doubt = self._gate.doubt(gates.features(trace, picture.shape[0]))
        return trace.reading.text, not trace.reading.text or doubt > self._gate.threshold

    def score(self, lines: Sequence[Labelled], told: Callable[[], None] = lambda: None) -> Score:
        """Reads every line; `told` is called after each."""
        out = Score()
        for line in lines:
            text, doubted = self.look(line.pixels())
            want, got = folded(line.text, line.rule), folded(text, line.rule)
            out.add(want, got)
            out.silent += want != got and not doubted
            told()
        return out
