"""Options and page numbers as people write them; cache keys; names; base64."""

from __future__ import annotations

import base64

import pytest
from flask import Request
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder

from api.clients import Doors
from api.options import parse, select_pages
from api.receive import clean_name, decode_base64
from shared.errors import BadBase64, KeyMissing, KeyRefused, NoPages, UnknownOption
from shared.keys import job_key, page_key
from shared.records import ReadOptions
from shared.settings import Settings


@pytest.mark.parametrize(
    ("text", "total", "chosen"),
    [
        ("", 3, (1, 2, 3)),
        (" ", 2, (1, 2)),
        ("2", 3, (2,)),
        ("1-3,7", 9, (1, 2, 3, 7)),
        ("7,1-3,2", 9, (1, 2, 3, 7)),
        ("2-", 4, (2, 3, 4)),
        ("-2", 4, (1, 2)),
        (" 1 - 2 , 4 ", 4, (1, 2, 4)),
        ("3-999999999", 4, (3, 4)),
        ("1,50", 4, (1,)),
    ],
)
def test_pages(text: str, total: int, chosen: tuple[int, ...]) -> None:
    assert select_pages(text, total) == chosen


@pytest.mark.parametrize("text", ["a", "1-2-3", "3-1", "0", "-", ",", "1,", "1 2", "1.5", "-0", "9" * 12, "١", "1--2"])
def test_pages_that_are_none(text: str) -> None:
    with pytest.raises(UnknownOption) as caught:
        parse({"pages": text})
    assert caught.value.field == "pages"


def test_pages_beyond_the_end() -> None:
    with pytest.raises(NoPages):
        select_pages("5-9", 4)


@given(st.sets(st.integers(1, 300), min_size=1), st.integers(1, 300))
def test_pages_written_one_by_one_are_those_pages(pages: set[int], total: int) -> None:
    text = ",".join(map(str, pages))
    wanted = tuple(sorted(page for page in pages if page <= total))
    if wanted:
        assert select_pages(text, total) == wanted
    else:
        with pytest.raises(NoPages):
            select_pages(text, total)


def test_options_have_defaults_and_ignore_case_and_blanks() -> None:
    assert parse({}) == (ReadOptions(), "", "interactive")
    asked = parse({"lang": " ZH-Hant ", "engine": "", "priority": "bulk", "pages": "2-"})
    assert asked == (ReadOptions(lang="zh-hant"), "2-", "bulk")


def test_a_key_differs_with_everything_that_changes_the_answer() -> None:
    def key(
        sha: str = "a",
        kind: str = "pdf",
        lang: str = "auto",
        pages: tuple[int, ...] = (1,),
        models: str = "m",
        dpi: int = 200,
    ) -> str:
        return job_key(sha, kind, ReadOptions(lang=lang), pages, models, dpi)

    others = [key("b"), key(kind="png"), key(lang="zh"), key(pages=(1, 2)), key(models="n"), key(dpi=300)]
    assert len({key(), *others}) == 7
    assert key() == key()
    assert key(kind="png", dpi=200) == key(kind="png", dpi=300)
    assert job_key("a", "pdf", ReadOptions(), (1,), None, 200) == ""
    assert page_key("a", ReadOptions(), "m") not in (
        page_key("a", ReadOptions(), "n"),
        page_key("b", ReadOptions(), "m"),
    )
    assert page_key("a", ReadOptions(), "") == ""
    assert page_key("a", ReadOptions(pictures="keep"), "m") == page_key("a", ReadOptions(), "m")
    assert job_key("a", "png", ReadOptions(pictures="keep"), (1,), "m", 200) != key(kind="png")


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("receipt.png", "receipt.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\fakepath\\发票.jpg", "发票.jpg"),
        ("a\r\nSet-Cookie: x", "aSet-Cookie: x"),
        ("n" * 500, "n" * 200),
        ("", ""),
    ],
)
def test_names_are_only_names(given_name: str, kept: str) -> None:
    assert clean_name(given_name) == kept


@given(st.binary(max_size=100))
def test_base64_in_every_dress(data: bytes) -> None:
    plain = base64.b64encode(data).decode()
    for dressed in (plain, plain.rstrip("="), base64.urlsafe_b64encode(data).decode(), "\n".join(plain)):
        assert decode_base64(dressed) == data
    assert decode_base64("data:image/png;charset=x;base64," + plain) == data


@pytest.mark.parametrize("text", ["A", "AA=A", "A===", "äää", "data:image/png,plain", None, b"QUJD"])
def test_what_is_no_base64(text: object) -> None:
    with pytest.raises(BadBase64):
        decode_base64(text)


def request(**headers: str) -> Request:
    address = headers.pop("address", "203.0.113.9")
    builder = EnvironBuilder(headers=[(name.replace("_", "-"), value) for name, value in headers.items()])
    return Request({**builder.get_environ(), "REMOTE_ADDR": address})


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("203.0.113.9", "addr:203.0.113.9"),
        ("::ffff:203.0.113.9", "addr:203.0.113.9"),
        ("2001:db8:1:2:3::4", "addr:2001:db8:1:2::/64"),
        ("", "addr:unknown"),
    ],
)
def test_a_client_without_a_key_is_its_network(address: str, client: str) -> None:
    assert Doors(Settings()).client(request(address=address)) == client


def test_a_client_with_a_key_is_its_key() -> None:
    doors = Doors(Settings(api_keys=" alpha ,beta,"))
    assert doors.locked
    one = doors.client(request(Authorization="bearer alpha"))
    assert one == doors.client(request(X_API_Key="alpha", address="198.51.100.1"))
    assert one == doors.client(request(), form_key="alpha")
    assert one != doors.client(request(X_API_Key="beta"))
    assert "alpha" not in one
    for wrong in ({"X_API_Key": "gamma"}, {"Authorization": "Bearer alph"}):
        with pytest.raises(KeyRefused):
            doors.client(request(**wrong))
    for none in ({}, {"Authorization": "Basic YWxwaGE6"}, {"X_API_Key": " "}):
        with pytest.raises(KeyMissing):
            doors.client(request(**none))
