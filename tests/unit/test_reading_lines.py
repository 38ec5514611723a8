"""Lines on their way: which of several readings of a damaged one stands. The recognisers are stood in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest

from worker.reading import find
from worker.reading.detect import Box
from worker.reading.lines import PageLines
from worker.reading.recogniser import Crop, ReadChar, Reading
from worker.reading.vertical import cells_of

Answer = tuple[str, float]


class Eye:
    """Answers a picture with what `says` makes of it."""

    name, version, vocabulary = "toy", "toy-1", frozenset("皖A12345专家東")

    def __init__(self, says: Callable[[Crop], Answer]) -> None:
        self.says = says

    def read(self, crops: Sequence[Crop], allow: frozenset[str] | None = None) -> list[Reading]:
        return [_reading(*self.says(crop), crop.shape[1]) for crop in crops]

    def release(self) -> None: ...


def _reading(text: str, confidence: float, width: int) -> Reading:
    each = width / max(1, len(text))
    chars = tuple(ReadChar(char, confidence, each * i, each * i + each) for i, char in enumerate(text))
    return Reading(text, confidence if text else 0.0, chars, "toy")


def salted(height: int, width: int) -> Crop:
    """A picture with specks all over, dark bars for glyphs, and paper of many greys: it is no fax."""
    random = np.random.default_rng(4)
    paper = np.linspace(150, 230, height).astype(np.uint8)
    image = np.repeat(np.repeat(paper[:, None, None], width, axis=1), 3, axis=2)
    image[height // 4 : 3 * height // 4, 6 : width - 6 : 9] = 30
    image[random.random((height, width)) < 0.06] = 0
    image[random.random((height, width)) < 0.06] = 255
    return image


def answer(image: Crop, eye: Eye, robust: Eye | None = None, quick: Eye | None = None) -> str:
    """What the picture of one line says in the end."""
    lines = PageLines(image, [find.whole(image)], eye, quick=quick)
    lines.cut(0)
    lines.mend(alone=True, robust=robust is not None)
    lines.read(robust=lambda: robust)
    (line,) = lines.found
    return line.record().text


def test_a_whole_plate_is_believed_before_a_surer_code() -> None:
    usual = Eye(lambda crop: ("A12345", 0.97))
    assert answer(salted(40, 200), usual, Eye(lambda crop: ("皖A12345", 0.85))) == "皖A12345"
    assert answer(salted(40, 200), usual, Eye(lambda crop: ("皖A12345", 0.5))) == "A12345", "but not by a guess"
    assert answer(salted(40, 200), usual, Eye(lambda crop: ("AA12345", 0.85))) == "A12345", "nor is any longer code"


def test_the_quick_engine_s_reading_of_a_worn_line_must_be_surer_by_the_margin() -> None:
    usual, robust = Eye(lambda crop: ("A1234", 0.7)), Eye(lambda crop: ("A12345", 0.8))
    assert answer(salted(40, 200), usual, robust, Eye(lambda crop: ("皖12345", 0.9))) == "皖12345"
    assert answer(salted(40, 200), usual, robust, Eye(lambda crop: ("皖12345", 0.83))) == "A12345"


def test_what_the_quick_engine_is_wrong_about_is_not_believed_of_a_worn_line() -> None:
    usual = Eye(lambda crop: ("12×34", 0.8))
    assert answer(salted(40, 200), usual, usual, Eye(lambda crop: ("12x34", 0.99))) == "12×34"
    assert answer(salted(40, 200), usual, usual, Eye(lambda crop: ("12-34", 0.99))) == "12-34"
    plate = Eye(lambda crop: ("皖A8H128", 0.99))  # as a code it would be doubted
    assert answer(salted(40, 200), usual, usual, plate) == "皖A8H128"


def test_known_words_say_nothing_of_a_line_in_another_language() -> None:
    usual = Eye(lambda crop: ("Für Straße", 0.9))
    assert answer(salted(40, 200), usual, Eye(lambda crop: ("For Strafe", 0.8))) == "Für Straße"
    assert (
        answer(salted(40, 200), Eye(lambda crop: ("Fxr street", 0.9)), Eye(lambda crop: ("For street", 0.8)))
        == "For street"
    )


def test_accents_are_not_imagined() -> None:
    usual = Eye(lambda crop: ("Dirección", 0.9))
    assert answer(salted(40, 200), usual, Eye(lambda crop: ("Direccion", 0.99))) == "Dirección"
    assert answer(salted(40, 200), usual, Eye(lambda crop: ("Direccién", 0.99))) == "Direccién"


def test_an_accent_that_was_hardly_read_gives_way_to_a_reading_without() -> None:
    def read(confidence: float) -> str:
        return answer(salted(40, 200), Eye(lambda crop: ("mentiòn", confidence)), Eye(lambda crop: ("mention", 0.9)))

    assert read(0.65) == "mention"
    assert read(0.75) == "mentiòn"


@pytest.mark.parametrize(
    ("text", "confidence", "believed"), [("A12354", 0.89, True), ("A12354", 0.87, False), ("A1235", 0.89, False)]
)
def test_a_line_that_was_turned_level_may_be_read_a_little_less_surely(
    text: str, confidence: float, believed: bool
) -> None:
    picture = np.full((70, 480, 3), 245, np.uint8)
    cv2.putText(picture, "TOTAL 123.45 RM", (20, 46), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (20, 20, 20), 3)
    askew = cv2.getRotationMatrix2D((240, 35), 4.0, 1.0)
    askew[1, 2] += 15
    tilted = cv2.warpAffine(picture, askew, (480, 100), borderValue=(245, 245, 245))

    def says(crop: Crop) -> Answer:
        return ("A12345", 0.9) if len(crop) > 60 else (text, confidence)  # level it is half as high

    assert answer(np.asarray(tilted, np.uint8), Eye(says)) == (text if believed else "A12345")


@pytest.mark.parametrize("after", ["242526 px", "242x526px"])
def test_signs_are_not_imagined(after: str) -> None:
    usual = Eye(lambda crop: ("242×526 px", 0.9))
    assert answer(salted(40, 200), usual, Eye(lambda crop: (after, 0.99))) == "242×526 px"
    assert answer(salted(40, 200), usual, Eye(lambda crop: (after + "1", 0.99))) == after + "1"


def test_a_sharp_clean_line_is_not_read_twice_where_it_was_read_surely_and_a_soft_one_is() -> None:
    sharp = np.full((48, 300, 3), 255, np.uint8)
    cv2.putText(sharp, "TOTAL 123.45", (8, 36), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (0, 0, 0), 2)
    soft = cv2.GaussianBlur(sharp, (0, 0), 2.5)  # a little: nothing plain is wrong with it
    asked: list[Crop] = []

    def robust(crop: Crop) -> Answer:
        asked.append(crop)
        return "A12345", 0.5

    usual = Eye(lambda crop: ("A12345", 0.97))
    answer(sharp, usual, Eye(robust))
    assert not asked
    answer(np.asarray(soft, np.uint8), usual, Eye(robust))
    assert asked


def test_a_column_is_read_mended_as_well() -> None:
    def specks(crop: Crop) -> float:
        grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
        return float(cv2.absdiff(grey, cv2.medianBlur(grey, 3)).mean())

    def says(crop: Crop) -> Answer:
        if crop.shape[:2] != (48, 240):  # only as it lies: laid character by character it is shrunk, and smoother
            return "", 0.0
        return ("专家", 0.95) if specks(crop) < 15 else ("東家", 0.6)

    assert answer(salted(240, 48), Eye(says)) == "专家"


def test_of_two_ways_to_read_a_column_as_surely_the_one_that_finds_more_stands() -> None:
    column = np.full((240, 40, 3), 255, np.uint8)
    for y in range(20, 220, 40):
        cv2.rectangle(column, (8, y), (32, y + 24), (0, 0, 0), 3)
    lines = 0

    def says(crop: Crop) -> Answer:
        nonlocal lines
        lines += crop.shape[1] > crop.shape[0]
        return ("皖A12345", 0.996) if lines == 1 and crop.shape[1] > crop.shape[0] else ("A12345", 0.999)

    assert answer(column, Eye(says)) == "皖A12345"


def signs(count: int, width: int, size: int = 40, pitch: int = 44) -> Crop:
    """A column of squares with a T in them, its bar in their upper half, paper beside them."""
    column = np.full((pitch * count, width, 3), 255, np.uint8)
    left = (width - size) // 2
    for y in range(2, pitch * count, pitch):
        cv2.rectangle(column, (left, y), (left + size - 1, y + size - 1), (0, 0, 0), 2)
        column[y + 8 : y + 14, left:-left] = 0
        column[y + 14 : y + size, width // 2 - 3 : width // 2 + 3] = 0
    return column


@pytest.mark.parametrize("width", [44, 70, 90])
def test_a_column_s_characters_are_told_apart_whatever_paper_is_beside_them(width: int) -> None:
    assert len(cells_of(signs(9, width))) == 9


def test_upright_columns_are_told_by_their_characters_and_not_by_their_marks() -> None:
    page = np.full((500, 300, 3), 255, np.uint8)
    for x in (40, 170):
        page[20:460, x : x + 70] = signs(10, 70)
    page[20:64, 40:110] = page[20:64, 170:240] = 255
    page[36:44, 55:95] = page[36:44, 185:225] = 0  # a bracket, drawn lying

    def says(crop: Crop) -> Answer:
        if max(crop.shape[:2]) > 3 * min(crop.shape[:2]):
            return "专家東专家東", 0.99
        dark = crop[:, :, 0] < 128
        middle = dark.shape[0] // 2
        if dark.sum() < 500:
            return ("冬", 0.2) if dark.any(axis=0).sum() > dark.any(axis=1).sum() else ("《", 1.0)
        return "专", 0.99 if dark[:middle].sum() > 1.2 * dark[middle:].sum() else 0.9

    quads = [np.array([[x, 20], [x + 70, 20], [x + 70, 460], [x, 460]], np.float32) for x in (40, 170)]
    assert PageLines(page, [Box(quad, 0.9, 40.0) for quad in quads], Eye(says)).orient() is None


def test_a_worn_column_is_read_with_the_robust_weights_the_way_it_was_read_best() -> None:
    def lying(text: str, confidence: float) -> Eye:
        return Eye(lambda crop: (text, confidence) if crop.shape[1] > crop.shape[0] else ("", 0.0))

    assert answer(salted(240, 48), lying("東家", 0.7), lying("专家", 0.9)) == "专家"
    assert answer(salted(240, 48), lying("東家", 0.7), lying("专家", 0.5)) == "東家"


@pytest.mark.parametrize(("shape", "read"), [((4, 3000), 0), ((3000, 4), 0), ((5, 3000), 1), ((20, 4), 1)])
def test_what_is_too_thin_for_glyphs_is_not_read(shape: tuple[int, int], read: int) -> None:
    image = np.full((*shape, 3), 255, np.uint8)
    lines = PageLines(image, [find.whole(image)], Eye(lambda crop: ("A12345", 0.9)))
    lines.cut(0)
    lines.mend(alone=True)
    lines.read()
    assert len(lines.found) == read


def sheet(height: int = 160, width: int = 160) -> Crop:
    """The lower left corner of a white sheet on a dark desk."""
    image = np.full((height, width, 3), 60, np.uint8)
    image[: 3 * height // 4, width // 4 :] = 230
    return image


def stroke(height: int = 160, width: int = 160) -> Crop:
    """A large L with paper around it."""
    image = np.full((height, width, 3), 230, np.uint8)
    image[20:140, 40:60] = image[120:140, 40:120] = 30
    return image


@pytest.mark.parametrize(
    ("corner", "text", "lines", "stands"),
    [
        (sheet(), "L", 3, False),
        (sheet(), "_", 3, False),
        (sheet(), "一路", 3, True),  # it says something
        (sheet(), "R", 3, True),
        (stroke(), "L", 3, True),  # a size on a label
        (sheet(), "L", 0, True),  # no higher than the page's other lines
    ],
)
def test_the_edge_of_a_sheet_is_no_line(corner: Crop, text: str, lines: int, stands: bool) -> None:
    page = np.full((400, 300, 3), 230, np.uint8)
    page[:160, :160] = corner
    boxes = [box(0, 0, 160, 160)] + [box(10, 200 + 40 * i, 200, 220 + 40 * i) for i in range(lines)]
    eye = Eye(lambda crop: (text, 0.9) if crop.shape[0] > 50 else ("words", 0.9))
    found = PageLines(page, boxes, eye)
    found.cut(0)
    found.read()
    assert len(found.standing()) == lines + stands


def test_the_first_lines_that_are_read_are_of_all_widths_and_each_is_read_once() -> None:
    """They tell what kind of page it is: the narrow ones alone, of a paper, are its formulas."""
    page = np.full((1600, 900, 3), 230, np.uint8)
    boxes = [box(10, 20 * i, 40 + 10 * i, 20 * i + 16) for i in range(70)]
    boxes += [replace(box(10, 1420, 30, 1436), doubtful=True)]
    widths: list[int] = []
    found = PageLines(page, boxes, Eye(lambda crop: (widths.append(crop.shape[1]), ("words", 0.9))[1]))
    found.cut(0)
    found.read()
    first, others = widths[:16], widths[16:-1]
    assert first == sorted(first)
    assert max(first) > 600
    assert min(first) < 80
    assert 320 < np.median(first) < 440
    assert others == sorted(others), "the others of near widths together"
    assert len(widths) == 71
    assert len(set(first + others)) == 70
    assert widths[-1] < 40, "and the doubtful one last"


def box(left: float, top: float, right: float, bottom: float) -> Box:
    return Box(np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32), 0.9, bottom - top)
