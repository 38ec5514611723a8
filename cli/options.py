"""Arguments that several commands share."""

from __future__ import annotations

import argparse

from cli.client import DEFAULT_SERVER, OcrFleet
from cli.words import pick
from shared.records import ENGINES, FOLDS, LAYOUTS, PICTURES, PREPROCESS, PRIORITIES

# Format -> the ending of a file that holds it.
FORMATS = {
    "text": "txt",
    "json": "json",
    "markdown": "md",
    "hocr": "html",
    "alto": "xml",
    "tsv": "tsv",
    "xlsx": "xlsx",
    "pdf": "pdf",
    "fields": "fields.json",
}
BINARY = frozenset({"pdf", "xlsx"})


def add_server(parser: argparse.ArgumentParser) -> None:
    """Where the service is."""
    parser.add_argument(
        "--server",
        metavar="URL",
        help=pick(
            f"the service's address (OCRFLEET_SERVER; {DEFAULT_SERVER})",
            f"服务地址（OCRFLEET_SERVER；默认 {DEFAULT_SERVER}）",
        ),
    )
    parser.add_argument(
        "--api-key",
        metavar="KEY",
        help=pick("better given as OCRFLEET_API_KEY", "建议通过环境变量 OCRFLEET_API_KEY 提供"),
    )


def client(options: argparse.Namespace) -> OcrFleet:
    """The client that the arguments name."""
    return OcrFleet(options.server, options.api_key)


def add_reading(parser: argparse.ArgumentParser) -> None:
    """How a document is to be read."""
    group = parser.add_argument_group(pick("reading", "识别选项"))
    group.add_argument("--lang", default="", help=pick("language, such as zh, en, ja", "语言，如 zh、en、ja"))
    group.add_argument("--engine", choices=ENGINES, default="", help=pick("what reads the lines", "识别引擎"))
    group.add_argument(
        "--layout", choices=LAYOUTS, default="", help=pick("line: the picture is one line", "line：图片仅一行")
    )
    group.add_argument("--pages", default="", help=pick("such as 1-3,7", "如 1-3,7"))
    group.add_argument(
        "--preprocess", choices=PREPROCESS, default="", help=pick("off: take the picture as it is", "off：不做预处理")
    )
    group.add_argument(
        "--fold",
        choices=FOLDS,
        default="",
        help=pick("hand all characters on in one form", "统一输出的字形：简体、繁体或半角"),
    )
    group.add_argument(
        "--pictures",
        choices=PICTURES,
        default="",
        help=pick("keep: small pictures of the pages, for searchable PDF", "keep：保留页面小图，用于可搜索 PDF"),
    )
    group.add_argument(
        "--priority", choices=PRIORITIES, default="", help=pick("bulk: let others go first", "bulk：让其他任务优先")
    )


def reading(options: argparse.Namespace) -> dict[str, str]:
    """The options of `add_reading` that were given."""
    names = ("lang", "engine", "layout", "pages", "preprocess", "fold", "pictures", "priority")
    return {name: getattr(options, name) for name in names if getattr(options, name)}


def add_format(parser: argparse.ArgumentParser) -> None:
    """The form of a result."""
    parser.add_argument(
        "-f", "--format", choices=tuple(FORMATS), default="text", help=pick("form of the result", "结果格式")
    )
    parser.add_argument(
        "--form",
        default="auto",
        metavar="NAME",
        help=pick(
            "for --format fields: receipt, invoice, ... (auto)", "配合 --format fields：receipt、invoice 等（auto）"
        ),
    )
    parser.add_argument(
        "--json",
        action="store_const",
        const="json",
        dest="format",
        help=pick("the same as --format json", "等同于 --format json"),
    )
