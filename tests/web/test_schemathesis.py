"""Requests that nobody would think of, made up from the OpenAPI document: no answer is one that it does not describe.

What is made up depends on nothing but the code, and each operation has an account of its own: no run differs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from emulator.server import Server, ThreadedServer
from emulator.settings import Settings
from emulator.web.admin import filters, verdicts
from emulator.web.admin.api import routes
from emulator.web.admin.site import Route

if TYPE_CHECKING:
    from tests.support.made_up import Used

EXAMPLES = 4
"""Requests of each kind that are made up per operation; for a long evening, take more."""
_idle = Server(Settings(port=0, seed=7))
_answers = _idle.emulation.schemas.get("emulator/answers.json").document["$defs"]


def is_stream(route: Route) -> bool:
    """Whether its answer never ends; what the streams send is looked at in tests of their own."""
    return any(_answers.get(name, {}).get("x-content-type") == "text/event-stream" for name in route.answers.values())


OPERATIONS = [
    (route.method, route.path)
    for route in routes(_idle.emulation, _idle._readiness, _idle.authority)
    if not is_stream(route)
]


@pytest.fixture(name="used", scope="module")
def _used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Used]:
    from tests.support.made_up import Used  # takes a second to import, which the rest of the suite need not wait for

    folder = tmp_path_factory.mktemp("ca")
    settings = Settings(port=0, seed=7, ca_dir=str(folder), grace=0.1)
    with pytest.MonkeyPatch.context() as patch, ThreadedServer(settings) as server:
        for module in (filters, verdicts):
            patch.setattr(module, "LONGEST_WAIT", 0.01)
        used = Used(server.url)
        yield used
        used.session.close()


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_whatever_is_asked_is_answered_as_described(used: Used, method: str, path: str) -> None:
    used.hold(method, path, EXAMPLES)
