"""Points and commas of a number are told by its form and by what the network thought of, and are looked at again where neither tells."""

from __future__ import annotations

import pytest

from worker.reading.recogniser import ReadChar
from worker.reading.separators import doubtful, settled

OTHER = {".": ",", ",": ".", "S": "$"}


def chars(text: str, *others: float) -> list[ReadChar]:
    """The characters of a line; of its points, commas and S in turn, how likely the other sign was."""
    rest, out = list(others), []
    for at, char in enumerate(text):
        other = rest.pop(0) if char in OTHER and rest else 0.0
        known = ((OTHER[char], other),) if other else ()
        out.append(ReadChar(char, 1 - other, 10.0 * at, 10.0 * at + 8, known))
    return out


def said(read: tuple[ReadChar, ...]) -> str:
    return "".join(char.text for char in read)


@pytest.mark.parametrize(
    ("read", "others", "right"),
    [
        ("Total 77.245.92", (0.02, 0.001), "Total 77,245.92"),  # a comma that lost its tail
        ("96.032.43", (0.001, 0.02), "96.032,43"),  # decimals behind a comma
        ("1,234,567,89", (0.001, 0.001, 0.1), "1,234,567.89"),
        ("1.368,085", (0.24, 0.09), "1,368,085"),
        ("8.354.841", (0.1, 0.15), "8,354,841"),  # both, a little
        ("Total S9,826.49", (0.1,), "Total $9,826.49"),
        ("HKS9,826.49", (0.1,), "HK$9,826.49"),
    ],
)
def test_a_number_that_nobody_writes_so_is_put_right(read: str, others: tuple[float, ...], right: str) -> None:
    out = settled(chars(read, *others))
    assert said(out) == right
    changed = [(old, new) for old, new in zip(read, out, strict=True) if old != new.text]
    assert all(new.confidence < 0.9 and new.alternatives[0][0] == old for old, new in changed)


@pytest.mark.parametrize(
    ("read", "others"),
    [
        ("77.245.92", ()),  # it thought of nothing else
        ("12,345.67", (0.3, 0.3)),  # in order
        ("12.345,67", (0.3, 0.3)),
        ("8.354.841", (0.01, 0.05)),  # points, as other countries write them
        ("12.05.2025", (0.3, 0.3)),  # a date
        ("192.168.100.254:80", (0.3, 0.3, 0.3)),
        ("3.141", (0.4,)),  # one sign alone tells nothing
        ("S10", (0.4,)),  # a code
        ("MS9,826.49", (0.4,)),  # a currency
        ("S9,826.49", ()),
    ],
)
def test_others_stay(read: str, others: tuple[float, ...]) -> None:
    assert said(settled(chars(read, *others))) == read


@pytest.mark.parametrize(
    ("read", "others", "part"),
    [
        ("Total 7,071878", (), "7,071878"),  # a comma was passed over
        ("-98,15110 x", (), "98,15110"),
        ("9.555.916", (), "9.555.916"),  # points that may be commas
        ("4,548.054,1", (), "4,548.054,1"),
        ("1131,373", (), "1131,373"),
        ("to 1234.56", (), "1234.56"),  # its thousands are not parted
        ("to 123.456", (0.03,), "123.456"),  # nearly read as the other
    ],
)
def test_a_number_in_no_order_or_hardly_read_is_looked_at_again(
    read: str, others: tuple[float, ...], part: str
) -> None:
    first = read.index(part)
    assert doubtful(chars(read, *others)) == set(range(first, first + len(part)))


@pytest.mark.parametrize(
    "read",
    [
        "12,345.67",
        "1,234,567",
        "12.345,67",
        "12.05.2025",
        "2025.10.14",
        "10.0.3.17",
        "12.5",
        "0.125",
        "6,000/mo",
    ],
)
def test_numbers_in_order_are_not(read: str) -> None:
    assert doubtful(chars(read)) == set()


def test_nor_is_one_without_thousands() -> None:
    assert doubtful(chars("2.55", 0.3)) == set()
    assert doubtful(chars("12.50", 0.3)) == set()
