"""Receivers of callbacks as they are in life: gone, slow, broken, forbidden, or calling back in."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from tests.conftest import START
from tests.support import receivers
from tests.support.client import TRANSCODE, WAVE, Client, Start
from tests.support.inbox import Answer, Inbox

END = START + 6
"""When a wave task of the default plan ends that was created at ``START``."""


async def delivery_to(client: Client, url: str, **deliver: object) -> Any:
    """What the ledger says of the callback of a task that has ended and whose ``CbUrl`` was ``url``."""
    if deliver:
        await client.rule({"when": {"operation": "kingsoft.CreateWaveTask"}, "then": {"plan": {"deliver": deliver}}})
    task = (await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": url})).json["TaskID"]
    await client.advance("10m")
    shown = await client.kingsoft("GetTaskByTaskID", TaskID=task)
    assert shown.json["TaskInfo"]["TaskStatus"] == "succ"
    (found,) = (await client.admin("GET", "deliveries", task=task)).json["deliveries"]
    return found


async def failure_of(client: Client, url: str, **deliver: object) -> str:
    """Why the only attempt to call ``url`` had no answer; the task itself has succeeded all the same."""
    delivery = await delivery_to(client, url, **deliver)
    assert delivery["status"] == "failed"
    assert [attempt["status"] for attempt in delivery["attempts"]] == [None]
    error: str = delivery["attempts"][0]["error"]
    return error


@pytest.fixture(name="connected")
async def _connected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that are connected to from now on; beyond loopback every attempt is refused on the spot."""
    loop = asyncio.get_running_loop()
    connect, addresses = loop.sock_connect, []

    async def sock_connect(sock: socket.socket, address: Any) -> None:
        addresses.append(address[0])
        if address[0] != "127.0.0.1":
            raise ConnectionRefusedError("beyond loopback")
        await connect(sock, address)

    monkeypatch.setattr(loop, "sock_connect", sock_connect)
    return addresses


@pytest.fixture(name="name_at")
def _name_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str | None], None]:
    """Lets a host name have an address, or none, as a name server would say."""

    def name_at(name: str, address: str | None) -> None:
        known = socket.getaddrinfo

        def getaddrinfo(host: Any, port: Any, *rest: Any, **options: Any) -> Any:
            if host == name and address is None:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return known(address if host == name else host, port, *rest, **options)

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    return name_at


# Addresses that cannot be called


@pytest.mark.parametrize(
    "url",
    ["xxxxx", "http://", "http:///path", "//127.0.0.1/", "ftp://127.0.0.1/", "http://127.0.0.1:99999/", "http://[::1/"],
)
async def test_a_callback_to_what_is_no_url_fails_and_says_so(client: Client, url: str) -> None:
    assert (await failure_of(client, url)).startswith(f"{url!r} is no URL that can be called")


async def test_a_callback_to_a_host_name_that_does_not_exist_fails_and_says_so(
    client: Client, name_at: Callable[[str, str | None], None]
) -> None:
    name_at("receiver.invalid", None)

    error = await failure_of(client, "http://receiver.invalid/callback")

    assert error == "the name cannot be resolved: Name or service not known"


async def test_a_callback_to_a_port_where_nobody_listens_fails_and_says_so(client: Client) -> None:
    with receivers.closed_port() as port:
        error = await failure_of(client, f"http://127.0.0.1:{port}/callback")

    assert error == "connection refused: nobody listens there"


# Receivers that misbehave


async def test_a_receiver_that_never_answers_has_as_long_as_the_setting_says(start: Start, inbox: Inbox) -> None:
    client = await start(callback_timeout=0.05)
    inbox.answers.append(receivers.hang)

    assert await failure_of(client, inbox.url) == "no answer within 0.05 s"


async def test_a_receiver_that_never_answers_has_as_long_as_the_plan_says(client: Client, inbox: Inbox) -> None:
    inbox.answers.append(receivers.hang)

    assert await failure_of(client, inbox.url, timeout="60ms") == "no answer within 0.06 s"


async def test_a_receiver_that_closes_the_connection_fails_the_delivery_and_the_error_says_so(
    client: Client, inbox: Inbox
) -> None:
    inbox.answers.append(receivers.hang_up)

    assert await failure_of(client, inbox.url) == "the receiver closed the connection without an answer"


