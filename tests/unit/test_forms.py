"""Named fields out of results by the rules of fixed forms."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from api.forms import fill, load_all, values
from api.forms.place import ends_of
from shared.errors import FormBroken

Row = tuple[float, float, str]  # left, top, text
FORMS = load_all()


def page(*rows: Row, number: int = 1, tilt: float = 0.0, width: int = 600, height: int = 800) -> dict[str, Any]:
    """A page of a result: lines 20 pixels high, 12 a character, the whole turned by `tilt` degrees."""
    turn = math.radians(tilt)

    def at(x: float, y: float) -> list[float]:
        return [x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)]

    def box(left: float, top: float, count: int) -> list[list[float]]:
        right = left + 12 * count
        return [at(left, top), at(right, top), at(right, top + 20), at(left, top + 20)]

    lines = [
        {
            "text": text,
            "confidence": 0.9,
            "box": box(left, top, len(text)),
            "chars": [
                {"text": char, "confidence": 0.8, "box": box(left + 12 * i, top, 1)} for i, char in enumerate(text)
            ],
        }
        for left, top, text in rows
    ]
    return {"page": number, "width": width, "height": height, "lines": lines}


def found(form: str, *pages: dict[str, Any], folder: Path | None = None) -> dict[str, str]:
    answer = fill(load_all(folder), form, pages)
    return {key: field["value"] for key, field in answer["fields"].items()}


RECEIPT = (
    (200, 20, "CORNER SHOP"), (60, 60, "Receipt No: CS1801/27037"), (60, 90, "Date 23/01/2018 18:04"), (60, 150, "Soap"), (400, 150, "4.50"),
    (60, 210, "Subtotal"), (400, 210, "16.00"), (60, 240, "Total (RM)"), (400, 240, "16.98"), (60, 270, "CASH"), (400, 270, "20.00"),
    (60, 300, "Change"), (400, 300, "3.02"), (60, 340, "GST Summary"), (60, 370, "Total"), (400, 370, "0.96"),
)  # fmt: skip


@pytest.mark.parametrize("tilt", [0, 4, -4])
def test_a_receipt_s_fields_are_found_however_the_paper_lay(tilt: float) -> None:
    assert found("receipt", page(*RECEIPT, tilt=tilt)) == {
        "total": "16.98",
        "date": "2018-01-23",
        "number": "CS1801/27037",
        "cash": "20.00",
        "change": "3.02",
    }


def test_auto_takes_the_form_that_fits_and_says_so_where_none_does() -> None:
    assert fill(FORMS, "auto", [page(*RECEIPT)])["form"] == "receipt"
    none = fill(FORMS, "auto", [page((10, 10, "No parking"))])
    assert (none["form"], none["fields"]) == (None, {})
    assert "no known form" in none["warnings"][0]
    assert "没有适合" in none["warnings_zh"][0]


def test_a_value_comes_with_where_it_stands_and_how_surely_it_was_read() -> None:
    total = fill(FORMS, "receipt", [page(*RECEIPT)])["fields"]["total"]
    assert total["box"] == [[400, 240], [460, 240], [460, 260], [400, 260]]
    assert (total["text"], total["confidence"], total["page"], total["title_zh"]) == ("16.98", 0.8, 1, "合计")
    date = fill(FORMS, "receipt", [page(*RECEIPT)])["fields"]["date"]
    assert date["text"] == "23/01/2018"
    assert date["box"][0] == [120, 90], "of the date alone, not of its label"


def test_what_a_form_lacks_is_said() -> None:
    answer = fill(FORMS, "receipt", [page((60, 20, "Date: 2026-01-02"))])
    assert answer["missing"] == ["total", "number", "tax_number", "cash", "change"]
    assert (answer["warnings"], answer["warnings_zh"]) == (["total was not found"], ["未找到 合计"])


def test_a_chinese_invoice() -> None:
    rows = (
        (60, 20, "购买方 北辰科技有限公司"), (400, 20, "编号：0387 2046"), (60, 50, "销售方"), (160, 50, "星河办公用品商行"),
        (400, 50, "２０３１年８月２４日"), (60, 100, "合计"), (400, 100, "￥5,363.00"), (60, 130, "金额大写 伍仟参佰陆拾参元整"), (60, 160, "开票人沈若水"),
    )  # fmt: skip
    assert found("auto", page(*rows)) == {
        "number": "0387 2046",
        "date": "2031-08-24",
        "buyer": "北辰科技有限公司",
        "seller": "星河办公用品商行",
        "total": "5363.00",
        "total_in_words": "伍仟参佰陆拾参元整",
        "drawer": "沈若水",
    }


def test_of_several_totals_the_largest_that_is_one_counts() -> None:
    rows = (60, 20, "Total Qty: 99.00"), (60, 50, "Total 2.00"), (60, 80, "Total 16.98"), (60, 110, "Total 0.96")
    assert found("receipt", page(*rows)) == {"total": "16.98"}


def test_auto_takes_no_form_that_lacks_what_it_requires() -> None:
    assert fill(FORMS, "auto", [page((60, 20, "Receipt No A-17"), (60, 50, "Date 2026-01-02"))])["form"] is None


def test_fields_are_looked_for_on_all_pages() -> None:
    first, second = (
        page((60, 20, "Invoice No 7"), (60, 50, "Bill to"), (60, 75, "Ada Byron")),
        page((60, 20, "Amount due"), (300, 20, "1.386,50"), number=2),
    )
    answer = fill(FORMS, "invoice", [first, second])
    assert {key: (field["value"], field["page"]) for key, field in answer["fields"].items()} == {
        "number": ("7", 1),
        "buyer": ("Ada Byron", 1),
        "total": ("1386.50", 2),
    }


def test_the_operator_s_own_form_by_area_and_pattern(tmp_path: Path) -> None:
    (tmp_path / "permit.toml").write_text(
        'title = "Permit"\nday_first = false\n'
        "[fields.plate]\narea = [0.5, 0.0, 1.0, 0.2]\npattern = '[A-Z]{2}-\\d{4}'\n"
        '[fields.until]\nkind = "date"\nlabels = ["valid until"]\n',
        encoding="utf-8",
    )
    paper = page((20, 700, "XY-9999"), (400, 60, "No. AB-1234"), (20, 300, "Valid untll 03/04/2026"))
    assert found("permit", paper, folder=tmp_path) == {"plate": "AB-1234", "until": "2026-03-04"}


TICKS = (
    'title = "Entry"\n[fields.sex]\nkind = "choice"\nlabels = ["男", "女"]\n'
    '[fields.work]\nkind = "choice"\nlabels = ["full-time", "part-time"]\n'
    '[fields.steel]\nkind = "tick"\nlabels = ["steel"]\n[fields.tin]\nkind = "tick"\nlabels = ["tin"]\n{more}'
)


@pytest.mark.parametrize(
    ("rows", "fields"),
    [
        (["性别:☑男□女", "Work: ☐ Full-time ☒ Part-time"], {"sex": "男", "work": "part-time"}),
        (["☐ 男 ☑ 女", "Full-time ☑ Part-time ☐"], {"sex": "女", "work": "full-time"}),
        (["MATERIAL: STEEL ☐ TIN ☒"], {"steel": "no", "tin": "yes"}),
        (["STEEL: □", "☐ 男 ☐ 女"], {"steel": "no"}),
        (["STEEL", "sex 男 女"], {}),
    ],
)
def test_what_is_ticked_is_told_whichever_side_the_boxes_are_on(
    rows: list[str], fields: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "entry.toml").write_text(TICKS.format(more=""), encoding="utf-8")
    paper = page(*((40.0, 40.0 + 60 * at, text) for at, text in enumerate(rows)))
    assert found("entry", paper, folder=tmp_path) == fields


def test_where_a_line_does_not_tell_the_nearer_box_is_the_label_s(tmp_path: Path) -> None:
    (tmp_path / "entry.toml").write_text(TICKS.format(more=""), encoding="utf-8")
    paper = page((40, 40, "MATERIAL STEEL ☐ TIN ☒ GAUGE"))
    for char in paper["lines"][0]["chars"][17:]:  # what follows the first box stands apart from it
        for corner in char["box"]:
            corner[0] += 60
    assert found("entry", paper, folder=tmp_path) == {"steel": "no", "tin": "yes"}


def test_a_rule_may_say_on_which_side_its_box_is(tmp_path: Path) -> None:
    more = '[fields.zinc]\nkind = "tick"\nlabels = ["zinc"]\nwhere = ["after"]\nwithout = ["zinc oxide"]\n'
    (tmp_path / "entry.toml").write_text(TICKS.format(more=more), encoding="utf-8")
    paper = page((40, 40, "☐ ZINC ☑ GAUGE"), (40, 100, "ZINC OXIDE ☐"))
    assert found("entry", paper, folder=tmp_path) == {"zinc": "yes"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("title = 1", "title"),
        ('title = "A"\n[fields.a]\nkind = "tick"\npattern = "a"', "by its labels"),
        ('title = "A"\n[fields.a]\nkind = "choice"\nlabels = ["a"]\nwhere = ["below"]', "before or after"),
        ('title = "A"\n[fields.a]\nlabels = ["a"]\nwhere = ["before"]', "of a box"),
        ('title = "A"\n[fields.a]\nlabels = ["a"]\nkind = "colour"', "fields.a.kind"),
        ('title = "A"\n[fields.a]\npattern = "("', "regular expression"),
        ('title = "A"\n[fields.a]\nkind = "date"', "nothing says where"),
        ('title = "A"\n[fields.a]\narea = [0.5, 0, 0.2, 1]', "area"),
        ("title = ", "Invalid value"),
    ],
)
def test_a_broken_form_is_refused_with_what_is_wrong(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    with pytest.raises(FormBroken, match=r"mine\.toml") as refused:
        load_all(tmp_path)
    assert says in refused.value.detail
    with pytest.raises(FormBroken, match="no such folder"):
        load_all(tmp_path / "none")


@pytest.mark.parametrize(
    ("label", "text", "end"),
    [
        ("total", "TOTAL: 5", 5),
        ("total", "Subtotal 5", None),
        ("invoice no", "Invoice No. 12", 10),
        ("invoice no", "lnvoice N0 12", None),  # two of nine, the first among them
        ("tax number", "Tax nunber 12", 10),
        ("价税合计", "价税合 计￥5", 5),
        ("date", "Dated", None),
    ],
)
def test_labels_are_words_of_which_one_letter_in_five_may_be_misread(label: str, text: str, end: int | None) -> None:
    assert next(ends_of(label, text), None) == end


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("amount", "RM 1,386.50", "1386.50"),
        ("amount", "1.386,50 €", "1386.50"),
        ("amount", "￥１２８.００", "128.00"),
        ("amount", "-5", "-5"),
        ("amount", "6 %", "6"),
        ("date", "2026/3/4", "2026-03-04"),
        ("date", "04-Mar-26", "2026-03-04"),
        ("date", "March 4, 2026", "2026-03-04"),
        ("date", "31/12/2025", "2025-12-31"),
        ("date", "12/31/2025", "2025-12-31"),
        ("date", "30/02/2025", None),
        ("date", "Tel 12-3456-7890", None),
        ("date", "05-07-99", None),  # far ahead: part of some other number
        ("code", "No: A-17/b", "A-17/b"),
        ("code", "none", None),
    ],
)
def test_values_in_their_one_form(kind: str, text: str, value: str | None) -> None:
    hit = values.find(kind, text)
    assert (hit[2] if hit else None) == value
