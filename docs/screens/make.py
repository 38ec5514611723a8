"""Takes the pictures of the page that the README shows, from a running service.

    make run                                          # in one terminal
    .venv/bin/python -m docs.screens.make [ADDRESS]   # in another, after `make test` has set up; needs chromium

The pictures lie beside this file: empty, running, done, zh, fields, dark and phone (.webp).
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image

from tests.browser import chrome

HERE = Path(__file__).resolve().parent
QUALITY = 90  # of WebP: letters stay sharp


def save(page: chrome.Page, name: str) -> None:
    """Save what is on screen, once every picture on it is decoded."""
    page.wait(lambda: page.js("return [...document.images].every((image) => image.complete)"), "pictures")
    page.js("document.activeElement.blur()")
    path = HERE / f"{name}.webp"
    with Image.open(io.BytesIO(page.driver.get_screenshot_as_png())) as shot:
        shot.convert("RGB").save(path, quality=QUALITY, method=6)
    print(f"{path.stat().st_size / 1024:7.1f} KiB  {path.name}")


def select(page: chrome.Page, text: str) -> None:
    """Select the line that reads so."""
    page.wait_line(text)
    index = [chrome.squeezed(line) for line in page.lines].index(chrome.squeezed(text))
    page.all(".lines .line")[index].click()


def done(page: chrome.Page, sample: str, line: str) -> None:
    """Send a sample and select a line of its text."""
    page.choose(sample)
    page.wait_status("done")
    select(page, line)


def main(base: str) -> None:
    """Every picture, one after the other."""
    with tempfile.TemporaryDirectory() as profile:
        driver = chrome.start(Path(profile))
        try:
            page = chrome.Page(driver, base).open()
            save(page, "empty")

            page.choose("report-5p.pdf", "invoice-zh.jpg", "ticket.jpg", "note-zh.jpg")
            page.wait(lambda: len(page.all(".page-chip.is-done")) >= 2 or page.all(".pill.is-done"), "two pages")
            save(page, "running")

            page.open()
            done(page, "receipt-en.jpg", "Ground coffee")
            save(page, "done")

            page.open()
            page.one("#language").click()
            done(page, "invoice-zh.jpg", "激光打印机")
            save(page, "zh")

            page.one("#language").click()
            page.one("#new").click()
            done(page, "invoice-zh.jpg", "激光打印机")
            page.wait_for("[data-view='fields']").click()
            page.wait(lambda: len(page.all(".field-value")) > 4, "the fields")
            page.all(".field-value")[4].click()
            save(page, "fields")
            page.one("[data-view='lines']").click()
            page.one("#language").click()

            page.one("#theme").click()
            page.one("#theme").click()
            page.one("#new").click()
            done(page, "road-sign.jpg", "云溪大道")
            save(page, "dark")

            page.open()
            page.size(390, 844, mobile=True, scale=1.5)
            done(page, "ticket.jpg", "清河")
            save(page, "phone")
        finally:
            driver.quit()


if __name__ == "__main__":
    main((sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080").rstrip("/"))
