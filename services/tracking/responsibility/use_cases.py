"""Looks for what somebody has who may not have it any more, and hands it over (DOMAIN: The people).

What accounts and intake publish is kept with a mark; these use cases work it off, each one transaction's worth, until there is
nothing left. So it is done whichever process is killed, and each hand-over, with its events, once."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from backbone.process import logs
from backbone.storage.database import is_outage
from contracts.vocabulary import Role
from services.tracking.case.context import Contexts
from services.tracking.case.lifecycle import Case, Change, StaffFacts
from services.tracking.case.record import Recorder
from services.tracking.case.scheduler import BY_CALENDAR, MOST
from services.tracking.inquiry import store as inquiry_store
from services.tracking.reference import store as reference_store
from services.tracking.reference.catalogue import CatalogueCopy, CityCatalogue
from services.tracking.reference.store import Member
from services.tracking.responsibility import rules, store
from services.tracking.responsibility.store import Unsettled
from services.tracking.visits import rules as visits
from services.tracking.visits import store as visits_store

log = logs.get("responsibility")


class Responsibility:
    """The use cases. Each answers how much it has done."""

    def __init__(self, catalogue: CatalogueCopy, contexts: Contexts, recorder: Recorder) -> None:
        self._catalogue, self._contexts, self._recorder = catalogue, contexts, recorder

    def look_at_all(self, connection: Connection) -> None:
        """Once in a while: what no event has told of, such as a case that was found to be about another unit."""
        store.look_at_all(connection)

    def settle(self, connection: Connection) -> int:
        """Cases and slots of members of staff who were changed lately, to their successors or the head."""
        people = {person.member.staff_id: person for person in store.unsettled(connection)}
        if not people:
            return 0
        city = self._catalogue.current(connection)
        gone = [
            staff_id
            for staff_id, person in people.items()
            if not (person.member.active and person.member.roles & {Role.INSPECTOR, Role.SUBSTITUTE})
        ]
        avoided = {
            staff_id: _avoided(city, person.member) for staff_id, person in people.items() if staff_id not in gone
        }
        done = sum(
            self._hand_over(connection, city, case, people) for case in store.lock_held(connection, gone, avoided, MOST)
        )
        for slot_id in store.slots_of_leavers(connection, gone, self._contexts.now(), MOST):
            done += self._hand_over_slot(connection, city, slot_id, people)
        if not done:
            store.settle(connection, list(people))
        return done

    def _hand_over(self, connection: Connection, city: CityCatalogue, case: Case, people: dict[UUID, Unsettled]) -> int:
        assert case.handler is not None
        person = people[case.handler]
        because = city.unfit(person.member, case.unit)
        if because is None:
            return 0
        successor = _successor(connection, city, case.unit, person)
        context = self._contexts.of(connection, BY_CALENDAR, None)
        return self._record(connection, rules.handed_over(case, because, successor, context))

    def _hand_over_slot(
        self, connection: Connection, city: CityCatalogue, slot_id: UUID, people: dict[UUID, Unsettled]
    ) -> int:
        """To the successor, if they are free then; else nobody takes another place in it, and the head sees to its visits."""
        cases = store.lock_cases_of_slot(connection, slot_id)
        if cases is None or not store.lock_slot_with(connection, slot_id, [case.case_id for case in cases]):
            return 0
        [slot] = visits_store.slots_of(connection, [slot_id])
        person = people[slot.inspector]
        units = {case.unit for case in cases} or {None}
        successor = rules.slot_successor([_successor(connection, city, unit, person) for unit in units])
        if successor is None or not store.give_slot(connection, slot_id, successor):
            successor = None
            visits_store.close_slot(connection, slot_id)
        for case in cases:
            # Of a case that goes from the one to the other, or to the head, its visit goes with it.
            with_case = case.previous_handlers[-1:] == (slot.inspector,) and case.handler in (successor, None)
            visit = visits_store.open_visit(connection, case.case_id)
            if visit is not None and not with_case:
                self._recorder.record(
                    connection,
                    rules.visit_handed_over(case, visit, successor),
                    BY_CALENDAR,
                    self._contexts.now(),
                )
        return 1

    def call_off_on_holidays(self, connection: Connection) -> int:
        """Booked visits on a day that has become a holiday: citizen and inspector are told, and another time is to be chosen."""
        today, at = self._contexts.today(), self._contexts.now()
        holidays = [day for day in self._catalogue.current(connection).workdays.holidays if day >= today]
        done = 0
        for case in store.lock_booked_on(connection, holidays, at, MOST) if holidays else ():
            visit = visits_store.open_visit(connection, case.case_id)
            done += self._record(connection, visits.call_off(case, visit, at, because="holiday"))
        return done

    def report_missing_liaisons(self, connection: Connection) -> int:
        """Questions that wait for a unit for which nobody is left to answer, to the inspector and the head."""
        answered = store.answered_units(connection, self._catalogue.current(connection).tree)
        store.note_liaisons(connection, answered)
        done = 0
        for case_id, question_id, unit in store.unanswered(connection, answered, MOST):
            case = store.lock_unless_held(connection, case_id)
            question = inquiry_store.open_question(connection, case_id) if case is not None else None
            if case is not None and question is not None and question.question_id == question_id:
                done += self._record(connection, rules.liaison_missing(case, question_id, unit))
        return done

    def _record(self, connection: Connection, change: Change) -> int:
        """One case's change; one that cannot be done stops no other, and is tried again."""
        try:
            with connection.begin_nested():
                self._recorder.record(connection, change, BY_CALENDAR, self._contexts.now())
        except Exception as error:
            if isinstance(error, DBAPIError) and is_outage(error):
                raise
            log.exception("a case could not be handed over", case_id=str(change.case.case_id))
            return 0
        return 1


def _avoided(city: CityCatalogue, member: Member) -> frozenset[str]:
    """The units about which this member of staff, an inspector or substitute, handles no case."""
    own = city.tree.in_conflict(member.unit)
    return own if Role.INSPECTOR in member.roles else own | (city.units.keys() - city.about_inspection)


def _successor(connection: Connection, city: CityCatalogue, unit: str | None, person: Unsettled) -> StaffFacts | None:
    """Who was named to take over, as to a case about this unit."""
    member = reference_store.member(connection, person.successor) if person.successor is not None else None
    return city.handler_facts(member, unit) if member is not None else None
