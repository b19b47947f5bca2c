"""Insight's queries, a line of comment each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    Row,
    String,
    TableValuedAlias,
    column,
    func,
    literal,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert

from backbone.persian import jalali
from backbone.storage import bulk
from contracts.insight import CountCases, CountVisits
from services.insight.models import facts, notifications, transitions, units, visits


def keep_newest_facts(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Cases as these events tell them, one row a case; a case that a later event told already stays as it is."""
    if not rows:
        return
    changed = ", ".join(f"{name} = excluded.{name}" for name in rows[0] if name != "case_id")
    newest = f"ON CONFLICT (case_id) DO UPDATE SET {changed} WHERE excluded.sequence >= facts.sequence"
    bulk.insert(connection, facts, rows, newest)


def keep_newest_decision(connection: Connection, decision: dict[str, Any]) -> None:
    """When a case was decided last; a decision that came after this one stays."""
    connection.execute(
        update(facts)
        .where(facts.c.case_id == decision["case_id"])
        .where(func.coalesce(facts.c.decided_sequence, -1) < decision["decided_sequence"])
        .values(decided_at=decision["decided_at"], decided_sequence=decision["decided_sequence"])
    )


def keep_visits(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Visits as these events tell them, one row a visit; what a later event told of its end stays, and when it was asked for
    is told once."""
    if not rows:
        return
    newer = "{0} = CASE WHEN excluded.sequence >= visits.sequence THEN excluded.{0} ELSE visits.{0} END"
    first = "{0} = coalesce(visits.{0}, excluded.{0})"
    changed = [newer.format(name) for name in ("ended", "ended_on", "ended_month")]
    changed += [first.format(name) for name in ("asked_on", "asked_month")]
    changed.append("sequence = greatest(excluded.sequence, visits.sequence)")
    bulk.insert(connection, visits, rows, f"ON CONFLICT (visit_id) DO UPDATE SET {', '.join(changed)}")


def add_transitions(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """What happened to cases, each event once."""
    if rows:
        bulk.insert(connection, transitions, rows, "ON CONFLICT DO NOTHING")


def add_notifications(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """What became of messages, each event once."""
    if rows:
        bulk.insert(connection, notifications, rows, "ON CONFLICT DO NOTHING")


def keep_newest_units(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Units with their parents as of a version of the catalogue; a place told by a later version stays."""
    if not rows:
        return
    new = upsert(units).values(list(rows))
    connection.execute(
        new.on_conflict_do_update(
            index_elements=[units.c.code],
            set_={"parent": new.excluded.parent, "version": new.excluded.version},
            where=new.excluded.version > units.c.version,
        )
    )


def tree(connection: Connection) -> dict[str, str | None]:
    """Every unit ever heard of, with its newest parent."""
    return {row.code: row.parent for row in connection.execute(select(units.c.code, units.c.parent))}


def count(
    connection: Connection,
    request: CountCases,
    within: frozenset[str] | None,
    hidden: frozenset[str],
    limit: int,
) -> list[Row[Any]]:
    """Cases by the dimensions asked for, in their order, then how many; `within` and `hidden` are units."""
    days = _months_of_days(connection) if "month" in request.by else None
    columns = [facts.c[name] if days is None or name != "month" else days.c.month for name in request.by]
    chosen = select(*columns, func.count().label("cases")).group_by(*columns).order_by(*columns).limit(limit)
    if days is not None:
        chosen = chosen.select_from(facts.join(days, days.c.day == facts.c.day))
    if request.since is not None:
        chosen = chosen.where(facts.c.day >= request.since)
    if request.until is not None:
        chosen = chosen.where(facts.c.day <= request.until)
    if request.kind is not None:
        chosen = chosen.where(facts.c.kind == request.kind.value)
    if request.stage is not None:
        chosen = chosen.where(facts.c.stage == request.stage.value)
    return list(connection.execute(chosen.where(*_units(within, hidden))).all())


def _months_of_days(connection: Connection) -> TableValuedAlias:
    """The Jalali month (`month`) of each `day` from the first case to the last: PostgreSQL knows no Jalali calendar."""
    first, last = connection.execute(select(func.min(facts.c.day), func.max(facts.c.day))).one()
    days = [] if first is None else [first + timedelta(days=number) for number in range((last - first).days + 1)]
    months = [jalali.month(day) for day in days]
    given = (literal(days, ARRAY(Date)), literal(months, ARRAY(String)))
    return func.unnest(*given).table_valued(column("day", Date), column("month", String), name="days").render_derived()


FIGURES = ("asked", "held", "avoided", "cancelled", "no_show")
"""What visits are counted by, in the order of the answer."""


def count_visits(
    connection: Connection,
    request: CountVisits,
    within: frozenset[str] | None,
    hidden: frozenset[str],
    limit: int,
) -> list[Row[Any]]:
    """Visits by the dimensions asked for, in their order, then the figures; `within` and `hidden` are units."""
    told = union_all(
        select(visits.c.case_id, visits.c.asked_month.label("month"), visits.c.asked_on.label("day"), _ASKED),
        select(visits.c.case_id, visits.c.ended_month, visits.c.ended_on, visits.c.ended),
    ).subquery()
    columns = [told.c.month if name == "month" else facts.c[name] for name in request.by]
    figures = [func.count().filter(told.c.figure == figure).label(figure) for figure in FIGURES]
    chosen = select(*columns, *figures).join_from(told, facts, facts.c.case_id == told.c.case_id)
    chosen = chosen.where(told.c.day.is_not(None)).group_by(*columns).order_by(*columns).limit(limit)
    if request.since is not None:
        chosen = chosen.where(told.c.day >= request.since)
    if request.until is not None:
        chosen = chosen.where(told.c.day <= request.until)
    if request.kind is not None:
        chosen = chosen.where(facts.c.kind == request.kind.value)
    return list(connection.execute(chosen.where(*_units(within, hidden))).all())


_ASKED = literal("asked").label("figure")


def _units(within: frozenset[str] | None, hidden: frozenset[str]) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [] if within is None else [facts.c.unit.in_(sorted(within))]
    if hidden:
        found.append(or_(facts.c.unit.is_(None), facts.c.unit.not_in(sorted(hidden))))
    return found
