"""Faults, as a client sees them on the wire."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import pytest

from emulator.server import ThreadedServer
from tests.support.client import WAVE, Client, Start

BODY = json.dumps(WAVE).encode()
SLOW = 60.0
"""Seconds after which a test has failed that waits for the other side."""


def create(account: str, *, version: str = "1.1", connection: str = "keep-alive") -> bytes:
    """A request that creates a task, to the byte."""
    target = f"/?Action=CreateWaveTask&Version=2017-01-01&X-Amz-Credential={account}/20260101/x/kvs/aws4_request"
    head = f"POST {target} HTTP/{version}\r\nHost: 127.0.0.1\r\nConnection: {connection}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n".encode() + BODY


@asynccontextmanager
async def connected(client: Client) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection of one's own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.server.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def sent_back(client: Client, request: bytes) -> bytes:
    """All that comes until the connection is closed."""
    async with connected(client) as (reader, writer), asyncio.timeout(SLOW):
        writer.write(request)
        return await reader.read()


async def answered(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Head and body of one whole answer on a connection that stays open."""
    head = await reader.readuntil(b"\r\n\r\n")
    return head, await reader.readexactly(length(head))


def length(head: bytes) -> int:
    """The length that a head states."""
    (line,) = (line for line in head.decode().split("\r\n") if line.lower().startswith("content-length:"))
    return int(line.partition(":")[2])


async def tasks(client: Client) -> int:
    """How many tasks the account has."""
    return len((await client.admin("GET", "tasks")).json["tasks"])


async def begun(client: Client) -> None:
    """Return once a request of the account was decided."""
    assert (await client.admin("GET", "requests", wait="60s", count="1")).json["satisfied"]


