"""Asks a running emulator, from outside and with the standard library only, whether it is ready."""

from __future__ import annotations

import http.client
import threading
import urllib.error
import urllib.request

from emulator.core.clock import Machine, SystemMachine

PAUSE = 0.05


def is_ready(url: str, timeout: float) -> tuple[bool, str]:
    """Whether the emulator at ``url`` says that it is ready, and what was found, in plain words."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url.rstrip('/')}/_emulator/readyz", timeout=timeout):
            return True, "ready"
    except urllib.error.HTTPError as error:
        error.close()
        return False, f"not ready yet (HTTP {error.code})"
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
        return False, f"no answer: {getattr(error, 'reason', error)}"


def wait_until_ready(url: str, timeout: float, machine: Machine | None = None) -> tuple[bool, str]:
    """Like :func:`is_ready`, asked again for up to ``timeout`` seconds."""
    machine = machine or SystemMachine()
    pause = threading.Event()
    deadline = machine.monotonic() + timeout
    while True:
        ready, found = is_ready(url, max(0.1, deadline - machine.monotonic()))
        if ready or machine.monotonic() + PAUSE >= deadline:
            return ready, found
        pause.wait(PAUSE)
