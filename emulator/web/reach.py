"""Whether a callback would reach its receiver from where the emulator is; and if not, what to set."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

from yarl import URL

from emulator.core.callbacks import CallbackOrder
from emulator.core.values import value_type
from emulator.web.relay import Relay
from emulator.web.sender import Forbidden

Step = Literal["url", "route", "resolve", "policy", "connect", "tls", "answer"]
PROBE = b'{"probe": "callbacks"}'
"""The body that is posted where that is wished."""
CONTAINER = ("/.dockerenv", "/run/.containerenv")
"""Files that tell a container from a machine."""
_REWRITE = "--callback-rewrite (EMULATOR_CALLBACK_REWRITE)"


@value_type
class Finding:
    """One step on the way to the receiver: whether it can be taken, what was found, and what to do if not."""

    step: Step
    ok: bool
    said: str
    advice: str = ""


def in_container() -> bool:
    """Whether this process runs in a container, so that its loopback is nobody else's."""
    return any(Path(mark).exists() for mark in CONTAINER) or "KUBERNETES_SERVICE_HOST" in os.environ


async def reach(url: str, relay: Relay, account: str, timeout: float, *, send: bool, inside: bool) -> list[Finding]:
    """The steps to ``url`` up to the first that fails. Nothing but a question for its options is sent, unless ``send``.

    Args:
        url: as the client gives it.
        relay: sends the callbacks, and knows where they may go.
        account: whose callback it would be.
        timeout: machine seconds for each step.
        send: whether a body is posted there as a callback would be.
        inside: whether the emulator runs in a container.

    """
    return [finding async for finding in _steps(url, relay, account, timeout, send=send, inside=inside)]


async def _steps(
    url: str, relay: Relay, account: str, timeout: float, *, send: bool, inside: bool
) -> AsyncIterator[Finding]:
    try:
        target = URL(url)
        port = target.port
    except ValueError as error:
        yield Finding("url", False, f"{url!r} is no URL: {error}", "write it as http://HOST:PORT/PATH")
        return
    if target.scheme not in ("http", "https") or not target.host or port is None:
        advice = "write it as http://HOST:PORT/PATH; this is also how the client has to give it"
        yield Finding("url", False, f"{url!r} does not start with http:// or https:// and a host", advice)
        return
    yield Finding("url", True, f"{target.scheme} to {target.host}, port {port}")
    if (listener := relay.listener(account)) is not None:
        said = f"listener {listener.number} is attached and takes the callbacks of {account}"
        yield Finding("route", True, f"{said}; whether it reaches the receiver, it prints itself")
        return
    if relay.pull:
        advice = f"where the receiver is: emulator listen --forward-to URL --account {account}"
        yield Finding("route", False, "callbacks go to listeners only (--callbacks pull), and none is attached", advice)
        return
    policy = relay.direct.policy
    try:
        target, renamed = policy.route(target)
    except Forbidden as error:
        yield Finding("policy", False, str(error), _allow(error, str(target.host)))
        return
    host = str(target.host)
    if renamed is not None:
        yield Finding("route", True, f"sent to {host} in its place ({_REWRITE})")
    try:
        async with asyncio.timeout(timeout):
            rows = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError) as error:
        yield Finding("resolve", False, f"the name {host} cannot be resolved here: {_why(error)}", _unknown(host))
        return
    found = list(dict.fromkeys(str(row[4][0]) for row in rows))
    yield Finding("resolve", True, f"{host} is {', '.join(found)}")
    permitted, refusal = [], None
    for address in found:
        try:
            policy.permit(host, address)
        except Forbidden as error:
            refusal = error
        else:
            permitted.append(address)
    if not permitted and refusal is not None:
        yield Finding("policy", False, str(refusal), _allow(refusal, host))
        return
    yield Finding("policy", True, "it may be called")
    problem: Exception | None = None
    for address in permitted:
        try:
            async with asyncio.timeout(timeout):
                _, writer = await asyncio.open_connection(address, port)
        except (OSError, TimeoutError) as error:
            problem = problem or error
            continue
        writer.close()
        break
    else:
        assert problem is not None  # noqa: S101  there was at least one address
        said = f"port {port} of {host} cannot be connected to: {_why(problem)}"
        yield Finding("connect", False, said, _unconnected(problem, permitted[0], host, port, inside=inside))
        return
    yield Finding("connect", True, f"somebody listens on port {port} of {host}")
    if target.scheme == "https" and (problem := await _untrusted(permitted[0], port, str(URL(url).host), timeout)):
        advice = (
            "the emulator trusts what its system trusts; name a bundle with the receiver's authority in SSL_CERT_FILE, "
            "mounted beside it, or let the client give an http:// URL"
        )
        yield Finding("tls", False, f"its certificate is not accepted: {problem}", advice)
        return
    yield await _answer(url, relay, account, timeout, send=send)


