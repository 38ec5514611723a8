"""Moving a running worker process to other weights: it sees in the store that others are wanted, loads them beside those
it reads with, and changes over between two pages.

One process of the fleet at a time does so, under a lease in the store, and it goes on reading until the new weights are
warm: the fleet never reads less than it did by more than what one process needs to load. A version that does not load
changes nothing: the process says so in its heartbeat, keeps what it has, and tries again later.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from shared.errors import OcrFleetError, StoreUnavailable
from shared.settings import Settings
from shared.store.protocol import Store
from worker.slot import Reader, Slot

if TYPE_CHECKING:
    from worker.reading.versions import Version

log = logging.getLogger(__name__)

RETRY_S = 60.0  # between two tries at a version that did not load
GAP_POLL_S = 5.0  # between two renewals of the lease while a page is finished

Renew = Callable[[Reader, "Mapping[str, Version]"], tuple[Reader, dict[str, Any]]]
Provide = Callable[[str, str], "Version"]


class Rollover(threading.Thread):
    """Looks every `heartbeat_s` at what the fleet is to read with, and brings one slot there.

    `provide` gives a version by engine and name, `renew` a warm reader with versions and what the slot then says of
    itself. `started_with` are the names that hold for engines the store says nothing of.
    """

    def __init__(
        self,
        slot: Slot,
        provide: Provide,
        renew: Renew,
        started_with: Mapping[str, str],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(name="rollover", daemon=True)
        self._slot, self._provide, self._renew, self._now = slot, provide, renew, now
        self._at_start = {engine: name for engine, name in started_with.items() if name}
        self._failed: tuple[dict[str, str], float] | None = None
        self._end = threading.Event()

    def run(self) -> None:
        """The thread's loop."""
        while not self._end.wait(self._slot.settings.heartbeat_s):
            try:
                self.look()
            except StoreUnavailable:
                log.debug("the store does not answer; the heartbeat complains of it")
            except Exception:  # the thread must outlive any single fault, else the slot never changes over again
                log.exception("rollover")

    def stop(self) -> None:
        """End the loop; what is being loaded is left to end with the process."""
        self._end.set()

    def look(self) -> str:
        """One look. Returns what it came to: `same`, `later` (another process is at it, or a failure is recent), `failed`,
        `changed`. Raises StoreUnavailable."""
        slot = self._slot
        wanted = self.wanted()
        if wanted == slot.info.get("versions", {}):
            slot.info.pop("versions_problem", None)
            self._failed = None
            return "same"
        if self._failed is not None and self._failed[0] == wanted and self._now() < self._failed[1]:
            return "later"
        if not self._lease():
            return "later"
        try:
            return "changed" if self._change_to(wanted) else "failed"
        finally:
            self._lease(0)
            slot.store.beat_slot(slot.name, slot.describe())

    def wanted(self) -> dict[str, str]:
        """The versions to read with by engine, without those that are shipped. Raises StoreUnavailable."""
        told = {engine: wanted.version for engine, wanted in self._slot.store.wanted_versions().items()}
        return {engine: name for engine, name in {**self._at_start, **told}.items() if name}

    def _lease(self, seconds: int | None = None) -> bool:
        """Take or renew the lease, or give it back with 0. It outlasts a load and a pause of the store."""
        hold = self._slot.settings.model_load_s + int(GAP_POLL_S) if seconds is None else seconds
        return self._slot.store.lease_rollover(self._slot.name, hold)

    def _change_to(self, wanted: dict[str, str]) -> bool:
        slot, started = self._slot, self._now()
        try:
            found = {engine: self._provide(engine, name) for engine, name in wanted.items()}
            reader, info = self._renew(slot.reader, found)
        except StoreUnavailable:
            raise
        except Exception as error:
            reason = error.detail if isinstance(error, OcrFleetError) else f"{type(error).__name__}: {error}"
            log.warning("other weights are wanted (%s) and cannot be used: %s", said(wanted), reason)
            slot.info["versions_problem"] = reason
            self._failed = (wanted, self._now() + RETRY_S)
            return False

        def change() -> None:
            slot.reader = reader
            # The versions of engines that the old reader had loaded on demand mean nothing for the new one.
            slot.info = {**slot.info, "versions_problem": None, **info, "versions": wanted}

        slot.turn.between(change, self._renew_lease, GAP_POLL_S)
        log.info("reads with %s now, changed over in %.1f s", said(wanted), self._now() - started)
        return True

    def _renew_lease(self) -> None:
        try:
            self._lease()
        except StoreUnavailable:
            log.debug("the lease on changing over could not be renewed")


def said(wanted: Mapping[str, str]) -> str:
    """Versions as a person reads them."""
    return ", ".join(f"{engine} {name}" for engine, name in sorted(wanted.items())) or "what is shipped"


def provide(store: Store, settings: Settings, engine: str, name: str) -> Version:
    """A version from this host's folders, else from the store, which keeps the wanted ones for hosts that lack them.

    Raises ModelError, StoreUnavailable.
    """
    from worker.reading import versions
    from worker.reading.models import ModelError

    # A container's models folder is part of its image; the data folder can be written.
    folders = dict.fromkeys((settings.models_folder, settings.data / "models"))
    problem: ModelError | None = None
    for folder in folders:
        try:
            version = versions.find(folder, engine, name)
            if versions.state_of(version) == "here":
                return version
        except ModelError as error:
            problem = problem or error
    archive = store.version_archive(engine, name)
    if archive is None:
        raise problem or ModelError(reason=f"The version {name} of {engine} is damaged, and the store has no copy.")
    for folder in folders:
        try:
            return versions.unpack(folder, engine, name, archive)
        except ModelError as error:
            problem = error
    assert problem is not None
    raise problem


def at_start(store: Store, settings: Settings) -> tuple[dict[str, Version], dict[str, str], str | None]:
    """What a new process is to read with: versions by engine, the names this host's folder says, and what is wrong.

    A version that cannot be had is left out: a process that reads with the shipped weights is better than none, and it
    goes on trying.
    """
    from worker.reading import versions

    here = {}
    for file in (settings.models_folder / "versions").glob(f"*/{versions.IN_USE_FILE}"):
        here[file.parent.name] = versions.in_use(settings.models_folder, file.parent.name)
    wanted, problem, found = dict(here), None, {}
    try:
        wanted |= {engine: row.version for engine, row in store.wanted_versions().items()}
    except StoreUnavailable:
        log.warning("the store does not answer: the versions that the models folder names are used")
    for engine, name in wanted.items():
        if not name:
            continue
        try:
            found[engine] = provide(store, settings, engine, name)
        except OcrFleetError as error:
            problem = error.detail
            log.warning("%s %s is wanted and cannot be had: %s", engine, name, problem)
    return found, here, problem
