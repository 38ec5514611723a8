"""`ocrfleet read FILE...`: hand documents in, show how far they are, print their text in the order of the files."""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from cli.client import ENDED, Job, Refused
from cli.options import BINARY, FORMATS, add_format, add_reading, add_server, client, reading
from cli.problems import FileRefused, ServerAway
from cli.words import pick
from shared.errors import OcrFleetError

AT_ONCE = 8  # documents in flight; the service bounds what one client may hold
CANCEL_S = 5.0


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one document. `note` is a sentence for stderr, "" where all went well."""

    content: bytes = b""
    note: str = ""
    whole: bool = True


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help=pick("a picture or PDF; - is stdin", "图片或 PDF；- 为标准输入")
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="DIR",
        help=pick("a file for each, in this folder", "每个文件的结果写入此目录"),
    )
    parser.add_argument(
        "-j",
        "--jobs",
        type=int,
        default=AT_ONCE,
        help=pick(f"documents at once ({AT_ONCE})", f"并发文件数（{AT_ONCE}）"),
    )
    parser.add_argument("-q", "--quiet", action="store_true", help=pick("no progress", "不显示进度"))
    add_format(parser)
    add_reading(parser)
    add_server(parser)


def run(options: argparse.Namespace) -> int:
    """Read them all; 1 where one was not read in full, 2 where a file could not be read, 3 where the service is away."""
    if options.format in BINARY and not options.output and sys.stdout.isatty():
        raise FileRefused(
            path=options.format, reason=pick("is no text; name a folder with --output", "不是文本，请用 --output")
        )
    for file in options.files:
        if file != "-" and not (Path(file).is_file() and os.access(file, os.R_OK)):
            raise FileRefused(path=file, reason=pick("there is no such file that can be read", "文件不存在或不可读"))
    if options.output:
        try:
            options.output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileRefused(path=options.output, reason=error.strerror) from error
    return Reading(options).run()


class Reading:
    """One call of the command: the documents in flight, their progress, the end in order."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._wanted = reading(options)
        if options.format == "pdf":  # its text lies over the page's picture
            self._wanted.setdefault("pictures", "keep")
        self._console = Console(stderr=True)
        self._jobs: set[str] = set()
        self._stopping = threading.Event()
        self._names: set[str] = set()

    def run(self) -> int:
        """The exit code."""
        files: list[str] = self._options.files
        code = 0
        show = self._console.is_terminal and not self._options.quiet
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[state]}", markup=False),
            TimeElapsedColumn(),
        )
        with (
            Progress(*columns, console=self._console, transient=True, disable=not show) as progress,
            ThreadPoolExecutor(max(1, self._options.jobs)) as pool,
        ):
            waiting: list[tuple[str, Future[Outcome]]] = [
                (file, pool.submit(self._one, file, progress)) for file in files
            ]
            try:
                for file, future in waiting:
                    code = max(code, self._finish(file, future))
            except (KeyboardInterrupt, ServerAway, FileRefused):
                pool.shutdown(wait=False, cancel_futures=True)
                self._cancel()
                raise
        return code

    def _one(self, file: str, progress: Progress) -> Outcome:
        """One document from its bytes to its result; runs in a thread of its own."""
        service = client(self._options)
        task = progress.add_task(Path(file).name, total=None, state=pick("sending", "上传"))
        try:
            if file == "-":
                job = service.submit(sys.stdin.buffer.read(), name="stdin", **self._wanted)
            else:
                job = service.submit(file, **self._wanted)
            self._jobs.add(job["id"])
            if job["status"] not in ENDED:
                for change in service.follow(job["id"]):
                    job = change
                    show(progress, task, job)
                    if self._stopping.is_set():
                        return Outcome(whole=False)
            self._jobs.discard(job["id"])
            content = service.result(job["id"], self._options.format, self._options.form)
            return Outcome(content, partial_note(job), whole=job["status"] == "done")
        except Refused as error:
            return Outcome(note=pick(error.detail, error.detail_zh), whole=False)
        finally:
            progress.remove_task(task)

    def _finish(self, file: str, future: Future[Outcome]) -> int:
        outcome = future.result()
        if outcome.note:
            self._console.print(f"{file}: {outcome.note}", markup=False, highlight=False, soft_wrap=True)
        if outcome.content:
            self._put(file, outcome.content)
        return 0 if outcome.whole else 1

    def _put(self, file: str, content: bytes) -> None:
        if self._options.output:
            path = self._options.output / self._name(file)
            try:
                path.write_bytes(content)
            except OSError as error:
                raise FileRefused(path=path, reason=error.strerror) from error
            return
        out = sys.stdout.buffer
        if len(self._options.files) > 1 and self._options.format not in ("json", "fields"):
            out.write(f"==> {file} <==\n".encode())
        out.write(content if content.endswith(b"\n") or self._options.format in BINARY else content + b"\n")
        out.flush()

    def _name(self, file: str) -> str:
        """The name of a document's result; documents of one name in several folders get numbers."""
        base, ending = "stdin" if file == "-" else Path(file).name, FORMATS[self._options.format]
        name, number = f"{base}.{ending}", 2
        while name in self._names:
            name, number = f"{base}-{number}.{ending}", number + 1
        self._names.add(name)
        return name

    def _cancel(self) -> None:
        """Nobody waits for these any more: the service need not read them."""
        self._stopping.set()
        service = client(self._options)
        service._away_s = service._patience_s = CANCEL_S
        for job_id in list(self._jobs):
            try:
                service.cancel(job_id)
            except OcrFleetError:
                return


def show(progress: Progress, task: TaskID, job: Job) -> None:
    """Bring one document's line up to date: pages, lines, or its place in the queue."""
    state = job.get("progress") or {}
    pages, total = int(state.get("pages_done", 0)), int(state.get("pages_total", 0)) or 1
    lines, of_lines = int(state.get("lines_done", 0)), int(state.get("lines_total", 0))
    if job["status"] == "queued":
        place = job.get("queue_position")
        text = pick("waiting", "排队") + (pick(f", place {place}", f"，第 {place} 位") if place else "")
    else:
        text = pick(f"page {pages}/{total}, {lines} lines", f"页 {pages}/{total}，{lines} 行")
    # A single page moves by its lines.
    done = lines / of_lines if total == 1 and of_lines else pages / total
    progress.update(task, total=1.0, completed=min(1.0, done), state=text)


def partial_note(job: Job) -> str:
    """What is missing of a document of which some pages failed."""
    if job["status"] != "partial":
        return ""
    failed = (job.get("progress") or {}).get("pages_failed", "?")
    return pick(f"{failed} page(s) could not be read", f"有 {failed} 页未能识别")
