"""Shadow mode: a call is assessed and recorded as any other, and answered without cards.

What a live call would have been answered stands in the record (section shadow), also where that is a 412; it is never
counted as shown. A call that is no request at all is still refused, and a fault is still a fault.
"""

from dataclasses import replace

from cds.hooks.wire import NO_CARDS
from cds.service.visit import Decision

_ANSWERED = frozenset({200, 412})


def in_shadow(decision: Decision) -> Decision:
    """Return the answer and the record of a client in shadow mode, from those of a live call."""
    live = decision.answer
    if live.status not in _ANSWERED:
        return decision
    call = replace(decision.record.call, status=200, answer=NO_CARDS, computed=live.body)
    figures = {name: value for name, value in live.figures.items() if name != "cards"} | {"status": 200, "shadow": 1}
    return Decision(replace(live, status=200, body=NO_CARDS, figures=figures), replace(decision.record, call=call))
