"""Mending: damaged lines come closer to what they were, good ones are left alone."""

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from worker.reading import enhance, geometry, straighten
from worker.reading.crop import Cut


@pytest.fixture(scope="module")
def line() -> np.ndarray:
    picture = Image.new("RGB", (560, 56), (215, 215, 215))
    ImageDraw.Draw(picture).text(
        (12, 6), "Measured, mended and read 123", fill=(20, 20, 20), font=ImageFont.load_default(size=36)
    )
    return np.ascontiguousarray(np.asarray(picture))


def distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(float) - b.astype(float)).mean())


def salted(image: np.ndarray) -> np.ndarray:
    hit = np.random.default_rng(1).random(image.shape[:2])
    out = image.copy()
    out[hit < 0.06] = 0
    out[hit > 0.94] = 255
    return out


def grainy(image: np.ndarray) -> np.ndarray:
    return np.clip(image + np.random.default_rng(2).normal(0, 40, image.shape[:2])[:, :, None], 0, 255).astype(np.uint8)


@pytest.mark.parametrize("damage", [salted, grainy])
def test_a_damaged_line_comes_closer_to_what_it_was(line: np.ndarray, damage) -> None:
    damaged = damage(line)
    assert distance(enhance.mend(damaged), line) < 0.6 * distance(damaged, line)


def test_a_good_line_is_left_alone(line: np.ndarray) -> None:
    assert enhance.mend(line) is line
    dark = 255 - line
    assert enhance.mend(dark) is dark


def small_print(light: bool = False) -> np.ndarray:
    """Glyphs of thin strokes a pixel or two apart, as screens show small Chinese text, with some smoothing."""
    picture = np.full((20, 240, 3), 250, np.uint8)
    for x in range(6, 226, 16):
        for y in (4, 7, 10, 13):
            picture[y, x : x + 12] = 20
        picture[4:14, x + 5] = 20
        picture[5:14:3, x + 1 : x + 11] = 190
    return 255 - picture if light else picture


@pytest.mark.parametrize("light", [False, True])
def test_small_crisp_print_is_not_salt_and_pepper_and_with_specks_on_it_it_is(light: bool) -> None:
    picture = small_print(light)
    assert enhance.impulses(picture[:, :, 0]).mean() > 0.05, "its strokes are lone extremes"
    assert enhance.measure(picture).specks == 0
    assert enhance.mend(picture) is picture
    assert not enhance.needed([picture] * 9, robust=True)
    assert enhance.measure(salted(picture)).specks > enhance.SPECK_SHARE


def test_a_bilevel_line_is_left_alone(line: np.ndarray) -> None:
    fax = np.where(line > 128, 255, 0).astype(np.uint8)
    assert enhance.mend(fax) is fax


def coloured_grain(image: np.ndarray, level: float) -> np.ndarray:
    return np.clip(image + np.random.default_rng(3).normal(0, level, image.shape), 0, 255).round().astype(np.uint8)


def test_grain_of_a_sensor_is_known_by_its_colours_and_goes_even_in_the_dark(line: np.ndarray) -> None:
    night = coloured_grain(line * 0.07, 1.5)
    assert enhance.measure(line).colour_grain == 0
    assert enhance.measure(night).colour_grain > enhance.COLOUR_GRAIN
    assert enhance.measure(night).between > enhance.BILEVEL_REST, "few levels are not two"
    seen = enhance.mend(night)
    assert (seen[:, :, 0] == seen[:, :, 2]).all()
    assert np.corrcoef(seen[:, :, 0].ravel(), line[:, :, 0].ravel())[0, 1] > 0.985
    assert np.corrcoef(night[:, :, 0].ravel(), line[:, :, 0].ravel())[0, 1] < 0.96


def test_a_deep_shadow_is_lifted(line: np.ndarray) -> None:
    shaded = line.copy()
    shaded[:, 300:] = shaded[:, 300:] // 12
    assert enhance.measure(shaded).evenness < enhance.UNEVEN
    assert enhance.measure(enhance.mend(shaded)).evenness > 0.6


