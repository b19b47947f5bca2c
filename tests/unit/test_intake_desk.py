"""Rules of the counter: who may correct a filing, and when somebody without their code is believed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from contracts.desk import LostCodeAnswers
from contracts.errors import NotAllowed, UnknownCase
from contracts.gateway import Actor, Identity
from contracts.vocabulary import ActorKind, Kind, Role
from services.intake.desk import rules

FILED_AT = datetime(2026, 11, 22, 22, 0, tzinfo=UTC)
"""After midnight in Tehran: the day there is the 23rd."""
IDENTITY = Identity(name="شاکی نمونه", national_id="0012345679", mobile="+989121234567")


def confirmed(kind: Kind = Kind.COMPLAINT, identity: Identity | None = IDENTITY, **answers: Any) -> bool:
    facts = rules.held_facts(kind, identity, FILED_AT, {"dep.urb", "dep.urb.permits"}, "delay")
    return rules.is_confirmed(LostCodeAnswers(**answers), facts)


def test_two_right_answers_are_believed() -> None:
    assert confirmed(national_id="0012345679", mobile_digits="4567")
    assert confirmed(filed_on=date(2026, 11, 23), ground="delay")
    assert confirmed(unit="dep.urb.permits", mobile_digits="4567")


def test_one_answer_is_not_enough() -> None:
    assert not confirmed(national_id="0012345679")
    assert not confirmed()


def test_a_wrong_answer_beside_right_ones_is_not_believed() -> None:
    assert not confirmed(national_id="0012345679", mobile_digits="4567", ground="conduct")
    assert not confirmed(filed_on=date(2026, 11, 22), ground="delay")


def test_what_the_case_does_not_hold_is_never_right() -> None:
    nameless = Identity(name="شاکی نمونه")
    assert not confirmed(identity=nameless, national_id="", ground="delay")
    assert not confirmed(identity=None, mobile_digits="4567", ground="delay")
    assert confirmed(identity=None, unit="dep.urb", ground="delay")


def test_of_a_report_of_wrongdoing_no_answer_about_the_person_is_right() -> None:
    assert not confirmed(Kind.INFORMATION, national_id="0012345679", mobile_digits="4567")
    assert not confirmed(Kind.INFORMATION, mobile_digits="4567", ground="delay", unit="dep.urb")
    assert confirmed(Kind.INFORMATION, ground="delay", unit="dep.urb")


def test_the_operator_who_filed_it_or_a_head_corrects_it() -> None:
    operator = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.OPERATOR}))
    head = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.HEAD}))
    screener = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.SCREENER}))
    rules.require_filer(operator, operator.id)
    rules.require_filer(head, operator.id)
    for actor, filed_by, error in (
        (operator, str(uuid4()), UnknownCase),
        (operator, None, UnknownCase),
        (head, None, UnknownCase),
        (screener, screener.id, NotAllowed),
        (Actor(kind=ActorKind.CITIZEN, id=operator.id), operator.id, NotAllowed),
    ):
        with pytest.raises(error):
            rules.require_filer(actor, filed_by)


def test_after_three_wrong_tries_one_waits_until_the_first_is_a_day_old() -> None:
    at = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
    hours = [timedelta(hours=hour) for hour in (30, 20, 3, 1)]
    assert rules.seconds_to_wait([at - ago for ago in hours[:3]], at, 3, rules.CASE_WINDOW) == 0
    assert rules.seconds_to_wait([at - ago for ago in hours], at, 3, rules.CASE_WINDOW) == 4 * 3600
