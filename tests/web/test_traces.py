"""The trace of a request goes on in the callbacks it causes."""

from __future__ import annotations

from tests.support.client import WAVE, Client
from tests.support.inbox import Inbox

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


async def received(client: Client, inbox: Inbox, **headers: str) -> dict[str, str]:
    """The headers of the callback of a task whose creation had these headers."""
    params = {"Action": "CreateWaveTask", "Version": "2017-01-01", "X-Amz-Credential": f"{client.name}/1/2/kvs/a"}
    answer = await client.request("POST", "/", params=params, json={**WAVE, "CbUrl": inbox.url}, headers=headers)
    assert answer.json["ErrNum"] == 0, answer.reason
    await client.advance("1h")
    return {name.lower(): text for name, text in inbox.received[0].headers.items()}


async def test_a_callback_belongs_to_the_trace_of_the_request(client: Client, inbox: Inbox) -> None:
    headers = await received(client, inbox, traceparent=PARENT, tracestate="congo=t61rcWkgMzE")

    version, trace, span, flags = headers["traceparent"].split("-")
    assert (version, trace, flags) == ("00", TRACE, "01")
    assert span not in PARENT
    assert headers["tracestate"] == "congo=t61rcWkgMzE"


async def test_a_trace_that_is_malformed_is_not_carried_on(client: Client, inbox: Inbox) -> None:
    headers = await received(client, inbox, traceparent=PARENT + "-more", tracestate="a=1")

    assert headers.keys().isdisjoint({"traceparent", "tracestate"})


async def test_without_a_trace_a_callback_has_none(client: Client, inbox: Inbox) -> None:
    assert "traceparent" not in await received(client, inbox)
