"""`python -m bench fields`: drawn fields of documents, each kind by itself: which are read exactly, and by whom.

Labelled pages have few of the signs, sums and codes that documents are full of. Here they are drawn, on paper with some
grain, slightly out of focus, in the faces that this machine has; the report names them. Compared as written, white space
left out and the two forms of the yen sign, and of an empty box, taken for one. The rules of `second_look.py` were made
while looking at lines of the seeds 1 to 14, others at misses of 20 and 21; a seed that nobody looked at is fairer (docs/measurements.md).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from bench import machine, peers, readers
from bench.field_texts import KINDS
from bench.readers import MODELS, ROOT
from bench.scoring import table

SIZES_PX = (14, 18, 22, 28)
SMALL_PX = (11, 13, 15, 17)  # with `--small`; Chinese characters MORE px larger
MORE = 3
BLUR = (0.3, 0.9)  # standard deviation, pixels
QUALITY = (60, 95)  # of the JPEG that small lines go through
GRAIN = 6.0  # standard deviation, grey levels
EXAMPLES = 2  # misread lines of a kind that the report shows
NO_LETTERS = ("Symbol", "D050000L", "Math", "Dingbats", "Emoji")  # faces that draw something else in place of letters


def faces(language: str) -> list[Path]:
    """Font files that fontconfig has for a language, by name."""
    told = subprocess.run(["fc-list", f":lang={language}", "file"], capture_output=True, text=True, check=True).stdout
    files = sorted({Path(row.split(":")[0].strip()) for row in told.splitlines()})
    fitting = (file for file in files if file.suffix in (".ttf", ".ttc", ".otf"))
    return [file for file in fitting if not any(word in file.stem for word in NO_LETTERS)]


def has(font: ImageFont.FreeTypeFont, text: str) -> bool:
    """Whether a face has every character: one that it lacks looks like one that nobody has."""
    lacking = bytes(font.getmask("\U000fffff"))
    return all(char == " " or bytes(font.getmask(char)) != lacking for char in text)


def drawn(text: str, font: ImageFont.FreeTypeFont, dice: random.Random, small: bool = False) -> NDArray[np.uint8]:
    """The line as a BGR picture, on white paper. A `small` one was shrunk from three times the size, as cameras and scanners
    do it, and squeezed as JPEG."""
    scale = 3 if small else 1
    font = font.font_variant(size=font.size * scale) if small else font
    size = float(font.size)
    image = Image.new("RGB", (int(font.getlength(text)) + 14 * scale, int(size * 1.5)), "white")
    ImageDraw.Draw(image).text((7 * scale, size * 0.15), text, fill=(40, 40, 40), font=font)
    soft = cv2.GaussianBlur(np.asarray(image)[:, :, ::-1].copy(), (0, 0), scale * dice.uniform(*BLUR))
    if small:
        soft = cv2.resize(soft, (soft.shape[1] // scale, soft.shape[0] // scale), interpolation=cv2.INTER_AREA)
    noise = np.random.default_rng(dice.getrandbits(32)).normal(0, GRAIN, soft.shape)
    picture = np.asarray(np.clip(soft + noise, 0, 255).astype(np.uint8))
    if not small:
        return picture
    _, squeezed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, dice.randint(*QUALITY)])
    return np.asarray(cv2.imdecode(squeezed, cv2.IMREAD_COLOR), np.uint8)


def lines(folder: Path, count: int, seed: int, small: bool = False) -> list[tuple[str, str, Path]]:
    """Draw `count` lines of every kind into a folder: (kind, text, picture)."""
    asian, japanese = faces("zh-cn"), faces("ja")
    latin = faces("de") or asian
    out: list[tuple[str, str, Path]] = []
    for kind, generate in KINDS.items():
        dice = random.Random(f"{seed} {kind}")
        for _ in range(count):
            text = generate(dice)
            chinese = any("\u2e80" <= char <= "\u9fff" for char in text)
            choice = (japanese if kind == "Japanese" else asian) if chinese else latin
            for _attempt in range(20):
                size = dice.choice(SMALL_PX) + MORE * chinese if small else dice.choice(SIZES_PX)
                font = ImageFont.truetype(str(dice.choice(choice)), size)
                if has(font, text):
                    break
            else:
                continue
            file = folder / f"{len(out)}.png"
            cv2.imwrite(str(file), drawn(text, font, dice, small))
            out.append((kind, text, file))
    return out


def plain(text: str) -> str:
    """The form in which lines are compared."""
    return "".join(text.replace("￥", "¥").replace("☐", "□").split())


def main(arguments: Sequence[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench fields", description=__doc__)
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--engine", default="auto", help="several with commas")
    parser.add_argument("--count", type=int, default=40, help="lines of a kind")
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--kind", default="", help="only kinds that have this in their name")
    parser.add_argument("--small", action="store_true", help="small, soft, squeezed print: results/fields-small.md")
    parser.add_argument("--peers", action="store_true", help="other readers too")
    parser.add_argument("--core", type=int, default=None, help="hold every reader to this core")
    parser.add_argument("--wrong", type=Path, default=None, help="write every misread line here (JSON)")
    parser.add_argument("--report", type=Path, default=None)
    options = parser.parse_args(arguments)
    target = options.report or ROOT / "bench" / "results" / ("fields-small.md" if options.small else "fields.md")
    everyone = [readers.own(options.models, name, options.core) for name in options.engine.split(",")]
    everyone += peers.all_peers(options.core) if options.peers else []
    exact: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    wrong: dict[str, list[tuple[str, str]]] = defaultdict(list)
    seconds: dict[str, float] = defaultdict(float)
    with tempfile.TemporaryDirectory(prefix="ocrfleet-bench-") as folder, contextlib.ExitStack() as stack:
        rows = [
            row for row in lines(Path(folder), options.count, options.seed, options.small) if options.kind in row[0]
        ]
        for reader in everyone:
            stack.enter_context(reader)
        for kind, text, file in rows:
            for reader in everyone:
                answer = reader.read(file, "line")
                got = "".join(answer.get("lines", []))
                seconds[reader.name] += float(answer["cpu_seconds"])
                right = plain(got) == plain(text)
                for name in (kind, "all"):
                    exact[name][reader.name] += right
                if not right and reader is everyone[0]:
                    wrong[kind].append((text, got))
    used = sorted({file.stem for language in ("zh-cn", "de", "ja") for file in faces(language)})
    report = render([reader.name for reader in everyone], rows, exact, wrong, seconds, used, options.small)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(report, encoding="utf-8")
    if options.wrong:
        options.wrong.write_text(json.dumps(wrong, ensure_ascii=False, indent=1), encoding="utf-8")
    print(report)
    return 0


def render(
    names: Sequence[str],
    rows: Sequence[tuple[str, str, Path]],
    exact: dict[str, dict[str, int]],
    wrong: dict[str, list[tuple[str, str]]],
    seconds: dict[str, float],
    used: Sequence[str],
    small: bool = False,
) -> str:
    """The report in Markdown."""
    counts = {kind: sum(row[0] == kind for row in rows) for kind in KINDS}
    counts = {kind: count for kind, count in counts.items() if count} | {"all": len(rows)}
    body = [
        (kind, counts[kind], *(f"{exact[kind][name] / counts[kind]:.3f}" for name in names),
         "; ".join(f"{want} → {got}" for want, got in wrong[kind][:EXAMPLES]).replace("|", "\\|"))
        for kind in counts
    ]  # fmt: skip
    return "\n".join(
        [
            "# Fields of documents",
            "",
            f"Written by `python -m bench fields{' --small' if small else ''}` on {datetime.now(UTC):%Y-%m-%d}. {machine.describe()}.",
            "",
            ("Small print" if small else "Drawn lines")
            + ", the share that is read exactly; not photographs, so they compare readers and kinds and promise nothing.",
            "",
            table(["kind", "lines", *names, f"misread by {names[0]}, the first"], body),
            "",
            "CPU ms a line: "
            + ", ".join(f"{name} {1000 * seconds[name] / max(1, len(rows)):.0f}" for name in names)
            + ".",
            "",
            f"Faces ({len(used)}): " + ", ".join(used) + ".",
            "",
        ]
    )