async def test_a_redirect_is_not_followed(client: Client, inbox: Inbox) -> None:
    inbox.answers.append(receivers.redirect(inbox.url))

    delivery = await delivery_to(client, inbox.url)

    assert len(inbox.received) == 1
    assert delivery["status"] == "failed"
    assert [(attempt["status"], attempt["error"]) for attempt in delivery["attempts"]] == [
        (302, "the receiver answered 302; redirects are not followed")
    ]


@pytest.mark.parametrize("status", [400, 404, 500, 503])
async def test_an_answer_that_is_not_2xx_fails_the_delivery_and_is_kept(
    client: Client, inbox: Inbox, status: int
) -> None:
    inbox.answers.append(receivers.status(status, "out of order"))

    delivery = await delivery_to(client, inbox.url)

    assert delivery["status"] == "failed"
    assert [(found["status"], found["error"], found["answer"]) for found in delivery["attempts"]] == [
        (status, f"the receiver answered {status}", "out of order")
    ]


@pytest.mark.parametrize("status", [200, 201, 204])
async def test_any_2xx_answer_delivers(client: Client, inbox: Inbox, status: int) -> None:
    inbox.answers.append(receivers.status(status))

    assert (await delivery_to(client, inbox.url))["status"] == "delivered"


async def test_a_receiver_that_hangs_does_not_keep_the_callbacks_of_other_tasks(client: Client, inbox: Inbox) -> None:
    inbox.answers.append(receivers.hang)
    impatient = {"plan": {"deliver": {"timeout": "50ms"}}}
    await client.rule({"when": {"operation": "kingsoft.*"}, "times": {"first": 1}, "then": impatient})
    for _ in range(3):
        await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url})

    await client.advance("10m")

    statuses = [found["status"] for found in (await client.admin("GET", "deliveries")).json["deliveries"]]
    assert statuses == ["failed", "delivered", "delivered"]


async def test_a_huge_answer_of_a_receiver_is_kept_as_far_as_its_first_4096_bytes(client: Client, inbox: Inbox) -> None:
    inbox.answers.append(receivers.status(200, "A" * 1_000_000))

    delivery = await delivery_to(client, inbox.url)

    assert delivery["status"] == "delivered"
    assert delivery["attempts"][0]["answer"] == "A" * 4096


AT_ONCE = {"when": {"operation": "kingsoft.*"}, "then": {"plan": {"queue": 0, "run": 0, "upload": 0}}}


async def test_a_receiver_that_hangs_does_not_keep_those_at_other_addresses_waiting(start: Start, inbox: Inbox) -> None:
    client, gate, other = await start(frozen=False, callback_senders=1), receivers.Gate(), Inbox()
    await other.start()
    inbox.answers.append(gate.answer)
    await client.rule(AT_ONCE)
    await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url})
    await gate.reached()

    await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": other.url})

    found = (await client.admin("GET", "deliveries", status="delivered", wait="60s")).json["deliveries"]
    assert [delivery["number"] for delivery in found] == [2]
    gate.open()
    await other.stop()


async def test_callbacks_beyond_the_number_of_senders_wait_and_then_all_arrive(start: Start, inbox: Inbox) -> None:
    client, gate = await start(frozen=False, callback_senders=1), receivers.Gate()
    inbox.answers.append(gate.answer)
    await client.rule(AT_ONCE)
    for _ in range(3):
        await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url})
    await gate.reached()

    assert len(inbox.received) == 1
    gate.open()

    assert (await client.admin("GET", "deliveries", status="delivered", wait="60s", count="3")).json["satisfied"]
    assert len(inbox.received) == 3


async def test_every_one_of_many_callbacks_arrives_exactly_once(start: Start, inbox: Inbox) -> None:
    client = await start(frozen=False)
    await client.rule(AT_ONCE)
    calls = (client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url}) for _ in range(200))

    created = [answer.json["TaskID"] for answer in await asyncio.gather(*calls)]

    assert (await client.admin("GET", "deliveries", status="delivered", wait="60s", count="200")).json["satisfied"]
    assert sorted(body["TaskID"] for body in inbox.bodies) == sorted(created)


# Retries


