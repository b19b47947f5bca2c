"""The OpenAPI document is valid, complete and its examples are true."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from gateway.api.openapi import document
from gateway.app import create_app
from tests.support.gateway import Keys, MemoryRabbitClient


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    state: Path = tmp_path_factory.mktemp("state")
    return document(create_app(Keys().settings(state), MemoryRabbitClient()))


def operations(made: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, item in made["paths"].items()
        for method, operation in item.items()
        if method in ("get", "post", "put", "patch", "delete", "head", "options")
    ]


def test_it_is_valid(made: dict[str, Any]) -> None:
    validate(made)


def test_every_operation_has_a_readable_name_of_its_own(made: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(made)]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z][A-Za-z]+", id_) for id_ in ids), ids


def test_every_operation_documents_its_errors_as_problems(made: dict[str, Any]) -> None:
    for path, method, operation in operations(made):
        if method == "options":
            continue
        errors = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        assert errors, (path, method)
        for status, answer in errors.items():
            assert set(answer.get("content", {})) == {"application/problem+json"}, (path, method, status)


NEVER_IN_CONFLICT = {"fileSubmission": "a key with another content is another submission"}


def test_every_operation_with_a_key_documents_what_its_mechanism_answers(made: dict[str, Any]) -> None:
    """409: the key was used for something else; 422: it cannot be a key."""
    with_key = {
        operation["operationId"]: set(operation["responses"])
        for _, _, operation in operations(made)
        if any(parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", []))
    }
    assert {"handOverCases", "assignCases", "fileSubmission", "startScreening"} <= set(with_key)
    assert {name for name, statuses in with_key.items() if "422" not in statuses} == set()
    assert {name for name, statuses in with_key.items() if "409" not in statuses} == set(NEVER_IN_CONFLICT)


def test_every_json_operation_has_a_response_schema(made: dict[str, Any]) -> None:
    for path, method, operation in operations(made):
        for status, answer in operation["responses"].items():
            content = answer.get("content", {}).get("application/json")
            assert content is None or content.get("schema"), (path, method, status)


def test_every_object_has_a_valid_example(made: dict[str, Any]) -> None:
    schemas = made["components"]["schemas"]
    missing = [
        name for name, schema in schemas.items() if schema.get("type") == "object" and not schema.get("examples")
    ]
    assert missing == []
    for name, schema in schemas.items():
        validator = Draft202012Validator(
            {"$ref": f"#/components/schemas/{name}", "components": made["components"]},
            format_checker=Draft202012Validator.FORMAT_CHECKER,
        )
        for example in schema.get("examples", []):
            errors = [f"{name}: {error.json_path}: {error.message}" for error in validator.iter_errors(example)]
            assert errors == []


def test_no_schema_is_named_after_a_module(made: dict[str, Any]) -> None:
    assert [name for name in made["components"]["schemas"] if "__" in name] == []


def test_the_code_is_never_in_an_address(made: dict[str, Any]) -> None:
    for path, _, operation in operations(made):
        for parameter in operation.get("parameters", []):
            if "code" in parameter["name"].lower() and not path.startswith("/v1/webhooks"):
                assert parameter["in"] == "header", (path, parameter["name"])
