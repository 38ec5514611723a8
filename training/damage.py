"""What life does to a picture of a line, harder than `degrade` does: the damages that robust weights learn to read through.

Every damage takes a BGR uint8 picture and returns one, of the same proportions. Strengths are shares of the line's height where
lengths are meant, so that a line of 20 px and one of 60 suffer alike.
"""

from __future__ import annotations

import random
from typing import Any

import cv2
import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
TWICE = 0.25  # share of lines that two damages befall
UNHARMED = 0.08  # and none


def _bytes(values: Array) -> Array:
    return np.clip(values, 0, 255).round().astype(np.uint8)


def blur(rng: random.Random, _: np.random.Generator, picture: Array) -> Array:
    """Out of focus: a Gaussian, or the disc of a lens."""
    height = picture.shape[0]
    if rng.random() < 0.7:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), height * rng.uniform(0.025, 0.085)))
    reach = height * rng.uniform(0.05, 0.14)
    side = int(np.ceil(reach)) * 2 + 1
    y, x = np.mgrid[:side, :side] - side // 2
    disc = np.clip(reach + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)
    return np.asarray(cv2.filter2D(picture, -1, disc / disc.sum()))


def motion(rng: random.Random, _: np.random.Generator, picture: Array) -> Array:
    """Shaken: smeared along a line, mostly sideways."""
    length = picture.shape[0] * rng.uniform(0.06, 0.24)
    angle = 0.0 if rng.random() < 0.5 else rng.uniform(0, np.pi)
    side = int(np.ceil(length)) // 2 * 2 + 3
    kernel = np.zeros((side, side), np.float32)
    at = np.linspace(-length / 2, length / 2, 8 * side)
    x, y = at * np.cos(angle) + side // 2, at * np.sin(angle) + side // 2
    np.add.at(kernel, (y.round().astype(int), x.round().astype(int)), 1.0)
    return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum()))


def dim(rng: random.Random, noise: np.random.Generator, picture: Array) -> Array:
    """Too dark or washed out, with the sensor's noise beside what is left of the contrast."""
    gain = rng.uniform(0.04, 0.2)
    floor = 0.0 if rng.random() < 0.5 else rng.uniform(0, 250 * (1 - gain))
    return _bytes(picture.astype(np.float32) * gain + floor + noise.normal(0, rng.uniform(0.3, 2.0), picture.shape))


def shadow(rng: random.Random, noise: np.random.Generator, picture: Array) -> Array:
    """Light that falls off along the line, and a hard or soft shadow over part of it."""
    height, width = picture.shape[:2]
    along = np.linspace(1.0, rng.uniform(0.2, 0.8), width, dtype=np.float32)[:: rng.choice((1, -1))]
    x = np.arange(width)[None, :] + rng.uniform(-2, 2) * np.arange(height)[:, None]
    shade = np.where(x > rng.uniform(0, width), rng.uniform(0.12, 0.6), 1.0).astype(np.float32)
    if rng.random() < 0.3:
        shade = shade[:, ::-1]
    shade = cv2.GaussianBlur(np.ascontiguousarray(shade), (0, 0), height * rng.uniform(0.03, 0.3))
    dark = picture.astype(np.float32) * (along[None, :] * shade)[:, :, None]
    return _bytes(dark + noise.normal(0, rng.uniform(0, 2), picture.shape))