async def test_a_failed_delivery_is_tried_again_after_waits_that_double(client: Client, inbox: Inbox) -> None:
    inbox.answers += [receivers.status(500), receivers.status(500)]

    delivery = await delivery_to(client, inbox.url, attempts=3, backoff="10s")

    assert [(found["number"], found["at"], found["status"]) for found in delivery["attempts"]] == [
        (1, END, 500),
        (2, END + 10, 500),
        (3, END + 30, 200),
    ]
    assert delivery["status"] == "delivered"


async def test_a_delivery_whose_attempts_are_used_up_has_failed(client: Client, inbox: Inbox) -> None:
    inbox.answers += [receivers.status(500)] * 5

    delivery = await delivery_to(client, inbox.url, attempts=3, backoff=1)

    assert (delivery["status"], delivery["next_attempt"]) == ("failed", None)
    assert len(inbox.received) == 3


async def test_a_delivery_is_pending_between_two_attempts_and_says_when_the_next_is(
    client: Client, inbox: Inbox
) -> None:
    inbox.answers.append(receivers.status(500))
    plan = {"deliver": {"attempts": 2, "backoff": "1h"}}
    await client.rule({"when": {"operation": "kingsoft.*"}, "then": {"plan": plan}})
    await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url})

    await client.advance("10m")

    (delivery,) = (await client.admin("GET", "deliveries")).json["deliveries"]
    assert (delivery["status"], delivery["next_attempt"]) == ("pending", END + 3600)


async def test_every_attempt_of_a_delivery_sends_the_same_bytes(client: Client, inbox: Inbox) -> None:
    inbox.answers += [receivers.status(500), receivers.hang_up]

    await delivery_to(client, inbox.url, attempts=3, backoff=1)

    assert len(inbox.received) == 3
    assert len({received.body for received in inbox.received}) == 1


