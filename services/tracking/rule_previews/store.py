"""Queries on the open cases that a change of rules would concern, a line of comment each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
)

from contracts.vocabulary import Kind, Stage
from services.tracking.case.deadlines import ENDING
from services.tracking.case.lifecycle import Case
from services.tracking.case.store import CASE_COLUMNS, case_of
from services.tracking.models import cases
from services.tracking.row_conditions import OPEN
from services.tracking.rule_previews.rules import Alike

Known = ColumnElement[bool]
_WAITS = cases.c.stage == Stage.REGISTERED


def open_cases(connection: Connection, known: Known) -> int:
    """How many open cases there are, of those that are known."""
    return int(connection.execute(select(func.count()).select_from(cases).where(OPEN, known)).scalar_one())


def alike(connection: Connection, known: Known) -> list[Alike]:
    """Open cases by what their days are computed from: of many cases, few groups. Those of a time before this was kept are not
    among them; what moves them is a change of the calendar alone."""
    filed_on = cast(func.timezone("Asia/Tehran", cases.c.filed_at), Date)
    columns = (
        *(cases.c[name] for name in ("kind", "ground", "urgent", "due_from", "due_days", "pauses")),
        case((cases.c.paused_on.is_(None), cases.c.due_on)).label("due_on"),
        case((_WAITS, filed_on)).label("filed_on"),
        case((_WAITS, cases.c.first_due_on)).label("first_due_on"),
    )
    chosen = select(*columns, func.count().label("cases")).group_by(*_first(len(columns)))
    dated = and_(cases.c.due_from.is_not(None), cases.c.due_days.is_not(None))
    return [
        Alike(
            **{
                **row._mapping,
                "kind": Kind(row.kind),
                "pauses": tuple((first, last) for first, last in row.pauses),
            }
        )
        for row in connection.execute(chosen.where(OPEN, dated, known))
    ]


def _first(count: int) -> list[ColumnElement[int]]:
    """The first columns of a query, by their places."""
    return [literal_column(str(place)) for place in range(1, count + 1)]


def page_of_moved(
    connection: Connection,
    known: Known,
    days: Mapping[tuple[Kind, str, bool], int],
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Case]:
    """Open cases whose number of days for a decision is another one by `days`, those filed first first."""
    if not days:
        return []
    another = or_(
        *(
            and_(
                cases.c.kind == kind,
                cases.c.ground == ground,
                cases.c.urgent == literal(urgent),
                # Of urgent ones the days never become fewer (`changed_days`).
                cases.c.due_days < count if urgent else cases.c.due_days != count,
            )
            for (kind, ground, urgent), count in days.items()
        )
    )
    chosen = select(*CASE_COLUMNS).where(OPEN, cases.c.due_from.is_not(None), another, known)
    if after is not None:
        chosen = chosen.where(tuple_(cases.c.filed_at, cases.c.case_id) > after)
    rows = connection.execute(chosen.order_by(cases.c.filed_at, cases.c.case_id).limit(limit))
    return [case_of(row) for row in rows]


def undecided(connection: Connection, known: Known, befores: Sequence[datetime]) -> list[tuple[Kind, int, int]]:
    """Open cases by kind, by which of the rules of before they go on (their number: by those of now), and how many."""
    conditions = [(cases.c.filed_at < before, place) for place, before in enumerate(befores)]
    place = case(*conditions, else_=len(befores)) if conditions else literal(0)
    chosen = select(cases.c.kind, place.label("place"), func.count().label("cases")).group_by(*_first(2))
    return [(Kind(row.kind), row.place, row.cases) for row in connection.execute(chosen.where(OPEN, known))]


def ending(connection: Connection, known: Known) -> Iterator[Case]:
    """Cases that end by themselves: decided or refused."""
    chosen = select(*CASE_COLUMNS).where(cases.c.stage.in_(sorted(ENDING)), known)
    return (case_of(row) for row in connection.execute(chosen))
