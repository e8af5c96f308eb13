"""Pull mode: callbacks that listeners take, forward and report on, as if they had been sent directly."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from aiohttp import ClientSession
from yarl import URL

from emulator.core.callbacks import Answer, CallbackOrder
from emulator.core.clock import SystemMachine
from emulator.web import relay as relays
from emulator.web.listening import NotAllowed, NotAnswering, Wanted, forwarded, listen
from emulator.web.relay import Relay
from emulator.web.sender import HttpSender, OutboundPolicy
from tests.support.client import WAVE, Client, Start
from tests.support.inbox import Inbox
from tests.support.receivers import Gate, closed_port, status
from tests.support.sender import until

NOWHERE = "http://callback.invalid/done?job=7"
ORDER = CallbackOrder("succeeded", "POST", NOWHERE, {"Content-Type": "application/json"}, b"{}")


def relay_of(client: Client) -> Relay:
    return client.server._sender


@asynccontextmanager
async def listening(client: Client, forward_to: str, account: str | None = None) -> AsyncIterator[list[str]]:
    """A listener at work; what it tells."""
    relay, told = relay_of(client), []
    before = len(relay.listeners)
    wanted = Wanted(client.server.url, client.server.admin_token, account, forward_to)
    task = asyncio.create_task(listen(wanted, told.append))
    try:
        await until(relay.changes, lambda: len(relay.listeners) > before)
        yield told
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def origin(inbox: Inbox) -> str:
    return str(URL(inbox.url).origin())


async def waved(client: Client, url: str = NOWHERE, **parameters: Any) -> str:
    found: str = (await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": url, **parameters})).json["TaskID"]
    return found


async def advanced(client: Client) -> list[dict[str, Any]]:
    """The ledger after everything has happened."""
    answered = await client.admin("POST", "clock/advance", {"until": "idle"})
    assert answered.status == 200, answered.body
    rows: list[dict[str, Any]] = (await client.admin("GET", "deliveries")).json["deliveries"]
    return rows


async def test_a_callback_for_an_unreachable_host_arrives_through_a_listener(client: Client, inbox: Inbox) -> None:
    async with listening(client, origin(inbox)):
        task = await waved(client)
        rows = await advanced(client)

    assert [row["status"] for row in rows] == ["delivered"]
    assert inbox.received[0].path == "/done"
    assert task in inbox.received[0].body.decode()


async def test_the_ledger_has_what_the_receiver_answered(client: Client, inbox: Inbox) -> None:
    async with listening(client, origin(inbox)):
        await waved(client)
        (row,) = await advanced(client)

    (attempt,) = row["attempts"]
    assert (attempt["status"], attempt["error"], attempt["answer"]) == (200, "", "Ok")


async def test_a_receiver_that_fails_behind_a_listener_is_tried_again_by_the_same_plan(
    client: Client, inbox: Inbox
) -> None:
    inbox.answers.append(status(500))
    await client.rule({"then": {"plan": {"deliver": {"attempts": 2, "backoff": 30}}}})
    async with listening(client, origin(inbox)):
        await waved(client)
        (row,) = await advanced(client)

    assert [attempt["status"] for attempt in row["attempts"]] == [500, 200]
    assert row["attempts"][0]["error"] == "the receiver answered 500"
    assert row["attempts"][1]["at"] - row["attempts"][0]["at"] == 30


async def test_nobody_at_the_place_forwarded_to_is_told_as_when_sent_directly(client: Client) -> None:
    with closed_port() as port:
        async with listening(client, f"http://127.0.0.1:{port}"):
            await waved(client)
            (row,) = await advanced(client)

    assert row["attempts"][0]["error"] == "connection refused: nobody listens there"


async def test_a_clock_that_is_advanced_stands_still_until_the_listener_has_answered(
    client: Client, inbox: Inbox
) -> None:
    gate = Gate()
    inbox.answers.append(gate.answer)
    async with listening(client, origin(inbox)):
        await waved(client)
        advancing = asyncio.create_task(advanced(client))
        await gate.reached()
        assert not advancing.done()
        gate.open()
        (row,) = await advancing

    assert row["status"] == "delivered"


async def test_without_a_listener_callbacks_go_directly(client: Client, inbox: Inbox) -> None:
    await waved(client, inbox.url)

    assert [row["status"] for row in await advanced(client)] == ["delivered"]


async def test_once_the_listener_is_gone_callbacks_go_directly_again(client: Client, inbox: Inbox) -> None:
    with closed_port() as port:
        async with listening(client, f"http://127.0.0.1:{port}"):
            pass
    relay = relay_of(client)
    await until(relay.changes, lambda: not relay.listeners)
    await waved(client, inbox.url)

    assert [row["status"] for row in await advanced(client)] == ["delivered"]


async def test_a_listener_for_an_account_leaves_the_others_alone(client: Client, inbox: Inbox) -> None:
    other = Inbox()
    await other.start()
    try:
        async with listening(client, origin(other), "SOMEBODY"):
            await waved(client, inbox.url)
            await advanced(client)
    finally:
        await other.stop()

    assert (len(inbox.received), len(other.received)) == (1, 0)


async def test_a_listener_for_an_account_comes_before_one_for_all(client: Client, inbox: Inbox) -> None:
    everybody = Inbox()
    await everybody.start()
    try:
        async with listening(client, origin(everybody)), listening(client, origin(inbox), client.name):
            await waved(client)
            await advanced(client)
    finally:
        await everybody.stop()

    assert (len(inbox.received), len(everybody.received)) == (1, 0)


async def test_a_listener_that_hangs_up_midway_makes_the_attempt_fail(client: Client, inbox: Inbox) -> None:
    gate = Gate()
    inbox.answers.append(gate.answer)
    async with listening(client, origin(inbox)):
        await waved(client)
        advancing = asyncio.create_task(advanced(client))
        await gate.reached()
    (row,) = await advancing

    assert row["status"] == "failed"
    assert row["attempts"][0]["error"] == relays.GONE


async def test_an_answer_that_nobody_waits_for_is_refused(client: Client) -> None:
    said = {"status": 200, "error": "", "elapsed": 0}

    answered = await client.admin("POST", "/listen/unknown", said)

    assert answered.status == 404
    assert "nobody waits for that any more" in answered.json["detail"]


async def test_a_reset_takes_back_what_a_listener_has_not_answered(client: Client, inbox: Inbox) -> None:
    gate = Gate()
    inbox.answers.append(gate.answer)
    async with listening(client, origin(inbox)) as told:
        await waved(client)
        advancing = asyncio.create_task(client.admin("POST", "clock/advance", {"until": "idle"}))
        await gate.reached()
        await client.admin("POST", "reset")
        await advancing
        (listener,) = relay_of(client).listeners
        assert not listener.pending

    assert told


async def test_in_pull_mode_a_callback_waits_for_a_listener(start: Start, inbox: Inbox) -> None:
    client = await start(callbacks="pull", callback_timeout=30.0)
    await waved(client, inbox.url)
    advancing = asyncio.create_task(advanced(client))
    async with listening(client, origin(inbox)):
        (row,) = await advancing

    assert row["status"] == "delivered"


async def test_in_pull_mode_without_a_listener_an_attempt_fails_and_says_what_to_start(
    start: Start, inbox: Inbox
) -> None:
    client = await start(callbacks="pull", callback_timeout=0.01)
    await waved(client, inbox.url)
    (row,) = await advanced(client)

    error = row["attempts"][0]["error"]
    assert error.startswith("no listener is attached for AKTEST")
    assert "emulator listen --forward-to URL --account AKTEST" in error
    assert inbox.received == []


async def test_it_is_shown_who_listens(client: Client, inbox: Inbox) -> None:
    async with listening(client, origin(inbox), client.name):
        shown = (await client.admin("GET", "/listeners")).json

    (listener,) = shown["listeners"]
    assert shown["callbacks"] == "direct"
    assert (listener["number"], listener["account"], listener["pending"]) == (1, client.name, 0)


@pytest.mark.parametrize(("query", "said"), [({"who": "x"}, "only account"), ({"account": ""}, "leave it out")])
async def test_what_listen_does_not_know_is_refused(client: Client, query: dict[str, str], said: str) -> None:
    answered = await client.request("GET", "/_emulator/api/listen", params=query)

    assert answered.status == 400
    assert said in answered.json["detail"]


async def test_the_end_of_the_emulator_ends_the_stream(start: Start, inbox: Inbox) -> None:
    client = await start()
    async with ClientSession() as session, session.get(f"{client.server.url}/_emulator/api/listen") as stream:
        await stream.content.readline()
        await client.server.stop()
        rest = await stream.content.read()

    assert b"callback" not in rest


async def test_a_listener_without_the_token_is_refused(start: Start) -> None:
    client = await start(admin_token="secret")

    with pytest.raises(NotAllowed, match="wants its token"):
        await listen(Wanted(client.server.url, "wrong", None, "http://127.0.0.1:1"), str)


async def test_a_listener_says_at_once_that_there_is_no_emulator() -> None:
    with closed_port() as port, pytest.raises(NotAnswering, match="no answer from"):
        await listen(Wanted(f"http://127.0.0.1:{port}", None, None, "http://127.0.0.1:1"), str)


@pytest.mark.parametrize(
    ("url", "forward_to", "target"),
    [
        ("http://a.test:80/cb/x?y=1%20z", "http://127.0.0.1:9000", "http://127.0.0.1:9000/cb/x?y=1%20z"),
        ("http://a.test/cb", "http://127.0.0.1:9000/", "http://127.0.0.1:9000/cb"),
        ("http://a.test/cb?y=1", "http://127.0.0.1:9000/hook", "http://127.0.0.1:9000/hook"),
        ("http://a.test", "https://b.test", "https://b.test/"),
        ("no url", "http://127.0.0.1:9000/hook", "no url"),
    ],
)
def test_where_a_callback_is_forwarded_to(url: str, forward_to: str, target: str) -> None:
    assert forwarded(url, forward_to) == target


# The relay alone


@pytest.fixture(name="relay")
async def _relay() -> AsyncIterator[Relay]:
    relay = Relay(HttpSender(OutboundPolicy(), 5.0, SystemMachine()), 5.0, SystemMachine())
    yield relay
    await relay.close()


async def handed(relay: Relay, account: str = "a") -> asyncio.Task[Answer]:
    """A callback that is being sent, and was given to a listener."""
    sending = asyncio.create_task(relay.send(ORDER, None, account))
    await asyncio.wait([sending], timeout=0)
    return sending


async def test_of_several_listeners_the_least_busy_one_is_chosen(relay: Relay) -> None:
    first, second = relay.attach(None), relay.attach(None)
    sending = [await handed(relay) for _ in range(3)]

    assert (len(first.take()), len(second.take())) == (2, 1)
    for task in sending:
        task.cancel()


async def test_what_a_listener_was_not_handed_yet_goes_to_another(relay: Relay) -> None:
    first = relay.attach(None)
    sending = await handed(relay)
    second = relay.attach(None)
    relay.detach(first)
    await asyncio.wait([sending], timeout=0)
    (offer,) = second.take()
    relay.answered(offer.id, Answer(204, ""))

    assert (await sending).status == 204


async def test_a_listener_that_says_nothing_costs_the_attempt_its_time(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relays, "SPARE", 0.0)
    relay.attach(None)

    answer = await relay.send(ORDER, 0.01, "a")

    assert answer.error == "the listener did not say within 0.01 s what came of it"


async def test_what_is_no_longer_wanted_is_handed_to_nobody(relay: Relay) -> None:
    listener = relay.attach(None)
    sending = await handed(relay)
    sending.cancel()
    with suppress(asyncio.CancelledError):
        await sending

    assert listener.take() == []


async def test_an_offer_is_answered_once(relay: Relay) -> None:
    listener = relay.attach(None)
    sending = await handed(relay)
    (offer,) = listener.take()

    assert relay.answered(offer.id, Answer(200, ""))
    assert not relay.answered(offer.id, Answer(500, "again"))
    assert (await sending).status == 200


async def test_a_body_reaches_a_listener_byte_by_byte(client: Client) -> None:
    body = bytes(range(256))
    async with ClientSession() as session, session.get(f"{client.server.url}/_emulator/api/listen") as stream:
        relay = relay_of(client)
        await until(relay.changes, lambda: bool(relay.listeners))
        sending = asyncio.create_task(relay.send(CallbackOrder("x", "POST", NOWHERE, {}, body), None, "a"))
        text = b""
        while b"event: callback\ndata:" not in text or not text.endswith(b"\n\n"):
            text += await stream.content.readany()
        sending.cancel()

    assert base64.b64encode(body) in text
