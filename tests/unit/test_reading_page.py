"""The reader on rendered pages: what it says, where it says it stands, whichever way the page lies."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from shared.errors import UnknownOption
from shared.records import Page, ReadOptions
from worker.reading import ctc, lines, memory, models
from worker.reading.engines.ctc_recogniser import CtcRecogniser
from worker.reading.page import MEMORY_MB, Reader
from worker.reading.recogniser import ReadChar, Reading

FOLDER = Path(os.environ.get("OCRFLEET_MODELS") or Path(__file__).resolve().parents[2] / "models")
LINES = ("Invoice number 20417", "Total amount 1,386.50", "Please pay within 30 days", "Thank you for your visit")
DRAWN_AT = [(60, 50 + 70 * i) for i in range(len(LINES))]

pytestmark = pytest.mark.skipif(
    not os.environ.get("CI") and any(state.state != "here" for state in models.check(FOLDER)),
    reason="models are not here: run `ocrfleet models fetch`",
)


@pytest.fixture(scope="module")
def reader() -> Reader:
    cv2.setNumThreads(0)
    return Reader(FOLDER, "ppocrv6")


@pytest.fixture(scope="module")
def read(reader: Reader) -> Callable[..., Page]:
    def read(image: np.ndarray, **options: str) -> Page:
        return reader.read(image, ReadOptions(**{"engine": "ppocrv6", "layout": "page", **options}))

    return read


def drawn(
    size: tuple[int, int], texts: list[tuple[tuple[int, int], str, int]], ink: str = "black", paper: str = "white"
):
    picture = Image.new("RGB", size, paper)
    pen = ImageDraw.Draw(picture)
    for place, text, height in texts:
        pen.text(place, text, fill=ink, font=ImageFont.load_default(size=height))
    return np.ascontiguousarray(np.asarray(picture)[:, :, ::-1])


def letter() -> np.ndarray:
    return drawn((640, 360), [(place, text, 32) for place, text in zip(DRAWN_AT, LINES, strict=True)])


def tilted(image: np.ndarray, degrees: float) -> np.ndarray:
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    matrix[:, 2] += 120
    return cv2.warpAffine(image, matrix, (width + 240, height + 240), flags=cv2.INTER_CUBIC, borderValue=(255,) * 3)


def test_where_the_detector_doubts_reading_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    doubting = Reader(FOLDER, "ppocrv6")
    detector = doubting.detector("ppocrv6")
    looked = detector.detect
    monkeypatch.setattr(detector, "detect", lambda *given: [replace(box, doubtful=True) for box in looked(*given)])
    image = letter()
    cv2.line(image, (60, 330), (320, 334), (0, 0, 0), 9)  # a stroke of a pen
    cv2.ellipse(image, (560, 300), (50, 26), 0, 0, 300, (0, 0, 0), 6)
    page = doubting.read(image, ReadOptions(engine="ppocrv6", layout="page"))
    assert tuple(line.text for line in page.lines) == LINES


def test_a_page_is_read_in_order_with_its_timing(read: Callable[..., Page]) -> None:
    page = read(letter())
    assert tuple(line.text for line in page.lines) == LINES
    assert page.text.split("\n") == list(LINES)
    assert {"prepare", "detect", "orient", "crop", "recognise", "order", "total"} <= set(page.timing_ms)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_page_on_its_side_or_head_is_read_and_its_rotation_told(read: Callable[..., Page], quarters: int) -> None:
    page = read(np.ascontiguousarray(np.rot90(letter(), -quarters)))
    assert tuple(line.text for line in page.lines) == LINES
    assert page.rotation == (360 - 90 * quarters) % 360


@pytest.mark.parametrize("degrees", [-10, 10])
def test_a_tilted_page_is_read_in_order(read: Callable[..., Page], degrees: float) -> None:
    assert tuple(line.text for line in read(tilted(letter(), degrees)).lines) == LINES


def test_boxes_stand_where_the_text_stands_on_a_page_upside_down(read: Callable[..., Page]) -> None:
    page = read(np.ascontiguousarray(np.rot90(letter(), 2)))
    top_left = np.array(page.lines[0].box[0])
    assert top_left == pytest.approx((640 - DRAWN_AT[0][0], 360 - DRAWN_AT[0][1]), abs=20)


def test_characters_stand_in_order_inside_their_line(read: Callable[..., Page]) -> None:
    line = read(letter()).lines[1]
    assert "".join(char.text for char in line.chars) == line.text
    middles = [np.mean([x for x, _ in char.box]) for char in line.chars if char.box]
    assert middles == sorted(middles)
    assert line.box[0][0] - 5 <= middles[0] <= line.box[0][0] + 40
    assert line.box[1][0] - 40 <= middles[-1] <= line.box[1][0] + 5


def test_small_print_beside_large_is_read(read: Callable[..., Page]) -> None:
    large = [((40, 40 + 90 * i), "LARGE HEADING", 64) for i in range(4)]
    small = [((40, 420 + 16 * i), f"small print number {i} of this page", 11) for i in range(4)]
    texts = [line.text for line in read(drawn((900, 520), large + small)).lines]
    assert [text for text in texts if text.startswith("small print")] == [row[1] for row in small]


def test_a_bent_line_is_pulled_straight(read: Callable[..., Page]) -> None:
    flat = drawn((760, 260), [((60, 110), "This line of text is bent a lot", 40)])
    x, y = np.meshgrid(np.arange(760, dtype=np.float32), np.arange(260, dtype=np.float32))
    bent = cv2.remap(
        flat, x, y - 60 * np.sin(x / 760 * np.pi).astype(np.float32) + 30, cv2.INTER_CUBIC, borderValue=(255,) * 3
    )
    assert [line.text for line in read(bent).lines] == ["This line of text is bent a lot"]


def test_boxes_to_tick_are_in_the_text_with_what_is_in_them(read: Callable[..., Page]) -> None:
    image = drawn((640, 260), [((110, 40), "Full time", 32), ((350, 40), "Part time", 32), ((60, 160), "Signed", 32)])
    for x, ticked in ((70, False), (310, True)):
        cv2.rectangle(image, (x, 48), (x + 24, 72), (0, 0, 0), 2)
        if ticked:
            cv2.polylines(
                image, [np.array([(x + 4, 58), (x + 10, 66), (x + 24, 42)])], False, (0, 0, 0), 3, cv2.LINE_AA
            )
    page = read(image)
    assert page.text.split("\n")[0] == "☐ Full time ☑ Part time"
    first, *_ = (line for line in page.lines if "☐" in line.text)
    assert first.chars[0].box
    assert first.chars[0].box[0][0] == pytest.approx(70, abs=3)
    assert "".join(char.text for char in first.chars) == first.text


def test_light_text_on_dark_is_read(read: Callable[..., Page]) -> None:
    image = drawn((640, 120), [((40, 40), "White on black 42", 36)], ink="white", paper="black")
    assert read(image).text == "White on black 42"


def test_a_line_alone_is_read_without_the_detector(read: Callable[..., Page]) -> None:
    page = read(drawn((420, 44), [((4, 4), "One line only 77", 32)]), layout="line")
    assert page.text == "One line only 77"
    assert page.timing_ms["detect"] == 0
    assert "detector" not in page.models


def test_a_tight_crop_is_recognised_as_one_line(read: Callable[..., Page]) -> None:
    page = read(drawn((420, 44), [((4, 4), "One line only 77", 32)]), layout="auto")
    assert [line.text for line in page.lines] == ["One line only 77"]


def test_a_tilted_line_alone_is_levelled_and_its_box_follows(read: Callable[..., Page]) -> None:
    line = tilted(drawn((520, 60), [((10, 10), "Held askew by six degrees", 32)]), 6)[60:240, 100:680]
    levelled, left = (read(line, layout="line", preprocess=how) for how in ("auto", "off"))
    assert levelled.text == "Held askew by six degrees"
    (x0, y0), (x1, y1) = levelled.lines[0].box[:2]
    assert np.degrees(np.arctan2(y1 - y0, x1 - x0)) == pytest.approx(6, abs=1)
    assert left.lines[0].box[0] == (0, 0)


def test_an_empty_page_has_no_lines(read: Callable[..., Page]) -> None:
    page = read(np.full((800, 600, 3), 255, np.uint8))
    assert (page.lines, page.text, page.rotation) == ((), "", 0)


@pytest.mark.parametrize("shape", [(5, 5), (4, 3000), (3000, 4), (1, 1)])
def test_odd_pictures_are_survived(read: Callable[..., Page], shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 255, (*shape, 3), dtype=np.uint8)
    for layout in ("auto", "page", "line"):
        read(image, layout=layout)


def test_progress_counts_up_to_all_lines(reader: Reader) -> None:
    seen: list[tuple[int, int]] = []
    reader.read(letter(), ReadOptions(engine="ppocrv6"), lambda done, total: seen.append((done, total)))
    assert seen[-1] == (4, 4)
    assert seen == sorted(seen)


def test_an_unknown_language_is_refused(read: Callable[..., Page]) -> None:
    with pytest.raises(UnknownOption):
        read(letter(), lang="klingon")


def test_the_fingerprint_tells_engines_and_layouts_apart(reader: Reader) -> None:
    prints = {reader.fingerprint(ReadOptions(engine="ppocrv6", layout=layout)) for layout in ("page", "line")}
    assert len(prints) == 2


def test_the_fingerprint_tells_reading_with_words_from_reading_letter_by_letter(reader: Reader) -> None:
    options = ReadOptions(engine="ppocrv6")
    plain = Reader(FOLDER, "ppocrv6", words=False)
    assert plain.fingerprint(options) != reader.fingerprint(options)
    assert plain.models_used(options)["words"] == "off"
    assert plain.renewed({}).fingerprint(options) == plain.fingerprint(options)


@pytest.mark.parametrize(("words", "text"), [(True, "smokers"), (False, "amokers")])
def test_the_gate_sees_what_the_pixels_gave_whatever_the_words_say(
    words: bool, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = CtcRecogniser(models.facts("crnn"), FOLDER, words=words)
    classes = np.zeros((40, ctc.TOP), np.int32)
    scores = np.tile(np.float32([0.99, 0.003, 0.002, 0.001]), (40, 1))
    for place, char in enumerate("amokers"):
        classes[4 + 4 * place, 0] = engine.alphabet.index(char)
    classes[4, 1] = engine.alphabet.index("s")
    scores[4] = 0.6, 0.35, 0.02, 0.01
    monkeypatch.setattr(engine, "_steps", lambda lines, mask: [(scores, classes)])
    trace = engine.trace(np.full((32, 160, 3), 255, np.uint8))
    assert trace.reading.text == text
    assert trace.peaks[0].confidence == pytest.approx(0.6)
    assert trace.reading.chars[0].alternatives[0][0] == ("a" if words else "s")


def test_warming_reads_a_line(reader: Reader) -> None:
    assert reader.warm() == "OCR ready 2025"


def test_a_page_of_twelve_thousand_pixels_is_read_to_its_end(read: Callable[..., Page]) -> None:
    texts = [f"Row {i} of a very long receipt" for i in range(6)]
    image = drawn((620, 12000), [((40, 100 + 2300 * i), text, 34) for i, text in enumerate(texts)])
    assert [line.text for line in read(image).lines] == texts


def test_the_characters_of_a_column_are_boxed_where_they_stand(read: Callable[..., Page]) -> None:
    page = cv2.imread(str(Path(__file__).parents[2] / "samples" / "page-vertical.jpg"))
    columns = [line for line in read(page).lines if line.vertical and len(line.chars) >= 5]
    assert len(columns) >= 4
    darkness = 255.0 - cv2.cvtColor(page, cv2.COLOR_BGR2GRAY)
    darkness = (darkness - np.median(darkness)).clip(0)
    for line in columns:
        left, right = (int(edge(x for x, _ in line.box)) for edge in (min, max))
        rows = darkness[:, left:right].mean(axis=1)
        tops, bottoms = ([edge(y for _, y in char.box) for char in line.chars if char.box] for edge in (min, max))
        inside = [rows[int(top) + 4 : int(bottom) - 3].mean() for top, bottom in zip(tops, bottoms, strict=True)]
        between = [rows[int(top) - 1 : int(top) + 2].mean() for top in tops[1:]]
        assert np.mean(between) < 0.1 * np.mean(inside), line.text


@pytest.mark.parametrize(("lang", "last"), [("auto", "聲"), ("zh", "聲"), ("ja", "声")])
def test_a_pages_script_settles_its_doubtful_characters(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, lang: str, last: str
) -> None:
    sure = [ReadChar(char, 0.99, 20.0 * i, 20.0 * i + 18) for i, char in enumerate("觀薩羅蘊經識")]
    chars = (*sure, ReadChar("声", 0.55, 120.0, 138.0, (("聲", 0.4),)))

    class Fake:
        vocabulary = frozenset(char.text for char in chars)

        def read(self, crops: object, allow: object = None) -> list[Reading]:
            return [Reading("".join(char.text for char in chars), 0.9, chars, "fake")]

    monkeypatch.setattr(reader, "recogniser", lambda engine: Fake())
    page = reader.read(letter()[40:100], ReadOptions(engine="ppocrv6", layout="line", preprocess="off", lang=lang))
    assert page.text == "觀薩羅蘊經識" + last


def test_a_pages_lines_get_their_brackets_in_pairs(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    chars = tuple(ReadChar(char, 0.9, 20.0 * i, 20.0 * i + 18) for i, char in enumerate("（大写)"))

    class Fake:
        vocabulary = frozenset("（大写)")

        def read(self, crops: object, allow: object = None) -> list[Reading]:
            return [Reading("（大写)", 0.9, chars, "fake")]

    monkeypatch.setattr(reader, "recogniser", lambda engine: Fake())
    page = reader.read(letter()[40:100], ReadOptions(engine="ppocrv6", layout="line", preprocess="off"))
    assert page.text == "（大写）"


def salted(image: np.ndarray) -> np.ndarray:
    hit = np.random.default_rng(5).random(image.shape[:2])
    out = image.copy()
    out[hit < 0.07], out[hit > 0.93] = 0, 255
    return out


def test_robust_weights_read_damaged_lines_and_are_not_loaded_for_good_ones(
    reader: Reader, read: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_robust", {})
    monkeypatch.setattr(lines, "SURE_WORN", 1.0)
    monkeypatch.setattr(memory, "resident_mb", lambda: 0.0)
    clean = letter()
    assert read(clean).models["damaged_lines"]
    assert not reader._robust, "a good page needs them not"
    worn = salted(clean)
    assert read(worn).text.splitlines() == list(LINES)
    assert reader._robust
    assert "damaged_lines" not in read(worn, preprocess="off").models


def test_where_memory_is_short_the_robust_weights_are_let_go(
    reader: Reader, read: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_robust", {})
    monkeypatch.setattr(reader, "_robust_gone", -100)
    monkeypatch.setattr(lines, "SURE_WORN", 1.0)
    worn = salted(letter())
    monkeypatch.setattr(memory, "resident_mb", lambda: 1e6)
    assert read(worn).text.splitlines() == list(LINES)
    assert not reader._robust
    assert read(worn).text.splitlines() == list(LINES), "and come again"
    assert reader._robust, "needed again so soon they stay,"
    assert not reader._recognisers, "and the engines' kernels go"
    monkeypatch.setattr(reader, "_reads", reader._reads + 30)
    assert read(worn).text.splitlines() == list(LINES)
    assert not reader._robust, "much later they go again"


@pytest.mark.parametrize("size", [(900, 900), (1200, 700), (1200, 900)])
def test_the_edges_of_a_sheet_on_a_desk_are_no_text(read: Callable[..., Page], size: tuple[int, int]) -> None:
    sheet = np.full((*size, 3), 235, np.uint8)
    sheet[30:246, 30:414] = cv2.resize(letter(), (384, 216), interpolation=cv2.INTER_AREA)
    desk = [cv2.copyMakeBorder(sheet, 250, 250, 250, 250, cv2.BORDER_CONSTANT, value=(70, 80, 95))]
    height, width = desk[0].shape[:2]
    for turn in (-6, 4):
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, 1.0)
        desk.append(cv2.warpAffine(desk[0], matrix, (width, height), borderMode=cv2.BORDER_REPLICATE))
    assert [read(picture).text.splitlines() for picture in desk] == [list(LINES)] * 3


def test_a_pages_own_picture_goes_with_it_and_is_no_reason_to_let_engines_go(
    reader: Reader, read: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    gone: list[float] = []
    monkeypatch.setattr(reader, "_robust", {})
    picture = letter()
    for share in (0.5, 1.5):  # of the picture, beyond what may stay
        resident = MEMORY_MB + share * picture.nbytes / 1e6
        monkeypatch.setattr(memory, "resident_mb", lambda resident=resident: resident)
        monkeypatch.setattr(reader, "_let_engines_go", lambda share=share: gone.append(share))
        monkeypatch.setattr(reader, "_fresh_mb", 1.0)
        read(picture)
    assert gone == [1.5]
