"""The sample documents are what samples.json says they are: every file, its format, its pages and their sizes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from PIL import Image, ImageOps

FOLDER = Path(__file__).parents[2] / "samples"
SAMPLES: list[dict[str, Any]] = json.loads((FOLDER / "samples.json").read_text(encoding="utf-8"))
FORMATS = {".jpg": "JPEG", ".png": "PNG", ".webp": "WEBP", ".tiff": "TIFF"}
MAX_BYTES, MAX_TOTAL_BYTES = 160 * 1024, 2 * 1024 * 1024


def sample_id(sample: dict[str, Any]) -> str:
    return str(sample["file"])


def test_every_document_in_the_folder_is_described_and_none_is_missing() -> None:
    there = {path.name for path in FOLDER.iterdir() if path.suffix in {*FORMATS, ".pdf"}}
    assert there == {sample["file"] for sample in SAMPLES}
    assert len(there) == len(SAMPLES)


def test_the_folder_stays_small() -> None:
    sizes = {sample["file"]: (FOLDER / sample["file"]).stat().st_size for sample in SAMPLES}
    assert max(sizes.values()) <= MAX_BYTES, sizes
    assert sum(sizes.values()) <= MAX_TOTAL_BYTES


@pytest.mark.parametrize("sample", SAMPLES, ids=sample_id)
def test_every_page_has_text_that_leaves_no_doubt(sample: dict[str, Any]) -> None:
    assert sample["hard"] in {"easy", "fair", "hard"}
    assert sample["lang"] in {"zh", "en", "zh+en"}
    assert [page["page"] for page in sample["pages"]] == list(range(1, len(sample["pages"]) + 1))
    for page in sample["pages"]:
        assert page["lines"]
        for line in page["lines"]:
            assert line == line.strip(), "a line has no space at its ends"
            # Characters with a full-width twin that a reader may rightly give instead of them.
            assert not set(line) & set("，：；（）！？“”‘’￥¥"), line


@pytest.mark.parametrize("sample", [row for row in SAMPLES if not row["file"].endswith(".pdf")], ids=sample_id)
def test_a_picture_has_the_format_and_the_page_sizes_it_claims(sample: dict[str, Any]) -> None:
    path = FOLDER / sample["file"]
    with Image.open(path) as image:
        assert image.format == FORMATS[path.suffix]
        assert getattr(image, "n_frames", 1) == len(sample["pages"])
        for number, page in enumerate(sample["pages"]):
            image.seek(number)
            assert ImageOps.exif_transpose(image).size == (page["width"], page["height"])


@pytest.mark.parametrize("sample", [row for row in SAMPLES if row["file"].endswith(".pdf")], ids=sample_id)
def test_a_pdf_has_its_pages_and_only_the_letter_has_text_of_its_own(sample: dict[str, Any]) -> None:
    document = pypdfium2.PdfDocument(FOLDER / sample["file"])
    try:
        texts = [page.get_textpage().get_text_range() for page in document]
    finally:
        document.close()
    assert len(texts) == len(sample["pages"])
    for text, page in zip(texts, sample["pages"], strict=True):
        own = [line.strip() for line in text.splitlines() if line.strip()]
        assert own == (page["lines"] if sample["kind"] == "letter" else [])


def test_the_page_offers_copies_of_samples_that_are_the_same() -> None:
    copies = list((FOLDER.parent / "web" / "samples").iterdir())
    assert copies
    for copy in copies:
        assert copy.read_bytes() == (FOLDER / copy.name).read_bytes(), copy.name


def test_the_special_forms_are_there() -> None:
    with Image.open(FOLDER / "badge.png") as badge:
        assert badge.mode == "RGBA"
        assert badge.getchannel("A").getextrema() == (0, 255)
    with Image.open(FOLDER / "page-en.png") as one_bit:
        assert one_bit.mode == "1"
    with Image.open(FOLDER / "page-exif.jpg") as turned:
        assert turned.getexif()[0x0112] == 6
        assert turned.width > turned.height
