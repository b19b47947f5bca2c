"""A complaint about the inspection itself is handled by substitutes, from outside its branch, and by nobody of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from contracts.errors import ConsentNeeded, InvalidField, NotAllowed, NotFound, UnknownCase
from contracts.gateway import Actor
from contracts.identities import AskForIdentity, DecideIdentityRequest, IdentityRequest
from contracts.searches import ListCases
from contracts.tracking import AddCoHandler, AddNote, Assign, AuthorizeIdentity, GetCase, StartScreening
from contracts.vocabulary import Role
from deploy.local.parts import PostgreSQL
from tests.support.tracking import actor, decision, staff
from tests.support.tracking_in_process import TrackingInProcess


class Divided(TrackingInProcess):
    """All of the office belong to the inspection, `insp`; two substitutes belong elsewhere."""

    def __init__(self, server_url: str, database: str) -> None:
        super().__init__(server_url, database)
        self.substitute, self.second = actor(Role.SUBSTITUTE, "dep.civ"), actor(Role.SUBSTITUTE, "dep.civ")
        self.false_one = actor(Role.SUBSTITUTE, "insp")
        for person in (self.substitute, self.second, self.false_one):
            self.handle("keep_staff", staff(person))

    def listed(self, who: Actor) -> set[UUID]:
        return {line.case_id for line in self.ask("list_cases", ListCases(actor=who)).read().items}

    def get(self, who: Actor, case_id: UUID) -> Any:
        return self.ask("get_case", GetCase(actor=who, case_id=case_id))


@pytest.fixture
def city(postgres: PostgreSQL, monkeypatch: pytest.MonkeyPatch) -> Iterator[Divided]:
    monkeypatch.setenv("INSPECTION_UNIT", "insp")
    made = Divided(postgres.url, f"substitutes_{uuid.uuid4().hex[:8]}")
    yield made
    made.db.engine.dispose()


def test_only_substitutes_know_of_a_case_about_the_inspection(city: Divided) -> None:
    about, other = city.open(unit="insp").case_id, city.open().case_id
    assert city.listed(city.head) == {other}
    assert city.listed(city.substitute) == {about}
    assert city.listed(city.false_one) == set()
    with pytest.raises(UnknownCase):
        city.get(city.false_one, about)
    with pytest.raises(UnknownCase):
        city.do(city.substitute, other, StartScreening())


def test_substitutes_screen_investigate_and_decide_it(city: Divided) -> None:
    case_id = city.open(unit="insp").case_id
    city.do(city.substitute, case_id, StartScreening())
    with pytest.raises(InvalidField):  # in a conflict of interest
        city.do(city.substitute, case_id, Assign(inspector=UUID(city.inspector.id)))
    assigned = city.do(city.substitute, case_id, Assign())  # whoever is free
    assert assigned.handler in {UUID(city.substitute.id), UUID(city.second.id)}
    city.do(city.second, case_id, AddNote(text="یادداشت", mentions=[UUID(city.substitute.id)]))
    city.do(city.substitute, case_id, decision())
    assert city.get(city.second, case_id).stage == "decided"


def test_a_substitute_handles_nothing_else(city: Divided) -> None:
    case_id = city.investigated().case_id
    with pytest.raises(InvalidField):
        city.do(city.head, case_id, Assign(inspector=UUID(city.substitute.id)))


def test_a_case_of_a_substitute_who_leaves_goes_to_the_others(city: Divided) -> None:
    case_id = city.open(unit="insp").case_id
    city.do(city.substitute, case_id, StartScreening())
    city.do(city.second, case_id, Assign(inspector=UUID(city.substitute.id)))
    city.handle("keep_staff", staff(city.substitute, version=2, active=False))
    with city.db.transaction() as connection:
        assert city.tracking.use_cases.responsibility.settle(connection) == 1
    assert city.get(city.second, case_id).handler is None
    city.do(city.second, case_id, Assign(inspector=UUID(city.second.id)))


def test_a_substitute_is_a_second_inspector_and_stays_one(city: Divided) -> None:
    case_id = city.open(unit="insp").case_id
    city.do(city.substitute, case_id, StartScreening())
    city.do(city.substitute, case_id, Assign(inspector=UUID(city.substitute.id)))
    city.do(city.substitute, case_id, AddCoHandler(inspector=UUID(city.second.id)))
    with city.db.transaction() as connection:
        assert city.tracking.use_cases.scheduler.part_from_colleagues(connection) == 0
    assert city.get(city.substitute, case_id).co_handlers == [UUID(city.second.id)]
    city.handle("keep_staff", staff(city.second, version=2, active=False))
    with city.db.transaction() as connection:
        assert city.tracking.use_cases.scheduler.part_from_colleagues(connection) == 1
    assert city.get(city.substitute, case_id).co_handlers == []


def test_a_substitute_opens_the_identity_behind_a_case_about_the_inspection_and_no_other(city: Divided) -> None:
    about, other = city.open(unit="insp").case_id, city.open().case_id
    both = actor(Role.SUBSTITUTE, "dep.civ").model_copy(update={"roles": {Role.SUBSTITUTE, Role.INSPECTOR}})
    custodian, insider = actor(Role.CUSTODIAN, "dep.civ"), actor(Role.CUSTODIAN, "insp")
    for person in (both, custodian, insider):
        city.handle("keep_staff", staff(person))
    city.do(city.screener, other, StartScreening())
    city.do(city.screener, other, Assign(inspector=UUID(both.id)))
    for who in (city.substitute, both):
        with pytest.raises(UnknownCase):
            city.ask("ask_for_identity", wish(who, other))
        with pytest.raises(ConsentNeeded):
            city.ask("authorize_identity", AuthorizeIdentity(actor=who, case_id=about))
    for who in (city.head, city.false_one):
        with pytest.raises(UnknownCase):
            city.ask("ask_for_identity", wish(who, about))
    asked = city.ask("ask_for_identity", wish(city.substitute, about))
    with pytest.raises(NotAllowed):  # a substitute is head there, and no custodian
        city.ask("decide_identity_request", consent(city.second, asked))
    with pytest.raises(NotFound):  # their own office is complained about
        city.ask("decide_identity_request", consent(insider, asked))
    city.ask("decide_identity_request", consent(custodian, asked))
    granted = city.ask("authorize_identity", AuthorizeIdentity(actor=city.substitute, case_id=about))
    assert granted.consented_by == UUID(custodian.id)
    with pytest.raises(ConsentNeeded):  # to who asked alone
        city.ask("authorize_identity", AuthorizeIdentity(actor=city.second, case_id=about))


def wish(who: Actor, case_id: UUID) -> AskForIdentity:
    key = uuid.uuid4().hex
    return AskForIdentity(actor=who, case_id=case_id, reason="برای دعوت", minutes=60, idempotency_key=key)


def consent(who: Actor, asked: IdentityRequest) -> DecideIdentityRequest:
    return DecideIdentityRequest(actor=who, request_id=asked.request_id, consent=True)
