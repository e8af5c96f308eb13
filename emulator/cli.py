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
from emulator.core.errors import ConfigurationError, EmulatorError, Problem
from emulator.settings import FIELDS, choices, flag, is_list, is_switch, resolve, secret, variable

if TYPE_CHECKING:
    from emulator.server import Server
    from emulator.settings import Settings

OK, FAILED, NOT_READY = 0, 1, 3

_SHORT = {"host": "-H", "port": "-p", "seed": "-s"}
_SNAPSHOT_PATIENCE = 600.0
"""Seconds that saving or loading may take."""
_OF_CHECK = ("folder", "schemas", "fixtures", "rules")


def main(arguments: list[str] | None = None) -> int:
    """Run one verb and return the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    command: list[str] = []
    if arguments[:1] == ["exec"] and "--" in arguments:
        end = arguments.index("--")
        arguments, command = arguments[:end], arguments[end + 1 :]
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.run is _exec:
        given.command = command or parser.error("exec wants a command: emulator exec [FLAGS] -- CMD ARGS…")
    try:
        code: int = given.run(given)
    except ConfigurationError as error:
        for problem in error.problems:
            print(f"emulator: {problem}", file=sys.stderr)
        return error.exit_code
    except EmulatorError as error:
        print(f"emulator: {error}", file=sys.stderr)
        return error.exit_code
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

    check = verbs.add_parser("check", help="check schemas, fixtures, rules and settings, and start nothing")
    _add_settings(check, _OF_CHECK)
    check.set_defaults(run=_check)

    operations = verbs.add_parser("operations", help="list what is emulated, and where the facts come from")
    operations.add_argument("--triggers", action="store_true", help="list the magic values (emu-…) in requests instead")
    operations.add_argument("--json", action="store_true", help="as JSON")
    operations.set_defaults(run=_operations)

    execute = verbs.add_parser(
        "exec",
        help="run a command with an emulator of its own, then print the verdict",
        usage="emulator exec [FLAGS OF serve] [--proxy] [--verify FILE] [--junit FILE] [--account NAME] -- CMD ARGS…",
    )
    execute.add_argument("--verify", type=Path, metavar="FILE", help="what is expected (YAML or JSON)")
    execute.add_argument("--account", metavar="NAME", help="whose verdict counts (default: all that were called)")
    execute.add_argument("--proxy", action="store_true", help="have it be the command's proxy, for unmodified SDKs")
    execute.add_argument("--junit", type=Path, metavar="FILE", help="write a JUnit report")
    _add_settings(execute, tuple(FIELDS))
    execute.set_defaults(run=_exec)

    verify = verbs.add_parser("verify", help="ask a running emulator whether all went as expected")
    verify.add_argument("--url", help="its base URL (EMULATOR_URL; default: this machine and EMULATOR_PORT)")
    verify.add_argument("--token", metavar="TOKEN", help="what its admin API wants (EMULATOR_ADMIN_TOKEN)")
    verify.add_argument("--account", default="default", metavar="NAME", help="whose verdict (default: default)")
    verify.add_argument("--file", type=Path, metavar="FILE", help="what is expected (YAML or JSON)")
    verify.add_argument("--wait", metavar="DURATION", help="give it time to become so: 500ms, 5s, 2m")
    verify.add_argument("--junit", type=Path, metavar="FILE", help="write a JUnit report")
    verify.set_defaults(run=_verify)

    snapshot = verbs.add_parser("snapshot", help="save an account of a running emulator to a file, or load it")
    snapshot.add_argument("action", choices=("save", "load"), help="which of the two")
    snapshot.add_argument("file", type=Path, metavar="FILE", help="the snapshot (JSON)")
    snapshot.add_argument("--account", metavar="NAME", help="whose (default: default; to load: the one in FILE)")
    snapshot.add_argument("--url", help="its base URL (EMULATOR_URL; default: this machine and EMULATOR_PORT)")
    snapshot.add_argument("--token", metavar="TOKEN", help="what its admin API wants (EMULATOR_ADMIN_TOKEN)")
    snapshot.set_defaults(run=_snapshot)

    explain = verbs.add_parser("explain", help="say why a request was answered as it was, or what would become of one")
    explain.add_argument("number", nargs="?", type=int, metavar="N", help="a request of the journal, by its number")
    explain.add_argument(
        "--request",
        type=Path,
        metavar="FILE",
        help="a request as YAML or JSON: method, path, host, query, headers, json",
    )
    explain.add_argument("--account", default="default", metavar="NAME", help="whose (default: default)")
    explain.add_argument("--json", action="store_true", help="as JSON")
    explain.add_argument("--url", help="its base URL (EMULATOR_URL; default: this machine and EMULATOR_PORT)")
    explain.add_argument("--token", metavar="TOKEN", help="what its admin API wants (EMULATOR_ADMIN_TOKEN)")
    explain.set_defaults(run=_explain)

    for name, text, seconds in (
        ("wait", "wait until a running emulator is ready", 30.0),
        ("healthcheck", "ask a running emulator once whether it is ready", 2.0),
    ):
        verb = verbs.add_parser(name, help=text)
        verb.add_argument("--url", help="its base URL (EMULATOR_URL; default: this machine and EMULATOR_PORT)")
        verb.add_argument("--timeout", type=float, default=seconds, help=f"seconds (default {seconds:g})")
        verb.set_defaults(run=_wait, once=name == "healthcheck")

    shown = verbs.add_parser("env", help="print what a client needs to find a running emulator, its SDK unchanged")
    shown.add_argument("--url", help="its base URL (EMULATOR_URL; default: this machine and EMULATOR_PORT)")
    shown.add_argument("--token", metavar="TOKEN", help="what its admin API wants (EMULATOR_ADMIN_TOKEN)")
    shown.add_argument("--format", choices=("sh", "dotenv", "compose", "github"), default="sh", help="(default sh)")
    shown.add_argument(
        "--ca-dir", type=Path, metavar="DIR", help="where certificates are put (default: the user's data)"
    )
    shown.set_defaults(run=_env)

    listen = verbs.add_parser("listen", help="forward the callbacks of a running emulator to where they are wanted")
    listen.add_argument(
        "--forward-to",
        required=True,
        metavar="URL",
        help="the receiver; without a path, path and query of each callback are kept",
    )
    listen.add_argument("--account", metavar="NAME", help="whose callbacks (default: all that no other listener takes)")
    listen.add_argument("--url", help="the emulator's base URL (EMULATOR_URL; default: this machine and EMULATOR_PORT)")
    listen.add_argument("--token", metavar="TOKEN", help="what its admin API wants (EMULATOR_ADMIN_TOKEN)")
    listen.set_defaults(run=_listen)

    doctor = verbs.add_parser("doctor", help="say why callbacks of a running emulator do not arrive, and what to set")
    doctor.add_argument("what", choices=("callbacks",), help="what to look at")
    doctor.add_argument("target", metavar="RECEIVER", help="the URL that the client gives for callbacks")
    doctor.add_argument("--send", action="store_true", help="post a small body there, as a callback would be")
    doctor.add_argument("--account", default="default", metavar="NAME", help="whose callbacks (default: default)")
    doctor.add_argument("--url", help="the emulator's base URL (EMULATOR_URL; default: this machine and EMULATOR_PORT)")
    doctor.add_argument("--token", metavar="TOKEN", help="what its admin API wants (EMULATOR_ADMIN_TOKEN)")
    doctor.set_defaults(run=_doctor)

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
    from emulator.server import run

    run(settings, _say_ready)
    return OK


def _say_ready(server: Server) -> None:
    url, settings = server.url, server.settings
    clouds = f"emulator ready on {url} (Kingsoft KVS and Baidu iOCR)"
    further = "".join(f", {name} {other}" for name, other in server.further_urls.items())
    print(f"{clouds}, admin {server.admin_url}/_emulator/api{further}, seed {server.emulation.seed}", flush=True)
    if server.admin_token and not settings.admin_token:
        print(f"emulator: the admin API wants this token: {server.admin_token}", file=sys.stderr)
    if not server.admin_token and settings.admin_token:
        print("emulator: the admin API demands no token; whoever reaches it may use it", file=sys.stderr)
    if sys.stderr.isatty():
        print(_HINTS.format(url=url, admin=server.admin_url), file=sys.stderr)


_HINTS = """
Try it, from another terminal:

  curl '{url}/?Action=CreateWaveTask&Version=2017-01-01' -d '{{"Preset": "wave", "points": 100,
    "SrcInfo": {{"path": "/src-bucket/a.mp3"}}, "DstBucket": "dst-bucket", "DstObjectKey": "wave/a.json"}}'
  curl '{admin}/_emulator/api/accounts/default/tasks'

