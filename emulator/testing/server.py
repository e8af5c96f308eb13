"""An emulator that tests share: one in a thread of this process, or one that runs elsewhere."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from fnmatch import fnmatchcase
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emulator.client import AdminClient, AdminError, account_path
from emulator.core.errors import ConfigurationError, EmulatorError, Problem, nearest
from emulator.testing.facade import Emulator

if TYPE_CHECKING:
    from emulator.environment import Certificates
    from emulator.testing.inbox import Receiver

PATIENCE = 600.0
"""Seconds that an answer may take: a clock that moves far has many callbacks to send."""
AGAIN = 100
"""Names that are tried for an account before it is given up."""


class EmulatorServer:
    """An emulator and what tests on it have in common.

    Attributes:
        url: the base URL, for clients of both clouds.
        client: its admin API.
        token: what that demands, if anything.
        in_process: whether it runs in a thread of this process.

    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        admin_url: str = "",
        in_process: bool = False,
        inbox_host: str = "127.0.0.1",
        inbox_address: str = "",
    ) -> None:
        self.url = url.rstrip("/")
        self.token = token
        self.client = AdminClient(admin_url or url, token, PATIENCE)
        self.in_process = in_process
        self._inbox = inbox_host, inbox_address
        self._stack = ExitStack()
        self._stack.callback(self.client.close)

    def __repr__(self) -> str:
        return f"<emulator at {self.url}>"

    def open(self, name: str, document: Mapping[str, Any] | None = None, *, verified: bool = True) -> Emulator:
        """Make an account: ``name``, or a like one if that is taken.

        Args:
            name: what it is called.
            document: all else (``schemas/emulator/account.json``).
            verified: whether it has secrets, against which signatures are held.

        """
        for number in count(1):
            wanted = name if number == 1 else f"{name}.{number}"
            asked = {**(document or {}), "name": wanted}
            if not verified:
                asked["kingsoft"] = {"access_key": wanted, **asked.get("kingsoft", {})}
                asked["baidu"] = {"api_key": wanted, **asked.get("baidu", {})}
            try:
                return Emulator(self, self.client.post("/accounts", asked)[1])
            except AdminError as error:
                if number == AGAIN or f"there is an account {wanted!r}" not in error.detail:
                    raise
        raise AssertionError("unreachable")

    def receiver(self) -> Receiver:
        """The receiver of all inboxes."""
        return self._receiver

    def unknown(self, operation: str) -> str:
        """Why no operation is called so (a pattern will do); empty if one is."""
        if any(fnmatchcase(known, operation) for known in self._operations):
            return ""
        return f"no operation is called {operation}{nearest(operation, self._operations)}"

    def starts_task(self, operation: str) -> bool:
        """Whether an operation, or one that a pattern means, creates a task."""
        return any(starts and fnmatchcase(known, operation) for known, starts in self._operations.items())

    def without_credentials(self) -> int:
        """How many requests came that belong to no account of a test."""
        from emulator.core.accounts import DEFAULT

        found: int = self.client.get(account_path(DEFAULT))[1]["requests"]
        return found

    def close(self) -> None:
        """Let go of it; the emulator itself goes on."""
        self._stack.close()

    @cached_property
    def _operations(self) -> Mapping[str, bool]:
        return {row["name"]: row["starts_task"] for row in self.client.get("/operations")[1]["operations"]}

    @cached_property
    def _receiver(self) -> Receiver:
        from emulator.testing.inbox import Receiver

        receiver = Receiver(*self._inbox)
        self._stack.callback(receiver.close)
        return receiver


@contextmanager
def started(given: Mapping[str, Any], **options: Any) -> Iterator[EmulatorServer]:
    """An emulator in a thread of this process, with the settings ``given``; ``emulator.toml`` counts, too.

    Raises:
        ConfigurationError: a setting does not exist or makes no sense.

    """
    from emulator.server import ThreadedServer
    from emulator.settings import FIELDS, resolve

    if unknown := [
        Problem(name, "", f"no such setting{nearest(name, FIELDS)}") for name in given if name not in FIELDS
    ]:
        raise ConfigurationError(unknown)
    settings, _ = resolve(given, {}, None)
    with ThreadedServer(settings) as threaded:
        server = threaded.server
        base = server.url.rpartition(":")[0]
        admin = "" if server.admin_port is None else f"{base}:{server.admin_port}"
        shared = EmulatorServer(server.url, server.admin_token, admin_url=admin, in_process=True, **options)
        try:
            yield shared
        finally:
            shared.close()


@contextmanager
def connected(url: str, token: str | None = None, **options: Any) -> Iterator[EmulatorServer]:
    """An emulator that runs elsewhere.

    Raises:
        EmulatorError: it does not, or does not let us.

    """
    shared = EmulatorServer(url, token, **options)
    try:
        shared.client.get("/operations")
    except AdminError as error:
        raise EmulatorError(f"the emulator at {url} refuses: {error}") from None
    try:
        yield shared
    finally:
        shared.close()


def account_name(test: str, place: str) -> str:
    """A name for the account of a test: like the test's, and the same in each run."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", test).strip("-")[:60] or "test"
    return f"{readable}-{zlib.crc32(place.encode()):08x}"


def environment_of(emulator: Emulator, certificates: Certificates) -> dict[str, str]:
    """The variables that a program needs so that it finds the emulator, and is the account."""
    from emulator import environment

    server = emulator.server
    keys = {
        f"EMULATOR_{cloud.name}_{name}".upper(): value
        for cloud in (emulator.kingsoft, emulator.baidu)
        for name, value in cloud.credentials.items()
    }
    own = {"EMULATOR_ACCOUNT": emulator.account, **keys}
    return {**environment.endpoints(server.url, server.token), **environment.proxied(server.url, certificates), **own}


def certificates_of(server: EmulatorServer, folder: Path) -> Certificates:
    """The certificates that clients of the emulator are to trust, in ``folder``."""
    from emulator import environment

    return environment.fetch(server.client, folder)
