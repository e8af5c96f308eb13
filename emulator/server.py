"""Binds and runs an assembled emulator: in this loop, or in a thread with a loop of its own."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import logging
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from pathlib import Path

from aiohttp import HttpVersion11, web
from aiohttp.http_exceptions import HttpProcessingError

from emulator.assembly import assemble, fetcher
from emulator.core.emulation import Emulation
from emulator.core.errors import EmulatorError
from emulator.core.ids import fresh_token
from emulator.settings import Settings
from emulator.web.admin.api import routes
from emulator.web.admin.basics import Readiness
from emulator.web.admin.site import PREFIX, AdminSettings, AdminSite
from emulator.web.ingress import Ingress

STARTING = "starting"
MALLOC_OPTIONS = (-3, 64 * 2**20), (-1, 256 * 2**20), (-2, 64 * 2**20)
"""M_MMAP_THRESHOLD, M_TRIM_THRESHOLD and M_TOP_PAD of glibc's mallopt, in bytes."""
LONGEST_LINE = 64 * 2**10
"""Bytes of a request line or a header: a long query is the API's to refuse."""
GC_THRESHOLDS = 50_000, 100, 50


class PortInUse(EmulatorError):
    """Somebody else listens there."""


class Server:
    """An emulator that listens.

    Attributes:
        emulation: its parts.
        port: the port it listens on; the chosen one if 0 was asked for.
        admin_token: what the admin API demands; ``None`` if it demands nothing.

    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.emulation, self._sender = assemble(settings)
        self._fetcher = fetcher(settings, self.emulation)
        token = settings.admin_token or (None if _is_loopback(settings.host) else fresh_token())
        self.admin_token: str | None = token
        self.port = settings.port
        self._readiness = Readiness([STARTING])
        self._runner: web.ServerRunner | None = None

    @property
    def url(self) -> str:
        """The base URL for a client on this machine."""
        host = self.settings.host
        host = "127.0.0.1" if host in ("0.0.0.0", "") else "[::1]" if host == "::" else host  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{self.port}"

    async def start(self) -> None:
        """Listen. Ready when this returns.

        Raises:
            PortInUse: the port is taken.
            EmulatorError: the address cannot be listened on.

        """
        settings = self.settings
        http = web.Server(
            self._handler(),
            access_log=None,
            logger=_http_logger(),
            auto_decompress=False,
            max_line_size=LONGEST_LINE,
            max_field_size=LONGEST_LINE,
        )
        self._runner = web.ServerRunner(http, shutdown_timeout=min(1.0, settings.grace))
        await self._runner.setup()
        site = web.TCPSite(self._runner, settings.host, settings.port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            if error.errno == errno.EADDRINUSE:
                raise PortInUse(
                    f"port {settings.port} of {settings.host} is in use; choose another with --port"
                ) from None
            raise EmulatorError(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}") from None
        self.port = self._runner.addresses[0][1]
        self.emulation.driver.start()
        self._readiness.pending.remove(STARTING)
        if settings.port_file:
            _write_port(Path(settings.port_file), self.port)

    def _handler(self) -> Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]:
        """What answers a request: the admin API below its prefix, the clouds elsewhere."""
        settings = self.settings
        fetch = self._fetcher.complete if self._fetcher is not None else None
        ingress = Ingress(self.emulation.pipeline.decide, self.emulation.machine, settings.max_body, fetch)
        admin = AdminSite(routes(self.emulation, self._readiness), AdminSettings(self.admin_token, settings.admin_host))

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            target = request.raw_path
            if not target.startswith("/"):  # absolute form, as sent to a proxy: scheme://host/path
                target = "/" + target.partition("://")[2].partition("/")[2]
            if "Expect" in request.headers:
                await _go_on(request)
            if target.startswith(PREFIX) and target[len(PREFIX) :][:1] in ("/", "?", ""):
                return await admin.handle(request)
            return await ingress.handle(request, target)

        return handle

    async def stop(self) -> None:
        """Stop accepting, let what is on its way finish within the grace period, close."""
        if self._runner is not None:
            for site in list(self._runner.sites):
                await site.stop()
            await self.emulation.driver.stop(self.settings.grace)
            await self._runner.cleanup()
            self._runner = None
        await self._sender.close()
        if self._fetcher is not None:
            await self._fetcher.close()


async def serve(settings: Settings, ready: Callable[[Server], None]) -> None:
    """Run until SIGTERM or SIGINT.

    Raises:
        EmulatorError: it cannot start.

    """
    server = Server(settings)
    await server.start()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows has none; Ctrl-C ends it there
            loop.add_signal_handler(number, stop.set)
    ready(server)
    await stop.wait()
    await server.stop()


def run(settings: Settings, ready: Callable[[Server], None]) -> None:
    """Like :func:`serve`, on the fastest loop there is, in a process of its own.

    What was loaded stays, so the garbage collector need not look at it again; nor so often at tasks and journals.
    """
    _keep_freed_memory()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(serve(settings, ready))


def _keep_freed_memory() -> None:
    """Have glibc keep what a picture of megabytes used for the next one: else each page is asked for anew.

    That halves the time of such a request, for some 20 MB. Another C library is left alone.
    """
    if sys.platform != "linux":
        return
    import ctypes

    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        for option, size in MALLOC_OPTIONS:
            libc.mallopt(option, size)


class ThreadedServer:
    """A server in a thread with its own loop, for tests and programs that are not asynchronous.

    Use it as a context manager.
    """

    def __init__(self, settings: Settings) -> None:
        self.server = Server(settings)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._failure: BaseException | None = None
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._main, name="emulator", daemon=True)

    @property
    def url(self) -> str:
        """The base URL."""
        return self.server.url

    @property
    def emulation(self) -> Emulation:
        """The parts; touch them only through the loop of the thread."""
        return self.server.emulation

    def __enter__(self) -> ThreadedServer:
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _main(self) -> None:
        try:
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(self._serve())
        except BaseException as error:  # handed to the thread that waits
            self._failure = error
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        await self.server.start()
        self._started.set()
        await self._stop.wait()
        await self.server.stop()


async def _go_on(request: web.BaseRequest) -> None:
    """Tell a client that asks before it sends a large body to send it; whatever else it expects is ignored."""
    if request.headers["Expect"].lower() == "100-continue" and request.version >= HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _write_port(path: Path, port: int) -> None:
    """Write the port under another name first, so that a reader never finds half of it."""
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_text(f"{port}\n", "ascii")
    unfinished.replace(path)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _http_logger() -> logging.Logger:
    """The HTTP server's logger, on which a client's malformed request is a line and not a traceback."""
    logger = logging.getLogger("emulator.http")
    if not logger.filters:
        logger.addFilter(_without_traceback)
    return logger


def _without_traceback(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError):
        record.exc_info = None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.msg, record.args = "malformed request: %s", (" ".join(str(error).split())[:200],)
    return True