Ctrl-C stops it. More: README.md."""


def _check(given: argparse.Namespace) -> int:
    settings = _settings(given)
    from emulator.assembly import assemble
    from emulator.server import init_hooks

    emulation, _ = assemble(settings)
    emulation.schemas.recheck()
    emulation.rules.recheck()
    schemas, fixtures = sum(1 for _ in emulation.schemas), len(emulation.fixtures.resources)
    hidden = [file for resource in emulation.fixtures.resources.values() for file in resource.hides]
    counts = [f"{schemas} schemas", f"{fixtures} fixtures"]
    if (hooks := init_hooks(settings, emulation)) is not None:
        counts.append(f"{len(hooks.states)} init hooks")
    if settings.rules:
        counts.append(f"{len(emulation.accounts.rules)} rules")
    print(f"{', '.join(counts[:-1])} and {counts[-1]} are in order")
    for file in hidden:
        print(f"replaced: {file}")
    return OK


def _operations(given: argparse.Namespace) -> int:
    import orjson

    from emulator.assembly import assemble
    from emulator.settings import Settings
    from emulator.web.admin.views import show_operation, show_triggers

    emulation, _ = assemble(Settings())
    providers = emulation.providers.values()
    triggers = show_triggers(providers) if given.triggers else []
    rows = triggers or [show_operation(row) for provider in providers for row in provider.operations]
    if given.json:
        print(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return OK
    for row in triggers:
        print(f"{row['word']:20}  {row['example']:16}  {' '.join(row['clouds']):14}  {row['summary']}")
    if triggers:
        return OK
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        methods = " ".join(row["methods"])
        print(f"{row['name']:{width}}  {methods:8}  {row['emulated']:8}  {row['summary']} [{row['source']}]")
    return OK


def _exec(given: argparse.Namespace) -> int:
    """Run a command with an emulator at hand; its own code if that is not 0, else the verdict's."""
    if not hasattr(given, "port"):
        given.port = 0
    settings = _settings(given)
    from contextlib import ExitStack
    from tempfile import TemporaryDirectory

    from emulator import environment, gate
    from emulator.client import AdminClient
    from emulator.core.expectations import Expectations
    from emulator.server import ThreadedServer

    expected = gate.Expected.read(given.verify)
    threaded = ThreadedServer(settings)
    server, parts = threaded.server, threaded.emulation
    try:
        Expectations.of(expected.written.document, parts.schemas, parts.providers)
    except ConfigurationError as error:
        raise expected.blamed(error.problems) from None
    with ExitStack() as stack:
        stack.enter_context(threaded)
        url, token = server.url, server.admin_token
        print(f"emulator: ready on {url}, seed {parts.seed}", file=sys.stderr, flush=True)
        client = AdminClient(server.admin_url, token, gate.PATIENCE)
        variables = environment.endpoints(url, token)
        if given.proxy:
            certificates = environment.fetch(client, Path(stack.enter_context(TemporaryDirectory())))
            variables |= environment.proxied(url, certificates)
        code = gate.run_command(given.command, {**os.environ, **variables})
        accounts = [given.account] if given.account else gate.called_accounts(client)
        judgements = [gate.judge(client, account, expected) for account in accounts]
    for judgement in judgements:
        print(judgement.text, file=sys.stderr)
    if given.junit:
        gate.write_junit(given.junit, judgements)
    return code or (OK if all(judgement.ok for judgement in judgements) else FAILED)


