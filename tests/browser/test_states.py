"""The page in a real browser against a gateway whose pages the test finishes by hand: every state that a job can be in."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium import webdriver
from selenium.common.exceptions import NoAlertPresentException
from selenium.webdriver.common.keys import Keys

from shared import notices
from shared.records import Cell, Char, Line, Quad, Table, pack_page
from shared.records import Page as PageRecord
from shared.store.protocol import PageDone
from tests.browser.chrome import SAMPLES, Page
from tests.browser.conftest import Served, claim
from tests.contract.http_bench import Gate

UNREADABLE = {
    "type": "https://ocrfleet.dev/problems/page-failed",
    "title": "Page not read",
    "status": 422,
    "detail": "The page could not be read: it took too long.",
    "detail_zh": "该页无法识别：超时。",
}


@pytest.fixture
def page(driver: webdriver.Chrome, served: Served) -> Page:
    """Its page."""
    return Page(driver, served.url).open()


def test_pages_are_shown_while_later_ones_are_still_read(page: Page, gate: Gate) -> None:
    page.choose("scan-3p.tiff")
    page.wait_status("queued")
    assert page.wait_for(".progress-label").text.startswith("Waiting")
    first = claim(page, gate)
    page.wait_status("running")
    gate.finish(first, "first page")
    assert page.wait_lines(1) == ["first page"]
    page.wait(lambda: "1 of 3 pages" in page.text(".progress-label"), "progress by page")
    assert "1 line read" in page.text(".progress-label")
    assert page.one(".bar").get_attribute("aria-valuenow") == "33"
    assert [chip.get_attribute("class") for chip in page.all(".page-chip")] == [
        "page-chip is-done",
        "page-chip is-waiting",
        "page-chip is-waiting",
    ]
    second = claim(page, gate)
    gate.finish(second, "second page")
    page.wait_for(".page-chip.is-done[data-page='2']").click()
    page.wait(lambda: page.lines == ["second page"], "the second page")
    third = claim(page, gate)
    gate.finish(third, "third page")
    page.wait_status("done")
    assert page.lines == ["second page"], "the page on screen stays"
    assert not page.one(".moving").is_displayed()


def test_lines_are_counted_while_a_page_is_read(page: Page, gate: Gate) -> None:
    page.choose("line-en.png")
    work = claim(page, gate)
    gate.store.beat(work, 8, 20)
    page.wait(lambda: "8 lines read" in page.text(".progress-label"), "progress by line")
    assert page.one(".bar").get_attribute("aria-valuenow") == "40"
    gate.finish(work, "done")
    page.wait_status("done")


def test_what_is_pointed_at_is_not_rebuilt_by_news(page: Page, gate: Gate) -> None:
    page.choose("scan-3p.tiff")
    gate.finish(claim(page, gate), "first page")
    page.wait_for(".page-chip.is-done")
    page.js(
        "window.held = [document.querySelector('.page-chip[data-page=\"2\"]'), document.querySelector('.job-link')]"
    )
    gate.finish(claim(page, gate), "second page")
    page.wait_for(".page-chip.is-done[data-page='2']")
    page.wait_text(".job-link-note", "Reading · 2 of 3 pages")
    assert page.js("return window.held.every((node) => node.isConnected)"), "a click at that moment would be lost"


def test_a_selected_line_stays_selected_while_other_pages_are_read(page: Page, gate: Gate) -> None:
    page.choose("scan-3p.tiff")
    gate.finish(claim(page, gate), "first line", "second line")
    page.wait_lines(2)
    page.all(".line")[1].click()
    page.wait_for(".box.selected[data-line='1']")
    gate.finish(claim(page, gate), "second page")
    page.wait(lambda: "2 of 3 pages" in page.text(".progress-label"), "the next page")
    assert page.all(".box.selected[data-line='1']")
    assert page.wait_for(".line.selected").text == "second line"
    assert page.one(".detail").is_displayed()


def test_a_page_that_failed_is_named_and_the_rest_is_kept(page: Page, gate: Gate) -> None:
    page.choose("scan-3p.tiff")
    gate.finish(claim(page, gate), "first page")
    gate.fail(claim(page, gate), UNREADABLE)
    gate.finish(claim(page, gate), "third page")
    page.wait_status("partial")
    page.wait_for(".page-chip.is-failed[data-page='2']").click()
    page.wait(lambda: "it took too long" in page.text(".words .pane-note"), "the reason")
    page.one("#language").click()
    assert "超时" in page.text(".words .pane-note")
    page.one(".page-chip[data-page='3']").click()
    page.wait(lambda: page.lines == ["third page"], "the page that was read")
    assert page.one("#copy").is_displayed()


def test_uncertain_characters_are_marked_with_what_else_they_may_be(page: Page, gate: Gate) -> None:
    page.choose("line-digits.png")
    work = claim(page, gate)
    box = ((10.0, 10.0), (90.0, 10.0), (90.0, 40.0), (10.0, 40.0))
    chars = (Char("A", 0.99), Char("0", 0.62, None, (("O", 0.31),)), Char("1", 0.3), Char("B", 0.98))
    record = PageRecord(400, 100, (Line("A01B", 0.74, box, "ppocrv6", chars),), "A01B", engine="ppocrv6")
    gate.store.finish_page(work, PageDone(pack_page(record.to_json(1)), 1, 20, "models-1"))
    assert page.wait_lines(1) == ["A01B"]
    assert [mark.text for mark in page.all(".line mark")] == ["0", "1"]
    assert page.one(".line mark").get_attribute("title") == "62% sure, or O 31%"
    assert page.one("mark.doubtful").text == "1"
    assert page.text(".unsure-count") == "2 uncertain characters"
    assert page.all(".box.unsure[data-line='0']")
    page.one(".line").click()
    assert "or O 31%" in page.wait_for(".doubts").text


def test_the_recognisers_that_read_a_page_are_named(page: Page, gate: Gate) -> None:
    page.choose("line-digits.png")
    box = ((10.0, 10.0), (90.0, 10.0), (90.0, 40.0), (10.0, 40.0))
    lines = tuple(Line(f"by {engine}", 0.9, box, engine) for engine in ("crnn", "auto", "ppocrv6"))
    record = PageRecord(400, 100, lines, "\n".join(line.text for line in lines), engine="auto")
    gate.store.finish_page(claim(page, gate), PageDone(pack_page(record.to_json(1)), 3, 20, "models-1"))
    page.wait_lines(3)
    assert page.text(".job-head .facts").endswith("crnn + ppocrv6")


def test_what_happened_to_a_page_on_its_way_is_said_in_the_page_s_language(page: Page, gate: Gate) -> None:
    page.choose("line-digits.png")
    work = claim(page, gate)
    said = notices.OBLONG_PIXELS.said(across=204, down=98)
    record = PageRecord(400, 100, text="", engine="ppocrv6", warnings=(said,))
    gate.store.finish_page(work, PageDone(pack_page(record.to_json(1)), 0, 20, "models-1"))
    assert page.wait_for(".warnings li").text == said
    page.one("#language").click()
    assert page.text(".warnings li") == notices.chinese(said)
    page.one("#language").click()


def test_a_job_can_be_cancelled(page: Page, gate: Gate) -> None:
    page.choose("scan-3p.tiff")
    gate.finish(claim(page, gate), "first page")
    page.wait_lines(1)
    page.wait_for("#cancel").click()
    page.wait_status("cancelled")
    assert page.lines == ["first page"], "what was read is still shown"
    assert not page.all("#cancel")


def test_a_job_can_be_deleted(page: Page, gate: Gate) -> None:
    page.choose("line-en.png")
    gate.finish(claim(page, gate), "text")
    page.wait_status("done")
    page.one("#remove").click()
    page.wait(lambda: accept(page), "the question")
    page.wait_for("#home")
    assert not page.all(".job-link")
    assert not gate.store.machine.jobs


def accept(page: Page) -> bool:
    """Say yes to the browser's question, once it is asked."""
    try:
        page.driver.switch_to.alert.accept()
    except NoAlertPresentException:
        return False
    return True


