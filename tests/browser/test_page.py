"""The page in a real browser against the whole fleet: what a person does, and what a person then sees."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from tests.browser.chrome import SAMPLES, Page, squeezed, truth
from training.export_jobs import export

PUT_FILE = """
const [name, type, kind, done] = arguments;
fetch('/static/samples/' + name).then((answer) => answer.blob()).then((blob) => {
  const data = new DataTransfer();
  data.items.add(new File([blob], kind === 'paste' ? 'image.png' : name, {type}));
  const event = kind === 'paste'
    ? new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true})
    : new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true});
  document.body.dispatchEvent(event);
  done();
});
"""


def put_file(page: Page, name: str, kind: str, mime: str = "image/jpeg") -> None:
    """Send a drag or paste event that carries a sample."""
    page.driver.execute_async_script(PUT_FILE, name, mime, kind)


def assert_true_text(lines: list[str], wanted: list[str], share: float = 0.8) -> None:
    """Most of the true lines are there, letter for letter. How well the service reads is not this test's question."""
    have = letters("".join(lines))
    found = [line for line in wanted if letters(line) in have]
    assert len(found) >= share * len(wanted), set(wanted) - set(found)


def letters(text: str) -> str:
    """Letters and digits alone."""
    return "".join(char for char in text.lower() if char.isalnum())


def test_a_picture_becomes_text_beside_its_boxes(page: Page) -> None:
    page.choose("receipt-en.jpg")
    page.wait_status("done")
    lines = page.wait_lines()
    assert_true_text(lines, truth("receipt-en.jpg")[0])
    assert any("is-queued" in row[0] or "is-running" in row[0] for row in page.js("return window.seen") if row[0])

    # Every line has a box, and every box lies on the picture.
    picture = page.one(".turn img").rect
    boxes = page.all(".overlay .box")
    assert len(boxes) == len(lines)
    for box in boxes:
        assert box.rect["x"] >= picture["x"] - 3
        assert box.rect["x"] + box.rect["width"] <= picture["x"] + picture["width"] + 3
        assert box.rect["y"] + box.rect["height"] <= picture["y"] + picture["height"] + 3
    assert page.errors() == []


def test_a_line_and_its_box_find_each_other(page: Page) -> None:
    page.choose("receipt-en.jpg")
    page.wait_lines()
    index = next(at for at, line in enumerate(page.lines) if squeezed(line) == "Receipt300842")
    item = page.all(".lines .line")[index]
    ActionChains(page.driver).move_to_element(item).perform()
    page.wait_for(f".box.hover[data-line='{index}']")

    item.click()
    page.wait_for(f".box.selected[data-line='{index}']")
    detail = page.wait_for(".detail")
    assert "ppocrv6" in detail.text or "crnn" in detail.text
    cut = detail.find_element(By.TAG_NAME, "canvas").rect
    assert cut["width"] > 3 * cut["height"], "the cut-out shows the line, level"

    other = index + 1
    page.js("window.getSelection().removeAllRanges()")
    ActionChains(page.driver).move_to_element(page.one(f".box[data-line='{other}'] .frame")).click().perform()
    assert page.wait_for(".line.selected").get_attribute("data-line") == str(other)
    assert len(page.all(".box.selected")) == 1


def test_the_page_speaks_both_languages_and_remembers(page: Page) -> None:
    assert page.text("h1") == "Put a picture in, take its text out."
    page.one("#language").click()
    assert page.text("h1") == "放入图片，取出文字。"
    assert page.js("return document.documentElement.lang") == "zh-CN"
    page.choose("line-zh.png")
    page.wait_status("done")
    assert page.text(".pill") == "完成"
    assert page.one("#copy").text == "复制文字"
    page.driver.refresh()
    page.wait_status("done")
    assert page.text("#new span") == "新建"
    page.one("#language").click()
    assert page.text("#new span") == "New"


def test_the_text_is_copied(page: Page) -> None:
    page.driver.execute_cdp_cmd(
        "Browser.grantPermissions",
        {"origin": page.base, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]},
    )
    page.choose("line-en.png")
    page.wait_for("#copy").click()
    assert page.wait_for(".toast").text == "Copied."
    read = "navigator.clipboard.readText().then(arguments[0], (error) => arguments[0]('refused: ' + error))"
    assert squeezed(page.driver.execute_async_script(read)) == squeezed(truth("line-en.png")[0][0])


