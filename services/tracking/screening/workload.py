"""Queries on who has what in hand, and on cases like another; a line of comment each. Staff's carry their scope."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    Integer,
    Row,
    and_,
    cast,
    desc,
    func,
    literal,
    or_,
    select,
    text,
    union,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from contracts.screening import SimilarCase
from contracts.vocabulary import OPEN_STAGES, Role, Stage
from services.tracking.case.scope import Scope
from services.tracking.models import cases, skills, staff
from services.tracking.row_conditions import IN_HAND
from services.tracking.screening.suggestions import Earlier
from services.tracking.search.document import LINE

_EXCERPT = 140
"""Characters of a similar case's text, enough to tell whether it is the same."""
LOOKED_AT = 1_000
"""The newest cases in which words are looked for; a word in a text takes less than a microsecond."""
READ_BACK, READ_BESIDE = 2_000, 200
"""Of the newest cases of the same unit the newest that are open, and as many of the same ground: so it takes no longer when a
whole city complains of one unit."""
LOOKED_FOR = 12
"""The longest words of a text, which say most of what it is about."""
COMPARED, COMPARED_BESIDE = 250, 120
"""Those with most of these words, whose whole texts are compared: that takes fifty microseconds each. Of 250 read cases of the
city in benchmarks/ the right unit was suggested 154 times, and 155 times when all thousand were compared; the right ground
189 and 194 times; in half of the time."""
NEIGHBOURS = 15
ALIKE = 0.2
"""From this similarity on two texts are taken to have something in common."""
TWINS = 5
YEAR = timedelta(days=365)
_ONE_AT_A_TIME = 7_204_506  # any number, the same in every process


_FILED = func.split_part(cases.c.search, LINE, 1).label("search")
"""What a case is compared by: what was filed, and not what was written since."""


def text_of(connection: Connection, case_id: UUID, scope: Scope) -> Row[Any] | None:
    """What a case is compared by."""
    chosen = select(cases.c.case_id, _FILED, cases.c.unit, cases.c.ground)
    return connection.execute(chosen.where(cases.c.case_id == case_id, scope.condition())).first()


def earlier(connection: Connection, case_id: UUID, search: str, now: datetime, scope: Scope) -> list[Earlier]:
    """The most similar of the newest cases that somebody has read."""
    names = ("unit", "ground", "urgent")
    newest = (
        select(*(cases.c[name] for name in names), _FILED)
        .where(
            cases.c.case_id != case_id,
            cases.c.stage.not_in([Stage.REGISTERED, Stage.SCREENING, Stage.REFUSED]),
            cases.c.filed_at > now - YEAR,
            scope.condition(),
        )
        .order_by(cases.c.filed_at.desc())
        .limit(LOOKED_AT)
        .subquery()
    )
    likely = select(newest).order_by(_shared(newest.c.search, search).desc()).limit(COMPARED).subquery()
    alike = func.similarity(likely.c.search, search)
    chosen = select(likely, alike.label("alike")).where(alike >= ALIKE).order_by(desc("alike")).limit(NEIGHBOURS)
    return [Earlier(row.unit, row.ground, row.urgent, row.search, row.alike) for row in connection.execute(chosen)]


def _shared(column: ColumnElement[Any], search: str) -> ColumnElement[int]:
    """How many of the words of a normalised text another holds, wherever in a word."""
    words = {word for word in search.split() if len(word) > 3 and not word[0].isdigit()}
    chosen = sorted(words, key=lambda word: (-len(word), word))[:LOOKED_FOR]
    held = [cast(column.contains(word, autoescape=True), Integer) for word in chosen]
    return sum(held[1:], held[0]) if held else literal(0)


def similar(connection: Connection, subject: Row[Any], scope: Scope) -> list[SimilarCase]:
    """Open cases of the same unit or ground, the most similar first."""
    stages = sorted(OPEN_STAGES)
    parts = []
    for same in (cases.c.unit == subject.unit, cases.c.ground == subject.ground):
        back = select(cases.c.case_id, cases.c.stage, cases.c.filed_at).where(same, scope.condition())
        newest = back.order_by(cases.c.filed_at.desc()).limit(READ_BACK).subquery()
        open_ones = select(newest.c.case_id).where(newest.c.stage.in_(stages), newest.c.case_id != subject.case_id)
        parts.append(open_ones.order_by(newest.c.filed_at.desc()).limit(READ_BESIDE))
    names = ("case_id", "number", "stage", "unit", "ground", "filed_at")
    read = select(*(cases.c[name] for name in names), _FILED, func.left(cases.c.text, _EXCERPT).label("excerpt"))
    read = read.where(cases.c.case_id.in_(union(*(select(part.subquery()) for part in parts))))
    likely = read.order_by(_shared(_FILED, subject.search).desc()).limit(COMPARED_BESIDE).subquery()
    alike = func.similarity(likely.c.search, subject.search)
    chosen = select(likely, alike.label("similarity")).where(alike >= ALIKE)
    twins = []
    for row in connection.execute(chosen.order_by(desc("similarity")).limit(TWINS)):
        same = [name for name in ("unit", "ground") if getattr(row, name) == getattr(subject, name)]
        twins.append(SimilarCase.model_validate({**row._mapping, "similarity": round(row.similarity, 2), "same": same}))
    return twins


