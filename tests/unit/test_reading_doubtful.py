"""What the detector doubts: faint cores and what only one of two windows saw are offered, and kept where they are read."""

from dataclasses import replace

import numpy as np
import pytest

from worker.reading import detect, find, prepare, tiles
from worker.reading.crop import Cut
from worker.reading.detect import Box, Detector
from worker.reading.found import Found
from worker.reading.recogniser import Reading

PAPER, INK = 255, 0


def box(left: float, top: float, right: float, bottom: float, score: float = 0.9) -> Box:
    corners = [[left, top], [right, top], [right, bottom], [left, bottom]]
    return Box(np.array(corners, dtype=np.float32), score, bottom - top)


def test_a_faint_core_outside_the_sure_boxes_is_doubtful() -> None:
    most = np.zeros((100, 300), dtype=np.uint8)
    most[20:32, 20:120] = 240  # a sure line
    most[20:32, 160:172] = 0.42 * 255  # a glyph that the detector hardly saw
    most[70:82, 20:60] = 0.31 * 255  # a stain
    (found,) = detect.doubtful_boxes(most, [box(14, 14, 126, 38)])
    assert found.doubtful
    assert found.quad.mean(0) == pytest.approx((165.5, 25.5), abs=1)
    assert detect.DOUBTFUL_THRESHOLD < found.score < detect.BOX_THRESHOLD


class OneEyed:
    """In place of the network: sees every black pixel but those in the left 60 px of a window that is not the first."""

    def __init__(self) -> None:
        self.windows = 0

    def __call__(self, x: np.ndarray) -> list[np.ndarray]:
        logits = np.where(x[:, :1] < 0, 6.0, -6.0).astype(np.float32)
        if self.windows:
            logits[:, :, :, :60] = -6.0
        self.windows += 1
        return [logits]


