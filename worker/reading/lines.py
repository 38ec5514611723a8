"""The lines of one page on their way: cut out, mended, read, the doubtful ones in more ways than one."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from worker.reading import (
    curved,
    enhance,
    geometry,
    lookalikes,
    no_lines,
    orient,
    second_look,
    tick_boxes,
    tick_text,
    variants,
)
from worker.reading.context import known_words, lexicon, scope_of, unknown_words, whole_plates
from worker.reading.crop import MAX_HEIGHT_PX, Cut, Piece, cut
from worker.reading.detect import Box
from worker.reading.found import SURE_WORN, Found
from worker.reading.grey import GreyPage
from worker.reading.languages import accented, lost_accents, lost_signs
from worker.reading.recogniser import Reading, Recogniser
from worker.reading.straighten import level
from worker.reading.vertical import cells_of, lay_down

CHUNK = 16  # lines read between two reports of progress; the first of them tell whether the CRNN earns its time (`gate.probe_lines`)
MAX_CELLS = 16  # characters looked at one by one to tell columns from lines lying on their side
SURE_ALONE = 0.95  # nor a line by itself with which nothing is wrong,
KEEN = 0.18  # sharpness (`enhance`) below which something may be: three of four clean lines have more, one blurred line in ten
QUICK_MARGIN = 0.05  # by which the quick engine must be surer of a worn picture than others of theirs
WORD_WORTH = 0.1  # confidence that one known word more is worth, of two readings of a damaged line,
PLATE_WORTH = 0.3  # and a whole number plate
LEVEL_WORTH = 0.015  # by which a line that was turned level may be read less surely than as it lay, if no text is lost
IMAGINED = 0.7  # confidence below which an accent may be a speck, if other readings have none

Progress = Callable[[int, int], None]


def of_all_widths(lines: Sequence[Found]) -> list[Found]:
    """Lines that are sorted by their width, with `CHUNK` of them, evenly taken, put first; doubtful ones, at the end, stay there."""
    sure = [line for line in lines if not line.doubtful]
    if len(sure) <= CHUNK:
        return list(lines)
    first = {int((number + 0.5) * len(sure) / CHUNK) for number in range(CHUNK)}
    others = [line for number, line in enumerate(lines) if number not in first]
    return [sure[number] for number in sorted(first)] + others


class PageLines:
    """The lines of one page, `boxes` with the doubtful ones last; rules among them are left out. `allow` are the characters
    they may hold, None for all of the recogniser's. With `words`, known ones speak for a reading of a damaged line."""

    def __init__(
        self,
        image: NDArray[np.uint8],
        boxes: Sequence[Box],
        recogniser: Recogniser,
        allow: frozenset[str] | None = None,
        words: bool = True,
        quick: Recogniser | None = None,
    ) -> None:
        self.image = image
        self.boxes = [box for box in boxes if not no_lines.is_rule(box.quad)]
        self.recogniser = recogniser
        self.allow = allow
        self.quick = quick
        self.found: list[Found] = []
        self._words = words
        self._lexicon = lexicon() if words and scope_of(allow).english else None
        self._sampled: dict[tuple[int, int], Found] = {}  # read while the page's direction was sought
        self._mended: NDArray[np.uint8] | None = None  # of a tall line by itself, its picture put right

    def orient(self) -> int | None:
        """See `orient.corner_turn`. What is read on the way is not read again."""

        def read(chosen: Sequence[int], corners: int) -> list[Reading]:
            lines = [self._cut(self.boxes[index], corners) for index in chosen]
            readings = self._read([line.piece for line in lines])
            for index, line, reading in zip(chosen, lines, readings, strict=True):
                line.reading = reading
                self._sampled[index, corners] = line
            return readings

        def cells(chosen: Sequence[int], corners: int) -> tuple[float, float]:
            columns = [cut(self.image, self.boxes[index].quad).image for index in chosen]
            standing = [cell for column in columns for cell in cells_of(column)][:MAX_CELLS]
            both = [(self._read_one(cell), self._read_one(np.rot90(cell, corners).copy())) for cell in standing]
            # the brackets and marks of a column are drawn lying: they say nothing
            told = [pair for pair in both if all(reading.text.isalnum() for reading in pair)]
            return orient.trust([up for up, _ in told]), orient.trust([down for _, down in told])

        return orient.corner_turn([box.quad for box in self.boxes if not box.doubtful], read, cells)

    def cut(self, turn: int | None) -> None:
        """Cut every line out in the page's direction of reading."""
        corners = 1 if turn is None else turn
        self.found = [
            self._sampled.get((index, corners)) or self._cut(box, turn) for index, box in enumerate(self.boxes)
        ]
        if turn is None:
            for line, box in zip(self.found, self.boxes, strict=True):
                line.vertical = orient.is_tall(box.quad)

    def mend(self, alone: bool, robust: bool = False) -> None:
        """Prepare a second picture of every line that something is measured to be wrong with: on a page only where some
        of its lines show that it is needed; a line that came alone is also turned level. Where there are `robust` weights
        a line may get a third picture for them."""
        if not alone and not enhance.needed([line.piece.image for line in self.found if not line.doubtful], robust):
            return
        if alone and any(orient.is_tall(line.quad) for line in self.found):
            picture = enhance.spread(enhance.mend(self.image))
            self._mended = picture if picture is not self.image else None
        for line in self.found:
            if isinstance(line.piece, Cut):
                self._mend(line, level(line.piece) if alone else line.piece, alone, robust)

    def _mend(self, line: Found, piece: Cut, alone: bool, robust: bool) -> None:
        quality = enhance.measure(piece.image)
        image = enhance.mend(piece.image, quality)
        plain = piece.image if robust and quality.wear == "faint" else image  # the robust weights see more of it
        line.turned = piece is not line.piece
        if plain is not line.piece.image:
            line.mended, line.allowance = Cut(plain, piece.to_page), enhance.allowance(quality)
        if robust and (alone or quality.wear in enhance.PLAIN_WEAR):
            line.worn = Cut(enhance.spread(image), piece.to_page)
            line.worn_allowance = enhance.ROBUST_ALLOWANCE[quality.wear]
            line.worn_words = bool(quality.wear) or line.turned
            keen = not line.worn_words and quality.sharpness >= KEEN
            line.worn_most = SURE_ALONE if keen else SURE_WORN

    def read(self, progress: Progress | None = None, robust: Callable[[], Recogniser | None] | None = None) -> None:
        """Read every line, near widths together and the doubtful ones last: they say nothing about the page's others. The first
        ones are of all widths, because they tell what kind of page it is (see `Cascade`). A line that runs across the page's
        direction is read every way."""
        waiting = [
            line for line in self.found if line.reading is None or line.mended is not None or line.worn is not None
        ]
        waiting.sort(key=lambda line: (line.doubtful, line.piece.image.shape[1] / line.piece.image.shape[0]))
        waiting = of_all_widths(waiting)
        if progress is not None and len(self.found) > len(waiting):
            progress(len(self.found) - len(waiting), len(self.found))
        for start in range(0, len(waiting), CHUNK):
            part = waiting[start : start + CHUNK]
            unread = [line for line in part if line.reading is None]
            for line, reading in zip(unread, self._read([line.piece for line in unread]), strict=True):
                line.reading = reading
            for line in part:
                if line.mended is not None:
                    self._read_again(line, line.mended, self.recogniser, line.allowance)
                if line.worn is not None and robust is not None:
                    self._read_worn(line, line.worn, robust)
                if orient.is_tall(line.quad):
                    self._read_every_way(line, None if line.worn is None else robust)
                elif line.vertical:
                    self._read_column(line)
            if progress is not None:
                progress(len(self.found) - max(0, len(waiting) - start - CHUNK), len(self.found))

    def settle(self) -> None:
        """Let the page's script, simplified or traditional, decide where a character was read nearly as surely in the
        other (see `variants`)."""
        kept = [line for line in self.found if not line.doubtful or line.stands()]
        read = [(line, line.reading) for line in kept if line.reading is not None]
        for (line, _), reading in zip(read, variants.settled([reading for _, reading in read]), strict=True):
            line.reading = reading

    def settle_lookalikes(self) -> None:
        """See `lookalikes`."""
        for line in self.found:
            if line.reading is not None:
                line.reading = lookalikes.settled(line.reading)

    def tick(self, grey: GreyPage, glyph_px: float) -> None:
        """Put the boxes to tick into the lines; a typical glyph of the page is `glyph_px` high, and `grey` is the page."""
        lines = [line for line in self.found if line.stands() and isinstance(line.piece, Cut) and not line.vertical]
        pairs = [(line.piece, line.reading) for line in lines]
        boxes = tick_boxes.find(grey, glyph_px)
        for index, (piece, reading) in tick_text.into(self.image, boxes, pairs).items():  # type: ignore[arg-type]
            lines[index].piece, lines[index].reading, lines[index].quad = piece, reading, piece.outline()

    def standing(self) -> list[Found]:
        """What stands on the page, without the edges of its paper."""
        lines = [line for line in self.found if line.stands()]
        heights = [min(geometry.size(line.quad)) for line in lines]
        typical = max(1.0, statistics.median(heights)) if heights else 1.0
        return [
            line
            for line, height in zip(lines, heights, strict=True)
            if line.reading and not no_lines.is_edge(line.reading.text, line.piece.image, height / typical)
        ]

    def _cut(self, box: Box, turn: int | None) -> Found:
        vertical = turn is None and orient.is_tall(box.quad)
        corners = 1 if vertical else turn or 0
        rolled = geometry.roll(box.quad, corners)
        if box.spine is not None and corners in (0, 2) and not orient.is_tall(box.quad):
            spine = box.spine if corners == 0 else box.spine.reversed()
            return Found(rolled, curved.pull_straight(self.image, spine, MAX_HEIGHT_PX), doubtful=box.doubtful)
        return Found(rolled, cut(self.image, rolled), vertical, doubtful=box.doubtful)

    def _read(self, pieces: Sequence[Piece]) -> list[Reading]:
        return self.recogniser.read([piece.image for piece in pieces], self.allow)

    def _read_one(self, picture: NDArray[np.uint8]) -> Reading:
        """Read alone, so that nothing beside it sways how sure the answer is."""
        (reading,) = self.recogniser.read([picture], self.allow)
        return reading

    def _read_worn(self, line: Found, worn: Cut, robust: Callable[[], Recogniser | None]) -> None:
        assert line.reading is not None
        doubtful = line.worn_words and self._lexicon is not None and unknown_words(line.reading.text, self._lexicon)
        if (doubtful or line.reading.confidence <= line.worn_most) and (recogniser := robust()) is not None:
            self._read_again(line, worn, recogniser, line.worn_allowance)
            if self.quick is not None:
                self._read_again(line, worn, self.quick, -QUICK_MARGIN)

    def _read_again(self, line: Found, mended: Cut, recogniser: Recogniser, allowance: float) -> None:
        """Another picture was measured to be needed, so its reading wins unless the line was read more surely before by what
        the picture is allowed, or with more known words or number plates. What the quick engine reads with a fault of its
        kind is not believed however sure it is."""
        assert line.reading is not None
        (reading,) = recogniser.read([mended.image], self.allow)
        if (recogniser is self.quick and self._faulty(reading)) or _overlooks(line.reading, reading):
            return
        if self._lexicon is not None and not accented(reading.text + line.reading.text):
            more = known_words(reading.text, self._lexicon) - known_words(line.reading.text, self._lexicon)
            allowance += WORD_WORTH * more
        if self._words:
            allowance += PLATE_WORTH * (whole_plates(reading.text) - whole_plates(line.reading.text))
        if line.turned and recogniser is not self.quick and len(reading.text) >= len(line.reading.text):
            allowance += LEVEL_WORTH
        if reading.text and reading.confidence >= line.reading.confidence - allowance:
            line.reading, line.piece, line.quad = reading, mended, mended.outline()

    def _faulty(self, reading: Reading) -> bool:
        """Whether the quick engine's reading has a fault of its kind (see `second_look`); plates it knows best."""
        if self._lexicon is None or whole_plates(reading.text):
            return False
        return bool(second_look.faults(reading.chars, self._lexicon))

    def _read_column(self, line: Found) -> None:
        """A column is read lying on its side, as recognisers are trained to; one that is not sure is cut into its
        characters, and those are laid side by side."""
        assert line.reading is not None
        if line.reading.confidence >= orient.SURE:
            return
        laid = lay_down(cut(self.image, geometry.roll(line.quad, 3)))
        reading = self._read_one(laid.image)
        if reading.confidence > line.reading.confidence:
            line.piece, line.reading = laid, reading

    def _read_every_way(self, line: Found, robust: Callable[[], Recogniser | None] | None) -> None:
        """A tall quad may be one glyph, a column of characters, or a line on its side: the surest reading wins, of the picture
        as it came or mended. Of a worn one, that way is read with the `robust` weights, too."""
        ways = [line]
        width, height = geometry.size(line.quad)
        for page in (self.image, self._mended):
            if page is None:
                continue
            for corners in (1, 3):
                rolled = geometry.roll(line.quad, corners)
                ways.append(Found(rolled, cut(page, rolled)))
            if height > 2 * width:
                ways.append(Found(geometry.roll(line.quad, 1), lay_down(cut(page, line.quad)), vertical=True))
        for way in ways[1:]:
            way.reading = self._read_one(way.piece.image)

        def worth(way: Found) -> tuple[float, int]:  # one or two characters are easily imagined, and a 一 easily lost
            read = len(way.reading.text) if way.reading else 0
            return round(way.reading.confidence * min(1.0, 0.7 + 0.1 * read), 2) if way.reading else 0.0, read

        best = max(ways, key=worth)
        if robust is not None and best.reading and best.reading.confidence <= SURE_WORN and (weights := robust()):
            (reading,) = weights.read([best.piece.image], self.allow)
            if reading.text and reading.confidence >= best.reading.confidence - line.worn_allowance:
                best.reading = reading
        line.quad, line.piece, line.vertical, line.reading = best.quad, best.piece, best.vertical, best.reading


def _overlooks(before: Reading, after: Reading) -> bool:
    """Whether a reading is another one without its accents, one of which was read surely, or without signs."""
    sure = any(accented(char.text) and char.confidence >= IMAGINED for char in before.chars)
    return (sure and lost_accents(before.text, after.text)) or lost_signs(before.text, after.text)
