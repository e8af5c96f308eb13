"""The ledger: every delivery with its attempts, bounded and counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.callbacks import Answer, Attempt, CallbackOrder, Delivery, Ledger
from emulator.core.tasks import Retry
from tests.support.sender import ACCEPTED, REFUSED

ORDER = CallbackOrder("progress", "POST", "http://cup.test/done", {}, b"{}")


def _open(ledger: Ledger, retry: Retry | None = None) -> Delivery:
    return ledger.open("t1", "toy.Brew", ORDER, retry or Retry(), 100.0)


def _settled(ledger: Ledger) -> Delivery:
    delivery = _open(ledger)
    delivery.record(100.0, ACCEPTED)
    return delivery


def test_a_delivery_starts_without_an_attempt() -> None:
    delivery = _open(Ledger(10))

    assert (delivery.number, delivery.status, delivery.attempts, delivery.settled) == (1, "pending", [], False)
    assert (delivery.task_id, delivery.operation, delivery.due, delivery.order) == ("t1", "toy.Brew", 100.0, ORDER)


def test_an_attempt_that_succeeds_settles_the_delivery() -> None:
    delivery = _open(Ledger(10), Retry(attempts=3))

    assert delivery.record(101.0, ACCEPTED) is None
    assert (delivery.status, delivery.settled, delivery.next_attempt) == ("delivered", True, None)
    assert delivery.attempts == [Attempt(1, 101.0, ACCEPTED)]


def test_a_single_attempt_that_fails_settles_the_delivery() -> None:
    delivery = _open(Ledger(10))

    assert delivery.record(100.0, REFUSED) is None
    assert (delivery.status, delivery.settled) == ("failed", True)


def test_waits_between_attempts_are_doubled() -> None:
    delivery = _open(Ledger(10), Retry(attempts=4, backoff=2.0))

    assert [delivery.record(at, REFUSED) for at in (100.0, 102.0, 106.0, 114.0)] == [102.0, 106.0, 114.0, None]


def test_no_wait_grows_beyond_a_year() -> None:
    delivery = _open(Ledger(10), Retry(attempts=100, backoff=86_400.0))
    instants = [delivery.record(0.0, REFUSED) for _ in range(99)]

    assert instants[:9] == [86_400.0 * 2**made for made in range(9)]
    assert set(instants[9:]) == {366 * 86_400.0}


@pytest.mark.parametrize(
    ("retry_after", "wait"), [(None, 5.0), (0.0, 5.0), (4.0, 5.0), (60.0, 60.0), (10.0**9, 366 * 86_400.0)]
)
def test_a_receiver_may_make_a_wait_longer_never_shorter_and_not_longer_than_a_year(
    retry_after: float | None, wait: float
) -> None:
    delivery = _open(Ledger(10), Retry(attempts=2, backoff=5.0))

    assert delivery.record(100.0, Answer(503, "busy", retry_after=retry_after)) == 100.0 + wait


def test_a_receiver_that_took_the_callback_is_not_asked_again_whatever_it_says() -> None:
    delivery = _open(Ledger(10), Retry(attempts=2))

    assert delivery.record(100.0, Answer(200, "", retry_after=60.0)) is None


def test_a_receiver_that_is_gone_settles_the_delivery_at_once() -> None:
    delivery = _open(Ledger(10), Retry(attempts=5))

    assert delivery.record(100.0, Answer(410, "the receiver answered 410")) is None
    assert (delivery.status, len(delivery.attempts)) == ("failed", 1)


def test_a_delivery_may_begin_later_than_it_was_opened() -> None:
    delivery = Ledger(10).open("t1", "toy.Brew", ORDER, Retry(), 100.0, send_at=130.0, chaos=("late",))

    assert (delivery.status, delivery.due, delivery.next_attempt, delivery.chaos) == (
        "pending",
        100.0,
        130.0,
        ("late",),
    )


def test_a_dropped_delivery_is_settled_from_the_start() -> None:
    delivery = Ledger(10).open("t1", "toy.Brew", ORDER, Retry(), 100.0, chaos=("drop",))

    assert (delivery.status, delivery.settled, delivery.attempts) == ("dropped", True, [])


def test_a_delivery_that_waits_for_its_next_attempt_is_pending_again() -> None:
    delivery = _open(Ledger(10), Retry(attempts=2, backoff=5.0))
    delivery.record(100.0, REFUSED)

    assert (delivery.status, delivery.next_attempt, delivery.settled) == ("pending", 105.0, False)


def test_a_later_attempt_that_succeeds_settles_the_delivery() -> None:
    delivery = _open(Ledger(10), Retry(attempts=3))
    delivery.record(100.0, REFUSED)
    delivery.record(101.0, ACCEPTED)

    assert [attempt.number for attempt in delivery.attempts] == [1, 2]
    assert (delivery.status, delivery.next_attempt) == ("delivered", None)


@pytest.mark.parametrize(
    ("status", "settled"),
    [
        ("pending", False),
        ("sending", False),
        ("delivered", True),
        ("failed", True),
        ("cancelled", True),
        ("dropped", True),
    ],
)
def test_a_delivery_is_settled_once_nothing_more_will_be_tried(status: str, settled: bool) -> None:
    delivery = _open(Ledger(10))
    delivery.status = status  # type: ignore[assignment]

    assert delivery.settled == settled


def test_an_answer_with_an_error_is_a_failure_even_if_it_has_a_status() -> None:
    delivery = _open(Ledger(10))
    delivery.record(100.0, Answer(500, "the receiver answered 500"))

    assert delivery.status == "failed"


def test_deliveries_are_numbered_in_the_order_they_were_opened() -> None:
    ledger = Ledger(10)
    for _ in range(3):
        _open(ledger)

    assert [delivery.number for delivery in ledger] == [1, 2, 3]


def test_beyond_the_limit_the_oldest_settled_deliveries_are_forgotten_and_counted() -> None:
    ledger = Ledger(2)
    for _ in range(5):
        _settled(ledger)

    assert [delivery.number for delivery in ledger] == [4, 5]
    assert (len(ledger), ledger.created, ledger.evicted) == (2, 5, 3)


def test_a_delivery_that_is_not_settled_is_never_forgotten() -> None:
    ledger = Ledger(1)
    for _ in range(3):
        _open(ledger)

    assert (len(ledger), ledger.evicted) == (3, 0)


def test_settled_deliveries_make_room_even_if_an_older_one_is_not_settled() -> None:
    ledger = Ledger(3)
    _open(ledger)
    for _ in range(10):
        _settled(ledger)

    assert [delivery.number for delivery in ledger] == [1, 10, 11]
    assert ledger.evicted == 8


def test_those_who_look_are_told_of_every_delivery() -> None:
    ledger, told = Ledger(10), list[int]()
    ledger.changes.subscribe(lambda: told.append(len(ledger)))
    _open(ledger)
    _open(ledger)

    assert told == [1, 2]


def test_one_who_is_told_may_stop_listening_at_once() -> None:
    ledger, told = Ledger(10), list[str]()

    def once() -> None:
        told.append("once")
        unsubscribe()

    unsubscribe = ledger.changes.subscribe(once)
    ledger.changes.subscribe(lambda: told.append("always"))
    _open(ledger)
    _open(ledger)

    assert told == ["once", "always", "always"]


@given(st.integers(1, 4), st.lists(st.booleans(), max_size=30))
def test_the_count_of_a_ledger_never_lies(limit: int, settled: list[bool]) -> None:
    ledger = Ledger(limit)
    for settles in settled:
        (_settled if settles else _open)(ledger)

    assert ledger.created == len(ledger) + ledger.evicted == len(settled)
