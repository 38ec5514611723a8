"""Seals: red rings are found, and what runs around, stands inside and lies below them is told apart."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from worker.reading import seals, stamped
from worker.reading.detect import Box
from worker.reading.recogniser import Crop, ReadChar, Reading, reading_of

RED = (210, 30, 40)
CENTRE = (300, 200)
NAME = "EASTERN TRADING"
NONE = ("", 0.0)
Picture = NDArray[np.uint8]


def page(
    radius: float = 90, flat: float = 1.0, name: str = NAME, ink: tuple[int, int, int] = RED, turn: float = 0, below: bool = True,
    number: str = "",
) -> Picture:  # fmt: skip
    """A page with a seal at CENTRE, `flat` times as high as wide, turned clockwise, and with `below` a black line that runs under it;
    small signs of `number` at the seal's bottom."""
    paper = Image.new("RGB", (600, 400), "white")
    if below:
        ImageDraw.Draw(paper).text(
            (60, 230), "Received with thanks from the buyer", "black", ImageFont.load_default(30)
        )
    stamp = Image.new("RGB", paper.size, "white")
    pen = ImageDraw.Draw(stamp)
    x, y = CENTRE
    pen.ellipse((x - radius, y - radius * flat, x + radius, y + radius * flat), outline=ink, width=4)
    for at, letter in enumerate(name):
        angle = -90 - 125 + 250 * (at + 0.5) / len(name)
        cell = Image.new("L", (40, 40))
        ImageDraw.Draw(cell).text((20, 20), letter, 255, ImageFont.load_default(24), anchor="mm")
        depth, t = 22, math.radians(angle)
        at_x, at_y = x + (radius - depth) * math.cos(t), y + (radius * flat - depth) * math.sin(t)
        way = math.degrees(math.atan2((radius * flat - depth) * math.cos(t), -(radius - depth) * math.sin(t)))
        turned = cell.rotate(-way, Image.Resampling.BICUBIC)
        stamp.paste(ink, (round(at_x) - 20, round(at_y) - 20), turned)
    for at in range(len(number)):
        t = math.radians(90 + 20 - 40 * (at + 0.5) / len(number))
        at_x, at_y = x + (radius - 12) * math.cos(t), y + (radius - 12) * math.sin(t)
        pen.rectangle((at_x - 1, at_y - 3, at_x + 1, at_y + 3), fill=ink)
    pen.rectangle((x - 20, y - 8, x + 20, y + 8), fill=ink)
    if turn:
        stamp = stamp.rotate(-turn, Image.Resampling.BICUBIC, center=CENTRE, fillcolor="white")
    both = np.minimum(np.asarray(paper), np.asarray(stamp))
    return np.ascontiguousarray(both[:, :, ::-1])


def name_of(image: Picture, seal: seals.Seal) -> seals.Around:
    around = seals.around(seals.ink_of(image, seal), seal)
    assert around is not None
    return around[0]


def found(image: Picture) -> seals.Seal:
    (seal,) = seals.find(image)
    return seal


@pytest.mark.parametrize(("radius", "flat"), [(60, 1.0), (90, 1.0), (130, 1.0), (110, 0.7)])
def test_a_ring_is_found_where_it_is(radius: float, flat: float) -> None:
    seal = found(page(radius, flat))
    assert seal.centre == pytest.approx(CENTRE, abs=2)
    assert sorted(seal.axes) == pytest.approx(sorted((radius, radius * flat)), abs=3)


def test_a_ring_on_a_large_scan_and_on_yellowish_paper_is_found() -> None:
    large = cv2.resize(page(), None, fx=5, fy=5)
    assert found(large).centre == pytest.approx((1500, 1000), abs=8)
    warm = (page() * np.array([0.7, 0.78, 0.97])).astype(np.uint8)
    assert found(warm).centre == pytest.approx(CENTRE, abs=2)


