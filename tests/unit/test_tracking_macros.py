"""The placeholders of macros: which there are, what they are filled by, and that none says who complained."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import get_args
from uuid import uuid4

import pytest

from contracts.errors import InvalidField, NoValue
from contracts.gateway import Actor
from contracts.macros import RemindInDays, Step
from contracts.tracking import AddNote, AskUnit, Propose, Recommendation, Remind
from contracts.vocabulary import ActorKind, Channel, Kind, Language, Role, Stage
from services.tracking.case.lifecycle import Case, Context
from services.tracking.macros.rules import PLACEHOLDERS, Filling, check, command_of, contract_of, has_placeholders
from services.tracking.reference.workdays import Deadlines, Workdays
from services.tracking.rules import COMMANDS

CITIZEN, CODE = uuid4(), "c0de" * 16
CASE = Case(
    uuid4(),
    "1405-000123",
    CODE,
    Kind.COMPLAINT,
    "dep.civ",
    "معاونت عمران",
    "Civil works",
    "delay",
    Stage.INVESTIGATING,
    Channel.WEB,
    False,
    datetime(2026, 11, 20, 8, tzinfo=UTC),
    citizen_id=CITIZEN,
    due_on=date(2026, 12, 5),
)
CONTEXT = Context(
    Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.HEAD})),
    datetime(2026, 11, 27, 8, tzinfo=UTC),
    Workdays(frozenset({3, 4})),
    Deadlines(),
    uuid4(),
)


def filling(step: Step, case: Case = CASE, language: Language = Language.FA) -> Filling:
    return Filling(case, step, CONTEXT, language, "اطاله رسیدگی", lambda day: day.isoformat())


def test_each_is_filled_in_every_text() -> None:
    step = AskUnit(text=" | ".join(f"{{{name}}}" for name in PLACEHOLDERS))
    assert has_placeholders(step)
    command = command_of(step, filling(step))
    assert command == AskUnit(
        text="1405-000123 | با سلام و احترام | معاونت عمران | اطاله رسیدگی | 2026-11-27 | 2026-12-05 | 2026-12-02"
    )
    nested = Propose(
        outcome="upheld", reasons="{number}", recommendations=[Recommendation(text="{unit}", due_on=date(2027, 1, 1))]
    )
    filled = command_of(nested, filling(nested, language=Language.EN))
    assert isinstance(filled, Propose)
    assert (filled.reasons, filled.recommendations[0].text) == ("1405-000123", "Civil works")


@pytest.mark.parametrize("language", Language)
def test_none_says_who_complained(language: Language) -> None:
    step = AskUnit(text=" ".join(f"{{{name}}}" for name in PLACEHOLDERS))
    somebody = replace(CASE, anonymous=True, citizen_id=None, code_hash="0" * 64, channel=Channel.COUNTER)
    of_somebody, of_another = (command_of(step, filling(step, case, language)) for case in (CASE, somebody))
    assert of_somebody == of_another
    assert not {str(CITIZEN), CODE} & set(str(of_somebody).split())


def test_one_that_has_no_value_is_an_error() -> None:
    step = AddNote(text="{deadline}")
    with pytest.raises(NoValue) as raised:
        command_of(step, filling(step, replace(CASE, paused_on=date(2026, 11, 25))))
    assert raised.value.params == {"placeholder": "deadline"}


def test_a_text_that_becomes_too_long_is_an_error() -> None:
    step = AddNote(text="ا" * 9_994 + "{unit}")
    with pytest.raises(InvalidField) as raised:
        command_of(step, filling(step))
    assert raised.value.params["fields"] == [
        {"field": "text", "reason": "string_too_long", "max_length": 10_000},
    ]


def test_other_braces_stay_as_they_are() -> None:
    step = AddNote(text="} { {number} {")
    check([step])
    assert command_of(step, filling(step)) == AddNote(text="} { 1405-000123 {")
    with pytest.raises(InvalidField):
        check([AddNote(text="{}")])


def test_a_reminder_is_counted_in_working_days() -> None:
    step = RemindInDays(working_days=1, text="پیگیری {number}")
    assert command_of(step, filling(step)) == Remind(on=date(2026, 11, 28), text="پیگیری 1405-000123")


def test_steps_are_commands_of_staff_that_name_nothing_of_one_case_alone() -> None:
    for contract in get_args(get_args(Step)[0]):
        command = RemindInDays if contract is RemindInDays else contract
        name = "remind" if command is RemindInDays else command.model_fields["type"].default
        assert any(name in commands for commands in COMMANDS.permissions.values()), name
        assert not {"item_id", "consultation_id", "recommendation_id", "uploads"} & set(contract.model_fields)
    assert contract_of(RemindInDays(working_days=1, text="x")) is Remind
