"""Tracking's queries on cases and what belongs to them, a line of comment each. Lists and views are in views.py."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Connection,
    Row,
    String,
    any_,
    bindparam,
    cast,
    delete,
    func,
    literal_column,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from backbone.storage import writes
from backbone.storage.writes import Write
from contracts.vocabulary import Channel, Kind, Outcome, Stage
from services.tracking.case.lifecycle import Case, StoredEntry
from services.tracking.case.scope import CONDITION, Scope
from services.tracking.models import cases, catalogue, citizen_looks, timeline
from services.tracking.row_conditions import NOT_OVER, UNMARKED

Link = tuple[StoredEntry, str, str]
"""A line of a timeline: the entry, the hash of the one before it, its own."""

CASE_COLUMNS = [cases.c[column.name] for column in dataclasses.fields(Case)]
_NAMES = [column.name for column in CASE_COLUMNS]
_CHANGES = [
    column.name
    for column in dataclasses.fields(Case)
    if column.name not in {"case_id", "number", "code_hash", "channel", "anonymous", "filed_at", "citizen_id"}
]
_LISTS = (
    "previous_handlers",
    "excluded_staff",
    "root_causes",
    "recommendations",
    "pauses",
    "alarms_raised",
    "checklist",
    "links",
    "colleagues",
)
# Asked at every command: written once, with the values apart. SQLAlchemy would read through each statement anew.
_TAKE_NUMBERS = text(
    "INSERT INTO case_numbers (year, last) VALUES (:year, :count)"
    " ON CONFLICT (year) DO UPDATE SET last = case_numbers.last + excluded.last"
    " RETURNING last - :count + 1, set_config('synchronous_commit', 'off', true)"
)
_CHANGED = ", ".join(_CHANGES)
_SAVE = (
    f"UPDATE cases SET ({_CHANGED}{{cleared}}) = (SELECT {_CHANGED}{{cleared}} FROM json_populate_record("
    f"NULL::cases, {{rows}} -> 0)){{words}} WHERE case_id = CAST(%(saved)s AS uuid){{unchanged}}"
)
# What a row does not name is NULL in the record.
_WORDS = ", search = cases.search || CAST(%(words)s AS text)"
_UNCHANGED = " AND xmin = CAST(%(row_version)s AS xid)"
ROW_VERSION = cast(literal_column("cases.xmin"), String)
"""Of the row as it was read; it is another one after any update. A case's own version counts entries of the timeline alone: the
calendar, a new tracking code and the retention also change a case without one."""
_THESE = select(*CASE_COLUMNS).where(cases.c.case_id == any_(bindparam("ids", type_=ARRAY(PG_UUID))))
_IN_ORDER = _THESE.order_by(cases.c.case_id).with_for_update()
_LOCK_FOR_STAFF = _IN_ORDER.where(CONDITION)
_LOCK_WITH_PARTNER = _IN_ORDER.where(or_(CONDITION, cases.c.case_id == bindparam("partner", type_=PG_UUID)))


# --- opening ---


def take_numbers(connection: Connection, year: int, count: int) -> int:
    """The first of `count` case numbers of a Jalali year, taken for good in a transaction of their own: on a connection whose
    statements are such.

    So no batch waits for another's commit; what a failed batch has taken is a gap. Waiting for the disk is not needed:
    the batch that uses the numbers commits later, and with it all that was written before.
    """
    return int(connection.execute(_TAKE_NUMBERS, {"year": year, "count": count}).scalar_one())


def opening(rows: Sequence[Mapping[str, Any]]) -> Write:
    """Opens cases, none of which is there yet."""
    [adding] = writes.insert(cases, rows)
    return adding


def adding_lines(links: Iterable[Link]) -> list[Write]:
    """Appends to timelines."""
    rows = [{**vars(entry), "previous_hash": previous, "hash": own} for entry, previous, own in links]
    return writes.insert(timeline, rows)


def stages_of_entries(connection: Connection, case_id: UUID, names: Collection[str]) -> list[dict[str, Any]]:
    """StoredEntry and stage of the lines of a case's timeline that have one of these names, in their order."""
    chosen = select(timeline.c.entry, timeline.c.stage).order_by(timeline.c.sequence)
    rows = connection.execute(chosen.where(timeline.c.case_id == case_id, timeline.c.entry.in_(sorted(names))))
    return [dict(row) for row in rows.mappings()]