def test_what_only_the_other_window_saw_is_doubtful(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tiles.plan(780, 400)
    middle = second.left + 8  # past the seam: the second window decides here, and the first one sees it too
    assert middle + 6 < first.x + first.width - detect.EDGE_PX
    page = np.full((400, 780, 3), PAPER, dtype=np.uint8)
    page[40:60, 40:200] = INK
    page[40:60, middle - 6 : middle + 6] = INK
    monkeypatch.setattr(detect, "Session", lambda *_, **__: OneEyed())
    sure, doubtful = find.apart(Detector(b"").detect(page))
    assert [round(float(one.quad[:, 0].mean())) for one in sure] == [pytest.approx(120, abs=1)]
    assert [round(float(one.quad[:, 0].mean())) for one in doubtful] == [pytest.approx(middle, abs=2)]


def test_a_window_is_trusted_but_for_its_inner_edges() -> None:
    window = tiles.Tile(x=300, y=0, width=416, height=416, left=350, top=0, right=668, bottom=390)
    assert window.trusted(8, 416, 416) == (308, 0, 708, 408)
    last = tiles.Tile(x=600, y=0, width=416, height=416, left=668, top=0, right=900, bottom=390)
    assert last.trusted(8, 300, 416) == (608, 0, 900, 408)  # 300 px of it lie on the page, the rest is padding


def test_doubtful_boxes_that_others_cover_are_not_read() -> None:
    sure = [box(0, 0, 100, 20)]
    covered, free, again = box(60, 2, 90, 18, 0.6), box(200, 0, 220, 20, 0.5), box(198, 1, 221, 19, 0.7)
    assert find.uncovered([covered, free, again], sure) == [free]
    many = [box(0, 40 * i, 20, 40 * i + 20, 0.4 + i / 1000) for i in range(1, find.MAX_DOUBTFUL + 9)]
    kept = find.uncovered(many, sure)
    assert len(kept) == find.MAX_DOUBTFUL
    assert min(one.score for one in kept) > min(one.score for one in many)


def line(text: str, confidence: float, doubtful: bool) -> Found:
    picture = np.zeros((20, 20, 3), dtype=np.uint8)
    reading = Reading(text, confidence, (), "ppocrv6")
    return Found(box(0, 0, 20, 20).quad, Cut(picture, np.eye(3)), reading=reading, doubtful=doubtful)


@pytest.mark.parametrize(
    ("text", "confidence", "sure", "doubted"),
    [
        ("B", 0.97, True, True),
        ("B", 0.85, True, False),
        ("B", 0.45, False, False),
        ("●", 0.97, True, False),
        ("一", 0.97, True, False),  # a dash
        ("  ", 0.97, False, False),
    ],
)
def test_a_doubtful_line_stands_where_it_is_surely_read(
    text: str, confidence: float, sure: bool, doubted: bool
) -> None:
    assert line(text, confidence, doubtful=False).stands() is sure
    assert line(text, confidence, doubtful=True).stands() is doubted


def test_a_box_moves_with_all_it_has() -> None:
    moved = replace(box(10, 10, 30, 20), doubtful=True).moved(
        np.array([2, 2], dtype=np.float32), np.array([5, 0], dtype=np.float32), (60, 60)
    )
    assert moved.doubtful
    assert moved.quad.tolist() == [[25, 20], [60, 20], [60, 40], [25, 40]]


def test_what_is_fainter_than_a_doubtful_core_is_told_with_its_place() -> None:
    most = np.zeros((100, 300), dtype=np.uint8)
    most[20:32, 20:120] = 240
    most[60:64, 200:230] = 0.15 * 255  # print that is too small at this scale
    most[80:83, 40:43] = 0.15 * 255  # a speck
    most[90:95, 100:150] = 0.05 * 255
    (quad,) = detect.faint_places(most, [box(14, 14, 126, 38)])
    assert quad.tolist() == [[200, 60], [230, 60], [230, 64], [200, 64]]


def spots(*at: tuple[float, float]) -> prepare.Ink:
    return prepare.Ink(10.0, np.array([(x, y, 8.0, 10.0) for x, y in at]))


def test_a_page_is_a_scene_where_most_of_what_looks_like_glyphs_is_in_no_line() -> None:
    text = [(20.0 + 10 * i, 22.0) for i in range(20)]
    bricks = [(15.0 * i, 200.0) for i in range(20)]
    line = [box(10, 10, 240, 40)]
    assert not find.is_scene(spots(*text), line)
    assert not find.is_scene(spots(*text, *bricks[:10]), line)
    assert find.is_scene(spots(*text, *bricks), line)
    assert not find.is_scene(spots(*bricks[:5]), [])  # too few to say anything


class Sees:
    """In place of the detector: at the first look one line and a faint place; a closer look shows what stands there."""

    def __init__(self) -> None:
        self.looks: list[tuple[tuple[int, int], float]] = []

    def look(self, image: np.ndarray, scale: float = 1.0) -> tuple[list[Box], list[np.ndarray]]:
        return [box(10, 10, 240, 40)], [box(300, 200, 380, 212).quad]

    def detect(self, image: np.ndarray, scale: float = 1.0) -> list[Box]:
        self.looks.append((image.shape[:2], scale))
        return [box(20, 15, 110, 35)]


@pytest.mark.parametrize(("scene", "found"), [(True, 2), (False, 1)])
def test_a_scene_is_looked_at_closer_where_it_was_faint_and_what_is_there_must_be_read_surely(
    scene: bool, found: int
) -> None:
    text = [(20.0 + 10 * i, 22.0) for i in range(20)]
    ink = spots(*text, *[(15.0 * i, 300.0) for i in range(20 * scene)])
    detector = Sees()
    boxes = find.find(detector, np.zeros((400, 500, 3), np.uint8), ink)  # type: ignore[arg-type]
    assert len(boxes) == found
    assert len(detector.looks) == found - 1
    if scene:
        assert boxes[-1].doubtful
        left, top = boxes[-1].quad.min(axis=0)
        assert left > 280
        assert top > 180
