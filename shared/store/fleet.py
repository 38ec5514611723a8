"""The job store's side of the fleet: worker processes, cores, versions of the weights, counters, the reconciler."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

from shared import errors
from shared.store import scripts
from shared.store.protocol import Capacity, Message
from shared.store.rows import as_hash, as_messages
from shared.store.scripts import Scripts, store_errors
from shared.store.versions import Wanted


class Fleet(Scripts):
    """The part of `shared.store.protocol.Store` that no job is part of."""

    def beat_slot(self, slot: str, info: dict[str, Any]) -> None:
        """See `Store.beat_slot`."""
        self._run("beat_slot", slot, json.dumps(info), int(bool(info.get("warm", True))))

    def drop_slot(self, slot: str) -> None:
        """See `Store.drop_slot`."""
        with store_errors():
            self._client.zrem(self._key("slots"), slot)
            self._client.hdel(self._key("slotinfo"), slot)

    def slots(self) -> list[dict[str, Any]]:
        """See `Store.slots`."""
        rows = self._run("slots")
        pairs = zip(rows[::2], rows[1::2], strict=True)
        return [{"slot": slot.decode(), **json.loads(info)} for slot, info in sorted(pairs)]

    def capacity(self) -> Capacity:
        """See `Store.capacity`."""
        rows = self._run("capacity")
        slots, interactive, bulk, running, jobs, page_ms, blob_bytes, cache_bytes = rows
        return Capacity(
            int(slots), int(interactive), int(bulk), int(running), int(jobs),
            float(page_ms or 0), int(float(blob_bytes or 0)), int(float(cache_bytes or 0)),
        )  # fmt: skip

    def counters(self) -> dict[str, int]:
        """See `Store.counters`."""
        with store_errors():
            rows = as_hash(self._client.hgetall(self._key("totals")))
        return {
            name: int(float(value))
            for name, value in rows.items()
            if name.startswith(("jobs_", "pages_", "attempts_", "eta_"))
        }

    def fleet_fingerprint(self, engine: str) -> str | None:
        """See `Store.fleet_fingerprint`."""
        named = {slot.get("fingerprints", {}).get(engine) for slot in self.slots() if slot.get("warm", True)}
        return named.pop() if len(named) == 1 else None

    def lease_core(self, host: str, cores: Sequence[int], owner: str, ttl_s: int) -> int | None:
        """See `Store.lease_core`."""
        core = self._run("lease_core", host, json.dumps(list(cores)), owner, ttl_s * 1000)
        return None if core is None else int(core)

    def release_core(self, host: str, core: int, owner: str) -> None:
        """See `Store.release_core`."""
        self._run("release_core", host, core, owner)

    def use_version(self, engine: str, version: str, archive: bytes = b"") -> Wanted:
        """See `Store.use_version`."""
        return Wanted.from_json(self._run("use_version", engine, "use", version, archive))

    def rollback_version(self, engine: str, current: str, archive: bytes = b"") -> Wanted:
        """See `Store.rollback_version`."""
        row = self._run("use_version", engine, "back", current, archive)
        return Wanted.from_json(row) if row else Wanted()

    def wanted_versions(self) -> dict[str, Wanted]:
        """See `Store.wanted_versions`."""
        with store_errors():
            rows = cast(dict[bytes, bytes], self._client.hgetall(self._key("versions")))
        return {engine.decode(): Wanted.from_json(row) for engine, row in rows.items()}

    def version_archive(self, engine: str, version: str) -> bytes | None:
        """See `Store.version_archive`."""
        with store_errors():
            return cast(bytes | None, self._client.get(self._key("weights", engine, version)))

    def lease_rollover(self, owner: str, ttl_s: int) -> bool:
        """See `Store.lease_rollover`."""
        return bool(self._run("lease_rollover", owner, ttl_s * 1000))

    def reconcile(self, owner: str, depths: dict[str, int]) -> tuple[Message, ...] | None:
        """See `Store.reconcile`."""
        answer = self._run("reconcile", owner, json.dumps(depths), self._worn_out, self._past_deadline)
        return None if answer is None else as_messages(answer)

    def ping(self) -> None:
        """See `Store.ping`. Raises RecordsTooNew as any transition would."""
        with store_errors():
            found = int(self._client.hget(self._key("meta"), "records") or 0)
        if found > scripts.RECORDS_VERSION:
            raise errors.RecordsTooNew(known=scripts.RECORDS_VERSION, found=found)
