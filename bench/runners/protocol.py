"""The loop every runner shares. Standard library only: it runs in foreign environments, found beside the script."""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from typing import Any


def memory_mb() -> float:
    """Resident memory of this process now, MB."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu_seconds() -> float:
    """CPU time of this process and the children it has waited for."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def serve(name: str, read: Callable[[str, str, dict[str, Any]], Any]) -> None:
    """Announce the reader, then answer requests until standard input closes. `read(path, layout, request)` returns texts
    of lines, and may return a pair of them and a dict to pass on."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever the reader prints goes to standard error
    print(json.dumps({"ready": name, "rss_mb": round(memory_mb(), 1)}), file=answers, flush=True)
    for row in sys.stdin:
        request = json.loads(row)
        started, cpu = time.perf_counter(), cpu_seconds()
        try:
            got = read(request["image"], request["layout"], request)
            lines, more = got if isinstance(got, tuple) else (got, {})
            answer = {"lines": lines, **more}
        except Exception as error:
            answer = {"lines": [], "error": f"{type(error).__name__}: {error}"[:300]}
        answer["seconds"] = time.perf_counter() - started
        answer["cpu_seconds"] = cpu_seconds() - cpu
        answer["rss_mb"] = round(memory_mb(), 1)
        answer["peak_mb"] = round(
            max(resource.getrusage(kind).ru_maxrss for kind in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1e3,
            1,
        )
        print(json.dumps(answer, ensure_ascii=False), file=answers, flush=True)
