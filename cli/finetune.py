"""`ocrfleet finetune LINES.tsv`: teach a copy of the CRNN a user's own lines, and keep it only if it passes the gate."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

from cli import versions
from cli.problems import CommandError
from cli.words import pick
from shared.settings import get_settings

if TYPE_CHECKING:
    from training.finetune import Verdict
    from training.served import Base

ENGINE = "crnn"
PHASES = {
    "looking at the lines": "检查样本",
    "learning": "训练",
    "choosing how much to keep": "选择保留比例",
    "judging": "评估",
    "judged": "评估完成",
}


class NoTrainer(CommandError):
    """Raised where what fine-tuning needs is not installed."""

    slug = "no-trainer"
    english = (
        "Fine-tuning needs {missing}, which is not installed here: `pip install 'ocrfleet[worker,train]'` "
        "(for a smaller PyTorch without CUDA, first `pip install torch` from the CPU builds that pytorch.org names)."
    )
    chinese = "微调需要 {missing}，当前未安装：请运行 `pip install 'ocrfleet[worker,train]'`（无显卡可先按 pytorch.org 的说明安装 CPU 版 torch）。"


class NoFonts(CommandError):
    """Raised where no font is found to render lines with."""

    slug = "no-fonts"
    english = (
        "Fine-tuning renders lines against forgetting, and finds no fonts for it: "
        "`apt-get install fonts-noto-cjk fonts-liberation fonts-dejavu-core`."
    )
    chinese = "微调需要渲染文本行以防遗忘，但没有找到字体：请运行 `apt-get install fonts-noto-cjk fonts-liberation fonts-dejavu-core`。"


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument(
        "lines", type=Path, metavar="LINES.tsv",
        help=pick("a table: picture's path, tab, its text; or a job's corrected result in JSON, with --document",
                  "表格：图片路径、制表符、文字；或人工校正后的任务结果 JSON（需 --document）"),
    )  # fmt: skip
    parser.add_argument(
        "--document",
        type=Path,
        metavar="FILE",
        help=pick("the document that the JSON is the result of", "JSON 结果对应的原文件"),
    )
    parser.add_argument(
        "--held-out",
        type=Path,
        metavar="TSV",
        help=pick(
            "lines to judge on; else a fifth of the table is kept for it", "用于评估的表格；缺省从表中留出五分之一"
        ),
    )
    parser.add_argument(
        "--name",
        default="own",
        help=pick("what the version is called; its SHA-256 is added", "版本名（自动附加 SHA-256）"),
    )
    parser.add_argument(
        "--from",
        dest="parent",
        metavar="VERSION",
        help=pick("teach this version instead of the one in use", "以此版本为基础（缺省为当前使用的版本）"),
    )
    parser.add_argument("--minutes", type=float, default=20.0, help=pick("of learning (20)", "训练分钟数（20）"))
    parser.add_argument(
        "--threads", type=int, default=0, help=pick("CPU threads (all cores)", "CPU 线程数（全部核心）")
    )
    parser.add_argument("--seed", type=int, default=1, help=pick("for repeating a run", "随机种子"))
    parser.add_argument("--folder", type=Path, metavar="DIR", help=pick("models folder", "模型目录"))
    parser.add_argument(
        "--work",
        type=Path,
        metavar="DIR",
        help=pick("keep checkpoint, log and candidates here", "保留训练检查点、日志与候选模型的目录"),
    )
    parser.add_argument(
        "--use", action="store_true", help=pick("let the fleet read with it at once, if it passes", "通过后立即启用")
    )
    parser.add_argument("-q", "--quiet", action="store_true", help=pick("no progress", "不显示进度"))


def run(options: argparse.Namespace) -> int:
    """Do it; 0 where a version was registered, 1 where the gate refused it."""
    check_parts()
    prepare_process()
    folder = options.folder or get_settings().models_folder
    base = base_of(folder, options.parent)
    with work_folder(options.work) as work:
        table = options.lines
        if table.suffix.lower() == ".json":
            table = lines_of_job(options.lines, options.document, work)
        verdict, minutes = teach(options, base, table, work)
        for row in report(verdict):
            print(row)
        if not verdict.passed:
            print(pick("Not kept: ", "未保留：") + pick("; ".join(verdict.refusals), "；".join(verdict.refusals)) + ".")
            return 1
        name = register(folder, options.name, base, verdict, minutes)
    if options.use:
        return versions.use(folder, name, 600.0)
    print(pick(f"Kept as {name}. `ocrfleet models use {name}` lets the fleet read with it.",
               f"已保存为 {name}。运行 `ocrfleet models use {name}` 即可启用。"))  # fmt: skip
    return 0


def check_parts() -> None:
    """Raises NoTrainer or NoFonts with what to install."""
    try:
        from training.parts import missing_parts
    except ImportError as error:
        raise NoTrainer(missing=error.name or str(error)) from error
    missing = missing_parts()
    if missing == ["fonts"]:
        raise NoFonts
    if missing:
        raise NoTrainer(missing=", ".join(missing))


def prepare_process() -> None:
    """Start this program again with what the allocator and the kernels' cache read only at the start: twice as fast."""
    from training.__main__ import ENVIRONMENT

    if "finetune" in sys.argv[1:] and any(os.environ.get(name) != value for name, value in ENVIRONMENT.items()):
        os.environ.update(ENVIRONMENT)
        os.execv(sys.executable, [sys.executable, "-m", "cli.main", *sys.argv[1:]])


