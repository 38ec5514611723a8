"""Which page comes next: clients take turns, and so do the documents of a client; long documents wait with the bulk."""

from __future__ import annotations

import collections
from collections.abc import Iterator

from shared.store.book import Book, PageState, Run
from shared.store.eta import Ahead, estimate_ms
from shared.store.protocol import BULK, INTERACTIVE, QUEUES, Message

FIRST_PAGES = 4
"""So many pages of an interactive document go on the interactive queue; the rest of a long one waits with the bulk."""
MIN_WINDOW = 4
"""Least number of messages kept on a queue; else twice the live slots, so that no worker runs dry between two pages."""
LOST_AFTER_MS = 5_000
"""A message that nobody claimed for so long, while its queue is empty, was lost on the way."""
AGED_AFTER_MS = 20_000
"""A bulk page that waits so long on its queue is sent to the interactive one: bulk work is slowed, never starved."""


class Schedule(Book):
    """What is on the queue, what waits for it, and for how long."""

    def place_of(self, run_id: str) -> int:
        """A run's place in line, counted from 1 over both queues; 0 once its first page is claimed."""
        before = 0
        for queue in QUEUES:
            line = sorted(self.waiting[queue], key=self.waiting[queue].__getitem__)
            if run_id in line:
                return before + line.index(run_id) + 1
            before += len(line)
        return 0

    def estimate(self, run: Run) -> int:
        """Milliseconds until the run's last page is read, 0 while unknown."""
        sent = {queue: len(self.conveyor[queue]) for queue in QUEUES}
        own, queued = run.total - run.done - run.failed, len(self.waiting[INTERACTIVE])
        ahead = Ahead(own, self.place_of(run.id), sent[INTERACTIVE], sent[BULK], queued, run.queue == BULK)
        return estimate_ms(ahead, self.page_ms, self.live_slots())

    def retry_after(self) -> int:
        """Seconds until a slot is likely free: depth x mean service time / live slots, between 1 and 120."""
        pages = sum(len(self.runs[run].todo) for line in self.backlog.values() for run in line if run in self.runs)
        pages += sum(len(messages) for messages in self.conveyor.values())
        return int(min(120, max(1, pages * (self.page_ms or 1000) / 1000 / max(1, self.live_slots()))))

    def _leave_waiting(self, run: Run) -> None:
        for queue in QUEUES:
            self.waiting[queue].pop(run.id, None)

    def _line_up(self, run: Run) -> None:
        line = self.backlog.setdefault((run.queue, run.client), collections.deque())
        if not line:
            self.ring[run.queue].append(run.client)
        line.append(run.id)

    def live_slots(self) -> int:
        """How many worker processes were heard of lately."""
        horizon = self.now() - self.limits.slot_ttl_s * 1000
        return sum(1 for beat in self.slot_beats.values() if beat > horizon)

    def _dispatch(self) -> tuple[Message, ...]:
        window = max(MIN_WINDOW, 2 * self.live_slots())
        messages: list[Message] = []
        for queue in QUEUES:
            while len(self.conveyor[queue]) < window and self.ring[queue]:
                client = self.ring[queue].popleft()
                line = self.backlog[(queue, client)]
                run = self.runs.get(line.popleft())
                if run is not None and not run.status.ended and run.todo:
                    page = run.todo.popleft()
                    run.dispatched += 1
                    if page not in run.pages:
                        run.pages[page] = PageState()
                        messages.append(self._send(run.id, page, queue))
                    if run.todo:
                        if queue == INTERACTIVE and run.dispatched >= FIRST_PAGES:
                            run.queue = BULK
                            self._line_up(run)
                        else:
                            line.append(run.id)
                if line:
                    self.ring[queue].append(client)
                else:
                    del self.backlog[(queue, client)]
        return tuple(messages)

    def _send(self, run: str, page: int, queue: str) -> Message:
        self.conveyor[queue][(run, page)] = self.now()
        return Message(run, page, queue)

    def _unqueue(self, run: str, page: int) -> None:
        for queue in QUEUES:
            self.conveyor[queue].pop((run, page), None)

    def _resend(self, now: int, depths: dict[str, int]) -> Iterator[Message]:
        for queue in QUEUES:
            aged = now - max(AGED_AFTER_MS, int(10 * self.page_ms))
            lost = now - LOST_AFTER_MS
            for (run_id, number), sent in sorted(self.conveyor[queue].items(), key=lambda item: (item[1], item[0])):
                if sent <= aged:
                    self.conveyor[queue][(run_id, number)] = now
                    yield Message(run_id, number, INTERACTIVE)
                elif sent <= lost and depths.get(queue, 0) == 0:
                    self.conveyor[queue][(run_id, number)] = now
                    yield Message(run_id, number, queue)
