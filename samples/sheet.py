"""A sheet to write on, and what the world does to it before a camera or a scanner sees it.

Used by `make.py` only. Every effect draws its noise from a seed, so the same run gives the same pictures.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

SHARE = Path("/usr/share/fonts")
# Family -> (file, index in a collection). Debian packages: fonts-noto-cjk, fonts-wqy-zenhei, fonts-lxgw-wenkai,
# fonts-dejavu-core, fonts-liberation, fonts-inter, fonts-breip.
FONTS = {
    "noto": ("opentype/noto/NotoSansCJK-Regular.ttc", 2),  # index 2: the forms of simplified Chinese
    "noto-bold": ("opentype/noto/NotoSansCJK-Bold.ttc", 2),
    "song": ("opentype/noto/NotoSerifCJK-Regular.ttc", 2),
    "song-bold": ("opentype/noto/NotoSerifCJK-Bold.ttc", 2),
    "zenhei": ("truetype/wqy/wqy-zenhei.ttc", 0),
    "kai": ("truetype/lxgw-wenkai/LXGWWenKai-Regular.ttf", 0),
    "dejavu": ("truetype/dejavu/DejaVuSans.ttf", 0),
    "serif": ("truetype/dejavu/DejaVuSerif.ttf", 0),
    "mono": ("truetype/liberation/LiberationMono-Regular.ttf", 0),
    "mono-bold": ("truetype/liberation/LiberationMono-Bold.ttf", 0),
    "inter": ("opentype/inter/Inter-Regular.otf", 0),
    "inter-bold": ("opentype/inter/Inter-Bold.otf", 0),
    "times": ("truetype/liberation/LiberationSerif-Regular.ttf", 0),
    "breip": ("truetype/breip/Breip.ttf", 0),
}
Colour = tuple[int, int, int]


def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """The named font at `size` pixels. Raises OSError where its Debian package is not installed."""
    file, index = FONTS[name]
    return ImageFont.truetype(str(SHARE / file), size, index=index)


class Sheet:
    """A picture of `width` x `height` pixels that remembers every run of text written on it, in reading order."""

    def __init__(self, width: int, height: int, paper: Colour = (255, 255, 255), ink: Colour = (20, 22, 28)) -> None:
        self.image = Image.new("RGB", (width, height), paper)
        self.draw = ImageDraw.Draw(self.image)
        self.paper, self.ink = paper, ink
        self.lines: list[str] = []
        self.pdf = b""  # set where the document is no picture but a PDF with real text

    def write(
        self, x: float, y: float, text: str, name: str, size: int, ink: Colour | None = None, anchor: str = "la"
    ) -> None:
        """Write one run of text with its `anchor` (Pillow's names) at (x, y) and remember it."""
        self.draw.text((x, y), text, font=font(name, size), fill=ink or self.ink, anchor=anchor)
        self.lines.append(text)

    def block(self, x: float, y: float, texts: list[str], name: str, size: int, step: int, jitter: int = 0) -> float:
        """Write lines one under the other, `step` pixels apart, each shaken by up to `jitter`; returns the next y."""
        shake = np.random.default_rng(len(texts) * 31 + size)
        for text in texts:
            dx, dy = shake.integers(-jitter, jitter + 1, 2) if jitter else (0, 0)
            self.write(x + 3 * int(dx), y + int(dy), text, name, size)
            y += step
        return y

    def rule(self, x0: float, y0: float, x1: float, y1: float, ink: Colour = (120, 124, 132), width: int = 1) -> None:
        """A straight line."""
        self.draw.line((x0, y0, x1, y1), fill=ink, width=width)


def grain(image: Image.Image, strength: float, seed: int = 1) -> Image.Image:
    """The noise of a sensor or the tooth of paper: normal, `strength` grey levels, a little smoothed."""
    pixels = np.asarray(image).astype(np.float32)
    noise = np.random.default_rng(seed).normal(0, strength, pixels.shape[:2]).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 0.7) * 1.6
    return Image.fromarray(np.clip(pixels + noise[..., None], 0, 255).astype(np.uint8))


def shade(image: Image.Image, left: float, right: float, top: float = 1.0, bottom: float = 1.0) -> Image.Image:
    """Uneven light: factors at the edges, linear between them."""
    pixels = np.asarray(image).astype(np.float32)
    height, width = pixels.shape[:2]
    across = np.linspace(left, right, width, dtype=np.float32)[None, :, None]
    down = np.linspace(top, bottom, height, dtype=np.float32)[:, None, None]
    return Image.fromarray(np.clip(pixels * across * down, 0, 255).astype(np.uint8))


