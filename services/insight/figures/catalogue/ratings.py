"""Ratings on the day they were given: those that citizens gave by themselves apart from those given when they were called."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Integer, func

from services.insight.figures.figure import Counted, Figure
from services.insight.models import facts


def _points(which: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(facts.c.score, type_=Integer).filter(which), 0)


_by_phone, _unasked = facts.c.rated_by_phone, ~facts.c.rated_by_phone

FIGURE = Figure(
    name="ratings",
    counted=Counted(
        source=facts,
        day=facts.c.rated_on,
        where=(facts.c.rated_on.is_not(None), facts.c.score.is_not(None)),
        measures={
            "unasked": func.count().filter(_unasked),
            "unasked_points": _points(_unasked),
            "by_phone": func.count().filter(_by_phone),
            "by_phone_points": _points(_by_phone),
        },
    ),
)