def test_a_link_to_a_job_opens_it_in_another_browser(page: Page, gate: Gate) -> None:
    job = gate.id((SAMPLES / "line-en.png").read_bytes(), "sent-by-script.png")
    gate.read("from a script")
    page.open(f"/#/jobs/{job}")
    assert page.wait_lines(1) == ["from a script"]
    assert page.text("#job-name") == "sent-by-script.png"
    # Its picture cannot be drawn here: the text itself stands where it was found.
    page.wait_text(".overlay text", "from a script")


def test_markup_in_text_and_names_is_only_text(page: Page, gate: Gate, tmp_path: Path) -> None:
    trick = tmp_path / "<img src=x onerror=alert(1)>.png"
    trick.write_bytes((SAMPLES / "line-en.png").read_bytes())
    page.choose(trick)
    gate.finish(claim(page, gate), "<script>document.title='owned'</script><b>bold</b>")
    page.wait_status("done")
    assert page.wait_lines(1) == ["<script>document.title='owned'</script><b>bold</b>"]
    assert "onerror" in page.text("#job-name")
    assert not page.all(".job img[src='x'], .line b, .jobs img")
    assert "owned" not in page.driver.title


def test_lines_side_by_side_stand_in_one_row(page: Page, gate: Gate) -> None:
    page.choose("line-en.png")
    work = claim(page, gate)

    def at(left: float, top: float, text: str) -> Line:
        quad = ((left, top), (left + 90, top), (left + 90, top + 20), (left, top + 20))
        return Line(text, 0.99, quad, "ppocrv6")

    lines = (at(0, 0, "bread"), at(300, 0, "3.20"), at(0, 30, "milk"), at(300, 30, "2.60"))
    record = PageRecord(400, 100, lines, "bread 3.20\nmilk 2.60", engine="ppocrv6")
    gate.store.finish_page(work, PageDone(pack_page(record.to_json(1)), 4, 20, "models-1"))
    page.wait_lines(4)
    places = [item.rect for item in page.all(".line")]
    assert places[0]["y"] == places[1]["y"] < places[2]["y"]
    assert places[1]["x"] == pytest.approx(places[3]["x"], abs=2), "prices are one column"
    assert places[1]["x"] > places[0]["x"] + 100


