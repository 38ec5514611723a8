"""`ocrfleet doctor`, what runs: the queue's server, the gateway, and every worker process with its core."""

from __future__ import annotations

import itertools
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import redis

from cli import valkey
from cli.client import OcrFleet
from cli.data import read_state
from cli.findings import BAD, NOTE, OK, WARN, Finding
from cli.machine import can_bind
from cli.problems import ServerAway
from cli.processes import allowed_cores, is_zombie, rss_bytes
from cli.ready import without_password
from shared.settings import Settings

FULL = 0.8  # of maxmemory
SLOW_PING_MS = 20.0
HEAVY_MIB = 500
OLDEST = (6, 2)  # the store's scripts use commands of this version

Slot = Mapping[str, Any]


def running_here(settings: Settings) -> dict[str, Any]:
    """What an `ocrfleet up` on this data folder says of itself; empty where none runs."""
    state = read_state(settings.data)
    return state if state and not is_zombie(int(state.get("pid", 0))) else {}


def queue_url(settings: Settings) -> str:
    """The queue's address: REDIS_URL, else the server of a running `ocrfleet up`; "" without either."""
    if settings.redis_url:
        return settings.redis_url
    state = running_here(settings)
    try:
        secret = (settings.data / "redis" / "password").read_text(encoding="ascii").strip()
    except OSError:
        return ""
    return f"redis://:{quote(secret)}@{valkey.HOST}:{state['redis_port']}/0" if state else ""


def check_ports(settings: Settings) -> Iterator[Finding]:
    """The ports that `ocrfleet up` would need, while none runs."""
    if running_here(settings):
        return
    taken = []
    for host, field in ((settings.host, "port"), ("127.0.0.1", "flower_port")):
        port = int(getattr(settings, field))
        if port and can_bind(host, port) is not None:
            taken.append(f"{port} ({Settings.environment_name(field)})")
    if taken:
        listed = ", ".join(taken)
        yield Finding(WARN, "ports", f"taken or not allowed: {listed}", f"端口被占用或无权限：{listed}", "stop the program that holds it, or set the variable to another port", "请停止占用端口的程序，或修改对应变量")  # fmt: skip
    else:
        yield Finding(OK, "ports", "the ports that are needed are free", "所需端口可用")


def check_queue(settings: Settings, url: str) -> Iterator[Finding]:
    """The queue's server: does it answer, does it keep what it is given, has it room."""
    if not url:
        yield Finding(NOTE, "queue", "no fleet runs on this data folder and REDIS_URL is not set", "此数据目录没有运行中的服务，且未设置 REDIS_URL", "`ocrfleet up` starts one with a queue of its own", "`ocrfleet up` 会自动启动队列")  # fmt: skip
        return
    shown = without_password(url)
    try:
        found = valkey.facts(url)
        ping_ms, skew_s = ping(url)
    except (redis.exceptions.RedisError, OSError) as error:
        yield Finding(BAD, "queue", f"{shown} does not answer: {error}", f"{shown} 无响应：{error}", "start it, or correct REDIS_URL (redis://:PASSWORD@HOST:PORT/0)", "请启动它，或修正 REDIS_URL")  # fmt: skip
        return
    yield Finding(OK, "queue", f"{found['name']} {found['version']} at {shown}, {ping_ms:.1f} ms", f"{found['name']} {found['version']}，{shown}，{ping_ms:.1f} ms")  # fmt: skip
    yield from judge_queue(found)
    if ping_ms > SLOW_PING_MS:
        yield Finding(WARN, "queue", f"it takes {ping_ms:.0f} ms to answer", f"响应耗时 {ping_ms:.0f} 毫秒", "bring it nearer: every page asks it several times", "请就近部署")  # fmt: skip
    if abs(skew_s) > settings.clock_skew_s:
        yield Finding(BAD, "clock", f"this machine's clock is {skew_s:+.0f} s off the queue's", f"本机时钟与队列相差 {skew_s:+.0f} 秒", "let a time service (NTP) set both clocks", "请用 NTP 同步时钟")  # fmt: skip


