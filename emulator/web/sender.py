"""Puts callbacks on the wire, within the outbound policy.

The policy is checked on the address that is really connected to: the resolver only hands out addresses that
are allowed, so a name that changes its mind between a check and the connection gains nothing.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from emulator.core.callbacks import Answer, CallbackOrder
from emulator.core.clock import Machine
from emulator.core.values import value_type
from emulator.web.connections import Connections, NoAnswer

MOST_ROUTES = 1000
"""How many URLs are kept after they were looked at."""
ANSWER_KEPT = 4096
"""How many bytes of a receiver's answer are kept."""

_NEVER = tuple(
    map(
        ip_network,
        ("0.0.0.0/8", "::/128", "169.254.0.0/16", "fe80::/10", "fd00:ec2::/32", "100.100.100.200/32", "224.0.0.0/4",
         "ff00::/8"),
    )
)  # fmt: skip
_PRIVATE = tuple(
    map(
        ip_network,
        ("127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"),
    )
)


class Forbidden(OSError):
    """The outbound policy does not let a callback go there. Its text says why and what to set."""


@value_type
class OutboundPolicy:
    """Where callbacks may go.

    Loopback and private addresses always; beyond them the hosts and networks in ``allowed`` (``*`` for every
    host); link-local, metadata and multicast addresses never.

    Attributes:
        allowed: host names (``*.example.com`` for a domain), addresses, networks.
        rewrites: a host to be reached under another name: ``{"localhost": "host.docker.internal"}``.

    """

    allowed: Sequence[str] = ()
    rewrites: dict[str, str] = field(default_factory=dict)

    def route(self, url: URL) -> tuple[URL, str | None]:
        """Where a call of ``url`` really goes, and the ``Host`` header to send if that is elsewhere.

        Raises:
            Forbidden: an address stands in it that may not be called; a name is held against the policy when resolved.

        """
        host = None
        if url.host in self.rewrites:
            host, url = url.authority, url.with_host(self.rewrites[url.host])
        literal = str(url.host)
        try:
            ip_address(literal.partition("%")[0])
        except ValueError:
            return url, host
        self.permit(literal, literal)
        return url, host

    def permit(self, host: str, address: str) -> None:
        """Let ``host``, which is at ``address``, be called.

        Raises:
            Forbidden: it may not.

        """
        place = _unmapped(ip_address(address.partition("%")[0]))
        if any(place in network for network in _NEVER):
            raise Forbidden(f"{host} is {place}, a link-local, metadata or multicast address, which is never called")
        if any(place in network for network in _PRIVATE) or any(_covers(entry, host, place) for entry in self.allowed):
            return
        raise Forbidden(f"{host} is {place}, a public address; allow it with --callback-allow {host}")


def _unmapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _covers(entry: str, host: str, place: IPv4Address | IPv6Address) -> bool:
    if entry == "*" or entry.lower() == host.lower():
        return True
    if entry.startswith("*."):
        return host.lower().endswith(entry[1:].lower())
    try:
        network: IPv4Network | IPv6Network = ip_network(entry, strict=False)
    except ValueError:
        return False
    return place in network


class GuardedResolver(AbstractResolver):
    """Resolves a name to those of its addresses that the policy permits."""

    def __init__(self, policy: OutboundPolicy) -> None:
        self._policy = policy
        self._resolver: ThreadedResolver | None = None  # it wants a running loop

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of ``host`` that are permitted."""
        permitted, refusal = [], None
        self._resolver = self._resolver or ThreadedResolver()
        for result in await self._resolver.resolve(host, port, family):
            try:
                self._policy.permit(host, result["host"])
            except Forbidden as error:
                refusal = error
            else:
                permitted.append(result)
        if not permitted and refusal is not None:
            raise refusal
        return permitted

    async def close(self) -> None:
        """Nothing is looked up any more."""
        if self._resolver is not None:
            await self._resolver.close()


class HttpSender:
    """Sends callbacks over HTTP on kept-alive connections.

    Args:
        policy: where callbacks may go.
        timeout: the limit of one attempt, in machine seconds.
        machine: measures how long an attempt took.

    """

    def __init__(self, policy: OutboundPolicy, timeout: float, machine: Machine) -> None:
        self.policy = policy
        self._timeout = timeout
        self._machine = machine
        self._connections = Connections(GuardedResolver(policy), machine, ANSWER_KEPT)
        self._routes: dict[str, tuple[URL, str | None]] = {}

    def target(self, order: CallbackOrder) -> str:
        """Scheme, host and port of the callback."""
        return "/".join(order.url.split("/", 3)[:3])

    async def send(self, order: CallbackOrder, timeout: float | None, account: str) -> Answer:
        """Send ``order``; whatever the receiver does comes back as an answer."""
        at, began = self._machine.wall(), self._machine.monotonic()
        limit = self._timeout if timeout is None else timeout
        status, error, body, retry_after = None, "", b"", None
        try:
            async with asyncio.timeout(limit):
                url, host = self._routed(order.url)
                received = await self._connections.exchange(order, url, host)
            status, body = received.status, received.body
            if "retry-after" in received.headers:
                retry_after = _retry_after(received.headers, self._machine.wall())
            if 300 <= status < 400:
                error = f"the receiver answered {status}; redirects are not followed"
            elif not 200 <= status < 300:
                error = f"the receiver answered {status}"
        except TimeoutError:
            error = f"no answer within {limit:g} s"
        except ValueError as problem:
            error = f"{order.url!r} is no URL that can be called: {problem}"
        except OSError as problem:
            error = _plain(problem)
        return Answer(status, error, body, self._machine.monotonic() - began, retry_after, at)

    async def close(self) -> None:
        """Close every connection."""
        await self._connections.close()

    def _routed(self, text: str) -> tuple[URL, str | None]:
        """See :meth:`OutboundPolicy.route`; most callbacks go where the one before went."""
        found = self._routes.get(text)
        if found is None:
            url = URL(text)
            if url.scheme not in ("http", "https") or not url.host:
                raise ValueError("it must start with http:// or https:// and name a host")
            if len(self._routes) >= MOST_ROUTES:
                self._routes.clear()
            found = self._routes[text] = self.policy.route(url)
        return found


def _retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds after which the receiver wants to be asked again; a date counts from its own, if it says that."""
    wanted = headers["retry-after"].strip()
    if wanted.isascii() and wanted.isdigit():
        return float(wanted[:15])
    until, since = _instant(wanted), _instant(headers.get("date", ""))
    return None if until is None else max(0.0, until - (now if since is None else since))


def _instant(date: str) -> float | None:
    """Unix seconds of an HTTP date."""
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None


def _plain(problem: OSError) -> str:
    if isinstance(problem, (Forbidden, NoAnswer)):
        return str(problem)
    if isinstance(problem, ConnectionRefusedError):
        return "connection refused: nobody listens there"
    if isinstance(problem, socket.gaierror):
        return f"the name cannot be resolved: {problem.strerror}"
    if isinstance(problem, ConnectionError):
        return "the receiver closed the connection without an answer"
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {problem.verify_message}"
    return f"{type(problem).__name__}: {problem}"