def busy(status: int, **headers: str) -> Answer:
    """Answers with that status and those headers."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={name.replace("_", "-"): text for name, text in headers.items()})

    return answer


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry_After": "120"}, 120),
        ({"Retry_After": "3"}, 10),
        ({"Retry_After": "Wed, 21 Oct 2015 07:30:00 GMT", "Date": "Wed, 21 Oct 2015 07:28:00 GMT"}, 120),
        ({"Retry_After": "Wed, 21 Oct 2015 07:28:00 GMT", "Date": "Wed, 21 Oct 2015 07:30:00 GMT"}, 10),
        ({"Retry_After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 10),
        ({"Retry_After": "9" * 400}, 366 * 86400),
        ({"Retry_After": "soon"}, 10),
        ({"Retry_After": "-5"}, 10),
        ({"Retry_After": "Wed, 99 Oct 2015 07:28:00 GMT"}, 10),
    ],
)
async def test_a_receiver_may_make_the_next_wait_longer(
    client: Client, inbox: Inbox, headers: dict[str, str], wait: float
) -> None:
    inbox.answers.append(busy(503, **headers))
    plan = {"deliver": {"attempts": 2, "backoff": "10s"}}
    await client.rule({"when": {"operation": "kingsoft.*"}, "then": {"plan": plan}})
    await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url})

    await client.advance("367d")

    (delivery,) = (await client.admin("GET", "deliveries")).json["deliveries"]
    assert [attempt["at"] - END for attempt in delivery["attempts"]] == [0, wait]
    assert delivery["status"] == "delivered"


async def test_a_receiver_that_is_gone_for_good_is_not_tried_again(client: Client, inbox: Inbox) -> None:
    inbox.answers.append(busy(410, Retry_After="1"))

    delivery = await delivery_to(client, inbox.url, attempts=5, backoff="1s")

    assert (delivery["status"], delivery["next_attempt"]) == ("failed", None)
    assert len(inbox.received) == 1


async def test_a_receiver_that_hangs_at_first_is_tried_again(client: Client, inbox: Inbox) -> None:
    inbox.answers.append(receivers.hang)

    delivery = await delivery_to(client, inbox.url, attempts=2, backoff="1m", timeout="50ms")

    assert [(found["at"], found["status"]) for found in delivery["attempts"]] == [(END, None), (END + 60, 200)]


async def test_a_refused_connection_is_tried_again_too(client: Client) -> None:
    with receivers.closed_port() as port:
        delivery = await delivery_to(client, f"http://127.0.0.1:{port}/", attempts=2, backoff=1)

    assert [attempt["error"] for attempt in delivery["attempts"]] == ["connection refused: nobody listens there"] * 2


# Where callbacks may go


async def test_a_loopback_address_is_connected_to(client: Client, inbox: Inbox, connected: list[str]) -> None:
    await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url})
    connected.clear()

    await client.advance("10m")

    assert connected == ["127.0.0.1"]


@pytest.mark.parametrize("url", ["http://8.8.8.8/", "https://8.8.8.8/", "http://[2001:4860:4860::8888]/"])
async def test_a_public_address_is_refused_without_a_connection_and_the_error_says_how_to_allow_it(
    client: Client, connected: list[str], url: str
) -> None:
    error = await failure_of(client, url)

    assert "a public address; allow it with --callback-allow" in error
    assert set(connected) <= {"127.0.0.1"}


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[fe80::1]/",
        "http://[fd00:ec2::254]/",
        "http://100.100.100.200/",
        "http://224.0.0.1/",
        "http://0.0.0.0/",
        "http://[::]/",
        "http://[::ffff:169.254.169.254]/",
    ],
)
async def test_a_metadata_address_is_refused_without_a_connection_even_where_everything_is_allowed(
    start: Start, connected: list[str], url: str
) -> None:
    client = await start(callback_allow=("*",))

    error = await failure_of(client, url)

    assert "which is never called" in error
    assert set(connected) <= {"127.0.0.1"}


@pytest.mark.parametrize("host", ["2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518"])
async def test_a_metadata_address_in_another_spelling_is_refused_without_a_connection(
    start: Start, connected: list[str], host: str
) -> None:
    client = await start(callback_allow=("*",))

    await failure_of(client, f"http://{host}/")

    assert set(connected) <= {"127.0.0.1"}


async def test_a_name_that_is_at_a_metadata_address_is_refused_without_a_connection(
    start: Start, connected: list[str], name_at: Callable[[str, str | None], None]
) -> None:
    client = await start(callback_allow=("*",))
    name_at("innocent.example", "169.254.169.254")

    error = await failure_of(client, "http://innocent.example/")

    assert error == (
        "innocent.example is 169.254.169.254, a link-local, metadata or multicast address, which is never called"
    )
    assert set(connected) <= {"127.0.0.1"}


async def test_a_name_that_is_at_a_public_address_is_refused_without_a_connection(
    client: Client, connected: list[str], name_at: Callable[[str, str | None], None]
) -> None:
    name_at("receiver.example", "8.8.8.8")

    error = await failure_of(client, "http://receiver.example/")

    assert error == "receiver.example is 8.8.8.8, a public address; allow it with --callback-allow receiver.example"
    assert set(connected) <= {"127.0.0.1"}


@pytest.mark.parametrize("allowed", ["*", "receiver.example", "*.example", "8.8.8.8", "8.8.0.0/16"])
async def test_a_public_address_that_is_allowed_is_connected_to(
    start: Start, connected: list[str], name_at: Callable[[str, str | None], None], allowed: str
) -> None:
    client = await start(callback_allow=(allowed,))
    name_at("receiver.example", "8.8.8.8")

    await failure_of(client, "http://receiver.example/")

    assert "8.8.8.8" in connected


async def test_a_rewritten_host_is_reached_elsewhere_and_keeps_its_host_header(start: Start, inbox: Inbox) -> None:
    client = await start(callback_rewrite=("receiver.example=127.0.0.1",))
    url = inbox.url.replace("127.0.0.1", "receiver.example")

    delivery = await delivery_to(client, url)

    assert delivery["status"] == "delivered"
    assert delivery["request"]["url"] == url
    assert inbox.received[0].headers["Host"] == url.split("/")[2]


async def test_a_host_is_not_rewritten_to_an_address_that_may_not_be_called(start: Start, connected: list[str]) -> None:
    client = await start(callback_rewrite=("receiver.example=169.254.169.254",))

    assert "which is never called" in await failure_of(client, "http://receiver.example/")
    assert set(connected) <= {"127.0.0.1"}


# Receivers that call back in


def poller(client: Client, seen: list[Any]) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Asks, in the middle of a callback, how the task is doing, and notes the answer down."""

    async def answer(request: web.Request) -> web.Response:
        task = json.loads(await request.read())["TaskID"]
        shown = await client.kingsoft("GetTaskByTaskID", TaskID=task)
        seen.append(shown.json["TaskInfo"]["TaskStatus"])
        return web.Response()

    return answer