def judge_queue(found: Mapping[str, str]) -> Iterator[Finding]:
    """The settings that lose work, in what `valkey.facts` tells."""
    version = tuple(int(part) for part in found["version"].split(".")[:2] if part.isdigit())
    if version < OLDEST:
        yield Finding(BAD, "queue", f"version {found['version']} is too old", f"版本 {found['version']} 过旧", "Redis 6.2 or newer, or any Valkey", "请使用 Redis 6.2 以上或 Valkey")  # fmt: skip
    policy = found.get("maxmemory_policy", "")
    if policy and policy != "noeviction":
        yield Finding(BAD, "queue", f"maxmemory-policy is {policy}: it throws queued work away when full", f"maxmemory-policy 为 {policy}：内存满时会丢弃任务", "CONFIG SET maxmemory-policy noeviction", "请执行 CONFIG SET maxmemory-policy noeviction")  # fmt: skip
    if found.get("aof_enabled") != "1":
        yield Finding(WARN, "queue", "it keeps no append-only file: a restart loses accepted work", "未开启 AOF：重启会丢失任务", "CONFIG SET appendonly yes (and in its configuration file)", "请执行 CONFIG SET appendonly yes 并写入配置文件")  # fmt: skip
    if found.get("aof_last_write_status", "ok") != "ok":
        yield Finding(BAD, "queue", "its last write to the disk failed", "最近一次写盘失败", "look at its disk: full, or failing?", "请检查磁盘是否已满或损坏")  # fmt: skip
    limit, used = int(found.get("maxmemory") or 0), int(found.get("used_bytes") or 0)
    if limit and used > FULL * limit:
        yield Finding(WARN, "queue", f"{used / limit:.0%} of its memory is used", f"内存已用 {used / limit:.0%}", "lower OCRFLEET_RESULT_TTL_S or OCRFLEET_CACHE_BYTES, or give it more", "请降低 OCRFLEET_RESULT_TTL_S 或 OCRFLEET_CACHE_BYTES，或增加内存")  # fmt: skip


def ping(url: str) -> tuple[float, float]:
    """The milliseconds of the best of five answers, and how many seconds this clock is ahead. Raises RedisError."""
    client = redis.Redis.from_url(url, socket_timeout=2.0, socket_connect_timeout=2.0)
    try:
        client.ping()
        times = []
        for _ in range(5):
            started = time.perf_counter()
            client.ping()
            times.append(time.perf_counter() - started)
        seconds, micros = client.time()
        return min(times) * 1000, time.time() - (int(seconds) + int(micros) / 1e6)
    finally:
        client.close()


def check_server(settings: Settings, server: str | None) -> Iterator[Finding]:
    """The gateway and its readiness: the one that was named, else the one that runs here."""
    address = server or str(running_here(settings).get("url", ""))
    if not address:
        if read_state(settings.data):
            yield Finding(NOTE, "server", "the last `ocrfleet up` here was killed", "上次的 `ocrfleet up` 被强行终止", "the next one goes on with its work", "下次启动会继续未完成的任务")  # fmt: skip
        return
    client = OcrFleet(address.replace("//0.0.0.0:", "//127.0.0.1:"), away_s=0)
    try:
        answer = client.ready()
    except ServerAway as error:
        yield Finding(BAD, "server", f"{address} does not answer", f"{address} 无响应", error.detail, error.detail_zh)
        return
    if answer["ready"]:
        yield Finding(OK, "server", f"{address} is ready", f"{address} 已就绪")
    else:
        detail = str(answer.get("detail", "not ready"))
        yield Finding(BAD, "server", f"{address}: {detail}", f"{address}：{answer.get('detail_zh', detail)}", "look into the logs folder of the data folder, worker.log first", "请查看数据目录 logs 下的 worker.log")  # fmt: skip


