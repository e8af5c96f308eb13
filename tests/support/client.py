"""A small client of a running emulator, for tests of the wire."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import ClientSession

from emulator.server import Server

WAVE = {
    "Preset": "wave",
    "SrcInfo": {"path": "/src-bucket/in/a.mp3"},
    "DstBucket": "dst-bucket",
    "DstObjectKey": "wave/a.json",
    "points": 1000,
}
TRANSCODE = {
    "Preset": "hd_mp4",
    "SrcInfo": [{"path": "/src-bucket/in/a.mp4", "index": 0, "type": "video"}],
    "DstBucket": "dst-bucket",
    "DstObjectKey": "out/a.mp4",
}
TRAIN_TICKET = "1c65a67f151df56ba4e29c4dddace5ee"
RECOGNISE = "/rest/2.0/solution/v1/iocr/recognise"


class Answered:
    """A reply, read."""

    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def reason(self) -> str:
        """What the emulator says about its refusal, in plain words."""
        return self.headers.get("X-Emulator-Reason", "")


class Client:
    """Talks to the emulator as one account: ``name`` is its name and its access key."""

    def __init__(self, server: Server, session: ClientSession, name: str = "AKTEST") -> None:
        self.server = server
        self.name = name
        self._session = session

    def named(self, name: str) -> Client:
        """A client of the same emulator that calls as another account."""
        return Client(self.server, self._session, name)

    async def request(self, method: str, path: str, **options: Any) -> Answered:
        async with self._session.request(method, self.server.url + path, **options) as answer:
            return Answered(answer.status, answer.headers, await answer.read())

    async def kingsoft(
        self, action: str, document: Any = None, *, version: str = "2017-01-01", **query: str
    ) -> Answered:
        """A call with the access key in the query: POST with a JSON body, GET without."""
        params = {
            "Action": action,
            "Version": version,
            "X-Amz-Credential": f"{self.name}/20260101/cn-beijing-6/kvs/aws4_request",
            **query,
        }
        if document is None:
            return await self.request("GET", "/", params=params)
        body = document if isinstance(document, (bytes, str)) else json.dumps(document)
        return await self.request("POST", "/", params=params, data=body, headers={"Content-Type": "application/json"})

    async def token(self) -> str:
        """An access token for the API key ``name``."""
        params = {"grant_type": "client_credentials", "client_id": self.name, "client_secret": "any"}
        found: str = (await self.request("GET", "/oauth/2.0/token", params=params)).json["access_token"]
        return found

    async def recognise(self, token: str, **form: str) -> Answered:
        """A recognise call with ``form`` in its body."""
        return await self.request("POST", RECOGNISE, params={"access_token": token}, data=form)

    async def admin(self, method: str, path: str, document: Any = None, **params: str) -> Answered:
        """The admin API below this account: ``tasks``, ``clock/advance``, …; an absolute path below ``/api`` too."""
        full = f"/_emulator/api{path}" if path.startswith("/") else f"/_emulator/api/accounts/{self.name}/{path}"
        options: dict[str, Any] = {"params": params}
        if document is not None:
            options["json"] = document
        return await self.request(method, full.rstrip("/"), **options)

    async def advance(self, seconds: float | str) -> Any:
        """Move the account's frozen clock."""
        answer = await self.admin("POST", "clock/advance", {"seconds": seconds})
        assert answer.status == 200, answer.body
        return answer.json

    async def rule(self, document: dict[str, Any]) -> Answered:
        """Set a rule."""
        return await self.admin("POST", "rules", document)


Start = Callable[..., Awaitable[Client]]
"""Starts an emulator with the settings given: the fixture ``start``."""
