"""Queries of public figures, one line of comment each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select, text

from backbone.storage import bulk
from services.insight.models import facts, figures_key, public_figures, releases

_LOCK = 7_204_531  # any number, the same in every process


def lock(connection: Connection) -> None:
    """One release at a time, until the transaction ends."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def key(connection: Connection) -> bytes:
    """What the blur is made with."""
    return bytes(connection.execute(select(figures_key.c.key)).scalar_one())


def newest(connection: Connection) -> date | None:
    """The last day that the newest release counts."""
    return connection.execute(select(func.max(releases.c.until))).scalar()


def earliest_day(connection: Connection) -> date | None:
    """The day of the first case."""
    return connection.execute(select(func.min(facts.c.day))).scalar()


def publish(connection: Connection, until: date, at: datetime, rows: Sequence[dict[str, Any]]) -> None:
    """A release with its cells. A cell that was published already stays as it is."""
    bulk.insert(connection, releases, [{"until": until, "released_at": at}])
    if rows:
        bulk.insert(connection, public_figures, rows, "ON CONFLICT DO NOTHING")


def sums(
    connection: Connection,
    measures: Sequence[str],
    dimension: str,
    by: Sequence[str],
    chosen: Mapping[str, Any],
    least: int | None = None,
) -> list[Row[Any]]:
    """Measure, the columns `by`, the sum of the blurred cells (`total`) and how many they are (`cells`), sorted by `by`.

    `chosen`: since, until, months (the newest so many), keys. `least`: smaller sums are left out.
    """
    keys = [public_figures.c[name] for name in by]
    columns = [public_figures.c.measure, *keys]
    total = func.sum(public_figures.c.value)
    query = select(*columns, total.label("total"), func.count().label("cells"))
    query = (
        query.where(*_chosen(measures, dimension, chosen)).group_by(*columns).order_by(*keys, public_figures.c.measure)
    )
    return list(connection.execute(query if least is None else query.having(total >= least)).all())


def _chosen(measures: Sequence[str], dimension: str, chosen: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    table = public_figures.c
    conditions = [table.measure.in_(measures), table.dimension == dimension]
    if chosen.get("since") is not None:
        conditions.append(table.since >= chosen["since"])
    if chosen.get("until") is not None:
        conditions.append(table.until <= chosen["until"])
    if chosen.get("keys") is not None:
        conditions.append(table.key.in_(sorted(chosen["keys"])))
    if chosen.get("months") is not None:
        of_table = (public_figures.c.measure.in_(measures)) & (public_figures.c.dimension == dimension)
        newest_months = select(table.since).where(of_table).distinct().order_by(table.since.desc())
        conditions.append(table.since.in_(newest_months.limit(chosen["months"])))
    return conditions
