"""What the commands of `python -m training` do; each takes its parsed options and returns an exit code."""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
from typing import TYPE_CHECKING

import cv2
import numpy as np

from training.alphabet import Alphabet
from training.evaluate import Labelled, Tally, judge, labelled_lines, misread_sheet, rendered_lines, table
from training.reading import Reader, ppocrv6, prepare

if TYPE_CHECKING:
    from training.distil import Teacher

VALIDATION_SEED = 90
BLANKS_ASIDE = 1_000_000  # first seed of the lines on which it is judged what tells blank steps
CALIBRATION_SEED, CALIBRATION_LINES = 91, 300  # shown to a model to see what range 8 bits must span
# Rendered lines flatter the trained weights, being of the kind they were trained on; so nearly as good with less of them is better.
TOLERANCE = 1.1


def robust(options: argparse.Namespace) -> int:
    from training.robust import Recipe, export, train

    recipe = Recipe(
        options.model,
        options.weights.with_name("ocrfleet_crnn_keys.txt"),
        options.folder,
        options.minutes,
        options.rate,
        options.processes,
        options.seed,
        options.start,
    )
    train(recipe)
    size = export(options.model, options.folder / "last.pt", options.out, options.share)
    print(
        f"{options.out}: {size:,} bytes. Write its size and SHA-256 into facts.toml, then run `python -m bench degrade`."
    )
    return 0


