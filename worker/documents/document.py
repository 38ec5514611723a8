"""What a document is to a reader: a number of pages, each given as pixels when asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from shared.errors import DocumentError, NoPages, TooManyPixels, TooSmall
from shared.records import Line

if TYPE_CHECKING:
    # Not at run time: the parent of the worker processes imports this module, and it forks.
    import numpy as np
    from numpy.typing import NDArray

Source = bytes | Path

MIN_SIDE_PX = 4  # fewer pixels in height or width hold no character


@dataclass(frozen=True, slots=True)
class TextLayer:
    """What a page says of itself. `lines` are in the order of the file, boxes in page pixels; `complete` where no
    writing is seen on the page that they do not spell."""

    lines: tuple[Line, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class PageImage:
    """One page in pixels. `image` is BGR, uint8, (height, width, 3), upright as displayed, without transparency.

    `width` and `height` are those of the page as displayed; `image` is smaller where a huge page was decoded reduced,
    and its boxes are then to be stretched to `width` and `height`. `text_layer` is what the document itself
    says stands on the page, where it can be trusted. `warnings` are sentences for the person who sent the document.
    """

    image: NDArray[np.uint8]
    width: int
    height: int
    warnings: tuple[str, ...] = ()
    text_layer: TextLayer | None = None


class Document(Protocol):
    """An open document. Not for use by several threads at once."""

    @property
    def pages(self) -> int:
        """How many pages it has."""

    def page(self, number: int) -> PageImage:
        """Page `number`, counted from 1, decoded now. Raises a DocumentError."""

    def close(self) -> None:
        """Give memory and files back."""


def head(source: Source, count: int) -> bytes:
    """The first bytes of a document."""
    if isinstance(source, bytes):
        return source[:count]
    with source.open("rb") as file:
        return file.read(count)


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Raises TooManyPixels or TooSmall; called before anything is decoded."""
    if width * height > max_pixels:
        raise TooManyPixels(width=width, height=height, limit_mp=round(max_pixels / 1e6, 1))
    if min(width, height) < MIN_SIDE_PX:
        raise TooSmall(width=width, height=height)


def damaged(complaint: object) -> DocumentError:
    """What a decoder's complaint becomes: one line, never empty, never long. The complaint itself is English."""
    text = " ".join(str(complaint).split()).rstrip(".")[:160] or type(complaint).__name__
    return DocumentError(reason=text, reason_zh=f"解码程序报告“{text}”")


def no_such_page(pages: int, number: int) -> NoPages:
    """For a page number beyond a document's end."""
    return NoPages(reason=f"it has {pages} pages, not page {number}", reason_zh=f"共 {pages} 页，没有第 {number} 页")
