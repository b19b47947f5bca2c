"""What the calendar does with cases, without anybody asking: warns, sends up, closes, reckons anew.

Any number of processes do this at once. Each takes cases that no other holds (row locks, SKIP LOCKED); what is said, that
it has been said and the event in the outbox are one transaction. So each is said once, whichever is killed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from backbone.process import logs
from backbone.storage.database import is_outage
from contracts.gateway import Actor
from contracts.vocabulary import ActorKind
from services.tracking.case import deadlines as clock
from services.tracking.case import rules as domain
from services.tracking.case import store
from services.tracking.case.event_handlers import Tracking
from services.tracking.case.lifecycle import Case, Context, Turn
from services.tracking.case.record import record
from services.tracking.case.scope import SEE_ALL
from services.tracking.decisions import recommendations as advice
from services.tracking.decisions import rules as decisions
from services.tracking.inquiry import rules as inquiry
from services.tracking.inquiry import store as reminders
from services.tracking.merging import store as joined
from services.tracking.reference.workdays import ONE_DAY
from services.tracking.settings import Settings

log = logs.get("scheduler")

BY_CALENDAR = Actor(kind=ActorKind.SYSTEM, id="scheduler")
MOST = 50
"""Cases in one transaction."""


class Scheduler(Tracking):
    """The use cases of the scheduler. Each does one transaction's worth; how many cases it took."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._mayor = settings.mayor_unit

    def recall(self, connection: Connection) -> int:
        """Cases whose days an older calendar reckoned."""
        taken = store.lock_to_recall(connection, MOST)
        if not taken:
            return 0
        self._look_again = 0.0  # by the very newest calendar
        for case in taken:
            turn = self._turn(connection, case, clock.recalled)
            if turn is not None and turn.case.asking is not None and turn.case.asking != case.asking:
                store.set_question_due(connection, case.case_id, clock.due_of(turn.case.asking))
        return len(taken)

    def tick(self, connection: Connection) -> int:
        """Cases at which today is something to be said or done."""
        today = self.context(connection, BY_CALENDAR, None).today
        taken = store.lock_due(connection, today, MOST)
        for case in taken:
            self._turn(connection, case, clock.tick)
        return len(taken)

    def follow_up(self, connection: Connection) -> int:
        """Recommendations whose day has passed."""
        today = self.context(connection, BY_CALENDAR, None).today
        taken = advice.lock_overdue(connection, today, MOST)
        for case in taken:
            those = advice.of_case(connection, case.case_id)
            record(connection, decisions.overdue(case, those, today), BY_CALENDAR, self.clock())
        return len(taken)

    def remind(self, connection: Connection) -> int:
        """Reminders whose day has come, to those who may still see the case."""
        today = self.context(connection, BY_CALENDAR, None).today
        taken = reminders.lock_due(connection, today, MOST)
        for case in taken:
            due = reminders.take_due(connection, case.case_id, today)
            roles = {
                row.staff_id: set(row.roles) for row in reminders.members(connection, [one.staff_id for one in due])
            }
            seen = [one for one in due if SEE_ALL & roles.get(one.staff_id, set()) or one.staff_id == case.handler]
            record(connection, inquiry.reminded(case, seen), BY_CALENDAR, self.clock())
        return len(taken)

    def tell_joined(self, connection: Connection) -> int:
        """Ends of cases that others were merged into. Those merged into such a one in turn are told in the next round."""
        taken = joined.take_ends(connection, MOST)
        for row in taken:
            for case, heard in joined.lock_merged(connection, row.case_id):
                context = self.context(connection, BY_CALENDAR, None)
                turn = domain.joined_ended(case, dict(row._mapping), heard, context)
                record(connection, turn, BY_CALENDAR, context.now)
                if turn.case.stage is not case.stage:
                    joined.go_on(connection, case.case_id)
        return len(taken)

    def _turn(self, connection: Connection, case: Case, happens: Callable[[Case, Context], Turn]) -> Turn | None:
        """One case's turn; one that cannot be done stops no other, and is tried again on another day."""
        context = self.context(connection, BY_CALENDAR, None)
        city = self.city(connection)
        # Who belongs to the unit complained about, or below it, hears nothing of the case.
        mayor = self._mayor if self._mayor in city.units and case.unit not in city.tree.above(self._mayor) else None
        try:
            with connection.begin_nested():
                turn = happens(case, replace(context, mayor_unit=mayor))
                record(connection, turn, BY_CALENDAR, context.now)
                return turn
        except Exception as error:
            if isinstance(error, DBAPIError) and is_outage(error):
                raise
            log.exception("the scheduler could not do with a case", case_id=str(case.case_id))
            store.look_again(connection, case.case_id, context.today + ONE_DAY, context.calendar)
            return None
