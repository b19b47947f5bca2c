"""Every command that the API's document knows refuses what is wrong about it, in both languages, and nothing has changed.

What is wrong with each stands in `bad_input_table.py`. A command that the document has and the table has not fails
`test_no_command_is_missing_from_the_table`: whoever adds one says there what may be wrong with it.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest

from tests.e2e.bad_input_office import Office, at_peace, kept, opened
from tests.e2e.bad_input_rows import NOBODY, Command, Wrong
from tests.e2e.bad_input_table import COMMANDS
from tests.e2e.hostile_parts import LANGUAGES, refused
from tests.e2e.people import JSON, Town, good
from tests.e2e.test_hostile_input import closed_unit  # noqa: F401  # a fixture

pytestmark = pytest.mark.timeout(600)

CHANGING = ("post", "put", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    """One command of the document. `headers`: those it takes, and whether it must have them."""

    method: str
    path: str
    headers: dict[str, bool] = field(default_factory=dict)
    signed_in: bool = False
    """Whether a session is needed."""
    takes_json: bool = False


@pytest.fixture(scope="module")
def document(town: Town) -> dict[str, Operation]:
    """Every command, by its operation id."""
    whole = good(town.caller().get("/v1/openapi.json"))
    operations = {}
    for path, item in whole["paths"].items():
        for method in CHANGING:
            if method in item:
                operations[item[method]["operationId"]] = _operation(whole, path, method, item)
    return operations


def _operation(whole: JSON, path: str, method: str, item: JSON) -> Operation:
    operation = item[method]
    parameters = [
        _meant(whole, parameter) for parameter in (*item.get("parameters", []), *operation.get("parameters", []))
    ]
    security = operation.get("security", [])
    return Operation(
        method.upper(),
        path,
        {parameter["name"]: bool(parameter.get("required")) for parameter in parameters if parameter["in"] == "header"},
        bool(security) and {} not in security,
        "application/json" in _meant(whole, operation.get("requestBody", {})).get("content", {}),
    )


def _meant(whole: JSON, part_or_reference: JSON) -> JSON:
    for part in part_or_reference.get("$ref", "#").split("/")[1:]:
        whole = whole[part]
    return whole if "$ref" in part_or_reference else part_or_reference


@pytest.fixture(scope="module")
def office(town: Town, closed_unit: str) -> Office:  # noqa: F811  # the fixture
    assert closed_unit
    return opened(town)


def common(operation: Operation, command: Command) -> list[Wrong]:
    """What is wrong about any command that has such a part."""
    bad_requests = []
    if operation.signed_in:
        bad_requests += [
            Wrong(401, "not_authenticated", by="nobody"),
            Wrong(401, "bad_token", headers={"Authorization": "Bearer x"}),
        ]
    if "Tracking-Code" in operation.headers:  # or a browser's session of it
        bad_requests += [
            Wrong(404, "unknown_tracking_code", headers={"Tracking-Code": "1234567812345678"}),
        ]
        if not operation.path.startswith("/v1/push/"):  # there one may be signed in as well
            bad_requests.append(Wrong(422, "invalid_field", by="nobody"))
    if operation.headers.get("If-Match"):
        bad_requests += [
            Wrong(428, "version_needed", headers={"If-Match": ""}),
            Wrong(422, "invalid_field", headers={"If-Match": "the newest"}),
            Wrong(412, "stale_version", headers={"If-Match": '"999999"'}),
        ]
    if operation.headers.get("Idempotency-Key"):
        bad_requests += [
            Wrong(422, "invalid_field", headers={"Idempotency-Key": ""}),
            Wrong(422, "invalid_field", headers={"Idempotency-Key": "short"}),
        ]
    if operation.takes_json and not operation.path.startswith("/v1/webhooks"):  # a provider sends what it likes
        bad_requests.append(Wrong(422, "invalid_field", body={"a_field_that_nobody_knows": 1}))
    if "{case_id}" in operation.path:
        bad_requests += [
            Wrong(404, "unknown_case", of={"case_id": NOBODY}),
            Wrong(422, "invalid_field", of={"case_id": "1405-000001"}),
        ]
    return bad_requests


def sent(office: Office, operation: Operation, command: Command, wrong: Wrong, language: str) -> httpx.Response:
    """The answer to the command with this one thing wrong about it."""
    path = operation.path.format(**office.fill({**command.of, **wrong.of}))
    headers = {**office.headers_of(wrong.by or command.by), **command.headers}
    if "Idempotency-Key" in operation.headers:
        headers["Idempotency-Key"] = uuid.uuid4().hex
    if command.version:
        # Of another case, its own version: else it would be refused for that alone.
        seen = wrong.of.get("case_id", command.version)
        headers["If-Match"] = f'"{office.versions.get(seen, office.versions[command.version])}"'
    headers = {name: value for name, value in {**headers, **wrong.headers}.items() if value}
    body: dict[str, Any] = {}
    if operation.takes_json and command.body is not None:
        body = {"json": office.fill({**command.body, **wrong.body})}
    if "Upload-Offset" in command.headers:
        body = {"content": b"0123456789"}
    return office.town.caller(language).request(operation.method, path, headers=headers, **body)


def test_no_command_is_missing_from_the_table(document: dict[str, Operation]) -> None:
    assert sorted(document) == sorted(COMMANDS), "say in bad_input_table.py what may be wrong with each command"
    for name, command in COMMANDS.items():
        assert command.wrong, name


@pytest.mark.parametrize("name", COMMANDS)
def test_a_wrong_command_is_refused_with_its_reason_and_changes_nothing(
    office: Office, document: dict[str, Operation], name: str
) -> None:
    operation, command = document[name], COMMANDS[name]
    # Staff of the walk may have to sign in anew on the way.
    besides = () if operation.path.startswith("/v1/auth") else ("sessions", "refresh_tokens")
    before = at_peace(office.town, *besides)
    for language in LANGUAGES:
        for wrong in (*common(operation, command), *command.wrong):
            answer = sent(office, operation, command, wrong, language)
            try:
                refused(answer, wrong.status, wrong.code, language)
            except AssertionError as error:
                raise AssertionError(f"{wrong}: {answer.status_code} {answer.text}") from error
        if operation.takes_json:
            for content, kind, status, code in (
                (b"{", "application/json", 400, "bad_request"),
                (b"a=b", "text/plain", 415, "unsupported_media"),
            ):
                if not operation.path.startswith("/v1/webhooks"):
                    answer = _raw(office, operation, command, content, kind, language)
                    refused(answer, status, code, language)
    assert kept(office.town, *besides) == before


def _raw(
    office: Office, operation: Operation, command: Command, content: bytes, kind: str, language: str
) -> httpx.Response:
    """A body that is no JSON, with all else as it should be."""
    shown = office.headers_of(command.by)
    headers = {"Content-Type": kind, "Idempotency-Key": uuid.uuid4().hex, **shown, **command.headers}
    if command.version:
        headers["If-Match"] = f'"{office.versions[command.version]}"'
    path = operation.path.format(**office.fill(command.of))
    return office.town.caller(language).request(operation.method, path, headers=headers, content=content)


def test_the_table_detects_a_correct_request(office: Office, document: dict[str, Operation]) -> None:
    """With nothing wrong about it a command is taken: what is refused above is refused for what is said to be wrong."""
    name = "addNote"
    command = replace(COMMANDS[name], wrong=())
    taken = sent(office, document[name], command, Wrong(200, ""), "fa")
    good(taken)
    office.versions["$case.investigating"] = json.loads(taken.text)["version"]
