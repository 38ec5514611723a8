"""A form and a result together: which field says what, where it stands, and how surely it was read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.forms import ticks, values
from api.forms.place import Placed, ends_of, placed, places_of
from api.forms.rules import TICKS, FieldRule, Form
from shared import notices

AUTO_LEAST = 2  # fields that `auto` must find before a form is said to fit


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value that a field may have: characters `start` to `end` of a line."""

    line: Placed
    start: int
    end: int
    value: str

    def to_json(self) -> dict[str, Any]:
        """As it is handed on; the box is that of the characters where the result has them, else the line's."""
        text = self.line.text[self.start : self.end]
        chars = self.line.line.get("chars") or []
        # The characters' texts make the line's; where they do not, the line stands for them.
        own = chars[self.start : self.end] if "".join(char["text"] for char in chars) == self.line.text else []
        boxes = [char["box"] for char in own if char.get("box")]
        seen = [char for char in own if char["text"].strip()]
        sure = sum(char["confidence"] for char in seen) / len(seen) if seen else self.line.line.get("confidence", 0.0)
        return {
            "text": text,
            "value": self.value,
            "confidence": round(sure, 4),
            "page": self.line.page,
            "box": [boxes[0][0], boxes[-1][1], boxes[-1][2], boxes[0][3]] if boxes else self.line.line["box"],
        }


def fill(forms: Mapping[str, Form], name: str, pages: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The fields of a document by the form of that name, or with `auto` by the form that finds the largest share of its own.

    `pages` are those of a result; one is held at a time. Raises KeyError for a name that is not among `forms`.
    """
    asked = list(forms.values()) if name == "auto" else [forms[name]]
    ranked: dict[tuple[str, str], list[tuple[int, Candidate]]] = {}
    for page in pages:
        lines = placed(page)
        size = (page.get("width") or 1, page.get("height") or 1)
        for form in asked:
            for key, rule in form.fields.items():
                ranked.setdefault((form.name, key), []).extend(_candidates(rule, form.day_first, lines, size))
    found: dict[str, dict[str, Candidate]] = {form.name: {} for form in asked}
    for form in asked:
        for key, rule in form.fields.items():
            if ranked.get((form.name, key)):
                found[form.name][key] = _choose(rule, ranked[form.name, key])
    if name != "auto":
        return _answer(forms[name], found[name])
    fitting = [form for form in asked if _fits(form, found[form.name])]
    if not fitting:
        warning = notices.NO_FORM
        said = {"warnings": [warning.english], "warnings_zh": [warning.chinese]}
        return {"form": None, "fields": {}, "missing": [], **said}

    def worth(form: Form) -> tuple[float, int]:
        return len(found[form.name]) / len(form.fields), len(found[form.name])

    best = max(fitting, key=worth)
    return _answer(best, found[best.name])


def _fits(form: Form, found: Mapping[str, Candidate]) -> bool:
    return len(found) >= AUTO_LEAST and all(key in found for key, rule in form.fields.items() if rule.required)


def _answer(form: Form, found: Mapping[str, Candidate]) -> dict[str, Any]:
    fields = {key: rule.described(key) | found[key].to_json() for key, rule in form.fields.items() if key in found}
    missing = [key for key in form.fields if key not in found]
    needed = [key for key in missing if form.fields[key].required]
    titles = [form.fields[key].described(key)["title_zh"] for key in needed]
    said = {
        "warnings": [notices.NOT_FOUND.said(field=key) for key in needed],
        "warnings_zh": [notices.NOT_FOUND.chinese.format(field=title) for title in titles],
    }
    return {"form": form.name, "fields": fields, "missing": missing, **said}


def _choose(rule: FieldRule, found: list[tuple[int, Candidate]]) -> Candidate:
    """Of the candidates of the best label, the one to take."""
    best = min(rank for rank, _ in found)
    some = [one for rank, one in found if rank == best]
    if rule.take == "largest" and rule.kind == "amount":
        return max(some, key=lambda one: _number(one.value))
    return some[-1 if rule.take == "last" else 0]


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:  # a pattern of the operator's that is no number
        return 0.0


def _candidates(
    rule: FieldRule, day_first: bool, lines: Sequence[Placed], size: tuple[float, float]
) -> Iterator[tuple[int, Candidate]]:
    """What a page has for a field, each with its rank: labels that come first in the rule are the better ones."""
    if rule.kind in TICKS:
        yield from ((0, one) for line in lines for one in _boxes(rule, line))
        return
    for rank, label in enumerate(rule.labels):
        for line in lines:
            for one in _by_label(rule, label, day_first, line, lines):
                yield rank, one
    if not rule.labels or "anywhere" in rule.where:
        for line in lines:
            if rule.area is not None and not _inside(line, rule.area, size):
                continue
            found = _value(rule, day_first, line, 0)
            if found is not None:
                yield len(rule.labels), found


def _by_label(
    rule: FieldRule, label: str, day_first: bool, line: Placed, lines: Sequence[Placed]
) -> Iterator[Candidate]:
    """A value for each time the label stands on the line: behind it, beside it or below it, whichever comes first."""
    if any(True for word in rule.without for _ in ends_of(word, line.text)):
        return
    for end in ends_of(label, line.text):
        others = [other for other in lines if other is not line]
        for where in rule.where:
            if where == "after":
                near = [_value(rule, day_first, line, end)]
            elif where == "right":
                row = sorted((other for other in others if line.beside(other)), key=lambda other: other.left)
                near = [_value(rule, day_first, other, 0) for other in row]
            elif where == "below":
                column = sorted((other for other in others if line.above(other)), key=lambda other: other.top)
                near = [_value(rule, day_first, other, 0) for other in column[:1]]
            else:
                near = []
            one = next((one for one in near if one is not None), None)
            if one is not None:
                yield one
                break


def _boxes(rule: FieldRule, line: Placed) -> Iterator[Candidate]:
    """What the boxes of a line say: yes or no of a `tick`, of a `choice` the labels that are ticked."""
    if any(True for word in rule.without for _ in ends_of(word, line.text)):
        return
    for label in rule.labels:
        for start, end in places_of(label, line.text):
            state = ticks.state(line.text, start, end, rule.sides(), line.line.get("chars") or ())
            if rule.kind == "tick" and state is not None:
                yield Candidate(line, start, end, "yes" if state else "no")
            elif state:
                yield Candidate(line, start, end, label)


def _value(rule: FieldRule, day_first: bool, line: Placed, start: int) -> Candidate | None:
    found = values.find(rule.kind, line.text[start:], day_first, rule.pattern)
    if found is None:
        return None
    first, last, value = found
    return Candidate(line, start + first, start + last, value)


def _inside(line: Placed, area: tuple[float, float, float, float], size: tuple[float, float]) -> bool:
    xs, ys = zip(*line.line["box"], strict=True)
    x, y = sum(xs) / 4 / size[0], sum(ys) / 4 / size[1]
    return bool(area[0] <= x <= area[2] and area[1] <= y <= area[3])