async def test_a_poll_from_within_the_final_callback_finds_the_task_ended(client: Client, inbox: Inbox) -> None:
    seen: list[Any] = []
    inbox.answers.append(poller(client, seen))
    await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url})

    await client.advance("10m")

    assert seen == ["succ"]


async def test_a_poll_from_within_a_progress_callback_finds_the_task_running(client: Client, inbox: Inbox) -> None:
    seen: list[Any] = []
    inbox.answers += [poller(client, seen)] * 3
    await client.rule({"when": {"operation": "kingsoft.*"}, "then": {"plan": {"progress": [0, 50]}}})
    ext = json.dumps({"Callback": {"progress_cburl": inbox.url, "progress_interval": 5}})
    await client.kingsoft("CreateTask", {**TRANSCODE, "ExtParam": ext})

    await client.advance("10m")

    assert seen == ["exec", "exec", "exec"]


async def test_a_poll_from_within_the_callback_of_a_failure_finds_the_task_failed(client: Client, inbox: Inbox) -> None:
    seen: list[Any] = []
    inbox.answers.append(poller(client, seen))
    await client.rule({"when": {"operation": "kingsoft.*"}, "then": {"plan": {"outcome": {"fail": 3150}}}})
    await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url})

    await client.advance("10m")

    assert seen == ["fail"]


async def test_a_poll_from_within_a_retry_finds_the_task_as_it_is_then(client: Client, inbox: Inbox) -> None:
    seen: list[Any] = []
    inbox.answers += [receivers.status(500), poller(client, seen)]

    await delivery_to(client, inbox.url, attempts=2, backoff="1m")

    assert seen == ["succ"]


async def test_a_task_that_a_receiver_creates_during_its_callback_runs_within_the_same_advance(
    client: Client, inbox: Inbox
) -> None:
    async def create_another(request: web.Request) -> web.Response:
        await client.kingsoft("CreateWaveTask", {**WAVE, "DstObjectKey": "second", "CbUrl": inbox.url})
        return web.Response()

    inbox.answers.append(create_another)
    await client.kingsoft("CreateWaveTask", {**WAVE, "DstObjectKey": "first", "CbUrl": inbox.url})

    await client.advance("10m")

    assert [body["Details"]["items"] for body in inbox.bodies] == [[{"dstpath": "first"}], [{"dstpath": "second"}]]
    deliveries = (await client.admin("GET", "deliveries")).json["deliveries"]
    assert [found["due"] for found in deliveries] == [END, END + 6]


# Bodies that come slowly, or not whole


async def test_a_body_that_is_sent_slowly_arrives_whole_and_with_its_length(client: Client, inbox: Inbox) -> None:
    delivery = await delivery_to(client, inbox.url, **{"slow-body": "40ms"})

    (received,) = inbox.received
    assert received.headers["Content-Length"] == str(len(received.body))
    assert "Transfer-Encoding" not in received.headers
    assert received.json["TaskID"] == delivery["task"]
    assert (delivery["status"], delivery["chaos"]) == ("delivered", ["slow-body"])


async def test_a_body_that_is_sent_slowly_comes_in_pieces(client: Client, inbox: Inbox) -> None:
    sizes: list[int] = []
    closed = asyncio.Event()

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        while not sizes or sizes[-1]:
            sizes.append(len(await reader.read(1)))
        writer.close()
        await writer.wait_closed()
        closed.set()

    listening = await asyncio.start_server(count, "127.0.0.1", 0, limit=2**16)
    port = listening.sockets[0].getsockname()[1]

    delivery = await delivery_to(client, f"http://127.0.0.1:{port}/", **{"slow-body": "1h", "timeout": "200ms"})

    await closed.wait()
    listening.close()
    assert delivery["attempts"][0]["error"] == "no answer within 0.2 s"
    assert 0 < sum(sizes) < 100


