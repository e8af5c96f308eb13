"""The command line: argument parsing and printing only.

Exit codes: 0 ok, 1 verdict failed, 2 usage or bad configuration, 3 not ready in time, 4 port in use.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emulator import __version__
from emulator.core.errors import ConfigurationError, EmulatorError
from emulator.settings import FIELDS, choices, flag, is_list, is_switch, resolve, variable

if TYPE_CHECKING:
    from emulator.server import Server
    from emulator.settings import Settings

OK, FAILED, BAD_CONFIGURATION, NOT_READY, PORT_IN_USE = range(5)

_SHORT = {"host": "-H", "port": "-p", "seed": "-s"}
_OF_CHECK = ("schemas", "fixtures")


def main(arguments: list[str] | None = None) -> int:
    """Run one verb and return the exit code."""
    given = _parser().parse_args(arguments)
    try:
        code: int = given.run(given)
    except ConfigurationError as error:
        for problem in error.problems:
            print(f"emulator: {problem}", file=sys.stderr)
        return BAD_CONFIGURATION
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emulator",
        description="A local emulator of Kingsoft Cloud's transcoding API (KVS) and Baidu iOCR.",
        epilog="Every flag of serve has a variable EMULATOR_<FLAG> and a line in emulator.toml.",
    )
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB")

    serve = verbs.add_parser("serve", help="start the emulator and run until stopped")
    _add_settings(serve, tuple(FIELDS))
    serve.set_defaults(run=_serve)

    check = verbs.add_parser("check", help="check schemas, fixtures and settings, and start nothing")
    _add_settings(check, _OF_CHECK)
    check.set_defaults(run=_check)

    operations = verbs.add_parser("operations", help="list what is emulated, and where the facts come from")
    operations.add_argument("--json", action="store_true", help="as JSON")
    operations.set_defaults(run=_operations)

    for name, text, seconds in (
        ("wait", "wait until a running emulator is ready", 30.0),
        ("healthcheck", "ask a running emulator once whether it is ready", 2.0),
    ):
        verb = verbs.add_parser(name, help=text)
        verb.add_argument("--url", help="its base URL (EMULATOR_URL; default: this machine and EMULATOR_PORT)")
        verb.add_argument("--timeout", type=float, default=seconds, help=f"seconds (default {seconds:g})")
        verb.set_defaults(run=_wait, once=name == "healthcheck")

    version = verbs.add_parser("version", help="print the version")
    version.set_defaults(run=_version)
    return parser


def _add_settings(parser: argparse.ArgumentParser, names: tuple[str, ...]) -> None:
    parser.add_argument("--config", type=Path, help="TOML file with settings (EMULATOR_CONFIG; default emulator.toml)")
    for name in names:
        setting = FIELDS[name]
        default = setting.default
        shown = "" if default in (None, "", (), False) else f" (default {default})"
        options: dict[str, Any] = {"help": f"{setting.metadata['help']}{shown}".replace("%", "%%"), "dest": name}
        if is_switch(name):
            options["action"] = argparse.BooleanOptionalAction
        elif is_list(name):
            options |= {"action": "append", "metavar": "VALUE"}
        elif choices(name):
            options["choices"] = choices(name)
        else:
            options["metavar"] = name.rpartition("_")[2].upper()
        short = [_SHORT[name]] if name in _SHORT else []
        parser.add_argument(*short, flag(name), default=argparse.SUPPRESS, **options)


def _settings(given: argparse.Namespace) -> Settings:
    """The settings in force; warnings are printed.

    Raises:
        ConfigurationError: a value makes no sense.

    """
    flags = {name: value for name, value in vars(given).items() if name in FIELDS}
    named = given.config or os.environ.get("EMULATOR_CONFIG")
    settings, warnings = resolve(flags, os.environ, Path(named) if named else None)
    for warning in warnings:
        print(f"emulator: warning: {warning}", file=sys.stderr)
    return settings


def _serve(given: argparse.Namespace) -> int:
    settings = _settings(given)
    from emulator.server import PortInUse, run

    try:
        run(settings, _say_ready)
    except PortInUse as error:
        print(f"emulator: {error}", file=sys.stderr)
        return PORT_IN_USE
    except ConfigurationError:
        raise
    except EmulatorError as error:
        print(f"emulator: {error}", file=sys.stderr)
        return BAD_CONFIGURATION
    return OK


def _say_ready(server: Server) -> None:
    url, settings = server.url, server.settings
    clouds = f"emulator ready on {url} (Kingsoft KVS and Baidu iOCR)"
    print(f"{clouds}, admin {url}/_emulator/api, seed {server.emulation.seed}", flush=True)
    if server.admin_token and not settings.admin_token:
        print(f"emulator: the admin API wants this token: {server.admin_token}", file=sys.stderr)
    if sys.stderr.isatty():
        print(_HINTS.format(url=url), file=sys.stderr)


_HINTS = """
Try it, from another terminal:

  curl '{url}/?Action=CreateWaveTask&Version=2017-01-01' -d '{{"Preset": "wave", "points": 100,
    "SrcInfo": {{"path": "/src-bucket/a.mp3"}}, "DstBucket": "dst-bucket", "DstObjectKey": "wave/a.json"}}'
  curl '{url}/_emulator/api/accounts/default/tasks'

Ctrl-C stops it. More: README.md."""


def _check(given: argparse.Namespace) -> int:
    settings = _settings(given)
    from emulator.assembly import assemble

    emulation, _ = assemble(settings)
    emulation.schemas.recheck()
    schemas, fixtures = sum(1 for _ in emulation.schemas), len(emulation.fixtures.resources)
    hidden = [file for resource in emulation.fixtures.resources.values() for file in resource.hides]
    print(f"{schemas} schemas and {fixtures} fixtures are in order")
    for file in hidden:
        print(f"replaced: {file}")
    return OK


def _operations(given: argparse.Namespace) -> int:
    import orjson

    from emulator.assembly import assemble
    from emulator.settings import Settings
    from emulator.web.admin.views import show_operation

    emulation, _ = assemble(Settings())
    rows = [show_operation(row) for provider in emulation.providers.values() for row in provider.operations]
    if given.json:
        print(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return OK
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        methods = " ".join(row["methods"])
        print(f"{row['name']:{width}}  {methods:8}  {row['emulated']:8}  {row['summary']} [{row['source']}]")
    return OK


def _wait(given: argparse.Namespace) -> int:
    """Ask ``/readyz`` until it answers 200 (once, for ``healthcheck``)."""
    from emulator.probe import is_ready, wait_until_ready

    url = given.url or os.environ.get("EMULATOR_URL") or f"http://127.0.0.1:{os.environ.get(variable('port'), 8640)}"
    if given.once:
        ready, found = is_ready(url, given.timeout)
    else:
        ready, found = wait_until_ready(url, given.timeout)
    print(f"{url}: {found}", file=sys.stdout if ready else sys.stderr)
    if ready:
        return OK
    return FAILED if given.once else NOT_READY


def _version(given: argparse.Namespace) -> int:
    print(__version__)
    return OK
