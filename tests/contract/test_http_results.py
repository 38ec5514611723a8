"""Results in all their forms, page by page, whole, partial and failed."""

from __future__ import annotations

import xml.etree.ElementTree as ET
import zlib
from pathlib import Path

import pypdfium2
import pytest

from shared.errors import DocumentError, PageFailed
from shared.records import Line, Page, pack_page
from shared.store.protocol import PageDone
from tests.contract.http_bench import Gate, line, problem_of
from tests.documents import pdf, picture

FAILED = PageFailed(reason="it took too long", reason_zh="超时").to_json()


def two_pages() -> tuple[Gate, str]:
    gate = Gate()
    answer = gate.http.post("/v1/jobs", data=pdf(2), query_string={"name": 'C:\\x\\a "b" <c>.pdf'})
    job = answer.get_json()["id"]
    gate.read("Hello & welcome", "金额：128.00 元")
    return gate, job


def test_json_holds_the_text_the_lines_and_what_read_them() -> None:
    gate, job = two_pages()
    answer = gate.http.get(f"/v1/jobs/{job}/result")
    body = answer.get_json()
    assert answer.headers["Cache-Control"] == "no-store"
    assert (body["id"], body["status"]) == (job, "done")
    assert body["text"] == "Hello & welcome\n金额：128.00 元\n\nHello & welcome\n金额：128.00 元"
    assert [page["page"] for page in body["pages"]] == [1, 2]
    first = body["pages"][1]["lines"][0]
    assert (first["text"], first["box"][2], first["chars"][0]["text"]) == ("Hello & welcome", [150, 20], "H")
    assert (body["engine"], body["models"], body["warnings"]) == ("ppocrv6", {"rec": "v6"}, [])


def test_a_result_not_there_yet_is_202_and_the_job() -> None:
    gate = Gate()
    job = gate.id(pdf(2))
    for path in ("result", "result?format=text", "pages/1"):
        answer = gate.http.get(f"/v1/jobs/{job}/{path}")
        assert (answer.status_code, answer.get_json()["id"]) == (202, job)
        assert "Retry-After" in answer.headers


def test_a_page_is_given_as_soon_as_it_is_done() -> None:
    gate = Gate()
    job = gate.id(pdf(2))
    claim = gate.claim()
    assert claim is not None
    gate.finish(claim, "first")
    assert gate.http.get(f"/v1/jobs/{job}/pages/{claim.page}").get_json()["text"] == "first"
    assert gate.http.get(f"/v1/jobs/{job}/pages/2").status_code == 202
    problem_of(gate.http.get(f"/v1/jobs/{job}/pages/3"), 404, "page-not-found")
    picture = gate.http.get(f"/v1/jobs/{job}/pages/1/image")
    assert (picture.content_type, picture.data) == ("image/jpeg", b"\xff\xd8jpeg")
    problem_of(gate.http.get(f"/v1/jobs/{job}/pages/2/image"), 404, "page-not-found")


def test_a_page_travels_packed_to_those_who_unpack_it() -> None:
    gate, job = two_pages()
    plain = gate.http.get(f"/v1/jobs/{job}/pages/1")
    packed = gate.http.get(f"/v1/jobs/{job}/pages/1", headers={"Accept-Encoding": "gzip, deflate, br"})
    assert packed.headers["Content-Encoding"] == "deflate"
    assert zlib.decompress(packed.data) == plain.data
    assert "Content-Encoding" not in plain.headers
    assert "Accept-Encoding" in packed.headers["Vary"]


