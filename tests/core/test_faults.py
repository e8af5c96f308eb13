"""What may happen to a reply on its way: decided, not performed."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.core.exchange import Reply
from emulator.core.faults import LONGEST, Fault, Latency, garbled
from emulator.core.ids import Draw

REPLY = Reply(200, {"Content-Type": "application/json"}, b'{"ErrNum":0,"TaskID":"0123456789abcdef"}')


def lengths(document: Any, count: int = 2000) -> list[float]:
    latency = Latency.of(document)
    return sorted(latency.length(7, "r1", number) for number in range(count))


@pytest.mark.parametrize("document", [2, "2s", {"fixed": "2s"}, ["2s", "2s"], {"uniform": [2, 2]}])
def test_a_fixed_latency_is_always_the_same(document: Any) -> None:
    assert set(lengths(document, 10)) == {2.0}


@pytest.mark.parametrize("document", [["1s", "3s"], {"uniform": ["1s", "3s"]}])
def test_a_uniform_latency_lies_anywhere_between_its_bounds(document: Any) -> None:
    found = lengths(document)

    assert found[0] >= 1
    assert found[-1] <= 3
    assert [abs(found[len(found) * quarter // 4] - (1 + quarter / 2)) < 0.1 for quarter in (1, 2, 3)] == [True] * 3


def test_half_of_a_lognormal_latency_is_below_its_median_and_its_tail_is_long() -> None:
    found = lengths({"lognormal": {"median": "100ms", "sigma": 1}})

    assert abs(found[1000] - 0.1) < 0.01
    assert 0.3 < found[int(2000 * 0.95)] < 0.8
    assert found[0] > 0


def test_a_lognormal_latency_without_spread_is_its_median() -> None:
    assert set(lengths({"lognormal": {"median": "100ms", "sigma": 0}}, 10)) == {0.1}


def test_a_latency_is_an_hour_at_most() -> None:
    assert Latency.of({"lognormal": {"median": "59m", "sigma": 5}}).length(7, "r", 1) <= LONGEST
    assert Latency.of("2h").length(7) == LONGEST


def test_a_latency_is_drawn_from_its_meaning() -> None:
    latency = Latency.of({"lognormal": {"median": 1}})

    assert latency.length(7, "a") == latency.length(7, "a") != latency.length(8, "a")


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("reset", "reset"),
        ({"empty": True}, "empty"),
        ("truncate", "truncate: 50% of the body is sent"),
        ({"truncate": "12.5%"}, "truncate: 12% of the body is sent"),
        ("garble", "garble"),
        ("trickle", "trickle: for 10 s"),
        ({"trickle": "200ms"}, "trickle: for 0.2 s"),
        ("hang", "hang: for 3600 s"),
        ({"hang": "1d"}, "hang: for 3600 s"),
        (502, "status: somebody on the way answers 502"),
        ({"status": 502}, "status: somebody on the way answers 502"),
    ],
)
def test_a_fault_says_what_it_is(document: Any, words: str) -> None:
    assert str(Fault.of(document)) == words


@pytest.mark.parametrize("fault", ["reset", "empty", "truncate", "trickle", "hang"])
def test_what_the_connection_does_leaves_the_reply_as_it_is(fault: str) -> None:
    assert Fault.of(fault).applied(REPLY, Draw(1)) is REPLY


def test_a_status_takes_the_place_of_the_reply() -> None:
    found = Fault.of({"status": 503, "body": "later", "headers": {"Retry-After": "1"}}).applied(REPLY, Draw(1))

    assert found == Reply(503, {"Content-Type": "text/plain; charset=utf-8", "Retry-After": "1"}, b"later")


def test_the_page_of_a_gateway_keeps_the_headers_that_were_asked_for() -> None:
    found = Fault.of({"status": 502, "headers": {"content-type": "text/x", "Via": "a"}}).applied(REPLY, Draw(1))

    assert found.headers == {"content-type": "text/x", "Via": "a"}


@pytest.mark.parametrize("seed", range(20))
def test_a_garbled_body_differs_and_is_as_long(seed: int) -> None:
    found = garbled(REPLY.body, Draw(seed))

    assert found != REPLY.body
    assert len(found) == len(REPLY.body)


@pytest.mark.parametrize(("body", "same"), [(b"", True), (b"x", False)])
def test_a_body_of_a_byte_is_garbled_and_an_empty_one_is_not(body: bytes, same: bool) -> None:
    assert (garbled(body, Draw(1)) == body) == same
