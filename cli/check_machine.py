"""`ocrfleet doctor`, the machine and the installation: what needs nothing running."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from cli import machine
from cli.findings import BAD, NOTE, OK, WARN, Finding, gib
from shared import host
from shared.settings import Settings
from worker.reading import models

ROOT = Path(__file__).resolve().parent.parent
SLOT_BYTES = 500 * 1024**2  # a warm worker process
REST_BYTES = 1024**3  # gateway, queue and what the system needs
LEAST_DISK, GOOD_DISK = 500 * 1024**2, 4 * 1024**3
LEAST_FILES = 1024


def check_python() -> Iterator[Finding]:
    """The interpreter and its environment."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.prefix == sys.base_prefix and not in_container():
        yield Finding(WARN, "python", f"Python {version} outside a virtual environment", f"Python {version}，未使用虚拟环境", "`make run` makes one in .venv", "`make run` 会在 .venv 中创建")  # fmt: skip
    else:
        yield Finding(OK, "python", f"Python {version} in {sys.prefix}", f"Python {version}，位于 {sys.prefix}")


def in_container() -> bool:
    """Whether this runs in a container, whose image is the environment."""
    return Path("/.dockerenv").exists() or Path("/run/.containerenv").exists() or "container" in os.environ


def check_packages(lock: Path = ROOT / "requirements" / "runtime.lock") -> Iterator[Finding]:
    """The installed versions against the lock file, where there is one beside the program."""
    if not lock.is_file():
        yield Finding(
            NOTE, "packages", "no lock file beside the program: versions are not compared", "没有锁文件，未比较版本"
        )
        return
    wrong = differing(lock.read_text(encoding="utf-8"))
    if not wrong:
        yield Finding(OK, "packages", "the packages are those of requirements/runtime.lock", "软件包版本与锁文件一致")
        return
    listed = ", ".join(wrong[:6]) + (f" (+{len(wrong) - 6})" if len(wrong) > 6 else "")
    yield Finding(
        BAD if any("missing" in row for row in wrong) else WARN,
        "packages",
        f"packages differ from requirements/runtime.lock: {listed}",
        f"软件包与锁文件不一致：{listed}",
        "run `make setup`, or pip install --require-hashes -r requirements/runtime.lock",
        "请执行 `make setup`，或 pip install --require-hashes -r requirements/runtime.lock",
    )


def differing(lock: str) -> list[str]:
    """Packages of a lock file that are missing here or of another version."""
    from packaging.requirements import Requirement

    wrong = []
    for row in re.findall(r"^([A-Za-z0-9][^\\\n]*==[^\\\n]*)", lock, flags=re.MULTILINE):
        wanted = Requirement(row)
        if wanted.marker is not None and not wanted.marker.evaluate():
            continue
        try:
            found = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{wanted.name} is missing")
            continue
        if not wanted.specifier.contains(found, prereleases=True):
            wrong.append(f"{wanted.name} {found} ({wanted.specifier})")
    return wrong