def test_every_page_of_a_pdf_has_its_picture_and_its_text(page: Page) -> None:
    page.choose("report-5p.pdf")
    page.wait_status("done")
    assert [chip.text for chip in page.all(".page-chip")] == ["1", "2", "3", "4", "5"]
    page.wait(lambda: len(page.all(".page-chip.is-done")) == 5, "five pages done")
    for number, wanted in enumerate(truth("report-5p.pdf"), 1):
        page.one(f".page-chip[data-page='{number}']").click()
        page.wait_line(wanted[0])
        assert_true_text(page.lines, wanted)
        width, height = page.wait(lambda: drawn(page), f"the picture of page {number}")
        box = page.one(".overlay").rect
        assert width / height == pytest.approx(box["width"] / box["height"], rel=0.01)
    page.one("body").click()
    ActionChains(page.driver).send_keys("\ue012").perform()  # the left arrow turns back
    page.wait_for(".page-chip[data-page='4'][aria-current]")


def drawn(page: Page) -> list[int] | None:
    """The natural size of the picture on screen, once it is decoded."""
    size = page.js(
        "const i = document.querySelector('.turn img'); return i.complete ? [i.naturalWidth, i.naturalHeight] : null"
    )
    return size if size and size[0] else None


def test_a_pdfs_own_text_is_shown_as_such(page: Page) -> None:
    page.choose("letter.pdf")
    lines = page.wait_lines()
    assert_true_text(lines, truth("letter.pdf")[0])
    assert "the PDF's own text" in page.text(".job-head .facts")
    assert len(page.all(".box")) == len(lines)
    assert page.wait(lambda: drawn(page), "its picture")


def test_several_files_at_once_are_a_list_of_jobs(page: Page) -> None:
    names = ["line-digits.png", "line-mixed.png", "line-reverse.webp"]
    page.choose(*names)
    page.wait(lambda: len(page.all(".job-link .dot.is-done")) == 3, "three jobs done")
    assert [name.text for name in page.all(".job-link-name")] == names
    for at, name in enumerate(names):
        page.all(".job-link")[at].click()
        page.wait_text("#job-name", name)
        assert squeezed("".join(page.wait_lines(1))) == squeezed(truth(name)[0][0])


def test_a_file_can_be_dropped_anywhere(page: Page) -> None:
    put_file(page, "road-sign.jpg", "dragenter")
    page.wait_for("#veil")
    put_file(page, "road-sign.jpg", "drop")
    page.wait_status("done")
    assert not page.one("#veil").is_displayed()
    assert_true_text(page.wait_lines(), truth("road-sign.jpg")[0])


def test_a_screenshot_can_be_pasted(page: Page) -> None:
    put_file(page, "road-sign.jpg", "paste", "image/png")
    page.wait_status("done")
    assert page.text("#job-name").startswith("clipboard-")
    assert_true_text(page.wait_lines(), truth("road-sign.jpg")[0])


def test_a_page_that_lies_on_its_side_is_shown_upright(page: Page) -> None:
    page.choose("page-turned.png")
    assert_true_text(page.wait_lines(), truth("page-turned.png")[0])
    seen = page.one(".sheet-holder").rect
    assert seen["width"] > seen["height"], "the file is taller than wide, its text reads the other way"
    title = page.one(".box[data-line='0'] .frame").rect
    assert title["width"] > 3 * title["height"]


def test_the_result_can_be_downloaded(page: Page, tmp_path: Path) -> None:
    page.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    page.choose("line-en.png")
    page.wait_for(".menu summary").click()
    page.wait_for("[data-format='json']").click()
    target = tmp_path / "line-en.json"
    page.wait(target.is_file, "the download")
    result = json.loads(target.read_text(encoding="utf-8"))
    assert squeezed(result["text"]) == squeezed(truth("line-en.png")[0][0])
    assert len(result["pages"][0]["lines"][0]["box"]) == 4