@pytest.fixture(autouse=True)
def _silence(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No fault leaves anything in the log."""
    caplog.set_level(logging.WARNING)
    yield
    assert [record.getMessage() for record in caplog.records] == []


async def test_a_reset_tears_the_connection_down(client: Client) -> None:
    await client.rule({"then": {"fault": "reset"}})

    with pytest.raises(ConnectionResetError):
        await sent_back(client, create(client.name))


def test_a_reset_tears_the_connection_down_on_the_fast_loop_too(live: ThreadedServer) -> None:
    with socket.create_connection(("127.0.0.1", live.server.port)) as connection:
        rule = json.dumps({"then": {"fault": "reset"}}).encode()
        path = "/_emulator/api/accounts/default/rules"
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Content-Length: {len(rule)}\r\n\r\n".encode() + rule)
        connection.recv(4096)
        connection.sendall(
            create("", connection="close").replace(b"&X-Amz-Credential=/20260101/x/kvs/aws4_request", b"")
        )
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    with socket.create_connection(("127.0.0.1", live.server.port)) as connection:
        connection.sendall(f"DELETE {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        assert b" 204 " in connection.recv(4096)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_an_empty_answer_is_an_end_without_a_byte(client: Client, version: str) -> None:
    await client.rule({"then": {"fault": "empty"}})

    assert await sent_back(client, create(client.name, version=version)) == b""


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize(("fault", "share"), [("truncate", 0.5), ({"truncate": "25%"}, 0.25), ({"truncate": "0%"}, 0)])
async def test_a_truncated_answer_promises_more_than_it_sends(
    client: Client, version: str, fault: object, share: float
) -> None:
    await client.rule({"times": {"skip": 1, "first": 1}, "then": {"fault": fault}})
    whole = (await client.kingsoft("CreateWaveTask", WAVE)).body

    head, _, body = (await sent_back(client, create(client.name, version=version))).partition(b"\r\n\r\n")

    assert head.startswith(f"HTTP/{version} 200".encode())
    assert (length(head), len(body)) == (len(whole), int(len(whole) * share))


async def test_a_garbled_answer_has_the_length_of_the_right_one(client: Client) -> None:
    await client.rule({"times": {"skip": 1}, "then": {"fault": "garble"}})
    whole = (await client.kingsoft("CreateWaveTask", WAVE)).body

    async with connected(client) as (reader, writer):
        writer.write(create(client.name) * 2)
        answers = [await answered(reader) for _ in range(2)]

    assert [len(body) for _, body in answers] == [len(whole)] * 2
    assert all(sum(a != b for a, b in zip(body, whole, strict=True)) > 5 for _, body in answers)


async def test_a_garbled_answer_is_garbled_by_the_seed(start: Start) -> None:
    bodies = []
    for _ in range(2):
        client = await start(frozen=True)
        await client.rule({"then": {"fault": "garble"}})
        bodies.append((await client.kingsoft("CreateWaveTask", WAVE)).body)

    assert bodies[0] == bodies[1]


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_a_trickling_answer_is_whole_in_the_end(client: Client, version: str) -> None:
    await client.rule({"then": {"fault": {"trickle": "50ms"}}})

    head, _, body = (await sent_back(client, create(client.name, version=version, connection="close"))).partition(
        b"\r\n\r\n"
    )

    assert len(body) == length(head)
    assert json.loads(body)["ErrNum"] == 0


async def test_a_connection_goes_on_after_a_trickling_answer(client: Client) -> None:
    await client.rule({"then": {"fault": {"trickle": "20ms"}}})

    async with connected(client) as (reader, writer):
        for _ in range(2):
            writer.write(create(client.name))
            assert (await answered(reader))[0].startswith(b"HTTP/1.1 200")


async def test_a_trickling_answer_comes_in_drops(client: Client) -> None:
    await client.rule({"then": {"fault": {"trickle": "1h"}}})

    async with connected(client) as (reader, writer), asyncio.timeout(SLOW):
        writer.write(create(client.name))
        head = await reader.readuntil(b"\r\n\r\n")
        first = await reader.read(1000)

    assert 0 < len(first) < length(head)


async def test_a_hanging_answer_ends_without_a_byte(client: Client) -> None:
    await client.rule({"then": {"fault": {"hang": "50ms"}}})

    assert await sent_back(client, create(client.name)) == b""


@pytest.mark.parametrize("fault", ["hang", {"trickle": "1h"}])
async def test_nobody_waits_for_a_client_that_has_gone_away(client: Client, fault: object) -> None:
    await client.rule({"then": {"fault": fault}})
    before = asyncio.all_tasks()
    async with connected(client) as (_, writer):
        writer.write(create(client.name))
        await begun(client)
        serving = asyncio.all_tasks() - before
        assert serving

    _, left = await asyncio.wait(serving, timeout=SLOW)

    assert not left


@pytest.mark.parametrize("fault", ["hang", {"trickle": "1h"}])
async def test_a_stop_ends_an_answer_that_would_take_long(start: Start, fault: object) -> None:
    client = await start(grace=0.1)
    await client.rule({"then": {"fault": fault}})
    async with connected(client) as (reader, writer), asyncio.timeout(SLOW):
        writer.write(create(client.name))
        await begun(client)

        await client.server.stop()

        await reader.read()


@pytest.mark.parametrize(
    ("fault", "status", "kind", "body"),
    [
        (502, 502, "text/html", "<center><h1>502 Bad Gateway</h1></center>"),
        ({"status": 503}, 503, "text/html", "503 Service Unavailable"),
        ({"status": 599}, 599, "text/html", "599 Unknown"),
        ({"status": 429, "body": "slow down"}, 429, "text/plain; charset=utf-8", "slow down"),
        ({"status": 500, "body": {"no": 1}}, 500, "application/json; charset=utf-8", '{"no":1}'),
        ({"status": 500, "body": "<a/>", "headers": {"content-type": "text/xml"}}, 500, "text/xml", "<a/>"),
    ],
)
async def test_somebody_on_the_way_answers_with_a_status(
    client: Client, fault: object, status: int, kind: str, body: str
) -> None:
    await client.rule({"then": {"fault": fault}})

    answer = await client.kingsoft("CreateWaveTask", WAVE)

    assert (answer.status, answer.headers["Content-Type"]) == (status, kind)
    assert body in answer.body.decode()


async def test_somebody_on_the_way_may_say_when_to_come_back(client: Client) -> None:
    await client.rule({"then": {"fault": {"status": 503, "headers": {"Retry-After": "7"}}}})

    assert (await client.kingsoft("CreateWaveTask", WAVE)).headers["Retry-After"] == "7"


@pytest.mark.parametrize("fault", ["reset", "empty", "truncate", "garble", 502, {"hang": "1ms"}, {"trickle": "1ms"}])
async def test_a_task_whose_creation_is_answered_badly_has_been_created(client: Client, fault: object) -> None:
    await client.rule({"then": {"fault": fault}})
    with suppress(ConnectionResetError):
        await sent_back(client, create(client.name, connection="close"))

    assert await tasks(client) == 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("reset", "reset"),
        ({"truncate": "20%"}, "truncate: 20% of the body is sent"),
        ({"hang": "1ms"}, "hang: for 0.001 s"),
        (502, "status: somebody on the way answers 502"),
    ],
)
async def test_the_journal_tells_of_the_fault(client: Client, fault: object, said: str) -> None:
    await client.rule({"name": "bad line", "then": {"fault": fault}})
    with suppress(ConnectionResetError):
        await sent_back(client, create(client.name, connection="close"))

    trace = (await client.admin("GET", "requests/1")).json["trace"]

    assert ("gate rules", "r1 (bad line): match 1, applies: fault") in [(row["step"], row["found"]) for row in trace]
    assert trace[-1] == {"step": "fault", "found": said}


async def test_a_refusal_may_be_lost_on_its_way_too(client: Client) -> None:
    await client.rule({"then": {"error": {"code": 1011}, "fault": "empty"}, "when": {"operation": "kingsoft.*"}})

    assert await sent_back(client, create(client.name)) == b""


async def test_a_fault_comes_after_the_latency(client: Client) -> None:
    await client.rule({"then": {"latency": "30ms", "fault": "empty"}})
    loop = asyncio.get_running_loop()
    began = loop.time()

    assert await sent_back(client, create(client.name)) == b""
    assert loop.time() - began >= 0.03


async def test_an_unaffected_client_is_served_while_another_is_kept_waiting(client: Client) -> None:
    await client.rule({"times": {"first": 1}, "then": {"fault": "hang"}})
    async with connected(client) as (_, writer):
        writer.write(create(client.name))
        await begun(client)

        assert (await client.kingsoft("CreateWaveTask", WAVE)).json["ErrNum"] == 0