def test_a_partial_result_is_a_result_that_names_what_is_missing() -> None:
    gate = Gate()
    job = gate.id(pdf(3))
    while (claim := gate.claim()) is not None:
        gate.fail(claim, FAILED) if claim.page == 2 else gate.finish(claim, f"page {claim.page}")
    answer = gate.http.get(f"/v1/jobs/{job}/result")
    body = answer.get_json()
    assert (answer.status_code, body["status"], body["text"]) == (200, "partial", "page 1\n\npage 3")
    assert body["warnings"] == ["page 2 was not read: The page could not be read: it took too long."]
    assert body["warnings_zh"] == ["第 2 页未能识别：" + body["pages"][1]["error"]["detail_zh"]]
    assert (body["pages"][1]["error"]["type"], body["pages"][1]["lines"]) == (FAILED["type"], [])
    shown = gate.http.get(f"/v1/jobs/{job}").get_json()
    assert (shown["status"], shown["progress"]["pages_failed"], shown["error"]["status"]) == ("partial", 1, 422)
    assert gate.http.get(f"/v1/jobs/{job}/pages/2").get_json()["error"]["detail_zh"] == "该页无法识别：超时。"
    sheets = read_pdf(gate.http.get(f"/v1/jobs/{job}/result?format=pdf").data)
    assert [text for _, text in sheets] == ["page 1", "", "page 3"]
    for kind in ("text", "markdown", "hocr", "alto", "tsv"):
        assert "page 3" in flat(gate.http.get(f"/v1/jobs/{job}/result?format={kind}").text)


def flat(text: str) -> str:
    """Without mark-up, so that words of one line stand beside each other."""
    if text.startswith("<?xml"):
        root = ET.fromstring(text)
        return " ".join(part for node in root.iter() for part in (node.text or "", node.get("CONTENT", "")) if part)
    if text.startswith("level"):
        return " ".join(row.split("\t")[-1] for row in text.splitlines())
    return text


def test_a_failed_job_answers_why() -> None:
    gate = Gate()
    job = gate.id()
    claim = gate.claim()
    assert claim is not None
    gate.fail(claim, DocumentError(reason="the pixels do not decode").to_json())
    body = problem_of(gate.http.get(f"/v1/jobs/{job}/result"), 422, "broken-file")
    assert "do not decode" in body["detail"]
    assert gate.http.get(f"/v1/jobs/{job}").get_json()["error"]["title"] == "Broken file"


def test_text_is_the_text() -> None:
    gate, job = two_pages()
    answer = gate.http.get(f"/v1/jobs/{job}/result?format=text")
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.text == "Hello & welcome\n金额：128.00 元\n\nHello & welcome\n金额：128.00 元\n"


def test_an_empty_page_is_an_empty_text() -> None:
    gate = Gate()
    job = gate.id()
    claim = gate.claim()
    assert claim is not None
    gate.finish(claim)
    for kind in ("json", "text", "markdown", "hocr", "alto", "tsv", "pdf"):
        assert gate.http.get(f"/v1/jobs/{job}/result?format={kind}").status_code == 200
    assert gate.http.get(f"/v1/jobs/{job}/result?format=text").text == ""


def test_hocr_is_xml_with_the_place_of_every_word() -> None:
    gate, job = two_pages()
    root = ET.fromstring(gate.http.get(f"/v1/jobs/{job}/result?format=hocr").text)
    spans = {node.get("id"): node for node in root.iter() if node.get("id")}
    assert spans["page_2"].get("title") == "image \"a 'b' <c>.pdf\"; bbox 0 0 400 100; ppageno 1"
    assert spans["word_1_1_1"].text == "Hello"
    assert spans["word_1_1_1"].get("title") == "bbox 0 0 50 20; x_wconf 90"
    assert spans["line_1_2"].get("title", "").startswith("bbox 0 20 110 40")


def test_alto_is_xml_of_its_namespace() -> None:
    gate, job = two_pages()
    answer = gate.http.get(f"/v1/jobs/{job}/result?format=alto")
    root = ET.fromstring(answer.text)
    space = {"a": "http://www.loc.gov/standards/alto/ns-v4#"}
    words = root.findall(".//a:String", space)
    assert [word.get("CONTENT") for word in words[:3]] == ["Hello", "&", "welcome"]
    assert (words[1].get("HPOS"), words[1].get("WIDTH"), words[1].get("WC")) == ("60", "10", "0.900")
    assert root.findtext(".//a:fileName", "", space) == 'a "b" <c>.pdf'
    assert [page.get("PHYSICAL_IMG_NR") for page in root.findall(".//a:Page", space)] == ["1", "2"]


def test_tsv_has_the_columns_that_tools_expect() -> None:
    gate, job = two_pages()
    rows = [row.split("\t") for row in gate.http.get(f"/v1/jobs/{job}/result?format=tsv").text.splitlines()]
    assert rows[0][:6] == ["level", "page_num", "block_num", "par_num", "line_num", "word_num"]
    assert {len(row) for row in rows} == {12}
    assert rows[3] == ["5", "1", "1", "1", "1", "1", "0", "0", "50", "20", "90", "Hello"]
    assert [row[11] for row in rows if row[0] == "5" and row[1] == "2"][-1] == "元"


