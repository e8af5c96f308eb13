"""Settings: flag > environment (``EMULATOR_<FLAG>``) > file (``emulator.toml``) > default.

One field is one setting: its name is the flag's, its metadata the help text. A bad value stops the start with
one clear line; an unknown ``EMULATOR_*`` variable is a warning with the nearest name.
"""

from __future__ import annotations

import dataclasses
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import field
from math import isfinite, nan
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from emulator.core.errors import ConfigurationError, Problem, nearest
from emulator.core.values import value_type

PREFIX = "EMULATOR_"
ELSEWHERE = frozenset({"CONFIG", "URL", "KINGSOFT_ENDPOINT", "BAIDU_ENDPOINT"})
"""Variables that other verbs read, or tell a command of."""


def _setting(default: Any, text: str, *, least: float | None = None, most: float | None = None) -> Any:
    return field(default=default, metadata={"help": text, "least": least, "most": most})


@value_type
class Settings:
    """Everything that can be set when the emulator starts."""

    host: str = _setting("127.0.0.1", "address to listen on")
    port: int = _setting(8640, "port to listen on; 0 takes a free one and prints it", least=0, most=65535)
    tls_port: int | None = _setting(None, "further port that speaks TLS only; 0 takes a free one", least=0, most=65535)
    proxy_port: int | None = _setting(None, "further port, for proxy requests; 0 takes a free one", least=0, most=65535)
    admin_port: int | None = _setting(
        None, "port of the admin API, which is then on no other; 0 takes a free one", least=0, most=65535
    )
    tls_name: tuple[str, ...] = _setting((), "further host name to be served by TLS and as a proxy")
    ca_dir: str = _setting("", "folder that keeps the certificate authority (default: in the user's data folder)")
    port_file: str = _setting("", "file that the port is written to once the emulator is ready")
    seed: int | None = _setting(None, "what everything random is drawn from; printed at start", least=0, most=2**53 - 1)
    responses: Literal["canned", "random"] = _setting("canned", "answers: fixtures as they are, or drawn along them")
    accounts: Literal["open", "closed"] = _setting("open", "whether an unknown credential opens an account of its own")
    auth: Literal["off", "lenient", "strict"] = _setting(
        "lenient", "whether credentials are checked: never, whenever the secret is known, always"
    )
    signature_skew: float = _setting(900.0, "seconds by which a signing time may be off; 0 does not look", least=0)
    clock: Literal["real", "scaled", "frozen"] = _setting("real", "how the clock of a new account runs")
    clock_speed: float = _setting(1.0, "for --clock scaled: seconds that pass in one", least=0.001, most=1e6)
    schemas: tuple[str, ...] = _setting((), "folder whose schemas replace the shipped ones, file by file")
    fixtures: tuple[str, ...] = _setting((), "folder whose fixtures replace or add to the shipped ones, file by file")
    rules: tuple[str, ...] = _setting((), "file or folder with rules for every account (YAML or JSON), watched")
    folder: str = _setting("", "folder with schemas, fixtures, rules and init in it, each used if it is there")
    hook_timeout: float = _setting(30.0, "seconds that an init hook may take", least=0.1, most=3600)
    hook_failure: Literal["stop", "continue"] = _setting("stop", "whether a failed init hook ends the emulator")
    lenient_json: bool = _setting(
        False, "accept trailing commas and // comments in JSON bodies, as the vendor prints them"
    )
    wave_type: str = _setting("audiowave", "Type in the callback of a wave task (the vendor does not document it)")
    concurrency: int = _setting(10, "Kingsoft tasks of an account that run at a time; 0: any number", least=0)
    dialect: str = _setting(
        "docs", "how Kingsoft's answers and callbacks look: docs, real-2020, legacy or ks3, then NAME=VALUE switches"
    )
    limits: Literal["off", "on"] = _setting("off", "whether the documented request rates are enforced")
    flow_failure: Literal["stop", "continue"] = _setting(
        "stop", "whether a failing step of a Kingsoft flow task leaves out those behind it"
    )
    list_limit: Literal["clamp", "refuse"] = _setting(
        "clamp", "a Limit above 100 in Kingsoft's lists means 100, or is refused (1001)"
    )
    legacy_presets: bool = _setting(False, "serve Kingsoft templates of the types avop, avlogo and avm3u8, and chains")
    signing_service: tuple[str, ...] = _setting((), "further service name that a Kingsoft signature may be made for")
    iocr_era: Literal["template", "2018", "2020", "finance"] = _setting(
        "template", "shape of iOCR's answers: as each template says (else 2020), or of one era for all"
    )
    iocr_errors: Literal["classic", "newer"] = _setting("classic", "generation of iOCR's error codes and bodies")
    iocr_logid: bool = _setting(False, "add the numeric logid of the vendor's table, which no real answer has")
    base64: Literal["repair", "strict"] = _setting("repair", "base64 with blanks or line breaks: repaired or refused")
    expired_token: Literal["111", "110"] = _setting("111", "error code for an expired access token")
    qps_limit: int = _setting(2, "for --limits on: recognitions within a second; 0 is no limit", least=0)
    daily_limit: int = _setting(500, "for --limits on: recognitions within a day of Beijing's; 0 is no limit", least=0)
    total_limit: int = _setting(0, "for --limits on: recognitions in all; 0 is no limit", least=0)
    url_fetch: Literal["off", "policy"] = _setting(
        "off", "pictures behind a url: not looked at, or fetched from where callbacks may go, too"
    )
    url_timeout: float = _setting(5.0, "seconds that the server of a picture has", least=0.01, most=3600)
    triggers: Literal["on", "off"] = _setting("on", "whether magic values (emu-…) in requests have effects")
    request_overrides: bool = _setting(False, "let X-Emulator-* headers of a request say what becomes of it")
    callbacks: Literal["direct", "pull"] = _setting(
        "direct", "callbacks go to their URLs unless a listener is attached, or to listeners only"
    )
    callback_timeout: float = _setting(5.0, "seconds that a callback's receiver has", least=0.01, most=3600)
    callback_senders: int = _setting(
        32, "callbacks that may be on their way to one target at a time", least=1, most=1000
    )
    callback_allow: tuple[str, ...] = _setting((), "host, *.domain or network, beyond private ones, that may be called")
    callback_rewrite: tuple[str, ...] = _setting((), "HOST=OTHER: callbacks for HOST are sent to OTHER")
    max_body: int = _setting(16 * 2**20, "bytes that a request's body may have", least=1024, most=2**30)
    cors: tuple[str, ...] = _setting((), "origin whose pages may call the emulated clouds from a browser; * is all")
    admin_token: str = _setting("", "bearer token of the admin API; made and printed beyond loopback; none: never")
    admin_host: tuple[str, ...] = _setting((), "further host name that the admin API answers to")
    journal_entries: int = _setting(10_000, "requests that an account's journal keeps", least=1)
    journal_bytes: int = _setting(32 * 2**20, "bytes of bodies that an account's journal keeps", least=0)
    grace: float = _setting(
        5.0, "seconds that callbacks on their way have when the emulator is stopped", least=0, most=600
    )