def base_of(folder: Path, parent: str | None) -> Base:
    """What is taught: the version that was named, else the one in use. Raises ModelError."""
    from training.served import Base
    from worker.reading import models
    from worker.reading import versions as kept

    if parent is not None:
        _, name = versions.resolve(folder, parent)
    else:
        store = versions.reachable_store(get_settings())
        record = store.wanted_versions().get(ENGINE) if store is not None else None
        record = record or versions.noted(folder, ENGINE)
        name = record.version if record is not None else kept.SHIPPED
    if name == kept.SHIPPED:
        facts = models.facts(ENGINE)
        models.path(folder, facts.recogniser["weight"])
        return Base(facts, folder)
    version = kept.find(folder, ENGINE, name)
    return Base(version.facts, version.folder)


@contextmanager
def work_folder(wished: Path | None) -> Iterator[Path]:
    """A folder for what lies about while learning; one that nobody asked for is removed."""
    if wished is not None:
        wished.mkdir(parents=True, exist_ok=True)
        yield wished
        return
    with tempfile.TemporaryDirectory(prefix="ocrfleet-finetune-") as scratch:
        yield Path(scratch)


def lines_of_job(result: Path, document: Path | None, work: Path) -> Path:
    """The table of a corrected job."""
    from training.export_jobs import export
    from training.table import Untaught

    if document is None:
        raise Untaught(reason=f"{result} is a job's result: name the document that it was read from with --document.")
    table: Path = export(result, document, work / "lines")
    return table


def teach(options: argparse.Namespace, base: Base, table: Path, work: Path) -> tuple[Verdict, float]:
    """Run it under a progress bar; the verdict, and the minutes that all of it took."""
    import cv2

    from training.finetune import Wish, finetune

    cv2.setNumThreads(1)
    began = time.monotonic()
    wish = Wish(
        table, base, work, options.held_out, minutes=options.minutes, seed=options.seed,
        threads=options.threads or len(os.sched_getaffinity(0)),
    )  # fmt: skip
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=options.quiet) as bar:
        task = bar.add_task("", total=1.0)
        verdict = finetune(
            wish,
            lambda share, words: bar.update(task, completed=share, description=pick(words, PHASES.get(words) or words)),
        )
    return verdict, (time.monotonic() - began) / 60


def report(verdict: Verdict) -> Iterator[str]:
    """What was learnt from, what was left out, and the figures before and after."""
    table = verdict.table
    yield pick(f"learnt from {verdict.learnt_from} lines in {verdict.steps} steps; keeps {verdict.share:.0%} of what was learnt",
               f"用 {verdict.learnt_from} 行训练 {verdict.steps} 步；保留所学的 {verdict.share:.0%}")  # fmt: skip
    for reason, count in table.skipped.items():
        yield pick(f"left out: {count} x {reason}", f"忽略 {count} 行：{reason}")
    if table.unknown:
        yield pick(f"characters that the recogniser does not have: {table.unknown}", f"模型没有的字符：{table.unknown}")
    sets = (
        (pick("held-out lines", "留出行"), verdict.held_before, verdict.held_after),
        (pick("golden lines", "基准行"), verdict.golden_before, verdict.golden_after),
    )
    for name, before, after in sets:
        yield f"{name}: {versions.figures_said(after.figures(before))}"
    if not verdict.calibrated:
        yield pick("its confidences differ from those the cascade's gate knows: `auto` reads every line with ppocrv6 beside it",
                   "其置信度与级联门限不符：`auto` 将改用 ppocrv6 识别每一行")  # fmt: skip


def register(folder: Path, stem: str, base: Base, verdict: Verdict, minutes: float) -> str:
    """Take the new version into the models folder; returns its name."""
    from training.finetune import facts_of
    from worker.reading import versions as kept

    facts = facts_of(verdict, base, time.strftime("%Y-%m-%d %H:%M"), minutes)
    licence = base.facts.weight(base.facts.recogniser["weight"]).licence
    version = kept.register(
        folder, ENGINE, stem, verdict.model, base.characters.read_bytes(), facts["recogniser"],
        {"licence": licence, "about": f"Reads lines: {base.name}, taught own lines."},
        facts["origin"], {"held_out": facts["held_out"], "golden": facts["golden"]},
    )  # fmt: skip
    return version.name
