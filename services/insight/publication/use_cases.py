"""Public figures: released once a week for the days up to Friday, and answered from what was released alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from backbone.persian import jalali
from contracts.errors import InvalidField
from contracts.units import UnitTree
from contracts.vocabulary import Kind, Outcome, Stage
from services.insight.figures.catalogue.cases import NAME as CASES
from services.insight.figures.figure import Figure, Publication
from services.insight.figures.rules import FigureCell, FigureTable, Question
from services.insight.publication import rules, store
from services.insight.reference import store as reference_store

ONE_DAY = timedelta(days=1)
MONTHS_OF_A_YEAR = 12


class PublicationUseCases:
    """The weekly release of all figures that are published, and what the public may ask of it."""

    def __init__(self, figures: Iterable[Figure]) -> None:
        self._published = [(figure, figure.publication) for figure in figures if figure.publication is not None]

    def release(self, connection: Connection, moment: datetime) -> bool:
        """Publishes what is due at this moment; False when it has been published. The first release has all months since
        the first case; each later one the week before in all and, once a month or a season is over, its tables."""
        store.lock(connection)
        until, before = rules.last_day(moment), store.newest(connection)
        if before is not None and before >= until:
            return False
        if before is None:
            first = min(store.earliest_day(connection) or until, until)
            before = jalali.month_span(first)[0] - ONE_DAY
        key = store.key(connection)
        table_keys = _table_keys(connection)
        rows: list[dict[str, Any]] = []
        for since, end in _spans(before + ONE_DAY, until):
            month, season = jalali.month_span(since), jalali.quarter_span(since)
            for figure, publication in self._published:
                for table in publication.weekly:
                    rows += _cells(connection, key, figure, publication, table, table_keys[table], since, end)
                for table in publication.monthly if month[1] <= until else ():
                    rows += _cells(connection, key, figure, publication, table, table_keys[table], *month)
                for table in publication.quarterly if season[1] == month[1] <= until else ():
                    rows += _cells(connection, key, figure, publication, table, table_keys[table], *season)
        store.publish(connection, until, moment, rows)
        return True

    def count(
        self, connection: Connection, figure: Figure, publication: Publication, question: Question
    ) -> FigureTable:
        """A figure as it is published. InvalidField `too_fine`: no published table is so fine."""
        filters = question.filters()
        table = rules.table_of(question.by, filters)
        if table is None or table not in (*publication.weekly, *publication.monthly):
            raise _too_fine(question.by)
        tree = reference_store.unit_tree(connection)
        chosen: dict[str, Any] = {"since": question.since, "until": question.until}
        if filters:
            value = next(iter(filters.values()))
            chosen["keys"] = tree.below(value) if table == "unit" else {value}
        cells: list[FigureCell] = []
        totals: dict[str, int | None] = dict.fromkeys(figure.measures)
        if question.unit is None or _is_large(connection, question.unit, tree):
            cells = _public_cells(connection, figure, table, question, chosen)
            for row in store.sums(connection, figure.measures, table, [], chosen):
                totals[row.measure] = rules.public(row.total, row.cells)
        return FigureTable(cells, totals, store.newest(connection))


def _public_cells(
    connection: Connection, figure: Figure, table: str, question: Question, chosen: Mapping[str, Any]
) -> list[FigureCell]:
    """The cells that are large enough to be published."""
    by = ["key" if name == table else name for name in question.by]
    large_units = _large_units(connection) if "key" in by and table == "unit" else None
    counts: dict[tuple[str, ...], dict[str, int | None]] = {}
    for row in store.sums(connection, figure.measures, table, by, chosen, rules.smallest(1)):
        count = rules.public(row.total, row.cells)
        if count is not None and (large_units is None or row.key in large_units):
            values = counts.setdefault(tuple(row[1 : 1 + len(by)]), dict.fromkeys(figure.measures))
            values[row.measure] = count
    return [FigureCell([value or None for value in key], values) for key, values in counts.items()]


def _table_keys(connection: Connection) -> dict[str, list[str]]:
    """The keys of each table: all that there are, used or not, so that a row shows nothing by being there."""
    return {
        "all": [""],
        "kind": [kind.value for kind in Kind],
        "stage": [stage.value for stage in Stage],
        "ground": reference_store.ground_codes(connection),
        "unit": [*reference_store.unit_tree(connection).codes(), ""],
        "outcome": [outcome.value for outcome in Outcome],
        "score": [str(score) for score in rules.SCORES],
        "kind_duration": [rules.duration_key(kind, limit) for kind in Kind for limit in (*rules.DURATIONS, None)],
    }


def _cells(
    connection: Connection,
    blur_key: bytes,
    figure: Figure,
    publication: Publication,
    table: str,
    keys: Sequence[str],
    since: date,
    until: date,
) -> Iterator[dict[str, Any]]:
    """The blurred cells of one table for these days."""
    counts = {key: dict.fromkeys(figure.measures, 0) for key in keys}
    for counted_key, values in publication.count(connection, table, since, until).items():
        key = counted_key if counted_key in counts else ""
        if key in counts:
            for measure in figure.measures:
                counts[key][measure] += values.get(measure, 0)
    for key in sorted(counts):
        for measure, count in counts[key].items():
            cell = f"{measure}|{table}|{key}|{since}|{until}"
            yield {
                "measure": measure,
                "dimension": table,
                "key": key,
                "since": since,
                "until": until,
                "month": jalali.month(since),
                "value": rules.blurred(blur_key, cell, count),
            }


def _spans(since: date, until: date) -> Iterator[tuple[date, date]]:
    """These days, cut where a month ends; nothing when there are none."""
    while since <= until:
        end = min(jalali.month_span(since)[1], until)
        yield since, end
        since = end + ONE_DAY


def _large_units(connection: Connection) -> set[str]:
    """Units with cases enough within the newest twelve months to be published by themselves."""
    chosen = {"months": MONTHS_OF_A_YEAR}
    rows = store.sums(connection, [CASES], "unit", ["key"], chosen, rules.STEP)
    return {row.key for row in rows if rules.enough(row.total, row.cells)}


def _is_large(connection: Connection, unit: str, tree: UnitTree) -> bool:
    """Whether a unit with all below it has cases enough within the newest twelve months."""
    chosen = {"months": MONTHS_OF_A_YEAR, "keys": tree.below(unit)}
    rows = store.sums(connection, [CASES], "unit", [], chosen)
    return bool(rows) and rules.enough(rows[0].total, rows[0].cells)


def _too_fine(by: Sequence[str]) -> InvalidField:
    return InvalidField(fields=[{"field": "by", "reason": "too_fine", "by": ", ".join(by)}])
