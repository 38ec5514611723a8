"""The scores of bench, against figures worked out by hand and a plain edit distance."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import data, scoring


def plain_distance(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


@given(st.text("ab好", max_size=12), st.text("ab好", max_size=12))
def test_edits_are_the_levenshtein_distance(a: str, b: str) -> None:
    assert scoring.edits(a, b) == plain_distance(a, b)


@pytest.mark.parametrize(
    ("text", "rule", "plain"),
    [
        ("Ｔｏｔａｌ： 5", "plain", "Total:5"),
        ("“It’s” — ok", "plain", '"It\'s"-ok'),
        ("Rm 9.50", "nocase", "RM9.50"),
        ("A-1_b.", "nopunct", "A1B"),
        ("皖A·12345", "plain plate", "皖A12345"),
    ],
)
def test_texts_are_compared_in_one_form(text: str, rule: str, plain: str) -> None:
    assert scoring.normalise(text, rule) == plain


def test_lines_that_came_out_short_are_lost() -> None:
    score = scoring.LineScore()
    score.add("KUALA LUMPUR", "LUMP")
    score.add("5.00", "5.00")
    assert (score.lines, score.exact, score.lost) == (2, 1, 1)
    assert score.cer == 7 / 15


def test_a_page_is_a_bag_of_words_and_characters() -> None:
    score = scoring.PageScore()
    score.add(["Total 12.50", "合计"], ["合 total", "12", "60"])
    assert (score.hits, score.want) == (3, 5)
    assert score.f1 == pytest.approx(2 * 3 / (5 + 4))


def test_partial_pages_count_for_recall_only() -> None:
    score = scoring.PageScore()
    score.add(["one two"], ["one two three four"], partial=True)
    assert score.recall == 1.0
    assert score.full_want == 0


def test_labels_are_read(tmp_path: Path) -> None:
    (tmp_path / "lines.tsv").write_text("a/1.png\tHi\ten\tphoto\tnocase\nplates/2.png\t京A\n", encoding="utf-8")
    row = {"image": "b/1.png", "lines": [{"text": "x"}, {"text": "y"}], "partial": True}
    (tmp_path / "pages.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    assert [(line.source, line.rule) for line in data.line_labels(tmp_path)] == [
        ("a", "nocase"),
        ("plates", "plain plate"),
    ]
    assert data.page_labels(tmp_path) == [data.PageLabel("b/1.png", ("x", "y"), True)]


def test_a_sample_is_spread_evenly() -> None:
    assert data.even_sample(list(range(10)), 5) == [0, 2, 4, 6, 8]
    assert data.even_sample([1, 2], 5) == [1, 2]
