"""Certificates for the vendors' hosts, from a certificate authority that is made once and kept.

It is made when somebody first speaks TLS or asks for it, and trusted by nobody until told (``GET /_emulator/ca.pem``).
"""

from __future__ import annotations

import contextlib
import logging
import os
import ssl
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from emulator.core.clock import Machine
from emulator.core.ids import fresh_token

if TYPE_CHECKING:
    import trustme

KEPT = "authority.pem"
"""The file with the key and the certificate of the authority, readable by its owner only."""
LEAF_DAYS = 397
"""Days for which a certificate holds; some clients refuse longer ones."""
MOST_NAMES = 100
"""Host names whose certificates are remembered."""
ORGANIZATION = "Emulator of Kingsoft KVS and Baidu iOCR"
OWN_NAMES = ("localhost", "127.0.0.1", "::1")
_log = logging.getLogger("emulator")


class Authority:
    """The certificate authority of one emulator.

    Args:
        folder: where it is kept; one that cannot be written to is no error: it then lasts as long as the process.
        machine: says how long certificates hold.
        serves: whether a host name is one that certificates are made for.
        names: what a certificate says for a client that names no host, beside :data:`OWN_NAMES`.

    """

    def __init__(self, folder: Path, machine: Machine, serves: Callable[[str], bool], names: Iterable[str]) -> None:
        self._folder = folder
        self._machine = machine
        self._serves = serves
        self._names = tuple(dict.fromkeys((*OWN_NAMES, *names)))
        self._making = threading.Lock()
        self._made: trustme.CA | None = None
        self._contexts: dict[str, tuple[float, ssl.SSLContext]] = {}

    @property
    def certificate(self) -> bytes:
        """The authority's own certificate, PEM."""
        return self._authority().cert_pem.bytes()

    def context(self) -> ssl.SSLContext:
        """What a server needs to speak TLS, as any of its names."""
        return self._context("")

    def _authority(self) -> trustme.CA:
        with self._making:  # asked for by the admin API in one thread, by a client's greeting in another
            if self._made is None:
                self._made = self._kept(self._folder / KEPT)
            return self._made

    def _kept(self, path: Path) -> trustme.CA:
        """The authority that is kept at ``path``; a new one if there is none."""
        import trustme

        made: trustme.CA | None = None
        try:
            if not path.exists():
                made = trustme.CA(organization_name=ORGANIZATION)
                with contextlib.suppress(FileExistsError):  # another process was quicker
                    _keep(made, path)
                    return made
            found = path.read_bytes()
            return trustme.CA.from_pem(cert_bytes=found, private_key_bytes=found)
        except (OSError, ValueError, TypeError) as error:
            _log.warning("%s: %s; the certificate authority is not kept, it ends with this process", path, error)
            return made or trustme.CA(organization_name=ORGANIZATION)

    def _context(self, name: str) -> ssl.SSLContext:
        """The context for clients that name the host ``name``; made again before its certificate runs out.

        Raises:
            ValueError: ``name`` is none that a certificate can have.

        """
        now = self._machine.wall()
        known = self._contexts.get(name)
        if known is not None and now < known[0]:
            return known[1]
        today = datetime.fromtimestamp(now, UTC)
        leaf = self._authority().issue_cert(
            *((name,) if name else self._names),
            organization_name=ORGANIZATION,
            not_before=today - timedelta(days=1),  # the clock of a container may be late
            not_after=today + timedelta(days=LEAF_DAYS - 1),
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        leaf.configure_cert(context)
        if not name:
            context.sni_callback = self._named
        elif len(self._contexts) > MOST_NAMES:
            self._contexts.pop(next(reversed(self._contexts)))
        self._contexts[name] = (now + LEAF_DAYS * 86400 / 2, context)
        return context

    def _named(self, connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        """A client names the host that it wants to reach."""
        name = (name or "").lower()
        if name and name not in self._names and self._serves(name):
            with contextlib.suppress(ValueError):  # it is shown the usual certificate, and will complain of that
                connection.context = self._context(name)


def _keep(made: trustme.CA, path: Path) -> None:
    """Keep ``made`` for the next start: all of it or nothing.

    Raises:
        FileExistsError: there is one already.
        OSError: it cannot be written.

    """
    unfinished = path.with_name(f"{KEPT}.{fresh_token()}")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(made.private_key_pem.bytes() + made.cert_pem.bytes())
        os.link(unfinished, path)
    finally:
        unfinished.unlink()
