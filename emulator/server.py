"""Binds and runs an assembled emulator: in this loop, or in a thread with a loop of its own."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import logging
import re
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import HttpVersion11, web
from aiohttp.http_exceptions import HttpProcessingError

from emulator.assembly import assemble, fetcher
from emulator.core.emulation import Emulation
from emulator.core.errors import EmulatorError
from emulator.core.ids import fresh_token
from emulator.core.rule_files import RuleFiles
from emulator.core.values import value_type
from emulator.settings import Settings, data_folder
from emulator.web.admin.api import routes
from emulator.web.admin.basics import Readiness
from emulator.web.admin.hooks import Stage
from emulator.web.admin.site import PREFIX, PROBES, AdminSettings, AdminSite
from emulator.web.admin.trust import CERTIFICATE
from emulator.web.authority import Authority
from emulator.web.console import Console, is_public
from emulator.web.cors import Cors
from emulator.web.door import Door
from emulator.web.hosts import Hosts, check_names, host_of
from emulator.web.ingress import Ingress

if TYPE_CHECKING:
    from emulator.hooks import Hooks

STARTING = "starting"
NO_TOKEN = "none"  # noqa: S105  a setting
"""What ``--admin-token`` says where the admin API is to demand none, wherever it can be reached from."""
OPEN = PROBES | {PREFIX + CERTIFICATE}
"""What the admin API answers on every port, even if it has one of its own."""
LOOK_EVERY = 0.3
"""Seconds between two looks at the rule files; a change counts when the next look finds it as it is."""
MALLOC_OPTIONS = (-3, 64 * 2**20), (-1, 256 * 2**20), (-2, 64 * 2**20)
"""M_MMAP_THRESHOLD, M_TRIM_THRESHOLD and M_TOP_PAD of glibc's mallopt, in bytes."""
LONGEST_LINE = 64 * 2**10
"""Bytes of a request line or a header: a long query is the API's to refuse."""
_ABSOLUTE = re.compile(r"[A-Za-z]+://([^/?#]*)(.*)", re.DOTALL)
"""The target of a request to a proxy: the authority, and the rest of it."""
GC_THRESHOLDS = 50_000, 100, 50
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class PortInUse(EmulatorError):
    """Somebody else listens there."""

    exit_code = 4


@value_type
class _Front:
    """One port: what accepts its connections, and what answers on them."""

    door: Door
    runner: web.ServerRunner


