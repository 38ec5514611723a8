"""What machine figures were taken on."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path


def describe() -> str:
    """One sentence: processor, its vector instructions, cores, memory, kernel, Python."""
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    model = re.search(r"model name\s*:\s*(.+)", cpu)
    flags = re.search(r"flags\s*:\s*(.+)", cpu)
    vectors = [
        name for name in ("avx2", "avx512f", "avx512_vnni", "amx_int8") if flags and name in flags.group(1).split()
    ]
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text(encoding="utf-8"))
    gigabytes = int(memory.group(1)) / 1e6 if memory else 0.0
    return (
        f"{model.group(1).strip() if model else platform.processor()} ({', '.join(vectors) or 'no vectors named'}), "
        f"{os.cpu_count()} cores, {gigabytes:.0f} GB, {platform.system()} {platform.release()}, Python {platform.python_version()}"
    )
