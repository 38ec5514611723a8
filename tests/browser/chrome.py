"""A real Chromium without a window, and the few things the tests do on the page."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "samples"
PATIENCE_S = 60.0
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-prefers-reduced-motion",
)


def missing() -> str | None:
    """Why there can be no browser here, or None."""
    for program in ("chromium", "chromedriver"):
        if shutil.which(program) is None:
            return f"no {program} on this machine (Debian: apt-get install chromium chromium-driver)"
    return None


def start(profile: Path, language: str = "en-US") -> webdriver.Chrome:
    """A Chromium with a fresh profile."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for flag in (*FLAGS, f"--user-data-dir={profile}", f"--lang={language}", f"--accept-lang={language}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    driver.set_page_load_timeout(30)
    return driver


def squeezed(text: str) -> str:
    """Without any space: readers and people differ about spaces between scripts."""
    return "".join(text.split())


def truth(name: str) -> list[list[str]]:
    """The true lines of a sample, page by page."""
    rows = json.loads((SAMPLES / "samples.json").read_text(encoding="utf-8"))
    found = next(row for row in rows if row["file"] == name)
    return [page["lines"] for page in found["pages"]]


class Page:
    """The page in the browser. Waits are for a state, never for a time."""

    def __init__(self, driver: webdriver.Chrome, base: str) -> None:
        self.driver = driver
        self.base = base

    def open(self, path: str = "/") -> Page:
        """Load the page with nothing remembered."""
        self.driver.get("about:blank")
        self.driver.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": self.base, "storageTypes": "all"})
        self.size(1360, 860)
        self.driver.get_log("browser")
        self.driver.get(self.base + path)
        # Every label that the progress line ever showed, for tests that ask what a person could have seen.
        self.js(
            "window.seen = []; new MutationObserver(() => window.seen.push([document.querySelector('.pill')?.className,"
            " document.querySelector('.progress-label')?.textContent]))"
            ".observe(document.body, {subtree: true, childList: true, characterData: true, attributes: true})"
        )
        return self

    def size(self, width: int, height: int, *, mobile: bool = False, scale: float = 1) -> None:
        """The size of the window's inside."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def js(self, script: str, *arguments: Any) -> Any:
        """Run a script in the page."""
        return self.driver.execute_script(script, *arguments)

    def all(self, css: str) -> list[WebElement]:
        """Every element."""
        return list(self.driver.find_elements(By.CSS_SELECTOR, css))

    def one(self, css: str) -> WebElement:
        """The first element."""
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def text(self, css: str) -> str:
        """What an element says, shown or not."""
        return str(self.js("return document.querySelector(arguments[0])?.textContent ?? ''", css))

    def wait(self, check: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
        """The first true answer of `check`."""

        def look(_: object) -> Any:
            return check()

        return WebDriverWait(self.driver, patience_s, 0.05).until(look, f"waited for: {what}")

    def wait_for(self, css: str, patience_s: float = PATIENCE_S) -> WebElement:
        """An element, once it is there and shown."""
        found = self.wait(lambda: next((node for node in self.all(css) if node.is_displayed()), None), css, patience_s)
        assert isinstance(found, WebElement)
        return found

    def choose(self, *names: str | Path) -> None:
        """Choose files in the file field; names are of samples."""
        self.one("#files").send_keys("\n".join(str(SAMPLES / name) for name in names))

    def wait_status(self, word: str) -> None:
        """Until the job on screen stands at `word`."""
        self.wait_for(f".pill.is-{word}")

    @property
    def lines(self) -> list[str]:
        """The lines of text on screen."""
        return [
            str(text)
            for text in self.js("return [...document.querySelectorAll('.lines .line')].map(n => n.textContent)")
        ]

    def wait_lines(self, count: int | None = None) -> list[str]:
        """The lines, once there are any (or so many)."""
        self.wait(lambda: len(self.lines) == count if count is not None else self.lines, f"{count or 'some'} lines")
        return self.lines

    def wait_line(self, text: str) -> None:
        """Until a line reads so, but for spaces."""
        self.wait(lambda: squeezed(text) in map(squeezed, self.lines), text)

    def wait_text(self, css: str, text: str) -> None:
        """Until an element says exactly this."""
        self.wait(lambda: self.text(css) == text, f"{css}: {text}")

    def errors(self) -> list[str]:
        """What the browser complained about: scripts that failed, resources refused by the page's own policy."""
        return [row["message"] for row in self.driver.get_log("browser") if row["level"] == "SEVERE"]