def blanks(options: argparse.Namespace) -> int:
    from training.blanks import fit, seen
    from worker.reading.models import facts, place

    aside = range(BLANKS_ASIDE, BLANKS_ASIDE + options.lines // 3)
    told, plain, lost = fit(*(seen(options.engine, options.models, seeds) for seeds in (range(options.lines), aside)))
    known = facts(options.engine)
    out = options.out or place(options.models, known.weight(known.recogniser["blanks"]))
    np.savez(out, allow_pickle=False, **{name: values.astype(np.float32) for name, values in told.items()})
    print(
        f"{out}: of lines kept aside {plain:.1%} of the steps are told to be blank, {lost:.5%} wrongly. "
        "Write its size and SHA-256 into facts.toml."
    )
    return 0


def train(options: argparse.Namespace) -> int:
    import torch

    from training.compact import Compact, characters
    from training.crnn import Crnn, kept_weights, load
    from training.dataset import Plan
    from training.train import Recipe, Trainer, has_bfloat16

    if options.near_start and options.start is None:
        print("--near-start goes with --start", file=sys.stderr)
        return 2
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    recipe = Recipe(
        steps=options.steps,
        minutes=options.minutes,
        rate=options.rate,
        head_times=options.head_times,
        average=options.average,
        full_after=options.full_after,
        tether=options.tether,
        hold_weight=options.hold,
        half=has_bfloat16(),
        left_to_base=tuple(options.leave_to_base),
    )
    if options.model == "compact":
        vocabulary = options.folder / "characters.txt"
        options.folder.mkdir(parents=True, exist_ok=True)
        vocabulary.write_text("\n".join(characters()) + "\n", encoding="utf-8")
        model: Crnn | Compact = Compact(len(Alphabet.load(vocabulary)))
        trainer = Trainer(
            model,
            Plan(str(vocabulary), seed=options.seed),
            recipe,
            options.folder,
            teacher=_teacher(options, vocabulary),
        )
    else:
        model, base = load(options.base), load(options.base)
        model.train_from(options.train_from)
        earlier = kept_weights(options.start) if options.near_start else None
        plan = Plan(str(options.vocabulary), seed=options.seed)
        trainer = Trainer(model, plan, recipe, options.folder, base, earlier=earlier)
    resumed = trainer.resume()
    if not resumed and options.start is not None:
        trainer.start_from(options.start)
    print(f"resumed at step {trainer.step}" if resumed else f"started after {trainer.lines} lines", flush=True)
    trainer.run()
    print(f"{trainer.step} steps, {trainer.lines} lines, {trainer.seconds / 60:.1f} minutes")
    return 0


def _teacher(options: argparse.Namespace, vocabulary: pathlib.Path) -> Teacher | None:
    """PP-OCRv6 small, this project's weights, or nobody."""
    from training.distil import Teacher

    pupil = Alphabet.load(vocabulary)
    if options.teacher == "ppocrv6":
        path = options.base.with_name("PP-OCRv6_rec_small.onnx")
        return Teacher(path, ppocrv6(path).alphabet, pupil, 48)
    if options.teacher == "crnn":
        return Teacher(options.weights, Alphabet.load(options.vocabulary), pupil, 32)
    return None


def blend(options: argparse.Namespace) -> int:
    """Chooses the share by CER on rendered lines in faces that training never sees, then writes the weights.

    Runs that began from the same weights are averaged first (Wortsman et al., Model soups, arXiv 2203.05482).
    """
    import torch

    from training.crnn import Crnn, kept_weights, load
    from training.export import averaged, export, soup

    cv2.setNumThreads(1)
    base = (kept_weights(options.towards) if options.towards else load(options.base)).state_dict()
    if options.keep is not None and len(options.shares) > 1:
        print("--keep goes with one share", file=sys.stderr)
        return 2
    kept = soup([torch.load(path, weights_only=True) for path in options.checkpoint])
    alphabet = Alphabet.load(options.vocabulary)
    lines = rendered_lines(options.vocabulary, options.lines, VALIDATION_SEED) if len(options.shares) > 1 else []
    shown = rendered_lines(options.vocabulary, CALIBRATION_LINES, CALIBRATION_SEED, held_out=False)
    seen = [prepare(line.pixels(), 32) for line in shown]
    scored: dict[str, dict[str, Tally]] = {}
    for share in options.shares:
        model = Crnn()
        model.load_state_dict(averaged(base, kept["model"], share))
        path = options.weights if len(options.shares) == 1 else options.checkpoint[0].with_name(f"share{share:g}.onnx")
        facts = {
            "ocrfleet.version": options.version,
            "ocrfleet.share": f"{share:g}",
            "ocrfleet.lines": str(kept["lines"]),
        }
        digest = export(model, path, facts, seen)
        print(f"{path} {path.stat().st_size} bytes sha256 {digest}", flush=True)
        if options.keep is not None:
            halved = {name: weight.half() for name, weight in model.state_dict().items()}
            torch.save({**kept, "model": halved}, options.keep)
        if lines:
            scored[f"{share:g}"], _, _ = judge(lines, Reader(path, alphabet).read)
    if lines:
        print(table(scored))
        least = min(tallies["all"].cer for tallies in scored.values())
        fit = [float(share) for share, tallies in scored.items() if tallies["all"].cer <= TOLERANCE * least]
        print(f"chosen: {min(fit):g}, the smallest share within {TOLERANCE:g} times the least CER")
    return 0


def again(options: argparse.Namespace) -> int:
    """Makes the weights again as they were made, run by run."""
    from training.again import run

    return run(options.work, options.weights, options.version)


def evaluate(options: argparse.Namespace) -> int:
    cv2.setNumThreads(1)
    lines: list[Labelled] = (
        labelled_lines(options.lines)
        if options.lines
        else rendered_lines(options.vocabulary, options.count, VALIDATION_SEED)
    )
    alphabet = Alphabet.load(options.vocabulary)
    readers: dict[str, Reader] = {}
    if not options.only:
        readers["PP-OCRv2"] = Reader(options.base, alphabet)
        readers["PP-OCRv2, with words"] = Reader(options.base, alphabet, words=True)
        large = options.base.with_name("PP-OCRv6_rec_small.onnx")
        if large.is_file():
            readers["PP-OCRv6 small"] = ppocrv6(large)
    if options.weights.is_file():
        readers["ocrfleet crnn"] = Reader(options.weights, alphabet)
        readers["crnn as served"] = Reader(options.weights, alphabet, served=True)
        readers["served, with words"] = Reader(options.weights, alphabet, served=True, words=True)
    else:
        print(f"no weights at {options.weights}", file=sys.stderr)
    columns: dict[str, dict[str, Tally]] = {}
    for name, reader in readers.items():
        columns[name], wrong, each_ms = judge(lines, reader.read)
        print(f"{name}: {each_ms:.1f} ms a line on one core, this machine as busy as it was", flush=True)
    print(table(columns))
    if options.misread:
        print("\n".join(misread_sheet(wrong, options.misread)))
    return 0


def sheet(options: argparse.Namespace) -> int:
    from training.render import Renderer
    from training.sheet import contact_sheet

    renderer = Renderer(Alphabet.load(options.vocabulary).characters, options.held_out, kinds=tuple(options.kinds))
    labels = contact_sheet(renderer, options.out, options.seed, options.rows)
    print(f"{options.out}: {len(labels)} lines")
    return 0


def plot(options: argparse.Namespace) -> int:
    """Draws the run's loss against the lines seen, without a plotting library: smoothed line, grid, numbers."""
    rows = _rows(options.folder / "log.jsonl")
    curves = {
        "CTC loss a character": [(row["lines"], row["loss"]) for row in rows],
        "KL from the base, x10": [(row["lines"], 10 * row["hold"]) for row in rows],
    }
    real = _rows(options.folder / "real.jsonl")
    if real:
        curves["exact on real lines, averaged"] = [(row["lines"], row["exact"]) for row in real]
        curves["CER on real lines, averaged"] = [(row["lines"], row["cer"]) for row in real]
    draw_curves(curves, options.out)
    print(options.out)
    return 0


def _rows(path: pathlib.Path) -> list[dict[str, float]]:
    return [json.loads(row) for row in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []


def draw_curves(curves: dict[str, list[tuple[float, float]]], out: pathlib.Path) -> None:
    """One picture, 900 x 420 px: every curve over the same axes, from 0 to the largest value."""
    colours = ((190, 90, 20), (40, 120, 220), (60, 150, 60), (150, 60, 150))
    canvas = np.full((420, 900, 3), 255, np.uint8)
    right = max(x for curve in curves.values() for x, _ in curve)
    top = max(y for curve in curves.values() for _, y in curve) * 1.05
    grey = (90, 90, 90)
    for part in range(6):
        y = int(370 - 340 * part / 5)
        cv2.line(canvas, (60, y), (880, y), (225, 225, 225), 1)
        cv2.putText(canvas, f"{top * part / 5:.2f}", (8, y + 5), cv2.FONT_HERSHEY_SIMPLEX, 0.42, grey, 1, cv2.LINE_AA)
        cv2.putText(
            canvas,
            f"{right * part / 5:,.0f}",
            (40 + 820 * part // 5 - 10, 392),
            cv2.FONT_HERSHEY_SIMPLEX,
            0.42,
            grey,
            1,
            cv2.LINE_AA,
        )
    cv2.putText(canvas, "lines seen", (430, 412), cv2.FONT_HERSHEY_SIMPLEX, 0.45, grey, 1, cv2.LINE_AA)
    for number, ((name, curve), colour) in enumerate(zip(curves.items(), colours, strict=False)):
        points, smooth = [], curve[0][1]
        for x, value in curve:
            smooth += (0.25 if len(curve) > 10 else 1.0) * (value - smooth)
            points.append((60 + 820 * x / right, 370 - 340 * smooth / top))
        cv2.polylines(canvas, [np.array(points, np.int32)], False, colour, 2, cv2.LINE_AA)
        cv2.putText(canvas, name, (600, 44 + 18 * number), cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 1, cv2.LINE_AA)
    out.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(out), canvas)