async def test_a_corrupt_body_arrives_with_its_length(client: Client, inbox: Inbox) -> None:
    await delivery_to(client, inbox.url, corrupt=True)

    (received,) = inbox.received
    assert received.headers["Content-Length"] == str(len(received.body))
    with pytest.raises(ValueError, match=r".+"):
        json.loads(received.body)


# Callbacks that come before the answer


async def early(client: Client, **deliver: object) -> None:
    """Have the tasks of ``client`` call back before their creation is answered."""
    plan = {"base": "early", "deliver": deliver}
    await client.rule({"when": {"operation": "kingsoft.*"}, "then": {"plan": plan}})


async def test_an_early_callback_is_there_before_the_answer_on_a_clock_that_stands_still(
    client: Client, inbox: Inbox
) -> None:
    await early(client)

    task = (await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url})).json["TaskID"]

    assert [body["TaskID"] for body in inbox.bodies] == [task]
    (delivery,) = (await client.admin("GET", "deliveries")).json["deliveries"]
    assert (delivery["status"], delivery["chaos"], delivery["due"]) == ("delivered", ["early"], START)


async def test_an_early_callback_is_there_before_the_answer_on_a_clock_that_runs(start: Start, inbox: Inbox) -> None:
    client = await start(frozen=False)
    await early(client)

    await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url})

    assert len(inbox.received) == 1


async def test_a_creation_is_not_answered_before_the_early_callback_is_over(client: Client, inbox: Inbox) -> None:
    gate = receivers.Gate()
    inbox.answers.append(gate.answer)
    await early(client)
    creating = asyncio.ensure_future(client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url}))
    await gate.reached()
    polled = await client.kingsoft("GetTaskByTaskID", TaskID=inbox.bodies[0]["TaskID"])

    assert not creating.done()
    assert polled.json["TaskInfo"]["TaskStatus"] == "succ"
    gate.open()
    assert (await creating).json["TaskID"] == inbox.bodies[0]["TaskID"]


async def test_a_receiver_that_hangs_holds_the_answer_up_for_one_attempt_only(client: Client, inbox: Inbox) -> None:
    inbox.answers.append(receivers.hang)
    await early(client, timeout="50ms")

    answer = await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url})

    assert answer.json["ErrNum"] == 0


async def test_every_task_of_a_batch_calls_back_before_the_answer(client: Client, inbox: Inbox) -> None:
    await early(client)
    tasks = [{**TRANSCODE, "DstObjectKey": f"out/{number}.mp4", "CbUrl": inbox.url} for number in range(3)]

    answer = await client.kingsoft("BatchCreateTask", {"Tasks": tasks})

    assert [body["TaskID"] for body in inbox.bodies] == [made["TaskID"] for made in answer.json["Tasks"]]


async def test_a_reset_while_an_early_callback_is_on_its_way_lets_the_creation_be_answered(
    client: Client, inbox: Inbox
) -> None:
    gate = receivers.Gate()
    inbox.answers.append(gate.answer)
    await early(client, attempts=3, backoff=1)
    creating = asyncio.ensure_future(client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url}))
    await gate.reached()

    await client.admin("POST", "reset")

    assert (await creating).json["ErrNum"] == 0
    await client.advance("1d")
    assert len(inbox.received) == 1
    assert (await client.admin("GET", "deliveries")).json["deliveries"] == []


# Resets


async def test_after_a_reset_in_the_middle_of_an_advance_nothing_arrives(client: Client, inbox: Inbox) -> None:
    gate = receivers.Gate()
    inbox.answers.append(gate.answer)
    plan = {"deliver": {"attempts": 3, "duplicate": {"copies": 3, "after": "1s"}, "storm": True, "double-final": True}}
    await client.rule({"when": {"operation": "kingsoft.*"}, "then": {"plan": plan}})
    for _ in range(3):
        await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url})
    advancing = asyncio.ensure_future(client.admin("POST", "clock/advance", {"seconds": "10m"}))
    await gate.reached()

    await client.admin("POST", "reset")
    await advancing
    await client.advance("1d")

    assert len(inbox.received) == 1
    assert (await client.admin("GET", "deliveries")).json["deliveries"] == []
