"""The plugin for pytest: an account of an emulator for each test. See ``docs/pytest.md``.

pytest loads it in every run of an environment that the emulator is installed in, so that nothing but pytest is imported
until a test asks for a fixture.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from emulator.environment import Certificates
    from emulator.testing import Emulator, EmulatorServer

OPENED = pytest.StashKey[list["Emulator"]]()
"""The accounts of a test."""
JUDGED = pytest.StashKey[bool]()
"""Set where a test failed because of the verdict, which its failure tells."""
DEFAULT_SEED = 1
MARK = {
    "seed": "what everything random is drawn from",
    "auth": "off: signatures and secrets are not verified",
    "clock": "frozen (at an instant, in ISO 8601), real, or a document",
    "responses": "canned or random",
    "rules": "rules to set first: documents, or one of them",
    "verify": "False: the end of the test is no verdict",
    "kingsoft": "how the cloud behaves in the account",
    "baidu": "the same",
}
"""What the marker may say."""
OPTIONS = {
    "url": "aim at the emulator that runs there, in the place of one in a thread",
    "seed": f"what everything random is drawn from (default {DEFAULT_SEED})",
    "clock": "how clocks begin: frozen, frozen at an instant (2026-01-01T00:00:00Z), or real (default frozen)",
    "bundle_dir": "where the accounts of failed tests are saved (default: in pytest's cache)",
}
"""What the command line and the ini file may say."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the command line, each with a line in the ini file; and such lines alone."""
    group = parser.getgroup("emulator", "emulator of Kingsoft KVS and Baidu iOCR")
    for name, text in OPTIONS.items():
        group.addoption(f"--emulator-{name.replace('_', '-')}", dest=f"emulator_{name}", metavar="VALUE", help=text)
        parser.addini(f"emulator_{name}", text, default="")
    parser.addini("emulator_verify", "whether the end of each test is a verdict", type="bool", default=True)
    parser.addini("emulator_inbox_host", "address that inboxes listen on", default="127.0.0.1")
    parser.addini(
        "emulator_inbox_address", "what the emulator calls this machine, if that is something else", default=""
    )


def pytest_configure(config: pytest.Config) -> None:
    """Say what the marker means."""
    members = "; ".join(f"{name}: {text}" for name, text in MARK.items())
    config.addinivalue_line("markers", f"emulator({', '.join(f'{name}=' for name in MARK)}): {members}")


def pytest_report_header(config: pytest.Config) -> str | None:
    """Which emulator it is, where it is not our own."""
    url = _option(config, "url", os.environ.get("EMULATOR_URL", ""))
    return f"emulator: {url}" if url else None


@pytest.fixture(name="emulator_address", scope="session")
def _emulator_address() -> tuple[str, int]:
    """Host and port that the emulator of this process listens on; port 0 takes a free one. Override it."""
    return "127.0.0.1", 0


@pytest.fixture(name="emulator_settings", scope="session")
def _emulator_settings() -> dict[str, Any]:
    """Settings of the emulator of this process, by name: ``{"limits": "on"}``. Override it."""
    return {}


@pytest.fixture(name="emulator_server", scope="session")
def _emulator_server(request: pytest.FixtureRequest) -> Iterator[EmulatorServer]:
    """The emulator that the tests share: in a thread of this process, or the one at ``--emulator-url``."""
    from emulator.core.errors import EmulatorError
    from emulator.testing import connected, started

    config = request.config
    inbox = {f"inbox_{name}": config.getini(f"emulator_inbox_{name}") for name in ("host", "address")}
    url = _option(config, "url", os.environ.get("EMULATOR_URL", ""))
    if url:
        shared = connected(url, os.environ.get("EMULATOR_ADMIN_TOKEN"), **inbox)
        hint = f"start one (emulator serve), wait for it (emulator wait --url {url}), or leave out --emulator-url"
    else:
        host, port = request.getfixturevalue("emulator_address")
        folder = request.getfixturevalue("tmp_path_factory").mktemp("emulator")
        own = {"host": host, "port": port, "seed": _seed(config), "ca_dir": str(folder)}
        shared = started({**own, **request.getfixturevalue("emulator_settings")}, **inbox)
        hint = "emulator_settings and emulator_address say how it is started"
    with ExitStack() as stack:
        problem = ""
        try:
            server = stack.enter_context(shared)
        except EmulatorError as error:
            problem = str(error)
        if problem:
            pytest.fail(f"no emulator for these tests: {problem}; {hint}", pytrace=False)
        yield server


@pytest.fixture(name="emulator_account")
def _emulator_account() -> dict[str, Any]:
    """How accounts are made (``schemas/emulator/account.json``): ``{"kingsoft": {"concurrency": 1}}``. Override it."""
    return {}


