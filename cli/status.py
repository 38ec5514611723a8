"""`ocrfleet status ID...`: how far jobs are; with --wait, until they have ended."""

from __future__ import annotations

import argparse
import json

from cli.client import ENDED, Job
from cli.options import add_server, client
from cli.words import pick

STATUS_ZH = {
    "queued": "排队中",
    "running": "识别中",
    "done": "完成",
    "partial": "部分完成",
    "failed": "失败",
    "cancelled": "已取消",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("ids", nargs="+", metavar="ID")
    parser.add_argument("--wait", action="store_true", help=pick("until the jobs have ended", "等待任务结束"))
    parser.add_argument("--json", action="store_true", help=pick("the service's own words", "输出服务返回的 JSON"))
    add_server(parser)


def run(options: argparse.Namespace) -> int:
    """Print; 1 where a job failed or was cancelled."""
    service = client(options)
    code = 0
    for job_id in options.ids:
        job = service.wait(job_id) if options.wait else service.job(job_id)
        print(json.dumps(job, ensure_ascii=False) if options.json else line(job), flush=True)
        code = 1 if job["status"] in ENDED - {"done"} else code
    return code


def line(job: Job) -> str:
    """A job in one line."""
    progress = job.get("progress") or {}
    parts = [
        str(job["id"]),
        pick(f"{job['status']:9}", STATUS_ZH.get(str(job["status"]), str(job["status"]))),
        pick("pages {}/{}", "页 {}/{}").format(progress.get("pages_done", 0), progress.get("pages_total", "?")),
        pick("{} lines", "{} 行").format(progress.get("lines_done", 0)),
    ]
    if job["status"] == "queued" and job.get("queue_position"):
        parts.append(pick("place {} in the queue", "队列第 {} 位").format(job["queue_position"]))
    if job["status"] not in ENDED and job.get("eta_s") is not None:
        parts.append(pick("about {:.0f} s", "约 {:.0f} 秒").format(job["eta_s"]))
    if job.get("cached"):
        parts.append(pick("cached", "缓存"))
    if job.get("name"):
        parts.append(str(job["name"]))
    if job.get("error"):
        parts.append(str(job["error"].get(pick("detail", "detail_zh")) or job["error"].get("detail", "")))
    return "  ".join(parts)
