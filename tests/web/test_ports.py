"""What each port of an emulator speaks: all in one, and split over several."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.server import Server
from emulator.settings import Settings
from tests.support import wire
from tests.support.client import TRAIN_TICKET, WAVE, Client, Start
from tests.support.inbox import Inbox
from tests.support.process import run, serving
from tests.support.receivers import closed_port

OK, PORT_IN_USE = 0, 4
LIST = "/?Action=GetPresetList&Version=2017-01-01"
LIVE = b'{"status":"alive"}\n'
FLAGS = ("--port", "--tls-port", "--proxy-port", "--admin-port")


def trusting(server: Server) -> ssl.SSLContext:
    """A client's context that trusts the emulator."""
    return ssl.create_default_context(cadata=server.authority.certificate.decode())


async def ask(
    port: int | None, request: str, context: ssl.SSLContext | None = None, name: str = "localhost"
) -> wire.Reply:
    """Send a request to a port."""
    tls = {"ssl": context, "server_hostname": name} if context is not None else {}
    reader, writer = await asyncio.open_connection("127.0.0.1", port, **tls)  # type: ignore[arg-type]
    writer.write(f"{request} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
    said = await reader.read()
    writer.close()
    await writer.wait_closed()
    return wire.Reply(said)


# One port


async def test_the_port_speaks_tls_as_any_of_the_vendors_hosts(client: Client) -> None:
    context = trusting(client.server)
    for name in ("aip.baidubce.com", "kvs.cn-beijing-6.api.ksyun.com", "localhost"):
        assert (await ask(client.server.port, "GET /_emulator/livez", context, name)).status in (200, 403)

    answer = await ask(client.server.port, f"GET {LIST}", context, "kvs.cn-beijing-6.api.ksyun.com")
    assert json.loads(answer.body)["ErrNum"] == 0


async def test_a_name_that_was_added_is_served_by_tls_and_as_a_proxy(start: Start) -> None:
    server = (await start(tls_name=("Emulator.Test",))).server

    assert (await ask(server.port, f"GET {LIST}", trusting(server), "emulator.test")).status == 200
    assert (await ask(server.port, f"GET http://emulator.test{LIST}")).status == 200


@pytest.mark.parametrize(
    "target",
    [
        "http://kvs.api.ksyun.com/?Action=GetPresetList&Version=2017-01-01",
        "http://kvs.cn-beijing-6.api.ksyun.com:80/?Action=GetPresetList&Version=2017-01-01",
        "http://KVS.api.ksyun.com?Action=GetPresetList&Version=2017-01-01",
        "HTTP://127.0.0.1:1/?Action=GetPresetList&Version=2017-01-01",
        "http://[::1]:1/?Action=GetPresetList&Version=2017-01-01",
    ],
)
async def test_a_proxy_request_for_a_vendors_host_is_answered_here(client: Client, target: str) -> None:
    answer = await ask(client.server.port, f"GET {target}")

    assert json.loads(answer.body)["ErrNum"] == 0


@pytest.mark.parametrize("target", ["http://example.com/", "http://example.com:8080/?a=b", "ftp://example.com"])
async def test_a_proxy_request_for_another_host_is_refused_with_the_reason(client: Client, target: str) -> None:
    answer = await ask(client.server.port, f"GET {target}")

    assert answer.status == 403
    assert b"aip.baidubce.com only, not " in answer.body
    assert answer.body.endswith(b"or name it with --tls-name\n")


async def test_a_proxy_request_for_the_emulator_itself_reaches_its_admin_api(client: Client) -> None:
    own = f"http://127.0.0.1:{client.server.port}"

    assert (await ask(client.server.port, f"GET {own}/_emulator/livez", name="127.0.0.1")).body == LIVE


async def test_a_connect_inside_tls_is_refused_with_what_to_do(client: Client) -> None:
    answer = await ask(client.server.port, "CONNECT aip.baidubce.com:443", trusting(client.server))

    assert answer.status == 400
    assert b"not in TLS: the proxy's URL is http://" in answer.body


async def test_a_connect_that_is_not_the_first_request_of_its_connection_is_refused(client: Client) -> None:
    first = b"GET /_emulator/livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    second = b"CONNECT aip.baidubce.com:443 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    answer = await wire.send(client, first + second)

    assert b"a CONNECT has to come first on its connection" in answer.body


# What goes out


@pytest.fixture(name="proxied")
def _proxied(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An environment that names a proxy where nobody listens."""
    with closed_port() as port:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield


@pytest.mark.usefixtures("proxied")
async def test_callbacks_go_straight_to_their_receiver_whatever_proxy_the_environment_names(
    client: Client, inbox: Inbox
) -> None:
    await client.kingsoft("CreateWaveTask", {**WAVE, "CbUrl": inbox.url})
    await client.advance("10m")

    assert len(inbox.bodies) == 1


@pytest.mark.usefixtures("proxied")
async def test_pictures_are_fetched_straight_from_their_server_whatever_proxy_the_environment_names(
    start: Start, inbox: Inbox
) -> None:
    client = await start(url_fetch="policy")

    await client.recognise(await client.token(), templateSign=TRAIN_TICKET, url=inbox.url)

    assert [request.method for request in inbox.received] == ["GET"]


# The end


async def test_a_client_that_has_said_nothing_does_not_hold_up_the_end() -> None:
    server = Server(Settings(port=0, seed=7, grace=600))
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    async with asyncio.timeout(30):
        await server.stop()

        assert await reader.read() == b""
    writer.close()


# Ports of their own


async def test_a_port_for_tls_speaks_nothing_else(start: Start) -> None:
    server = (await start(tls_port=0)).server

    assert (await ask(server.tls_port, f"GET {LIST}", trusting(server), "kvs.api.ksyun.com")).status == 200
    plain = await ask(server.tls_port, f"GET {LIST}")
    assert (plain.status, plain.body) == (400, b"this port speaks TLS only: use https://\n")


async def test_a_port_for_the_proxy_answers_proxy_requests(start: Start) -> None:
    server = (await start(proxy_port=0)).server

    assert server.proxy_port != server.port
    assert (await ask(server.proxy_port, f"GET http://kvs.api.ksyun.com{LIST}")).status == 200


async def test_a_port_for_the_admin_api_takes_it_from_the_others() -> None:
    server = Server(Settings(port=0, tls_port=0, proxy_port=0, admin_port=0, seed=7))
    await server.start()
    try:
        there = await ask(server.admin_port, "GET /_emulator/api/accounts")
        for port in (server.port, server.proxy_port):
            here = await ask(port, "GET /_emulator/api/accounts")
            assert (here.status, there.status) == (404, 200)
            assert here.body == f"the admin API is on port {server.admin_port} (--admin-port)\n".encode()
    finally:
        await server.stop()


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/health", "/ca.pem"])
async def test_probes_and_the_certificate_are_on_every_port(path: str) -> None:
    server = Server(Settings(port=0, proxy_port=0, admin_port=0, seed=7))
    await server.start()
    try:
        for port in (server.port, server.proxy_port, server.admin_port):
            assert (await ask(port, f"GET /_emulator{path}")).status == 200
    finally:
        await server.stop()


async def test_the_port_for_the_admin_api_has_no_cloud() -> None:
    server = Server(Settings(port=0, admin_port=0, seed=7))
    await server.start()
    try:
        assert (await ask(server.admin_port, f"GET {LIST}")).status == 404
    finally:
        await server.stop()


# As a process


def test_the_ready_line_names_every_port_and_the_verbs_find_them(tmp_path: Path) -> None:
    flags = [word for name in FLAGS for word in (name, "0")]
    with serving(tmp_path, *flags) as server:
        words = server.ready.replace(",", "").split()
        urls = {name: words[words.index(name) + 1] for name in ("admin", "TLS", "proxy")}
        admin = urls["admin"].removesuffix("/_emulator/api")

        assert len({server.url, admin, *urls.values()}) == 5
        assert urls["TLS"].startswith("https://127.0.0.1:")
        for verb in ("wait", "healthcheck", "env"):
            assert run(tmp_path, verb, "--url", server.url).returncode == OK
        done = run(tmp_path, "verify", "--url", admin)
        assert "verdict on account default: ok" in done.stdout
        assert server.stop()[0] == OK


def test_a_command_is_given_its_verdict_where_the_admin_api_has_a_port_of_its_own(tmp_path: Path) -> None:
    done = run(tmp_path, "exec", "--admin-port", "0", "--", "true")

    assert done.returncode == OK, done.stderr


@pytest.fixture(name="taken")
def _taken() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.parametrize("name", FLAGS)
def test_a_port_that_is_taken_ends_the_start_with_code_4_and_the_flag(tmp_path: Path, taken: int, name: str) -> None:
    done = run(tmp_path, "serve", *([] if name == "--port" else ["--port", "0"]), name, str(taken))

    assert (done.returncode, done.stdout) == (PORT_IN_USE, "")
    assert done.stderr == f"emulator: port {taken} of 127.0.0.1 is in use; choose another with {name}\n"


def test_an_address_that_this_machine_does_not_have_ends_the_start_with_one_line(tmp_path: Path) -> None:
    done = run(tmp_path, "serve", "--port", "0", "--host", "192.0.2.1")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("emulator: cannot listen on 192.0.2.1: ")
    assert done.stderr.count("\n") == 1
