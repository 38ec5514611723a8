"""Which version of an engine's weights a whole fleet reads with: the record, and how it changes. No input or output."""

from __future__ import annotations

import dataclasses
import json

HISTORY = 10
"""So many earlier versions are remembered for `rollback`; the archives of the newest of them and of the wanted one are kept."""


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """`version` is what is to be read with, "" for what the program ships; `since` is when it was chosen (ms).

    `history` holds what was wanted before, newest first.
    """

    version: str = ""
    history: tuple[str, ...] = ()
    since: int = 0

    def to_json(self) -> str:
        """As it lies in the store."""
        return json.dumps({"version": self.version, "history": list(self.history), "since": self.since})

    @classmethod
    def from_json(cls, text: str | bytes) -> Wanted:
        """Undoes `to_json`; an empty history may come as an empty table, which is how Lua writes it."""
        row = json.loads(text)
        return cls(str(row["version"]), tuple(row["history"] or ()), int(row["since"]))

    @property
    def kept(self) -> tuple[str, ...]:
        """The versions whose archives are worth their memory: this one, and the one that `rollback` leads to."""
        return (self.version, *self.history[:1])


def use(now: Wanted | None, version: str, time_ms: int) -> Wanted:
    """The record after `version` was chosen; choosing what is chosen already changes nothing."""
    if now is None:
        return Wanted(version, ("",) if version else (), time_ms)
    if now.version == version:
        return now
    return Wanted(version, (now.version, *now.history)[:HISTORY], time_ms)


def roll_back(now: Wanted | None, current: str, time_ms: int) -> Wanted:
    """The record after a step back from `current`; unchanged where something else is wanted by now, or nothing came before."""
    if now is None or now.version != current or not now.history:
        return now or Wanted()
    return Wanted(now.history[0], now.history[1:], time_ms)
