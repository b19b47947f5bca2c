"""Queries on reminders and on who may be mentioned, a line of comment each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, insert, select, update

from services.tracking.case.lifecycle import Case, Reminding
from services.tracking.case.store import CASE_COLUMNS, case_of
from services.tracking.models import cases, reminders, staff


def add(connection: Connection, case_id: UUID, one: Reminding) -> None:
    """A reminder of a day to come."""
    row = {"reminder_id": one.reminder_id, "case_id": case_id, "staff_id": one.staff_id, "on_day": one.on}
    connection.execute(insert(reminders).values(**row, text=one.text))


def lock_due(connection: Connection, today: date, limit: int) -> list[Case]:
    """Cases with a reminder whose day has come, locked; what another process holds is left to it."""
    due = select(reminders.c.case_id).where(reminders.c.on_day <= today, ~reminders.c.said).limit(limit)
    chosen = select(*CASE_COLUMNS).where(cases.c.case_id.in_(due))
    return [case_of(row) for row in connection.execute(chosen.with_for_update(skip_locked=True))]


def take_due(connection: Connection, case_id: UUID, today: date) -> list[Reminding]:
    """The reminders of a locked case whose day has come; from now on they have been said."""
    chosen = update(reminders).where(reminders.c.case_id == case_id, reminders.c.on_day <= today, ~reminders.c.said)
    rows = connection.execute(chosen.values(said=True).returning(reminders)).all()
    return [Reminding(row.reminder_id, row.staff_id, row.on_day, row.text) for row in rows]


def members(connection: Connection, ids: Iterable[UUID]) -> Sequence[Row[Any]]:
    """These members of staff, as far as they are active."""
    return connection.execute(select(staff).where(staff.c.staff_id.in_(list(ids)), staff.c.active)).all()
