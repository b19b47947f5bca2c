"""While somebody is away their deputy sees and does the same, as far as they may see it themselves, and it ends by itself."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.base import now
from contracts.errors import InvalidField, NotAllowed, UnknownCase
from contracts.gateway import Actor
from contracts.leaves import LeaveChanged
from contracts.searches import ListCases
from contracts.tracking import (
    AddCoHandler,
    AddNote,
    AnswerConsultation,
    AskUnit,
    Assign,
    ConsultColleague,
    GetCase,
    ListUnitQuestions,
    Merge,
    Refuse,
    Reopen,
    ReturnToScreening,
    StartScreening,
)
from contracts.vocabulary import Role
from deploy.local.parts import PostgreSQL
from tests.support.tracking import UNIT, actor, staff
from tests.support.tracking_in_process import TrackingInProcess


class Absent(TrackingInProcess):
    def leave(self, away: Actor, deputy: Actor, **changes: Any) -> LeaveChanged:
        """Accounts publish it, twice."""
        values: dict[str, Any] = {
            "id": uuid.uuid4(),
            "occurred_at": now(),
            "leave_id": uuid.uuid4(),
            "version": 1,
            "staff_id": UUID(away.id),
            "deputy": UUID(deputy.id),
            "starts_at": now() - timedelta(minutes=1),
            "ends_at": now() + timedelta(days=1),
        }
        event = LeaveChanged(**values | changes)
        for _ in range(2):
            self.handle("keep_staff", event)
        return event

    def listed(self, who: Actor) -> set[UUID]:
        return {line.case_id for line in self.ask("list_cases", ListCases(actor=who)).read().items}

    def get(self, who: Actor, case_id: UUID) -> Any:
        return self.ask("get_case", GetCase(actor=who, case_id=case_id))


@pytest.fixture
def city(postgres: PostgreSQL) -> Iterator[Absent]:
    made = Absent(postgres.url, f"leaves_{uuid.uuid4().hex[:8]}")
    yield made
    made.db.engine.dispose()


def test_a_deputy_sees_and_does_the_same_and_it_is_recorded_as_for_the_absent_one(city: Absent) -> None:
    case_id = city.investigated().case_id
    with pytest.raises(UnknownCase):
        city.do(city.other_inspector, case_id, AddNote(text="یادداشت"))
    city.leave(city.inspector, city.other_inspector)
    assert city.listed(city.other_inspector) == {case_id}
    city.do(city.other_inspector, case_id, AddNote(text="یادداشت"))
    entry = city.get(city.head, case_id).timeline[-1]
    assert entry.actor_id == city.other_inspector.id
    assert entry.details["on_behalf_of"] == city.inspector.id
    city.do(city.inspector, case_id, AddNote(text="خودم"))  # whoever is away may still act
    assert "on_behalf_of" not in city.get(city.head, case_id).timeline[-1].details


def test_what_a_head_does_as_head_is_not_done_for_the_absent_inspector(city: Absent) -> None:
    both = actor(Role.HEAD).model_copy(update={"roles": frozenset({Role.HEAD, Role.INSPECTOR})})
    city.handle("keep_staff", staff(both))
    case_id = city.investigated().case_id
    city.leave(city.inspector, both)
    city.do(both, case_id, AddNote(text="یادداشت"))
    entry = city.get(city.head, case_id).timeline[-1]
    assert entry.details["on_behalf_of"] == city.inspector.id
    assert set(entry.names) == {city.inspector.id}
    city.do(both, case_id, ReturnToScreening(reason="واحد دیگری است"))
    city.do(both, case_id, Refuse(reason="outside_remit", explanation="x"))
    city.do(both, case_id, Reopen(reason="اشتباه ما بود"))
    assert "on_behalf_of" not in city.get(city.head, case_id).timeline[-1].details


def test_it_begins_and_ends_by_itself(city: Absent) -> None:
    case_id = city.investigated().case_id
    to_come = city.leave(city.inspector, city.other_inspector, starts_at=now() + timedelta(hours=1))
    assert city.listed(city.other_inspector) == set()
    begun = to_come.model_copy(update={"version": 2, "starts_at": now() - timedelta(hours=2)})
    city.handle("keep_staff", begun)
    city.handle("keep_staff", to_come)  # the older one comes late
    assert city.listed(city.other_inspector) == {case_id}
    city.handle("keep_staff", begun.model_copy(update={"version": 3, "ends_at": now() - timedelta(seconds=1)}))
    assert city.listed(city.other_inspector) == set()
    with pytest.raises(UnknownCase):
        city.do(city.other_inspector, case_id, AddNote(text="یادداشت"))


def test_a_conflict_of_interest_is_the_deputys_own(city: Absent) -> None:
    insider = actor(Role.INSPECTOR, unit="dep.urb.permits.desk")
    city.handle("keep_staff", staff(insider))
    case_id, other = city.investigated().case_id, city.investigated(unit="dep.civ").case_id
    city.leave(city.inspector, insider)
    assert city.listed(insider) == {other}
    with pytest.raises(UnknownCase):
        city.get(insider, case_id)


def test_a_deputy_of_a_liaison_answers_for_their_unit(city: Absent) -> None:
    deputy = actor(Role.LIAISON, unit="dep.civ")
    city.handle("keep_staff", staff(deputy))
    filed = city.investigated()
    city.do(city.inspector, filed.case_id, AskUnit(text="چرا؟"))
    request = ListUnitQuestions(actor=deputy)
    assert city.ask("list_unit_questions", request).items == []
    city.leave(city.liaison, deputy)
    assert [question.unit for question in city.ask("list_unit_questions", request).items] == [UNIT]
    with pytest.raises(NotAllowed):
        city.ask("list_unit_questions", ListUnitQuestions(actor=city.inspector))


def test_a_deputy_gets_no_case_that_is_assigned_to_nobody(city: Absent) -> None:
    city.leave(city.inspector, city.other_inspector)
    case_id = city.open().case_id
    city.do(city.screener, case_id, StartScreening())
    assert city.listed(city.other_inspector) == set()
    city.do(city.screener, case_id, Assign(inspector=UUID(city.inspector.id)))
    assert city.listed(city.other_inspector) == {case_id}


def test_a_deputy_is_mentioned_in_a_case_of_the_absent_one_and_the_absent_one_still_is(city: Absent) -> None:
    case_id = city.investigated().case_id
    insider = actor(Role.INSPECTOR, unit="dep.urb.permits.desk")
    city.handle("keep_staff", staff(insider))
    mention = AddNote(text="ببینید", mentions=[UUID(city.other_inspector.id)])
    with pytest.raises(InvalidField):
        city.do(city.head, case_id, mention)
    for deputy in (city.other_inspector, insider):
        city.leave(city.inspector, deputy)
    city.do(city.head, case_id, mention)
    with pytest.raises(InvalidField):  # a conflict of interest is the deputy's own
        city.do(city.head, case_id, AddNote(text="ببینید", mentions=[UUID(insider.id)]))
    city.do(city.head, case_id, AddNote(text="ببینید", mentions=[UUID(city.inspector.id)]))
    city.do(city.other_inspector, case_id, AddNote(text="دیدم", mentions=[UUID(city.head.id)]))


def test_a_deputy_has_the_cases_of_an_absent_co_handler_and_does_what_they_may(city: Absent) -> None:
    co_handler, deputy = actor(Role.INSPECTOR), actor(Role.INSPECTOR)
    for who in (co_handler, deputy):
        city.handle("keep_staff", staff(who))
    case_id, merged = city.investigated().case_id, city.open().case_id
    city.do(city.head, case_id, AddCoHandler(inspector=UUID(co_handler.id)))
    city.do(city.screener, merged, StartScreening())
    city.do(city.screener, merged, Merge(into=case_id))
    with pytest.raises(UnknownCase):
        city.get(deputy, case_id)
    city.leave(co_handler, deputy)
    assert city.listed(deputy) == {case_id}
    assert city.get(deputy, case_id).co_handlers
    assert [case.case_id for case in city.get(deputy, case_id).merged_cases] == [merged]
    city.do(deputy, case_id, AddNote(text="یادداشت"))
    assert city.get(city.head, case_id).timeline[-1].details["on_behalf_of"] == co_handler.id
    with pytest.raises(NotAllowed):  # the co-handler may not decide who handles it, either
        city.do(deputy, case_id, AddCoHandler(inspector=UUID(city.other_inspector.id)))


def test_a_deputy_answers_what_an_absent_colleague_was_asked(city: Absent) -> None:
    case_id = city.investigated().case_id
    asked, deputy = city.other_inspector, actor(Role.INSPECTOR)
    city.handle("keep_staff", staff(deputy))
    consultation = ConsultColleague(colleague=UUID(asked.id), text="چه کردید؟")
    [line] = city.do(city.inspector, case_id, consultation).consultations
    answer = AnswerConsultation(consultation_id=line.consultation_id, text="بازدید")
    with pytest.raises(UnknownCase):
        city.do(deputy, case_id, answer)
    city.leave(asked, deputy)
    with pytest.raises(NotAllowed):
        city.do(deputy, case_id, AddNote(text="یادداشت"))
    city.do(deputy, case_id, answer)
    assert city.get(city.head, case_id).timeline[-1].details["on_behalf_of"] == asked.id
    assert city.listed(deputy) == set()
