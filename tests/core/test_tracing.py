"""Trace context: a request's trace goes on in the callbacks it causes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.tracing import carried, child, trace_headers
from tests.support.machine import START
from tests.support.toy_cloud import CALLBACK, start_task, toy_world

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"


def test_a_child_keeps_trace_and_flags_and_has_a_span_of_its_own() -> None:
    version, trace, span, flags = child(PARENT, "t1").split("-")

    assert (version, trace, flags) == ("00", TRACE, "01")
    assert span != SPAN
    assert len(span) == 16


def test_the_same_meaning_makes_the_same_span_and_another_another() -> None:
    assert child(PARENT, "t1", 1) == child(PARENT, "t1", 1) != child(PARENT, "t1", 2)


@pytest.mark.parametrize("flags", ["00", "01", "03", "ff"])
def test_the_flags_are_kept(flags: str) -> None:
    assert child(f"00-{TRACE}-{SPAN}-{flags}").endswith(f"-{flags}")


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "nonsense",
        PARENT.upper(),
        f"{PARENT}-more",
        f"{PARENT} ",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"0-{TRACE}-{SPAN}-01",
        f"01-{TRACE}-{SPAN}-01more",
        f"00-{TRACE[:-1]}\u0661-{SPAN}-01",
    ],
)
def test_what_is_malformed_is_ignored(parent: str) -> None:
    assert child(parent) == ""
    assert carried({"traceparent": parent, "tracestate": "a=1"}) == ""


@pytest.mark.parametrize("more", ["", "-", "-what-the-future-brings"])
def test_a_later_version_is_read_as_far_as_it_is_known(more: str) -> None:
    assert child(f"cc-{TRACE}-{SPAN}-01{more}").startswith(f"00-{TRACE}-")


@given(st.text())
def test_no_text_is_too_much(text: str) -> None:
    assert child(text) == "" or child(text).startswith("00-")
    assert trace_headers(text) == {} or "traceparent" in trace_headers(text)


def test_what_is_carried_of_no_trace_is_nothing() -> None:
    assert carried({}) == carried({"tracestate": "a=1"}) == ""
    assert trace_headers("") == {}


def test_the_state_of_the_trace_is_passed_on_as_it_is() -> None:
    headers = trace_headers(carried({"traceparent": PARENT, "tracestate": "congo=t61rcWkgMzE, rojo=1"}), "t1")

    assert headers == {"traceparent": child(PARENT, "t1"), "tracestate": "congo=t61rcWkgMzE, rojo=1"}


def test_a_trace_without_a_state_has_none_afterwards() -> None:
    assert trace_headers(carried({"traceparent": PARENT})).keys() == {"traceparent"}


async def test_the_callbacks_of_a_task_go_on_with_its_trace_each_with_a_span_of_its_own() -> None:
    world = toy_world()
    silent = start_task(world.account, parameters={"leaf": "green"})
    told = {"leaf": "green", "callback": CALLBACK}
    world.account.begin(replace(silent, id="t2", parameters=told, traceparent=f"{PARENT} a=1"), START)
    await world.driver.run_until_idle(world.account)

    headers = [order.headers for order in world.sender.orders]
    assert [found["tracestate"] for found in headers] == ["a=1", "a=1"]
    assert [found["traceparent"].split("-")[1] for found in headers] == [TRACE, TRACE]
    assert len({found["traceparent"] for found in headers}) == 2