def is_here(slot: Slot) -> bool:
    """Whether a slot's process can be looked at from here: same boot, and not inside another container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return False
    pid = int(slot.get("pid") or 0)
    return slot.get("boot_id") == boot and not slot.get("container") and bool(pid) and os.path.isdir(f"/proc/{pid}")


def check_slots(slots: Sequence[Slot], *, expected: bool) -> Iterator[Finding]:
    """Every worker process: has a core of its own, is no heavier than it should be, reads as the others do."""
    if not slots:
        if expected:
            yield Finding(BAD, "workers", "no worker process is alive", "没有运行中的识别进程", "look into worker.log in the logs folder", "请查看 logs 目录下的 worker.log")  # fmt: skip
        return
    for slot in slots:
        yield judge_slot(slot)
    holders = Counter((slot.get("boot_id"), slot.get("core")) for slot in slots if slot.get("core") is not None)
    for (_, core), count in holders.items():
        if count > 1:
            yield Finding(BAD, "workers", f"{count} worker processes say they hold core {core}", f"有 {count} 个识别进程占用同一个核 {core}", "stop all but one `ocrfleet up` or worker of this machine; leases run out within 30 s", "请只保留本机一个服务；租约 30 秒内过期")  # fmt: skip
    local = [(slot, allowed_cores(int(slot["pid"]))) for slot in slots if is_here(slot)]
    for (one, first), (other, second) in itertools.combinations(local, 2):
        if len(first) == len(second) == 1 and first == second:
            yield Finding(BAD, "workers", f"processes {one['pid']} and {other['pid']} are bound to the same core {first}", f"进程 {one['pid']} 与 {other['pid']} 绑定到同一个核 {first}", "restart the workers", "请重启识别进程")  # fmt: skip
    prints = {str(slot.get("fingerprint")) for slot in slots if slot.get("fingerprint")}
    if len(prints) > 1:
        yield Finding(WARN, "workers", f"worker processes read with different models: {', '.join(sorted(prints))}", f"各识别进程的模型不一致：{'，'.join(sorted(prints))}", "bring all hosts to one version: until then the cache answers nothing before a page is read", "请统一各主机的版本，否则缓存无法提前命中")  # fmt: skip


def judge_slot(slot: Slot) -> Finding:
    """One worker process, with what the kernel says of it where it is on this machine."""
    pid, core = int(slot.get("pid") or 0), slot.get("core")
    rss = rss_bytes(pid) / 1024**2 if is_here(slot) else float(slot.get("rss_mib") or 0)
    allowed = allowed_cores(pid) if is_here(slot) else set()
    where = f"{slot.get('hostname', '?')}:{pid}"
    facts = f"{where}  core {core if core is not None else '-'}  {rss:.0f} MiB  {slot.get('state', '')}"
    facts_zh = f"{where}  核 {core if core is not None else '-'}  {rss:.0f} MiB  {slot.get('state', '')}"
    if slot.get("state") == "broken" or slot.get("problem"):
        return Finding(BAD, "workers", f"{where}: {slot.get('problem')}", f"{where}：{slot.get('problem')}", "run `ocrfleet models` and mend what it names", "请执行 `ocrfleet models` 检查模型")  # fmt: skip
    if core is None or not slot.get("pinned", True):
        return Finding(WARN, "workers", f"{facts}  not bound to a core", f"{facts_zh}  未绑定", "more worker processes than cores: set WORKER_CORES lower", "识别进程多于核数：请调低 WORKER_CORES")  # fmt: skip
    if allowed and allowed != {core}:
        return Finding(BAD, "workers", f"{facts}  may run on {sorted(allowed)}, not on its core alone", f"{facts_zh}  实际可运行于 {sorted(allowed)}", "something else changed its affinity (taskset, cpusets): restart the workers", "亲和性被其他程序修改：请重启识别进程")  # fmt: skip
    if rss > HEAVY_MIB:
        return Finding(WARN, "workers", f"{facts}  heavier than {HEAVY_MIB} MiB", f"{facts_zh}  超过 {HEAVY_MIB} MiB", "it is replaced after its page above OCRFLEET_MAX_RSS_MIB; very large pages do this", "超过 OCRFLEET_MAX_RSS_MIB 后会自动替换；超大页面会导致此现象")  # fmt: skip
    return Finding(OK, "workers", facts, facts_zh)
