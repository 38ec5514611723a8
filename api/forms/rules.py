"""A form's rules: a TOML file each, checked when it is read. `docs/forms.md` explains the keys.

Built-in ones lie in `known/`; the operator's folder adds to them, and a file of the same name takes a built-in one's place.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from shared.errors import FormBroken

KNOWN = Path(__file__).parent / "known"
Kind = Literal["text", "amount", "date", "code", "tick", "choice"]
TICKS = ("tick", "choice")
Share = Annotated[float, Field(ge=0, le=1)]


class FieldRule(BaseModel):
    """Where a field's value stands and what it looks like."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field("", description="For people, in English.")
    title_zh: str = Field("", description="For people, in Chinese.")
    kind: Kind = Field("text", description="What the value is; amounts and dates are written in one form.")
    labels: tuple[str, ...] = Field((), description="What stands before or above the value.")
    without: tuple[str, ...] = Field((), description="A line that says one of these is not the label's.")
    where: tuple[Literal["after", "right", "below", "anywhere", "before"], ...] = Field(
        ("after", "right", "below"),
        description="Where to look from the label, in this order; `anywhere` where no label leads to a value. Of a box: "
        "`before` or `after` its label.",
    )
    area: tuple[Share, Share, Share, Share] | None = Field(
        None, description="Left, top, right and bottom of where the value is, as shares of the page."
    )
    pattern: str = Field("", description="A regular expression that the value matches; its first group, if it has one.")
    take: Literal["first", "last", "largest"] = Field("first", description="Which, where there are several.")
    required: bool = Field(False, description="Whether the form fits a document without it.")

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from error
        return pattern

    @model_validator(mode="after")
    def _findable(self) -> FieldRule:
        if not (self.labels or self.area or self.pattern):
            raise ValueError("needs labels, an area or a pattern: nothing says where it is")
        boxes = self.kind in TICKS
        if boxes and (not self.labels or self.area or self.pattern):
            raise ValueError("a box is found by its labels alone: give labels, and neither area nor pattern")
        told = "where" in self.model_fields_set
        if told and (set(self.where) - {"before", "after"} if boxes else "before" in self.where):
            raise ValueError(
                "where: of a box before or after its label, of anything else after, right, below or anywhere"
            )
        if self.area and not (self.area[0] < self.area[2] and self.area[1] < self.area[3]):
            raise ValueError("area: left and top come before right and bottom")
        return self

    def sides(self) -> tuple[str, ...]:
        """Of a box: on which side of its label it is, where the rule says so."""
        return self.where if "where" in self.model_fields_set else ()

    def described(self, key: str) -> dict[str, str]:
        """What people and programs are told of the field: its titles, which are its key where it has none, and its kind."""
        title = self.title or key
        return {"title": title, "title_zh": self.title_zh or title, "kind": self.kind}


class Form(BaseModel):
    """A kind of document and its fields, in the order in which they are shown."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = ""
    title: str = Field(description="For people, in English.")
    title_zh: str = Field("", description="For people, in Chinese.")
    day_first: bool = Field(True, description="Whether 03/04/2026 is the third of April.")
    fields: dict[str, FieldRule] = Field(min_length=1)


def load(path: Path) -> Form:
    """One form; its name is the file's. Raises FormBroken with what is wrong and where."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        return Form.model_validate({**table, "name": path.stem})
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(str(part) for part in first["loc"])
        raise FormBroken(path=path, reason=f"{at}: {first['msg']}") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FormBroken(path=path, reason=str(error)) from error


def load_all(folder: Path | None = None) -> dict[str, Form]:
    """The known forms and those of `folder`, by name. Raises FormBroken."""
    if folder is not None and not folder.is_dir():
        raise FormBroken(path=folder, reason="no such folder")
    files: dict[str, Path] = {}
    for place in (KNOWN, folder):
        found = () if place is None else sorted(place.glob("*.toml"), key=lambda path: path.stem)
        files |= {path.stem: path for path in found}
    return {name: load(path) for name, path in files.items()}
