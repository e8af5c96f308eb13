"""How long each kind of task takes unless a rule says otherwise. The vendor guarantees no time: [inference]."""

from __future__ import annotations

from emulator.core.tasks import Plan, Span

PLANS = {
    "avtrans": Plan(queue=Span(1, 1), run=Span(20, 20), upload=Span(4, 4)),
    "audiowave": Plan(queue=Span(1, 1), run=Span(4, 4), upload=Span(1, 1)),
}
