"""Everything that one running emulator is made of, as one value."""

from __future__ import annotations

from collections.abc import Mapping

from emulator.core.accounts import AccountBook
from emulator.core.clock import Machine
from emulator.core.driver import Driver
from emulator.core.fixtures import Fixtures
from emulator.core.pipeline import Pipeline
from emulator.core.provider import Provider
from emulator.core.rule_files import RuleFiles
from emulator.core.rule_reader import RuleReader
from emulator.core.schemas import SchemaRegistry
from emulator.core.values import value_type


@value_type
class Emulation:
    """The parts of a running emulator.

    Attributes:
        seed: what everything random is drawn from, unless an account has a seed of its own.
        started: unix seconds.
        rules: reads rules, and knows the plans that have a name.
        rule_files: the rules that stand in files.

    """

    machine: Machine
    seed: int
    started: float
    schemas: SchemaRegistry
    fixtures: Fixtures
    providers: Mapping[str, Provider]
    rules: RuleReader
    rule_files: RuleFiles
    accounts: AccountBook
    pipeline: Pipeline
    driver: Driver
