"""What the calendar does with cases: warns, escalates, closes, reschedules.

Any number of processes do this at once. Each takes cases that no other holds (row locks, SKIP LOCKED); an alarm, the note
that it was raised and the event in the outbox are one transaction. So each is raised once, whichever is killed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from backbone.process import logs
from backbone.storage.database import is_outage
from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Role
from services.tracking.case import deadlines, store
from services.tracking.case.access import may_see
from services.tracking.case.context import Contexts
from services.tracking.case.lifecycle import Case, Change, Context
from services.tracking.case.record import Recorder
from services.tracking.colleagues import rules as colleagues
from services.tracking.colleagues import store as colleagues_store
from services.tracking.decisions import rules as decisions
from services.tracking.decisions import store as decisions_store
from services.tracking.inquiry import rules as inquiry
from services.tracking.inquiry import store as inquiry_store
from services.tracking.merging import rules as merging
from services.tracking.merging import store as merging_store
from services.tracking.reference import store as reference_store
from services.tracking.reference.catalogue import CatalogueCopy
from services.tracking.reference.workdays import ONE_DAY

log = logs.get("scheduler")

BY_CALENDAR = Actor(kind=ActorKind.SYSTEM, id="scheduler")
MOST = 50
"""Cases in one transaction."""


class Scheduler:
    """The use cases of the scheduler. Each does one transaction's worth; how many cases it took."""

    def __init__(self, catalogue: CatalogueCopy, contexts: Contexts, recorder: Recorder, mayor_unit: str) -> None:
        self._catalogue, self._contexts, self._recorder = catalogue, contexts, recorder
        self._mayor_unit = mayor_unit

    def reschedule(self, connection: Connection) -> int:
        """Cases whose days were calculated by an older calendar."""
        taken = store.lock_outdated(connection, MOST)
        if not taken:
            return 0
        self._catalogue.expire()  # by the newest calendar
        for case in taken:
            self._apply(connection, case, inquiry.rescheduled)
        return len(taken)

    def raise_alarms(self, connection: Connection) -> int:
        """Cases whose next check is due."""
        today = self._contexts.today()
        taken = store.lock_due(connection, today, MOST)
        for case in taken:
            self._apply(connection, case, deadlines.raise_due_alarms)
        return len(taken)

    def reckon_marks(self, connection: Connection) -> int:
        """Open cases of before their 80 % mark was kept."""
        taken = store.lock_unmarked(connection, MOST)
        if taken:
            workdays = self._catalogue.current(connection).workdays
            for case in taken:
                store.mark(connection, case.case_id, deadlines.mark_of(case, workdays))
        return len(taken)

    def escalate_recommendations(self, connection: Connection) -> int:
        """Recommendations that are overdue, to the head."""
        today = self._contexts.today()
        taken = decisions_store.lock_overdue(connection, today, MOST)
        for case in taken:
            recommendations = decisions_store.of_case(connection, case.case_id)
            self._recorder.record(
                connection, decisions.overdue(case, recommendations, today), BY_CALENDAR, self._contexts.now()
            )
        return len(taken)

    def send_reminders(self, connection: Connection) -> int:
        """Reminders whose day has come; those of somebody who may not see the case any more go to its handler or the heads."""
        today = self._contexts.today()
        taken = inquiry_store.lock_due(connection, today, MOST)
        for case in taken:
            due = inquiry_store.take_due(connection, case.case_id, today)
            received = [
                replace(reminder, staff_id=staff_id)
                for reminder in due
                for staff_id in self._recipients(connection, case, reminder.staff_id)
            ]
            self._recorder.record(connection, inquiry.reminded(case, received), BY_CALENDAR, self._contexts.now())
        return len(taken)

    def _recipients(self, connection: Connection, case: Case, staff_id: UUID) -> list[UUID]:
        """Whoever wanted to be reminded, if they may still see the case; else its handler, or without one the heads."""
        city = self._catalogue.current(connection)
        ids = [staff_id, *([case.handler] if case.handler is not None else [])]
        people = {member.staff_id: member for member in reference_store.members(connection, ids)}
        for candidate in ids:
            if candidate in people and may_see(people[candidate], case, city):
                return [candidate]
        heads = reference_store.active_with_role(connection, Role.HEAD)
        if case.unit in city.about_inspection:
            heads += reference_store.active_with_role(connection, Role.SUBSTITUTE)
        return [head.staff_id for head in heads if may_see(head, case, city)]

    def part_from_colleagues(self, connection: Connection) -> int:
        """Cases one of whose colleagues handles no such cases any more, or must not know of it."""
        city = self._catalogue.current(connection)
        gone: dict[UUID, set[UUID]] = defaultdict(set)
        for row in colleagues_store.all_colleagues(connection):
            if city.unfit(reference_store.member_of_row(row), row.about) is not None:
                gone[row.case_id].add(row.staff_id)
        done = 0
        for case_id in sorted(gone)[:MOST]:
            case = store.lock(connection, case_id)
            change = colleagues.gone(case, gone[case_id]) if case is not None else None
            if change is not None and change.entries:
                self._recorder.record(connection, change, BY_CALENDAR, self._contexts.now())
                done += 1
        return done

    def inform_merged_cases(self, connection: Connection) -> int:
        """Ends of cases that others were merged into. Those merged into such a one in turn are informed in the next round."""
        taken = merging_store.take_ends(connection, MOST)
        for row in taken:
            for case, informed in merging_store.lock_merged(connection, row.case_id):
                context = self._contexts.of(connection, BY_CALENDAR, None)
                change = merging.merged_case_ended(case, dict(row._mapping), informed, context)
                self._recorder.record(connection, change, BY_CALENDAR, context.now)
                if change.case.stage is not case.stage:
                    merging_store.reopen(connection, case.case_id)
        return len(taken)

    def _apply(self, connection: Connection, case: Case, transition: Callable[[Case, Context], Change]) -> None:
        """One case's change; one that cannot be done stops no other, and is tried again on another day."""
        context = self._contexts.of(connection, BY_CALENDAR, None)
        city = self._catalogue.current(connection)
        # Who belongs to the unit complained about, or below it, must not know of the case.
        may_escalate = self._mayor_unit in city.units and not city.tree.has_conflict_of_interest(
            self._mayor_unit, case.unit
        )
        mayor_unit = self._mayor_unit if may_escalate else None
        try:
            with connection.begin_nested():
                change = transition(case, replace(context, mayor_unit=mayor_unit))
                self._recorder.record(connection, change, BY_CALENDAR, context.now)
        except Exception as error:
            if isinstance(error, DBAPIError) and is_outage(error):
                raise
            log.exception("the scheduler could not process a case", case_id=str(case.case_id))
            store.check_again_on(connection, case.case_id, context.today + ONE_DAY, context.calendar)
