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
from contracts.tracking import AskCitizen, AskUnit, Assign, StartScreening
from contracts.units import UnitTree
from contracts.vocabulary import OPEN_STAGES, Channel, Kind, Role, Stage
from deploy.local.parts import PostgreSQL
from services.tracking.case.scope import Scope
from services.tracking.reference.workdays import Workdays
from services.tracking.search import queries
from services.tracking.search.row_signs import RowReader
from tests.support.row_sizes import MOST_OF_A_ROW, mean_row_size
from tests.support.tracking import UNIT, actor, staff
from tests.support.tracking_in_process import TrackingInProcess

SEED = 20261126
UNITS = (UNIT, "dep.urb", "dep.urb.control", "dep.civ")
TEXTS = ("پروانه ۱۰۰% دیر شد", "آسفالت a_b خیابان", 'سد معبر \\ "' + "x" * 200)
CHANNELS = (Channel.WEB, Channel.WEB, Channel.SMS, Channel.COUNTER)
WORDS = ("پروانه", "100%", "a_b", "\\", "سد", "xx", "آسفالت خیابان", "%", "_", "نیست", "")
ROWS = (
    "SELECT *, (SELECT display_name FROM staff WHERE staff_id = handler) AS handler_name,"
    " (SELECT max(at) FROM timeline WHERE timeline.case_id = cases.case_id) AS last_line_at,"
    " (SELECT count(*) FROM attachments WHERE attachments.case_id = cases.case_id) AS files FROM cases"
)
Row = Mapping[str, Any]
_TRIED_ELSEWHERE = {"ground", "outcome", "decided_from", "decided_until", "attached"}
"""Filters that `some_filter` does not make: tests/component/test_tracking_searches.py does."""


@pytest.fixture(scope="module")
def filled(postgres: PostgreSQL) -> TrackingInProcess:
    """Forty cases of several kinds, units, channels, days and stages, some of them asked about."""
    service, rng = TrackingInProcess(postgres.url, "lists"), random.Random(SEED)
    for number in range(40):
        filed = service.open(
            kind=rng.choice([Kind.COMPLAINT, Kind.CRITICISM]),
            unit=rng.choice(UNITS),
            text=rng.choice(TEXTS),
            channel=rng.choice(CHANNELS),
            uploads=[uuid.uuid4().hex] * rng.randrange(2),
            filed_at=now() - timedelta(days=rng.randrange(30), minutes=rng.randrange(3)),
        )
        if number % 3:
            service.do(service.screener, filed.case_id, StartScreening())
        if number % 3 == 2:
            handler = rng.choice([service.inspector, service.other_inspector])
            service.do(service.screener, filed.case_id, Assign(inspector=UUID(handler.id)))
            if question := rng.choice([None, None, AskCitizen(text="کدام روز؟"), AskUnit(text="چرا؟", unit=UNIT)]):
                service.do(handler, filed.case_id, question)
    return service


