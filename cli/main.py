"""The program `ocrfleet`: finds the command and runs it; every failure is a sentence, in English and Chinese.

Exit codes: 0 done; 1 a document could not be read in full, or the command failed; 2 wrong arguments or a file that
cannot be read; 3 the service does not answer; 130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from importlib import metadata

from cli.words import pick
from shared.errors import OcrFleetError

EXIT_INTERRUPTED = 130
EPILOG = (
    "exit codes: 0 done; 1 a document was not read in full, or the command failed; 2 wrong arguments or unreadable file; "
    "3 the service does not answer; 130 interrupted",
    "退出码：0 成功；1 有文件未能完整识别或命令失败；2 参数错误或文件不可读；3 服务无响应；130 被中断",
)

# Command -> its module (which has `configure(parser)` and `run(options)`) and what it does, in both languages.
COMMANDS: dict[str, tuple[str, str, str]] = {
    "up": ("cli.up", "start the whole fleet on this machine", "在本机启动整个服务"),
    "read": ("cli.read", "read documents and print their text", "识别文件并输出文字"),
    "submit": ("cli.submit", "hand documents in and print their jobs' ids", "提交文件并输出任务编号"),
    "status": ("cli.status", "how far jobs are", "查看任务进度"),
    "result": ("cli.result", "the result of a job", "获取任务结果"),
    "cancel": ("cli.cancel", "stop jobs", "取消任务"),
    "jobs": ("cli.jobs", "list your jobs", "列出任务"),
    "doctor": ("cli.doctor", "say what is wrong with this machine or setup", "检查本机与配置的问题"),
    "bench": ("cli.bench", "measure speed and quality (from a checkout)", "性能与质量测试（需源码）"),
    "models": ("cli.models", "show, fetch, add and choose models", "查看、下载、添加、选用模型"),
    "finetune": ("cli.finetune", "teach the recogniser your own lines", "用自己的样本微调识别模型"),
}


def version() -> str:
    """The installed version."""
    try:
        return metadata.version("ocrfleet")
    except metadata.PackageNotFoundError:
        return "0 (not installed)"


def build(command: str | None) -> argparse.ArgumentParser:
    """The parser. Only the module of the command at hand is loaded: `--help` must not wait for libraries."""
    parser = argparse.ArgumentParser(
        prog="ocrfleet",
        description=pick("Reads text in pictures and PDFs.", "图片与 PDF 文字识别。"),
        epilog=pick(*EPILOG),
    )
    parser.add_argument("--version", action="version", version=f"ocrfleet {version()}")
    commands = parser.add_subparsers(dest="command", metavar=pick("COMMAND", "命令"), required=True)
    for name, (module, english, chinese) in COMMANDS.items():
        sub = commands.add_parser(name, help=pick(english, chinese), description=pick(english, chinese))
        if name == command:
            importlib.import_module(module).configure(sub)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    command = next((word for word in words if not word.startswith("-")), None)
    try:
        options = build(command if command in COMMANDS else None).parse_args(words)
        return int(importlib.import_module(COMMANDS[options.command][0]).run(options))
    except OcrFleetError as error:
        complain(error)
        return int(getattr(error, "exit_code", 1))
    except BrokenPipeError:  # `ocrfleet read ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return EXIT_INTERRUPTED
    except ValueError as error:
        # Settings that contradict themselves or do not parse; anything else is a fault of the program.
        if type(error).__module__.startswith("pydantic"):
            print(f"ocrfleet: {settings_problem(error)}", file=sys.stderr)
            return 2
        raise


def complain(error: OcrFleetError) -> None:
    """Print an error's sentences on stderr."""
    print(f"ocrfleet: {error.detail}", file=sys.stderr)
    if error.detail_zh != error.detail:
        print(f"          {error.detail_zh}", file=sys.stderr)


def settings_problem(error: ValueError) -> str:
    """What is wrong with the environment variables."""
    from pydantic import ValidationError

    from shared.settings import Settings

    if not isinstance(error, ValidationError):
        return str(error)
    rows = []
    for row in error.errors():
        field = str(row["loc"][0]) if row["loc"] else ""
        known = field in Settings.model_fields
        name = Settings.environment_name(field) if known else field
        rows.append(f"{name}: {row['msg']}" if name else str(row["msg"]))
    return pick("a setting is wrong: ", "配置有误：") + "; ".join(rows)


if __name__ == "__main__":
    sys.exit(main())
