"""What the view of a case says its reader may do: which commands it names for whom, and why one is not possible."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from contracts.gateway import Actor
from contracts.tracking import Propose, ShownCommand
from contracts.vocabulary import ActorKind, Kind, Role, Stage
from services.tracking.case.lifecycle import ASKED, Case
from services.tracking.rules import _TO_COME, COMMANDS, TRANSITIONS
from tests.support.cases import HEAD, INSPECTOR, NOON, OTHER, OTHER_HEAD, SCREENER, act, case, context, question


def shown(of_case: Case, who: UUID, **facts: Any) -> dict[str, ShownCommand]:
    return {command.type: command for command in COMMANDS.shown_to_staff(of_case, context(who, **facts))}


def why(of_case: Case, who: UUID, name: str, **facts: Any) -> tuple[str | None, str | None]:
    command = shown(of_case, who, **facts)[name]
    assert not command.possible
    return command.why, command.code


def test_each_role_reads_of_the_commands_that_it_ever_gives() -> None:
    here = case(Stage.INVESTIGATING, handler=INSPECTOR)
    for who, role in ((SCREENER, Role.SCREENER), (INSPECTOR, Role.INSPECTOR), (HEAD, Role.HEAD)):
        assert set(shown(here, who)) == COMMANDS.permissions[role]
    citizen = {command.type for command in COMMANDS.shown_to_citizen(here, context())}
    assert citizen == set(COMMANDS.transitions) - COMMANDS.permissions[Role.SUBSTITUTE]


def test_a_substitute_has_all_of_a_case_about_the_inspection_and_nothing_of_another() -> None:
    here = case(Stage.SCREENING)
    actor = Actor(kind=ActorKind.STAFF, id=str(OTHER), roles=frozenset({Role.SUBSTITUTE}), unit="elsewhere")
    own = replace(context(), actor=actor, about_inspection=frozenset({"dep"}))
    assert {command.type for command in COMMANDS.shown_to_staff(here, own)} == COMMANDS.permissions[Role.SUBSTITUTE]
    assert COMMANDS.shown_to_staff(here, replace(own, about_inspection=frozenset())) == []


def test_what_is_anothers_is_said_to_be() -> None:
    here = case(Stage.INVESTIGATING, handler=INSPECTOR)
    assert why(here, OTHER, "decide") == ("not_yours", "not_your_case")
    assert why(here, INSPECTOR, "decide", four_eyes=frozenset({Kind.COMPLAINT})) == ("not_yours", "four_eyes_needed")
    proposed = act(here, Propose(outcome="not_upheld", reasons="x"), HEAD).case
    assert why(proposed, HEAD, "approve") == ("not_yours", "own_proposal")
    assert shown(proposed, OTHER_HEAD)["approve"].possible
    assert why(proposed, INSPECTOR, "ask_citizen") == ("not_yet", "proposal_waits")
    review = case(Stage.REVIEW, handler=OTHER, excluded_staff=(HEAD,))
    assert why(review, HEAD, "decide") == ("not_yours", "decided_it_before")
    assert shown(review, OTHER_HEAD)["decide"].possible


def test_four_eyes_are_said_of_what_becomes_a_proposal() -> None:
    eyes = frozenset({Kind.COMPLAINT})
    propose = shown(case(Stage.INVESTIGATING, handler=INSPECTOR), INSPECTOR, four_eyes=eyes)["propose"]
    assert (propose.four_eyes, propose.next_stage) == (True, Stage.INVESTIGATING)
    settle = shown(case(Stage.SCREENING), SCREENER, four_eyes=eyes)["settle_early"]
    assert (settle.four_eyes, settle.next_stage) == (True, Stage.SCREENING)
    assert shown(case(Stage.SCREENING), SCREENER)["settle_early"].next_stage is Stage.DECIDED
    assert settle.bounds["agreed_at"] == {"earliest": NOON.isoformat(), "latest": NOON.isoformat()}


@pytest.mark.parametrize(
    ("stage", "name", "expected"),
    [
        (Stage.REGISTERED, "refuse", "not_yet"),
        (Stage.REGISTERED, "close", "not_yet"),
        (Stage.SCREENING, "decide", "not_yet"),
        (Stage.INVESTIGATING, "refuse", "too_late"),
        (Stage.INVESTIGATING, "start_screening", "too_late"),
        (Stage.AWAITING_UNIT, "decide", "not_yet"),
        (Stage.DECIDED, "decide", "too_late"),
        (Stage.CLOSED, "add_note", "too_late"),
        (Stage.WITHDRAWN, "reopen", "too_late"),
        (Stage.MERGED, "assign", "too_late"),
    ],
)
def test_a_stage_says_whether_it_is_too_early_or_too_late(stage: Stage, name: str, expected: str) -> None:
    waits = {"question": question("dep")} if stage in ASKED else {}
    assert why(case(stage, handler=INSPECTOR), HEAD, name, **waits)[0] == expected


def test_a_question_whose_day_is_over_gives_way() -> None:
    here = case(Stage.AWAITING_CITIZEN, handler=INSPECTOR, pending_question={"unit": None})
    assert why(here, INSPECTOR, "ask_unit", question=question()) == ("not_yet", "open_question")
    late = question(due=NOON.date().replace(day=1))
    asking = shown(here, INSPECTOR, question=late)["ask_unit"]
    assert (asking.possible, asking.next_stage) == (True, Stage.AWAITING_UNIT)


def test_a_deputy_may_what_the_one_who_is_away_may() -> None:
    here = case(Stage.INVESTIGATING, handler=INSPECTOR)
    assert why(here, OTHER, "add_note") == ("not_yours", "not_your_case")
    assert shown(here, OTHER, absent=frozenset({INSPECTOR}))["add_note"].possible


def test_the_stages_that_may_come_are_those_that_commands_lead_to() -> None:
    steps = {(before, after) for transitions in TRANSITIONS.values() for before, after in transitions.items()}
    for stage, ahead in _TO_COME.items():
        for step in ahead:
            assert any((before, step) in steps for before in {stage, *ahead}), (stage, step)
