"""The renderer draws what its labels say, and training lowers the loss and exports what it trained."""

# ruff: noqa: E402 - imports follow the checks that skip where a package is missing
from __future__ import annotations

import importlib.util
import pathlib
import random

import numpy as np
import pytest

cv2 = pytest.importorskip("cv2", reason="the trainer needs OpenCV: pip install ocrfleet[worker,train]")
pytest.importorskip("wordfreq", reason="the renderer needs word lists: pip install ocrfleet[train]")
if importlib.util.find_spec("fontTools") is None:
    pytest.skip("the renderer needs fontTools: pip install ocrfleet[train]", allow_module_level=True)

from training import degrade, draw, fonts, texts
from training.alphabet import Alphabet
from training.dataset import Plan, fit, normalise, pools, share_out
from training.evaluate import Labelled, folded, judge, labelled_lines, table
from training.render import HEIGHT, Renderer, Sample

ASCII = [chr(code) for code in range(33, 127)]


def _fonts_missing() -> bool:
    try:
        fonts.faces()
    except RuntimeError:
        return True
    return not any(face.held_out for face in fonts.faces())


needs_fonts = pytest.mark.skipif(
    _fonts_missing(), reason="the renderer needs the Debian fonts that docs/model-card.md names"
)


@pytest.fixture
def vocabulary(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "characters.txt"
    path.write_text("\n".join(ASCII), encoding="utf-8")
    return path


def test_decoding_undoes_encoding_with_blanks_and_repeats(vocabulary: pathlib.Path) -> None:
    alphabet = Alphabet.load(vocabulary)
    classes = alphabet.encode("aa b")
    assert alphabet.decode([0, classes[0], classes[0], 0, classes[1], classes[2], classes[3], 0]) == "aa b"
    assert alphabet.decode([classes[0], classes[0]]) == "a"
    assert not alphabet.knows("汉")


def test_readings_are_compared_by_the_rule_of_their_label() -> None:
    assert folded("１２ “Ａ”—b") == '12"A"-b'.replace(" ", "")
    assert folded("Total: 5", "nopunct") == "TOTAL5"
    assert folded("皖A·12345", "plate") == "皖A12345"
    assert folded("Ab") != folded("AB")
    assert folded("Ab", "nocase") == folded("AB", "nocase")


def test_figures_count_exact_edits_and_lost_lines(tmp_path: pathlib.Path) -> None:
    picture = np.zeros((8, 8, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "one.png"), picture)
    (tmp_path / "lines.tsv").write_text("one.png\tabcd\ten\tform\tnocase\n", encoding="utf-8")
    lines = [
        *labelled_lines(tmp_path / "lines.tsv"),
        Labelled(picture, "xyz", "drawn"),
        Labelled(picture, "ABCD", "drawn"),
    ]
    tallies, wrong, _ = judge(lines, lambda _: "ABCD")
    assert (tallies["all"].lines, tallies["all"].right, tallies["all"].lost) == (3, 2, 0)
    assert tallies["drawn"].cer == pytest.approx(4 / 7)
    assert [reading for _, reading in wrong] == ["ABCD"]
    assert "| drawn | 2 | 0.5000 / 0.5714 / 0 |" in table({"reader": tallies})
    tallies, _, _ = judge(lines[:1], lambda _: "a")
    assert tallies["all"].lost == 1


@needs_fonts
def test_one_seed_gives_one_picture_and_another_seed_another() -> None:
    renderer = Renderer([*ASCII, " "], kinds=("receipt", "street"))
    first, again, other = renderer.sample(5), renderer.sample(5), renderer.sample(6)
    assert first.text == again.text
    assert np.array_equal(first.picture, again.picture)
    assert first.picture.shape != other.picture.shape or not np.array_equal(first.picture, other.picture)


@needs_fonts
def test_labels_hold_only_characters_of_the_vocabulary_and_pictures_have_one_height() -> None:
    known = {*ASCII, " "}
    renderer = Renderer(sorted(known), max_width=400)
    for seed in range(60):
        sample = renderer.sample(seed)
        assert set(sample.text) <= known
        assert sample.picture.shape[0] == HEIGHT
        assert sample.picture.shape[1] <= 400
        assert sample.picture.std() > 1.0, f"{sample.text!r} left no mark"


@needs_fonts
def test_validation_faces_are_never_trained_on() -> None:
    import random

    trained = {draw.style_for(random.Random(seed), "Total 5", "receipt") for seed in range(80)}
    held = {draw.style_for(random.Random(seed), "Total 5", "receipt", held_out=True) for seed in range(20)}
    assert not any(style.latin.held_out or style.chinese.held_out for style in trained if style)
    assert all(style.latin.held_out and style.chinese.held_out for style in held if style)


@needs_fonts
def test_a_face_is_not_used_for_characters_it_lacks() -> None:
    import random

    style = draw.style_for(random.Random(1), "abc", "paper")
    assert style is not None
    assert draw.fits(style, "abc")
    assert not draw.fits(style, "\U0001f600")


@needs_fonts
def test_dots_stay_visible_in_dot_matrix_print() -> None:
    import random

    for seed in range(40):
        rng = random.Random(seed)
        style = draw.style_for(rng, "1.5", "receipt")
        assert style is not None
        ink, _ = draw.set_line(rng, ".", style)
        pressed = degrade.press(rng, np.random.default_rng(seed), ink, "receipt", style.size_px)
        assert pressed.max() > 0.3, f"seed {seed} printed a full stop away"


def test_plates_leave_out_the_letters_that_plates_leave_out() -> None:
    import random

    plates = [texts.plate(random.Random(seed)) for seed in range(400)]
    ours = [text for text in plates if text[0] >= "一"]
    assert 330 < len(ours) < 390, "most are mainland China's, some have another place's form"
    for text in ours:
        signs = text[1:].replace("·", "")
        assert not set("IO") & set(signs)
        assert len(signs) in (6, 7)
    assert 0.85 < sum(text[2] == "·" for text in ours) / len(ours) < 1, "the dot is mostly there"


def test_lines_are_shared_out_over_fixed_widths_without_losing_many() -> None:
    import random

    samples = [Sample(np.zeros((HEIGHT, 40 + 3 * i, 3), np.uint8), "a", "en", "paper") for i in range(200)]
    groups = share_out(samples, Plan("", batch_px=1600, batch_lines=8), random.Random(1))
    shapes = {(width, len(group)) for width, group in groups}
    assert len({width for width, _ in shapes}) == len(shapes), "one width must always come in one batch size"
    assert sum(len(group) for _, group in groups) > 180
    line = np.zeros((HEIGHT, 120, 3), np.uint8)
    padded = fit(line, 160, fill=0.0)
    assert padded.shape == (HEIGHT, 160, 3)
    assert (padded[:, :120] == 0).all()
    assert abs(normalise(padded[None])[0, :, :, 120:]).max() < 0.01
    assert (fit(line, 140, fill=1.0) == 0).all()


@needs_fonts
def test_a_plan_draws_the_same_batches_again(vocabulary: pathlib.Path) -> None:
    plan = Plan(str(vocabulary), seed=3, pool_lines=24, batch_px=800, batch_lines=4, max_width=160, kinds=("figures",))
    first, again = next(pools(plan, 2)), next(pools(plan, 2))
    assert first.texts == again.texts
    assert np.array_equal(first.pictures, again.pictures)


def test_scattered_text_has_rare_characters_where_common_ones_stood(vocabulary: pathlib.Path) -> None:
    from training.texts.chinese import scattered

    text = "他说：2 月的发票，共 300 元。" * 20
    drawn = scattered(random.Random(3), text, "瓴鬻", 0.5)
    changed = [(old, new) for old, new in zip(text, drawn, strict=True) if old != new]
    assert all("一" <= old <= "鿿" and new in "瓴鬻" for old, new in changed)
    assert 40 < len(changed) < 120, "half of 160 Chinese characters"


def test_the_shipped_weights_can_be_made_again_run_by_run(tmp_path: pathlib.Path) -> None:
    from training.__main__ import parser
    from training.again import commands

    together = commands(tmp_path, tmp_path / "out.onnx", "again-1")
    parsed = [[parser().parse_args(options) for options in each] for each in together]
    assert [len(each) for each in parsed] == [1, 1, 2, 1, 2, 1, 2, 1, 1, 1]
    runs, blends = parsed[::2], [each[0] for each in parsed[1::2]]
    assert runs[0][0].start is None
    for before, after in zip(blends, runs[1:], strict=False):
        assert {run.start for run in after} == {before.keep}, "a run begins where the one before ended"
        assert len({run.folder for run in after}) == len({run.seed for run in after}) == len(after)
    for each, blend in zip(runs, blends, strict=True):
        assert blend.checkpoint == [run.folder / "last.pt" for run in each]
    assert blends[-1].weights == tmp_path / "out.onnx"
    assert blends[-1].towards == runs[-1][0].start, "the last run is averaged with what it began from"