def test_markdown_shows_the_text_and_not_its_own_meaning() -> None:
    gate = Gate()
    job = gate.id()
    gate.read("# no heading", "1. no list", "*no* stress", "- no point")
    text = gate.http.get(f"/v1/jobs/{job}/result?format=markdown").text
    assert text == "\\# no heading  \n\\1. no list  \n\\*no\\* stress  \n\\- no point\n\n"


def read_pdf(data: bytes) -> list[tuple[tuple[float, float], str]]:
    """Each page's size in points and its text, as PDFium finds them."""
    document = pypdfium2.PdfDocument(data)
    found = []
    for page in document:
        text = page.get_textpage()
        found.append((page.get_size(), " ".join(text.get_text_range().split())))
        text.close()
        page.close()
    document.close()
    return found


def test_a_pdf_can_be_searched_in_every_script_and_at_every_angle() -> None:
    gate = Gate(pdf_dpi=144)
    job = gate.id()
    claim = gate.claim()
    assert claim is not None
    tilted = ((200.0, 150.0), (347.2, 235.0), (337.2, 252.3), (190.0, 167.3))
    upright = ((500.0, 50.0), (500.0, 250.0), (470.0, 250.0), (470.0, 50.0))
    rare = "".join(map(chr, range(0x4E00, 0x4E00 + 300)))  # more than one font holds
    lines = (
        line("Total (12) \\ 金额：128.00 元"),
        line(rare, 40),
        Line("tilted words here", 0.9, tilted, "crnn"),
        Line("竖排文字", 0.9, upright, "crnn", vertical=True),
        Line("emoji 😀", 0.9, ((0, 300), (200, 300), (200, 320), (0, 320)), "crnn"),
    )
    packed = pack_page(Page(640, 400, lines, "text").to_json(1))
    gate.store.finish_page(claim, PageDone(packed, 5, 20, "models-1", preview=picture("JPEG", (320, 200))))
    answer = gate.http.get(f"/v1/jobs/{job}/result?format=pdf")
    assert answer.content_type == "application/pdf"
    ((size, text),) = read_pdf(answer.data)
    assert size == (320, 200)
    for wanted in ("Total (12) \\ 金额：128.00 元", rare, "tilted words here", "竖排文字", "emoji 😀"):
        assert wanted in text


def test_a_word_in_a_pdf_lies_where_it_was_read_over_the_picture() -> None:
    gate = Gate(pdf_dpi=72)
    job = gate.id()
    claim = gate.claim()
    assert claim is not None
    gate.finish(claim, "ab", "cd ef", preview=picture("JPEG", (400, 100)))
    document = pypdfium2.PdfDocument(gate.http.get(f"/v1/jobs/{job}/result?format=pdf").data)
    page = document[0]
    text = page.get_textpage()
    start, count = text.search("ef").get_next()
    left, bottom, right, top = text.get_charbox(start)[:2] + text.get_charbox(start + count - 1)[2:]
    # Characters 4 and 5 of the second line: ten pixels wide, twenty high, from (30, 20); y counts from the bottom.
    assert [round(value) for value in (left, bottom, right, top)] == [30, 60, 50, 80]
    assert len(list(page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE]))) == 1
    image = page.render().to_pil().convert("L")
    assert image.getpixel((200, 3)) < 40 < 200 < image.getpixel((200, 96))


def test_a_pdf_of_pages_without_pictures_shows_where_the_lines_are() -> None:
    gate = Gate()
    job = gate.id()
    claim = gate.claim()
    assert claim is not None
    gate.finish(claim, "text", preview=None)
    data = gate.http.get(f"/v1/jobs/{job}/result?format=pdf").data
    assert [text for _, text in read_pdf(data)] == ["text"]
    assert pypdfium2.PdfDocument(data)[0].render().to_pil().convert("L").getextrema()[0] < 230