def test_the_keyboard_is_enough(page: Page, gate: Gate) -> None:
    page.choose("line-en.png")
    gate.finish(claim(page, gate), "first line", "second line")
    page.wait_lines(2)
    page.js("document.querySelector('.line').focus()")
    page.driver.switch_to.active_element.send_keys("\ue015\ue007")  # down, enter
    assert page.wait_for(".line.selected").text == "second line"
    assert page.one(".line.selected").get_attribute("aria-pressed") == "true"
    assert page.all(".box.selected[data-line='1']")
    unnamed = page.js(
        "return [...document.querySelectorAll('button, a, input, select')].filter((node) => node.offsetParent"
        " && !(node.getAttribute('aria-label') || node.textContent.trim() || node.labels?.length)).map((node) => node.outerHTML)"
    )
    assert unnamed == []


def test_options_are_sent_as_chosen(page: Page, gate: Gate) -> None:
    page.one("#options summary").click()
    page.js(
        "const choose = (name, value) => { const node = document.querySelector(`[name=${name}]`); node.value = value;"
        " node.dispatchEvent(new Event(node.tagName === 'INPUT' ? 'input' : 'change', {bubbles: true})); };"
        "choose('engine', 'crnn'); choose('fold', 'simplified'); choose('layout', 'page'); choose('pages', ' 1, 3 '); choose('priority', 'bulk');"
    )
    assert page.text("#options-note").split(" · ") == [
        "CRNN, fastest", "Whole page", "Simplified Chinese", "When there is room", "Pages 1,3",
    ]  # fmt: skip
    page.choose("scan-3p.tiff")
    page.wait_status("queued")
    job = gate.http.get("/v1/jobs/" + page.js("return location.hash").rpartition("/")[2]).get_json()
    assert job["options"] == {
        "lang": "auto",
        "engine": "crnn",
        "layout": "page",
        "preprocess": "auto",
        "fold": "simplified",
        "pictures": "keep",
    }
    assert (job["pages"], job["priority"]) == ([1, 3], "bulk")
    page.wait(lambda: [chip.text for chip in page.all(".page-chip")] == ["1", "3"], "the pages asked for")


