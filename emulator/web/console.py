"""The console: the pages for a person at a browser, as they lie in ``static``, also in a zip.

They are the same for everybody and hold no secret, so they are shown without a token; what they show is asked of the
admin API, which demands it. A page may load and call nothing but this emulator, and no other page may frame it.
"""

from __future__ import annotations

import hashlib
import re

from aiohttp import web

from emulator.web.admin.site import NAMED, PREFIX, Refused, Route

STATIC = "/static/"
PAGES = frozenset({PREFIX, PREFIX + "/"})
"""Where the console itself is."""
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css", "svg": "image/svg+xml", "png": "image/png"}
_NAME = re.compile(r"(?:[a-z0-9_-]+/)*[a-z0-9_-]+\.(html|js|css|svg|png)")


class Console:
    """The files of the console."""

    def routes(self) -> list[Route]:
        """What can be asked."""
        return [
            Route("GET", "", self.forward),
            Route("GET", "/", self.page),
            Route("GET", STATIC + "{file:.*}", self.file),
        ]

    async def forward(self, request: web.BaseRequest) -> web.Response:
        """To the page, below whose path its files are."""
        return web.Response(status=308, headers={"Location": PREFIX + "/"})

    async def page(self, request: web.BaseRequest) -> web.Response:
        """The page."""
        return _sent(request, "index.html")

    async def file(self, request: web.BaseRequest) -> web.Response:
        """One of its scripts, styles or pictures."""
        return _sent(request, request[NAMED]["file"])


def is_public(path: str) -> bool:
    """Whether what is at ``path`` belongs to the console, which anybody may have."""
    return path in PAGES or path.startswith(PREFIX + STATIC)


def _sent(request: web.BaseRequest, name: str) -> web.Response:
    """The file ``name``, unless the browser has it already.

    Raises:
        Refused: there is none.

    """
    from importlib.resources import files

    found = _NAME.fullmatch(name)
    try:
        if found is None:
            raise FileNotFoundError
        content = files("emulator.web").joinpath("static", *name.split("/")).read_bytes()
    except (FileNotFoundError, IsADirectoryError, KeyError):
        raise Refused(404, f"the console has no file {name!r}") from None
    tag = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
    headers = {
        "ETag": tag,
        "Cache-Control": "no-cache",
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    if tag in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    return web.Response(body=content, content_type=TYPES[found[1]], charset="utf-8", headers=headers)
