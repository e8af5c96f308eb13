"""A receiver of callbacks: it records what comes, and answers as it is told."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from emulator.core.values import value_type
from emulator.testing.later import Rows

SHUT = 0.05
"""Seconds that the end of a receiver takes at most."""


@value_type
class Received:
    """One request that reached an inbox.

    Attributes:
        at: the instant, by the account's clock; ``None`` if nobody could say.
        path: what follows the inbox's URL.
        headers: whose names may be written in any case.

    """

    at: datetime | None
    method: str
    path: str
    headers: Message
    body: bytes

    @property
    def text(self) -> str:
        """The body as a text."""
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


@value_type
class Answer:
    """What an inbox answers: nothing at all if ``hangs``."""

    status: int = 200
    body: bytes = b"Ok"
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0
    hangs: bool = False


class Inbox:
    """Receives the callbacks of one test at :attr:`url`.

    It answers 200 unless it is told otherwise, and listens from the moment that somebody asks for its URL.
    """

    def __init__(
        self, name: str, receiver: Callable[[], Receiver], now: Callable[[], datetime | None], hint: Callable[[], str]
    ) -> None:
        self.name = name
        self._receiver = receiver
        self._now = now
        self._hint = hint
        self._opened: Receiver | None = None
        self._received: list[Received] = []
        self._changed = threading.Condition()
        self._released = threading.Event()
        self._standing = Answer()
        self._next: deque[Answer] = deque()

    @property
    def url(self) -> str:
        """What to give to the program under test; paths below it are received, too."""
        if self._opened is None:
            self._opened = self._receiver()
            self._opened.add(self)
        return f"{self._opened.url}/{self.name}"

    @property
    def received(self) -> list[Received]:
        """Everything that came, in order."""
        with self._changed:
            return list(self._received)

    @property
    def last(self) -> Received:
        """What came last.

        Raises:
            AssertionError: nothing came.

        """
        __tracebackhide__ = True
        found = self.received
        if not found:
            raise AssertionError(f"no callback has arrived{self._hint()}")
        return found[-1]

    @property
    def only(self) -> Received:
        """The only one that came.

        Raises:
            AssertionError: nothing came, or more than one.

        """
        __tracebackhide__ = True
        found = self.received
        if len(found) > 1:
            raise AssertionError(f"{len(found)} callbacks have arrived: {_told(found)}")
        return self.last

    def find(self, **members: Any) -> list[Received]:
        """Those whose JSON has these members, with these values."""
        wanted = members.items()
        return [entry for entry in self.received if isinstance(said := _read(entry), dict) and wanted <= said.items()]

    def wait(self, count: int = 1, timeout: float = 5.0) -> Rows[Received]:
        """Wait until so many have come, for ``timeout`` seconds at most: all that came.

        Raises:
            AssertionError: they have not.

        """
        __tracebackhide__ = True

        def work() -> list[Received]:
            __tracebackhide__ = True
            with self._changed:
                if self._changed.wait_for(lambda: len(self._received) >= count, timeout):
                    return list(self._received)
                came = _told(self._received)
            raise AssertionError(f"waited {timeout:g} s for {count} callbacks; arrived: {came}{self._hint()}")

        return Rows(f"emulator.inbox.wait({count})", work)

    def answer(
        self,
        status: int = 200,
        body: str | bytes = "Ok",
        headers: Mapping[str, str] | None = None,
        *,
        delay: float = 0.0,
        times: int | None = None,
    ) -> None:
        """Answer like this from now on, or only the next so many ``times``; ``delay`` in seconds."""
        content = body.encode() if isinstance(body, str) else body
        self._answer(Answer(status, content, tuple((headers or {}).items()), delay), times)

    def fail_times(self, count: int, status: int = 503) -> None:
        """Refuse the next ``count`` callbacks, then go on as before."""
        self.answer(status, "", times=count)

    def hang(self, times: int | None = None) -> None:
        """Do not answer, until the sender gives up; from now on, or only the next so many ``times``."""
        self._answer(Answer(hangs=True), times)

    def clear(self) -> None:
        """Forget what came, answer 200 again, and let go of who hangs."""
        with self._changed:
            self._received.clear()
            self._next.clear()
            self._standing = Answer()
            self._released.set()
            self._released = threading.Event()

    def close(self) -> None:
        """Receive nothing any more."""
        if self._opened is not None:
            self._opened.remove(self)
            self._opened = None
        self.clear()

    def receive(self, method: str, path: str, headers: Message, body: bytes) -> Answer | None:
        """Record a request, and wait as long as the answer, or none, is to take."""
        entry = Received(self._now(), method, path, headers, body)
        with self._changed:
            self._received.append(entry)
            answer = self._next.popleft() if self._next else self._standing
            released = self._released
            self._changed.notify_all()
        if answer.hangs:
            released.wait()
            return None
        if answer.delay:
            released.wait(answer.delay)
        return answer

    def _answer(self, answer: Answer, times: int | None) -> None:
        with self._changed:
            if times is None:
                self._standing = answer
                self._next.clear()
            else:
                self._next.extend([answer] * times)


class Receiver:
    """Listens for any number of inboxes, each below a path of its own.

    Args:
        host: the address to listen on.
        address: what the emulator calls this machine, if that is something else.

    """

    def __init__(self, host: str = "127.0.0.1", address: str = "") -> None:
        self._inboxes: dict[str, Inbox] = {}
        self._server = _Listening((host, 0), _handler(self._inboxes))
        self.url = f"http://{address or host}:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(SHUT,), name="emulator inbox", daemon=True
        )
        self._thread.start()

    def add(self, inbox: Inbox) -> None:
        """Receive for ``inbox``."""
        self._inboxes[inbox.name] = inbox

    def remove(self, inbox: Inbox) -> None:
        """Answer 410 from now on, after which nobody sends any more."""
        self._inboxes.pop(inbox.name, None)

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Listening(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """A sender that gave up is no news."""


def _handler(inboxes: Mapping[str, Inbox]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def receive(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            name, _, path = self.path.removeprefix("/").partition("/")
            name, mark, query = name.partition("?")
            inbox = inboxes.get(name)
            gone = Answer(410, b"the test that this was for is over")
            below = f"/{path}{mark}{query}"
            answer = inbox.receive(self.command, below, self.headers, body) if inbox is not None else gone
            if answer is None:
                return
            self.send_response(answer.status)
            for header, value in answer.headers:
                self.send_header(header, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_DELETE = do_GET = do_PATCH = do_POST = do_PUT = receive  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Requests are recorded, not printed."""

    return Handler


def _read(entry: Received) -> Any:
    try:
        return entry.json
    except ValueError:
        return None


def _told(entries: Iterable[Received]) -> str:
    return "; ".join(entry.text[:200] for entry in entries) or "none"