def test_characters_that_xml_cannot_hold_are_left_out() -> None:
    gate = Gate()
    job = gate.id()
    gate.read("bell\x07 and form\x0cfeed")
    for kind in ("hocr", "alto"):
        ET.fromstring(gate.http.get(f"/v1/jobs/{job}/result?format={kind}").text)
    assert "\x07" in gate.http.get(f"/v1/jobs/{job}/result").get_json()["text"]


def test_lines_without_boxes_for_their_characters_share_the_line() -> None:
    gate = Gate()
    job = gate.id()
    claim = gate.claim()
    assert claim is not None
    flat_line = Line("ab cd", 0.8, ((0, 0), (100, 0), (100, 10), (0, 10)), "crnn")
    upright = Line("上 下", 0.8, ((200, 0), (210, 0), (210, 90), (200, 90)), "crnn", vertical=True)
    packed = pack_page(Page(300, 100, (flat_line, upright), "ab cd\n上 下").to_json(1))
    gate.store.finish_page(claim, PageDone(packed, 2, 20, "models-1"))
    rows = [row.split("\t") for row in gate.http.get(f"/v1/jobs/{job}/result?format=tsv").text.splitlines()]
    words = {row[11]: row[6:10] for row in rows if row[0] == "5"}
    assert words["cd"] == ["60", "0", "40", "10"]
    assert words["下"] == ["200", "60", "10", "30"]


@pytest.mark.parametrize("kind", ["docx", ""])
def test_an_unknown_format_is_refused_with_those_that_are_known(kind: str) -> None:
    gate, job = two_pages()
    body = problem_of(gate.http.get(f"/v1/jobs/{job}/result?format={kind}"), 422, "unknown-option")
    assert body["field"] == "format"
    assert "json, text, markdown" in body["detail"]


def test_a_large_result_is_sent_in_pieces_and_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, job = two_pages()
    whole = gate.http.get(f"/v1/jobs/{job}/result")
    monkeypatch.setattr("api.results._AT_ONCE_BYTES", 10)
    pieces = gate.http.get(f"/v1/jobs/{job}/result")
    # A result in pieces comes without its length.
    assert ("Content-Length" in whole.headers, "Content-Length" in pieces.headers) == (True, False)
    assert pieces.get_json() == whole.get_json()


def test_fields_of_a_fixed_form() -> None:
    gate = Gate()
    job = gate.id(picture())
    gate.read("Receipt No A-17", "Date 2026-01-02", "Total 16.98")
    body = gate.http.get(f"/v1/jobs/{job}/result?format=fields&form=receipt").get_json()
    assert (body["id"], body["form"], body["warnings"]) == (job, "receipt", [])
    assert {key: field["value"] for key, field in body["fields"].items()} == {
        "number": "A-17",
        "date": "2026-01-02",
        "total": "16.98",
    }
    assert body["fields"]["total"]["box"] == [[60, 40], [110, 40], [110, 60], [60, 60]]
    assert gate.http.get(f"/v1/jobs/{job}/result?format=fields").get_json()["form"] == "receipt"
    refused = problem_of(gate.http.get(f"/v1/jobs/{job}/result?format=fields&form=passport"), 422, "unknown-option")
    assert "receipt" in refused["detail"]


def test_fields_of_a_partial_result_say_which_page_they_could_not_see() -> None:
    gate = Gate()
    job = gate.id(pdf(2))
    while (claim := gate.claim()) is not None:
        gate.fail(claim, FAILED) if claim.page == 2 else gate.finish(claim, "Total 16.98")
    body = gate.http.get(f"/v1/jobs/{job}/result?format=fields&form=receipt").get_json()
    assert body["fields"]["total"]["value"] == "16.98"
    assert (body["warnings"], body["warnings_zh"]) == (["page 2 was not read"], ["第 2 页未能识别"])


def test_the_known_forms_are_listed_with_the_operator_s(tmp_path: Path) -> None:
    (tmp_path / "permit.toml").write_text('title = "Permit"\n[fields.until]\nkind = "date"\nlabels = ["until"]\n')
    listed = Gate(forms=tmp_path).http.get("/v1/forms").get_json()["forms"]
    assert [form["name"] for form in listed] == ["invoice", "invoice-zh", "receipt", "permit"]
    assert listed[-1] == {
        "name": "permit",
        "title": "Permit",
        "title_zh": "Permit",
        "fields": [{"name": "until", "title": "until", "title_zh": "until", "kind": "date"}],
    }
