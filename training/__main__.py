"""`python -m training COMMAND`: train, evaluate, average, export and sheet."""

from __future__ import annotations

import argparse
import os
import pathlib
import sys

# Before torch and OpenVINO are loaded: shapes repeat, so keep every compiled kernel, and keep memory instead of giving it back.
ENVIRONMENT = {
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "8192",
    "MALLOC_MMAP_THRESHOLD_": "4000000000",
    "MALLOC_TRIM_THRESHOLD_": "4000000000",
    "MALLOC_TOP_PAD_": "268435456",
}
HERE = pathlib.Path(__file__).parent
MODELS = HERE.parent / "models"
WORK = HERE / "work"


def _settled() -> None:
    """Starts the process again with ENVIRONMENT, which the allocator reads only at the start."""
    if any(os.environ.get(name) != value for name, value in ENVIRONMENT.items()):
        os.environ.update(ENVIRONMENT)
        os.execv(sys.executable, [sys.executable, "-m", "training", *sys.argv[1:]])


def train(options: argparse.Namespace) -> int:
    import torch

    from training.crnn import load_ppocrv2
    from training.dataset import Plan
    from training.train import Recipe, Trainer

    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    model, base = load_ppocrv2(options.base), load_ppocrv2(options.base)
    model.train_from(options.train_from)
    recipe = Recipe(steps=options.steps, minutes=options.minutes, rate=options.rate, full_after=options.full_after)
    trainer = Trainer(model, Plan(str(options.vocabulary), seed=options.seed), recipe, options.folder, base)
    print("resumed at step", trainer.step) if trainer.resume() else print("started")
    trainer.run()
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="training", description=__doc__)
    parser.add_argument("--base", type=pathlib.Path, default=MODELS / "ch_PP-OCRv2_rec_infer.onnx")
    parser.add_argument("--vocabulary", type=pathlib.Path, default=MODELS / "ppocr_keys_v1.txt")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("train", help="fine-tunes PP-OCRv2's CRNN on rendered lines; resumes what the folder holds")
    command.add_argument("--folder", type=pathlib.Path, default=WORK / "floor")
    command.add_argument("--steps", type=int, default=20000)
    command.add_argument("--minutes", type=float, default=90.0)
    command.add_argument("--rate", type=float, default=4e-4)
    command.add_argument("--seed", type=int, default=1)
    command.add_argument("--threads", type=int, default=1)
    command.add_argument("--train-from", type=int, default=9, help="first block of the 13 that is trained")
    command.add_argument("--full-after", type=float, default=0.85)
    command.set_defaults(run=train)
    options = parser.parse_args()
    _settled()
    done: int = options.run(options)
    return done


if __name__ == "__main__":
    sys.exit(main())
