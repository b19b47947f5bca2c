"""Public figures: released once a week for the days up to Friday, and answered from what was released alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from backbone.persian import jalali
from contracts.errors import InvalidField
from contracts.insight import Cell, CountCases, Counts, CountVisits, VisitCell, VisitCounts, VisitFigures
from contracts.vocabulary import Kind, Stage
from services.insight import publication, release_store, store
from services.insight.domain import Tree, subtree
from services.insight.publication import STEP

ONE_DAY = timedelta(days=1)
CASES = "cases"
MONTHS_OF_A_YEAR = 12


class Releases:
    """The use cases: the weekly release, and what the public may ask of it."""

    def release(self, connection: Connection, moment: datetime) -> bool:
        """Publishes what is due at this moment; False when it has been published. The first release has all months since
        the first case; each later one the week before in all and, once a month is over, its tables."""
        release_store.lock(connection)
        until, before = publication.last_day(moment), release_store.newest(connection)
        if before is not None and before >= until:
            return False
        if before is None:
            first = min(release_store.earliest_day(connection) or until, until)
            before = jalali.month_span(first)[0] - ONE_DAY
        key = release_store.key(connection)
        rows: list[dict[str, Any]] = []
        for since, end in _spans(before + ONE_DAY, until):
            rows += _cells(
                key, CASES, "all", since, end, {"": release_store.count(connection, "all", since, end)[None]}
            )
            month = jalali.month_span(since)
            if month[1] <= until:
                rows += self._tables(connection, key, *month)
        release_store.publish(connection, until, moment, rows)
        return True

    def _tables(self, connection: Connection, key: bytes, since: date, until: date) -> Iterator[dict[str, Any]]:
        """The tables of one month. A row for everything that there is, used or not: that a row is there tells nothing."""
        every = {
            "kind": [kind.value for kind in Kind],
            "stage": [stage.value for stage in Stage],
            "ground": release_store.ground_codes(connection),
            "unit": [*store.tree(connection), ""],
        }
        for dimension, names in every.items():
            counts = dict.fromkeys(names, 0)
            for name, number in release_store.count(connection, dimension, since, until).items():
                name = name if name in counts else ""
                if name in counts:
                    counts[name] += number
            yield from _cells(key, CASES, dimension, since, until, counts)
        visits = release_store.count_visits(connection, since, until)
        for figure in store.FIGURES:
            yield from _cells(key, figure, "all", since, until, {"": visits.get(figure, 0)})

    def count_cases(self, connection: Connection, request: CountCases) -> Counts:
        """Cases as the public is told them. InvalidField `too_fine`: no published table is so fine."""
        filters = {name: value for name in ("kind", "stage", "unit") if (value := getattr(request, name)) is not None}
        dimension = publication.table_of(request.by, filters)
        if dimension is None:
            raise _too_fine(request.by)
        tree = store.tree(connection)
        chosen: dict[str, Any] = {"since": request.since, "until": request.until}
        if filters:
            value = next(iter(filters.values()))
            chosen["keys"] = subtree(value, tree) if dimension == "unit" else {value.value}
        by = ["key" if name == dimension else name for name in request.by]
        listed = _listed_units(connection) if "key" in by and dimension == "unit" else None
        cells = []
        rows = release_store.sums(connection, [CASES], dimension, by, chosen, publication.smallest(1))
        told = filters.get("unit") is None or _is_large(connection, request.unit, tree)
        for row in rows if told else []:
            count = publication.public(row.total, row.cells)
            if count is not None and (listed is None or row.key in listed):
                cells.append(Cell(key=[value or None for value in row[1 : 1 + len(by)]], count=count))
        totals = release_store.sums(connection, [CASES], dimension, [], chosen) if told else []
        total = publication.public(totals[0].total, totals[0].cells) if totals else None
        return Counts(by=request.by, cells=cells, total=total, until=release_store.newest(connection))

    def count_visits(self, connection: Connection, request: CountVisits) -> VisitCounts:
        """Visits of the whole city by month, as the public is told them. InvalidField `too_fine` for anything else."""
        if request.by != ["month"] or request.unit is not None or request.kind is not None:
            raise _too_fine(request.by)
        chosen = {"since": request.since, "until": request.until}
        least = publication.smallest(1)
        cells: dict[str, dict[str, int | None]] = {}
        for row in release_store.sums(connection, store.FIGURES, "all", ["month"], chosen, least):
            of_month = cells.setdefault(row.month, dict.fromkeys(store.FIGURES))
            of_month[row.measure] = publication.public(row.total, row.cells)
        totals: dict[str, int | None] = dict.fromkeys(store.FIGURES)
        for row in release_store.sums(connection, store.FIGURES, "all", [], chosen):
            totals[row.measure] = publication.public(row.total, row.cells)
        return VisitCounts(
            by=request.by,
            cells=[VisitCell(key=[month], **figures) for month, figures in sorted(cells.items())],
            totals=VisitFigures(**totals),
            until=release_store.newest(connection),
        )


def _spans(since: date, until: date) -> Iterator[tuple[date, date]]:
    """These days, cut where a month ends; nothing when there are none."""
    while since <= until:
        end = min(jalali.month_span(since)[1], until)
        yield since, end
        since = end + ONE_DAY


def _cells(
    key: bytes, measure: str, dimension: str, since: date, until: date, counts: dict[str, int]
) -> Iterator[dict[str, Any]]:
    for name, count in sorted(counts.items()):
        cell = f"{measure}|{dimension}|{name}|{since}|{until}"
        yield {
            "measure": measure,
            "dimension": dimension,
            "key": name,
            "since": since,
            "until": until,
            "month": jalali.month(since),
            "value": publication.blurred(key, cell, count),
        }


def _listed_units(connection: Connection) -> set[str]:
    """Units with cases enough within the newest twelve months to be told by themselves."""
    chosen = {"months": MONTHS_OF_A_YEAR}
    rows = release_store.sums(connection, [CASES], "unit", ["key"], chosen, STEP)
    return {row.key for row in rows if publication.enough(row.total, row.cells)}


def _is_large(connection: Connection, unit: str | None, tree: Tree) -> bool:
    """Whether a unit with all below it has cases enough within the newest twelve months."""
    chosen = {"months": MONTHS_OF_A_YEAR, "keys": subtree(unit or "", tree)}
    rows = release_store.sums(connection, [CASES], "unit", [], chosen)
    return bool(rows) and publication.enough(rows[0].total, rows[0].cells)


def _too_fine(by: Sequence[str]) -> InvalidField:
    return InvalidField(fields=[{"field": "by", "reason": "too_fine", "by": ", ".join(by)}])
