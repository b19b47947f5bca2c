"""Lists of cases answer the JSON that the database writes: compared, over many filters, with what Python finds among all rows."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event

from backbone.persian import jalali
from backbone.persian.normalisation import normalise
from backbone.storage.libpq_cursor import UNPREPARED
from contracts.base import now
from contracts.searches import CaseLine, CasePage, Filter, ListCases
from contracts.tracking import Assign, StartScreening
from contracts.units import UnitTree
from contracts.vocabulary import OPEN_STAGES, Kind, Role, Stage
from deploy.local.parts import PostgreSQL
from services.tracking.case.scope import Scope
from services.tracking.search import queries
from tests.support.tracking import UNIT, actor, staff
from tests.support.tracking_in_process import TrackingInProcess

SEED = 20261126
UNITS = (UNIT, "dep.urb", "dep.urb.control", "dep.civ")
TEXTS = ("پروانه ۱۰۰% دیر شد", "آسفالت a_b خیابان", 'سد معبر \\ "' + "x" * 200)
WORDS = ("پروانه", "100%", "a_b", "\\", "سد", "xx", "آسفالت خیابان", "%", "_", "نیست", "")
ROWS = "SELECT *, (SELECT display_name FROM staff WHERE staff_id = handler) AS handler_name FROM cases"
Row = Mapping[str, Any]


@pytest.fixture(scope="module")
def filled(postgres: PostgreSQL) -> TrackingInProcess:
    """Forty cases of several kinds, units, days and stages."""
    service, rng = TrackingInProcess(postgres.url, "lists"), random.Random(SEED)
    for number in range(40):
        filed = service.open(
            kind=rng.choice([Kind.COMPLAINT, Kind.CRITICISM]),
            unit=rng.choice(UNITS),
            text=rng.choice(TEXTS),
            filed_at=now() - timedelta(days=rng.randrange(30), minutes=rng.randrange(3)),
        )
        if number % 3:
            service.do(service.screener, filed.case_id, StartScreening())
        if number % 3 == 2:
            handler = rng.choice([service.inspector, service.other_inspector])
            service.do(service.screener, filed.case_id, Assign(inspector=UUID(handler.id)))
    return service


def some_filter(rng: random.Random, service: TrackingInProcess, rows: Sequence[Row]) -> Filter:
    today, number = jalali.today(now()), rng.choice(rows)["number"]
    possible: dict[str, Any] = {
        "kind": [rng.choice(list(Kind)), Kind.COMPLAINT],
        "stage": rng.sample(list(Stage), rng.randrange(1, 5)),
        "unit": rng.sample(UNITS, rng.randrange(1, 3)),
        "urgent": rng.random() < 0.3,
        "number": [number, rng.choice(rows)["number"][-6:]],
        "handler": [service.inspector.id, uuid.uuid4()],
        "filed_from": today - timedelta(days=rng.randrange(30)),
        "filed_until": today - timedelta(days=rng.randrange(10)),
        "filed_since": now() - timedelta(days=12),
        "filed_before": now() - timedelta(days=2),
        "due_from": today + timedelta(days=rng.randrange(-10, 20)),
        "due_until": today + timedelta(days=rng.randrange(30)),
        "text": rng.choice([*WORDS, number]),
    }
    chosen = rng.sample(sorted(possible), rng.choice([0, 1, 1, 2, 3]))
    return Filter.model_validate({"below": rng.random() < 0.5, **{name: possible[name] for name in chosen}})


def holds(row: Row, wanted: Filter, tree: UnitTree) -> bool:
    """Whether the filter finds this case."""
    units = frozenset().union(*map(tree.below, wanted.unit)) if wanted.below else frozenset(wanted.unit)
    filed, owed = row["filed_at"].astimezone(jalali.TEHRAN).date(), expected_on(row)
    words = normalise(wanted.text or "").split()
    return all(
        (
            *(not getattr(wanted, name) or row[name] in getattr(wanted, name) for name in ("kind", "stage", "handler")),
            not wanted.unit or row["unit"] in units,
            wanted.urgent is None or row["urgent"] == wanted.urgent,
            not wanted.number or any(row["number"].endswith(number) for number in wanted.number),
            wanted.filed_from is None or filed >= wanted.filed_from,
            wanted.filed_until is None or filed <= wanted.filed_until,
            wanted.filed_since is None or row["filed_at"] >= wanted.filed_since,
            wanted.filed_before is None or row["filed_at"] < wanted.filed_before,
            wanted.due_from is None or (owed is not None and owed >= wanted.due_from),
            wanted.due_until is None or (owed is not None and owed <= wanted.due_until),
            all((word if len(word) > 2 else f" {word}") in row["search"] for word in words),
        )
    )


def known(row: Row, scope: Scope) -> bool:
    return row["unit"] not in scope.avoided and scope.handler in (None, row["handler"])


def expected_on(row: Row) -> date | None:
    day: date | None = row["due_on"]
    return day if row["stage"] in OPEN_STAGES and row["paused_on"] is None else None


def line(row: Row, scope: Scope) -> CaseLine:
    shown = {"excerpt": row["text"][:140], "handler": row["handler"]}
    if scope.masked:
        shown = {"excerpt": "", "handler": None, "handler_name": None}
    return CaseLine.model_validate({**row, **shown, "expected_on": expected_on(row)})


def in_order(rows: Sequence[Row], sort: str) -> list[Row]:
    def key(row: Row) -> tuple[Any, UUID]:
        day = expected_on(row) or date.max
        return (row["filed_at"] if sort.endswith("filed_at") else day, row["case_id"])

    return sorted(rows, key=key, reverse=sort.startswith("-"))


def pages(filled: TrackingInProcess, filters: Sequence[Filter], scope: Scope, **how: Any) -> Iterator[CasePage]:
    after = None
    with filled.db.read() as connection:
        tree = filled.tracking.use_cases.searches._catalogue.current(connection).tree
        while True:
            page = queries.case_page(connection, filters, scope, tree, after=after, **how).read()
            yield page
            after = page.next
            if after is None:
                return


def test_a_list_has_the_cases_that_its_filters_find_in_order(filled: TrackingInProcess) -> None:
    rng, handler = random.Random(SEED), UUID(filled.inspector.id)
    scopes = (
        Scope(frozenset(), None),
        Scope(frozenset({"dep.civ", "dep"}), None),
        Scope(frozenset(), handler),
        Scope(frozenset({UNIT}), handler),
        Scope(frozenset({"dep.urb"}), None, masked=True),
    )
    with filled.db.read() as connection:
        rows = [dict(row) for row in connection.exec_driver_sql(ROWS, {}).mappings()]
        tree = filled.tracking.use_cases.searches._catalogue.current(connection).tree
    pages_compared = 0
    for _ in range(300):
        filters = [some_filter(rng, filled, rows) for _ in range(rng.choice([1, 1, 2]))]
        scope, sort, limit = rng.choice(scopes), rng.choice(list(queries.ORDERS)), rng.choice([1, 7, 40])
        wanted = [row for row in rows if known(row, scope) and all(holds(row, each, tree) for each in filters)]
        listed = list(pages(filled, filters, scope, sort=sort, limit=limit))
        lines = [line for page in listed for line in page.items]
        assert lines == [line(row, scope) for row in in_order(wanted, sort)], (filters, scope, sort)
        assert {len(page.items) for page in listed[:-1]} <= {limit}
        assert all(page.masked is scope.masked for page in listed)
        with filled.db.read() as connection:
            assert queries.count(connection, filters, scope, tree) == len(wanted)
            exported, _ = queries.whole_page(connection, filters, scope, tree, None, 100)
        assert [row["number"] for row in exported] == [row["number"] for row in in_order(wanted, "-filed_at")]
        pages_compared += len(lines)
    assert pages_compared > 500


@pytest.mark.parametrize("walked", [1, 4, 40])
def test_words_are_found_beyond_the_rows_that_are_read_in_order(
    filled: TrackingInProcess, monkeypatch: pytest.MonkeyPatch, walked: int
) -> None:
    """However few rows are read before the index is asked: the same pages, in each order, at each of the stages."""

    def pages(limit: int, **wanted: Any) -> list[list[UUID]]:
        read, after = [], None
        while True:
            page = filled.ask("list_cases", ListCases(actor=filled.head, after=after, limit=limit, **wanted)).read()
            read.append([item.case_id for item in page.items])
            after = page.next
            if after is None:
                return read

    for order in queries.ORDERS:
        for stage in ([], [Stage.SCREENING], [Stage.SCREENING, Stage.REGISTERED, Stage.INVESTIGATING]):
            for word in ("پروانه", "آسفالت a_b", "سد معبر", "نیست"):
                wanted = {"sort": order, "stage": stage, "text": word}
                monkeypatch.setattr(queries, "WALKED", 1_000)
                expected = pages(7, **wanted)
                monkeypatch.setattr(queries, "WALKED", walked)
                assert pages(7, **wanted) == expected
                in_order = [case_id for page in expected for case_id in page]
                assert [case_id for page in pages(3, **wanted) for case_id in page] == in_order


def test_lists_of_one_shape_share_their_sql_and_nothing_else(filled: TrackingInProcess) -> None:
    queries._lines_sql.cache_clear()
    rivals = [actor(Role.HEAD, unit) for unit in ("dep.civ", "dep.urb", "dep.civ")]
    for rival in rivals:
        filled.handle("keep_staff", staff(rival, unit=rival.unit))
    for rival in rivals:
        for kind in Kind:
            page = filled.ask("list_cases", ListCases(actor=rival, kind=[kind])).read()
            assert {item.kind for item in page.items} <= {kind}
            assert rival.unit not in {item.unit for item in page.items}
    kept = queries._lines_sql.cache_info()
    assert kept.currsize <= 2  # as many as there are numbers of units to avoid
    assert kept.hits >= 3 * len(Kind) - 2


@pytest.mark.parametrize(
    ("wanted", "planned_anew"),
    [
        ({"text": "پروانه آسفالت", "unit": [UNIT]}, True),
        ({"filed_from": date(2026, 11, 1)}, True),
        ({"due_until": date(2026, 11, 1)}, True),
        ({"unit": [UNIT], "kind": [Kind.COMPLAINT], "stage": [Stage.SCREENING]}, False),
    ],
)
def test_a_list_whose_plan_depends_on_the_values_is_planned_for_them(
    filled: TrackingInProcess, wanted: dict[str, Any], planned_anew: bool
) -> None:
    texts: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        texts.extend([statement] if "FROM cases" in statement and "LIMIT" in statement else [])

    event.listen(filled.db.engine, "before_cursor_execute", note)
    try:
        filled.ask("list_cases", ListCases(actor=filled.head, **wanted))
    finally:
        event.remove(filled.db.engine, "before_cursor_execute", note)
    assert {statement.startswith(UNPREPARED) for statement in texts} == {planned_anew}