def test_pictures_are_kept_unless_the_person_says_otherwise(page: Page, gate: Gate) -> None:
    assert page.text("#options-note") == "automatic", "what the page takes by itself is nothing special"
    page.one("#options summary").click()
    assert page.js("return document.querySelector('[name=pictures]').value") == "keep"
    page.js(
        "const node = document.querySelector('[name=pictures]'); node.value = 'auto';"
        " node.dispatchEvent(new Event('change', {bubbles: true}));"
    )
    assert page.text("#options-note") == "Only of PDF and TIFF"
    page.choose("receipt-en.jpg")
    page.wait_status("queued")
    job = gate.http.get("/v1/jobs/" + page.js("return location.hash").rpartition("/")[2]).get_json()
    assert job["options"]["pictures"] == "auto"


def with_table() -> PageRecord:
    """A heading, and a table of two rows whose first cell spans both columns."""

    def at(left: int, top: int) -> Quad:
        return (left, top), (left + 80, top), (left + 80, top + 20), (left, top + 20)

    lines = [
        Line(text, 0.9, at(x, y), "crnn")
        for text, x, y in (("Prices", 10, 0), ("Tea", 10, 30), ("in bags", 10, 50), ("Milk", 10, 80), ("2.20", 120, 80))
    ]
    cells = (
        Cell(0, 0, 1, 2, "Tea\nin bags", at(10, 30), (1, 2)),
        Cell(1, 0, 1, 1, "Milk", at(10, 80), (3,)),
        Cell(1, 1, 1, 1, "2.20", at(120, 80), (4,)),
    )
    text = "Prices\n\nTea in bags\nMilk 2.20"
    return PageRecord(
        400, 120, tuple(lines), text, engine="auto", tables=(Table(2, 2, cells, at(10, 30), (8, len(text))),)
    )


def test_a_table_is_shown_as_one_and_copied_for_a_spreadsheet(page: Page, gate: Gate) -> None:
    page.choose("line-en.png")
    gate.finish_with(claim(page, gate), with_table())
    assert page.wait_lines(5) == ["Prices", "Tea", "in bags", "Milk", "2.20"]
    rows = page.js(
        "return [...document.querySelectorAll('.lines table tr')].map(r => [...r.cells].map(c => [c.textContent, c.colSpan]))"
    )
    assert rows == [[["Teain bags", 2]], [["Milk", 1], ["2.20", 1]]]
    page.js(
        "window.copied = null; navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); }"
    )
    page.wait_for("li.table > button").click()
    assert page.wait(lambda: page.js("return window.copied"), "the copied table") == "Tea in bags\t\nMilk\t2.20"

    page.all(".lines td .line")[2].click()
    field = page.wait_for("li.table .detail input.correct")
    assert field.get_attribute("value") == "Milk"
    field.send_keys("shake" + Keys.ENTER)
    page.wait(lambda: page.lines[3] == "Milkshake", "the corrected line")
    page.wait_for("li.table > button").click()
    page.wait(lambda: page.js("return window.copied") == "Tea in bags\t\nMilkshake\t2.20", "the corrected table")
    assert page.errors() == []


def test_a_correction_goes_into_the_cell_and_moves_what_follows(page: Page) -> None:
    record = with_table().to_json(1)
    page.js(
        "const record = arguments[0]; import('/static/app/corrections.js').then((it) => {"
        " it.correct('job', 1, 0, 'All prices', 'Prices'); it.correct('job', 1, 3, 'Milkshake', 'Milk');"
        " window.corrected = it.corrected('job', record); });",
        record,
    )
    found = page.wait(lambda: page.js("return window.corrected"), "the corrected page")
    assert found["text"] == "All prices\n\nTea in bags\nMilkshake 2.20"
    (table,) = found["tables"]
    assert [cell["text"] for cell in table["cells"]] == ["Tea\nin bags", "Milkshake", "2.20"]
    assert found["text"][slice(*table["span"])] == "Tea in bags\nMilkshake 2.20"
