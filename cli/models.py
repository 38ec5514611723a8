"""`ocrfleet models`: what is here, what is missing; fetch, check, add, quantize, and choose between versions."""

from __future__ import annotations

import argparse
from pathlib import Path

from cli import versions
from cli.words import pick
from shared.settings import get_settings
from worker.reading import models


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("--folder", type=Path, metavar="DIR", help=pick("models folder", "模型目录"))
    actions = parser.add_subparsers(dest="action", metavar=pick("ACTION", "操作"))
    actions.add_parser("list", help=pick("show every model and whether it is whole", "列出模型并校验"))
    fetch = actions.add_parser("fetch", help=pick("download what is missing", "下载缺少的模型"))
    fetch.add_argument("names", nargs="*", metavar="NAME", help=pick("only these", "仅下载这些"))
    add = actions.add_parser("add", help=pick("add a ModelScope model", "添加 ModelScope 模型"))
    add.add_argument(
        "source",
        metavar="SOURCE",
        help=pick("modelscope:OWNER/NAME, or a folder of ModelScope's form", "modelscope:OWNER/NAME 或本地模型目录"),
    )
    add.add_argument("--sample", type=Path, action="append", default=[], metavar="PICTURE",
                     help=pick("a line's picture to check the export with", "用于校验导出的单行图片"))  # fmt: skip
    remove = actions.add_parser("remove", help=pick("remove an added model or a version", "移除已添加的模型或版本"))
    remove.add_argument("name", metavar="NAME", help=pick("modelscope, or a version", "modelscope 或版本名"))
    quantize = actions.add_parser(
        "quantize", help=pick("try 8-bit weights behind an accuracy gate", "INT8 量化（带精度门槛）")
    )
    quantize.add_argument("engine", choices=["crnn", "ppocrv6"])
    quantize.add_argument("--data", type=Path, required=True, metavar="DIR",
                          help=pick("folder with lines.tsv: labelled lines", "含 lines.tsv 的标注数据目录"))  # fmt: skip
    quantize.add_argument("--report", type=Path, metavar="FILE", help=pick("write the report there", "报告输出文件"))
    choose = actions.add_parser(
        "use", help=pick("let the fleet read with a version of the weights", "让服务使用某个模型版本")
    )
    choose.add_argument("version", metavar="VERSION", help=pick("its name, or the beginning of it", "版本名或其开头"))
    back = actions.add_parser("rollback", help=pick("go back to the version before", "退回上一个版本"))
    back.add_argument("engine", nargs="?", default="crnn")
    for parts in (choose, back):
        parts.add_argument("--wait", type=float, default=600.0, metavar="SECONDS",
                           help=pick("how long to watch the worker processes change over", "等待切换完成的最长秒数"))  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    folder = options.folder or get_settings().models_folder
    if options.action == "fetch":
        return fetch(folder, options.names)
    if options.action == "add":
        from worker.reading.modelscope_import.add import add

        print(add(options.source, folder, samples=options.sample, progress=print))
        return 0
    if options.action == "remove":
        return remove(folder) if options.name == "modelscope" else versions.remove(folder, options.name)
    if options.action == "quantize":
        from worker.reading.quantize import quantize

        text = quantize(options.engine, folder, options.data, progress=print, precision=get_settings().precision)
        if options.report:
            options.report.write_text(text, encoding="utf-8")
        print(text)
        return 0
    if options.action == "use":
        return versions.use(folder, options.version, options.wait)
    if options.action == "rollback":
        return versions.rollback(folder, options.engine, options.wait)
    return show(folder)


def fetch(folder: Path, names: list[str]) -> int:
    """Download what is missing or damaged."""
    known = [weight.name for weight in models.everything()]
    for name in names:
        if name not in known:
            raise models.ModelError(
                reason=pick(
                    f"There is no model {name}; known: {', '.join(known)}.",
                    f"没有模型 {name}；可用：{', '.join(known)}。",
                )
            )
    if not models.fetch(folder, print, names or None):
        print(pick(f"Nothing to fetch: {folder} is complete.", f"无需下载：{folder} 已完整。"))
    return 0


def show(folder: Path) -> int:
    """Two rows a weight, then the versions made here; exit code 1 where one is missing or damaged."""
    words = {
        "here": pick("whole", "完整"),
        "missing": pick("missing", "缺失"),
        "damaged": pick("damaged", "损坏"),
    }
    states = models.check(folder)
    for state in states:
        weight = state.weight
        print(f"{weight.name:<12} {words[state.state]:<8} {weight.bytes / 1e6:6.1f} MB  {weight.licence:<11} "
              f"{weight.version:<20} {weight.about}")  # fmt: skip
        print(f"{'':<12} {origin(weight)}; SHA-256 {weight.sha256}")
    for facts in models.shipped():
        for name, row in facts.extra.get("figures", {}).items():
            print(f"{facts.engine:<12} {name.replace('_', ' ')}: {versions.figures_said(row)}")
    added = [facts for facts in (models.added(folder), models.added_detector(folder)) if facts is not None]
    for weight in (weight for facts in added for weight in facts.weights):
        print(f"{'modelscope':<12} {words['here']:<8} {weight.bytes / 1e6:6.1f} MB  {weight.licence:<11} "
              f"{weight.version:<20} {weight.about}")  # fmt: skip
        print(f"{'':<12} {origin(weight)}; SHA-256 {weight.sha256}")
    versions.show(folder)
    lacking = [state.weight.name for state in states if state.state != "here"]
    if lacking:
        print(pick("Run `ocrfleet models fetch`.", "请运行 `ocrfleet models fetch`。"))
    return 1 if lacking else 0


def origin(weight: models.Weight) -> str:
    """Where a weight comes from, in words."""
    if weight.wheel is not None:
        return pick(
            f"from the package {weight.wheel.name} {weight.wheel.version}",
            f"来自软件包 {weight.wheel.name} {weight.wheel.version}",
        )
    return pick("shipped with the program", "随程序提供") if weight.packaged else pick("added here", "本机添加")


def remove(folder: Path) -> int:
    """Take the added ModelScope model away."""
    from worker.reading.modelscope_import.add import drop

    if not drop(folder):
        raise models.ModelError(reason=pick("No ModelScope model was added.", "未添加 ModelScope 模型。"))
    print(pick("Removed.", "已移除。"))
    return 0
