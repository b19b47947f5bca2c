"""Reminders of visits, each sent once whatever is killed.

Locks are taken in one order, the case before the slot, so two never wait in a circle."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.exc import DBAPIError

from backbone.process import logs
from backbone.storage.database import Database, is_outage
from services.tracking.case.context import Clock
from services.tracking.case.record import Recorder
from services.tracking.case.scheduler import BY_CALENDAR
from services.tracking.visits import rules, store

log = logs.get("visits")

MOST = 50
"""Reminders looked for at once."""


class VisitReminders:
    """Sends what is due, one transaction each: who holds the case sends it, and with the event in the outbox it is noted
    as sent. Whatever is killed before the commit sent nothing."""

    def __init__(self, recorder: Recorder, clock: Clock) -> None:
        self._recorder, self._clock = recorder, clock

    def remind_due(self, database: Database) -> int:
        """Sends the reminders that are due; how many."""
        with database.read() as connection:
            due = store.due_reminders(connection, self._clock(), MOST)
        sent = 0
        for case_id in due:
            try:
                sent += self._remind(database, case_id)
            except Exception as error:
                if isinstance(error, DBAPIError) and is_outage(error):
                    raise
                log.exception("a reminder could not be sent", case_id=str(case_id))  # and the others are
        return sent

    def _remind(self, database: Database, case_id: UUID) -> bool:
        at = self._clock()
        with database.transaction() as connection:
            case = store.lock_unless_held(connection, case_id)
            visit = store.open_visit(connection, case_id) if case is not None else None
            change = rules.remind(case, visit, at) if case is not None and visit is not None else None
            if change is None:
                return False
            self._recorder.record(connection, change, BY_CALENDAR, at)
            return True