def some_filter(rng: random.Random, service: TrackingInProcess, rows: Sequence[Row]) -> Filter:
    today, number = jalali.today(now()), rng.choice(rows)["number"]
    possible: dict[str, Any] = {
        "kind": [rng.choice(list(Kind)), Kind.COMPLAINT],
        "stage": rng.sample(list(Stage), rng.randrange(1, 5)),
        "unit": rng.sample(UNITS, rng.randrange(1, 3)),
        "urgent": rng.random() < 0.3,
        "number": [number, rng.choice(rows)["number"][-6:]],
        "handler": rng.choice([[service.inspector.id, uuid.uuid4()], ["nobody"], ["nobody", service.inspector.id]]),
        "ids": [row["case_id"] for row in rng.sample(list(rows), 15)],
        "channel": rng.sample(CHANNELS, rng.randrange(1, 3)),
        "waiting_for": rng.choice([["citizen"], ["unit"], ["citizen", "unit"]]),
        "overdue": rng.random() < 0.5,
        "past_mark": rng.random() < 0.5,
        "has_attachments": rng.random() < 0.5,
        "changed_from": today - timedelta(days=rng.randrange(2)),
        "changed_until": today - timedelta(days=rng.randrange(2)),
        "changed_since": rng.choice(rows)["last_line_at"],
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
    changed, today = row["last_line_at"].astimezone(jalali.TEHRAN).date(), jalali.today(now())
    handlers = [None if handler == "nobody" else handler for handler in wanted.handler]
    days: Any = wanted  # none of them is relative
    marked = owed is not None and row["mark_on"] <= today
    words = normalise(wanted.text or "").split()
    return all(
        (
            *(not getattr(wanted, name) or row[name] in getattr(wanted, name) for name in ("kind", "stage", "channel")),
            not handlers or row["handler"] in handlers,
            not wanted.ids or row["case_id"] in wanted.ids,
            not wanted.waiting_for or row["stage"] in {f"awaiting_{whom}" for whom in wanted.waiting_for},
            wanted.overdue is None or (owed is not None and owed < today) == wanted.overdue,
            wanted.past_mark is None or marked == wanted.past_mark,
            wanted.has_attachments is None or bool(row["files"]) == wanted.has_attachments,
            days.changed_from is None or changed >= days.changed_from,
            days.changed_until is None or changed <= days.changed_until,
            wanted.changed_since is None or row["last_line_at"] >= wanted.changed_since,
            not wanted.unit or row["unit"] in units,
            wanted.urgent is None or row["urgent"] == wanted.urgent,
            not wanted.number or any(row["number"].endswith(number) for number in wanted.number),
            days.filed_from is None or filed >= days.filed_from,
            days.filed_until is None or filed <= days.filed_until,
            wanted.filed_since is None or row["filed_at"] >= wanted.filed_since,
            wanted.filed_before is None or row["filed_at"] < wanted.filed_before,
            days.due_from is None or (owed is not None and owed >= days.due_from),
            days.due_until is None or (owed is not None and owed <= days.due_until),
            all((word if len(word) > 2 else f" {word}") in row["search"] for word in words),
        )
    )


def known(row: Row, scope: Scope) -> bool:
    return row["unit"] not in scope.avoided and scope.handler in (None, row["handler"])


def expected_on(row: Row) -> date | None:
    day: date | None = row["due_on"]
    return day if row["stage"] in OPEN_STAGES and row["paused_on"] is None else None


def line(row: Row, scope: Scope) -> CaseLine:
    shown = {"excerpt": row["text"][:32], "handler": row["handler"]}
    if scope.masked:
        shown = {"excerpt": "", "handler": None, "handler_name": None}
    return CaseLine.model_validate(
        {**row, **shown, "filed_at": row["filed_at"].replace(microsecond=0), "expected_on": expected_on(row)}
    )


SIGNS = ("last_activity", "attachments", "unread", "warn_on", "days_left", "question_to")
"""What rows say beside the case's own values (test_tracking_row_signs)."""


def without_signs(items: Sequence[CaseLine]) -> list[CaseLine]:
    return [CaseLine.model_validate(item.model_dump(exclude={*SIGNS})) for item in items]


def in_order(rows: Sequence[Row], sort: str) -> list[Row]:
    def key(row: Row) -> tuple[Any, UUID]:
        year, last = row["number"].split("-")
        keys = {
            "filed_at": row["filed_at"],
            "due_on": expected_on(row) or date.max,
            "number": (year, int(last)),
            "changed_at": row["last_line_at"],
        }
        return keys[sort.removeprefix("-")], row["case_id"]

    return sorted(rows, key=key, reverse=sort.startswith("-"))


def pages(filled: TrackingInProcess, filters: Sequence[Filter], scope: Scope, **how: Any) -> Iterator[CasePage]:
    after, reader = None, RowReader(None, jalali.today(now()), Workdays(frozenset()))
    with filled.db.read() as connection:
        tree = filled.tracking.use_cases.searches._catalogue.current(connection).tree
        while True:
            page = queries.case_page(connection, filters, scope, tree, reader, after=after, **how).read()
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
    for number in range(400):
        filters = [some_filter(rng, filled, rows) for _ in range(rng.choice([1, 1, 2]))]
        sort = list(queries.ORDERS)[number % len(queries.ORDERS)]
        scope, limit = rng.choice(scopes), rng.choice([1, 7, 40])
        wanted = [row for row in rows if known(row, scope) and all(holds(row, each, tree) for each in filters)]
        listed = list(pages(filled, filters, scope, sort=sort, limit=limit))
        lines = without_signs([line for page in listed for line in page.items])
        assert lines == [line(row, scope) for row in in_order(wanted, sort)], (filters, scope, sort)
        assert {len(page.items) for page in listed[:-1]} <= {limit}
        assert all(page.masked is scope.masked for page in listed)
        with filled.db.read() as connection:
            assert queries.count(connection, filters, scope, tree) == len(wanted)
            assert queries.count_many(connection, [filters, [], filters], scope, tree, 5) == [
                min(len(wanted), 6),
                min(sum(known(row, scope) for row in rows), 6),
                min(len(wanted), 6),
            ]
            exported, _ = queries.whole_page(connection, filters, scope, tree, None, 100)
        assert [row["number"] for row in exported] == [row["number"] for row in in_order(wanted, "-filed_at")]
        pages_compared += len(lines)
    assert pages_compared > 500


def test_each_filter_stands_in_each_order_beside_words(filled: TrackingInProcess) -> None:
    rng, scope = random.Random(SEED + 1), Scope(frozenset(), None)
    with filled.db.read() as connection:
        rows = [dict(row) for row in connection.exec_driver_sql(ROWS, {}).mappings()]
        tree = filled.tracking.use_cases.searches._catalogue.current(connection).tree
    seen: set[str] = set()
    while seen < set(Filter.model_fields) - _TRIED_ELSEWHERE:
        wanted = some_filter(rng, filled, rows)
        seen |= wanted.model_fields_set
        for sort in queries.ORDERS:
            for text in (None, "پروانه"):
                asked = [wanted, Filter(text=text)]
                expected = in_order([row for row in rows if all(holds(row, part, tree) for part in asked)], sort)
                listed = [line for page in pages(filled, asked, scope, sort=sort, limit=9) for line in page.items]
                assert [line.case_id for line in listed] == [row["case_id"] for row in expected], (asked, sort)


def test_a_list_by_last_change_stays_right_while_cases_change(filled: TrackingInProcess) -> None:
    """What changes while the pages are read comes to the front: nothing that stays as it is comes twice, or is passed over."""
    scope, read, after = Scope(frozenset(), None), list[UUID](), None
    changed = filled.open().case_id
    lines = [line for page in pages(filled, [], scope, sort="-changed_at") for line in page.items]
    moved = [line.case_id for line in lines if line.stage is Stage.REGISTERED][-1]
    while True:
        page = filled.ask("list_cases", ListCases(actor=filled.head, sort="-changed_at", after=after, limit=5)).read()
        read += [line.case_id for line in page.items]
        for case_id in (changed, moved) if after is None else ():
            filled.do(filled.screener, case_id, StartScreening())
        after = page.next
        if after is None:
            break
    assert read == [line.case_id for line in lines if line.case_id != moved]
    first, second = filled.ask("list_cases", ListCases(actor=filled.head, sort="-changed_at", limit=2)).read().items
    assert [first.case_id, second.case_id] == [moved, changed]


def test_numbers_are_in_order_beyond_a_million_a_year(filled: TrackingInProcess) -> None:
    made = [filled.open().case_id for _ in range(3)]
    wanted = ["1399-999999", "1399-1000000", "1400-000001"]
    with filled.db.transaction() as connection:
        for case_id, number in zip(made, wanted, strict=True):
            connection.exec_driver_sql("UPDATE cases SET number = %s WHERE case_id = %s", (number, case_id))
    for sort, expected in (("number", wanted), ("-number", wanted[::-1])):
        asked = [Filter(ids=made)]
        listed = [
            line.number
            for page in pages(filled, asked, Scope(frozenset(), None), sort=sort, limit=1)
            for line in page.items
        ]
        assert listed == expected


def test_what_is_relative_is_reckoned_when_and_for_whom_it_is_read(filled: TrackingInProcess) -> None:
    today = jalali.today(now())
    for relative, absolute in (
        ({"due_until": "P2D"}, {"due_until": today + timedelta(days=2)}),
        ({"filed_from": "-P1W"}, {"filed_from": today - timedelta(days=7)}),
        ({"filed_until": "-P10D"}, {"filed_until": today - timedelta(days=10)}),
        ({"changed_from": "P0D"}, {"changed_from": today}),
    ):
        page, same = (
            filled.ask("list_cases", ListCases.model_validate({"actor": filled.head, "limit": 100, **filters})).read()
            for filters in (relative, absolute)
        )
        assert page == same
        assert page.items
    for who in (filled.inspector, filled.other_inspector):
        page = filled.ask("list_cases", ListCases(actor=who, handler=["me"], limit=100)).read()
        assert {str(item.handler) for item in page.items} == {who.id}


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


def test_a_row_of_the_list_is_small_however_long_its_text(filled: TrackingInProcess) -> None:
    for number in range(6):
        long_text = f"درخواست شماره {number}: " + "پاسخ روشنی به پرونده ساختمان من داده نشده است. " * 40
        opened = filled.open(unit=UNITS[number % 4], text=long_text)
        filled.do(filled.screener, opened.case_id, StartScreening())
        filled.do(filled.screener, opened.case_id, Assign(inspector=UUID(filled.inspector.id)))
    page = filled.ask("list_cases", ListCases(actor=filled.head, limit=100, text="درخواست شماره")).read()
    assert len(page.items) == 6
    assert mean_row_size([item.model_dump(mode="json") for item in page.items]) <= MOST_OF_A_ROW


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
