"""The page's files themselves: nothing from elsewhere, both languages complete, colours that can be read, small modules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

WEB = Path(__file__).resolve().parents[2] / "web"
FILES = sorted(path for path in WEB.rglob("*") if path.suffix in {".html", ".css", ".js", ".svg"})
MODULES = sorted((WEB / "app").glob("*.js"))
MOST_LINES = 300
MOST_BYTES = 140_000  # of everything that a first visit loads
READABLE = 4.5  # WCAG 2.2, level AA, for text


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_nothing_is_loaded_from_elsewhere_and_nothing_is_inline(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|(?<!:)//cdn|@import", text), "an address outside this server"
    if path.suffix == ".html":
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text), (
            "the page's own policy forbids this"
        )
    if path.suffix == ".js":
        assert not re.search(r"\.innerHTML\s*=|insertAdjacentHTML|document\.write|\beval\(", text)


def test_modules_stay_small_and_so_does_the_page() -> None:
    assert {path.name: lines for path in MODULES if (lines := path.read_text().count("\n")) >= MOST_LINES} == {}
    assert sum(path.stat().st_size for path in FILES) <= MOST_BYTES


def test_every_module_is_asked_for_at_once() -> None:
    page = (WEB / "index.html").read_text(encoding="utf-8")
    named = set(re.findall(r'(?:src|rel="modulepreload" href)="/static/app/(\w+\.js)"', page))
    assert named == {path.name for path in MODULES}


def words(language: str) -> dict[str, str]:
    """The sentences of a language."""
    text = (WEB / "app" / "words.js").read_text(encoding="utf-8")
    part = re.search(rf"^  {language}: {{(.*?)^  }},", text, re.S | re.M)
    assert part
    return dict(re.findall(r'(\w+): "((?:[^"\\]|\\.)*)"', part[1]))


def test_both_languages_say_the_same_things() -> None:
    english, chinese = words("en"), words("zh")
    assert english.keys() == chinese.keys()
    for key, sentence in english.items():
        assert sentence, key
        assert set(re.findall(r"{\w+}", sentence)) == set(re.findall(r"{\w+}", chinese[key])), key


def test_every_word_that_is_used_exists() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in MODULES if path.name != "words.js")
    code += (WEB / "index.html").read_text(encoding="utf-8")
    used = set(re.findall(r'\bt\("(\w+)"', code)) | set(re.findall(r'data-word="(\w+)"', code))
    assert len(used) > 40
    assert used <= words("en").keys(), used - words("en").keys()


def colours(theme: str) -> dict[str, str]:
    """The custom properties of a theme."""
    text = (WEB / "style.css").read_text(encoding="utf-8")
    blocks = {
        "light": r":root {(.*?)}",
        "dark": r':root\[data-theme="dark"\] {(.*?)}',
        "system": r":root:not\(\[data-theme\]\) {(.*?)}",
    }
    found = re.search(blocks[theme], text, re.S)
    assert found
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", found[1]))


def luminance(colour: str) -> float:
    """The relative luminance of WCAG 2.2, from sRGB."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Their contrast ratio, 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read_on_every_ground_it_stands_on(theme: str) -> None:
    palette = colours(theme)
    pairs = [("ink", ground) for ground in ("bg", "card", "sunk", "accent-soft", "warn-soft", "bad-soft")]
    pairs += [("muted", ground) for ground in ("bg", "card", "sunk", "accent-soft")]
    pairs += [("accent", "bg"), ("accent", "accent-soft"), ("on-accent", "accent"), ("on-accent", "accent-hover")]
    pairs += [("warn", "card"), ("warn", "warn-soft"), ("bad", "bad-soft"), ("bad", "card")]
    weak = {
        pair: round(ratio, 2) for pair in pairs if (ratio := contrast(palette[pair[0]], palette[pair[1]])) < READABLE
    }
    assert weak == {}


def test_the_systems_dark_is_the_chosen_dark() -> None:
    assert colours("system") == colours("dark")
