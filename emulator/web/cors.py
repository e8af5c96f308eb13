"""Cross-origin requests (CORS): pages of the origins that were named may call the emulated clouds from a browser.

The vendors' own hosts answer none; this is for a page under development. The admin API never takes part.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from aiohttp import web

from emulator.core.errors import ConfigurationError, Problem

ANY = "*"
AGE = 600
"""Seconds for which a browser need not ask again."""
_ORIGIN = re.compile(r"null|[a-z][a-z0-9+.-]*://(?:\[[0-9a-f:.]+\]|[^/?#@\s\[\]:]+)(?::[0-9]{1,5})?")
_TOKENS = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+(?:\s*,\s*[A-Za-z0-9!#$%&'*+.^_`|~-]+)*")


class Cors:
    """Says to browsers which pages may call.

    Args:
        origins: ``https://app.test:3000``, ``null`` (a page of a file), or ``*`` for all. A page of a named origin may
            send its credentials (cookies); with ``*`` none may.

    Raises:
        ConfigurationError: one is no origin.

    """

    def __init__(self, origins: Iterable[str]) -> None:
        named = [origin.lower() for origin in origins]
        problems = [
            Problem("--cors", "", f"{origin!r} is no origin: SCHEME://HOST[:PORT] without a path, null, or *")
            for origin in named
            if origin != ANY and not _ORIGIN.fullmatch(origin)
        ]
        if problems:
            raise ConfigurationError(problems)
        self._any = ANY in named
        self._named = frozenset(named) - {ANY}

    def preflight(self, request: web.BaseRequest) -> web.Response | None:
        """The answer to a browser that asks whether it may send a request; ``None`` to anything else."""
        asked = request.headers
        method = asked.get("Access-Control-Request-Method")
        if request.method != "OPTIONS" or method is None or not _TOKENS.fullmatch(method):
            return None
        allowed = self._allowed(asked)
        if allowed is None:
            return None
        headers = {**allowed, "Access-Control-Allow-Methods": method, "Access-Control-Max-Age": str(AGE)}
        wanted = asked.get("Access-Control-Request-Headers", "")
        if _TOKENS.fullmatch(wanted):
            headers["Access-Control-Allow-Headers"] = wanted
        if asked.get("Access-Control-Request-Private-Network") == "true":
            headers["Access-Control-Allow-Private-Network"] = "true"
        return web.Response(status=204, headers=headers)

    def headers(self, asked: Mapping[str, str], reply: Mapping[str, str]) -> dict[str, str]:
        """The headers of a reply to a request with the headers ``asked``, with those that let the page read it."""
        allowed = self._allowed(asked)
        if allowed is None:
            return {**reply, "Vary": "Origin"}
        return {**reply, **allowed, "Access-Control-Expose-Headers": ", ".join(reply)}

    def _allowed(self, asked: Mapping[str, str]) -> dict[str, str] | None:
        """That the page may call; ``None`` if it may not, or if no page calls."""
        origin = asked.get("Origin")
        if origin is None:
            return None
        if origin.lower() in self._named:
            return {
                "Access-Control-Allow-Origin": origin,
                "Access-Control-Allow-Credentials": "true",
                "Vary": "Origin",
            }
        return {"Access-Control-Allow-Origin": ANY, "Vary": "Origin"} if self._any else None
