"""``emulator doctor callbacks``: what stands between the emulator and a receiver, in plain words."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from emulator.core.clock import SystemMachine
from emulator.web.reach import Finding, reach
from emulator.web.relay import Relay
from emulator.web.sender import HttpSender, OutboundPolicy
from tests.support.client import Client, Start
from tests.support.described import Described
from tests.support.inbox import Inbox
from tests.support.process import run, serving
from tests.support.receivers import closed_port, hang_up, status

OK, FAILED, BAD_CONFIGURATION, NOT_READY = range(4)


async def looked(
    url: str, policy: OutboundPolicy | None = None, *, send: bool = False, inside: bool = False, pull: bool = False
) -> list[Finding]:
    """What is found on the way to ``url``."""
    sender = HttpSender(policy or OutboundPolicy(), 5.0, SystemMachine())
    relay = Relay(sender, 5.0, SystemMachine(), pull=pull)
    try:
        return await reach(url, relay, "default", 5.0, send=send, inside=inside)
    finally:
        await relay.close()


@pytest.fixture(name="silent")
async def _silent() -> AsyncIterator[int]:
    """A port on which somebody listens who never says anything: no TLS, at any rate."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def test_a_receiver_that_answers_is_found_step_by_step(inbox: Inbox) -> None:
    found = await looked(inbox.url)

    assert [finding.step for finding in found] == ["url", "resolve", "policy", "connect", "answer"]
    assert all(finding.ok for finding in found)


async def test_only_a_question_for_options_is_sent(inbox: Inbox) -> None:
    await looked(inbox.url)

    assert [(entry.method, entry.body) for entry in inbox.received] == [("OPTIONS", b"")]


async def test_with_send_a_small_body_is_posted(inbox: Inbox) -> None:
    await looked(inbox.url, send=True)

    (entry,) = inbox.received
    assert (entry.method, entry.json) == ("POST", {"probe": "callbacks"})
    assert entry.headers["X-Emulator-Probe"] == "callbacks"


async def test_an_answer_that_would_count_as_a_failure_is_one_only_if_a_body_was_posted(inbox: Inbox) -> None:
    inbox.answers += [status(500), status(500)]

    assert (await looked(inbox.url))[-1].ok
    last = (await looked(inbox.url, send=True))[-1]
    assert not last.ok
    assert "from 200 to 299" in last.advice


async def test_a_receiver_that_speaks_no_http_is_told(inbox: Inbox) -> None:
    inbox.answers.append(hang_up)

    last = (await looked(inbox.url))[-1]

    assert (last.step, last.ok) == ("answer", False)
    assert "speaks no HTTP" in last.advice


@pytest.mark.parametrize("url", ["ftp://host/x", "host:9000", "", "http://", "http://host:99999/"])
async def test_what_is_no_url_is_told(url: str) -> None:
    (finding,) = await looked(url)

    assert (finding.step, finding.ok) == ("url", False)
    assert "http://HOST:PORT/PATH" in finding.advice


async def test_in_a_container_localhost_is_explained() -> None:
    with closed_port() as port:
        last = (await looked(f"http://localhost:{port}/", inside=True))[-1]

    assert (last.step, last.ok) == ("connect", False)
    assert "in a container localhost is the container itself" in last.advice
    assert "localhost=host.docker.internal" in last.advice
    assert "host.docker.internal:host-gateway" in last.advice


async def test_on_a_machine_nobody_listening_is_just_that() -> None:
    with closed_port() as port:
        last = (await looked(f"http://127.0.0.1:{port}/"))[-1]

    assert "nobody listens there" in last.said
    assert "listen on 0.0.0.0" in last.advice


@pytest.mark.parametrize(
    ("host", "advice"),
    [("app", "--callback-rewrite (EMULATOR_CALLBACK_REWRITE) app=OTHER"), ("host.docker.internal", "host-gateway")],
)
async def test_a_name_that_nobody_knows_is_told(monkeypatch: pytest.MonkeyPatch, host: str, advice: str) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    last = (await looked(f"http://{host}:9000/"))[-1]

    assert (last.step, last.ok) == ("resolve", False)
    assert advice in last.advice


@pytest.mark.parametrize(
    ("address", "advice"),
    [("8.8.8.8", "--callback-allow 8.8.8.8"), ("169.254.169.254", "cannot be allowed")],
)
async def test_what_the_policy_refuses_is_told(address: str, advice: str) -> None:
    last = (await looked(f"http://{address}/"))[-1]

    assert (last.step, last.ok) == ("policy", False)
    assert advice in last.advice


async def test_a_name_for_a_public_address_is_refused_by_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    row = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 80))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [row])

    last = (await looked("http://public.test/"))[-1]

    assert (last.step, last.ok) == ("policy", False)
    assert "--callback-allow public.test" in last.advice


async def test_a_rewritten_host_is_looked_at_in_its_place(inbox: Inbox) -> None:
    url = str(URL(inbox.url).with_host("app.invalid"))

    found = await looked(url, OutboundPolicy(rewrites={"app.invalid": "127.0.0.1"}))

    assert [finding.step for finding in found] == ["url", "route", "resolve", "policy", "connect", "answer"]
    assert all(finding.ok for finding in found)
    assert inbox.received[0].headers["Host"].startswith("app.invalid")


async def test_a_certificate_that_is_not_trusted_is_told(silent: int) -> None:
    last = (await looked(f"https://127.0.0.1:{silent}/"))[-1]

    assert (last.step, last.ok) == ("tls", False)
    assert "SSL_CERT_FILE" in last.advice


async def test_in_pull_mode_without_a_listener_it_says_what_to_start(inbox: Inbox) -> None:
    last = (await looked(inbox.url, pull=True))[-1]

    assert (last.step, last.ok) == ("route", False)
    assert "emulator listen --forward-to URL" in last.advice


async def test_a_listener_that_is_attached_is_told(client: Client, inbox: Inbox) -> None:
    relay = client.server._sender
    listener = relay.attach(None)

    found = (await client.admin("POST", "/doctor/callbacks", {"url": inbox.url})).json
    relay.detach(listener)

    assert found["ok"]
    assert "listener 1 is attached" in found["findings"][-1]["said"]


async def test_the_answer_of_the_route_is_as_described(start: Start, inbox: Inbox) -> None:
    admin = await Described.of(await start())

    good = await admin("POST", "/api/doctor/callbacks", {"url": inbox.url})
    bad = await admin("POST", "/api/doctor/callbacks", {"url": "x", "send": True, "account": "ci"})

    assert (good.json["ok"], bad.json["ok"]) == (True, False)


def test_the_verb_prints_each_step_and_what_to_do(tmp_path: Path) -> None:
    with serving(tmp_path, "-p", "0") as server, closed_port() as port:
        good = run(tmp_path, "doctor", "callbacks", f"{server.url}/", "--url", server.url)
        bad = run(tmp_path, "doctor", "callbacks", f"http://127.0.0.1:{port}/", "--url", server.url)

    assert (good.returncode, good.stderr) == (OK, "")
    assert all(line.startswith("ok ") for line in good.stdout.splitlines())
    assert bad.returncode == FAILED
    assert bad.stdout.splitlines()[-2].startswith("NO  connect")
    assert bad.stdout.splitlines()[-1].strip().startswith("→ ")


def test_the_verb_says_that_no_emulator_answers(tmp_path: Path) -> None:
    with closed_port() as port:
        done = run(tmp_path, "doctor", "callbacks", "http://x/", "--url", f"http://127.0.0.1:{port}")

    assert (done.returncode, done.stdout) == (NOT_READY, "")
    assert "no answer from" in done.stderr