_LINKED = re.compile(r"(SERVICE_(HOST|PORT)|PORT_\d+_(TCP|UDP))(_|$)|(NAME|ENV_.*)$")

FIELDS = {entry.name: entry for entry in dataclasses.fields(Settings)}
_TYPES = get_type_hints(Settings)


def data_folder() -> Path:
    """Where this user's certificate authority is kept; for a user without a home, where nothing can be."""
    try:
        folder = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    except RuntimeError:
        folder = Path(os.devnull)
    return folder / "kingsoft-baidu-emulator"


def flag(name: str) -> str:
    """The flag of a setting."""
    return "--" + name.replace("_", "-")


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def choices(name: str) -> tuple[str, ...]:
    """The values that a setting may have, if they are few."""
    return get_args(_TYPES[name]) if get_origin(_TYPES[name]) is Literal else ()


def is_list(name: str) -> bool:
    """Whether a setting may be given several times."""
    return get_origin(_TYPES[name]) is tuple


def is_switch(name: str) -> bool:
    """Whether a setting is on or off."""
    return _TYPES[name] is bool


def resolve(flags: Mapping[str, Any], environment: Mapping[str, str], file: Path | None) -> tuple[Settings, list[str]]:
    """The settings in force, and warnings.

    Args:
        flags: what the command line said, by setting; absent where it said nothing.
        environment: the process's variables.
        file: a TOML file; ``None``: ``emulator.toml`` in the current folder, if there is one.

    Raises:
        ConfigurationError: a value makes no sense; every one is listed.

    """
    problems: list[Problem] = []
    warnings: list[str] = []
    values: dict[str, Any] = {}
    path = file or Path("emulator.toml")
    for name, value in _from_file(path, problems).items() if file is not None or path.is_file() else ():
        if name not in FIELDS:
            problems.append(Problem(str(path), f"/{name}", f"no such setting{nearest(name, FIELDS)}"))
        else:
            _take(values, name, value, f"{path}: {name}", problems)
    for key, text in environment.items():
        name = key.removeprefix(PREFIX).lower()
        if not key.startswith(PREFIX) or key.removeprefix(PREFIX) in ELSEWHERE or _links(key, text):
            continue
        plain = name.removesuffix("_file")
        if name not in FIELDS and plain in FIELDS:
            try:
                _take(values, plain, secret(plain, environment), key, problems)
            except ConfigurationError as error:
                problems += error.problems
        elif name not in FIELDS:
            warnings.append(f"{key} is no setting{nearest(key, map(variable, FIELDS))}")
        else:
            _take(values, name, text, key, problems)
    for name, value in flags.items():
        _take(values, name, value, flag(name), problems)
    if problems:
        raise ConfigurationError(problems)
    return _furnished(Settings(**values)), warnings