def test_a_page_of_good_lines_needs_no_mending(line: np.ndarray) -> None:
    assert not enhance.needed([line] * 9 + [salted(line)])
    assert enhance.needed([salted(line)] * 5)
    assert not enhance.needed([])


@pytest.mark.parametrize("degrees", [-8, -3, 3, 8])
def test_the_tilt_of_a_line_is_found(line: np.ndarray, degrees: float) -> None:
    page = np.full((300, 760, 3), 215, np.uint8)
    page[120:176, 100:660] = line
    matrix = np.array(geometry.crop_matrix(geometry.quad_of_rect((380, 148), 600, 140, -degrees), 600, 140))
    tilted = cv2.warpPerspective(page, matrix, (600, 140), borderValue=(215, 215, 215))
    found = straighten.tilt_of(straighten.ink_map(tilted))
    assert found == pytest.approx(degrees, abs=0.7)
    levelled = straighten.level(Cut(tilted, np.eye(3)))
    assert straighten.tilt_of(straighten.ink_map(levelled.image)) is None
    assert geometry.angle(levelled.outline()) == pytest.approx(degrees, abs=0.7)


def test_a_level_line_is_not_turned(line: np.ndarray) -> None:
    piece = Cut(line, np.eye(3))
    assert straighten.level(piece) is piece


def test_a_mend_is_trusted_further_where_the_damage_is_plain(line: np.ndarray) -> None:
    assert enhance.allowance(enhance.measure(line)) == 0
    assert enhance.allowance(enhance.measure(salted(line))) == enhance.PLAIN_DAMAGE
    assert enhance.allowance(enhance.measure(coloured_grain(line, 20))) == enhance.PLAIN_DAMAGE
    night = coloured_grain(line * 0.07, 1.5)
    assert enhance.measure(night).colour_grain > enhance.COLOUR_GRAIN
    assert enhance.allowance(enhance.measure(night)) == 0, "what is so faint may be strokes"


def faxed(image: np.ndarray) -> np.ndarray:
    return np.where(image > 128, 255, 0).astype(np.uint8)


def squeezed(image: np.ndarray) -> np.ndarray:
    packed = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, 5))[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


def shrunk(image: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.resize(image, None, fx=0.22, fy=0.22, interpolation=cv2.INTER_AREA), np.uint8)


def blurred(image: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 4.5), np.uint8)


def test_a_page_that_is_only_soft_needs_no_robust_weights(line: np.ndarray) -> None:
    assert enhance.needed([faxed(line)] * 5, robust=True)
    assert not enhance.needed([faxed(line)] * 5)
    assert not enhance.needed([blurred(line)] * 5, robust=True)


@pytest.mark.parametrize(
    ("damage", "wear"),
    [(faxed, "fax"), (squeezed, "blocks"), (shrunk, "small"), (blurred, "soft"), (salted, "salt"), (grainy, "grain")],
)
def test_what_is_wrong_with_a_line_is_known(line: np.ndarray, damage, wear: str) -> None:
    assert enhance.measure(line).wear == ""
    assert enhance.measure(damage(line)).wear == wear


def test_print_with_much_white_around_is_no_fax(line: np.ndarray) -> None:
    sparse = np.full((56, 1800, 3), 215, np.uint8)
    sparse[:, :560] = line
    assert enhance.measure(sparse).between < enhance.BILEVEL_REST
    assert enhance.measure(sparse).wear == ""


def test_levels_are_spread_only_where_they_are_few(line: np.ndarray) -> None:
    assert enhance.spread(line) is line
    faint = (line * 0.1 + 100).astype(np.uint8)
    wide = enhance.spread(faint)
    assert int(wide.max()) - int(wide.min()) > 200
    assert np.corrcoef(wide.ravel(), line.ravel())[0, 1] > 0.99
