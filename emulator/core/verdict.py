"""The verdict: whether what happened in an account is what was expected, in words that fit a CI log.

Pure: it reads the journal, the ledger, the tasks and the rules, and changes nothing. A count never lies: what was
forgotten and could have changed it is no pass.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from emulator.core.accounts import Account
from emulator.core.callbacks import Delivery
from emulator.core.clock import iso
from emulator.core.expectations import Expectations, Expected, Happened, Kind, Matcher, Unknown
from emulator.core.journal import OWN, RequestEntry, redact
from emulator.core.values import value_type

NEAREST = 3
"""How many near misses are told of one expectation."""
NAMED = 10
"""How many entries one finding names."""
EXCERPT = 20
"""Lines of history under a verdict that failed."""


@value_type
class Finding:
    """What one check found.

    Attributes:
        check: what was checked, as a JSON pointer into the expectations.
        expected: what was expected, in words.
        found: what was found, in words.
        nearest: what came near, and why it does not count.
        requests, callbacks: the numbers of the entries that a failure is about.

    """

    check: str
    expected: str
    ok: bool
    found: str
    nearest: tuple[str, ...] = ()
    requests: tuple[int, ...] = ()
    callbacks: tuple[int, ...] = ()


@value_type
class Verdict:
    """Whether all is as expected, each finding, and all of it as a text for people."""

    ok: bool
    account: str
    findings: tuple[Finding, ...]
    text: str


def verify(account: Account, expected: Expectations) -> Verdict:
    """The verdict on ``account`` as it stands."""
    evidence = _Evidence(account, expected)
    findings = tuple(evidence.findings())
    ok = all(finding.ok for finding in findings)
    return Verdict(ok, account.name, findings, evidence.told(findings, ok))


class _Evidence:
    """What happened in an account, looked at for one verdict."""

    def __init__(self, account: Account, expected: Expectations) -> None:
        self._account = account
        self._expected = expected
        self._now = account.clock.now()
        self._requests = list(account.journal.requests)
        self._callbacks = list(account.ledger)
        first: list[Happened] = [*self._requests[:1], *self._callbacks]
        self._start = min(map(_at, first), default=self._now)
        self._excuses = [
            *(entry.matcher for entry in (*expected.requests, *expected.callbacks) if entry.count.most),
            *expected.order,
        ]

    def findings(self) -> Iterator[Finding]:
        """Each check, in the order of the expectations."""
        expected, switches = self._expected, self._expected.switches
        for entry in (*expected.requests, *expected.callbacks):
            yield self._counted(entry)
        if expected.order:
            yield self._ordered(expected.order)
        if switches["unmatched"]:
            unmatched = [entry for entry in self._requests if _matchless(entry) and self._refused(entry)]
            yield self._none("unmatched", "no request for something that does not exist", unmatched, "request")
        if switches["refused"]:
            refused = [entry for entry in self._requests if not _matchless(entry) and self._refused(entry)]
            yield self._none("refused", "no refused request", refused, "request")
        if switches["undelivered"]:
            undelivered = [entry for entry in self._callbacks if self._undelivered(entry)]
            yield self._none("undelivered", "no undelivered callback", undelivered, "callback")
        if switches["unused_rules"]:
            rules = self._account.rules
            unused = [f"rule {rule.id} ({rule.name})" for rule in rules.in_force if not rules.count(rule.id).taken]
            yield _without("unused_rules", "no rule left unused", unused)
        if switches["pending_tasks"]:
            yield _without("pending_tasks", "no task that has not ended", list(self._pending()))

    def _counted(self, expected: Expected) -> Finding:
        """Whether something happened as often as it must."""
        matcher = expected.matcher
        found: list[Happened] = []
        doubts: list[str] = []
        misses: list[tuple[int, Happened, list[str]]] = []
        for entry in self._of(matcher.kind):
            try:
                why = matcher.misfits(entry)
            except Unknown as error:
                doubts.append(f"{_called(entry)}, {error}")
                continue
            if not why:
                found.append(entry)
            elif matcher.near(entry):
                misses.append((len(why), entry, why))
        forgotten = self._forgotten(matcher.kind)
        ok = expected.count.holds(len(found), len(doubts) + forgotten)
        told = _listed(found)
        if ok:
            return Finding(expected.pointer, str(expected), True, told)
        told += "".join(f"; perhaps {doubt}" for doubt in doubts[:NEAREST])
        told += f"; {_lost(forgotten, matcher.kind)}" if forgotten else ""
        about: list[Happened] = found
        near: list[str] = []
        if len(found) < expected.count.least:
            misses.sort(key=lambda miss: (miss[0], -miss[1].number))
            about = [*found, *(entry for _, entry, _ in misses[:NEAREST])]
            near = [f"{self._named(entry)}: {'; '.join(why)}" for _, entry, why in misses[:NEAREST]]
            near = near or [self._else(matcher.kind)]
        return _failed(expected.pointer, str(expected), told, about, near)

    def _ordered(self, steps: Sequence[Matcher]) -> Finding:
        """Whether the steps happened one after the other; at one instant, requests and callbacks have no order."""
        words = "in this order: " + ", then ".join(step.words for step in steps)
        taken: list[Happened] = []
        last: dict[Kind, tuple[float, int]] = {}
        for place, step in enumerate(steps, 1):
            meant = (entry for entry in self._of(step.kind) if _came(entry) and _fits(step, entry, in_doubt=False))
            candidates = sorted(meant, key=_place)
            since = _at(taken[-1]) if taken else -math.inf
            behind = last.get(step.kind, (-math.inf, 0))
            later = (entry for entry in candidates if _at(entry) >= since and _place(entry) > behind)
            follower = min(later, key=_place, default=None)
            if follower is None:
                after = f" after {self._named(taken[-1])}" if taken else ""
                told = f"nothing for step {place} of {len(steps)} ({step.words}){after}"
                if forgotten := self._forgotten("request") + self._forgotten("callback"):
                    told += f"; {_lost(forgotten, 'request')}"
                near = [f"{self._named(entry)}: it is not after that" for entry in candidates[-NEAREST:]]
                return _failed("/order", words, told, [*taken, *candidates[-NEAREST:]], near)
            taken.append(follower)
            last[step.kind] = _place(follower)
        return Finding("/order", words, True, ", ".join(map(_called, taken)))

    def _none(self, switch: str, words: str, found: Sequence[Happened], kind: Kind) -> Finding:
        """Whether nothing unexpected was found."""
        pointer, forgotten = f"/unexpected/{switch}", self._forgotten(kind)
        if not found and not forgotten:
            return Finding(pointer, words, True, "none")
        told = _listed(found) + (f"; {_lost(forgotten, kind)}" if forgotten else "")
        return _failed(pointer, words, told, found, [self._line(entry) for entry in found[:NAMED]])

    def _refused(self, entry: RequestEntry) -> bool:
        """Whether a request was refused, and nobody said that it would be."""
        return entry.code is not None and not _by_rule(entry) and not self._excused(entry)

    def _undelivered(self, entry: Delivery) -> bool:
        if entry.status not in ("pending", "sending", "failed") or "drop" in entry.chaos:
            return False
        return not self._excused(entry)

    def _excused(self, entry: Happened) -> bool:
        kind = _kind(entry)
        return any(
            match.excuses and match.kind == kind and _fits(match, entry, in_doubt=True) for match in self._excuses
        )

    def _pending(self) -> Iterator[str]:
        for task in self._account.tasks:
            phase = task.timeline.at(self._now)
            if phase.status not in ("succeeded", "failed", "vanished"):
                hangs = ", and its plan says that it hangs" if task.timeline.ending.kind == "hang" else ""
                yield f"task {task.id} of {task.operation} is {phase.status}{hangs}"

    def _of(self, kind: Kind) -> Sequence[Happened]:
        return self._requests if kind == "request" else self._callbacks

    def _forgotten(self, kind: Kind) -> int:
        return self._account.journal.evicted if kind == "request" else self._account.ledger.evicted

    def _else(self, kind: Kind) -> str:
        """What there was, when nothing came near."""
        counts = Counter(entry.operation or "no operation" for entry in self._of(kind))
        listed = ", ".join(f"{name} ({number})" for name, number in counts.most_common(NAMED))
        return f"all {kind}s there were: {listed}" if counts else f"there was no {kind} at all"

    def _named(self, entry: Happened) -> str:
        return f"{_called(entry)} at {self._since(_at(entry))}"

    def _since(self, instant: float) -> str:
        return f"{instant - self._start:+.1f}s"

    def _line(self, entry: Happened) -> str:
        """What happened, in one line."""
        if isinstance(entry, RequestEntry):
            what = entry.operation or f"{entry.request.method} {entry.request.path}"
            code = f" {entry.code}: {redact(entry.reason)}" if entry.code is not None else ""
            return f"{self._named(entry)}: {what} -> {entry.status}{code}"
        what = f"{entry.order.event} of {entry.operation}, task {entry.task_id}"
        labels = f" [{', '.join(entry.chaos)}]" if entry.chaos else ""
        return f"{self._named(entry)}: {what} -> {self._delivered(entry)}{labels}"

    def _delivered(self, entry: Delivery) -> str:
        """How a delivery stands."""
        told: str = entry.status
        if entry.attempts:
            answer = entry.attempts[-1].answer
            made = f" after {len(entry.attempts)} attempts" if len(entry.attempts) > 1 else ""
            told += f"{made} ({answer.error or answer.status})"
        if entry.next_attempt is not None:
            told += f", next attempt at {self._since(entry.next_attempt)}"
        return told

    def told(self, findings: Sequence[Finding], ok: bool) -> str:
        """The verdict as a text."""
        failed = [finding for finding in findings if not finding.ok]
        checks = _many(len(findings), "check")
        happened = (
            (len(self._requests), "request"),
            (len(self._callbacks), "callback"),
            (len(self._account.tasks), "task"),
        )
        seen = ", ".join(_many(number, what) for number, what in happened)
        how = f"ok, {checks}" if ok else f"FAILED, {len(failed)} of {checks}"
        lines = [f"verdict on account {self._account.name}: {how}; {seen}"]
        for finding in (*failed, *(finding for finding in findings if finding.ok)):
            lines.append(f"  {'ok  ' if finding.ok else 'FAIL'} {finding.check}: {finding.expected}")
            if not finding.ok:
                lines.append(f"         found {finding.found}")
                lines += [f"         - {near}" for near in finding.nearest]
        if failed:
            lines += self._excerpt(failed)
        return "\n".join(map(_plain, lines))

    def _excerpt(self, failed: Sequence[Finding]) -> list[str]:
        """What happened around the entries that the failures are about; the last things if they are about none."""
        everything: list[Happened] = [*self._requests, *self._callbacks]
        if not everything:
            return ["  nothing happened"]
        # A client that asks after a frozen clock was moved does so at the instant of the last callback.
        history = sorted(everything, key=lambda entry: (_at(entry), _kind(entry), entry.number))
        about = {("request", number) for finding in failed for number in finding.requests}
        about |= {("callback", number) for finding in failed for number in finding.callbacks}
        meant = [place for place, entry in enumerate(history) if (_kind(entry), entry.number) in about]
        around = sorted({near for place in meant for near in (place - 1, place, place + 1)} & set(range(len(history))))
        shown = around[:EXCERPT] or list(range(len(history)))[-EXCERPT // 2 :]
        lines = [f"  what happened ({_since_when(self._start)}; now {self._since(self._now)}):"]
        before = -1
        for place in shown:
            if place > before + 1:
                lines.append(f"    ... {place - before - 1} more")
            entry, before = history[place], place
            mark = ">" if (_kind(entry), entry.number) in about else " "
            lines.append(f"  {mark} {self._line(entry)}")
        if len(history) > before + 1:
            lines.append(f"    ... {len(history) - before - 1} more")
        return lines


def _matchless(entry: RequestEntry) -> bool:
    """Whether nothing was found that the request is for."""
    return entry.operation is None and entry.code != OWN


def _by_rule(entry: RequestEntry) -> bool:
    """Whether a rule refused the request."""
    return any(entry.reason.startswith(f"rule {rule} ") for rule in entry.rules)


def _fits(matcher: Matcher, entry: Happened, *, in_doubt: bool) -> bool:
    """Whether ``entry`` is meant; ``in_doubt`` if that cannot be told any more."""
    try:
        return not matcher.misfits(entry)
    except Unknown:
        return in_doubt


def _kind(entry: Happened) -> Kind:
    return "request" if isinstance(entry, RequestEntry) else "callback"


def _called(entry: Happened) -> str:
    return f"{_kind(entry)} #{entry.number}"


def _came(entry: Happened) -> bool:
    """Whether it happened: a callback that was never sent did not."""
    return isinstance(entry, RequestEntry) or bool(entry.attempts)


def _at(entry: Happened) -> float:
    """When it happened (account time): a callback when it was first sent, or else fell due."""
    if isinstance(entry, RequestEntry):
        return entry.at
    return entry.attempts[0].at if entry.attempts else entry.due


def _place(entry: Happened) -> tuple[float, int]:
    return _at(entry), entry.number


def _listed(found: Sequence[Happened]) -> str:
    """How many, and which."""
    if not found:
        return "none"
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return f"{len(found)}: {', '.join(f'#{entry.number}' for entry in found[:NAMED])}{more}"


def _lost(forgotten: int, kind: str) -> str:
    """That a count cannot be told, and what to do."""
    keep = "a larger --journal-entries or --journal-bytes keeps more; " if kind == "request" else ""
    return f"{_many(forgotten, f'older {kind}')} forgotten, so there may have been more ({keep}a reset starts anew)"


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _without(switch: str, words: str, found: Sequence[str]) -> Finding:
    """A check that passes if there is nothing."""
    named = (*found[:NAMED], *([f"{len(found) - NAMED} more"] if len(found) > NAMED else ()))
    return Finding(f"/unexpected/{switch}", words, not found, str(len(found) or "none"), named)


def _failed(check: str, words: str, told: str, about: Sequence[Happened], near: Sequence[str]) -> Finding:
    requests = tuple(entry.number for entry in about if isinstance(entry, RequestEntry))
    callbacks = tuple(entry.number for entry in about if not isinstance(entry, RequestEntry))
    return Finding(check, words, False, told, tuple(near), requests, callbacks)


def _since_when(start: float) -> str:
    return f"+0.0s is {iso(start)}"


def _plain(text: str) -> str:
    """``text`` in one line, without what a terminal would obey."""
    return "".join(char if char.isprintable() else " " for char in text)
