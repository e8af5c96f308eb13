from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from emulator.server import ThreadedServer
from tests.conftest import START
from tests.support.remote import Remote, Sink

_NUMBERS = count(1)


def pytest_configure(config: pytest.Config) -> None:
    """Let Python 3.11 import things after ksc-sdk-python was imported, whose import hook is of Python 2's time."""
    config.addinivalue_line("filterwarnings", "ignore:_SixMetaPathImporter:ImportWarning")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real clients heed the environment's proxies; the emulator is on this machine."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(name="remote")
def _remote(live: ThreadedServer) -> Iterator[Remote]:
    """An account of its own for each test."""
    remote = Remote(live.url, f"AKCLIENT{next(_NUMBERS)}", START)
    yield remote
    remote.close()


@pytest.fixture(name="sink")
def _sink() -> Iterator[Sink]:
    """A receiver of callbacks."""
    with Sink() as sink:
        yield sink
