"""The recognisers with their real weights: text, places, masks, long lines, odd crops, and the cascade over both."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from bench.overhead import line as one_line
from shared.records import ReadOptions
from tests.stack import models_folder
from worker.reading import languages
from worker.reading.cascade import Cascade
from worker.reading.detect import Detector
from worker.reading.engines import load_recogniser, version_of
from worker.reading.engines.ctc_recogniser import CtcRecogniser
from worker.reading.page import Reader
from worker.reading.recogniser import Reading, Recogniser
from worker.reading.runtime import Session

LONG = (
    "The committee met on 14 March 2024 and agreed that every invoice above 1,250.00 euros must carry a reference, a date "
    "and two signatures; smaller ones (under 50.00) are paid at once, in cash, by the clerk."
)


def line(text: str, size: int = 30) -> NDArray[np.uint8]:
    """A line of text, black on white, as a BGR crop."""
    face = ImageFont.load_default(size=size)
    picture = Image.new("RGB", (int(face.getlength(text)) + 16, size * 3 // 2), "white")
    ImageDraw.Draw(picture).text((8, size // 8), text, fill="black", font=face)
    return np.ascontiguousarray(np.asarray(picture, np.uint8)[:, :, ::-1])


@pytest.fixture(scope="module")
def folder() -> Path:
    return models_folder()


@pytest.fixture(scope="module")
def strong(folder: Path) -> Recogniser:
    return load_recogniser("ppocrv6", folder)


@pytest.fixture(scope="module")
def auto(folder: Path) -> Cascade:
    engine = load_recogniser("auto", folder)
    assert isinstance(engine, Cascade)
    return engine


def test_a_version_is_told_without_loading(folder: Path, strong: Recogniser, auto: Cascade) -> None:
    assert version_of("ppocrv6", folder) == strong.version
    assert version_of("crnn", folder) == auto.quick.version
    assert version_of("auto", folder) == auto.version


def text(reading: Reading) -> str:
    return reading.text.replace(" ", "")


def errors(got: str, want: str) -> int:
    """Levenshtein distance, without white space."""
    got, want = got.replace(" ", ""), want.replace(" ", "")
    row = list(range(len(want) + 1))
    for i, a in enumerate(got, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(want, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


@pytest.mark.parametrize("engine", ["ppocrv6", "crnn", "auto"])
def test_every_engine_reads_a_clean_line(folder: Path, engine: str) -> None:
    (reading,) = load_recogniser(engine, folder).read([line("OCR ready 2025")])
    assert text(reading) == "OCRready2025"
    assert reading.confidence > 0.9
    assert reading.engine in ("ppocrv6", "crnn")


def test_characters_stand_where_they_were_drawn(strong: Recogniser) -> None:
    words = "left                    right"
    crop = line(words)
    (reading,) = strong.read([crop])
    left = [char for char in reading.chars if char.text in "left"][:4]
    right = [char for char in reading.chars if char.text.strip()][-5:]
    assert "".join(char.text for char in left + right) == "leftright"
    assert max(char.x1 for char in left) < crop.shape[1] * 0.35
    assert min(char.x0 for char in right) > crop.shape[1] * 0.6
    assert all(a.x1 <= b.x0 + 1e-3 for a, b in zip(reading.chars, reading.chars[1:], strict=False))
    assert all(0 <= char.x0 < char.x1 <= crop.shape[1] for char in reading.chars)


@pytest.mark.parametrize("number", [59, 123, 180])
def test_paper_around_a_line_is_neither_doubt_nor_text(folder: Path, number: int) -> None:
    reader = Reader(folder, "auto")
    crnn = load_recogniser("crnn", folder)
    assert isinstance(crnn, CtcRecogniser)
    picture = cv2.imdecode(np.frombuffer(one_line(number), np.uint8), cv2.IMREAD_COLOR)  # its right third is empty
    peaks = crnn.trace(picture).peaks
    assert crnn.alphabet[peaks[-1].index] == "t"
    (found,) = reader.read(picture, ReadOptions()).lines
    assert found.text == f"Order {number} was sent" == "".join(char.text for char in found.chars)


def test_only_allowed_characters_are_answered(strong: Recogniser) -> None:
    crop = line("1O0l5S")
    (reading,) = strong.read([crop], allow=frozenset("0123456789"))
    assert reading.text
    assert set(reading.text) <= set("0123456789 ")
    english = languages.characters("en", strong.vocabulary)
    assert text(strong.read([line("Total: 12.50")], allow=english)[0]) == "Total:12.50"


def test_a_line_of_200_characters_reads_as_well_as_its_halves(strong: Recogniser) -> None:
    middle = LONG.index(" ", len(LONG) // 2)
    whole, first, second = strong.read([line(LONG), line(LONG[:middle]), line(LONG[middle + 1 :])])
    assert errors(whole.text, LONG) <= errors(first.text + second.text, LONG)
    assert errors(whole.text, LONG) <= 1
    places = [char.x0 for char in whole.chars]
    assert places == sorted(places)
    assert whole.chars[-1].x1 > line(LONG).shape[1] * 0.98


def test_a_thousand_characters_read_too(strong: Recogniser) -> None:
    (reading,) = strong.read([line(LONG * 5)])
    assert errors(reading.text, LONG * 5) <= 5


@pytest.mark.parametrize("shape", [(1, 1, 3), (48, 1, 3), (1, 300, 3), (400, 3, 3), (20, 12_000, 3), (0, 10, 3)])
def test_odd_crops_do_not_fail(strong: Recogniser, shape: tuple[int, int, int]) -> None:
    (reading,) = strong.read([np.full(shape, 255, np.uint8)])
    assert len(reading.text) == len(reading.chars) or reading.text


def test_nothing_asked_nothing_answered(strong: Recogniser) -> None:
    assert strong.read([]) == []


def test_the_order_of_the_crops_is_kept(auto: Cascade) -> None:
    words = ["alpha", "beta 22", "gamma", "delta 4"]
    assert [text(reading) for reading in auto.read([line(word) for word in words])] == [
        word.replace(" ", "") for word in words
    ]


def test_a_reading_does_not_depend_on_what_was_read_before(auto: Cascade) -> None:
    crop = line("Invoice 4711, 12.50")
    noise = np.random.default_rng(3).integers(0, 255, (40, 500, 3)).astype(np.uint8)
    (alone,) = auto.read([crop])
    auto.read([noise] * 30)
    (after,) = auto.read([crop])
    assert after == alone


def test_the_cascade_says_what_it_did(auto: Cascade) -> None:
    auto.begin_page()
    auto.read([line("one")])
    auto.read([line("two"), line("three")])
    stats = auto.last_stats
    assert stats["lines"] == 3
    assert stats["crnn_lines"] == 3
    assert stats["crnn_ms"] > 0
    auto.begin_page()
    assert auto.last_stats["lines"] == 0


def test_a_page_the_crnn_cannot_read_is_left_to_the_stronger_engine(auto: Cascade) -> None:
    noise = np.random.default_rng(5).integers(0, 255, (40, 400, 3)).astype(np.uint8)
    auto.begin_page()
    auto.read([noise] * (auto.gate.probe_lines + 5))
    assert auto.last_stats["crnn_lines"] == auto.gate.probe_lines
    assert auto.last_stats["passed_on_lines"] == auto.gate.probe_lines


def test_a_language_the_crnn_does_not_know_is_not_asked_of_it(auto: Cascade) -> None:
    auto.begin_page()
    auto.read([line("Grüße")], allow=languages.characters("de", auto.vocabulary))
    assert auto.last_stats["crnn_lines"] == 0


def test_an_added_detector_finds_the_lines_of_its_own_engine_only(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(folder, "crnn")
    usual = reader.detector("modelscope")
    assert usual is reader.detector("crnn"), "none was added"
    added = Detector.load(folder)
    monkeypatch.setattr("worker.reading.models.added_detector", lambda models: "its facts")
    monkeypatch.setattr("worker.reading.page.load_detector", lambda engine, models, precision: (added, "resnet18-0000"))
    assert reader.detector("modelscope") is added
    assert reader.detector("crnn") is usual


@pytest.mark.parametrize("engine", ["crnn", "ppocrv6"])
def test_the_o_of_a_code_is_told_by_its_height_where_the_language_has_one(folder: Path, engine: str) -> None:
    recogniser = load_recogniser(engine, folder)
    picture = Image.new("RGB", (260, 64), "white")
    ImageDraw.Draw(picture).text((12, 8), "o1234567", fill="black", font=ImageFont.load_default(size=40))
    crop = np.ascontiguousarray(np.asarray(picture)[:, :, ::-1])
    assert recogniser.read([crop])[0].text == "o1234567"
    assert recogniser.read([crop], frozenset("0123456789"))[0].text == "01234567"


class Widths:
    """A session that notes how wide the pictures are that it is shown."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.seen: list[int] = []

    def __call__(self, *inputs: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        self.seen.append(inputs[0].shape[3])
        return self.session(*inputs)


def test_paper_around_a_line_is_not_paid_for_and_moves_nothing(folder: Path) -> None:
    reader = load_recogniser("crnn", folder)
    assert isinstance(reader, CtcRecogniser)
    text = line("Order 4711")
    places = []
    for before, after in ((0, 0), (300, 600)):
        widths = Widths(reader.session)
        reader.session = widths  # type: ignore[assignment]
        picture = cv2.copyMakeBorder(text, 0, 0, before, after, cv2.BORDER_CONSTANT, value=(255, 255, 255))
        reading = reader.trace(picture).reading
        reader.session = widths.session
        assert reading.text == "Order 4711"
        assert max(widths.seen) <= 224
        places.append([char.x0 - before for char in reading.chars])
    assert places[1] == pytest.approx(places[0], abs=6)  # a step is 4 px of 32


@pytest.mark.parametrize("engine", ["crnn", "ppocrv6"])
def test_a_comma_that_was_taken_for_a_point_parts_thousands(folder: Path, engine: str) -> None:
    reader = load_recogniser(engine, folder)
    assert isinstance(reader, CtcRecogniser)
    point, comma = reader.alphabet.index("."), reader.alphabet.index(",")
    session = reader.session

    def blurred(*inputs: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        scores, classes = session(*inputs)
        place = np.nonzero(classes[0, :, 0] == comma)[0]
        classes[0, place, :2], scores[0, place, :2] = (point, comma), (0.8, 0.15)
        return [scores, classes]

    assert reader.trace(line("Total 12,386.50")).reading.text == "Total 12,386.50"
    reader.session = blurred  # type: ignore[assignment]
    reading = reader.trace(line("Total 12,386.50")).reading
    assert reading.text == "Total 12,386.50"
    assert [char.alternatives[0][0] for char in reading.chars if char.text == ","] == ["."]
