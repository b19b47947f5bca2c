"""Queries of the call-back list, a line of comment each. What an operator gets carries their scope."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, func, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from backbone.storage import cursors
from contracts.vocabulary import Kind, Stage
from services.tracking.call_backs.rules import CallState
from services.tracking.case.scope import Scope
from services.tracking.models import call_back_draws, call_backs, cases

_OF_WEEKS = b"w"


def _silent(today: date) -> ColumnElement[bool]:
    """Closed cases whose citizen is known and may rate still, and has not. Reports of wrongdoing are never called."""
    return and_(
        cases.c.stage == Stage.CLOSED,
        cases.c.rate_until >= today,
        cases.c.score.is_(None),
        cases.c.outcome.is_not(None),
        ~cases.c.anonymous,
        cases.c.kind != Kind.INFORMATION,
        cases.c.identity_erased_at.is_(None),
    )


def was_drawn(connection: Connection, week: date) -> bool:
    """Whether the sample of this week is there."""
    return connection.execute(select(call_back_draws.c.week).where(call_back_draws.c.week == week)).first() is not None


def begin_draw(connection: Connection, week: date, size: int, share: int) -> bool:
    """Whether it is ours to draw the sample of this week: another process waits for us, and then does not."""
    row = {"week": week, "size": size, "share": share, "eligible": 0, "drawn": 0}
    started = upsert(call_back_draws).values(row).on_conflict_do_nothing().returning(call_back_draws.c.week)
    return connection.execute(started).first() is not None


def _eligible(today: date) -> ColumnElement[bool]:
    return and_(_silent(today), ~exists().where(call_backs.c.case_id == cases.c.case_id))


def count_eligible(connection: Connection, today: date) -> int:
    """How many cases a sample may be drawn of; once drawn, a case is not drawn again."""
    return int(connection.execute(select(func.count()).select_from(cases).where(_eligible(today))).scalar_one())


def draw(connection: Connection, week: date, today: date, eligible: int, count: int) -> None:
    """The sample: those whose ids, hashed with the week, come first. Whoever repeats it gets the same."""
    place = func.md5(func.concat(literal(week.isoformat()), ":", cases.c.case_id))
    chosen = select(cases.c.case_id).where(_eligible(today)).order_by(place).limit(count)
    rows = [
        {"case_id": case_id, "week": week, "place": number, "state": "waiting", "attempts": 0}
        for number, case_id in enumerate(connection.execute(chosen).scalars())
    ]
    if rows:
        connection.execute(insert(call_backs), rows)
    drawn = update(call_back_draws).where(call_back_draws.c.week == week)
    connection.execute(drawn.values(eligible=eligible, drawn=len(rows)))


def lock_next(connection: Connection, scope: Scope, operator: UUID, today: date, stale: datetime) -> Row[Any] | None:
    """The case that this operator has taken, or the next one to call: newest week first, and what somebody took before `stale`
    and left. Locked; what another process holds is left to it."""
    own = and_(call_backs.c.state == "taken", call_backs.c.taken_by == operator)
    waiting = and_(call_backs.c.state == "waiting", or_(call_backs.c.next_on.is_(None), call_backs.c.next_on <= today))
    left = and_(call_backs.c.state == "taken", call_backs.c.taken_at < stale)
    chosen = (
        select(call_backs)
        .join(cases, cases.c.case_id == call_backs.c.case_id)
        .where(or_(own, waiting, left), _silent(today), scope.condition())
        .order_by(own.desc(), call_backs.c.week.desc(), call_backs.c.place)
        .limit(1)
    )
    return connection.execute(chosen.with_for_update(of=call_backs, skip_locked=True)).first()


def lock_taken(connection: Connection, case_id: UUID, operator: UUID) -> Row[Any] | None:
    """The case that this operator has taken, locked."""
    this = and_(call_backs.c.case_id == case_id, call_backs.c.taken_by == operator)
    return connection.execute(select(call_backs).where(this).with_for_update()).first()


def take(connection: Connection, case_id: UUID, operator: UUID, at: datetime) -> None:
    """Nobody else gets it for a while."""
    this = update(call_backs).where(call_backs.c.case_id == case_id)
    connection.execute(this.values(state="taken", taken_by=operator, taken_at=at))


def put(connection: Connection, case_id: UUID, state: CallState) -> None:
    """What came of the call."""
    connection.execute(update(call_backs).where(call_backs.c.case_id == case_id).values(vars(state)))


def cursor(week: date) -> str:
    """The cursor behind a draw."""
    return cursors.encode(week, UUID(int=0), _OF_WEEKS)


def weeks(connection: Connection, after: str | None, limit: int) -> Sequence[Row[Any]]:
    """The newest draws, each with its states: state → how many."""
    counted = (
        select(call_backs.c.week, call_backs.c.state, func.count().label("count"))
        .group_by(call_backs.c.week, call_backs.c.state)
        .subquery()
    )
    states = (
        select(func.json_object_agg(counted.c.state, counted.c.count))
        .where(counted.c.week == call_back_draws.c.week)
        .scalar_subquery()
        .label("states")
    )
    chosen = select(call_back_draws, states).order_by(call_back_draws.c.week.desc()).limit(limit)
    if after is not None:
        chosen = chosen.where(call_back_draws.c.week < cursors.decode_day(after, _OF_WEEKS)[0])
    return connection.execute(chosen).all()