async def _untrusted(address: str, port: int, host: str, timeout: float) -> Exception | None:
    """What is wrong with the certificate of the receiver, if anything."""
    try:
        async with asyncio.timeout(timeout):
            context = ssl.create_default_context()
            _, writer = await asyncio.open_connection(address, port, ssl=context, server_hostname=host)
    except (OSError, TimeoutError) as error:
        return error
    writer.close()
    return None


async def _answer(url: str, relay: Relay, account: str, timeout: float, *, send: bool) -> Finding:
    """What the receiver says to a probe."""
    method, body = ("POST", PROBE) if send else ("OPTIONS", b"")
    headers = {"X-Emulator-Probe": "callbacks", **({"Content-Type": "application/json"} if send else {})}
    came = await relay.direct.send(CallbackOrder("probe", method, url, headers, body), timeout, account)
    if came.status is None:
        advice = "something listens there that speaks no HTTP, or that is too slow: see --callback-timeout"
        return Finding("answer", False, f"no answer to {method}: {came.error}", advice)
    said = f"the receiver answers {method} with {came.status}"
    if not send:
        return Finding("answer", True, f"{said}; that it answers is enough (--send posts a body as a callback would)")
    if came.error:
        advice = "a callback counts as delivered if the answer is from 200 to 299; look at the path and the receiver"
        return Finding("answer", False, said, advice)
    return Finding("answer", True, said)


def _allow(error: Forbidden, host: str) -> str:
    if "never called" in str(error):
        return "give the receiver another address; this one cannot be allowed"
    return f"start the emulator with --callback-allow {host} (EMULATOR_CALLBACK_ALLOW={host})"


def _unknown(host: str) -> str:
    if host == "host.docker.internal":
        return (
            "on Linux this name has to be given to the emulator's container: extra_hosts: "
            "[host.docker.internal:host-gateway], or docker run --add-host host.docker.internal:host-gateway"
        )
    return (
        f"put the receiver on the emulator's network under the name {host}, or send its callbacks elsewhere: "
        f"{_REWRITE} {host}=OTHER; or use emulator listen, which needs no way in"
    )


def _unconnected(problem: Exception, address: str, host: str, port: int, *, inside: bool) -> str:
    """What to do about a receiver that cannot be connected to."""
    if ip_address(address.partition("%")[0]).is_loopback and inside:
        return (
            f"in a container {host} is the container itself. If the receiver runs on the machine: {_REWRITE} "
            f"{host}=host.docker.internal, and on Linux extra_hosts: [host.docker.internal:host-gateway]. If it runs "
            f"in another container: {_REWRITE} {host}=ITS-SERVICE. Or use emulator listen, which needs no way in"
        )
    if isinstance(problem, ConnectionRefusedError):
        return (
            f"is the receiver running, on port {port}, and does it listen on 0.0.0.0? One that listens on 127.0.0.1 is "
            "reached from its own machine or container only"
        )
    return (
        "a firewall, or no way there: put both on one network, allow the port, or use emulator listen, which needs no "
        "way in"
    )


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError) and not error.args:
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused, nobody listens there"
    return str(getattr(error, "strerror", None) or error)
