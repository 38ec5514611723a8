"""What the detector doubts: faint cores and what only one of two windows saw are offered, and kept where they are read."""

from dataclasses import replace

import numpy as np
import pytest

from worker.reading import detect, find, tiles
from worker.reading.crop import Cut
from worker.reading.detect import Box, Detector
from worker.reading.lines import Found
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