def test_what_is_no_seal_is_left_alone() -> None:
    assert not seals.find(page(ink=(20, 20, 20))), "a black ring"
    assert not seals.find(page(ink=(30, 40, 210))), "a blue one"
    badge = page()
    cv2.circle(badge, CENTRE, 86, (40, 30, 210), -1)
    assert not seals.find(badge), "a filled one"
    empty = np.full((400, 600, 3), 255, np.uint8)
    cv2.circle(empty, CENTRE, 90, (40, 30, 210), 4)
    assert not seals.find(empty), "nothing inside"
    box = np.full((400, 600, 3), 255, np.uint8)
    cv2.rectangle(box, (210, 110), (390, 290), (40, 30, 210), 4)
    assert not seals.find(box), "a box"
    long = page(180, 0.4)
    assert not seals.find(long), "a long one"
    assert not seals.find(page(190, 1.0)), "as large as the page"
    half = page(below=False)
    half[:, : CENTRE[0]] = 255
    assert not seals.find(half), "half a ring"
    assert not seals.find(np.full((400, 600, 3), 255, np.uint8))
    assert not seals.find(np.full((1, 1, 3), 255, np.uint8))


@pytest.mark.parametrize("flat", [1.0, 0.75])
def test_a_name_is_pulled_straight_and_its_letters_are_where_they_were_drawn(flat: float) -> None:
    image = page(110, flat, "PPPPPPPPPP")
    around = name_of(image, found(image))
    inked = around.piece.image[:, :, 0] < 128
    assert runs(inked) == 10
    assert inked[: len(inked) // 2].sum() > 1.1 * inked[len(inked) // 2 :].sum(), "a P has most of its ink above"
    first, last = around.piece.quads(np.array([[0.0, 20.0], [inked.shape[1] - 20.0, inked.shape[1]]])).mean(axis=1)
    assert first[0] < CENTRE[0] < last[0]
    assert first[1] > CENTRE[1] - 20 < last[1]


def test_a_large_star_is_not_taken_for_the_name() -> None:
    image = page(below=False)
    cv2.circle(image, CENTRE, 46, (40, 30, 210), -1)
    name = name_of(image, found(image))
    assert name.depth[1] < 40
    assert runs(name.piece.image[:, :, 0] < 128) >= len(NAME) - 2


def test_its_ink_is_shown_alone_also_where_other_red_ink_is_near() -> None:
    image = page()
    cv2.putText(image, "PAID", (395, 140), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (40, 30, 210), 3)
    seal = found(image)
    ink = seals.ink_of(image, seal)
    assert ink[~seal.mask(image.shape[:2], 4.0)].min() == 255
    assert (ink[seal.mask(image.shape[:2], -6.0)] < 60).any()


def test_a_leaning_seal_tells_by_its_name_which_way_it_leans() -> None:
    for turn in (0, 30, -60, 170):
        image = page(turn=turn, below=False)
        seal = found(image)
        assert (name_of(image, seal).lean(seal) - turn + 180) % 360 - 180 == pytest.approx(0, abs=8)


def test_the_page_without_its_seal_keeps_what_is_below() -> None:
    image = page()
    seal = found(image)
    clean, plain = seals.without(image, [seal]), page(radius=0.1, name="")
    cv2.rectangle(plain, (CENTRE[0] - 25, CENTRE[1] - 12), (CENTRE[0] + 25, CENTRE[1] + 12), (255, 255, 255), -1)
    assert np.abs(clean[:, :, 0].astype(int) - plain[:, :, 0]).mean() < 1.5
    assert clean[seal.mask((400, 600)), 0][plain[seal.mask((400, 600)), 0] == 255].min() > 200
    assert image[200, 300].tolist() == [40, 30, 210], "the picture that was given is as it was"


def test_what_stands_inside_is_shown_without_name_and_ring() -> None:
    image = page()
    seal = found(image)
    inside = seals.inside(seals.ink_of(image, seal), seal, [name_of(image, seal)])[:, :, 0] < 128
    rows, columns = np.nonzero(inside)
    mark = (abs(columns - CENTRE[0]) <= 24) & (abs(rows - CENTRE[1]) <= 12)
    assert mark.sum() > 500
    assert (~mark).sum() < 10


class Reads:
    """Says what it is told to, picture by picture; what is asked beyond that is empty."""

    name, version, vocabulary = "toy", "1", frozenset("章")

    def __init__(self, *says: tuple[str, float]) -> None:
        self.says, self.seen = list(says), list[Crop]()

    def read(self, crops: Sequence[Crop], allow: frozenset[str] | None = None) -> list[Reading]:
        self.seen += crops
        return [self._one(crop) for crop in crops]

    def _one(self, crop: Crop) -> Reading:
        text, confidence = self.says.pop(0) if self.says else ("", 0.0)
        wide = crop.shape[1] / max(1, len(text))
        return reading_of([ReadChar(char, confidence, wide * i, wide * (i + 1)) for i, char in enumerate(text)], "toy")

    def release(self) -> None: ...


class Finds:
    """A detector that finds lines in the middle, so many px below it."""

    def __init__(self, *below: float) -> None:
        self.below = below or (0.0,)

    def detect(self, image: Picture, scale: float = 1.0) -> list[Box]:
        height, width = image.shape[:2]
        left, right = width / 2 - 25, width / 2 + 25
        ends = [(height / 2 - 12 + y, height / 2 + 12 + y) for y in self.below]
        quads = [[[left, top], [right, top], [right, bottom], [left, bottom]] for top, bottom in ends]
        return [Box(np.array(quad, np.float32), 0.9, 8.0) for quad in quads]


def said(image: Picture, *says: tuple[str, float]) -> tuple[Picture, list[str], Reads]:
    reads = Reads(*says)
    clean, lines = stamped.read(image, Finds(), reads)  # type: ignore[arg-type]
    return clean, [line.reading.text for line in lines if line.reading], reads


def test_name_and_what_stands_inside_are_lines_and_the_page_is_clean() -> None:
    clean, lines = stamped.read(page(), Finds(), Reads(("东方贸易公司", 0.9), ("合同章", 0.9)))  # type: ignore[arg-type]
    assert [line.reading.text for line in lines if line.reading] == ["东方贸易公司", "合同章"]
    for line in lines:
        assert line.quad.mean(axis=0) == pytest.approx(CENTRE, abs=3)
        middle = line.piece.quads(np.array([[0.0, line.piece.image.shape[1]]]))[0].mean(axis=0)
        assert middle == pytest.approx(CENTRE, abs=100)
    assert clean[200, 300].min() > 200
    assert said(page(), ("东方贸易公司", 0.9), ("★", 0.9))[1] == ["东方贸易公司"], "a star"


def test_lines_inside_are_read_from_the_top() -> None:
    reads = Reads(("东方贸易公司", 0.9), ("合同", 0.9), ("专用章", 0.9))
    _, lines = stamped.read(page(), Finds(20.0, -20.0), reads)  # type: ignore[arg-type]
    assert [line.reading.text for line in lines[1:] if line.reading] == ["合同", "专用章"]
    assert lines[1].quad[:, 1].mean() < lines[2].quad[:, 1].mean()


@pytest.mark.parametrize("name", [("东方贸易公司", 0.6), ("东方贸", 0.9), NONE])
def test_a_ring_whose_name_cannot_be_read_stays_on_the_page(name: tuple[str, float]) -> None:
    image = page()
    clean, texts, _ = said(image, name, ("合同章", 0.9))
    assert (clean is image, texts) == (True, [])


def test_the_number_at_the_bottom_is_turned_round_and_comes_last() -> None:
    image = page(name="RRRRRRRR", number="111111111")
    _, texts, reads = said(image, ("东方贸易公司", 0.9), ("3101150088213", 0.9), ("合同章", 0.9))
    assert texts == ["东方贸易公司", "合同章", "3101150088213"]
    name, number = (picture[:, :, 0] < 128 for picture in reads.seen[:2])
    assert number.shape[0] < 0.6 * name.shape[0], "cut to its own height"
    assert runs(name) == 8
    assert runs(number) == 9
    _, lines = stamped.read(image, Finds(), Reads(("东方贸易公司", 0.9), ("3101150088213", 0.9)))  # type: ignore[arg-type]
    wide = lines[-1].piece.image.shape[1]
    ((left, top), (right, _), _, (_, bottom)) = lines[-1].piece.quads(np.array([[0.45, 0.55]]) * wide)[0]
    assert left < right
    assert CENTRE[1] < top < bottom, "it stands upright at the bottom"
    for text, sure in (("ttott15008821", 0.9), ("3101150088213", 0.6), ("310115008213", 0.9)):
        assert said(image, ("东方贸易公司", 0.9), (text, sure), ("合同章", 0.9))[1] == ["东方贸易公司", "合同章"]


def runs(inked: NDArray[np.bool_]) -> int:
    """How many stretches of columns hold ink."""
    columns = inked.any(axis=0).astype(int)
    return int((np.diff(columns, prepend=0) > 0).sum())
