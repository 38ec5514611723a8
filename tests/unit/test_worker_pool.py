"""A process that died is replaced at once."""

from __future__ import annotations

from unittest import mock

from worker.pool import PatientPool


class Dying:
    """A process whose files are closed already; it can be collected after a few looks."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    @property
    def exitcode(self) -> int | None:
        self.looks -= 1
        return None if self.looks > 0 else -9


def pool() -> PatientPool:
    made = PatientPool.__new__(PatientPool)
    made._untrack_child_process = mock.Mock()
    made.maintain_pool = mock.Mock()
    return made


def test_a_dying_process_is_waited_for_before_the_pool_is_repaired() -> None:
    seen: list[int | None] = []
    process, crew = Dying(looks=5), pool()
    crew.maintain_pool.side_effect = lambda: seen.append(process.exitcode)

    crew._event_process_exit(mock.Mock(), process)

    assert seen == [-9]


def test_a_process_that_only_closed_its_files_does_not_hold_the_worker_up() -> None:
    crew = pool()
    with mock.patch("worker.pool.GONE_WITHIN_S", 0.01):
        crew._event_process_exit(mock.Mock(), Dying(looks=1_000_000))

    assert crew.maintain_pool.call_count == 1
