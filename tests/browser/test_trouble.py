"""The page in a real browser where things go wrong: files refused, a full queue, keys, a lost gateway, expired jobs."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium import webdriver

from shared.store.protocol import Limits
from tests.browser.chrome import Page
from tests.browser.conftest import Serve, Served, claim
from tests.contract.http_bench import Gate


@pytest.fixture
def page(driver: webdriver.Chrome, served: Served) -> Page:
    """The page of a gateway with one worker on paper."""
    return Page(driver, served.url).open()


def test_a_file_that_is_no_picture_is_refused_in_both_languages(page: Page, tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("just words, no picture")
    page.choose(text)
    page.wait_status("problem")
    assert "not a PNG" in page.wait_for(".note.bad").text
    page.one("#language").click()
    assert "文件内容不是" in page.wait_for(".note.bad").text
    assert not page.all("#retry"), "the same file will be refused again"
    assert not page.one(".panes").is_displayed()


def test_what_could_not_be_sent_can_be_sent_again(page: Page, served: Served) -> None:
    served.stop()
    page.choose("line-en.png")
    page.wait_status("problem")
    assert "did not answer" in page.wait_for(".note.bad").text
    served.start()
    page.one("#retry").click()
    page.wait_status("queued")
    served.gate.finish(claim(page, served.gate), "second try")
    assert page.wait_lines(1) == ["second try"]


def test_a_full_queue_counts_down_and_sends_again(driver: webdriver.Chrome, serve: Serve) -> None:
    served = serve(Limits(max_jobs=2, client_share=0.5))
    page = Page(driver, served.url).open()
    page.choose("line-en.png")
    page.wait_status("queued")
    page.choose("line-zh.png")
    page.wait(lambda: "The queue is full" in page.text(".progress-label"), "the countdown")
    served.gate.finish(claim(page, served.gate), "first")
    work = claim(page, served.gate)
    served.gate.finish(work, "second")
    page.wait_status("done")
    assert page.lines == ["second"]
    assert page.text("#job-name") == "line-zh.png"


def test_a_key_is_asked_for_and_used(driver: webdriver.Chrome, serve: Serve) -> None:
    served = serve(api_keys="open-sesame")
    page = Page(driver, served.url).open()
    page.choose("line-en.png")
    field = page.wait_for("#key-value")
    assert "API key" in page.text("#key-why")
    field.send_keys("wrong\n")
    page.wait(
        lambda: "not accepted" in page.text("#key-why") and page.one("#key").is_displayed(), "the second question"
    )
    page.one("#key-value").send_keys("open-sesame\n")
    page.wait_status("queued")
    served.gate.finish(claim(page, served.gate), "behind the door")
    assert page.wait_lines(1) == ["behind the door"]
    assert not page.js("return Object.values(localStorage).join().includes('sesame')"), "keys are not kept on the disk"


def test_a_lost_connection_is_said_and_made_good(driver: webdriver.Chrome, serve: Serve) -> None:
    served = serve()
    page = Page(driver, served.url).open()
    page.choose("line-en.png")
    page.wait_status("queued")
    work = claim(page, served.gate)
    served.stop()
    page.wait(lambda: "Connection lost" in page.text(".progress-side"), "the warning")
    served.start()
    served.gate.finish(work, "back again")
    assert page.wait_lines(1) == ["back again"]
    assert "Connection lost" not in page.text(".progress-side")


def test_a_job_that_expired_says_so(page: Page, gate: Gate) -> None:
    page.choose("line-en.png")
    gate.finish(claim(page, gate), "text")
    page.wait_status("done")
    job = page.js("return location.hash").rpartition("/")[2]
    gate.store.delete(job)
    page.driver.refresh()
    page.wait_status("expired")
    assert "expired" in page.wait_for(".note").text
