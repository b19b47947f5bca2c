"""docs/how-to/add-a-staff-command.md, followed to the letter in a copy of the tree."""

from __future__ import annotations

from pathlib import Path

from tests.support import guides

GUIDE = guides.ROOT / "docs/how-to/add-a-staff-command.md"

GIVEN_TO_A_CASE = """
import json
from contracts.errors import NotAllowed
from contracts.tracking import RecordCall
from contracts.vocabulary import Stage
from tests.support.cases import INSPECTOR, SCREENER, act, case

before = case(Stage.INVESTIGATING, handler=INSPECTOR)
command = RecordCall(answered=True, text="x")
change = act(before, command, INSPECTOR)
try:
    act(before, command, SCREENER)
    refused = False
except NotAllowed:
    refused = True
print(json.dumps({
    "entries": [[entry.entry, entry.details] for entry in change.entries],
    "unchanged": change.case.stage is before.stage,
    "refused_to_others": refused,
}))
"""

SENT_THROUGH_THE_GATEWAY = """
import json, pathlib, sys
from contracts.errors import WrongStage
from contracts.tracking import RecordCall
from gateway.api.openapi import document
from tests.support.gateway import UNLIMITED, Gateway, bearer, refusing

gateway = Gateway(pathlib.Path(sys.argv[1]), **UNLIMITED)
gateway.rabbit.answers["tracking.execute"] = refusing(WrongStage(stage="closed", command="record_call"))
path = "/v1/cases/0f8f7f8e-6f0e-4b1a-9d38-2f1c5f3f8a11/calls"
headers = {"If-Match": '"3"', "Idempotency-Key": "a-key-of-mine", **bearer(gateway.keys.staff("inspector"))}
send = lambda body, **more: gateway.send("POST", path, json=body, headers=headers | more)
body = {"answered": True, "text": "x"}
wrong = send({"answered": "yes", "text": " "})
answer = send(body)
method, request = gateway.rabbit.calls[-1]
openapi = document(gateway.app)
from contracts.tracking import ShownCommand
from contracts.vocabulary import Language
from uuid import UUID
shown = b'{"version":3,"commands":[' + ShownCommand(type="record_call", possible=True).model_dump_json().encode() + b"]}"
case_id = UUID("0f8f7f8e-6f0e-4b1a-9d38-2f1c5f3f8a11")
[command] = json.loads(gateway.container.command_forms.complete(shown, case_id, Language.EN))["commands"]
print(json.dumps({
    "wrong": [wrong.status_code, sorted(error["field"] for error in wrong.json()["errors"])],
    "citizen": send(body, **bearer(gateway.keys.citizen())).status_code,
    "answer": [answer.status_code, answer.json()["code"]],
    "sent": [method, request.expected_version, request.idempotency_key, request.command.model_dump(mode="json")],
    "is_the_command": type(request.command) is RecordCall,
    "operation": openapi["paths"]["/v1/cases/{case_id}/calls"]["post"],
    "shown": [command["label"], command["path"], [one["label"] for one in command["needs"]]],
    "schema": openapi["components"]["schemas"]["CallBody"],
}))
"""


tree = guides.tree_fixture(GUIDE)


def test_it_changes_only_the_listed_files_and_at_most_eight() -> None:
    assert guides.changed_files(GUIDE) == guides.listed_files(GUIDE)
    assert len(guides.listed_files(GUIDE)) <= 8


def test_the_example_becomes_a_command_on_a_case(tree: Path) -> None:
    assert guides.run(tree, GIVEN_TO_A_CASE) == {
        "entries": [["call_recorded", {"answered": True, "text": "x"}]],
        "unchanged": True,
        "refused_to_others": True,
    }


def test_the_example_becomes_an_operation_that_sends_its_command(tree: Path, tmp_path: Path) -> None:
    seen = guides.run(tree, SENT_THROUGH_THE_GATEWAY, str(tmp_path))
    assert seen["wrong"] == [422, ["answered", "text"]]
    assert seen["citizen"] == 403
    assert seen["answer"] == [409, "wrong_stage"]
    command = {"type": "record_call", "answered": True, "text": "x"}
    assert seen["sent"] == ["tracking.execute", 3, "a-key-of-mine", command]
    assert seen["is_the_command"]
    path = "/v1/cases/0f8f7f8e-6f0e-4b1a-9d38-2f1c5f3f8a11/calls"
    assert seen["shown"] == ["Record a call to the citizen", path, ["The citizen answered", "Text"]]
    operation = seen["operation"]
    assert (operation["operationId"], operation["tags"]) == ("recordCall", ["inquiry"])
    assert operation["summary"] == "Record that the citizen was phoned"
    assert operation["requestBody"]["required"]
    assert [parameter["name"] for parameter in operation["parameters"]] == ["case_id", "Idempotency-Key", "If-Match"]
    assert {"401", "403", "404", "409", "412", "422", "428"} <= set(operation["responses"])
    assert seen["schema"]["examples"] == [{"answered": True, "text": "قرار شد مدرک دوم را بفرستد."}]
