"""Pages that are really read: seals and watermarks come after the page's own text, and sheets of one picture one by one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from shared.records import Page, ReadOptions
from tests.unit.test_reading_page import FOLDER, drawn, pytestmark
from tests.unit.test_reading_seals import CENTRE
from tests.unit.test_reading_seals import page as sealed
from worker.reading.page import Reader

__all__ = ["pytestmark"]  # these tests are skipped where models are missing, as those are


@pytest.fixture(scope="module")
def read() -> Callable[..., Page]:
    reader = Reader(FOLDER, "ppocrv6")

    def read(image: np.ndarray, **options: str) -> Page:
        return reader.read(image, ReadOptions(**{"engine": "ppocrv6", "layout": "page", **options}))

    return read


def test_a_seal_is_read_by_itself_and_what_it_lies_over_is_whole(read: Callable[..., Page]) -> None:
    image = sealed(name="EASTERN TRADING", below=True)
    page = read(image)
    assert page.text.split("\n\n") == ["Received with thanks from the buyer", "EASTERN TRADING"]
    (_, seal) = page.lines
    assert len(seal.chars) == len("EASTERN TRADING")
    places = [np.mean(char.box, axis=0) for char in seal.chars if char.text.strip()]
    away = [np.hypot(*(place - CENTRE)) for place in places]
    assert max(away) - min(away) < 8, "its characters stand around"
    assert "\n\nEASTERN TRADING" not in read(image, preprocess="off").text, "left as it is"


@pytest.mark.parametrize(
    "places",
    [((30, 80), (30, 400), (240, 700)), ((30, 680), (480, 680), (30, 900), (480, 900))],
    ids=["across", "below"],
)
def test_a_watermark_comes_last_and_once(read: Callable[..., Page], places: tuple[tuple[int, int], ...]) -> None:
    lines = [f"Clause {number} stays as it was agreed in May" for number in ("one", "two", "three", "four", "five")]
    page = drawn((900, 1200), [((60, 60 + 120 * row), text, 32) for row, text in enumerate(lines)])
    mark = Image.new("L", (420, 60), 0)
    ImageDraw.Draw(mark).text((4, 2), "STRICTLY INTERNAL", 255, ImageFont.load_default(size=44))
    slanting = np.asarray(mark.rotate(24, Image.Resampling.BICUBIC, expand=True)).astype(np.float32) / 255
    high, wide = slanting.shape
    for x, y in places:
        part = page[y : y + high, x : x + wide]
        part[:] = np.minimum(part, 255 - 55 * slanting[: part.shape[0], : part.shape[1], None])
    found = read(page)
    assert found.text.split("\n\n")[-1] == "STRICTLY INTERNAL"
    assert found.text.count("STRICTLY") == 1
    assert [line.text for line in found.lines[:5]] == lines
    assert len(found.lines) > 6, "nothing of it is left out"


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_contract_is_read_without_its_seal_and_watermark_and_they_come_last(
    read: Callable[..., Page], quarters: int
) -> None:
    image = cv2.imread(str(Path(__file__).parents[2] / "samples" / "contract-zh.jpg"))
    page = read(np.ascontiguousarray(np.rot90(image, quarters)))
    *text, seal, mark = page.text.replace(" ", "").split("\n\n")
    assert seal.split("\n") == ["浦汇机械设备有限公司", "合同专用章", "3101150088213"]
    assert mark == "内部资料请勿外传"
    assert all(part in "".join(text) for part in ("甲方浦汇机械设备有限公司", "2031年11月28日", "代表沈国栋"))
    assert "合同专用章" not in "".join(text)
    assert page.rotation == 90 * quarters


def test_two_receipts_in_one_picture_are_read_one_after_the_other(read: Callable[..., Page]) -> None:
    def receipt(*rows: str) -> Image.Image:
        return Image.fromarray(drawn((420, 300), [((30, 30 + 60 * at), row, 28) for at, row in enumerate(rows)]))

    texts = (
        ["Green Valley Farm", "Apples and pears", "Total due 18.40", "Thank you"],
        ["Harbour Hardware", "Hammer and nails", "Total due 32.75", "Come again"],
    )
    desk = Image.new("RGB", (1000, 520), (120, 100, 80))
    for x, turn, rows in ((30, -8, texts[0]), (500, 11, texts[1])):
        sheet = receipt(*rows).convert("RGBA").rotate(turn, Image.Resampling.BICUBIC, expand=True)
        desk.paste(sheet, (x, 60), sheet)
    page = read(np.ascontiguousarray(np.asarray(desk)[:, :, ::-1]))
    assert [line.text for line in page.lines] == [*texts[0], *texts[1]]
    assert page.text == "\n\n".join("\n".join(rows) for rows in texts)