def grain(rng: random.Random, noise: np.random.Generator, picture: Array) -> Array:
    """Noise, the same in all channels or not, fine or coarse, even or stronger in the dark."""
    height, width = picture.shape[:2]
    size = 1 if rng.random() < 0.75 else 2
    channels = 3 if rng.random() < 0.6 else 1
    field = noise.standard_normal((height // size + 1, width // size + 1, channels)).astype(np.float32)
    if size > 1:
        field = cv2.resize(field, None, fx=size, fy=size, interpolation=cv2.INTER_LINEAR) * 1.4
        field = field.reshape(*field.shape[:2], channels)
    strength = rng.uniform(12, 65)
    values = picture.astype(np.float32)
    if rng.random() < 0.2:
        strength = strength * np.sqrt((values + 20) / 128)
    return _bytes(values + field[:height, :width] * strength)


def salt(rng: random.Random, noise: np.random.Generator, picture: Array) -> Array:
    """Salt, pepper, or both."""
    hit = noise.random(picture.shape[:2])
    white, black = rng.choice(((1.0, 1.0), (1.0, 1.0), (1.5, 0.2), (0.2, 1.5)))
    share = rng.uniform(0.01, 0.085)
    out = picture.copy()
    out[hit < share * black] = 0
    out[hit > 1 - share * white] = 255
    return out


def jpeg(rng: random.Random, _: np.random.Generator, picture: Array) -> Array:
    """Squeezed hard, at its size or larger or smaller, with the blocks anywhere."""
    height, width = picture.shape[:2]
    up, left = (rng.randrange(8), rng.randrange(8)) if rng.random() < 0.5 else (0, 0)
    wide = cv2.copyMakeBorder(picture, up, 0, left, 0, cv2.BORDER_REPLICATE)
    kind = ".webp" if rng.random() < 0.08 else ".jpg"
    flag = cv2.IMWRITE_WEBP_QUALITY if kind == ".webp" else cv2.IMWRITE_JPEG_QUALITY
    quality = rng.randint(1, 8) if kind == ".webp" else rng.randint(3, 16)
    packed = cv2.imencode(kind, wide, (flag, quality))[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)[up : up + height, left : left + width]


def smaller(rng: random.Random, picture: Array, low: int, high: int) -> Array:
    """The line `low` to `high` px high, or as it is where it is no higher."""
    height, width = picture.shape[:2]
    goal = rng.randint(low, high)
    if goal >= height:
        return picture
    way = rng.choice((cv2.INTER_AREA, cv2.INTER_AREA, cv2.INTER_LINEAR))
    return np.asarray(cv2.resize(picture, (max(2, round(width * goal / height)), goal), interpolation=way))


def lowres(rng: random.Random, _: np.random.Generator, picture: Array) -> Array:
    """A thumbnail; now and then enlarged again by somebody."""
    height, width = picture.shape[:2]
    out = smaller(rng, picture, 8, 15)
    if rng.random() < 0.3:
        way = rng.choice((cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC))
        out = np.asarray(cv2.resize(out, (width, height), interpolation=way))
    return out


def fax(rng: random.Random, noise: np.random.Generator, picture: Array) -> Array:
    """Black or white by one threshold at a fax's resolution, with specks; sometimes smoothed by a later scan."""
    grey = cv2.cvtColor(smaller(rng, picture, 15, 26), cv2.COLOR_BGR2GRAY)
    if grey.mean() < 110:
        grey = 255 - grey
    level, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_OTSU)
    shift = rng.uniform(-0.12, 0.14) * float(grey.max() - grey.min())
    if rng.random() < 0.12:
        shift = shift + noise.normal(0, 30, grey.shape)  # dithered
    bits = np.where(grey > level + shift, 255, 0).astype(np.uint8)
    share = rng.choice((0.0, 0.004, 0.015, 0.03))
    bits[noise.random(bits.shape) < share] = 0
    bits[noise.random(bits.shape) < share * rng.choice((0, 0, 1))] = 255
    out = np.repeat(bits[:, :, None], 3, axis=2)
    if rng.random() < 0.15:
        out = np.asarray(cv2.GaussianBlur(out, (0, 0), rng.uniform(0.4, 1.0)))
    return out


def askew(rng: random.Random, _: np.random.Generator, picture: Array) -> Array:
    """Turned back from a tilt, as `straighten` leaves it: softened twice, and not quite level."""
    height, width = picture.shape[:2]
    middle = (width / 2, height / 2)
    away = cv2.getRotationMatrix2D(middle, rng.uniform(-7, 7), 1.0)
    turned = cv2.warpAffine(picture, away, (width + height, 3 * height + width // 4), borderMode=cv2.BORDER_REPLICATE)
    back = cv2.invertAffineTransform(away)
    turned = cv2.warpAffine(turned, back, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    rest = cv2.getRotationMatrix2D(middle, rng.gauss(0, 0.8) * min(1.0, 400 / width), 1.0)
    return np.asarray(cv2.warpAffine(turned, rest, (width, height), borderMode=cv2.BORDER_REPLICATE))


DAMAGES = (
    (blur, 14), (motion, 13), (dim, 9), (shadow, 7), (grain, 14), (salt, 12), (jpeg, 16), (lowres, 13), (fax, 20), (askew, 4),
)  # fmt: skip
_LAST = (fax, jpeg, lowres)  # what the picture goes through once it has been taken


def harm(rng: random.Random, noise: np.random.Generator, picture: Array) -> tuple[Array, str]:
    """The picture with one damage or two, and their names; now and then none."""
    if rng.random() < UNHARMED:
        return picture, "none"
    count = 2 if rng.random() < TWICE else 1
    ways = rng.choices([way for way, _ in DAMAGES], [weight for _, weight in DAMAGES], k=count)
    ways = sorted(dict.fromkeys(ways), key=lambda way: way in _LAST)
    for way in ways:
        picture = way(rng, noise, np.ascontiguousarray(picture))
    return np.ascontiguousarray(picture), "+".join(way.__name__ for way in ways)