def existing_cases(connection: Connection, ids: Iterable[UUID]) -> set[UUID]:
    """Which of these cases there are."""
    return set(connection.execute(select(cases.c.case_id).where(cases.c.case_id.in_(list(ids)))).scalars())


def id_of_number(connection: Connection, number: str, scope: Scope) -> UUID | None:
    """The case with this number, where the scope knows it."""
    return connection.execute(select(cases.c.case_id).where(cases.c.number == number, scope.condition())).scalar()


# --- one case ---


def audience(connection: Connection, case_id: UUID, scope: Scope) -> Row[Any] | None:
    """What decides who of the staff may know of this case, where the scope knows it."""
    chosen = select(cases.c.unit, cases.c.handler, cases.c.colleagues)
    return connection.execute(chosen.where(cases.c.case_id == case_id, scope.condition())).first()


def case_in_scope(connection: Connection, case_id: UUID, scope: Scope) -> Case | None:
    """A case that may be known of, as it is."""
    row = connection.execute(select(*CASE_COLUMNS).where(cases.c.case_id == case_id, scope.condition())).first()
    return case_of(row) if row is not None else None


def lock_for_staff(
    connection: Connection, ids: Iterable[UUID], scope: Scope, partner: UUID | None = None
) -> dict[UUID, Case]:
    """Those of these cases that the scope knows, locked in the order of their ids: two never wait in a circle. `partner`: one of
    them that is changed with another, whether or not the scope knows it."""
    given = {"ids": sorted(set(ids)), **scope.given()}
    if partner is None:
        rows = connection.execute(_LOCK_FOR_STAFF, given)
    else:
        rows = connection.execute(_LOCK_WITH_PARTNER, {**given, "partner": partner})
    return {row.case_id: case_of(row) for row in rows}


def merged_into(connection: Connection, case_id: UUID) -> UUID | None:
    """The case that this one goes on in."""
    return connection.execute(select(cases.c.merged_into).where(cases.c.case_id == case_id)).scalar()


def lock(connection: Connection, case_id: UUID) -> Case | None:
    """One case, locked, for what the office does not ask for."""
    row = connection.execute(select(*CASE_COLUMNS).where(cases.c.case_id == case_id).with_for_update()).first()
    return case_of(row) if row else None


def lock_by_code(connection: Connection, code_hashes: Sequence[str]) -> Case | None:
    """The case of a tracking code, locked; one code has a hash under each index key."""
    row = connection.execute(select(*CASE_COLUMNS).where(cases.c.code_hash.in_(code_hashes)).with_for_update()).first()
    return case_of(row) if row else None


def lock_own(connection: Connection, case_id: UUID, citizen_id: UUID) -> Case | None:
    """A citizen's own case, locked."""
    chosen = select(*CASE_COLUMNS).where(cases.c.case_id == case_id, cases.c.citizen_id == citizen_id)
    row = connection.execute(chosen.with_for_update()).first()
    return case_of(row) if row else None


def saving(case: Case, cleared: Sequence[str] = (), words: str = "", row_version: str | None = None) -> Write:
    """Writes a case as it is now. `cleared`: further columns to empty; `words`: by which it is found from now on, too;
    `row_version`: only if its row is still this one."""
    sql = _saving(tuple(cleared), bool(words), row_version is not None)
    row = {name: getattr(case, name) for name in _CHANGES}
    return Write(sql, [row], {"saved": case.case_id, "words": words, "row_version": row_version})


@lru_cache(maxsize=32)
def _saving(cleared: tuple[str, ...], with_words: bool, if_unchanged: bool) -> str:
    return _SAVE.format(
        cleared="".join(f", {name}" for name in cleared),
        rows="{rows}",
        words=_WORDS if with_words else "",
        unchanged=_UNCHANGED if if_unchanged else "",
    )


def case_of(row: Row[Any]) -> Case:
    """The case in a row that has (at least) its columns."""
    return _case({name: getattr(row, name) for name in _NAMES})


