"""`ocrfleet models use`, `rollback` and the versions in `list`: which of an engine's weights the fleet reads with."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cli import screen
from cli.check_fleet import queue_url
from cli.words import pick
from shared.errors import OcrFleetError, StoreUnavailable
from shared.settings import Settings, get_settings
from shared.store import versions as records
from shared.store.open import open_store
from shared.store.protocol import Store
from shared.store.versions import Wanted
from worker.reading import models, versions
from worker.reading.models import ModelError

POLL_S = 0.5
Figures = Mapping[str, Any]


def reachable_store(settings: Settings) -> Store | None:
    """The store of the fleet that the settings name or that `ocrfleet up` runs here; None where none answers."""
    url = queue_url(settings)
    if not url:
        return None
    store, _ = open_store(settings.model_copy(update={"redis_url": url}))
    try:
        store.ping()
    except StoreUnavailable:
        return None
    return store


def shipped_name(engine: str) -> str:
    """What the shipped weights of an engine are called."""
    facts = models.facts(engine)
    return facts.weight(facts.recogniser["weight"]).version


def resolve(folder: Path, wished: str) -> tuple[str, str]:
    """Engine and name of the version a person means: its name, the beginning of one, or a shipped one's.

    Raises ModelError where there is none, or more than one.
    """
    found = {(version.engine, version.name) for version in all_known(folder) if version.name.startswith(wished)}
    exact = {row for row in found if row[1] == wished}
    shipped = {
        (facts.engine, versions.SHIPPED)
        for facts in models.shipped()
        if facts.recogniser and shipped_name(facts.engine) == wished
    }
    matches = sorted(exact or shipped or found)
    if len(matches) == 1:
        return matches[0]
    names = ", ".join(name for _, name in matches)
    raise ModelError(
        reason=pick(
            f"{wished!r} is the beginning of several versions: {names}." if matches
            else f"There is no version {wished!r}: `ocrfleet models list` shows what there is.",
            f"{wished!r} 对应多个版本：{names}。" if matches else f"没有版本 {wished!r}：请用 `ocrfleet models list` 查看。",
        )
    )  # fmt: skip


def all_known(folder: Path) -> list[versions.Version]:
    """Every version of every engine that is here."""
    engines = sorted(path.name for path in (folder / "versions").glob("*") if path.is_dir())
    return [version for engine in engines for version in versions.known(folder, engine)]


def noted(folder: Path, engine: str) -> Wanted | None:
    """What the models folder says is in use, with its history; None where it says nothing."""
    try:
        return Wanted.from_json((versions.room(folder, engine) / versions.IN_USE_FILE).read_bytes())
    except (OSError, ValueError, KeyError, TypeError):
        return None


def use(folder: Path, wished: str, wait_s: float) -> int:
    """Choose a version, and see the fleet change over; 0 when every worker process reads with it."""
    engine, name = resolve(folder, wished)
    archive = versions.pack(versions.find(folder, engine, name)) if name else b""
    store = reachable_store(get_settings())
    if store is not None:
        record = store.use_version(engine, name, archive)
    else:
        record = records.use(noted(folder, engine), name, time.time_ns() // 1_000_000)
    return settle(folder, engine, record, store, wait_s)


def rollback(folder: Path, engine: str, wait_s: float) -> int:
    """Step back to the version before; 1 where there is none."""
    store = reachable_store(get_settings())
    now = store.wanted_versions().get(engine) if store is not None else noted(folder, engine)
    if now is None or not now.history:
        raise ModelError(
            reason=pick(f"No version of {engine} was in use before this one.", f"{engine} 没有更早使用过的版本。")
        )
    target = now.history[0]
    if store is not None:
        archive = b""
        if target:
            # Another host's version may be in the store only.
            with contextlib.suppress(ModelError):
                archive = versions.pack(versions.find(folder, engine, target))
        record = store.rollback_version(engine, now.version, archive)
    else:
        record = records.roll_back(now, now.version, time.time_ns() // 1_000_000)
    return settle(folder, engine, record, store, wait_s)


def remove(folder: Path, wished: str) -> int:
    """Remove a version from this machine. Raises ModelError where it is in use, or shipped."""
    engine, name = resolve(folder, wished)
    store = reachable_store(get_settings())
    wanted = store.wanted_versions().get(engine) if store is not None else None
    if not name or (wanted is not None and wanted.version == name):
        raise ModelError(
            reason=pick(f"{name or wished} is in use, or shipped with the program: it stays.",
                        f"{name or wished} 正在使用或随程序提供，不能移除。")
        )  # fmt: skip
    versions.drop(folder, engine, name)
    print(pick(f"Removed {name}.", f"已移除 {name}。"))
    return 0


def settle(folder: Path, engine: str, record: Wanted, store: Store | None, wait_s: float) -> int:
    """Note the choice in the models folder, and follow the fleet on its way."""
    name = record.version or shipped_name(engine)
    try:
        versions.note_in_use(folder, engine, record.to_json())
    except ModelError:
        if store is None:
            raise  # else the store has it, and a container's models folder cannot be written to
    if store is None:
        print(pick(f"{engine} {name}: read with from the next start on (no fleet answers here).",
                   f"{engine} {name}：将于下次启动时生效（当前没有运行中的服务）。"))  # fmt: skip
        return 0
    print(pick(f"{engine} {name} is wanted; worker processes change over one after another.",
               f"已选用 {engine} {name}，各处理进程将依次切换。"))  # fmt: skip
    return follow(store, engine, record.version, wait_s) if wait_s > 0 else 0


def follow(store: Store, engine: str, name: str, wait_s: float) -> int:
    """Show how many worker processes read with a version until all do; 1 where some cannot, or the time is over."""
    progress, end = screen.Progress(), time.monotonic() + wait_s
    while True:
        slots = [slot for slot in store.slots() if slot.get("warm", True)]
        moved = [slot for slot in slots if slot.get("versions", {}).get(engine, "") == name]
        stuck = [str(slot["versions_problem"]) for slot in slots if slot not in moved and slot.get("versions_problem")]
        if not slots:
            progress.clear()
            print(
                pick(
                    "No worker process is there now; those that start will read with it.",
                    "当前没有处理进程；之后启动的进程将使用该版本。",
                )
            )
            return 0
        said = pick(f"{len(moved)} of {len(slots)} worker processes", f"{len(moved)}/{len(slots)} 个处理进程")
        over = time.monotonic() >= end
        if len(moved) == len(slots) or over or (stuck and len(moved) + len(stuck) >= len(slots)):
            progress.clear()
            print(said + pick(" have changed over.", "已切换。"))
            for problem in sorted(set(stuck)):
                print(pick(f"not the others: {problem}", f"其余未切换：{problem}"))
            return 0 if len(moved) == len(slots) else 1
        progress.show(said)
        time.sleep(POLL_S)


def bring_along(settings: Settings, folder: Path) -> None:
    """Called when a fleet starts on this machine: what was chosen while it was down is told to its store."""
    store, _ = open_store(settings)
    wanted = store.wanted_versions()
    for engine in sorted(path.parent.name for path in (folder / "versions").glob(f"*/{versions.IN_USE_FILE}")):
        here, there = noted(folder, engine), wanted.get(engine)
        if (
            here is None
            or (there is not None and there.since >= here.since)
            or here.version == (there or Wanted()).version
        ):
            continue
        with contextlib.suppress(OcrFleetError):  # damaged here: the fleet keeps what it has
            archive = versions.pack(versions.find(folder, engine, here.version)) if here.version else b""
            store.use_version(engine, here.version, archive)


def show(folder: Path) -> None:
    """The versions of every engine that has some: which is in use, where they come from, what they scored."""
    store = reachable_store(get_settings()) if (folder / "versions").is_dir() else None
    wanted = store.wanted_versions() if store is not None else {}
    by_engine: dict[str, list[versions.Version]] = {}
    for version in all_known(folder):
        by_engine.setdefault(version.engine, []).append(version)
    for engine, found in by_engine.items():
        record = wanted.get(engine) or noted(folder, engine) or Wanted()
        print(pick(f"\nVersions of {engine} (* is in use):", f"\n{engine} 的版本（* 为当前使用）："))
        print(f"{'*' if not record.version else ' '} {shipped_name(engine)}  {pick('shipped', '随程序提供')}")
        for version in found:
            first, *more = rows(version)
            print(f"{'*' if record.version == version.name else ' '} {first}")
            for row in more:
                print(f"    {row}")


def rows(version: versions.Version) -> list[str]:
    """What is to be known of a version, one thing a line."""
    whole = {"here": pick("whole", "完整"), "damaged": pick("damaged", "损坏")}[versions.state_of(version)]
    weight, origin = version.weight, version.origin
    made = pick(f"made {origin.get('created', '?')} from {origin.get('parent', '?')} with {origin.get('lines', '?')} lines",
                f"{origin.get('created', '?')} 由 {origin.get('parent', '?')} 用 {origin.get('lines', '?')} 行训练")  # fmt: skip
    return [
        f"{version.name}  {whole}  {weight.bytes / 1e6:.1f} MB  {weight.licence}",
        made,
        *(f"{key.replace('_', ' ')}: {figures_said(row)}" for key, row in version.figures.items()),
        f"SHA-256 {weight.sha256}",
    ]


def figures_said(row: Figures) -> str:
    """Exact and CER, before and after where something was taught."""
    if "exact" in row:
        return pick(f"{row.get('lines')} lines, exact {row['exact']:.4f}, CER {row.get('cer', 0):.4f}",
                    f"{row.get('lines')} 行，整行正确率 {row['exact']:.4f}，字错率 {row.get('cer', 0):.4f}")  # fmt: skip
    return pick(
        f"{row.get('lines')} lines, exact {row.get('exact_before', 0):.4f} -> {row.get('exact_after', 0):.4f}, "
        f"CER {row.get('cer_before', 0):.4f} -> {row.get('cer_after', 0):.4f}",
        f"{row.get('lines')} 行，整行正确率 {row.get('exact_before', 0):.4f} -> {row.get('exact_after', 0):.4f}，"
        f"字错率 {row.get('cer_before', 0):.4f} -> {row.get('cer_after', 0):.4f}",
    )