def test_the_fields_of_a_form_stand_beside_the_picture(page: Page) -> None:
    page.choose("receipt-en.jpg")
    page.wait_lines()
    page.wait_for("[data-view='fields']").click()
    page.wait(lambda: len(page.all(".field-value")) == 4, "the fields")
    rows = {row.find_element(By.TAG_NAME, "th").text: row for row in page.all(".fields tr")}
    assert list(rows) == ["Total", "Number", "Cash", "Change", "Date", "Tax number"], "what was not found stands last"
    assert rows["Total"].text.split("\n")[0] == "Total 31.00"
    assert "not found" in rows["Date"].text
    assert page.text("#form option") == "Whichever fits: Receipt"

    rows["Total"].find_element(By.CLASS_NAME, "field-value").click()
    box = page.wait_for(".box.selected")
    page.one("[data-view='lines']").click()
    assert squeezed(page.lines[int(box.get_attribute("data-line") or -1)]) == "31.00"

    page.one("[data-view='fields']").click()
    Select(page.wait_for("#form")).select_by_value("invoice-zh")
    page.wait(lambda: "Chinese invoice" in page.text("#form"), "the other form")
    page.wait(lambda: "Buyer" in page.text(".fields"), "its fields")


def test_a_reloaded_page_still_shows_the_job_and_its_picture(page: Page) -> None:
    page.choose("ticket.jpg")
    before = page.wait_lines()
    page.driver.refresh()
    assert page.wait_lines(len(before)) == before
    assert page.wait(lambda: drawn(page), "the kept picture")[0] > 600
    assert page.text(".job-link-name") == "ticket.jpg"


def test_without_javascript_a_form_gives_the_text(page: Page) -> None:
    page.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        page.driver.refresh()
        assert not page.one("#shell").is_displayed()
        page.one("noscript input[name=image], input[name=image]").send_keys(str(SAMPLES / "line-zh.png"))
        page.one("form[action='/upload'] button").click()
        text = page.wait_for("#text").text
    finally:
        page.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert squeezed(text) == squeezed(truth("line-zh.png")[0][0])


def test_on_a_telephone_nothing_is_wider_than_the_screen(page: Page) -> None:
    page.size(390, 844, mobile=True, scale=2)
    assert page.js("return document.documentElement.scrollWidth") <= 390
    page.choose("receipt-zh.jpg")
    page.wait_lines()
    assert page.js("return document.documentElement.scrollWidth") <= 390
    assert page.wait_for(".new-top").text == "New"


def test_a_corrected_line_stays_and_can_be_downloaded_to_teach_with(page: Page, tmp_path: Path) -> None:
    page.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    page.choose("receipt-en.jpg")
    before = page.wait_lines()
    page.all(".lines .line")[1].click()
    field = page.wait_for(".detail input.correct")
    assert field.get_attribute("value") == page.lines[1]
    field.send_keys(Keys.CONTROL + "a")
    field.send_keys("Corrected by hand" + Keys.ENTER)
    page.wait(lambda: page.lines[1] == "Corrected by hand", "the corrected line")
    assert "1 line corrected" in page.text(".changed-count")

    page.driver.refresh()
    assert page.wait_lines(len(before))[1] == "Corrected by hand"
    page.wait_for(".menu summary").click()
    page.wait_for("[data-format='corrected']").click()
    target = tmp_path / "receipt-en.corrected.json"
    page.wait(target.is_file, "the download")
    result = json.loads(target.read_text(encoding="utf-8"))
    lines = result["pages"][0]["lines"]
    assert [lines[1]["text"], lines[0]["text"]] == ["Corrected by hand", before[0]]
    assert "Corrected by hand" in result["text"]
    assert len(lines[1]["box"]) == 4
    assert (
        export(target, SAMPLES / "receipt-en.jpg", tmp_path / "lines")
        .read_text(encoding="utf-8")
        .count("\tCorrected by hand\n")
        == 1
    )

    page.all(".lines .line")[1].click()
    field = page.wait_for(".detail input.correct")
    field.send_keys(Keys.CONTROL + "a")
    field.send_keys(before[1] + Keys.ENTER)
    page.wait(lambda: page.text(".changed-count") == "", "the correction to be taken back")
    assert page.errors() == []
