"""Whatever is wrong with a body, the error names a field that the caller sent, as the document of the API has it, and says what
would be right."""

from __future__ import annotations

import asyncio
import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from contracts.errors import InvalidField
from contracts.vocabulary import Role
from gateway.api.openapi import document
from gateway.edge.problems import own_path
from tests.support.gateway import REPORT, Gateway, bearer, refusing

JSON = dict[str, Any]
WRONG: tuple[Any, ...] = (None, 5, -1, "", "x", "\u202e", True, [], {}, [None], ["x", "x"], {"a": 1}, "ا" * 20_000)
WHOLE_BODY = ("", "body")
ENVELOPES = ("command", "request", "body")


@dataclass(frozen=True)
class Operation:
    name: str
    method: str
    path: str
    schema: JSON
    example: Any
    parameters: frozenset[str]


def operations(openapi: JSON) -> list[Operation]:
    wrong_fields = []
    for path, item in openapi["paths"].items():
        for method, described in item.items():
            content = described.get("requestBody", {}).get("content", {}) if method != "parameters" else {}
            schema = content.get("application/json", {}).get("schema")
            if schema is not None:
                named = resolved(openapi, schema)
                [example, *_] = named.get("examples") or [{}]
                parameters = frozenset(each["name"] for each in described.get("parameters", []))
                wrong_fields.append(
                    Operation(described["operationId"], method.upper(), path, schema, example, parameters)
                )
    return wrong_fields