def _verify(given: argparse.Namespace) -> int:
    """Print the verdict of a running emulator on one account."""
    from emulator import gate
    from emulator.client import AdminClient

    expected = gate.Expected.read(given.file)
    client = AdminClient(_url(given), _token(given), gate.PATIENCE)
    judgement = gate.judge(client, given.account, expected, given.wait)
    print(judgement.text)
    if given.junit:
        gate.write_junit(given.junit, [judgement])
    return OK if judgement.ok else FAILED


def _snapshot(given: argparse.Namespace) -> int:
    """Save an account of a running emulator to a file, or load it from one."""
    import orjson

    from emulator.client import AdminClient, AdminError, account_path
    from emulator.core.accounts import DEFAULT

    file: Path = given.file
    client = AdminClient(_url(given), _token(given), _SNAPSHOT_PATIENCE)
    try:
        if given.action == "save":
            account = given.account or DEFAULT
            _, document = client.get(account_path(account, "snapshot"))
            file.write_bytes(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE))
            print(f"{account}: saved to {file}")
        else:
            document = orjson.loads(file.read_bytes())
            match document:
                case {"account": {"name": str(saved)}}:
                    account = given.account or saved
                case _:
                    account = given.account or DEFAULT  # which refuses it, and says why
            _, loaded = client.put(account_path(account, "snapshot"), document)
            print(f"{account}: loaded from {file}, its clock shows {loaded['clock']['iso']}")
    except AdminError as error:
        listed = [Problem(str(file), row["pointer"], row["message"]) for row in error.document.get("problems", ())]
        raise ConfigurationError(listed or [Problem(str(file), "", error.detail)]) from None
    except OSError as error:
        raise ConfigurationError([Problem(str(file), "", error.strerror or str(error))]) from None
    except ValueError as error:
        raise ConfigurationError([Problem(str(file), "", f"is not JSON: {error}")]) from None
    return OK