class Server:
    """An emulator that listens.

    Attributes:
        emulation: its parts.
        authority: signs the certificates of the vendors' hosts.
        port: the port it listens on; the chosen one if 0 was asked for.
        tls_port, proxy_port, admin_port: further ports, where they were asked for.
        admin_token: what the admin API demands; ``None`` if it demands nothing.

    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.emulation, self._sender = assemble(settings)
        self._fetcher = fetcher(settings, self.emulation)
        self._cors = Cors(settings.cors) if settings.cors else None
        token = settings.admin_token or (NO_TOKEN if _is_loopback(settings.host) else fresh_token())
        self.admin_token: str | None = None if token == NO_TOKEN else token
        self._hooks = init_hooks(settings, self.emulation)
        self.port = settings.port
        self.tls_port = settings.tls_port
        self.proxy_port = settings.proxy_port
        self.admin_port = settings.admin_port
        vendors = [host for provider in self.emulation.providers.values() for host in provider.hosts]
        check_names("--tls-name", settings.tls_name)
        self._hosts = Hosts(vendors, (*settings.tls_name, *settings.admin_host))
        named = (*self._hosts.fixed, *settings.tls_name)
        folder = Path(settings.ca_dir) if settings.ca_dir else data_folder()
        self.authority = Authority(folder, self.emulation.machine, self._hosts.serves, named)
        self._readiness = Readiness([STARTING])
        states = self._hooks.states if self._hooks is not None else ()
        parts = (self.emulation, self._readiness, self.authority, self._sender, states)
        self._admin = AdminSite(
            [*routes(*parts, secured=self.admin_token is not None), *Console().routes()],
            AdminSettings(self.admin_token, settings.admin_host, lambda path: path in PROBES or is_public(path)),
        )
        self._fronts: list[_Front] = []
        self._watch: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """The base URL for a client on this machine."""
        return f"http://{self._at(self.port)}"

    @property
    def admin_url(self) -> str:
        """The base URL of the admin API."""
        return self.url if self.admin_port is None else f"http://{self._at(self.admin_port)}"

    @property
    def further_urls(self) -> dict[str, str]:
        """What the other ports are for, and their URLs."""
        found = {} if self.tls_port is None else {"TLS": f"https://{self._at(self.tls_port)}"}
        return found if self.proxy_port is None else {**found, "proxy": f"http://{self._at(self.proxy_port)}"}

    def _at(self, port: int) -> str:
        host = self.settings.host
        host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    async def start(self) -> None:
        """Listen. Ready when this returns.

        Raises:
            PortInUse: the port is taken.
            EmulatorError: the address cannot be listened on, or an init hook failed.

        """
        settings = self.settings
        try:
            await self._open_all()
        except OSError as error:
            for front in self._fronts:
                await front.door.close()
                await front.runner.cleanup()
            self._fronts.clear()
            if error.errno == errno.EADDRINUSE:
                raise PortInUse(f"{error.strerror}; choose another with {error.filename}") from None
            raise EmulatorError(f"cannot listen on {settings.host}: {error.strerror}") from None
        self.emulation.driver.start()
        if self.emulation.rule_files:
            self._watch = asyncio.create_task(_look_at(self.emulation.rule_files))
        try:
            await self._run_hooks("ready")
        except BaseException:
            await self._close()
            raise
        self._readiness.pending.remove(STARTING)
        if settings.port_file:
            _write_port(Path(settings.port_file), self.port)

    async def _open_all(self) -> None:
        """Open every port that is wanted.

        Raises:
            OSError: one cannot be listened on; its ``filename`` is the flag that says which.

        """
        settings, handler = self.settings, self._handler()
        self.port = await self._open("--port", settings.port, handler)
        if settings.tls_port is not None:
            self.tls_port = await self._open("--tls-port", settings.tls_port, handler, only_tls=True)
        if settings.proxy_port is not None:
            self.proxy_port = await self._open("--proxy-port", settings.proxy_port, handler)
        if settings.admin_port is not None:
            self.admin_port = await self._open("--admin-port", settings.admin_port, self._admin.handle)

    async def _open(self, name: str, port: int, handler: Handler, *, only_tls: bool = False) -> int:
        """Listen on one port."""
        http = web.Server(
            handler,
            access_log=None,
            logger=_http_logger(),
            auto_decompress=False,
            max_line_size=LONGEST_LINE,
            max_field_size=LONGEST_LINE,
        )
        runner = web.ServerRunner(http, shutdown_timeout=min(1.0, self.settings.grace))
        await runner.setup()
        door = Door(http, self.authority.context, self._hosts.serves, self._hosts.refusal, only_tls=only_tls)
        self._fronts.append(_Front(door, runner))
        try:
            return await door.open(self.settings.host, port)
        except OSError as error:
            text = (
                f"port {port} of {self.settings.host} is in use" if error.errno == errno.EADDRINUSE else error.strerror
            )
            raise OSError(error.errno, text, name) from None

    def _handler(self) -> Handler:
        """What answers a request: the admin API below its prefix, the clouds elsewhere."""
        settings = self.settings
        fetch = self._fetcher.complete if self._fetcher is not None else None
        parts = self.emulation
        ingress = Ingress(parts.pipeline, parts.driver, parts.machine, settings.max_body, fetch, self._cors)
        admin, hosts, split = self._admin, self._hosts, settings.admin_port is not None

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            target = request.raw_path
            if request.method == "CONNECT":  # others have come to the door
                text = "a CONNECT has to come first on its connection, and not in TLS: the proxy's URL is http://…\n"
                return web.Response(status=400, text=text)
            if not target.startswith("/") and (absolute := _ABSOLUTE.match(target)):
                target = absolute[2] if absolute[2].startswith("/") else "/" + absolute[2]
                if not hosts.serves(host := host_of(absolute[1])):
                    return web.Response(status=403, text=f"{hosts.refusal(host)}\n")
            if "Expect" in request.headers:
                await _go_on(request)
            if target.startswith(PREFIX) and target[len(PREFIX) :][:1] in ("/", "?", ""):
                if split and target not in OPEN:
                    return web.Response(status=404, text=f"the admin API is on port {self.admin_port} (--admin-port)\n")
                return await admin.handle(request)
            return await ingress.handle(request, target)

        return handle

    async def stop(self) -> None:
        """Stop accepting, let what is on its way finish within the grace period, close.

        Raises:
            HookFailed: an init hook for the end failed; all is closed nevertheless.

        """
        try:
            if self._fronts:
                await self._run_hooks("shutdown")
        finally:
            await self._close()

    async def _run_hooks(self, stage: Stage) -> None:
        """Run the init hooks of ``stage``."""
        if self._hooks is not None:
            await self._hooks.run(stage, self.url, self.admin_url, self.admin_token, self._readiness.pending)

    async def _close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        if self._fronts:
            for front in self._fronts:
                await front.door.close()
            await self.emulation.driver.stop(self.settings.grace)
            await self._sender.close()
            for front in self._fronts:
                await front.runner.cleanup()
            self._fronts.clear()
        if self._fetcher is not None:
            await self._fetcher.close()


async def serve(settings: Settings, ready: Callable[[Server], None]) -> None:
    """Run until SIGTERM or SIGINT.

    Raises:
        EmulatorError: it cannot start.

    """
    server = Server(settings)
    starting = asyncio.ensure_future(server.start())
    stop = asyncio.Event()

    def told() -> None:
        stop.set()
        starting.cancel()  # while init hooks run

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows has none; Ctrl-C ends it there
            loop.add_signal_handler(number, told)
    try:
        await starting
    except asyncio.CancelledError:
        return
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


def init_hooks(settings: Settings, parts: Emulation) -> Hooks | None:
    """The init hooks, if there are any.

    Raises:
        ConfigurationError: one makes no sense.

    """
    folder = Path(settings.folder) / "init"
    if not settings.folder or not folder.is_dir():
        return None
    from emulator.hooks import Hooks

    fatal = settings.hook_failure == "stop"
    return Hooks(folder, parts.schemas, parts.machine, settings.hook_timeout, fatal=fatal)


async def _look_at(files: RuleFiles) -> None:
    """Have the rules follow what is written to their files."""
    while True:
        await asyncio.sleep(LOOK_EVERY)
        files.look()


async def _go_on(request: web.BaseRequest) -> None:
    """Tell a client that asks before it sends a large body to send it; whatever else it expects is ignored."""
    if request.headers["Expect"].lower() == "100-continue" and request.version >= HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:
        return asyncio.SelectorEventLoop  # the doors look at sockets themselves, which others cannot
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
