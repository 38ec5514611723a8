"""Addresses that clients name: fetched from where the operator said, and from nowhere else."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from api.fetch_url import UrlFetcher
from shared.errors import TooManyBytes, UrlRefused
from shared.settings import Settings


class Server(http.server.BaseHTTPRequestHandler):
    """Answers by path; remembers what it was asked."""

    asked: ClassVar[list[tuple[str, str]]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["Host"]))
        if self.path.startswith("/a.png"):
            self.answer(200, b"picture")
        elif self.path == "/large":
            self.answer(200, b"\0" * 5000)
        elif self.path == "/cut":
            self.answer(200, b"half", length=4000)
        elif self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "/a.png")
            self.end_headers()
        else:
            self.answer(404, b"nothing")

    def answer(self, status: int, body: bytes, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def place() -> Iterator[str]:
    """host:port of a server on this machine."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def fetcher(allow: str, **settings: Any) -> UrlFetcher:
    return UrlFetcher(Settings(allow_urls=allow, **settings))


def test_a_listed_host_and_port_is_fetched_from(place: str) -> None:
    Server.asked.clear()
    data, name = fetcher(f"other.example, {place}")(f"http://{place}/a.png?size=%20large")
    assert (data, name) == (b"picture", "a.png")
    assert Server.asked == [("/a.png?size=%20large", place)]


@pytest.mark.parametrize(
    "url",
    [
        "http://{place}/large",
        "http://{place}/cut",
        "http://{place}/away",
        "http://{place}/nothing",
        "http://user:pass@{place}/a.png",
        "http://{place}/a b.png",
        "http://{place}/a\r\nX-Evil: 1",
        "ftp://{place}/a.png",
        "http:///a.png",
        "http://{place}x/a.png",
        "http://[::1/a.png",
    ],
)
def test_what_is_refused(place: str, url: str) -> None:
    with pytest.raises((UrlRefused, TooManyBytes)):
        fetcher(place, max_bytes=1000)(url.format(place=place))


def test_too_much_is_stopped_on_the_way(place: str) -> None:
    with pytest.raises(TooManyBytes):
        fetcher(place, max_bytes=1000)(f"http://{place}/large")


def test_a_listed_name_that_leads_inside_is_refused(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list names a host of the open net; what its name service answers is not believed."""

    def inside(address: str) -> Any:
        return lambda *_, **__: [(2, 1, 6, "", (address, 80))]

    monkeypatch.setattr("api.fetch_url.socket.create_connection", lambda *_: pytest.fail("it connects"))
    for address in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "::1", "fe80::1%eth0", "0.0.0.0"):
        monkeypatch.setattr("api.fetch_url.socket.getaddrinfo", inside(address))
        with pytest.raises(UrlRefused, match="open internet"):
            fetcher("files.example")("http://files.example/a.png")


def test_the_address_that_was_checked_is_the_one_connected_to(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def connect(address: Any, timeout: float) -> Any:
        asked.append(address)
        raise OSError

    monkeypatch.setattr("api.fetch_url.socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("8.8.4.4", 80))])
    monkeypatch.setattr("api.fetch_url.socket.create_connection", connect)
    with pytest.raises(UrlRefused, match="does not answer"):
        fetcher("files.example")("http://files.example/a.png")
    assert asked == [("8.8.4.4", 80)]


def test_an_empty_list_refuses_everything(place: str) -> None:
    with pytest.raises(UrlRefused, match="list"):
        fetcher("")(f"http://{place}/a.png")


def test_another_port_of_a_listed_host_is_refused(place: str) -> None:
    with pytest.raises(UrlRefused, match="list"):
        fetcher("127.0.0.1")(f"http://{place}/a.png")
