"""Languages: which characters they allow, who knows them, and folding."""

from __future__ import annotations

import string

import pytest

from shared.errors import UnknownOption
from shared.languages import LANGUAGES
from worker.reading import languages

HAN = frozenset(map(chr, range(0x4E00, 0x9FA6)))
KANA = frozenset(map(chr, range(0x3041, 0x30FF)))
LATIN = frozenset(string.ascii_letters)
EVERYTHING = HAN | KANA | LATIN | frozenset(string.digits + string.punctuation + " äöüßéèñ，。！Ａ가나")


def allowed(lang: str) -> frozenset[str]:
    found = languages.characters(lang, EVERYTHING)
    assert found is not None
    return found


def test_every_code_the_gateway_takes_is_known() -> None:
    assert set(LANGUAGES) == set(languages.known())


def test_auto_allows_everything() -> None:
    assert languages.characters("auto", EVERYTHING) is None


@pytest.mark.parametrize(
    ("lang", "inside", "outside"),
    [
        ("en", "Az09.,!é", "汉あ，Ａ가ß"),
        ("de", "Azäöüß", "ñ汉"),
        ("zh", "汉漢，Az9", "あ가"),
        ("zh-hans", "汉语，Az", "漢語あ"),
        ("zh-hant", "漢語，Az", "汉语あ"),
        ("ja", "漢あア，Az", "汉가"),
        ("ko", "가나Az", "あ汉"),
    ],
)
def test_a_language_allows_its_own_characters(lang: str, inside: str, outside: str) -> None:
    assert set(inside) <= allowed(lang)
    assert not set(outside) & allowed(lang)


def test_an_unknown_language_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownOption) as caught:
        languages.characters("klingon", EVERYTHING)
    assert caught.value.field == "lang"
    assert "zh-hans" in str(caught.value)


def test_an_engine_without_kana_does_not_know_japanese() -> None:
    chinese = HAN | LATIN
    assert languages.knows("zh", chinese)
    assert languages.knows("en", chinese)
    assert not languages.knows("ja", chinese)
    assert languages.knows("ja", chinese | KANA)
    assert not languages.knows("de", LATIN)


def test_common_han_are_enough_but_few_are_not() -> None:
    common = frozenset(char for char in HAN if languages._in(char, "gb2312"))
    assert languages.knows("zh-hans", common | LATIN)
    assert not languages.knows("zh", frozenset(sorted(common)[:500]) | LATIN)


def test_width_folds_both_ways() -> None:
    assert languages.fold_width("Ａ１，　。") == "A1, 。"
    assert languages.fold_width("A1 ", "full") == "Ａ１　"
    with pytest.raises(ValueError, match="half or full"):
        languages.fold_width("A", "wide")
