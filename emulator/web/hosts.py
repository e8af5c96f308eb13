"""Which hosts the emulator stands in for, as a proxy and on its certificates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import translate
from ipaddress import ip_address

from emulator.core.errors import ConfigurationError, Problem

_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")


class Hosts:
    """The vendors' hosts, this machine, and what a user adds.

    Args:
        vendors: host names; ``*`` stands for any run of characters.
        further: names by which the emulator itself is called.

    """

    def __init__(self, vendors: Sequence[str], further: Iterable[str] = ()) -> None:
        self.vendors = tuple(vendors)
        self.fixed = tuple(name for name in self.vendors if "*" not in name)
        self._further = frozenset(name.lower() for name in further)
        self._pattern = re.compile("|".join(map(translate, self.vendors)))

    def serves(self, host: str) -> bool:
        """Whether requests for ``host`` (lower case, without port) are answered here."""
        return self._pattern.match(host) is not None or host in self._further or _is_this_machine(host)

    def refusal(self, host: str) -> str:
        """What somebody is told who wants to reach another host."""
        return (
            f"this proxy is an emulator and serves {', '.join(self.vendors)} only, not {host or 'no host at all'}: "
            f"let the client reach that host directly (NO_PROXY={host}), or name it with --tls-name"
        )


def host_of(authority: str) -> str:
    """The host in ``host:port`` or ``[address]:port``, lower case."""
    name = authority.rpartition("@")[2].lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0]


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def check_names(where: str, names: Iterable[str]) -> None:
    """See to it that a certificate can be made for each of ``names``.

    Raises:
        ConfigurationError: for one that is neither a host name nor an address.

    """
    problems = [
        Problem(where, "", f"{name!r} is neither a host name (letters, digits, hyphens and dots) nor an address")
        for name in names
        if len(name) > 253 or not (_NAME.fullmatch(name.lower()) or _is_address(name))
    ]
    if problems:
        raise ConfigurationError(problems)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
