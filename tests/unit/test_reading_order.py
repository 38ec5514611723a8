"""Reading order and plain text, from boxes alone."""

import numpy as np
import pytest

from worker.reading import geometry, order, paragraphs


def box(x: float, y: float, width: float, height: float = 20) -> np.ndarray:
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], dtype=np.float32)


def indices(rows: list[list[order.Placed]]) -> list[list[int]]:
    return [[placed.index for placed in row] for row in rows]


def two_columns() -> list[np.ndarray]:
    """A title across, five lines on the left, five on the right not level with them, a footer across."""
    left = [box(50, 100 + 30 * i, 300) for i in range(5)]
    right = [box(400, 108 + 30 * i, 300) for i in range(5)]
    return [box(50, 40, 600, 30), *left, *right, box(50, 300, 640)]


def test_columns_of_prose_are_read_one_after_the_other() -> None:
    assert indices(order.reading_rows(two_columns())) == [[i] for i in range(12)]


@pytest.mark.parametrize("degrees", [-9, 7])
def test_a_tilted_page_is_read_in_the_same_order(degrees: float) -> None:
    tilted = [geometry.rotate(quad, degrees) for quad in two_columns()]
    assert indices(order.reading_rows(tilted)) == [[i] for i in range(12)]


def test_a_page_upside_down_is_read_in_the_same_order() -> None:
    turned = [geometry.turn_quarter(quad, 2, 800, 400) for quad in two_columns()]
    assert indices(order.reading_rows(turned)) == [[i] for i in range(12)]


def test_a_receipt_is_read_row_by_row() -> None:
    names = [box(50, 40 + 30 * i, 260) for i in range(5)]
    prices = [box(420, 42 + 30 * i, 60) for i in range(5)]
    assert indices(order.reading_rows(names + prices)) == [[i, i + 5] for i in range(5)]


def test_pieces_of_a_line_whose_boxes_overlap_stay_in_their_row() -> None:
    """Boxes are grown on all sides, so that the two halves of a line at a wide gap reach into each other."""
    halves = [box(785, 99, 470, 80), box(6, 98, 830, 80)]  # found in any order, one a pixel higher
    below = [box(2, 205, 155, 80), box(173, 205, 600, 80)]
    assert indices(order.reading_rows(halves + below)) == [[1, 0], [2, 3]]


def test_vertical_columns_run_from_the_right() -> None:
    columns = [np.array([[x, 10], [x + 30, 10], [x + 30, 300], [x, 300]], dtype=np.float32) for x in (10, 60, 110)]
    assert indices(order.reading_columns(columns)) == [[2], [1], [0]]


def test_lines_of_a_paragraph_join_and_others_keep_their_break() -> None:
    quads = [box(0, 0, 400), box(0, 26, 396), box(0, 52, 402), box(0, 78, 150), box(0, 140, 120)]
    texts = [
        "The quick brown fox jumps over the lazy infor-",
        "mation desk and goes on",
        "to the end of the",
        "story.",
        "Total 12",
    ]
    assert paragraphs.join(order.reading_rows(quads), texts) == (
        "The quick brown fox jumps over the lazy information desk and goes on to the end of the story.\n\nTotal 12"
    )


def test_two_lines_between_a_heading_and_a_table_are_a_paragraph_where_the_second_begins_with_a_small_letter() -> None:
    quads = [box(0, 0, 160), box(0, 40, 400), box(0, 66, 150), box(0, 120, 140), box(240, 120, 90)]
    texts = ["Delivery", "We are sending you the goods that you", "ordered on 4 May:", "Item", "Price"]
    rows = order.reading_rows(quads)
    assert paragraphs.join(rows, texts) == (
        "Delivery\nWe are sending you the goods that you ordered on 4 May:\n\nItem Price"
    )
    texts[2] = "Harbour Lane 14"
    assert paragraphs.join(rows, texts).split("\n")[1:3] == texts[1:3], "an address"


def test_chinese_lines_join_without_a_space() -> None:
    assert paragraphs.glue("今天天气", "很好") == "今天天气很好"


def test_a_list_keeps_its_lines() -> None:
    quads = [box(0, 26 * i, 400) for i in range(3)]
    texts = ["1. First of them all", "2. Second of them all", "3. Third of them all"]
    assert paragraphs.join(order.reading_rows(quads), texts).split("\n") == texts
    clauses = [
        "第一条 租赁期限延长至二〇三二年年底为止",
        "第 2 条 每月租金调整为八千六百五十元整整",
        "第三章 其他约定和双方的义务以及责任等",
    ]
    assert paragraphs.join(order.reading_rows(quads), clauses).split("\n") == clauses
    prose = ["双方在签订合同以后应当按照补充协议", "第二条的规定支付租金并且在年底以前", "第三次结算时付清全部余款"]
    assert paragraphs.join(order.reading_rows(quads), prose) == "".join(prose)


def test_fields_with_their_labels_keep_their_lines_and_a_speaker_in_running_text_does_not() -> None:
    quads = [box(0, 26 * i, 400 - i) for i in range(3)]
    fields = ["生产许可证编号：SC10515010500123", "服务热线：400-816-9999", "Name: A. Smith"]
    assert paragraphs.join(order.reading_rows(quads), fields).split("\n") == fields
    prose = ["记者从中国人民银行获悉，截至今年八月末", "他表示：试点地区已扩展至十七个省的", "二十六个城市"]
    assert paragraphs.join(order.reading_rows(quads), prose) == "".join(prose)


def test_what_begins_far_to_the_left_is_another_columns() -> None:
    """The last line of a column, and a note across the page below it: both end where the page ends."""
    quads = [box(400, 0, 400), box(402, 25, 398), box(60, 50, 740)]
    texts = ["The dishes of the day come", "with rice and a salad of the", "house. Prices include service."]
    assert paragraphs.join(order.reading_rows(quads), texts).split("\n") == [f"{texts[0]} {texts[1]}", texts[2]]
    quads[2] = box(360, 50, 440)
    assert paragraphs.join(order.reading_rows(quads), texts) == " ".join(texts)


@pytest.mark.parametrize(
    ("first", "second", "whole"),
    [
        ("recog-", "nition", "recognition"),
        ("a well-", "known fact", "a well-known fact"),
        ("low-", "resolution.", "low-resolution."),
        ("with at-least-", "once delivery", "with at-least-once delivery"),
        ("end-to-", "end", "end-to-end"),
        ("multi-stage-", "qxz", "multi-stage-qxz"),
        ("in-", "memory", "in-memory"),
        ("spatio-", "temporal", "spatiotemporal"),
        ("over-", "lap", "overlap"),
        ("a 12-", "fold", "a 12- fold"),
        ("Straßen-", "bahn", "Straßenbahn"),
    ],
)
def test_a_hyphen_at_a_lines_end_stays_where_it_belongs_to_the_word(first: str, second: str, whole: str) -> None:
    assert paragraphs.glue(first, second) == whole