@pytest.fixture(name="emulator")
def _emulator(
    request: pytest.FixtureRequest, emulator_server: EmulatorServer, emulator_account: dict[str, Any]
) -> Iterator[Emulator]:
    """An account of the emulator for this test alone, its clock frozen; the end of the test is a verdict on it."""
    from emulator.core.errors import EmulatorError
    from emulator.testing.server import account_name

    config, node = request.config, request.node
    marked = _marked(node)
    clock = _clock(marked.get("clock") or _option(config, "clock", "frozen"))
    document = {**emulator_account, "seed": marked.get("seed", _seed(config)), "clock": clock}
    for name in {"responses", "kingsoft", "baidu"} & marked.keys():
        document[name] = {**document.get(name, {}), **marked[name]} if isinstance(marked[name], dict) else marked[name]
    rules = marked.get("rules", [])
    problem = ""
    try:
        opened = emulator_server.open(
            account_name(node.name, node.nodeid), document, verified=marked.get("auth") != "off"
        )
        node.stash.setdefault(OPENED, []).append(opened)
        for rule in [rules] if isinstance(rules, dict) else rules:
            opened.rule(rule)
    except EmulatorError as error:
        problem = str(error)
    if problem:
        pytest.fail(f"no account for this test: {problem}", pytrace=False)
    yield opened
    opened.close()


@pytest.fixture(name="emulator_certificates", scope="session")
def _emulator_certificates(emulator_server: EmulatorServer, tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Files for clients that use TLS: ``.authority`` is the emulator's certificate, ``.bundle`` has all others, too."""
    from emulator.testing.server import certificates_of

    return certificates_of(emulator_server, tmp_path_factory.mktemp("emulator-certificates"))


@pytest.fixture(name="emulator_environment")
def _emulator_environment(emulator: Emulator, emulator_certificates: Certificates) -> dict[str, str]:
    """Variables for a program under test: endpoints, credentials, proxy and certificates. Put them over its own."""
    from emulator.testing.server import environment_of

    return environment_of(emulator, emulator_certificates)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Hold what happened against what was expected, once a test has passed."""
    result = yield
    for emulator in item.stash.get(OPENED, ()):
        if emulator.open and _marked(item).get("verify", item.config.getini("emulator_verify")):
            complaints = emulator.complaints()
            if complaints:
                item.stash[JUDGED] = True
                pytest.fail(f"the test passed, but not all went as expected\n{complaints}", pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the emulator's side of a failure."""
    report = yield
    if report.failed:
        for emulator in item.stash.get(OPENED, ()):
            if emulator.open:
                report.sections.append(("emulator", _told(item, emulator, call)))
    return report


def _told(item: pytest.Item, emulator: Emulator, call: pytest.CallInfo[None]) -> str:
    from emulator.core.errors import EmulatorError
    from emulator.testing import VerificationFailed
    from emulator.testing.report import save, section

    again = ["pytest", shlex.quote(item.nodeid), f"--emulator-seed={emulator.seed}"]
    if emulator.frozen:
        again.append(f"--emulator-clock={emulator.began}")
    if not emulator.server.in_process:
        again.append(f"--emulator-url={emulator.url}")
    judged = item.stash.get(JUDGED, False) or (
        call.excinfo is not None and call.excinfo.errisinstance(VerificationFailed)
    )
    try:
        bundle = _bundle_folder(item.config, emulator)
        if bundle is not None:
            save(emulator, bundle)
        return section(emulator, again=again, bundle=bundle, judged=judged)
    except (EmulatorError, OSError) as error:
        return f"account {emulator.account} at {emulator.url} could not be looked at: {error}"


def _bundle_folder(config: pytest.Config, emulator: Emulator) -> Path | None:
    """Where the account of a failed test is saved; nowhere if pytest keeps no cache and nobody names a folder."""
    given, here = _option(config, "bundle_dir", ""), config.invocation_params.dir
    cache: pytest.Cache | None = getattr(config, "cache", None)
    if given or cache is None:
        return here / given / emulator.account if given else None
    folder = cache.mkdir("emulator") / emulator.account
    return folder.relative_to(here) if folder.is_relative_to(here) and here == Path.cwd() else folder


def _option(config: pytest.Config, name: str, default: str) -> str:
    """What the command line says, else the ini file, else ``default``."""
    found: str = config.getoption(f"emulator_{name}") or config.getini(f"emulator_{name}") or default
    return found


def _seed(config: pytest.Config) -> int:
    given = _option(config, "seed", str(DEFAULT_SEED))
    try:
        return int(given)
    except ValueError:
        raise pytest.UsageError(f"emulator_seed is {given!r}, which is no whole number") from None


def _marked(node: pytest.Item) -> dict[str, Any]:
    """What the markers say, the nearest one last.

    Raises:
        pytest.UsageError: one says something that there is not.

    """
    found: dict[str, Any] = {}
    for mark in reversed(list(node.iter_markers("emulator"))):
        if mark.args:
            raise pytest.UsageError(f"{node.nodeid}: mark.emulator takes names only: {', '.join(MARK)}")
        for name in mark.kwargs:
            if name not in MARK:
                from emulator.core.errors import nearest

                hint = nearest(name, MARK) or f"; there are {', '.join(MARK)}"
                raise pytest.UsageError(f"{node.nodeid}: mark.emulator knows no {name}={hint}")
        found.update(mark.kwargs)
    return found


def _clock(given: str | dict[str, Any]) -> dict[str, Any]:
    """The document of a clock; a frozen one begins with a whole second, so that it can be said again."""
    if isinstance(given, dict):
        return given
    if given == "real":
        return {"mode": "real"}
    from emulator.core.clock import SystemMachine

    return {"mode": "frozen", "now": int(SystemMachine().wall()) if given == "frozen" else given}
