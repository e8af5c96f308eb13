"""Bytes on the wire, for requests that no HTTP client would send."""

from __future__ import annotations

import asyncio

from tests.support.client import Client


class Reply:
    """What came back until the server closed the connection."""

    def __init__(self, sent_back: bytes) -> None:
        head, _, self.body = sent_back.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(first.split(" ")[1]) if " " in first else 0
        pairs = (line.partition(":") for line in lines)
        self.headers = {name.strip().title(): value.strip() for name, _, value in pairs}


async def send(client: Client, request: bytes) -> Reply:
    """Send ``request`` as it is to the client's emulator; it has to ask for the connection to be closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.server.port)
    try:
        writer.write(request)
        await writer.drain()
        return Reply(await reader.read())
    finally:
        writer.close()
        await writer.wait_closed()


async def get(client: Client, target: bytes) -> Reply:
    """Ask for ``target``, to the byte."""
    return await send(client, b"GET " + target + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