def inspectors(
    connection: Connection,
    scope: Scope | None = None,
    one_at_a_time: bool = False,
    role: Role = Role.INSPECTOR,
) -> Sequence[Row[Any]]:
    """Active inspectors with their skills, those with the fewest open cases first: of those that the scope knows or (None: it
    is shown to nobody) of all. `one_at_a_time`: until the end of this transaction nobody else chooses by this, so that two do
    not both find the same one free. `role`: or those of another role."""
    if one_at_a_time:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ONE_AT_A_TIME})
    counted = select(cases.c.handler, func.count().label("open_cases")).where(IN_HAND).group_by(cases.c.handler)
    in_hand = (counted if scope is None else counted.where(scope.condition())).subquery()
    load = func.coalesce(in_hand.c.open_cases, 0).label("open_cases")
    chosen = (
        select(staff.c.staff_id, staff.c.display_name, staff.c.unit, skills.c.grounds, load)
        .outerjoin(skills, skills.c.staff_id == staff.c.staff_id)
        .outerjoin(in_hand, in_hand.c.handler == staff.c.staff_id)
        .where(and_(staff.c.active, staff.c.roles.contains([str(role)])))
    )
    return connection.execute(chosen.order_by("open_cases", staff.c.staff_id)).all()


def by_inspector(connection: Connection, scope: Scope, today: date, soon: date) -> Sequence[Row[Any]]:
    """How much of what the scope knows each inspector has in hand, and how late it is: active inspectors, and whoever else
    still has cases."""
    owed = cases.c.paused_on.is_(None)

    def having(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
        return func.count().filter(*conditions)

    counted = (
        select(
            cases.c.handler,
            func.count().label("open_cases"),
            having(owed, cases.c.due_on.between(today, soon)).label("due_soon"),
            having(owed, cases.c.due_on < today).label("late"),
            having(cases.c.stage == Stage.AWAITING_CITIZEN).label("awaiting_citizen"),
            having(cases.c.stage == Stage.AWAITING_UNIT).label("awaiting_unit"),
            func.avg(today - cast(func.timezone("Asia/Tehran", cases.c.filed_at), Date)).label("average_age"),
        )
        .where(IN_HAND, scope.condition())
        .group_by(cases.c.handler)
        .subquery()
    )
    numbers = ("open_cases", "due_soon", "late", "awaiting_citizen", "awaiting_unit", "average_age")
    inspects = and_(staff.c.active, staff.c.roles.contains([str(Role.INSPECTOR)]))
    chosen = select(
        staff.c.staff_id.label("inspector"),
        inspects.label("active"),
        *(func.coalesce(counted.c[name], 0).label(name) for name in numbers),
    ).outerjoin(counted, counted.c.handler == staff.c.staff_id)
    chosen = chosen.where(or_(inspects, counted.c.handler.is_not(None)))
    return connection.execute(chosen.order_by(desc("late"), desc("due_soon"), "inspector")).all()


def open_cases_of(connection: Connection, inspector: UUID, scope: Scope, limit: int) -> list[UUID]:
    """The open cases in one inspector's hands, or that they had last and nobody has since; the oldest first."""
    held = and_(cases.c.handler == inspector, IN_HAND)
    chosen = select(cases.c.case_id).where(or_(held, had_last(inspector)), scope.condition())
    return list(connection.execute(chosen.order_by(cases.c.filed_at).limit(limit)).scalars())


def had_last(inspector: UUID) -> ColumnElement[bool]:
    """Cases at work that nobody handles, and this inspector handled last."""
    last = cases.c.previous_handlers[func.cardinality(cases.c.previous_handlers)]
    stages = sorted({*OPEN_STAGES} - {Stage.REGISTERED, Stage.SCREENING, Stage.REVIEW})
    return and_(cases.c.handler.is_(None), cases.c.stage.in_(stages), last == inspector)


def keep_skills(connection: Connection, inspector: UUID, grounds: Sequence[str]) -> None:
    """What an inspector is skilled in from now on."""
    statement = upsert(skills).values(staff_id=inspector, grounds=list(grounds))
    connection.execute(statement.on_conflict_do_update(index_elements=["staff_id"], set_={"grounds": list(grounds)}))
