"""One port for HTTP, TLS and both ways of a proxy, on asyncio's own loop and on uvloop."""

from __future__ import annotations

import asyncio
import errno
import gc
import inspect
import logging
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import cache
from typing import Any
from unittest.mock import patch

import pytest
import trustme
from aiohttp import web

from emulator.web.door import LONGEST_HEAD, Door, Patience

VENDOR = "aip.baidubce.com"
SERVED = (VENDOR, "::1")
GET = b"GET /path HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
TUNNEL = f"CONNECT {VENDOR}:443 HTTP/1.1\r\nHost: {VENDOR}:443\r\n\r\n".encode()
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
AT_ONCE = Patience(first=0.01, handshake=0.01, refused=0.01, exhausted=0.01)
"""For clients that never do what is waited for."""


def _loops() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    found: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.SelectorEventLoop}
    try:
        import uvloop
    except ImportError:
        return found
    return {**found, "uvloop": uvloop.new_event_loop}


LOOPS = _loops()


def on_each_loop(scenario: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """A test for each loop. It also fails if something is left over by its end, or was only told to the log."""

    def test(loop: str, **given: Any) -> None:
        with asyncio.Runner(loop_factory=LOOPS[loop]) as runner, logged() as found:
            runner.run(watched(scenario, given))
        assert [entry.getMessage() for entry in found if not hasattr(entry, "looked_at")] == []

    test.__name__, test.__module__ = scenario.__name__, scenario.__module__
    parameters = inspect.signature(scenario).parameters.values()
    own = inspect.Parameter("loop", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    test.__signature__ = inspect.Signature([own, *parameters])  # type: ignore[attr-defined]
    return pytest.mark.parametrize("loop", LOOPS)(test)


async def watched(scenario: Callable[..., Awaitable[None]], given: dict[str, Any]) -> None:
    """Run ``scenario``; what the loop would only have told its log is an error."""
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    await scenario(**given)
    gc.collect(1)
    assert not told
    assert asyncio.all_tasks() == {asyncio.current_task()}


@contextmanager
def logged() -> Iterator[list[logging.LogRecord]]:
    """What is logged meanwhile."""
    found: list[logging.LogRecord] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = found.append  # type: ignore[method-assign]
    loggers = [logging.getLogger(name) for name in ("emulator", "asyncio")]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield found
    finally:
        for logger in loggers:
            logger.removeHandler(handler)


@contextmanager
def said_to_the_log() -> Iterator[list[str]]:
    """The messages that are expected there, and looked at."""
    texts: list[str] = []
    with logged() as found:
        yield texts
    for entry in found:
        entry.looked_at = True
        texts.append(entry.getMessage())


@cache
def authority() -> trustme.CA:
    return trustme.CA()


@cache
def secured() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert(VENDOR, "127.0.0.1").configure_cert(context)
    return context


@cache
def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority().configure_trust(context)
    return context


async def answer(request: web.BaseRequest) -> web.Response:
    """How the request came."""
    assert request.transport is not None
    coat = "plain" if request.transport.get_extra_info("ssl_object") is None else "tls"
    return web.Response(text=f"{request.method} {request.raw_path} {coat}")


class Opened:
    """A door that is open, and what clients do at it."""

    def __init__(self, door: Door, port: int) -> None:
        self.door = door
        self.port = port

    @asynccontextmanager
    async def connection(self, **options: Any) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A connection to it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, **options)
        try:
            yield reader, writer
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def say(self, *pieces: bytes, **options: Any) -> bytes:
        """Send ``pieces``, one after the other, and hear all that is said back."""
        async with self.connection(**options) as (reader, writer):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            return await reader.read()

    async def leave(self, *pieces: bytes) -> None:
        """Send ``pieces``, and reset the connection."""
        async with self.connection() as (_, writer):
            for piece in pieces:
                writer.write(piece)
            await writer.drain()
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    async def is_open(self) -> None:
        """It serves on."""
        assert body(await self.say(GET)) == "GET /path plain"


@asynccontextmanager
async def opened(
    patience: Patience | None = None,
    host: str = "127.0.0.1",
    tls: Callable[[], ssl.SSLContext] = secured,
    **options: Any,
) -> AsyncIterator[Opened]:
    """A door with an HTTP server behind it."""
    http = web.Server(answer, access_log=None, logger=logging.getLogger("emulator.tests"))
    runner = web.ServerRunner(http, shutdown_timeout=0.01)
    await runner.setup()
    door = Door(http, tls, SERVED.__contains__, "not {}".format, patience=patience or Patience(), **options)
    try:
        yield Opened(door, await door.open(host, 0))
    finally:
        await door.close()
        await runner.cleanup()


def body(said: bytes) -> str:
    """The body of an answer."""
    return said.partition(b"\r\n\r\n")[2].decode()


# What is spoken


@on_each_loop
async def test_http_is_answered() -> None:
    async with opened() as door:
        assert body(await door.say(GET)) == "GET /path plain"


@on_each_loop
async def test_tls_is_answered() -> None:
    async with opened() as door:
        assert body(await door.say(GET, ssl=trusting())) == "GET /path tls"


@on_each_loop
async def test_a_request_in_absolute_form_is_answered_as_it_came() -> None:
    async with opened() as door:
        said = await door.say(GET.replace(b"/path", b"http://x/path"))

        assert body(said) == "GET http://x/path plain"


@pytest.mark.parametrize("head", [TUNNEL, b"CONNECT aip.baidubce.com:443 HTTP/1.1\n\n"], ids=["usual", "bare newlines"])
@on_each_loop
async def test_http_behind_a_connect_is_answered(head: bytes) -> None:
    async with opened() as door:
        assert await door.say(head, GET) == ESTABLISHED + (await door.say(GET))


@on_each_loop
async def test_tls_behind_a_connect_is_answered() -> None:
    async with opened() as door, door.connection() as (reader, writer):
        writer.write(TUNNEL)
        assert await reader.readuntil(b"\r\n\r\n") == ESTABLISHED
        await writer.start_tls(trusting(), server_hostname=VENDOR)
        writer.write(GET)
        said = await reader.read()

    assert body(said) == "GET /path tls"


@on_each_loop
async def test_a_tls_greeting_in_one_segment_with_its_connect_is_answered() -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = trusting().wrap_bio(incoming, outgoing, server_hostname=VENDOR)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    async with opened() as door, door.connection() as (reader, writer):
        writer.write(TUNNEL + outgoing.read())
        assert await reader.readuntil(b"\r\n\r\n") == ESTABLISHED
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                incoming.write(await reader.read(65536))
        writer.write(outgoing.read())

    assert tls.version() == "TLSv1.3"


@on_each_loop
async def test_a_connect_of_http_1_0_without_headers_is_answered_in_kind() -> None:
    async with opened() as door:
        said = await door.say(b"CONNECT aip.baidubce.com:443 HTTP/1.0\r\n\r\n", GET)

    assert said.startswith(b"HTTP/1.0 200 Connection established\r\n\r\nHTTP/1.1 200 OK\r\n")


@on_each_loop
async def test_a_connect_to_an_ipv6_address_is_granted() -> None:
    async with opened() as door:
        assert (await door.say(b"CONNECT [::1]:443 HTTP/1.1\r\n\r\n", GET)).startswith(ESTABLISHED)


@on_each_loop
async def test_a_method_that_begins_like_connect_is_http() -> None:
    async with opened() as door:
        assert body(await door.say(GET.replace(b"GET", b"CONNECTING"))) != ""
        assert body(await door.say(GET.replace(b"GET", b"COPY"))) == "COPY /path plain"


@on_each_loop
async def test_first_bytes_that_come_one_by_one_are_understood() -> None:
    greeting = ssl.MemoryBIO()
    tls = trusting().wrap_bio(ssl.MemoryBIO(), greeting, server_hostname=VENDOR)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    hello = greeting.read()

    async with opened() as door:
        assert body(await door.say(*_bytes(GET))) == "GET /path plain"
        assert (await door.say(*_bytes(TUNNEL + GET))).startswith(ESTABLISHED + b"HTTP/1.1 200 OK")
        async with door.connection() as (reader, writer):
            for byte in _bytes(hello):
                writer.write(byte)
                await writer.drain()
                await asyncio.sleep(0)
            assert (await reader.readexactly(3))[:2] == b"\x16\x03"  # the server's greeting
            writer.transport.abort()


@on_each_loop
async def test_many_connections_at_once_are_answered() -> None:
    async with opened() as door:
        plain = [door.say(GET) for _ in range(100)]
        tunnels = [door.say(TUNNEL, GET) for _ in range(50)]
        coated = [door.say(GET, ssl=trusting()) for _ in range(20)]
        said = await asyncio.gather(*plain, *tunnels, *coated)

    assert all(b"HTTP/1.1 200 OK" in answer for answer in said)
    assert len(said) == 170


# What is refused


@on_each_loop
async def test_a_connect_to_a_host_that_is_not_served_is_refused_with_the_reason() -> None:
    with said_to_the_log() as texts:
        async with opened() as door:
            said = await door.say(TUNNEL.replace(VENDOR.encode(), b"Example.com"))

    assert said.startswith(b"HTTP/1.1 403 Forbidden: the emulator does not serve example.com\r\n")
    assert body(said) == "not example.com\n"
    assert texts == ["a CONNECT was refused: not example.com"]


@on_each_loop
async def test_a_connect_inside_another_is_refused() -> None:
    async with opened() as door:
        said = await door.say(TUNNEL, TUNNEL)

    assert said.startswith(ESTABLISHED + b"HTTP/1.1 400 Bad Request\r\n")
    assert said.endswith(b"\r\n\r\na CONNECT inside another one is not served\n")


@pytest.mark.parametrize(
    "line",
    [
        "CONNECT aip.baidubce.com HTTP/1.1",
        "CONNECT :443 HTTP/1.1",
        "CONNECT aip.baidubce.com:https HTTP/1.1",
        "CONNECT aip.baidubce.com:443",
        "CONNECT aip.baidubce.com:443 HTTP/2",
        "CONNECT http://aip.baidubce.com:443/ HTTP/1.1",
        "CONNECT a b:443 HTTP/1.1",
        "CONNECT é:443 HTTP/1.1",
        "CONNECT ",
    ],
)
@on_each_loop
async def test_a_connect_to_no_host_and_port_is_refused(line: str) -> None:
    async with opened() as door:
        said = await door.say(line.encode("latin-1") + b"\r\n\r\n")
        await door.is_open()

    assert said.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert body(said) == f"{line.rstrip()!r} is no CONNECT host:port\n"


@on_each_loop
async def test_a_connect_with_endless_headers_is_refused() -> None:
    async with opened() as door:
        said = await door.say(TUNNEL[:-2] + b"X: " + b"x" * LONGEST_HEAD)

    assert said.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert body(said) == f"a CONNECT may have {LONGEST_HEAD} bytes with its headers\n"


@on_each_loop
async def test_http_at_a_port_for_tls_only_is_refused_in_http() -> None:
    async with opened(only_tls=True) as door:
        said, coated = await door.say(GET), await door.say(GET, ssl=trusting())

    assert said.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert body(said) == "this port speaks TLS only: use https://\n"
    assert body(coated) == "GET /path tls"


@on_each_loop
async def test_a_connect_at_a_port_for_tls_only_is_refused() -> None:
    async with opened(only_tls=True) as door:
        assert (await door.say(TUNNEL)).startswith(b"HTTP/1.1 400 Bad Request\r\n")


# Clients that wait, break off or talk nonsense


@on_each_loop
async def test_a_refused_client_that_neither_leaves_nor_speaks_is_left() -> None:
    async with opened(AT_ONCE) as door, door.connection() as (reader, writer):
        writer.write(b"CONNECT nowhere HTTP/1.1\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([], id="nothing"),
        pytest.param([b"CONN"], id="half a method"),
        pytest.param([TUNNEL[:-2]], id="half a CONNECT"),
        pytest.param([TUNNEL], id="nothing behind a CONNECT"),
        pytest.param([b"\x16"], id="a byte of TLS"),
        pytest.param([b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"], id="half a TLS greeting"),
        pytest.param([TUNNEL, b"\x16\x03"], id="half a TLS greeting behind a CONNECT"),
    ],
)
@on_each_loop
async def test_a_client_that_then_says_nothing_is_left(pieces: list[bytes]) -> None:
    async with opened(AT_ONCE) as door:
        assert await door.say(*pieces) in (b"", ESTABLISHED)


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([], id="nothing"),
        pytest.param([TUNNEL[:-2]], id="half a CONNECT"),
        pytest.param([TUNNEL], id="a CONNECT"),
        pytest.param([b"\x16\x03\x01\x02"], id="half a TLS greeting"),
        pytest.param([GET], id="a request"),
        pytest.param([b"CONNECT nowhere HTTP/1.1\r\n\r\n"], id="what is refused"),
    ],
)
@on_each_loop
async def test_a_client_that_resets_its_connection_disturbs_nobody(pieces: list[bytes]) -> None:
    async with opened() as door:
        await door.leave(*pieces)
        await door.is_open()