def _explain(given: argparse.Namespace) -> int:
    """Print what a running emulator says about a request."""
    import orjson

    from emulator.client import AdminClient, account_path
    from emulator.core.written import read

    if (given.number is None) == (given.request is None):
        what = "name a request by its number, or one in a file by --request"
        raise ConfigurationError([Problem("explain", "", what)])
    client = AdminClient(_url(given), _token(given))
    try:
        wanted = given.number
        if given.request is not None:
            wanted = read(str(given.request), given.request.read_bytes()).document
        _, said = client.post(account_path(given.account, "explain"), {"request": wanted})
    except OSError as error:
        raise ConfigurationError([Problem(str(given.request), "", error.strerror or str(error))]) from None
    print(orjson.dumps(said, option=orjson.OPT_INDENT_2).decode() if given.json else said["text"])
    return OK


def _url(given: argparse.Namespace) -> str:
    """Where the emulator is that is to be asked."""
    found: str | None = given.url or os.environ.get("EMULATOR_URL")
    port = os.environ.get(variable("port"), "8640")
    # a link to a container, or a Service of Kubernetes, that is called emulator
    linked = port.startswith("tcp://")
    return found or (port.replace("tcp", "http", 1) if linked else f"http://127.0.0.1:{port}")


def _token(given: argparse.Namespace) -> str | None:
    """What the admin API of the emulator wants that is to be asked.

    Raises:
        ConfigurationError: it is to be read from a file, and cannot be.

    """
    found: str | None = given.token or secret("admin_token", os.environ)
    return found


def _listen(given: argparse.Namespace) -> int:
    """Forward the callbacks of a running emulator until stopped."""
    from emulator.web.listening import Wanted, run

    if not given.forward_to.startswith(("http://", "https://")):
        raise ConfigurationError(
            [Problem("--forward-to", "", f"{given.forward_to!r} is no URL: http://HOST:PORT/PATH")]
        )
    wanted = Wanted(_url(given).rstrip("/"), _token(given), given.account, given.forward_to)
    run(wanted, lambda line: print(line, flush=True))
    return OK


def _doctor(given: argparse.Namespace) -> int:
    """Print what a running emulator finds on the way to a receiver."""
    from emulator.client import AdminClient

    asked = {"url": given.target, "account": given.account, "send": given.send}
    _, found = AdminClient(_url(given), _token(given)).post("/doctor/callbacks", asked)
    for step in found["findings"]:
        print(f"{'ok ' if step['ok'] else 'NO '} {step['step']:8} {step['said']}")
        if step["advice"]:
            print(f"             → {step['advice']}")
    return OK if found["ok"] else FAILED


def _env(given: argparse.Namespace) -> int:
    """Print variables only; how to use them goes to stderr."""
    from emulator import environment
    from emulator.client import AdminClient
    from emulator.settings import data_folder

    url, token = _url(given).rstrip("/"), _token(given)
    folder = given.ca_dir or data_folder() / "client" / url.partition("://")[2].replace(":", "-")
    certificates = environment.fetch(AdminClient(url, token), folder)
    variables = {**environment.endpoints(url, token), **environment.proxied(url, certificates)}
    print(environment.FORMATS[given.format](variables), end="")
    print(f"# {environment.HINTS[given.format]}", file=sys.stderr)
    return OK


def _wait(given: argparse.Namespace) -> int:
    """Ask ``/readyz`` until it answers 200 (once, for ``healthcheck``)."""
    from emulator.probe import is_ready, wait_until_ready

    url = _url(given)
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
