"""Chromium once for all tests of the page, and a gateway without workers whose pages a test finishes by hand."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from selenium import webdriver
from werkzeug.serving import make_server

from shared.store.protocol import Claim
from tests.browser import chrome
from tests.contract.http_bench import Gate
from tests.stack import Stack, free_ports


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """The browser. Without Chromium the tests are skipped, and fail where CI is set."""
    if reason := chrome.missing():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    browser = chrome.start(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.quit()


@pytest.fixture
def page(driver: webdriver.Chrome, stack: Stack) -> chrome.Page:
    """The page of the whole fleet."""
    return chrome.Page(driver, stack.url).open()


class Served:
    """A gateway over the in-memory store behind a real HTTP server that can be stopped and started again."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.port = free_ports(1)[0]
        self.start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Answer from now on."""
        self._server = make_server("127.0.0.1", self.port, self.gate.app, threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """`serve(...)` starts a gateway with these settings; all are stopped at the end."""
    running: list[Served] = []

    def start(*args: Any, **settings: Any) -> Served:
        running.append(Served(Gate(*args, max_wait_s=2, **settings)))
        return running[-1]

    yield start
    for served in running:
        served.stop()


Serve = Callable[..., Served]


@pytest.fixture
def served(serve: Serve) -> Served:
    """A gateway with one worker on paper."""
    return serve()


@pytest.fixture
def gate(served: Served) -> Gate:
    """Its inside."""
    return served.gate


def claim(page: chrome.Page, gate: Gate) -> Claim:
    """The next page of work, once it is on the queue."""
    found = page.wait(gate.claim, "a page on the queue")
    assert isinstance(found, Claim)
    return found
