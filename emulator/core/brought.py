"""Rules that a single request brings along: in its headers, or as magic values in what it asks for.

They are for people who cannot set rules: a tester at a page under development, somebody else's service. Both become
rules like any other, tried before all that were set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from emulator.core.documents import read_json
from emulator.core.errors import ConfigurationError, EmulatorError, nearest
from emulator.core.exchange import Call, JsonObject
from emulator.core.provider import Provider
from emulator.core.rule_reader import RuleReader
from emulator.core.rules import BROUGHT, EFFECTS, Rule
from emulator.core.triggers import ADVICE, effects

HEADER = "x-emulator-"
MOST_KEPT = 1000
"""Rules that are kept after they were read, for the next request that brings the same."""


class NotUnderstood(EmulatorError):
    """A request brings a rule that makes no sense. Its text says which, and why."""


class Brought:
    """Reads what requests bring along.

    Args:
        reader: reads rules.
        triggers: whether magic values are looked for.
        headers: whether ``X-Emulator-*`` headers are.

    """

    def __init__(self, reader: RuleReader, *, triggers: bool, headers: bool) -> None:
        self._reader = reader
        self._triggers = triggers
        self._headers = headers
        self._known: dict[tuple[str, str], Rule] = {}

    def rules(self, call: Call, provider: Provider) -> Sequence[Rule]:
        """The rules that ``call`` brings along.

        Raises:
            NotUnderstood: one makes no sense.

        """
        words = provider.triggers(call) if self._triggers else ()
        if not words and not self._headers:
            return ()
        found: list[Rule] = []
        if self._headers:
            said = [(name.lower(), text) for name, text in call.request.headers.items() if _is_ours(name)]
            found += (self._header(name.removeprefix(HEADER), text, call) for name, text in said)
        if words:
            found += self._triggered(words, call)
        return found

    def _header(self, name: str, text: str, call: Call) -> Rule:
        if name not in EFFECTS:
            known = [HEADER + effect for effect in EFFECTS]
            hint = nearest(HEADER + name, known) or f"; there are {', '.join(known)}"
            raise NotUnderstood(f"the header {HEADER}{name} means nothing here{hint}")
        try:
            value = read_json(text)
        except ValueError:
            value = text
        return self._read(f"header {HEADER}{name}: {text}", {name: value}, call)

    def _triggered(self, words: Sequence[str], call: Call) -> Iterator[Rule]:
        starts_task = call.operation is not None and call.operation.starts_task
        try:
            for said, then in effects(words, starts_task=starts_task):
                yield self._read(f"trigger {said}", then, call)
        except (ValueError, NotUnderstood) as error:
            raise NotUnderstood(f"{error} ({ADVICE})") from None

    def _read(self, name: str, then: Mapping[str, object], call: Call) -> Rule:
        pattern = call.operation.qualified if call.operation is not None else f"{call.cloud}.*"
        rule = self._known.get((pattern, name))
        if rule is None:
            document: JsonObject = {"name": name[:200], "when": {"operation": pattern}, "then": dict(then)}
            try:
                rule = self._reader.read(BROUGHT, document, origin=BROUGHT)
            except ConfigurationError as error:
                raise NotUnderstood(f"{name}: {'; '.join(problem.message for problem in error.problems)}") from None
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            self._known[pattern, name] = rule
        return rule


def _is_ours(name: str) -> bool:
    return name[:11].lower() == HEADER and name.lower() not in _SAID


_SAID = frozenset({"x-emulator-reason", "x-emulator-request"})
"""Headers of the emulator's own answers, which a proxy or a test may send back."""
