"""TIFF and PDF give their pages one at a time, as they are displayed."""

from __future__ import annotations

import io
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shared.errors import DocumentError, EncryptedPdf, NoPages, TooManyPixels, TooSmall
from worker.documents import Document, Source, open_document
from worker.documents.pdf import PdfDocument
from worker.documents.tiff import TiffDocument

SAMPLES = Path(__file__).parents[2] / "samples"
MANY = 10**8


def opened(source: Source, kind: str = "", max_pixels: int = MANY, dpi: int = 72) -> Document:
    return open_document(source, kind, max_pixels=max_pixels, dpi=dpi)


def tiff(*pages: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:], **options)
    return file.getvalue()


def page(level: int, size: tuple[int, int] = (40, 24), mode: str = "L") -> Image.Image:
    return Image.new(mode, size, level)


def pdf(*objects: str) -> bytes:
    """A small PDF out of its numbered objects; the first is the catalogue."""
    body, offsets = b"%PDF-1.7\n", []
    for number, text in enumerate(objects, 1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{text}\nendobj\n".encode("latin-1")
    start = len(body)
    body += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    body += b"".join(f"{offset:010d} 00000 n \n".encode() for offset in offsets)
    return body + f"trailer\n<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n".encode()


def drawn_pdf(width: float = 200, height: float = 100, extra: str = "", content: str = "0 0 20 10 re f") -> bytes:
    """One page with a black block, by default 20x10 points in the lower left corner."""
    return pdf(
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width} {height}]/Contents 4 0 R{extra}>>",
        f"<</Length {len(content)}>>stream\n{content}\nendstream",
    )


def scanned_pdf(px: tuple[int, int], width: float, height: float) -> bytes:
    """One page that is a single picture, as scanners make them."""
    data = "\x80" * (px[0] * px[1])
    content = f"q {width} 0 0 {height} 0 0 cm /P Do Q"
    return pdf(
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width} {height}]/Contents 4 0 R/Resources<</XObject<</P 5 0 R>>>>>>",
        f"<</Length {len(content)}>>stream\n{content}\nendstream",
        f"<</Type/XObject/Subtype/Image/Width {px[0]}/Height {px[1]}/ColorSpace/DeviceGray/BitsPerComponent 8"
        f"/Length {len(data)}>>stream\n{data}\nendstream",
    )


# TIFF


def test_pages_of_a_tiff_come_by_number_in_any_order_and_mode() -> None:
    document = opened(tiff(page(10), page(200, (64, 32)), page(1, mode="1"), page(90).convert("RGB")), "tiff")
    assert document.pages == 4
    assert [int(document.page(n).image[3, 3, 0]) for n in (4, 2, 1, 3)] == [90, 200, 10, 255]
    assert document.page(2).image.shape == (32, 64, 3)
    with pytest.raises(NoPages):
        document.page(5)
    document.close()


def test_a_tiff_is_read_from_a_file_just_as_well(tmp_path: Path) -> None:
    path = tmp_path / "blob"
    path.write_bytes(tiff(page(10), page(200)))
    document = opened(path, "tiff")
    assert document.page(2).image[0, 0, 0] == 200
    document.close()


def test_each_page_of_a_tiff_is_measured_before_it_is_decoded() -> None:
    document = opened(tiff(page(10), page(20, (100, 100))), "tiff", max_pixels=2000)
    assert document.page(1).width == 40
    with pytest.raises(TooManyPixels):
        document.page(2)


def test_large_pages_of_a_tiff_are_not_kept_and_the_next_still_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.documents.tiff.KEEP_PIXELS", 100)
    document = opened(tiff(page(10), page(20), page(30)), "tiff")
    assert [int(document.page(n).image[0, 0, 0]) for n in (1, 2, 3, 1)] == [10, 20, 30, 10]


def test_fax_pages_with_oblong_pixels_are_made_square_and_it_is_said() -> None:
    shown = opened(tiff(page(10), dpi=(204, 98))).page(1)
    assert (shown.width, shown.height) == (40, 50)
    assert "square" in shown.warnings[0]
    assert opened(tiff(page(10), dpi=(200, 200))).page(1).warnings == ()


def test_deep_colour_that_pillow_does_not_know_is_read_all_the_same() -> None:
    import cv2

    deep = np.full((24, 40, 3), (10_000, 30_000, 60_000), np.uint16)
    good, data = cv2.imencode(".tiff", deep)
    assert good
    shown = opened(data.tobytes()).page(1).image[5, 5].astype(int)
    assert np.abs(shown - [39, 117, 233]).max() <= 2


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_a_damaged_tiff_says_so() -> None:
    whole = tiff(page(10), page(20), compression="tiff_deflate")
    with pytest.raises(DocumentError):
        opened(whole[:60], "tiff").page(1)


