"""Which version of a case each of its readers has seen last: kept in memory and written together a moment later, so that reading
a case costs no statement of its own. Lists say by it what is unread."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from backbone.storage import writes
from contracts.gateway import Actor
from contracts.tracking import StaffCase
from services.tracking.models import cases, looks

KEPT = timedelta(days=400)
_NEWER = "ON CONFLICT (staff_id, case_id) DO UPDATE SET version = excluded.version, at = excluded.at"


class Looks:
    """Those of this process that wait to be written."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[UUID, UUID], tuple[int, datetime]] = {}

    def note(self, actor: Actor, case: StaffCase, at: datetime) -> None:
        """This member of staff has read the case as it is."""
        self._waiting[UUID(actor.id), case.case_id] = (case.version, at)

    @property
    def wait(self) -> bool:
        """Whether any does."""
        return bool(self._waiting)

    def save(self, connection: Connection) -> None:
        """Writes what waits. While the database does not take it, it goes on waiting."""
        waiting, self._waiting = self._waiting, {}
        rows = [
            {"staff_id": staff_id, "case_id": case_id, "version": version, "at": at}
            for (staff_id, case_id), (version, at) in sorted(
                waiting.items()
            )  # in one order: no two processes lock crosswise
        ]
        try:
            writes.execute_all(connection, writes.insert(looks, rows, _NEWER))
        except BaseException:
            self._waiting = waiting | self._waiting
            raise


def prune(connection: Connection, at: datetime) -> None:
    """Forgets what was looked at long ago."""
    connection.execute(delete(looks).where(looks.c.at < at - KEPT))


def seen_part(case_id: Any = cases.c.case_id) -> Any:
    """The version of the case in a query's row that the reader (a parameter, None: nobody) has seen; NULL when they never did."""
    reader = bindparam("reader", type_=PG_UUID, required=False)
    return select(looks.c.version).where(looks.c.staff_id == reader, looks.c.case_id == case_id).scalar_subquery()