@on_each_loop
async def test_what_only_begins_like_tls_is_turned_down() -> None:
    async with opened() as door:
        said = await door.say(b"\x16\x03\x01\x00\x05hello and more that is no greeting")

        assert b"HTTP" not in said
        await door.is_open()


@on_each_loop
async def test_what_is_neither_http_nor_tls_gets_a_400() -> None:
    async with opened() as door:
        assert (await door.say(b"\x05\x01\x00\r\n\r\n")).startswith(b"HTTP/1.0 400")


def greet(port: int) -> None:
    """Shake hands as a client that trusts no certificate of ours."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        ssl.create_default_context().wrap_socket(connection, server_hostname=VENDOR)


@on_each_loop
async def test_a_client_that_does_not_trust_the_certificate_is_told_of_in_the_log() -> None:
    with said_to_the_log() as texts:
        async with opened() as door:
            with pytest.raises(ssl.SSLCertVerificationError):
                await asyncio.to_thread(greet, door.port)
            await door.is_open()

    assert len(texts) == 1
    assert "does not trust the emulator's certificate authority" in texts[0]


@on_each_loop
async def test_where_no_certificate_can_be_made_the_log_says_so_and_the_client_is_left() -> None:
    def none() -> ssl.SSLContext:
        raise ValueError("no key can be made")

    with said_to_the_log() as texts:
        async with opened(tls=none) as door:
            with pytest.raises(OSError):  # noqa: PT011
                await door.say(GET, ssl=trusting())
            await door.is_open()

    assert texts == ["a connection could not be served"]


@on_each_loop
async def test_when_files_run_out_those_who_come_wait_and_are_served() -> None:
    accept, failures = socket.socket.accept, [OSError(errno.EMFILE, "Too many open files")]

    def exhausted(listener: socket.socket) -> Any:
        if failures:
            raise failures.pop()
        return accept(listener)

    with said_to_the_log() as texts, patch.object(socket.socket, "accept", exhausted):
        async with opened(AT_ONCE) as door:
            await door.is_open()

    assert texts == ["a connection could not be accepted: [Errno 24] Too many open files"]


# The end


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([], id="nothing"),
        pytest.param([b"CONN"], id="half a method"),
        pytest.param([TUNNEL], id="a CONNECT"),
        pytest.param([b"\x16\x03\x01"], id="half a TLS greeting"),
        pytest.param([b"CONNECT nowhere HTTP/1.1\r\n\r\n"], id="what is refused"),
        pytest.param([b"GET / HTTP/1.1\r\n"], id="half a request"),
        pytest.param([GET.replace(b"close", b"keep-alive")], id="a request"),
    ],
)
@on_each_loop
async def test_a_door_that_closes_lets_go_of_clients_that_have_said(pieces: list[bytes]) -> None:
    async with opened() as door:
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
        for piece in pieces:
            writer.write(piece)
        await door.is_open()  # by then the first one was seen, too
    with suppress(ConnectionResetError):
        await reader.read()
    writer.close()


@on_each_loop
async def test_a_door_that_closes_lets_go_of_a_tls_connection_that_is_kept_alive() -> None:
    async with opened() as door:
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port, ssl=trusting())
        writer.write(GET.replace(b"close", b"keep-alive"))
        await reader.readuntil(b"tls")

    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


@on_each_loop
async def test_nobody_listens_behind_a_closed_door() -> None:
    async with opened() as door:
        pass

    with pytest.raises(ConnectionRefusedError):
        await door.say(GET)


# Where it listens


@pytest.mark.parametrize(
    ("host", "reached"),
    [("", ["127.0.0.1", "::1"]), ("::", ["::1"]), ("localhost", ["127.0.0.1"]), ("0.0.0.0", ["127.0.0.1"])],
)
@on_each_loop
async def test_it_listens_on_one_port_of_every_address_of_its_host(host: str, reached: list[str]) -> None:
    if "::1" in reached and not _has_ipv6():
        pytest.skip("this machine has no IPv6")

    async with opened(host=host) as door:
        for address in reached:
            reader, writer = await asyncio.open_connection(address, door.port)
            writer.write(GET)
            assert body(await reader.read()) == "GET /path plain"
            writer.close()
            await writer.wait_closed()


class TwoAddresses(asyncio.SelectorEventLoop):
    """Knows two addresses for every host; only the second is one of this machine."""

    async def getaddrinfo(self, *_: Any, **__: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 0)) for host in ("192.0.2.1", "127.0.0.1")]


def test_addresses_that_this_machine_does_not_have_are_left_out() -> None:
    async def scenario() -> None:
        async with opened(host="both") as door:
            await door.is_open()

    with asyncio.Runner(loop_factory=TwoAddresses) as runner:
        runner.run(watched(scenario, {}))


@on_each_loop
async def test_a_port_that_is_taken_is_an_error_and_leaves_nothing_open() -> None:
    async with opened() as door:
        other = Door(web.Server(answer), secured, bool, str)
        with pytest.raises(OSError) as raised:  # noqa: PT011
            await other.open("127.0.0.1", door.port)

    assert raised.value.errno == errno.EADDRINUSE


@on_each_loop
async def test_an_address_of_another_machine_is_an_error() -> None:
    door = Door(web.Server(answer), secured, bool, str)
    with pytest.raises(OSError) as raised:  # noqa: PT011
        await door.open("192.0.2.1", 0)

    assert raised.value.errno == errno.EADDRNOTAVAIL


def _bytes(text: bytes) -> list[bytes]:
    return [text[i : i + 1] for i in range(len(text))]


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as found:
            found.bind(("::1", 0))
    except OSError:
        return False
    return True
