"""A page by its own text: checked against the picture, completed by reading, in the author's order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from shared.records import Char, Line, Page, Quad, ReadOptions
from worker.documents import PageImage, TextLayer
from worker.layer import in_order, page_from_layer, sample, without


def quad(left: float, top: float, right: float, bottom: float) -> Quad:
    return (left, top), (right, top), (right, bottom), (left, bottom)


def line(text: str, left: float, top: float, width: float = 200, engine: str = "text-layer") -> Line:
    return Line(text, 1.0, quad(left, top, left + width, top + 20), engine)


class FakeReader:
    """Reads single lines as told, and whole pages as lines of its own."""

    def __init__(self, says: Callable[[int], str], rest: Sequence[Line] = ()) -> None:
        self.says, self.rest = says, tuple(rest)
        self.pages: list[Any] = []

    def warm(self) -> str:
        return ""

    def fingerprint(self, options: ReadOptions) -> str:
        return "fake"

    def models_used(self, options: ReadOptions) -> dict[str, str]:
        return {}

    def read(self, image: Any, options: ReadOptions, progress: Callable[[int, int], None]) -> Page:
        height, width = image.shape[:2]
        if options.layout == "line":
            return Page(width, height, text=self.says(int(image.min())))
        self.pages.append(image)
        return Page(width, height, self.rest, models={"recogniser": "r1"}, warnings=("dim",))


WORDS = ["the first line of all", "the second line of all", "the third line of all"]


def source(complete: bool = True) -> PageImage:
    """Three lines; each is drawn in a grey of its own, so that a reader can tell which it was given."""
    image = np.full((300, 400, 3), 255, np.uint8)
    lines = []
    for number, words in enumerate(WORDS):
        top = 50 + 60 * number
        image[top : top + 20, 40:240] = 10 * number
        lines.append(line(words, 40, top))
    return PageImage(image, 400, 300, text_layer=TextLayer(tuple(lines), complete))


def page(picture: PageImage, reader: FakeReader) -> Page | None:
    return page_from_layer(picture, reader, ReadOptions(), lambda done, total: None)


def test_a_layer_that_agrees_with_what_is_read_is_the_page() -> None:
    reader = FakeReader(lambda grey: WORDS[grey // 10].upper().replace("LINE", "L1NE"))
    found = page(source(), reader)
    assert found is not None
    assert (found.source, found.width, found.height) == ("text-layer", 400, 300)
    assert [each.text for each in found.lines] == WORDS
    assert reader.pages == []


def test_a_layer_that_says_something_else_is_not() -> None:
    assert page(source(), FakeReader(lambda grey: "what is really drawn here")) is None


def test_one_line_that_is_hard_to_read_does_not_spoil_the_rest() -> None:
    assert page(source(), FakeReader(lambda grey: "" if grey == 10 else WORDS[grey // 10])) is not None


def test_a_page_without_a_layer_is_left_to_reading() -> None:
    picture = source()
    assert page(PageImage(picture.image, 400, 300), FakeReader(lambda grey: "")) is None


def test_what_the_layer_leaves_out_is_read_without_its_own_text() -> None:
    reader = FakeReader(
        lambda grey: WORDS[grey // 10],
        [line("a stamp", 260, 52, 100, "ppocrv6"), line("again", 42, 112, 150, "ppocrv6")],
    )
    found = page(source(complete=False), reader)
    assert found is not None
    (shown,) = reader.pages
    assert shown.min() == 255, "the layer's text is painted over"
    assert [each.text for each in found.lines] == [WORDS[0], "a stamp", *WORDS[1:]]
    assert found.text.splitlines()[0] == f"{WORDS[0]} a stamp"
    assert found.models["recogniser"] == "r1"
    assert found.warnings == ("dim",)


def test_the_authors_order_is_kept_where_the_page_would_suggest_another() -> None:
    written = [line("right column", 300, 50), line("left column", 20, 50), line("end of left", 20, 90)]
    blank = np.full((200, 500, 3), 255, np.uint8)
    put = in_order(blank, written, [line("read below", 20, 130, engine="crnn")])
    assert [each.text for each in put.lines] == ["right column", "left column", "end of left", "read below"]


def ruled() -> Any:
    """A page with a table of three rows and two columns."""
    image = np.full((300, 700, 3), 255, np.uint8)
    for y in (100, 140, 180, 220):
        image[y, 50:651] = 0
    for x in (50, 350, 650):
        image[100:221, x] = 0
    return image


def test_a_table_of_the_layers_own_lines_stands_in_the_authors_order() -> None:
    cells = [
        line(f"cell {row}{column}", 60 + 300 * column, 108 + 40 * row, 80) for column in (0, 1) for row in range(3)
    ]
    put = in_order(ruled(), [line("below it", 20, 260), *cells, line("above it", 20, 40)], [])
    assert [each.text for each in put.lines[:4]] == ["below it", "cell 00", "cell 01", "cell 10"]
    (table,) = put.tables
    assert put.text[slice(*table.span)] == "cell 00 cell 01\ncell 10 cell 11\ncell 20 cell 21"
    assert put.text.startswith("below it\n\n")
    assert put.text.endswith("\n\nabove it")


def test_a_line_of_the_layer_over_two_cells_is_divided_and_keeps_its_spaces() -> None:
    """A PDF's characters hold no spaces: the text does."""

    def spread(text: str, top: int) -> Line:
        starts = [60 + 12 * at for at in range(5)] + [360 + 12 * at for at in range(6)]
        letters = text.replace(" ", "")
        chars = [Char(char, 1.0, quad(x, top, x + 10, top + 20)) for char, x in zip(letters, starts, strict=True)]
        return Line(text, 1.0, quad(60, top, 430, top + 20), "text-layer", tuple(chars))

    put = in_order(
        ruled(),
        [
            spread(text, 108 + 40 * row)
            for row, text in enumerate(("two me sums up", "one on as well", "six hi is last"))
        ],
        [],
    )
    (table,) = put.tables
    assert [cell.text for cell in table.cells] == ["two me", "sums up", "one on", "as well", "six hi", "is last"]


def test_painting_over_takes_the_colour_around() -> None:
    image = np.full((60, 200, 3), (200, 120, 40), np.uint8)
    image[20:40, 50:150] = 0
    painted = without(image, [line("text", 48, 18, 104)])
    assert (painted == (200, 120, 40)).all()
    assert image.min() == 0


def test_samples_come_from_all_over_the_page() -> None:
    lines = [line(f"line number {number}", 10, 20 * number) for number in range(30)]
    chosen = [int(each.text.split()[-1]) for each in sample(lines)]
    assert len(chosen) == 3
    assert chosen[0] < 10 <= chosen[1] < 20 <= chosen[2]
    assert [each.text for each in sample([line("abc", 0, 0), line("x", 0, 30)])] == ["abc", "x"]
