"""Fine-tuning: the table is checked, sets of lines stay apart, the gate refuses what it must, and what passes is served."""

# ruff: noqa: E402 - imports follow the checks that skip where a package is missing
from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

cv2 = pytest.importorskip("cv2", reason="fine-tuning needs OpenCV: pip install ocrfleet[worker,train]")

from cli import finetune as command
from tests.stack import models_folder
from training import fonts, parts
from training.alphabet import Alphabet
from training.dataset import Plan
from training.evaluate import Labelled
from training.export_jobs import export
from training.finetune import Verdict, Wish, choose, facts_of, finetune, own_batches, vary
from training.served import Base, Score, Served
from training.table import LEAST_LINES, Table, Untaught, read_table, spelled, split
from worker.reading import models, versions
from worker.reading.engines import load_recogniser

SAMPLES = Path(__file__).parents[2] / "samples"
ALPHABET = Alphabet([*"abcdefghijklmnopqrstuvwxyz0123456789-￡é", " "])


def picture(width: int = 90, height: int = 32) -> np.ndarray:
    image = np.full((height, width, 3), 230, np.uint8)
    cv2.putText(image, "ab", (10, height - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (20, 20, 20), 2)
    return image


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table of LEAST_LINES good lines."""
    cv2.imwrite(str(tmp_path / "good.png"), picture())
    path = tmp_path / "LINES.tsv"
    path.write_text("".join(f"good.png\tline {number}\n" for number in range(LEAST_LINES)), encoding="utf-8")
    return path


# The table


def test_a_table_is_read_as_editors_and_spreadsheets_write_it(table: Path) -> None:
    rows = table.read_text(encoding="utf-8").replace("\n", "\tmore\tcolumns\r\n") + "\r\n"
    table.write_bytes(b"\xef\xbb\xbf" + rows.encode())
    read = read_table(table, ALPHABET)
    assert [line.text for line in read.lines][:2] == ["line 0", "line 1"]
    assert (len(read.lines), read.skipped) == (LEAST_LINES, {})


def test_rows_that_cannot_be_learnt_from_are_left_out_and_counted(table: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "long.png"), picture(32 * 21))
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with table.open("a", encoding="utf-8") as file:
        file.write("gone.png\tabc\nbroken.png\tabc\nlong.png\tabc\ngood.png\t汉字汉\ngood.png\t \n\n")
    read = read_table(table, ALPHABET)
    assert read.skipped == {"no picture": 2, "too long": 1, "unknown characters": 1, "no text": 1}
    assert read.unknown == "汉字"
    assert len(read.lines) == LEAST_LINES


def test_labels_are_spelled_as_the_recogniser_spells() -> None:
    assert spelled("  a\u00a0b   c ") == "a b c"
    assert spelled("e\u0301") == "é"
    assert spelled("5 – 6 £") == "5 - 6 ￡"


@pytest.mark.parametrize(
    ("content", "said"),
    [("good.png no tab\n", "row 1"), ("good.png\tabc\n", "1 usable lines"), ("gone.png\tabc\n", "1 x no picture")],
)
def test_a_table_that_is_none_is_refused_in_words(table: Path, content: str, said: str) -> None:
    table.write_text(content, encoding="utf-8")
    with pytest.raises(Untaught, match=said):
        read_table(table, ALPHABET)
    with pytest.raises(Untaught, match="cannot be read"):
        read_table(table.with_name("none.tsv"), ALPHABET)


def test_lines_of_one_text_stay_on_one_side() -> None:
    lines = [Labelled(picture(), f"text {number % 10}", "own") for number in range(100)]
    rest, aside = split(lines, 0.2, 1)
    assert {line.text for line in rest} & {line.text for line in aside} == set()
    assert (len(rest), len(aside)) == (80, 20)
    with pytest.raises(Untaught):
        split(lines[:1], 0.2, 1)


def test_lines_are_varied_but_stay_lines() -> None:
    seen = [vary(picture(120, 40), seed) for seed in range(30)]
    assert {image.shape[0] for image in seen} == {32}
    assert len({image.shape[1] for image in seen}) > 5
    assert all(image.min() < 120 for image in seen), "the ink is gone"
    assert np.array_equal(vary(picture(), 3), vary(picture(), 3))


def test_batches_of_few_lines_are_full_and_never_end(tmp_path: Path) -> None:
    plan = Plan("", batch_px=800, batch_lines=4, max_width=304)
    batches = own_batches([Labelled(picture(), "ab", "own"), Labelled(picture(150), "cd", "own")], ALPHABET, plan)
    some = [next(batches) for _ in range(30)]
    assert {text for batch in some for text in batch.texts} == {"ab", "cd"}
    assert all(batch.pictures.shape[0] == len(batch.labels) > 1 for batch in some)
    assert some[-1].pool > 0


# Choosing and judging


def score(right: int, lines: int = 100, silent: int = 0) -> Score:
    return Score(lines, right, lines - right, 10 * lines, 0, silent)


def test_the_most_useful_share_that_forgets_nothing_is_chosen() -> None:
    start = (score(20), score(800, 1000))
    tried = {1.0: (score(60), score(790, 1000)), 0.6: (score(55), score(798, 1000)), 0.3: (score(30), score(800, 1000))}
    assert choose(start, tried) == 0.6
    assert choose(start, {1.0: tried[1.0], 0.9: (score(50), score(780, 1000))}) == 1.0, (
        "else the one that forgets least"
    )


def verdict(held: tuple[int, int], golden: tuple[int, int], calibrated: bool = True) -> Verdict:
    before, after = (score(held[0]), score(held[1])), (score(golden[0], 1000), score(golden[1], 1000))
    return Verdict(Path("x"), 0.6, Table([], {}), 80, 10, before[0], before[1], after[0], after[1], calibrated)


def test_the_gate_wants_own_lines_better_and_golden_ones_hardly_worse() -> None:
    assert verdict((20, 40), (800, 795)).passed
    assert not verdict((20, 40), (800, 794)).passed
    assert not verdict((20, 20), (800, 820)).passed
    assert len(verdict((20, 10), (800, 700)).refusals) == 2


def test_a_version_says_how_it_was_made_and_what_it_scored(tmp_path: Path) -> None:
    base = Base(models.facts("crnn"), tmp_path)
    facts = facts_of(verdict((20, 40), (800, 799)), base, "2026-01-02 03:04", 12.34)
    assert facts["recogniser"]["calibrated_as"] == base.name
    assert facts["recogniser"]["height"] == 32
    assert "weight" not in facts["recogniser"]
    assert (facts["origin"]["parent"], facts["origin"]["lines"], facts["origin"]["minutes"]) == (base.name, 80, 12.3)
    assert facts["held_out"] == {
        "lines": 100,
        "exact_before": 0.2,
        "exact_after": 0.4,
        "cer_before": 0.08,
        "cer_after": 0.06,
    }
    other = facts_of(verdict((20, 40), (800, 799), calibrated=False), base, "", 1)
    assert "calibrated_as" not in other["recogniser"], "the gate must not judge what it does not know"


# A job that was corrected


@pytest.fixture
def job(tmp_path: Path) -> tuple[Path, Path]:
    """A page of two lines and a column, and its result."""
    page = np.full((200, 300, 3), 255, np.uint8)
    page[20:50, 30:200] = 60
    page[100:130, 30:250] = 120
    cv2.imwrite(str(tmp_path / "page.png"), page)

    def line(text: str, box: tuple[int, int, int, int], **more: object) -> dict[str, object]:
        left, top, right, bottom = box
        return {"text": text, "box": [[left, top], [right, top], [right, bottom], [left, bottom]], **more}

    rows = [line("first  line", (30, 20, 200, 50)), line("", (30, 60, 200, 90)), line("second", (30, 100, 250, 130)),
            line("column", (260, 20, 290, 190), vertical=True)]  # fmt: skip
    result = tmp_path / "result.json"
    result.write_text(
        json.dumps({"pages": [{"page": 1, "width": 300, "height": 200, "lines": rows}]}), encoding="utf-8"
    )
    return result, tmp_path / "page.png"


def test_a_corrected_job_becomes_a_table(job: tuple[Path, Path], tmp_path: Path) -> None:
    table = export(*job, tmp_path / "lines")
    rows = [row.split("\t") for row in table.read_text(encoding="utf-8").splitlines()]
    assert [text for _, text in rows] == ["first line", "second"]
    cuts = [cv2.imread(str(table.parent / name)) for name, _ in rows]
    assert [image.shape[:2] for image in cuts] == [(30, 170), (30, 220)]
    assert [int(image.mean()) for image in cuts] == [60, 120]


def test_boxes_follow_a_document_of_another_size(job: tuple[Path, Path], tmp_path: Path) -> None:
    result, document = job
    cv2.imwrite(str(document), cv2.resize(cv2.imread(str(document)), (600, 400), interpolation=cv2.INTER_NEAREST))
    table = export(result, document, tmp_path / "lines")
    first = cv2.imread(str(table.parent / table.read_text(encoding="utf-8").split("\t")[0]))
    assert (first.shape[:2], int(first.mean())) == ((60, 340), 60)


def test_files_that_do_not_belong_together_are_refused(job: tuple[Path, Path], tmp_path: Path) -> None:
    result, document = job
    cv2.imwrite(str(document), np.zeros((300, 200, 3), np.uint8))
    with pytest.raises(Untaught, match="proportions"):
        export(result, document, tmp_path / "lines")
    pages = json.loads(result.read_text(encoding="utf-8"))
    pages["pages"][0]["page"] = 7
    result.write_text(json.dumps(pages), encoding="utf-8")
    with pytest.raises(Untaught, match="same document"):
        export(result, document, tmp_path / "lines")
    result.write_text("{}", encoding="utf-8")
    with pytest.raises(Untaught, match="no result"):
        export(result, document, tmp_path / "lines")
    with pytest.raises(Untaught, match="gone"):
        export(job[0], tmp_path / "none.pdf", tmp_path / "lines")


# The command


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return parser.parse_args([*words, "--quiet"])


def test_what_is_missing_is_said_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch, table: Path) -> None:
    monkeypatch.setattr(parts, "missing_parts", lambda: ["torch", "onnx"])
    with pytest.raises(command.NoTrainer, match=r"needs torch, onnx.*pip install 'ocrfleet\[worker,train\]'"):
        command.run(options(str(table)))
    monkeypatch.setattr(parts, "missing_parts", lambda: ["fonts"])
    with pytest.raises(command.NoFonts, match="fonts-noto-cjk"):
        command.run(options(str(table)))


def test_what_is_missing_is_found_out_without_loading_it(monkeypatch: pytest.MonkeyPatch) -> None:
    known = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else known(name))
    assert "torch" in parts.missing_parts()


def test_a_corrected_job_without_its_document_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Untaught, match="--document"):
        command.lines_of_job(tmp_path / "result.json", None, tmp_path)


def refused(*_: object) -> tuple[Verdict, float]:
    return verdict((20, 10), (800, 800)), 1.0


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A models folder with the shipped weights, everything that is needed at hand, and no fleet."""
    folder = tmp_path / "models"
    folder.mkdir()
    for weight in models.weights():
        if weight.packaged is None:
            (folder / weight.file).symlink_to(models.place(models_folder(), weight).resolve())
    monkeypatch.setattr(parts, "missing_parts", list)
    monkeypatch.setattr(command, "prepare_process", lambda: None)
    monkeypatch.setattr(command.versions, "reachable_store", lambda settings: None)
    monkeypatch.setenv("OCRFLEET_LANG", "en")
    return folder


def test_weights_that_the_gate_refuses_are_not_kept(
    shelf: Path, table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "teach", refused)
    assert command.run(options(str(table), "--folder", str(shelf))) == 1
    out = capsys.readouterr().out
    assert "Not kept: the held-out lines are not read better" in out
    assert "exact 0.2000 -> 0.1000" in out
    assert versions.known(shelf, "crnn") == []


def test_weights_that_pass_are_kept_and_can_be_used_at_once(
    shelf: Path, table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shipped = Base(models.facts("crnn"), shelf)
    # One more entry of ModelProto.metadata_props makes another file of the same weights.
    (shelf.parent / "taught.onnx").write_bytes(
        shipped.model.read_bytes() + bytes((0x72, 6, 0x0A, 1, 0x76, 0x12, 1, 0x32))
    )
    passed = dataclasses.replace(verdict((20, 40), (800, 800)), model=shelf.parent / "taught.onnx")
    monkeypatch.setattr(command, "teach", lambda *_: (passed, 12.0))
    assert command.run(options(str(table), "--folder", str(shelf), "--name", "forms", "--use")) == 0
    (version,) = versions.known(shelf, "crnn")
    assert version.name.startswith("forms-")
    assert (version.weight.licence, version.origin["parent"]) == ("Apache-2.0", shipped.name)
    assert versions.in_use(shelf, "crnn") == version.name
    recogniser = load_recogniser("crnn", shelf)
    assert recogniser.version == version.name
    image = cv2.imread(str(SAMPLES / "line-en.png"))
    assert recogniser.read([image])[0].text == shipped.engine().read([image])[0].text
    trusted = [load_recogniser("auto", shelf, wanted)._trusted for wanted in (None, {})]  # type: ignore[attr-defined]
    assert trusted[0] == trusted[1], "the gate of the cascade goes on judging it"
    assert command.base_of(shelf, None).name == version.name, "the next fine-tuning starts from what is in use"
    assert command.base_of(shelf, shipped.name).name == shipped.name
    capsys.readouterr()


# All of it, small


def _can_teach() -> bool:
    return all(importlib.util.find_spec(name) for name in ("torch", "onnx")) and parts.missing_parts() == []


@pytest.mark.skipif(
    not _can_teach(), reason="teaching needs torch, word lists and fonts: pip install ocrfleet[worker,train]"
)
def test_a_copy_is_taught_judged_and_read_with(shelf: Path, tmp_path: Path) -> None:
    from training.one_face import OneFace

    base = Base(models.facts("crnn"), shelf)
    characters = Alphabet.load(base.characters).characters
    face = next(face for face in fonts.faces() if not face.chinese)
    renderer = OneFace(characters, str(Path(face.path).relative_to(fonts.ROOT)), max_width=240)
    rows = []
    for seed in range(30):
        sample = renderer.sample(seed)
        cv2.imwrite(str(tmp_path / f"{seed}.png"), sample.picture)
        rows.append(f"{seed}.png\t{sample.text}\n")
    (tmp_path / "LINES.tsv").write_text("".join(rows), encoding="utf-8")
    said: list[tuple[float, str]] = []
    wish = Wish(
        tmp_path / "LINES.tsv", base, tmp_path / "work", steps=3, minutes=5, golden=6, choosing=4, rendered=0.3,
        shares=(1.0, 0.5),
    )  # fmt: skip
    verdict = finetune(wish, lambda share, words: said.append((share, words)))
    shares = [share for share, _ in said]
    assert shares == sorted(shares)
    assert (shares[-1], verdict.steps, verdict.golden_after.lines) == (1.0, 3, 6)
    assert verdict.held_before.lines + verdict.learnt_from < 30, "no line is left to choose on"
    assert Served(base.engine(verdict.model)).score(verdict.table.lines[:3]).lines == 3
    name = command.register(shelf, "own", base, verdict, 1.0)
    assert load_recogniser("crnn", shelf, {"crnn": versions.find(shelf, "crnn", name)}).version == name
    assert "torch" in sys.modules
