"""`python -m training COMMAND`: train, blend, again, robust, blanks, evaluate, sheet, plot. `python -m training COMMAND --help` says more."""

from __future__ import annotations

import argparse
import os
import pathlib
import sys

# Before torch is loaded: shapes repeat, so keep every compiled kernel, and keep memory instead of giving it back.
ENVIRONMENT = {
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "8192",
    "MALLOC_MMAP_THRESHOLD_": "4000000000",
    "MALLOC_TRIM_THRESHOLD_": "4000000000",
    "MALLOC_TOP_PAD_": "268435456",
}
HERE = pathlib.Path(__file__).parent
_PLACES = (HERE.parent / "models", HERE.parent / "ocrfleet-data" / "models")  # by hand, or where `make run` puts them
MODELS = pathlib.Path(os.environ.get("OCRFLEET_MODELS") or next((p for p in _PLACES if p.is_dir()), _PLACES[-1]))
WORK = HERE / "work"
ENGINES = HERE.parent / "worker" / "reading" / "engines"
WEIGHTS = ENGINES / "crnn" / "ocrfleet_crnn.onnx"
ROBUST = ENGINES / "ppocrv6" / "ppocrv6_rec_robust.npz"


def _settled() -> None:
    """Starts the process again with ENVIRONMENT, which the allocator reads only at the start."""
    if any(os.environ.get(name) != value for name, value in ENVIRONMENT.items()):
        os.environ.update(ENVIRONMENT)
        os.execv(sys.executable, [sys.executable, "-m", "training", *sys.argv[1:]])


