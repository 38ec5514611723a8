"""The codes of Chinese firms: impossible signs are told by the form, doubtful ones by the check."""

from __future__ import annotations

import pytest

from worker.reading.context import credit_codes
from worker.reading.context.codes import CHECKED, SIGNS, TOLD, WEIGHTS, checks
from worker.reading.ctc import Peak

ALPHABET = ["", " ", "：", "号", *"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZos"]


def code(body: str) -> str:
    """17 signs and the one that checks them."""
    return body + SIGNS[-sum(SIGNS.index(sign) * weight for sign, weight in zip(body, WEIGHTS, strict=True)) % 31]


def read(line: str, doubts: dict[int, tuple[str, float]] | None = None) -> tuple[str, list[float]]:
    """A line as the network gives it, with what else it thought of at a place; and what then stands there, how surely."""
    peaks = []
    for at, char in enumerate(line):
        other = (doubts or {}).get(at)
        alternatives = ((ALPHABET.index(other[0]), other[1]),) if other else ()
        peaks.append(Peak(ALPHABET.index(char), 0.99, at, at, at, alternatives))
    out = credit_codes(peaks, ALPHABET)
    return "".join(ALPHABET[peak.index] for peak in out), [peak.confidence for peak in out]


def test_the_check_is_that_of_the_standard() -> None:
    assert checks("91350100M000100Y43"), "the standard's own example"
    assert not checks("91350100M000100Y44")


@pytest.mark.parametrize(
    ("was", "now"), [("O", "0"), ("O", "Q"), ("O", "D"), ("I", "1"), ("S", "5"), ("Z", "2"), ("o", "0"), ("V", "Y")]
)
def test_an_impossible_sign_is_the_one_that_checks(was: str, now: str) -> None:
    whole = code(f"91330106MA2{now}ABC7X")
    text, confidence = read(
        "号：" + whole.replace(now, was) if now not in "012" else f"号：{whole[:11]}{was}{whole[12:]}"
    )
    assert text == "号：" + whole
    assert min(confidence) == CHECKED


def test_a_doubtful_sign_is_the_one_that_checks() -> None:
    whole = code("91330106MA2Q8BC7X")
    wrong = whole[:11] + "0" + whole[12:]
    assert read(wrong, {11: ("Q", 0.02)})[0] == whole
    assert read(wrong)[0] == wrong, "what nobody thought of is not made up"
    assert read(whole, {11: ("0", 0.4)})[0] == whole, "what checks stays"


def test_where_nothing_checks_only_a_firms_impossible_signs_are_put_right() -> None:
    bad = code("91330106MA20ABC7X")[:-1]
    wrong = bad + next(sign for sign in "ABC" if not any(checks(bad.replace("20", f"2{o}") + sign) for o in "0QD"))
    text, confidence = read(wrong.replace("20A", "2OA"))
    assert (text, min(confidence)) == (wrong, TOLD)
    assert read("A" + wrong[1:].replace("20A", "2OA"))[0] == "A" + wrong[1:].replace("20A", "2OA")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "号：",
        "9133010OMA2",
        "91330106MA20ABC7XOO",
        "6222O21234567890123",
        "ABCDEFGHIJKLMNOPQR",
        "91O30106 号 MA20ABC7XO",
    ],
)
def test_other_text_stays_as_it_was_read(line: str) -> None:
    assert read(line)[0] == line


def test_the_number_of_an_identity_card_is_none() -> None:
    right = next(body + "X" for body in (f"1101011990030{n:04d}" for n in range(10_000)) if code(body).endswith("X"))
    wrong = right[:16] + ("1" if right[16] == "7" else "7") + "X"
    assert read(wrong, {16: (right[16], 0.3)})[0] == wrong, "though the other digit would check, were it a firm's code"


def test_spaces_part_nothing() -> None:
    whole = code("91330106MA20ABC7X")
    assert read(f"{whole[:8]} {whole[8:11]}O{whole[12:]}")[0] == f"{whole[:8]} {whole[8:]}"
