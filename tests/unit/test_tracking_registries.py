"""Nothing that a capability declares is forgotten where all are assembled."""

from __future__ import annotations

from typing import get_args

from contracts.base import Contract
from contracts.tracking import CitizenCommand, StaffCommand
from contracts.vocabulary import Stage
from services.tracking.case.lifecycle import Effect
from services.tracking.composition import EFFECT_WRITERS, FACTS_LOADERS
from services.tracking.rules import COMMANDS, PERMISSIONS, TRANSITIONS
from services.tracking.visits import store as visits_store
from services.tracking.visits.rules import Lead


def members(union: object) -> set[type[Contract]]:
    """The contracts of an annotated union."""
    return set(get_args(get_args(union)[0]))


def test_every_command_has_its_rule_and_every_rule_a_command() -> None:
    names = {str(command.model_fields["type"].default) for command in members(StaffCommand) | members(CitizenCommand)}
    assert set(COMMANDS.transitions) == names


def test_staff_commands_are_given_by_some_role_and_citizens_by_none() -> None:
    permitted = {name for names in PERMISSIONS.values() for name in names}
    assert permitted == {str(command.model_fields["type"].default) for command in members(StaffCommand)}


def test_every_effect_has_a_writer() -> None:
    assert set(EFFECT_WRITERS) == set(Effect.__subclasses__())


def test_facts_are_loaded_only_for_commands() -> None:
    loaders = {*FACTS_LOADERS, *visits_store.facts_loaders(Lead())}
    assert loaders <= members(StaffCommand) | members(CitizenCommand)


def test_the_citizens_view_offers_what_the_stage_allows() -> None:
    offered = {"answer_question", "withdraw", "object", "rate"}
    assert {name for name in offered if Stage.DECIDED in TRANSITIONS[name]} == {"object", "rate"}