# PDF


def test_a_pdf_page_is_drawn_at_the_resolution_asked_for() -> None:
    shown = opened(drawn_pdf(), dpi=144).page(1)
    assert shown.image.shape == (200, 400, 3)
    assert shown.image[-5, 5].tolist() == [0, 0, 0]
    assert shown.image[5, 5].tolist() == [255, 255, 255]
    assert shown.warnings == ()


def test_a_turned_pdf_page_is_drawn_as_displayed() -> None:
    shown = opened(drawn_pdf(extra="/Rotate 90")).page(1)
    assert shown.image.shape == (200, 100, 3)
    assert shown.image[5, 5].tolist() == [0, 0, 0]


def test_a_poster_is_drawn_smaller_and_says_so() -> None:
    shown = opened(drawn_pdf(width=2000, height=1000), max_pixels=500_000).page(1)
    assert 450_000 < shown.width * shown.height <= 500_000
    assert "very large" in shown.warnings[0]


def test_a_page_drawn_as_a_thin_line_is_too_small() -> None:
    with pytest.raises(TooSmall):
        opened(drawn_pdf(width=500, height=1)).page(1)


def test_a_scanned_page_is_drawn_at_the_resolution_of_its_scan() -> None:
    assert opened(scanned_pdf((250, 500), 72, 144), dpi=100).page(1).width == 250
    assert opened(scanned_pdf((800, 1600), 72, 144), dpi=100).page(1).width == 300, "300 dpi are enough"
    assert opened(scanned_pdf((50, 100), 72, 144), dpi=100).page(1).width == 100, "never below what was asked for"


def test_form_fields_show_what_was_filled_in() -> None:
    look = "0 0 0 rg 0 0 50 50 re f"
    filled = pdf(
        "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[5 0 R]>>>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]/Contents 4 0 R/Annots[5 0 R]>>",
        "<</Length 0>>stream\n\nendstream",
        "<</Type/Annot/Subtype/Widget/FT/Tx/T(a)/V(x)/F 4/Rect[0 0 50 50]/P 3 0 R/AP<</N 6 0 R>>>>",
        f"<</Type/XObject/Subtype/Form/BBox[0 0 50 50]/Length {len(look)}>>stream\n{look}\nendstream",
    )
    shown = opened(filled).page(1)
    assert shown.image[80, 20].max() < 255


def test_a_pdf_from_a_file_gives_its_pages_in_any_order() -> None:
    document = opened(SAMPLES / "report-5p.pdf", "application/pdf", dpi=50)
    assert document.pages == 5
    last, first = document.page(5).image, document.page(1).image
    assert not np.array_equal(last, first)
    with pytest.raises(NoPages):
        document.page(6)
    with pytest.raises(NoPages):
        document.page(0)
    document.close()


def test_pages_are_not_kept() -> None:
    document = opened(SAMPLES / "report-5p.pdf", "pdf", dpi=150)
    document.page(1)
    tracemalloc.start()
    for number in range(1, 6):
        document.page(number)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held < 1_000_000


def test_an_encrypted_pdf_says_so(tmp_path: Path) -> None:
    # Standard security handler, revision 2, user password "x": the file cannot be opened without it.
    locked = pdf("<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[]/Count 0>>").replace(
        b"/Root 1 0 R",
        b"/Root 1 0 R/ID[<00><00>]/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<"
        + b"00" * 32
        + b">/U<"
        + b"11" * 32
        + b">>>",
    )
    with pytest.raises(EncryptedPdf):
        opened(locked)


@pytest.mark.parametrize("kept", [5, 40, 200])
def test_a_damaged_pdf_says_so(kept: int) -> None:
    with pytest.raises(DocumentError):
        opened(drawn_pdf()[:kept], "pdf").page(1)


def test_an_empty_pdf_has_no_pages() -> None:
    with pytest.raises(DocumentError):
        opened(pdf("<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[]/Count 0>>"))


def test_the_content_decides_where_the_kind_is_unknown() -> None:
    assert isinstance(opened(b"\n\n" + drawn_pdf()), PdfDocument)
    assert isinstance(opened(tiff(page(1)), "image/tiff"), TiffDocument)
    assert opened((SAMPLES / "letter.pdf").read_bytes()).pages == 1


def test_closing_lets_go_of_the_file() -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        document = opened(SAMPLES / "report-5p.pdf", "pdf", dpi=30)
        document.page(1)
        document.close()
    assert len(os.listdir("/proc/self/fd")) <= before