def blur(image: Image.Image, sigma: float) -> Image.Image:
    """Out of focus: a Gaussian of `sigma` pixels."""
    return Image.fromarray(cv2.GaussianBlur(np.asarray(image), (0, 0), sigma))


def shaken(image: Image.Image, length: int) -> Image.Image:
    """A hand that moved: a flat mean over `length` pixels along the line."""
    kernel = np.full((1, length), 1 / length, np.float32)
    return Image.fromarray(cv2.filter2D(np.asarray(image), -1, kernel))


def tilt(image: Image.Image, degrees: float, around: Colour) -> Image.Image:
    """Turned anticlockwise by `degrees` on a ground of colour `around`."""
    return image.rotate(degrees, resample=Image.Resampling.BICUBIC, expand=True, fillcolor=around)


def seen_from_the_side(image: Image.Image, lean: float, around: Colour) -> Image.Image:
    """Perspective: the right edge is `lean` (a share of the height) shorter at each end than the left one."""
    width, height = image.size
    before = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    after = before + np.array(
        [[0, 0], [-lean * width * 0.4, lean * height], [-lean * width * 0.4, -lean * height], [0, 0]], np.float32
    )
    matrix = cv2.getPerspectiveTransform(before, after)
    warped = cv2.warpPerspective(np.asarray(image), matrix, (width, height), flags=cv2.INTER_CUBIC, borderValue=around)
    return Image.fromarray(warped)


def on_ground(image: Image.Image, margin: int, ground: Colour) -> Image.Image:
    """Laid on a table (or a sky) that shows `margin` pixels all around."""
    sheet = Image.new("RGB", (image.width + 2 * margin, image.height + 2 * margin), ground)
    sheet.paste(image, (margin, margin))
    return sheet


def seal(size: int, name: str, inside: str, number: str, ink: Colour = (204, 36, 44), lean: float = 0.0) -> Image.Image:
    """A round stamp on white, `size` pixels across, turned clockwise by `lean` degrees: `name` runs around inside its ring,
    `inside` stands below a star in the middle, `number` runs along the bottom."""
    work = 4 * size
    stamp = Image.new("RGB", (work, work), (255, 255, 255))
    draw = ImageDraw.Draw(stamp)
    middle, radius = work / 2, work * 0.48
    draw.ellipse(
        (middle - radius, middle - radius, middle + radius, middle + radius), outline=ink, width=round(work * 0.022)
    )
    for text, span, away, tall, foot in ((name, 250, 0.75, 0.125, False), (number, 84, 0.86, 0.07, True)):
        for at, char in enumerate(text):
            share = (at + 0.5) / len(text) - 0.5
            degrees = 90 - span * share if foot else -90 + span * share
            cell = Image.new("L", (round(work * 0.2),) * 2)
            half = cell.width / 2
            ImageDraw.Draw(cell).text((half, half), char, 255, font("song-bold", round(work * tall)), anchor="mm")
            cell = cell.rotate(-(degrees - 90 if foot else degrees + 90), resample=Image.Resampling.BICUBIC)
            x, y = (middle + radius * away * turn(np.radians(degrees)) for turn in (np.cos, np.sin))
            stamp.paste(ink, (round(x - half), round(y - half)), cell)
    points = [
        (middle + far * work * np.sin(angle), middle - work * 0.03 - far * work * np.cos(angle))
        for angle, far in zip(np.radians(np.arange(0, 360, 36)), [0.115, 0.045] * 5, strict=True)
    ]
    draw.polygon(points, fill=ink)
    draw.text((middle, middle + work * 0.2), inside, ink, font("noto-bold", round(work * 0.08)), anchor="mm")
    turned = stamp.rotate(-lean, resample=Image.Resampling.BICUBIC, fillcolor=(255, 255, 255))
    return turned.resize((size, size), Image.Resampling.LANCZOS)


def stamped(image: Image.Image, stamp: Image.Image, x: int, y: int, strength: float = 0.85) -> Image.Image:
    """A stamp's ink laid over a picture, its corner at (x, y): both darken the paper."""
    out = np.asarray(image).astype(np.float32)
    part = out[y : y + stamp.height, x : x + stamp.width]
    part *= 1 - strength * (1 - np.asarray(stamp).astype(np.float32) / 255)
    return Image.fromarray(out.astype(np.uint8))
