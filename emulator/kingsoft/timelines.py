"""How long each kind of task takes unless a rule says otherwise. The vendor guarantees no time: [inference]."""

from __future__ import annotations

from collections.abc import Sequence

from emulator.core.tasks import Plan, Span

_LONG = Plan(queue=Span(1, 1), run=Span(20, 20), upload=Span(4, 4))
_SHORT = Plan(queue=Span(1, 1), run=Span(4, 4), upload=Span(1, 1))

PLANS = {
    "avtrans": _LONG,
    "avop": _LONG,
    "avlogo": _LONG,
    "avm3u8": _LONG,
    "aiproduction": _LONG,
    "avsample": Plan(queue=Span(1, 1), run=Span(10, 10), upload=Span(2, 2)),
    "avsnapshot": _SHORT,
    "avinfo": Plan(queue=Span(1, 1), run=Span(2, 2), upload=Span(0, 0)),
    "audiowave": _SHORT,
}


def in_a_row(plans: Sequence[Plan]) -> Plan:
    """The plan of steps that run one after the other: what each uploads, the next one reads."""
    worked = [span for plan in plans for span in (plan.run, plan.upload)][:-1]
    run = Span(sum(span.low for span in worked), sum(span.high for span in worked))
    return Plan(queue=plans[0].queue, run=run, upload=plans[-1].upload)