def case_of_json(columns: Mapping[str, Any]) -> Case:
    """The case in a JSON object of its columns."""
    days = (
        "due_on",
        "paused_on",
        "objection_until",
        "due_from",
        "first_due_on",
        "refused_on",
        "next_check_on",
        "mark_on",
        "rate_until",
    )
    moments = ("filed_at", "decided_at", "changed_at")
    identifiers = ("case_id", "citizen_id", "handler", "approver", "merged_into")
    staff = ("previous_handlers", "excluded_staff")
    return _case(
        dict(columns)
        | {name: UUID(columns[name]) for name in identifiers if columns[name]}
        | {name: [UUID(member) for member in columns[name]] for name in staff}
        | {name: date.fromisoformat(columns[name]) for name in days if columns[name]}
        | {name: datetime.fromisoformat(columns[name]) for name in moments if columns[name]}
    )


def _case(values: dict[str, Any]) -> Case:
    values["kind"], values["stage"] = Kind(values["kind"]), Stage(values["stage"])
    values["channel"] = Channel(values["channel"])
    values["outcome"] = Outcome(values["outcome"]) if values["outcome"] else None
    for name in _LISTS:
        values[name] = tuple(values[name])
    return Case(**values)


def lock_outdated(connection: Connection, limit: int) -> list[Case]:
    """Cases whose days were calculated by an older calendar, locked; what another process holds is left to it."""
    newest = select(catalogue.c.calendar).scalar_subquery()
    # In the order of its index: without, the planner may take the first of the whole table for quicker.
    chosen = select(*CASE_COLUMNS).where(cases.c.calendar < newest, NOT_OVER).order_by(cases.c.calendar)
    rows = connection.execute(chosen.limit(limit).with_for_update(skip_locked=True))
    return [case_of(row) for row in rows]


def lock_due(connection: Connection, today: date, limit: int) -> list[Case]:
    """Cases at which the scheduler is to look today, locked; what another process holds is left to it."""
    chosen = select(*CASE_COLUMNS).where(cases.c.next_check_on <= today).order_by(cases.c.next_check_on)
    rows = connection.execute(chosen.limit(limit).with_for_update(skip_locked=True))
    return [case_of(row) for row in rows]


def lock_unmarked(connection: Connection, limit: int) -> list[Case]:
    """Open cases of before their 80 % mark was kept, locked; what another process holds is left to it."""
    chosen = select(*CASE_COLUMNS).where(UNMARKED).order_by(cases.c.case_id)
    rows = connection.execute(chosen.limit(limit).with_for_update(skip_locked=True))
    return [case_of(row) for row in rows]


def mark(connection: Connection, case_id: UUID, on: date | None) -> None:
    """The 80 % mark of a locked case."""
    connection.execute(update(cases).where(cases.c.case_id == case_id).values(mark_on=on))


def check_again_on(connection: Connection, case_id: UUID, on: date, calendar: int) -> None:
    """The scheduler could not process this case and tries again on another day."""
    chosen = update(cases).where(cases.c.case_id == case_id)
    connection.execute(chosen.values(next_check_on=on, calendar=func.greatest(cases.c.calendar, calendar)))


def forget_account(connection: Connection, citizen_id: UUID) -> None:
    """The cases of this account belong to none, and nobody has looked at them."""
    own = select(cases.c.case_id).where(cases.c.citizen_id == citizen_id)
    connection.execute(delete(citizen_looks).where(citizen_looks.c.case_id.in_(own)))
    connection.execute(update(cases).where(cases.c.citizen_id == citizen_id).values(citizen_id=None))


# --- history ---


def case_heads(connection: Connection, after: UUID | None, limit: int, only: UUID | None = None) -> Sequence[Row[Any]]:
    """What cases say of their own history, by pages of case_id."""
    chosen = select(cases.c.case_id, cases.c.number, cases.c.version, cases.c.history_hash).order_by(cases.c.case_id)
    if only is not None:
        chosen = chosen.where(cases.c.case_id == only)
    if after is not None:
        chosen = chosen.where(cases.c.case_id > after)
    return connection.execute(chosen.limit(limit)).all()


def histories(connection: Connection, ids: Sequence[UUID]) -> Sequence[Row[Any]]:
    """The timelines of these cases, in order."""
    chosen = select(timeline).where(timeline.c.case_id.in_(ids))
    return connection.execute(chosen.order_by(timeline.c.case_id, timeline.c.sequence)).all()
