"""The composition root: the one place that names the clouds and joins the parts."""

from __future__ import annotations

import functools
from pathlib import Path

from emulator.baidu.behaviour import Behaviour, Limits
from emulator.baidu.provider import Baidu
from emulator.core import resources
from emulator.core.accounts import DEFAULT, AccountBook, AccountLimits, AccountSpec
from emulator.core.brought import Brought
from emulator.core.clock import ClockSpec, Machine, SystemMachine
from emulator.core.driver import Driver
from emulator.core.emulation import Emulation
from emulator.core.errors import ConfigurationError, Problem
from emulator.core.fetching import Wishing
from emulator.core.fixtures import Fixtures
from emulator.core.ids import fresh_seed
from emulator.core.journal import JournalLimits
from emulator.core.pipeline import Pipeline
from emulator.core.provider import Provider
from emulator.core.resources import Resource, unread
from emulator.core.rule_files import RuleFiles
from emulator.core.rule_reader import PLANS, RuleReader
from emulator.core.schemas import SchemaRegistry
from emulator.kingsoft.dialects import parse
from emulator.kingsoft.handlers.tasks import TaskOptions
from emulator.kingsoft.provider import Kingsoft, KingsoftOptions
from emulator.settings import Settings, rewrites
from emulator.web.fetcher import Fetcher
from emulator.web.relay import Relay
from emulator.web.sender import HttpSender, OutboundPolicy

CLOUDS: tuple[type[Kingsoft] | type[Baidu], ...] = (Kingsoft, Baidu)


def assemble(settings: Settings, machine: Machine | None = None) -> tuple[Emulation, Relay]:
    """A complete emulation, loaded, compiled and cross-checked, and the sender of its callbacks.

    Raises:
        ConfigurationError: a schema, a fixture, a rule or a setting is wrong; every problem is listed.

    """
    machine = machine or SystemMachine()
    seed = settings.seed if settings.seed is not None else fresh_seed()
    schemas, fixtures = load_data(settings)
    providers: dict[str, Provider] = {
        "kingsoft": Kingsoft(schemas, fixtures, _kingsoft_options(settings)),
        "baidu": Baidu(schemas, fixtures, seed=seed, behaviour=_behaviour(settings)),
    }
    accounts = AccountBook(
        machine,
        AccountLimits(journal=JournalLimits(entries=settings.journal_entries, total=settings.journal_bytes)),
        AccountSpec(DEFAULT, True, seed, ClockSpec(settings.clock, settings.clock_speed), settings.responses),
        settings.accounts,
        {name: provider.new_state for name, provider in providers.items()},
    )
    reader = RuleReader(schemas, providers, fixtures, trusted=not settings.fixtures)
    rule_files = RuleFiles(tuple(map(Path, settings.rules)), reader, accounts.rules)
    rule_files.load()
    brought = Brought(reader, triggers=settings.triggers == "on", headers=settings.request_overrides)
    direct = HttpSender(_outbound(settings), settings.callback_timeout, machine)
    sender = Relay(direct, settings.callback_timeout, machine, pull=settings.callbacks == "pull")
    emulation = Emulation(
        machine=machine,
        seed=seed,
        started=machine.wall(),
        schemas=schemas,
        fixtures=fixtures,
        providers=providers,
        rules=reader,
        rule_files=rule_files,
        accounts=accounts,
        pipeline=Pipeline(tuple(providers.values()), accounts, schemas, brought),
        driver=Driver(accounts, providers, sender, settings.callback_senders),
    )
    return emulation, sender


def _kingsoft_options(settings: Settings) -> KingsoftOptions:
    try:
        dialect = parse(settings.dialect)
    except ValueError as error:
        raise ConfigurationError([Problem("--dialect", "", str(error))]) from None
    return KingsoftOptions(
        auth=settings.auth,
        skew=settings.signature_skew,
        services=("kvs", *settings.signing_service),
        limits=settings.limits == "on",
        concurrency=settings.concurrency,
        dialect=dialect,
        tasks=TaskOptions(
            lenient_json=settings.lenient_json,
            wave_type=settings.wave_type,
            legacy_types=settings.legacy_presets,
            stop_on_failure=settings.flow_failure == "stop",
            clamp=settings.list_limit == "clamp",
        ),
    )


def _behaviour(settings: Settings) -> Behaviour:
    """What is chosen about Baidu."""
    limited = settings.limits == "on"
    return Behaviour(
        auth=settings.auth,
        skew=settings.signature_skew,
        era=settings.iocr_era,
        errors=settings.iocr_errors,
        logid=settings.iocr_logid,
        base64=settings.base64,
        expired=int(settings.expired_token),
        limits=Limits(settings.qps_limit, settings.daily_limit, settings.total_limit) if limited else Limits(),
        fetches=settings.url_fetch == "policy",
        triggers=settings.triggers == "on",
    )


def fetcher(settings: Settings, emulation: Emulation) -> Fetcher | None:
    """What fetches pictures behind URLs, if that is allowed."""
    if settings.url_fetch == "off":
        return None
    wishing = [provider for provider in emulation.providers.values() if isinstance(provider, Wishing)]
    return Fetcher(wishing, _outbound(settings), settings.url_timeout)


def _outbound(settings: Settings) -> OutboundPolicy:
    """Where callbacks may go, and where pictures may be fetched from."""
    return OutboundPolicy(settings.callback_allow, rewrites(settings))


def load_data(settings: Settings) -> tuple[SchemaRegistry, Fixtures]:
    """Every schema and fixture in force, checked.

    Raises:
        ConfigurationError: with every file and pointer at fault.

    """
    if not settings.schemas and not settings.fixtures:
        return _shipped_data()
    return _load_data(settings.schemas, settings.fixtures)


@functools.cache
def _shipped_data() -> tuple[SchemaRegistry, Fixtures]:
    """The data of an emulator without any of a user's: read once in a process, since nothing ever changes it."""
    return _load_data((), ())


def _load_data(schema_folders: tuple[str, ...], fixture_folders: tuple[str, ...]) -> tuple[SchemaRegistry, Fixtures]:
    loaded = resources.load("schemas", tuple(map(Path, schema_folders)))
    _refuse_unread(loaded)
    schemas = SchemaRegistry(loaded, trusted=True)
    known = (f"{PLANS}*.json", *(pattern for cloud in CLOUDS for pattern in cloud.fixtures_read))
    return schemas, Fixtures(resources.load("fixtures", tuple(map(Path, fixture_folders))), schemas, known)


def _refuse_unread(loaded: dict[str, Resource]) -> None:
    """A user's schema must take the place of a shipped one: no other is ever read."""
    extra = [resource for resource in loaded.values() if resource.user and not resource.hides]
    problems = [unread(resource, loaded.keys() - {resource.path}) for resource in extra]
    if problems:
        raise ConfigurationError(problems)
