"""Every kind of picture a client may send becomes the same upright BGR page."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from shared.errors import DocumentError, EmptyFile, NoPages, TooManyPixels, TooSmall, UnsupportedType
from worker.documents import PageImage, open_document
from worker.documents import image as image_module

INK, PAPER = 20, 235  # grey levels of the drawing
MANY = 10**8


def drawing(mode: str = "L", ink: Any = INK, paper: Any = PAPER) -> Image.Image:
    """40x24, paper with one block of ink that tells the corners apart: columns 4 to 15, rows 4 to 9."""
    image = Image.new(mode, (40, 24), paper)
    image.paste(ink, (4, 4, 16, 10))
    return image


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def decoded(data: bytes, kind: str = "", max_pixels: int = MANY) -> PageImage:
    document = open_document(data, kind, max_pixels=max_pixels, dpi=200)
    try:
        return document.page(1)
    finally:
        document.close()


def looks_drawn(page: PageImage, tolerance: int = 12) -> bool:
    """Whether ink and paper are where the drawing has them, in its greys."""
    grey = page.image.astype(int)
    assert page.image.dtype == np.uint8
    assert page.image.shape == (24, 40, 3)
    assert page.image.flags.c_contiguous
    return bool(
        np.abs(grey[5:9, 5:15] - INK).max() <= tolerance
        and np.abs(grey[13:, :] - PAPER).max() <= tolerance
        and np.abs(grey[:, 19:] - PAPER).max() <= tolerance
    )


GREY_16 = Image.fromarray((np.asarray(drawing()).astype(np.uint32) * 257).astype(np.uint16))
PICTURES = {
    "grey png": encoded(drawing(), "PNG"),
    "colour png": encoded(drawing().convert("RGB"), "PNG"),
    "palette png": encoded(drawing().convert("P"), "PNG"),
    "16-bit png": encoded(GREY_16, "PNG"),
    "interlaced bmp": encoded(drawing().convert("RGB"), "BMP"),
    "grey jpeg": encoded(drawing(), "JPEG", quality=98),
    "colour jpeg": encoded(drawing().convert("RGB"), "JPEG", quality=98, subsampling=0),
    "progressive jpeg": encoded(drawing().convert("RGB"), "JPEG", quality=98, subsampling=0, progressive=True),
    "cmyk jpeg": encoded(drawing().convert("RGB").convert("CMYK"), "JPEG", quality=98),
    "webp": encoded(drawing().convert("RGB"), "WEBP", lossless=True),
    "gif": encoded(drawing(), "GIF"),
    "animated gif": encoded(drawing(), "GIF", save_all=True, append_images=[Image.new("L", (40, 24), 90)]),
    "16-bit tiff": encoded(GREY_16, "TIFF"),
    "cmyk tiff": encoded(drawing().convert("RGB").convert("CMYK"), "TIFF"),
    "lab tiff": encoded(Image.merge("LAB", [drawing(), Image.new("L", (40, 24)), Image.new("L", (40, 24))]), "TIFF"),
    "deflated tiff": encoded(drawing().convert("RGB"), "TIFF", compression="tiff_deflate"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_every_kind_of_picture_looks_the_same(name: str) -> None:
    assert looks_drawn(decoded(PICTURES[name]))


def test_one_bit_pictures_are_black_on_white() -> None:
    for data in (encoded(drawing("1", 0, 1), "PNG"), encoded(drawing("1", 0, 1), "TIFF", compression="group4")):
        page = decoded(data)
        assert page.image[6, 8].tolist() == [0, 0, 0]
        assert page.image[20, 30].tolist() == [255, 255, 255]


def test_colours_come_in_the_order_blue_green_red() -> None:
    kinds: dict[str, dict[str, Any]] = {"PNG": {}, "JPEG": {"quality": 98}, "WEBP": {"lossless": True}, "BMP": {}}
    for kind, options in kinds.items():
        page = decoded(encoded(Image.new("RGB", (32, 32), (250, 120, 10)), kind, **options))
        assert np.abs(page.image[16, 16].astype(int) - [10, 120, 250]).max() <= 4, kind


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_applied_as_a_viewer_does(orientation: int, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    all_options: dict[str, dict[str, Any]] = {"JPEG": {"quality": 98}, "WEBP": {"lossless": True}}
    options = all_options.get(kind, {})
    stored = encoded(drawing(), kind, exif=exif, **options)

    page = decoded(stored)

    with Image.open(io.BytesIO(stored)) as image:
        shown = np.asarray(ImageOps.exif_transpose(image).convert("L"), int)
    assert page.image.shape[:2] == shown.shape
    assert (page.height, page.width) == shown.shape
    assert np.abs(page.image[:, :, 0].astype(int) - shown).max() <= 2


@pytest.mark.parametrize(("ink", "ground"), [(10, 255), (250, 0)])
def test_transparency_is_laid_on_a_ground_that_shows_the_ink(ink: int, ground: int) -> None:
    page = decoded(encoded(drawing("LA", (ink, 255), (ink, 0)), "PNG"))
    assert page.image[6, 8].tolist() == [ink] * 3
    assert page.image[20, 30].tolist() == [ground] * 3


def test_a_white_card_with_dark_ink_and_clear_corners_stays_on_white() -> None:
    image = drawing("RGBA", (10, 10, 10, 255), (255, 255, 255, 255))
    image.paste((0, 0, 0, 0), (36, 20, 40, 24))
    assert decoded(encoded(image, "PNG")).image[23, 39].tolist() == [255, 255, 255]


def test_half_transparent_ink_keeps_its_shade() -> None:
    page = decoded(encoded(drawing("RGBA", (0, 0, 0, 128), (0, 0, 0, 0)), "WEBP", lossless=True))
    assert abs(int(page.image[6, 8, 0]) - 127) <= 2


def test_transparent_palette_entries_are_transparent() -> None:
    image = drawing("P", 1, 0)
    image.putpalette([200, 30, 30, 0, 0, 0])
    page = decoded(encoded(image, "GIF", transparency=0))
    assert page.image[20, 30].tolist() == [255, 255, 255]
    assert page.image[6, 8].tolist() == [0, 0, 0]


def test_a_scan_of_12_bits_in_16_is_stretched_to_what_it_uses() -> None:
    dim = Image.fromarray((np.asarray(drawing()).astype(np.uint16) * 16).astype(np.uint16))
    page = decoded(encoded(dim, "PNG"))
    assert int(page.image[20, 30, 0]) - int(page.image[6, 8, 0]) > 200


def test_floating_point_pixels_are_stretched_and_holes_do_no_harm() -> None:
    values = np.asarray(drawing("F", 0.1, 0.9)).copy()
    values[23, 39] = np.nan
    page = decoded(encoded(Image.fromarray(values), "TIFF"))
    assert int(page.image[20, 30, 0]) - int(page.image[6, 8, 0]) > 150


@pytest.mark.parametrize("name", ["grey png", "colour png", "grey jpeg", "colour jpeg", "progressive jpeg"])
def test_the_fast_way_gives_the_same_pixels(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = decoded(PICTURES[name])
    monkeypatch.setattr(image_module, "_is_plain", lambda image: False)
    slow = decoded(PICTURES[name])
    assert np.array_equal(fast.image, slow.image)


@pytest.mark.parametrize(("kind", "mode"), [("JPEG", "RGB"), ("PNG", "RGB"), ("PNG", "1"), ("TIFF", "1")])
def test_a_huge_picture_is_read_reduced_and_says_so(kind: str, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_module, "WHOLE_PIXELS", 5_000)
    page = decoded(encoded(drawing().resize((160, 96)).convert(mode), kind))
    assert (page.width, page.height) == (160, 96)
    assert page.image.shape == (48, 80, 3)
    assert "80x48" in page.warnings[0]


def test_pixels_are_counted_before_decoding() -> None:
    with pytest.raises(TooManyPixels):
        decoded(PICTURES["colour png"], max_pixels=40 * 24 - 1)
    assert looks_drawn(decoded(PICTURES["colour png"], max_pixels=40 * 24))


def test_a_dot_is_no_page() -> None:
    with pytest.raises(TooSmall):
        decoded(encoded(Image.new("L", (1, 1)), "PNG"))


@pytest.mark.parametrize("name", ["colour png", "colour jpeg", "progressive jpeg", "webp", "gif", "interlaced bmp"])
def test_a_truncated_picture_is_a_broken_document(name: str) -> None:
    data = PICTURES[name]
    for kept in (len(data) // 2, 30):
        with pytest.raises(DocumentError):
            decoded(data[:kept])


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(UnsupportedType):
        decoded(b"just some text, " * 10)
    with pytest.raises(EmptyFile):
        decoded(b"")
    with pytest.raises(DocumentError):
        decoded(b"\x89PNG\r\n\x1a\n" + b"\0" * 100)


def test_the_content_decides_whatever_the_name_says() -> None:
    assert looks_drawn(decoded(PICTURES["colour png"], kind="image/jpeg"))
    assert looks_drawn(decoded(PICTURES["16-bit tiff"], kind="png"))


def test_a_picture_has_one_page() -> None:
    document = open_document(PICTURES["animated gif"], "gif", max_pixels=MANY, dpi=200)
    assert document.pages == 1
    with pytest.raises(NoPages):
        document.page(2)


def test_a_damaged_picture_is_told_of_in_chinese_too() -> None:
    with pytest.raises(DocumentError) as caught:
        decoded(PICTURES["colour jpeg"][:-60])
    assert caught.value.detail_zh.startswith("文件已损坏或不完整：解码程序报告“")
    with pytest.raises(NoPages) as beyond:
        open_document(PICTURES["grey png"], "png", max_pixels=MANY, dpi=200).page(2)
    assert beyond.value.detail_zh == "文档没有可读的页面：图片没有第 2 页。"
