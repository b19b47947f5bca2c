"""The registry of case commands: every command has its entry, and every entry sends its command."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args
from uuid import UUID, uuid4

import pytest

from contracts.errors import WrongStage
from contracts.tracking import (
    CitizenCommand,
    Decide,
    ExecuteCitizenCommand,
    ExecuteCommand,
    Merge,
    Propose,
    StaffCommand,
    Withdraw,
)
from gateway.api.case_commands import CitizenCommandEndpoint, StaffCommandEndpoint
from gateway.api.cases import commands as cases
from gateway.api.cases.bodies import MergeBody, NoteBody
from gateway.api.decisions import commands as decisions
from gateway.api.inquiry import commands as inquiry
from gateway.api.own_cases import commands as own_cases
from gateway.api.own_visits import commands as own_visits
from gateway.api.visits import commands as visits
from tests.support.gateway import CATALOGUE, UNLIMITED, Gateway, bearer, refusing

STAFF = [entry for area in (cases, decisions, inquiry, visits) for entry in area.STAFF_COMMANDS]
CITIZENS = [entry for area in (own_cases, own_visits) for entry in area.CITIZEN_COMMANDS]
CASE_ID = UUID("0f8f7f8e-6f0e-4b1a-9d38-2f1c5f3f8a11")
IDS = {name: uuid4() for name in ("item_id", "recommendation_id", "inspector", "consultation_id")}
"""What stands in the paths of commands on a part of the case."""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    state: Path = tmp_path_factory.mktemp("state")
    made = Gateway(state, **UNLIMITED)
    made.container.catalogue_cache.put(CATALOGUE)
    for method in ("execute", "execute_citizen"):
        made.rabbit.answers[f"tracking.{method}"] = refusing(WrongStage(stage="closed", command="any"))
    return made


def _members(union: Any) -> set[type]:
    return set(get_args(get_args(union)[0]))


def _example(endpoint: StaffCommandEndpoint | CitizenCommandEndpoint) -> dict[str, Any] | None:
    if endpoint.body is None:
        return None
    example: dict[str, Any] = endpoint.body.model_json_schema()["examples"][0]
    return example


def test_every_command_of_staff_has_one_entry() -> None:
    assert sorted(entry.command.__name__ for entry in STAFF) == sorted(cls.__name__ for cls in _members(StaffCommand))


def test_every_command_of_citizens_has_one_entry() -> None:
    commands = sorted(cls.__name__ for cls in _members(CitizenCommand))
    assert sorted(entry.command.__name__ for entry in CITIZENS) == commands


@pytest.mark.parametrize("entry", STAFF, ids=lambda entry: entry.operation_id)
def test_an_entry_of_staff_sends_its_command(gateway: Gateway, entry: StaffCommandEndpoint) -> None:
    path = f"/v1/cases/{CASE_ID}/{entry.path.format_map(IDS)}"
    staff_id = uuid4()
    headers = bearer(gateway.keys.staff("head", sub=str(staff_id))) | {
        "Idempotency-Key": uuid4().hex,
        "If-Match": '"7"',
    }
    answer = gateway.send("POST", path, json=_example(entry), headers=headers)
    assert answer.status_code == 409, answer.text
    method, request = gateway.rabbit.calls[-1]
    assert (method, type(request)) == ("tracking.execute", ExecuteCommand)
    assert isinstance(request, ExecuteCommand)
    assert type(request.command) is entry.command
    assert (request.case_id, request.expected_version, request.actor.id) == (CASE_ID, 7, str(staff_id))
    assert request.idempotency_key == headers["Idempotency-Key"]


@pytest.mark.parametrize("entry", STAFF, ids=lambda entry: entry.operation_id)
def test_an_entry_of_staff_needs_a_session_of_staff_and_if_match(gateway: Gateway, entry: StaffCommandEndpoint) -> None:
    path = f"/v1/cases/{CASE_ID}/{entry.path.format_map(IDS)}"
    key = {"Idempotency-Key": uuid4().hex}
    sent = len(gateway.rabbit.calls)

    def status(**headers: str) -> int:
        return gateway.send("POST", path, json=_example(entry), headers=headers | key).status_code

    assert status(**{"If-Match": '"7"'}) == 401
    assert status(**bearer(gateway.keys.citizen()), **{"If-Match": '"7"'}) == 403
    assert status(**bearer(gateway.keys.staff("head"))) == 428
    assert len(gateway.rabbit.calls) == sent


@pytest.mark.parametrize("entry", CITIZENS, ids=lambda entry: entry.operation_id)
def test_an_entry_of_citizens_sends_its_command_when_signed_in(gateway: Gateway, entry: CitizenCommandEndpoint) -> None:
    citizen_id = uuid4()
    answer = gateway.send(
        "POST",
        f"/v1/me/cases/{CASE_ID}/{entry.path}",
        json=_example(entry),
        headers=bearer(gateway.keys.citizen(sub=str(citizen_id))),
    )
    assert answer.status_code == 409, answer.text
    method, request = gateway.rabbit.calls[-1]
    assert isinstance(request, ExecuteCitizenCommand)
    assert (method, type(request.command)) == ("tracking.execute_citizen", entry.command)
    assert (request.case_id, request.code_hashes, request.actor.id) == (CASE_ID, [], str(citizen_id))


@pytest.mark.parametrize("entry", CITIZENS, ids=lambda entry: entry.operation_id)
def test_an_entry_of_citizens_sends_its_command_by_code(gateway: Gateway, entry: CitizenCommandEndpoint) -> None:
    filed = gateway.file(
        {"kind": "criticism", "unit": "parks", "ground": "delay", "text": "پرونده من مانده است.", "consent": True}
    )
    answer = gateway.send(
        "POST",
        f"/v1/tracking/{entry.path}",
        json=_example(entry),
        headers={"Tracking-Code": filed.json()["tracking_code"], "Idempotency-Key": "a-key-of-mine"},
    )
    assert answer.status_code == 409, answer.text
    method, request = gateway.rabbit.calls[-1]
    assert isinstance(request, ExecuteCitizenCommand)
    assert (method, type(request.command)) == ("tracking.execute_citizen", entry.command)
    assert (request.case_id, request.code_hashes[0]) == (None, gateway.last().code_hash)
    assert request.idempotency_key == "a-key-of-mine"


@pytest.mark.parametrize("command", [Decide, Propose])
def test_recommendations_of_a_decision_reach_the_command(command: type[Decide | Propose]) -> None:
    entry = next(entry for entry in STAFF if entry.command is command)
    assert entry.body is not None
    made = entry.command_of(entry.body.model_validate(_example(entry)), {})
    assert isinstance(made, Decide | Propose)
    assert [str(recommendation.due_on) for recommendation in made.recommendations] == ["2027-01-20"]


def test_a_body_that_does_not_match_its_command_fails_at_start() -> None:
    words: dict[str, Any] = {"path": "x", "operation_id": "x", "summary": "x", "description": "x"}
    with pytest.raises(TypeError, match="x takes"):
        StaffCommandEndpoint(**words, command=Merge, body=NoteBody)
    with pytest.raises(TypeError, match="x takes"):
        CitizenCommandEndpoint(**words, command=Withdraw, body=MergeBody)
    with pytest.raises(TypeError, match="x takes"):
        StaffCommandEndpoint(**words, command=Merge)
