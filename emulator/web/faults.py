"""Faults of a connection: performed on the socket, after everything else was done."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import cast

from aiohttp import web

from emulator.core.exchange import Reply
from emulator.core.faults import Fault

DROPS = 50
"""Pieces in which a body trickles."""
LOOK_EVERY = 0.1
"""Machine seconds after which somebody who keeps a client waiting looks whether it is still there."""
_NO_LINGER = struct.pack("ii", 1, 0)


async def perform(fault: Fault, reply: Reply, request: web.BaseRequest) -> web.StreamResponse:
    """Send of ``reply`` what ``fault`` lets through. The connection is closed afterwards, unless it only trickled."""
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    with contextlib.suppress(ConnectionError):  # the client has gone away: nobody is left to be harmed
        match fault.kind:
            case "reset":
                _reset(request)
            case "hang":
                await _patience(fault.over, request)
            case "truncate":
                await _begin(response, reply, request)
                await response.write(reply.body[: int(len(reply.body) * fault.share)])
            case "trickle":
                await _begin(response, reply, request)
                size = max(1, -(-len(reply.body) // DROPS))
                pieces = [reply.body[start : start + size] for start in range(0, len(reply.body), size)]
                for piece in pieces:
                    await response.write(piece)
                    await _patience(fault.over / len(pieces), request)
                await response.write_eof()
                return response
    _close(request)
    return response


async def _patience(seconds: float, request: web.BaseRequest) -> None:
    """Wait so long, or until the client has gone away."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while (left := end - loop.time()) > 0:
        if request.transport is None or request.transport.is_closing():
            return
        await asyncio.sleep(min(LOOK_EVERY, left))


async def _begin(response: web.StreamResponse, reply: Reply, request: web.BaseRequest) -> None:
    """Send the head, which says how long the whole body is."""
    response.content_length = len(reply.body)
    writer = await response.prepare(request)
    if writer is not None:
        writer.send_headers()


def _close(request: web.BaseRequest) -> None:
    """Close the connection once what was written is sent."""
    if request.transport is not None:
        request.transport.close()


def _reset(request: web.BaseRequest) -> None:
    """Tear the connection down, so that the client sees a reset and no end."""
    if request.transport is not None:
        connection = cast("socket.socket | None", request.transport.get_extra_info("socket"))
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        request.transport.abort()
