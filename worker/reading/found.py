"""A line of a page on its way from its box to its text."""

from __future__ import annotations

from dataclasses import dataclass

from shared.records import Line
from worker.reading import geometry
from worker.reading.crop import Cut, Piece, char_records
from worker.reading.geometry import Floats
from worker.reading.recogniser import Reading, reading_of, without_margins

KEEP_CONFIDENCE = 0.5  # a line surer than this is kept; below are shadows, rules and logos
DOUBTFUL_CONFIDENCE = 0.9  # and one that the detector doubted must be surer than this
SURE_WORN = 0.995  # a worn line that was read so surely is not read with the robust weights, too
STROKE = "一"  # what a dash is read as


@dataclass(slots=True)
class Found:
    """A line on its way: where it is (corner 0 to corner 1 is the reading direction), its picture, what it says."""

    quad: Floats
    piece: Piece
    vertical: bool = False
    mended: Cut | None = None
    allowance: float = 0.0  # how much less surely the mended picture may be read
    reading: Reading | None = None
    doubtful: bool = False
    worn: Cut | None = None  # its picture for the robust weights, which are believed
    worn_allowance: float = 0.0  # where they read so much less surely,
    worn_most: float = SURE_WORN  # and asked where it was not read more surely than this,
    worn_words: bool = False  # or with a word that is not known
    turned: bool = False  # whether these pictures were turned level

    def has_text(self) -> bool:
        """Whether anything was read."""
        return self.reading is not None and bool(self.reading.text.strip())

    def stands(self) -> bool:
        """Whether what was read on a page is a line of it: surely where the detector doubted, and more than a mark."""
        if self.reading is None or not self.has_text():
            return False
        if not self.doubtful:
            return self.reading.confidence > KEEP_CONFIDENCE
        letters = any(char.isalnum() and char != STROKE for char in self.reading.text)
        return letters and self.reading.confidence > DOUBTFUL_CONFIDENCE

    def record(self) -> Line:
        """The line as it is handed on; it must have been read."""
        assert self.reading is not None
        read = reading_of(without_margins(self.reading.chars), self.reading.engine)
        return Line(
            read.text,
            read.confidence,
            geometry.as_record(self.quad),
            read.engine,
            char_records(self.piece, read.chars),
            vertical=self.vertical,
        )
