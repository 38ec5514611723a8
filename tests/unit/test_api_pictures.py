"""Pictures are measured from their headers alone, and a cut-off file is told from a whole one."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from api import pictures
from tests.documents import frames, picture

WHOLE = {
    "png": picture("PNG"),
    "png, 1 bit": picture("PNG", mode="1"),
    "png, palette and transparency": picture("PNG", mode="P", transparency=0),
    "png, 16 bit": picture("PNG", mode="I;16"),
    "jpeg": picture("JPEG"),
    "jpeg, progressive": picture("JPEG", (300, 200), progressive=True),
    "jpeg, CMYK": picture("JPEG", mode="CMYK"),
    "jpeg, restart markers": picture("JPEG", (300, 200), restart_marker_blocks=1),
    "gif": picture("GIF", mode="P"),
    "bmp": picture("BMP"),
    "bmp, 1 bit": picture("BMP", mode="1"),
    "webp": picture("WEBP"),
    "webp, lossless": picture("WEBP", lossless=True),
    "webp, transparent": picture("WEBP", mode="RGBA"),
    "tiff": picture("TIFF"),
    "tiff, LZW": picture("TIFF", compression="tiff_lzw"),
    "tiff, fax": picture("TIFF", mode="1", compression="group4"),
    "tiff, big": picture("TIFF", big_tiff=True),
    "tiff, three pages": frames("TIFF", 3),
    "tiff, many strips": picture("TIFF", (90, 400), strip_size=900),
}
ANIMATED = {"gif": frames("GIF", 3, mode="P"), "webp": frames("WEBP", 3, mode="RGB"), "png": frames("PNG", 3)}


def measured(data: bytes) -> pictures.Picture:
    kind = pictures.sniff(data)
    assert kind is not None
    return pictures.inspect(kind, data, 1000)


@pytest.mark.parametrize("name", WHOLE)
def test_measures_as_pillow_does(name: str) -> None:
    data = WHOLE[name]
    with Image.open(io.BytesIO(data)) as image:
        expected = (image.size,) * getattr(image, "n_frames", 1)
    found = measured(data)
    assert found.sizes == expected
    assert found.kind == name.partition(",")[0]


@pytest.mark.parametrize("kind", ANIMATED)
def test_an_animation_is_one_page(kind: str) -> None:
    assert measured(ANIMATED[kind]).sizes == ((60, 20),)


@pytest.mark.parametrize("name", WHOLE)
def test_bytes_after_the_end_do_no_harm(name: str) -> None:
    assert measured(WHOLE[name] + b"\0 and more").sizes == measured(WHOLE[name]).sizes


# What may be missing and the picture is whole all the same: the GIF's trailer, the padding of a RIFF chunk, and of a
# TIFF what fills its last page up to 16 bytes, or a value that says nothing of size and place.
MAY_MISS = {"gif": 1, "webp": 1, "tiff": 16}


@pytest.mark.parametrize("name", WHOLE)
def test_every_cut_is_noticed(name: str) -> None:
    data = WHOLE[name]
    kind = name.partition(",")[0]
    last = len(data) - MAY_MISS.get(kind, 0)
    for end in range(min(40, last - 1), last, max(1, last // 97)):
        with pytest.raises(pictures.Damaged):
            pictures.inspect(kind, data[:end], 1000)
    with pytest.raises(pictures.Damaged):
        pictures.inspect(kind, data[: last - 1], 1000)


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(sorted(WHOLE)),
    places=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=12),
    cut=st.integers(0, 60),
)
def test_no_rubbish_is_answered_by_a_crash(name: str, places: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(WHOLE[name])
    for place, value in places:
        data[place % len(data)] = value
    data = data[: len(data) - cut]
    kind = name.partition(",")[0]
    try:
        found = pictures.inspect(kind, bytes(data), 50)
    except (pictures.Damaged, pictures.TooManyFrames):
        return
    assert all(width > 0 and height > 0 for width, height in found.sizes)


def test_pages_of_a_tiff_that_point_at_each_other_end_somewhere() -> None:
    data = bytearray(frames("TIFF", 2))
    first = int.from_bytes(data[4:8], "little")
    count = int.from_bytes(data[first : first + 2], "little")
    data[first + 2 + count * 12 : first + 6 + count * 12] = data[4:8]
    with pytest.raises(pictures.Damaged, match="point at each other"):
        pictures.inspect("tiff", bytes(data), 1000)


def test_a_tiff_of_too_many_pages_is_not_walked_to_its_end() -> None:
    with pytest.raises(pictures.TooManyFrames):
        pictures.inspect("tiff", frames("TIFF", 6), 5)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"BMW drives on. A plain text that begins like a bitmap.", None),
        (b"%PDF-1.7", "pdf"),
        (b"\n\n%PDF-1.4", "pdf"),
        (b"<svg/>", None),
        (b"", None),
        (b"PK\x03\x04", None),
    ],
)
def test_the_content_decides_not_a_name(data: bytes, kind: str | None) -> None:
    assert pictures.sniff(data) == kind
