"""The other end of the pull mode: takes callbacks from an emulator, forwards them, and says what came of it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import orjson
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from yarl import URL

from emulator.core.callbacks import Answer, CallbackOrder
from emulator.core.clock import Machine, SystemMachine
from emulator.core.errors import EmulatorError
from emulator.core.values import value_type
from emulator.web.admin.site import PREFIX
from emulator.web.sender import HttpSender, OutboundPolicy

PAUSE = 1.0
"""Machine seconds after which a connection that broke is tried again."""
PATIENCE = 30.0
"""Machine seconds without a sign of life after which a connection counts as broken; signs come twice as often."""
LARGEST = 64 * 2**20
"""Bytes that an event may have."""


class NotAnswering(EmulatorError):
    """No emulator answers there."""

    exit_code = 3


class NotAllowed(EmulatorError):
    """The emulator refuses to hand over callbacks."""


@value_type
class Wanted:
    """What a listener is to do.

    Attributes:
        url: the emulator's base URL.
        token: of its admin API.
        account: whose callbacks; ``None``: everybody's.
        forward_to: where they go: a whole URL, or one without a path, which keeps path and query of each callback.

    """

    url: str
    token: str | None
    account: str | None
    forward_to: str


def run(wanted: Wanted, tell: Callable[[str], None]) -> None:
    """Listen until SIGTERM or SIGINT; ``tell`` is given a line for each thing that happens.

    Raises:
        NotAnswering: there is no emulator when it begins.
        NotAllowed: the emulator refuses.

    """

    async def main() -> None:
        loop, listening = asyncio.get_running_loop(), asyncio.ensure_future(listen(wanted, tell))
        for number in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(NotImplementedError):  # Windows has none; Ctrl-C ends it there
                loop.add_signal_handler(number, listening.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await listening

    asyncio.run(main())


async def listen(wanted: Wanted, tell: Callable[[str], None], machine: Machine | None = None) -> None:
    """Listen until cancelled; a connection that breaks is made anew.

    Raises:
        NotAnswering: there is no emulator when it begins.
        NotAllowed: the emulator refuses.

    """
    sender = HttpSender(OutboundPolicy(("*",)), PATIENCE, machine or SystemMachine())
    headers = {"Authorization": f"Bearer {wanted.token}"} if wanted.token else {}
    # no timeout in all: a stream has no end
    session = ClientSession(headers=headers, timeout=ClientTimeout(total=None, sock_connect=PATIENCE))
    attached = False
    try:
        async with session, asyncio.TaskGroup() as forwarding:
            while True:
                try:
                    async for kind, data in _events(session, wanted):
                        if kind == "attached":
                            attached = True
                            whose = f"callbacks of {wanted.account}" if wanted.account else "all callbacks"
                            tell(f"listening on {wanted.url}: {whose} go to {wanted.forward_to}")
                        elif kind == "callback":
                            forwarding.create_task(_forward(session, sender, wanted, data, tell))
                    problem = "it hung up"
                except (ClientError, TimeoutError, OSError) as error:
                    problem = str(error) or type(error).__name__
                if not attached:
                    raise NotAnswering(f"no answer from {wanted.url}: {problem}")
                tell(f"lost {wanted.url} ({problem}); trying again")
                await asyncio.sleep(PAUSE)
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
    finally:
        await sender.close()


def forwarded(url: str, forward_to: str) -> str:
    """Where a callback for ``url`` goes."""
    was, target = URL(url), URL(forward_to)
    if was.scheme not in ("http", "https") or not was.host:
        return url  # which the sender then complains about, as the emulator itself would
    if target.path not in ("", "/") or target.query_string:
        return forward_to
    return f"{target.origin()}{was.raw_path_qs}"


async def _events(session: ClientSession, wanted: Wanted) -> AsyncIterator[tuple[str, Any]]:
    """The events of one connection.

    Raises:
        NotAllowed: the emulator refuses.

    """
    query = {"account": wanted.account} if wanted.account else {}
    url = f"{wanted.url}{PREFIX}/api/listen"
    timeout = ClientTimeout(total=None, sock_connect=PATIENCE, sock_read=PATIENCE)
    async with session.get(url, params=query, timeout=timeout, read_bufsize=LARGEST) as answer:
        if answer.status != 200:
            raise NotAllowed(f"{wanted.url}: {await _reason(answer)}")
        kind = ""
        async for line in answer.content:
            name, _, value = line.rstrip(b"\r\n").partition(b": ")
            if name == b"event":
                kind = value.decode()
            elif name == b"data":
                yield kind, orjson.loads(value)


async def _reason(answer: ClientResponse) -> str:
    try:
        return str(orjson.loads(await answer.read())["detail"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {answer.status}; is it an emulator?"


async def _forward(
    session: ClientSession, sender: HttpSender, wanted: Wanted, offer: Mapping[str, Any], tell: Callable[[str], None]
) -> None:
    """Forward one callback, and say what came of it."""
    body = base64.b64decode(offer["body"])
    target = forwarded(offer["url"], wanted.forward_to)
    order = CallbackOrder(offer["event"], offer["method"], target, offer["headers"], body, offer["pace"])
    answer = await sender.send(order, offer["timeout"], offer["account"])
    found = answer.error or f"{answer.status}"
    tell(f"{offer['account']}: {order.method} {offer['url']} → {target}: {found} ({answer.elapsed * 1000:.0f} ms)")
    try:
        async with session.post(f"{wanted.url}{PREFIX}/api/listen/{offer['id']}", json=_said(answer)) as heard:
            if heard.status != 204:
                tell(f"{wanted.url}: {await _reason(heard)}")
    except (ClientError, TimeoutError, OSError) as error:
        tell(f"{wanted.url} could not be told what came of it: {error}")


def _said(answer: Answer) -> dict[str, Any]:
    said = {
        "status": answer.status,
        "error": answer.error,
        "body": base64.b64encode(answer.body).decode(),
        "elapsed": answer.elapsed,
    }
    return said if answer.retry_after is None else {**said, "retry_after": answer.retry_after}
