"""W3C trace context: what a request says of the trace it belongs to, carried into the callbacks it causes."""

from __future__ import annotations

import re
from collections.abc import Mapping

from emulator.core.ids import digest

_TRACEPARENT = re.compile(
    r"(?:00|(?P<later>(?!00|ff)[0-9a-f]{2}))-(?!0{32})(?P<trace>[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}"
    r"-(?P<flags>[0-9a-f]{2})(?(later)(?:-[!-~]*)?)"
)
"""Only a version later than 00 may have more members."""


def carried(headers: Mapping[str, str]) -> str:
    """What a task keeps of its request's trace: ``traceparent``, then ``tracestate`` after a blank; empty if none.

    A ``traceparent`` that is malformed counts as none, and then so does the ``tracestate``.
    """
    parent = headers.get("traceparent")
    if parent is None or _TRACEPARENT.fullmatch(parent) is None:
        return ""
    state = headers.get("tracestate", "").strip()
    return f"{parent} {state}" if state and state.isascii() and state.isprintable() else parent


def child(traceparent: str, *meaning: object) -> str:
    """The ``traceparent`` of what ``traceparent`` caused: same trace, same flags, a span of its own for ``meaning``.

    Empty if it is malformed. What a later version of the format adds is left out.
    """
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None:
        return ""
    span = digest(found["trace"], *meaning, "span", size=8)
    return f"00-{found['trace']}-{span}-{found['flags']}"


def trace_headers(kept: str, *meaning: object) -> dict[str, str]:
    """The headers of a message that the trace in ``kept`` (see :func:`carried`) goes on with; none if there is none."""
    parent, _, state = kept.partition(" ")
    traceparent = child(parent, *meaning)
    if not traceparent:
        return {}
    return {"traceparent": traceparent, "tracestate": state} if state else {"traceparent": traceparent}
