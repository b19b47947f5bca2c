"""docs/how-to/add-a-staff-command.md, followed to the letter in a copy of the tree."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs/how-to/add-a-staff-command.md"
CHANGED = ("contracts", "services", "gateway")
_STEP = re.compile(r"^In `([\w/.]+)`:|^```diff\n(.*?)^```$", re.MULTILINE | re.DOTALL)

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
method, request = gateway.rabbit.asked[-1]
openapi = document(gateway.app)
print(json.dumps({
    "wrong": [wrong.status_code, sorted(error["field"] for error in wrong.json()["errors"])],
    "citizen": send(body, **bearer(gateway.keys.citizen())).status_code,
    "answer": [answer.status_code, answer.json()["code"]],
    "sent": [method, request.expected_version, request.idempotency_key, request.command.model_dump(mode="json")],
    "is_the_command": type(request.command) is RecordCall,
    "operation": openapi["paths"]["/v1/cases/{case_id}/calls"]["post"],
    "schema": openapi["components"]["schemas"]["CallBody"],
}))
"""


def steps(guide: str) -> list[tuple[str, str]]:
    """File and diff of each step, in order."""
    blocks, file = [], ""
    for step in _STEP.finditer(guide):
        if step.group(1):
            file = step.group(1)
        else:
            blocks.append((file, step.group(2)))
    return blocks


def apply(tree: Path, file: str, diff: str) -> None:
    """Changes the first place in the file that the diff's context names."""
    path = tree / file
    source = path.read_text()
    lines = [(line[:1].strip() or " ", line[1:] or "\n") for line in diff.splitlines(keepends=True)]
    before = "".join(text for sign, text in lines if sign in " -")
    after = "".join(text for sign, text in lines if sign in " +")
    assert before in source, f"{file} has no\n{before}"
    path.write_text(source.replace(before, after, 1))


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree after the guide: a copy of what it changes, with links to all else."""
    made = tmp_path_factory.mktemp("tree")
    for name in CHANGED:
        shutil.copytree(ROOT / name, made / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in ROOT.iterdir():
        if path.is_dir() and not path.name.startswith(".") and path.name not in CHANGED:
            (made / path.name).symlink_to(path)
    for file, diff in steps(GUIDE.read_text()):
        apply(made, file, diff)
    return made


def run(tree: Path, script: str, *arguments: str) -> dict[str, Any]:
    """What the script prints, in this tree."""
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=tree, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    printed: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return printed


def test_it_touches_the_files_that_it_lists_and_no_more_than_eight() -> None:
    guide = GUIDE.read_text()
    listed = re.findall(r"^\| `([\w/.]+\.py)` \|", guide.partition("## 1.")[0], re.MULTILINE)
    assert list(dict.fromkeys(file for file, _ in steps(guide))) == listed
    assert len(listed) <= 8


def test_the_example_becomes_a_command_on_a_case(tree: Path) -> None:
    assert run(tree, GIVEN_TO_A_CASE) == {
        "entries": [["call_recorded", {"answered": True, "text": "x"}]],
        "unchanged": True,
        "refused_to_others": True,
    }


def test_the_example_becomes_an_operation_that_sends_its_command(tree: Path, tmp_path: Path) -> None:
    seen = run(tree, SENT_THROUGH_THE_GATEWAY, str(tmp_path))
    assert seen["wrong"] == [422, ["answered", "text"]]
    assert seen["citizen"] == 403
    assert seen["answer"] == [409, "wrong_stage"]
    command = {"type": "record_call", "answered": True, "text": "x"}
    assert seen["sent"] == ["tracking.execute", 3, "a-key-of-mine", command]
    assert seen["is_the_command"]
    operation = seen["operation"]
    assert (operation["operationId"], operation["tags"]) == ("recordCall", ["inquiry"])
    assert operation["summary"] == "Record that the citizen was phoned"
    assert operation["requestBody"]["required"]
    assert [parameter["name"] for parameter in operation["parameters"]] == ["case_id", "Idempotency-Key", "If-Match"]
    assert {"401", "403", "404", "409", "412", "422", "428"} <= set(operation["responses"])
    assert seen["schema"]["examples"] == [{"answered": True, "text": "قرار شد مدرک دوم را بفرستد."}]