def resolved(openapi: JSON, schema: JSON) -> JSON:
    while "$ref" in schema:
        schema = openapi["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def has(openapi: JSON, schema: JSON, parts: list[str]) -> bool:
    """Whether the schema has a field at this path."""
    schema = resolved(openapi, schema)
    if not parts:
        return True
    first, *rest = parts
    properties = schema.get("properties", {})
    below = [properties[first]] if first in properties else []
    if "items" in schema and first.isdigit():
        below.append(schema["items"])
    if isinstance(schema.get("additionalProperties"), dict):
        below.append(schema["additionalProperties"])
    below += schema.get("patternProperties", {}).values()
    if any(has(openapi, each, rest) for each in below):
        return True
    return any(has(openapi, each, parts) for union in ("anyOf", "oneOf", "allOf") for each in schema.get(union, ()))


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in an example, the whole first."""
    yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places(inner, (*path, name))
    if isinstance(value, list) and value:
        yield from places(value[0], (*path, 0))


def changed(example: Any, path: tuple[str | int, ...], value: Any) -> Any:
    if not path:
        return value
    made = copy.deepcopy(example)
    inner = made
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    return made


def bad_bodies(openapi: JSON, operation: Operation) -> Iterator[Any]:
    properties = resolved(openapi, operation.schema).get("properties", {})
    complete = {**dict.fromkeys(properties), **operation.example}
    for path in places(complete):
        yield from (changed(complete, path, value) for value in WRONG)
    for name in operation.example:
        yield {other: value for other, value in operation.example.items() if other != name}


@pytest.fixture(scope="module")
def openapi(unlimited_gateway: Gateway) -> JSON:
    made: JSON = document(unlimited_gateway.app)
    return made


def test_errors_about_any_body_name_its_own_fields(unlimited_gateway: Gateway, openapi: JSON) -> None:
    gateway = unlimited_gateway
    code = gateway.file(REPORT).json()["tracking_code"]
    senders = (
        bearer(gateway.keys.staff(*Role, sid=str(uuid4()))),
        bearer(gateway.keys.citizen(sid=str(uuid4()))),
        {"Tracking-Code": code},
    )
    named = [operation for operation in operations(openapi) if "/webhooks/" not in operation.path]
    looked_at, wrong = set(), []

    async def go() -> None:
        transport = httpx.ASGITransport(gateway.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            for operation in named:
                path = re.sub(r"\{(\w*id)\}", str(uuid4()), operation.path)
                path = re.sub(r"\{\w+\}", "roads", path)
                sender = None
                for body in bad_bodies(openapi, operation):
                    for headers in senders if sender is None else (sender,):
                        answer = await client.request(
                            operation.method,
                            path,
                            json=body,
                            headers={"If-Match": '"1"', "Idempotency-Key": uuid4().hex, **headers},
                        )
                        if answer.status_code not in (401, 403, 404) and '"Tracking-Code"' not in answer.text:
                            sender = headers
                            break
                    if answer.status_code == 500:
                        wrong.append((operation.name, body, "500"))
                    if answer.status_code != 422:
                        continue
                    looked_at.add(operation.name)
                    for error in answer.json()["errors"]:
                        name, parts = error["field"], error["field"].split(".")
                        if error["reason"] == "extra_forbidden" or name in {*WHOLE_BODY, *operation.parameters}:
                            continue
                        if parts[0] in ENVELOPES or not has(openapi, operation.schema, parts):
                            wrong.append((operation.name, name, error["reason"]))

    asyncio.run(go())
    assert not wrong, "\n".join(sorted({str(each)[:300] for each in wrong}))
    assert looked_at == {operation.name for operation in named}


WRONG_IN_QUERY = (
    *("", "x", "-1", "\u202e", "۱۲", "9" * 30, "x" * 5_000, "true", "null", "\x00", "1405/08/03"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"),  # not moments in every time zone
)


def test_errors_about_any_query_name_its_own_parameters(unlimited_gateway: Gateway, openapi: JSON) -> None:
    gateway = unlimited_gateway
    code = gateway.file(REPORT).json()["tracking_code"]
    senders = (bearer(gateway.keys.staff(*Role)), bearer(gateway.keys.citizen()), {"Tracking-Code": code})
    reads = {path: item["get"] for path, item in openapi["paths"].items() if "get" in item and path != "/v1/stream"}
    wrong: set[tuple[str, str, str]] = set()
    refused: set[str] = set()

    async def go() -> None:
        transport = httpx.ASGITransport(gateway.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            for path, operation in reads.items():
                parameters = {each["name"]: each["in"] for each in operation.get("parameters", [])}
                url = re.sub(r"\{\w+\}", str(uuid4()), path)
                queried = [
                    (name, value) for name in parameters for value in WRONG_IN_QUERY if parameters[name] == "query"
                ]
                for name, value in queried:
                    for headers in senders:
                        answer = await client.get(url, params={name: value}, headers=headers)
                        if answer.status_code not in (401, 403):
                            break
                    if answer.status_code == 500:
                        wrong.add((operation["operationId"], f"{name}={value[:40]}", "500"))
                    if answer.status_code == 422:
                        refused.add(operation["operationId"])
                        fields = [error["field"].split(".")[0] for error in answer.json()["errors"]]
                        wrong.update((operation["operationId"], name, field) for field in {*fields} - {*parameters})

    asyncio.run(go())
    assert not wrong
    assert {"listAudit", "exportAudit", "listArticles", "listDeskSubmissions", "listReferrals", "listCases"} <= refused
    assert {"listWebhookDeliveries", "listLeaves", "listSkills", "listVisitSlots", "listExports"} & refused


@pytest.mark.parametrize(
    ("path", "own"),
    [
        ("command.inspector", "inspector"),
        ("command.ask_citizen.text", "text"),
        ("request.command.assign.inspector", "inspector"),
        ("body.text", "text"),
        ("request.command", "body"),
        ("command.decide", "body"),
        ("command.0", "command.0"),  # a filter of the audit
        ("request", "body"),
        ("filters.filed_until", "filters.filed_until"),
        ("identity.mobile", "identity.mobile"),
    ],
)
def test_the_envelope_of_a_service_is_not_the_callers(path: str, own: str) -> None:
    assert own_path(path) == own


def test_what_a_service_refuses_is_named_as_it_was_sent(unlimited_gateway: Gateway) -> None:
    gateway = unlimited_gateway
    gateway.rabbit.reset()
    refusal = InvalidField(fields=[{"field": "command.assign.inspector", "reason": "not_an_inspector"}])
    gateway.rabbit.answers["tracking.execute"] = refusing(refusal)
    headers = {**bearer(gateway.keys.staff("screener")), "If-Match": '"1"', "Idempotency-Key": uuid4().hex}
    answer = gateway.send("POST", f"/v1/cases/{uuid4()}/assignment", json={"inspector": str(uuid4())}, headers=headers)
    assert [error["field"] for error in answer.json()["errors"]] == ["inspector"]
    wrong_code = InvalidField(fields=[{"field": "code", "reason": "string_pattern_mismatch"}])
    gateway.rabbit.answers["intake.list_configuration_history"] = refusing(wrong_code)
    headers = bearer(gateway.keys.staff("administrator"))
    answer = gateway.send("GET", "/v1/configuration/history", params={"item": "x"}, headers=headers)
    assert [error["field"] for error in answer.json()["errors"]] == ["item"]
