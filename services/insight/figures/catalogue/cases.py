"""Cases, on the day they were filed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy import Connection, func, select

from services.insight.figures.figure import Counted, Figure, Publication
from services.insight.models import facts

NAME = "cases"


def count_public(
    connection: Connection, table: str, since: date, until: date
) -> Mapping[str | None, Mapping[str, int]]:
    """Cases filed on these days, by one column of `facts`, or all of them."""
    within = facts.c.day.between(since, until)
    if table == "all":
        return {None: {NAME: connection.execute(select(func.count()).select_from(facts).where(within)).scalar_one()}}
    column = facts.c[table]
    rows = connection.execute(select(column, func.count()).where(within).group_by(column))
    return {row[0]: {NAME: row[1]} for row in rows}


FIGURE = Figure(
    name=NAME,
    counted=Counted(source=facts, day=facts.c.day, measures={NAME: func.count()}),
    publication=Publication(count_public, weekly=("all",), monthly=("kind", "stage", "ground", "unit")),
)