def check_processor(settings: Settings) -> Iterator[Finding]:
    """Cores, their quota, and the instructions that reading lives on."""
    name, flags = machine.processor()
    if "avx512f" in flags or "asimd" in flags:
        best = "AVX-512" if "avx512f" in flags else "NEON"
        yield Finding(OK, "processor", f"{name} with {best}", f"{name}，支持 {best}")
    elif "avx2" in flags:
        yield Finding(OK, "processor", f"{name} with AVX2 (with AVX-512 reading is faster still)", f"{name}，支持 AVX2（AVX-512 更快）")  # fmt: skip
    else:
        yield Finding(WARN, "processor", f"{name} has no AVX2: reading takes several times as long", f"{name} 不支持 AVX2：识别会慢数倍", "use a machine with AVX2, or let the virtual machine pass it through", "请更换支持 AVX2 的机器，或在虚拟机中开启")  # fmt: skip
    cores, quota = host.usable_cores(), host.cpu_quota()
    slots = host.process_count(settings.worker_cores)
    said = f"{len(cores)} usable core(s)" + (f", quota {quota:g}" if quota is not None else "")
    said_zh = f"可用 {len(cores)} 核" + (f"，配额 {quota:g}" if quota is not None else "")
    if slots > len(cores) or (quota is not None and slots > max(1, int(quota + 0.01))):
        yield Finding(WARN, "cores", f"{said}, but {slots} worker processes are asked for", f"{said_zh}，但要求 {slots} 个识别进程", f"set WORKER_CORES to {len(cores)} or less: processes that share a core only wait for each other", f"请将 WORKER_CORES 设为不超过 {len(cores)}")  # fmt: skip
    else:
        yield Finding(OK, "cores", f"{said}: {slots} worker process(es)", f"{said_zh}：{slots} 个识别进程")
    total, available = host.memory_bytes()
    needed = slots * SLOT_BYTES + REST_BYTES
    if total < needed:
        yield Finding(BAD if total < SLOT_BYTES + REST_BYTES else WARN, "memory", f"{gib(total)} of memory, {gib(needed)} are needed for {slots} worker process(es)", f"内存 {gib(total)}，{slots} 个识别进程约需 {gib(needed)}", f"set WORKER_CORES={max(1, int((total - REST_BYTES) / SLOT_BYTES))}, or add memory", f"请设置 WORKER_CORES={max(1, int((total - REST_BYTES) / SLOT_BYTES))} 或增加内存")  # fmt: skip
    else:
        yield Finding(
            OK,
            "memory",
            f"{gib(total)} of memory, {gib(available)} available",
            f"内存 {gib(total)}，可用 {gib(available)}",
        )


def check_disk(settings: Settings) -> Iterator[Finding]:
    """The data folder: writable, with room."""
    folder = settings.data.absolute()
    near = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(near).free
    if not os.access(near, os.W_OK):
        yield Finding(BAD, "data", f"the data folder {folder} cannot be written", f"数据目录 {folder} 不可写", "change its owner, or set OCRFLEET_DATA", "请修改权限或设置 OCRFLEET_DATA")  # fmt: skip
    elif free < GOOD_DISK:
        yield Finding(BAD if free < LEAST_DISK else WARN, "data", f"only {gib(free)} free for the data folder {folder}", f"数据目录 {folder} 仅剩 {gib(free)}", "free some space, or set OCRFLEET_DATA to another disk: a full disk stops the queue", "请清理磁盘或将 OCRFLEET_DATA 指向其他磁盘")  # fmt: skip
    else:
        yield Finding(OK, "data", f"data folder {folder}, {gib(free)} free", f"数据目录 {folder}，剩余 {gib(free)}")


def check_limits() -> Iterator[Finding]:
    """Limits of the system that the gateway meets under load."""
    import resource

    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if 0 <= files < LEAST_FILES:
        yield Finding(WARN, "files", f"only {files} open files are allowed", f"最多只能打开 {files} 个文件", "raise it: ulimit -n 4096", "请提高限制：ulimit -n 4096")  # fmt: skip


def check_models(settings: Settings) -> Iterator[Finding]:
    """Every weight, byte by byte."""
    folder = settings.models_folder.absolute()
    states = models.check(folder)
    wrong = [f"{state.weight.name} ({state.state})" for state in states if state.state != "here"]
    if wrong:
        listed = ", ".join(wrong)
        yield Finding(BAD, "models", f"models in {folder}: {listed}", f"{folder} 中的模型有问题：{listed}", "run `ocrfleet models fetch`", "请执行 `ocrfleet models fetch`")  # fmt: skip
    else:
        size = sum(state.weight.bytes for state in states) / 1e6
        yield Finding(OK, "models", f"{len(states)} model files in {folder}, {size:.0f} MB, hashes right", f"{folder} 中 {len(states)} 个模型文件，{size:.0f} MB，校验通过")  # fmt: skip


def check_docker() -> Iterator[Finding]:
    """Only for information: nothing here needs it."""
    if in_container():
        yield Finding(NOTE, "docker", "this is a container", "当前在容器中运行")
    elif shutil.which("docker"):
        running = Path("/var/run/docker.sock").exists()
        yield Finding(NOTE, "docker", "Docker is installed" + ("" if running else ", but its engine does not run"), "已安装 Docker" + ("" if running else "，但引擎未运行"))  # fmt: skip
