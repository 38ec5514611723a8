"""The characters a recogniser can answer with: class 0 is the CTC blank, then the vocabulary file, then the space."""

from __future__ import annotations

import pathlib

BLANK = 0


class Alphabet:
    """Maps text to CTC classes and back. `characters[i]` is class `i + 1`; the space is always the last class."""

    def __init__(self, characters: list[str]) -> None:
        self.characters = characters
        self.classes = {character: index + 1 for index, character in enumerate(characters)}

    @classmethod
    def load(cls, path: str | pathlib.Path) -> Alphabet:
        """Reads one character a line (UTF-8) and adds the space, as PP-OCR's vocabulary files expect."""
        rows = pathlib.Path(path).read_text(encoding="utf-8").split("\n")
        return cls([row.rstrip("\r") for row in rows if row.rstrip("\r")] + [" "])

    def __len__(self) -> int:
        """Classes in all, the blank among them."""
        return len(self.characters) + 1

    def encode(self, text: str) -> list[int]:
        """Classes of `text`; raises KeyError for a character outside the vocabulary."""
        return [self.classes[character] for character in text]

    def knows(self, text: str) -> bool:
        """Whether every character of `text` has a class."""
        return all(character in self.classes for character in text)

    def decode(self, best: list[int]) -> str:
        """Greedy CTC: runs of one class collapse to one, then blanks go."""
        out: list[str] = []
        last = BLANK
        for index in best:
            if index not in (last, BLANK):
                out.append(self.characters[index - 1])
            last = index
        return "".join(out)
