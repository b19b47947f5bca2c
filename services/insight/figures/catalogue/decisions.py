"""Decided cases on the day of their last decision, and those of them that were settled, early or later."""

from __future__ import annotations

from sqlalchemy import and_, func

from contracts.vocabulary import Outcome
from services.insight.figures.figure import Counted, Figure
from services.insight.models import facts

_settled = facts.c.outcome == Outcome.SETTLED

FIGURE = Figure(
    name="decisions",
    counted=Counted(
        source=facts,
        day=facts.c.decided_on,
        where=(facts.c.decided_on.is_not(None),),
        measures={
            "decided": func.count(),
            "settled": func.count().filter(_settled),
            "settled_early": func.count().filter(and_(_settled, facts.c.settled_early)),
        },
    ),
)
