"""The benchmark of reading: labels that run words together do not mark a reader down who reads the spaces."""

from __future__ import annotations

from bench.data import PageLabel
from bench.readers import Reader
from bench.reading import Run, without_spaces


def run(*texts: list[str]) -> Run:
    found = Run(Reader("someone", []))
    found.predictions["pages"] = [{"image": "", "lines": lines} for lines in texts]
    return found


def test_where_labels_have_no_spaces_readings_have_none_either() -> None:
    labels = [
        PageLabel("toy/a.png", ("THANKYOUFORSHOPPING", "GROCERY"), partial=False),
        PageLabel("plain/b.png", ("THANK YOU",), partial=False),
    ]
    spaced = run(["THANK YOU FOR SHOPPING", "GROCERY"], ["THANK YOU"])
    wrong = run(["THANK YOU FOR SHIPPING", "GROCERY"], ["THANK YOU"])
    assert without_spaces([spaced, wrong], labels) == [["toy", 1.0, 0.5]]


def test_other_labels_are_left_alone() -> None:
    assert without_spaces([run(["中文"])], [PageLabel("zh/c.png", ("中文没有空格",), partial=False)]) == []
