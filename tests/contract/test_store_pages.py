"""Pages in the job store: claimed, lost, tried again, handed out in a fair order."""

from __future__ import annotations

from shared.store.protocol import Status
from tests.contract.conftest import Bench


def test_a_claimed_page_is_not_given_twice(bench: Bench) -> None:
    bench.submit()
    message = bench.sent[0]
    claim = bench.claim(message)
    assert claim is not None
    assert bench.claim(message) is None
    bench.finish(claim)
    assert bench.claim(message) is None
    assert bench.finish(claim), "the same call again, after a broken connection, is not an error"


def test_a_lapsed_lease_is_taken_over_and_the_late_writer_loses(bench: Bench) -> None:
    job = bench.submit().id
    message = bench.sent[0]
    slow = bench.claim(message, "slow")
    assert slow is not None
    bench.clock.forward(21)
    quick = bench.claim(message, "quick")
    assert quick is not None
    assert quick.attempt == 2
    assert not bench.store.beat(slow, 1, 1)
    assert not bench.finish(slow, b"late")
    assert bench.finish(quick, b"first")
    assert bench.store.page_result(job, 1) == b"first"
    assert [row["outcome"] for row in bench.store.attempts(job)] == ["lost", "done"]


def test_a_lapsed_lease_still_counts_while_nobody_else_took_the_page(bench: Bench) -> None:
    job = bench.submit().id
    claim = bench.take()
    assert claim is not None
    bench.clock.forward(60)
    assert [message.page for message in bench.reconcile()] == [1]
    assert bench.finish(claim)
    assert bench.store.view(job).status is Status.DONE
    assert [row["outcome"] for row in bench.store.attempts(job)] == ["done"]
    assert bench.take() is None


def test_a_page_that_loses_its_worker_three_times_fails_alone(bench: Bench) -> None:
    job = bench.submit(pages=2).id
    for attempt in (1, 2, 3):
        bench.sent.sort(key=lambda message: message.page)
        claim = bench.take()
        assert claim is not None
        assert (claim.page, claim.attempt) == (1, attempt)
        bench.clock.forward(21)
        bench.reconcile()
    assert bench.read_all() == 1
    view = bench.store.view(job)
    assert view.status is Status.PARTIAL
    assert view.error is not None
    assert "worker was lost" in view.error["detail"]
    assert view.error["detail_zh"]


def test_a_process_that_is_seen_to_die_frees_its_page_at_once(bench: Bench) -> None:
    bench.submit()
    claim = bench.take("host:1:2")
    assert claim is not None
    assert bench.store.lose_page(claim.run, 1, "host:9", "lost", final=None) == ()
    messages = bench.store.lose_page(claim.run, 1, "host:1", "lost", final=None)
    assert [message.page for message in messages] == [1]
    again = bench.claim(messages[0])
    assert again is not None
    assert again.attempt == 2
    bench.store.lose_page(claim.run, 1, "host:1", "timeout", final={"detail": "took too long"})
    assert bench.claim(messages[0]) is None


def test_an_error_is_tried_again_and_then_fails(bench: Bench) -> None:
    job = bench.submit().id
    for _ in range(3):
        claim = bench.take()
        assert claim is not None
        _, messages = bench.store.fail_page(claim, {"detail": "no luck"}, b"", retry=True)
        bench.sent += messages
    assert bench.take() is None
    assert bench.store.view(job).status is Status.FAILED
    assert [row["outcome"] for row in bench.store.attempts(job)] == ["error", "error", "failed"]


def test_a_lost_message_is_sent_again_once_its_queue_is_empty(bench: Bench) -> None:
    bench.submit()
    bench.sent.clear()
    assert bench.reconcile(interactive=1) == ()
    bench.clock.forward(6)
    assert bench.reconcile(interactive=1) == ()
    assert [message.page for message in bench.reconcile(interactive=0)] == [1]
    assert bench.reconcile(interactive=0) == ()
    assert bench.read_all() == 1


def test_bulk_pages_that_waited_long_go_with_the_interactive_ones(bench: Bench) -> None:
    bench.submit(priority="bulk")
    assert [message.queue for message in bench.sent] == ["bulk"]
    bench.clock.forward(21)
    assert [message.queue for message in bench.reconcile(bulk=1)] == ["interactive"]


def test_a_long_document_goes_out_in_a_window_and_leaves_room_for_others(bench: Bench) -> None:
    bench.submit(pages=50)
    assert [message.queue for message in bench.sent] == ["interactive"] * 4 + ["bulk"] * 4
    claim = bench.take()
    assert claim is not None
    bench.finish(claim)
    bench.submit(b"small", client="bob")
    assert [message for message in bench.sent if message.queue == "interactive"][-1].run == "run2"
    assert bench.store.capacity().waiting == 50
    bench.read_all()
    assert bench.store.capacity().waiting == 0


def test_clients_take_turns(bench: Bench) -> None:
    for number in range(6):
        bench.submit(options=str(number), priority="bulk")
    bench.submit(client="bob", priority="bulk", options="b")
    order = []
    while (claim := bench.take()) is not None:
        order.append(claim.run)
        bench.finish(claim)
    assert order.index("run7") <= 5
