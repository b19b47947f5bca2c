"""How the commands of a case are shown: with names and sentences in both languages, and with what each needs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from contracts.tracking import ShownCommand
from contracts.vocabulary import Language
from gateway.cases.command_forms import Command, CommandForms
from services.tracking.rules import COMMANDS
from tests.support.gateway import CATALOGUE, UNLIMITED, Gateway
from texts.loading import area

CASE_ID = UUID("0f8f7f8e-6f0e-4b1a-9d38-2f1c5f3f8a11")
RULES = Path(__file__).parents[2] / "services/tracking"
OF_LIAISONS = {"answer_unit_question", "report_recommendation"}
WITHOUT_A_SENTENCE = {"wrong_stage", "not_allowed"}
"""Codes that say no more than `why` does."""


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> CommandForms:
    gateway = Gateway(tmp_path_factory.mktemp("state"), **UNLIMITED)
    gateway.container.catalogue_cache.put(CATALOGUE)
    return gateway.container.command_forms


def staff_commands() -> list[str]:
    return sorted({name for names in COMMANDS.permissions.values() for name in names})


def citizens_commands() -> list[str]:
    return sorted(set(COMMANDS.transitions) - set(staff_commands()))


def completed(forms: CommandForms, language: Language, *shown: ShownCommand) -> list[dict[str, Any]]:
    commands = ",".join(one.model_dump_json() for one in shown)
    text = '{"text":"\\",\\"commands\\":[{\\"type\\":\\"x\\"}]","version":3,"commands":[' + commands + "]}"
    found: list[dict[str, Any]] = json.loads(forms.complete(text.encode(), CASE_ID, language))["commands"]
    return found


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("name", staff_commands())
def test_a_possible_command_says_how_it_is_given(forms: CommandForms, name: str, language: Language) -> None:
    [command] = completed(forms, language, ShownCommand(type=name, possible=True, next_stage="screening"))
    assert Command.model_validate(command)
    assert command["path"].startswith(f"/v1/cases/{CASE_ID}/")
    assert all(one["label"] and one["kind"] for one in command["needs"])
    assert {one["name"] for one in command["needs"] if one["place"] == "path"} == set(
        re.findall(r"{(\w+)}", command["path"])
    )


@pytest.mark.parametrize("name", citizens_commands())
def test_a_citizens_command_is_given_by_code_or_signed_in(forms: CommandForms, name: str) -> None:
    shown = ShownCommand(type=name, possible=True, next_stage="screening")
    [by_code] = forms.of_citizen([shown], Language.EN)
    [signed_in] = forms.of_citizen([shown], Language.EN, CASE_ID)
    assert by_code["path"].startswith("/v1/tracking/")
    assert signed_in["path"] == by_code["path"].replace("/v1/tracking", f"/v1/me/cases/{CASE_ID}")
    assert "{" not in json.dumps([one.get("choices_from") for one in signed_in["needs"]]).replace('{"', "")


def test_a_decision_says_its_choices_and_when_a_cause_is_needed(forms: CommandForms) -> None:
    bounds = {"recommendations.due_on": {"earliest": "2026-11-27"}}
    shown = ShownCommand(type="decide", possible=True, next_stage="decided", bounds=bounds)
    [command] = completed(forms, Language.EN, shown)
    needs = {one["name"]: one for one in command["needs"]}
    assert {"value": "upheld", "label": "Upheld"} in needs["outcome"]["choices"]
    assert needs["root_causes"]["required_when"] == {"field": "outcome", "values": ["partly_upheld", "upheld"]}
    assert needs["reasons"]["max_length"] == 10_000
    assert needs["recommendations"]["max_items"] == 20
    [text, due_on] = needs["recommendations"]["fields"]
    assert (text["kind"], due_on["kind"], due_on["earliest"]) == ("text", "day", "2026-11-27")


def test_what_is_not_possible_says_why_in_a_sentence(forms: CommandForms) -> None:
    shown = ShownCommand(type="decide", possible=False, why="not_yet", code="open_question")
    [english], [persian] = (completed(forms, language, shown) for language in (Language.EN, Language.FA))
    assert english["why_text"] == "A question still waits for its answer."
    assert persian["why_text"] == area("commands").text("fa", "code.open_question")
    unknown = ShownCommand(type="decide", possible=False, why="too_late", code="of_a_newer_release")
    assert completed(forms, Language.EN, unknown)[0]["why_text"] == "The time for this is over."


def test_the_parts_of_the_case_are_choices(forms: CommandForms) -> None:
    shown = ShownCommand(type="tick_check", possible=True, choices={"item_id": {"7": "بازدید"}})
    [command] = completed(forms, Language.FA, shown)
    assert command["needs"][0]["choices"] == [{"value": "7", "label": "بازدید"}]


def test_an_answer_without_commands_stays_as_it_is(forms: CommandForms) -> None:
    answer = b'{"version":3}'
    assert forms.complete(answer, CASE_ID, Language.EN) == answer


def test_each_text_is_of_a_command_a_field_or_a_code() -> None:
    keys = set(area("commands"))
    commands = {key.removeprefix("command.") for key in keys if key.startswith("command.")}
    assert commands == {*staff_commands(), *citizens_commands(), *OF_LIAISONS}
    source = "\n".join(file.read_text("utf-8") for file in RULES.rglob("rules.py"))
    named = set(re.findall(r'"(?:not_yet|not_yours|too_late)", "([a-z_]+)"', source))
    named |= set(re.findall(r'not_by_this_one\("([a-z_]+)"\)', source))
    codes = {key.removeprefix("code.") for key in keys if key.startswith("code.")}
    assert named - codes <= WITHOUT_A_SENTENCE
    assert all(f'"{code}"' in source + (RULES / "case/transitions.py").read_text("utf-8") for code in codes)
