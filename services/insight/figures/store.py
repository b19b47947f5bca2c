"""The query of every figure: what it counts, by the dimensions asked for, without what the viewer must not see."""

from __future__ import annotations

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
)
from sqlalchemy.dialects.postgresql import ARRAY

from backbone.persian import jalali
from services.insight.figures.figure import Counted
from services.insight.figures.rules import Question, UnitScope
from services.insight.models import facts


def count(connection: Connection, counted: Counted, question: Question, units: UnitScope, limit: int) -> list[Row[Any]]:
    """The dimensions asked for, in their order, then the measures; sorted by the dimensions."""
    source, month = counted.source, counted.month
    if "month" in question.by and month is None:
        days = _months_of_days(connection, counted)
        source, month = source.join(days, days.c.day == counted.day), days.c.month
    dimensions: dict[str, ColumnElement[Any]] = {"day": counted.day}
    if month is not None:
        dimensions["month"] = month
    columns = [dimensions[name] if name in dimensions else facts.c[name] for name in question.by]
    measures = [measure.label(name) for name, measure in counted.measures.items()]
    chosen = select(*columns, *measures).select_from(source).where(*_filters(question, counted), *_units(units))
    return list(connection.execute(chosen.group_by(*columns).order_by(*columns).limit(limit)).all())


def _months_of_days(connection: Connection, counted: Counted) -> TableValuedAlias:
    """The Jalali month (`month`) of each `day` from the first to the last: PostgreSQL knows no Jalali calendar."""
    ends = select(func.min(counted.day), func.max(counted.day)).select_from(counted.source).where(*counted.where)
    first, last = connection.execute(ends).one()
    days = [] if first is None else [first + timedelta(days=number) for number in range((last - first).days + 1)]
    months = [jalali.month(day) for day in days]
    given = (literal(days, ARRAY(Date)), literal(months, ARRAY(String)))
    return func.unnest(*given).table_valued(column("day", Date), column("month", String), name="days").render_derived()


def _filters(question: Question, counted: Counted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = list(counted.where)
    if counted.source is not facts:
        conditions.append(counted.day.is_not(None))
    if question.since is not None:
        conditions.append(counted.day >= question.since)
    if question.until is not None:
        conditions.append(counted.day <= question.until)
    if question.kind is not None:
        conditions.append(facts.c.kind == question.kind.value)
    if question.stage is not None:
        conditions.append(facts.c.stage == question.stage.value)
    return conditions


def _units(units: UnitScope) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if units.within is not None:
        conditions.append(facts.c.unit.in_(sorted(units.within)))
    if units.hidden:
        conditions.append(or_(facts.c.unit.is_(None), facts.c.unit.not_in(sorted(units.hidden))))
    return conditions
