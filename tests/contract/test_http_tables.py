"""Tables of a result: in the JSON, in Markdown, and as a spreadsheet."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
import zipfile
import zlib

from shared.records import Cell, Page, Table
from shared.store.protocol import PageDone
from tests.contract.http_bench import Gate, line

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
BOX = ((0.0, 0.0), (100.0, 0.0), (100.0, 20.0), (0.0, 20.0))


def table(rows: list[list[str | tuple[str, int, int]]], start: int, end: int) -> Table:
    """A table of texts, or of (text, rows, columns) where a cell spans; None of its cells names a line."""
    cells, taken = [], set()
    width = 0
    for row, said in enumerate(rows):
        column = 0
        for one in said:
            text, down, across = (one, 1, 1) if isinstance(one, str) else one
            while (row, column) in taken:
                column += 1
            taken |= {(row + i, column + j) for i in range(down) for j in range(across)}
            cells.append(Cell(row, column, down, across, text, BOX))
            column += across
            width = max(width, column)
    return Table(len(rows), width, tuple(cells), BOX, (start, end))


def result(text: str, *tables: Table) -> tuple[Gate, str]:
    """A job whose only page says so."""
    gate = Gate()
    job = gate.id()
    claim = gate.claim()
    assert claim is not None
    gate.finish_with(claim, Page(400, 100, (line(text),), text, engine="auto", tables=tables))
    return gate, job


def get(gate: Gate, job: str, kind: str) -> bytes:
    answer = gate.http.get(f"/v1/jobs/{job}/result?format={kind}")
    assert answer.status_code == 200, answer.text
    return answer.data


def sheets(data: bytes) -> dict[str, list[list[tuple[str, str]]]]:
    """The cells of each sheet of a spreadsheet by row: whether text or number, and what it says."""
    book = zipfile.ZipFile(io.BytesIO(data))
    strings = (
        ["".join(node.itertext()) for node in ET.fromstring(book.read("xl/sharedStrings.xml"))]
        if "xl/sharedStrings.xml" in book.namelist()
        else []
    )
    names = [str(node.get("name")) for node in ET.fromstring(book.read("xl/workbook.xml")).iter(f"{MAIN}sheet")]
    out = {}
    for number, name in enumerate(names, 1):
        rows = []
        for row in ET.fromstring(book.read(f"xl/worksheets/sheet{number}.xml")).iter(f"{MAIN}row"):
            cells = []
            for cell in row:
                value = cell.findtext(f"{MAIN}v", "")
                cells.append(("text", strings[int(value)]) if cell.get("t") == "s" else ("number", value))
            rows.append(cells)
        out[name] = rows
    return out


SIMPLE = "before it\n\nItem Price\nTea 1,204.50\n\nafter it"
SPAN = (SIMPLE.index("Item"), SIMPLE.index("\n\nafter"))


def test_markdown_has_a_table_where_the_text_has_it() -> None:
    gate, job = result(SIMPLE, table([["Item", "Price"], ["Tea|cup", "1,204.50"]], *SPAN))
    assert get(gate, job, "markdown").decode() == (
        "before it\n\n| Item | Price |\n| --- | --- |\n| Tea\\|cup | 1,204.50 |\n\nafter it\n\n"
    )
    assert get(gate, job, "text").decode() == SIMPLE + "\n"


def test_figures_are_no_heading_and_lines_of_a_cell_are_kept() -> None:
    gate, job = result(SIMPLE, table([["Tea\nin bags", "3.20"], ["Milk", "4.10"]], *SPAN))
    said = get(gate, job, "markdown").decode().split("\n")
    assert said[2:6] == ["|  |  |", "| --- | --- |", "| Tea<br>in bags | 3.20 |", "| Milk | 4.10 |"]


def test_cells_that_span_are_html_in_markdown() -> None:
    gate, job = result(SIMPLE, table([[("a <b> & c", 1, 2)], ["d\ne", ("f", 2, 1)], ["g"]], *SPAN))
    assert (
        '<table>\n<tr><td colspan="2">a &lt;b&gt; &amp; c</td></tr>\n'
        '<tr><td>d<br>e</td><td rowspan="2">f</td></tr>\n<tr><td>g</td></tr>\n</table>'
    ) in get(gate, job, "markdown").decode()


def test_a_spreadsheet_has_a_sheet_for_every_table_and_adds_up() -> None:
    first = table([["Item", "Price"], ["=1+1", "1,204.50"], ["0012", "-3"], ["2031-08-24", "12.5%"]], *SPAN)
    gate, job = result(SIMPLE, first, table([[("Total\x07", 1, 2)], ["", "5"]], *SPAN))
    answer = gate.http.get(f"/v1/jobs/{job}/result?format=xlsx")
    assert answer.content_type == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    found = sheets(answer.data)
    assert list(found) == ["Page 1 table 1", "Page 1 table 2"]
    assert found["Page 1 table 1"] == [
        [("text", "Item"), ("text", "Price")],
        [("text", "=1+1"), ("number", "1204.5")],
        [("text", "0012"), ("number", "-3")],
        [("text", "2031-08-24"), ("text", "12.5%")],
    ]
    assert found["Page 1 table 2"][0][0] == ("text", "Total")
    sheet = zipfile.ZipFile(io.BytesIO(answer.data)).read("xl/worksheets/sheet2.xml").decode()
    assert '<mergeCell ref="A1:B1"/>' in sheet


def test_without_a_table_the_spreadsheet_holds_the_text() -> None:
    gate, job = result("one line\nand another")
    assert sheets(get(gate, job, "xlsx")) == {"Text": [[("text", "one line")], [("text", "and another")]]}


def test_the_json_has_cells_with_boxes_and_the_documentation_knows_them() -> None:
    gate, job = result(SIMPLE, table([["Item", "Price"], ["Tea", "1,204.50"]], *SPAN))
    (found,) = json.loads(get(gate, job, "json"))["pages"][0]["tables"]
    assert (found["rows"], found["columns"], found["span"]) == (2, 2, list(SPAN))
    assert found["cells"][3] == {
        "row": 1, "column": 1, "rows": 1, "columns": 1, "text": "1,204.50", "box": [list(corner) for corner in BOX], "lines": [],
    }  # fmt: skip
    assert '"span"' in gate.http.get("/openapi.json").text


def test_pages_of_older_versions_have_no_tables_and_are_shown_all_the_same() -> None:
    gate = Gate()
    job = gate.id()
    claim = gate.claim()
    assert claim is not None
    old = Page(400, 100, (line("words"),), "words").to_json(1)
    del old["tables"]
    gate.store.finish_page(claim, PageDone(zlib.compress(json.dumps(old).encode()), 1, 20, "models-1"))
    assert get(gate, job, "markdown").decode() == "words\n\n"
    assert sheets(get(gate, job, "xlsx")) == {"Text": [[("text", "words")]]}