def parser() -> argparse.ArgumentParser:
    """Every command with its options; each names the function of `training.commands` that runs it."""
    out = argparse.ArgumentParser(prog="training", description=__doc__)
    out.add_argument(
        "--base",
        type=pathlib.Path,
        default=MODELS / "ch_PP-OCRv2_rec_infer.onnx",
        help="PP-OCRv2's published recogniser",
    )
    out.add_argument(
        "--vocabulary", type=pathlib.Path, default=MODELS / "ppocr_keys_v1.txt", help="its characters, one a line"
    )
    out.add_argument("--weights", type=pathlib.Path, default=WEIGHTS, help="this project's recogniser")
    commands = out.add_subparsers(dest="command", required=True)

    train = commands.add_parser("train", help="train on rendered lines; resumes what the folder holds")
    train.add_argument(
        "--model",
        choices=("ppocrv2", "compact"),
        default="ppocrv2",
        help="fine-tune PP-OCRv2's CRNN, or the project's own from scratch",
    )
    train.add_argument(
        "--teacher",
        choices=("none", "ppocrv6", "crnn"),
        default="none",
        help="whom the compact network learns from, too",
    )
    train.add_argument("--folder", type=pathlib.Path, default=WORK / "floor", help="keeps last.pt and log.jsonl")
    train.add_argument(
        "--start",
        type=pathlib.Path,
        help="begin from kept weights, such as training/checkpoint.pt, where the folder holds no run",
    )
    train.add_argument("--steps", type=int, default=20000)
    train.add_argument("--minutes", type=float, default=90.0, help="ends the run, and its learning rate, after so long")
    train.add_argument("--rate", type=float, default=4e-4)
    train.add_argument(
        "--average", type=float, default=0.0, help="keep a running mean of the weights: its decay a step"
    )
    train.add_argument(
        "--near-start", action="store_true", help="hold the answers near those of --start instead of the base's"
    )
    train.add_argument("--head-times", type=float, default=1.0, help="rate of the scoring layer, as a multiple")
    train.add_argument("--seed", type=int, default=1)
    train.add_argument("--threads", type=int, default=1)
    train.add_argument("--tether", type=float, default=2e-4, help="pull towards the base model's weights, a step")
    train.add_argument(
        "--leave-to-base", nargs="*", default=[], metavar="KIND", help="learn lines of these kinds from the base alone"
    )
    train.add_argument("--hold", type=float, default=1.0, help="weight of the nearness to the base model's answers")
    train.add_argument("--train-from", type=int, default=5, help="first of the 13 blocks that is trained; 0 trains all")
    train.add_argument(
        "--full-after", type=float, default=0.85, help="share of the run after which all classes are scored"
    )

    blend = commands.add_parser(
        "blend", help="average a run with the base model or kept weights, choose the share, write the ONNX file"
    )
    blend.add_argument(
        "--checkpoint", type=pathlib.Path, nargs="+", default=[WORK / "floor" / "last.pt"], help="one run, or several"
    )
    blend.add_argument(
        "--towards", type=pathlib.Path, help="average with these kept weights instead of the base model's"
    )
    blend.add_argument("--keep", type=pathlib.Path, help="also writes the weights to go on training from (float16)")
    blend.add_argument(
        "--shares", type=float, nargs="+", default=[0.4, 0.55, 0.7, 0.85, 1.0], help="of the trained weights"
    )
    blend.add_argument(
        "--lines", type=int, default=600, help="rendered lines, in faces kept from training, to choose on"
    )
    blend.add_argument("--version", default="1")

    again = commands.add_parser(
        "again", help="all the runs that made the shipped weights, some four hours on two cores"
    )
    again.add_argument("--work", type=pathlib.Path, default=WORK / "again")
    again.add_argument("--version", default="again")

    robust = commands.add_parser(
        "robust", help="train PP-OCRv6's recogniser further on damaged lines; resumes what the folder holds"
    )
    robust.add_argument("--model", type=pathlib.Path, default=MODELS / "PP-OCRv6_rec_small.onnx")
    robust.add_argument("--folder", type=pathlib.Path, default=WORK / "robust", help="keeps last.pt and log.jsonl")
    robust.add_argument("--minutes", type=float, default=60.0, help="of training in all; the rate falls over so long")
    robust.add_argument("--rate", type=float, default=4.5e-4, help="share of its size that a weight moves a step")
    robust.add_argument("--processes", type=int, default=2, help="one core each")
    robust.add_argument("--seed", type=int, default=1)
    robust.add_argument(
        "--start", type=pathlib.Path, help="weights to begin from (.pt or .npz), where the folder holds no run"
    )
    robust.add_argument(
        "--share", type=float, default=1.0, help="of the trained weights, averaged with the published ones"
    )
    robust.add_argument("--out", type=pathlib.Path, default=ROBUST, help="where the trained weights are written")

    blanks = commands.add_parser("blanks", help="fit what tells a recogniser's plainly blank steps, on drawn lines")
    blanks.add_argument("engine", choices=("crnn", "ppocrv6"))
    blanks.add_argument("--lines", type=int, default=3500, help="to fit on; a third as many are kept aside")
    blanks.add_argument("--models", type=pathlib.Path, default=MODELS, help="folder of the weights")
    blanks.add_argument("--out", type=pathlib.Path, help="instead of the engine's own file")

    evaluate = commands.add_parser("evaluate", help="figures beside PP-OCRv2 and PP-OCRv6 small")
    evaluate.add_argument(
        "--lines", type=pathlib.Path, help="table of labelled lines; rendered ones where there is none"
    )
    evaluate.add_argument("--count", type=int, default=600, help="rendered lines")
    evaluate.add_argument(
        "--misread", type=pathlib.Path, help="writes a picture of what this project's weights misread"
    )
    evaluate.add_argument("--only", action="store_true", help="this project's weights alone")

    sheet = commands.add_parser("sheet", help="a contact sheet of rendered lines")
    sheet.add_argument("--out", type=pathlib.Path, default=HERE.parent / "docs" / "training" / "lines.webp")
    sheet.add_argument("--seed", type=int, default=11)
    sheet.add_argument("--rows", type=int, default=40)
    sheet.add_argument("--kinds", nargs="*", default=[])
    sheet.add_argument("--held-out", action="store_true", help="faces kept from training")

    plot = commands.add_parser(
        "plot", help="draws a run: log.jsonl, and real.jsonl where somebody kept figures of real lines"
    )
    plot.add_argument("--folder", type=pathlib.Path, default=WORK / "floor")
    plot.add_argument("--out", type=pathlib.Path, default=HERE.parent / "docs" / "training" / "run.png")
    return out


def main() -> int:
    options = parser().parse_args()
    _settled()
    from training import commands

    done: int = getattr(commands, options.command)(options)
    return done


if __name__ == "__main__":
    sys.exit(main())
