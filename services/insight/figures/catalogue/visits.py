"""Visits: asked for on the day of asking; held, avoided, cancelled or missed on the day they ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy import Connection, func, literal, select, union_all

from services.insight.figures.figure import Counted, Figure, Publication
from services.insight.models import facts, visits

MEASURES = ("asked", "held", "avoided", "cancelled", "no_show")

# A visit of two months is in both: when it was asked for, and when it ended.
_moments = union_all(
    select(
        visits.c.case_id,
        visits.c.asked_month.label("month"),
        visits.c.asked_on.label("day"),
        literal("asked").label("measure"),
    ),
    select(visits.c.case_id, visits.c.ended_month, visits.c.ended_on, visits.c.ended),
).subquery()


def count_public(
    connection: Connection, table: str, since: date, until: date
) -> Mapping[str | None, Mapping[str, int]]:
    """Visits asked for on these days, or ended on these days."""
    asked_count = select(func.count()).select_from(visits).where(visits.c.asked_on.between(since, until))
    ended = select(visits.c.ended, func.count()).where(visits.c.ended_on.between(since, until)).group_by(visits.c.ended)
    counts = {row[0]: row[1] for row in connection.execute(ended)}
    return {None: {**counts, "asked": connection.execute(asked_count).scalar_one()}}


FIGURE = Figure(
    name="visits",
    counted=Counted(
        source=_moments.join(facts, facts.c.case_id == _moments.c.case_id),
        day=_moments.c.day,
        month=_moments.c.month,
        measures={measure: func.count().filter(_moments.c.measure == measure) for measure in MEASURES},
    ),
    dimensions=("month", "unit", "ground"),
    filters=("kind", "unit"),
    publication=Publication(count_public, monthly=("all",)),
)