def secret(name: str, environment: Mapping[str, str]) -> str | None:
    """A setting that may stand in a file: ``EMULATOR_X``, or what is in the file that ``EMULATOR_X_FILE`` names.

    Raises:
        ConfigurationError: both are there, or the file cannot be read.

    """
    key, beside = variable(name), f"{variable(name)}_FILE"
    if beside not in environment:
        return environment.get(key)
    if key in environment:
        raise ConfigurationError([Problem(beside, "", f"{key} is set, too; one of the two has to go")])
    try:
        return Path(environment[beside]).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError([Problem(beside, "", str(error))]) from None


def _links(key: str, text: str) -> bool:
    """Whether Kubernetes, or a link between containers, set the variable for a service that is called emulator."""
    return text.startswith(("tcp://", "udp://")) or _LINKED.match(key.removeprefix(PREFIX)) is not None


def _furnished(settings: Settings) -> Settings:
    """``settings`` with what is in its folder, behind what was named one by one.

    Raises:
        ConfigurationError: there is no such folder.

    """
    if not settings.folder:
        return settings
    folder = Path(settings.folder)
    if not folder.is_dir():
        raise ConfigurationError([Problem("--folder", "", f"no such folder: {folder}")])
    inside = {name: folder / name for name in ("schemas", "fixtures", "rules")}
    found: dict[str, Any] = {
        name: (*getattr(settings, name), str(path)) for name, path in inside.items() if path.is_dir()
    }
    return dataclasses.replace(settings, **found)


def rewrites(settings: Settings) -> dict[str, str]:
    """The map that ``--callback-rewrite`` describes.

    Raises:
        ConfigurationError: an entry is not of the form HOST=OTHER.

    """
    pairs = [entry.partition("=") for entry in settings.callback_rewrite]
    if bad := next(
        (entry for entry, pair in zip(settings.callback_rewrite, pairs, strict=True) if not all(pair)), None
    ):
        raise ConfigurationError([Problem("--callback-rewrite", "", f"{bad!r} is not HOST=OTHER")])
    return {host: other for host, _, other in pairs}


def _from_file(path: Path, problems: list[Problem]) -> dict[str, Any]:
    try:
        return {name.replace("-", "_"): value for name, value in tomllib.loads(path.read_text("utf-8")).items()}
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(Problem(str(path), "", str(error)))
        return {}


def _take(values: dict[str, Any], name: str, value: Any, where: str, problems: list[Problem]) -> None:
    try:
        values[name] = _converted(name, value)
    except ValueError as error:
        problems.append(Problem(where, "", str(error)))


def _converted(name: str, value: Any) -> Any:
    """``value``, from a flag, a variable or TOML, as the setting's type.

    Raises:
        ValueError: it is none, or out of bounds.

    """
    if is_list(name):
        given = value.split(",") if isinstance(value, str) else value
        if not isinstance(given, (list, tuple)):
            raise ValueError(f"{value!r} is no list")
        return tuple(str(entry).strip() for entry in given if str(entry).strip())
    if is_switch(name):
        known = {
            "true": True,
            "1": True,
            "yes": True,
            "on": True,
            "false": False,
            "0": False,
            "no": False,
            "off": False,
        }
        word = str(value).strip().lower()
        if word not in known:
            raise ValueError(f"{value!r} is neither true nor false")
        return known[word]
    if allowed := choices(name):
        if value not in allowed:
            raise ValueError(f"{value!r} is none of {', '.join(allowed)}{nearest(str(value), allowed)}")
        return value
    if _TYPES[name] is str:
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is no text")
        return value
    number = _whole(value) if _TYPES[name] is not float else _decimal(value)
    bounds = FIELDS[name].metadata
    least, most = bounds["least"], bounds["most"]
    if (least is not None and number < least) or (most is not None and number > most):
        limits = f"from {least:g} to {most:g}" if most is not None else f"{least:g} at least"
        raise ValueError(f"{value} is out of bounds: {limits}")
    return number


def _whole(value: Any) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise ValueError(f"{value!r} is no whole number") from None


def _decimal(value: Any) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = nan
    if not isfinite(number):
        raise ValueError(f"{value!r} is no number")
    return number
