"""Requests answered without FastAPI: whatever is sent, the same call of the service and the same answer as with it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from contracts.errors import StaleVersion
from contracts.searches import CasePage
from contracts.tracking import StaffCase
from gateway.api.cases.commands import STAFF_COMMANDS
from gateway.api.cases.examples import EXAMPLES
from gateway.app import create_app
from tests.support.gateway import CATALOGUE, UNLIMITED, Gateway, MemoryRabbitClient, bearer, refusing

CASE_ID = "0f8f7f8e-6f0e-4b1a-9d38-2f1c5f3f8a11"
CASE_PATH = f"/v1/cases/{CASE_ID}"
KEY, VERSION = {"Idempotency-Key": "3f0c7e0a-5b0e-4a53"}, {"If-Match": '"7"'}
DECISION: dict[str, Any] = next(
    entry.body.model_json_schema()["examples"][0]
    for entry in STAFF_COMMANDS
    if entry.path == "decision" and entry.body is not None
)
PERMITTED = "head"


@pytest.fixture(scope="module")
def gateways(tmp_path_factory: pytest.TempPathFactory) -> tuple[Gateway, Gateway]:
    """The gateway as it is, and one whose requests all go through FastAPI; both with the same secrets."""
    state: Path = tmp_path_factory.mktemp("state")
    fast = Gateway(state, **UNLIMITED)
    framework = copy.copy(fast)
    framework.rabbit = MemoryRabbitClient()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("gateway.app.direct_handlers", lambda *_: {})
        framework.app = create_app(fast.settings, framework.rabbit)
    framework.container = framework.app.state.container
    for gateway in (fast, framework):
        gateway.container.catalogue_cache.put(CATALOGUE)
        gateway.rabbit.answers["tracking.execute"] = lambda _: StaffCase.model_validate(EXAMPLES["StaffCase"])
        gateway.rabbit.answers["tracking.get_case"] = lambda _: StaffCase.model_validate(EXAMPLES["StaffCase"])
        gateway.rabbit.answers["tracking.list_cases"] = lambda _: CasePage.model_validate(EXAMPLES["CasePage"])
    return fast, framework


def describe(answer: httpx.Response) -> tuple[int, dict[str, str], Any]:
    """All that a client sees of an answer, but for the ids of the request."""
    headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    headers.pop("content-length")  # a trace id's
    body = answer.json()
    if isinstance(body, dict):
        body.pop("instance", None)
    return answer.status_code, headers, body


def assert_same(gateways: tuple[Gateway, Gateway], method: str, path: str, **request: Any) -> httpx.Response:
    """Both answer alike and call the service alike; the answer of the gateway as it is."""
    answers = [gateway.send(method, path, **request) for gateway in gateways]
    assert describe(answers[0]) == describe(answers[1])
    calls = [gateway.rabbit.calls[:] for gateway in gateways]
    assert calls[0] == calls[1]
    for gateway in gateways:
        gateway.rabbit.calls.clear()
    return answers[0]


def signed(gateways: tuple[Gateway, Gateway], *roles: str) -> dict[str, str]:
    return bearer(gateways[0].keys.staff(*(roles or (PERMITTED,)), sub=str(uuid4())))


@pytest.fixture
def framework_paths(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the requests that reach FastAPI."""
    paths: list[str] = []
    call = FastAPI.__call__

    async def noting(app: FastAPI, scope: Any, receive: Any, send: Any) -> None:
        paths.append(scope["path"])
        await call(app, scope, receive, send)

    monkeypatch.setattr(FastAPI, "__call__", noting)
    return paths


BODIES = [
    pytest.param("screening", None, id="nothing"),
    pytest.param("screening", {}, id="empty object where nothing is sent"),
    pytest.param("screening", {"unit": "x"}, id="a field where nothing is sent"),
    pytest.param("screening", [], id="a list where nothing is sent"),
    pytest.param("assignment", {"inspector": str(uuid4())}, id="assignment"),
    pytest.param("assignment", {"inspector": "nobody"}, id="not an id"),
    pytest.param("assignment", {"inspector": str(uuid4()), "more": 1}, id="unknown field"),
    pytest.param("assignment", None, id="missing body"),
    pytest.param("assignment", "text", id="a text for an object"),
    pytest.param("decision", DECISION, id="decision"),
    pytest.param("decision", {**DECISION, "reasons": "\u200c \u200f"}, id="an invisible text"),
    pytest.param("decision", {**DECISION, "root_causes": ["closed_long_ago"]}, id="a root cause that is not offered"),
    pytest.param("notes", {"text": "یادداشت"}, id="Persian text"),
    pytest.param("no-such-command", {}, id="no such command"),
]


@pytest.mark.parametrize(("command", "body"), BODIES)
def test_a_command_is_the_same_with_every_body(gateways: tuple[Gateway, Gateway], command: str, body: Any) -> None:
    request = {} if body is None else {"json": body}
    assert_same(gateways, "POST", f"{CASE_PATH}/{command}", headers=signed(gateways) | KEY | VERSION, **request)


HEADERS: list[Any] = [
    pytest.param([("Idempotency-Key", "3f0c7e0a-5b0e-4a53")], id="no version"),
    pytest.param([("If-Match", '"7"')], id="no key"),
    pytest.param([("Idempotency-Key", "short"), ("If-Match", '"7"')], id="short key"),
    pytest.param([("Idempotency-Key", "x" * 101), ("If-Match", '"7"')], id="long key"),
    pytest.param([("Idempotency-Key", "two words"), ("If-Match", '"7"')], id="a blank in the key"),
    pytest.param([*KEY.items(), *KEY.items(), *VERSION.items()], id="two keys"),
    pytest.param([*KEY.items(), *VERSION.items(), ("If-Match", '"8"')], id="two versions"),
    pytest.param([*KEY.items(), ("If-Match", "seven")], id="a version in words"),
    pytest.param([*KEY.items(), ("If-Match", "W/7")], id="a weak version"),
    pytest.param([*KEY.items(), ("If-Match", " ")], id="an empty version"),
    pytest.param([*KEY.items(), *VERSION.items(), ("Accept-Language", "en")], id="English"),
]


@pytest.mark.parametrize("headers", HEADERS)
def test_a_command_is_the_same_with_every_header(
    gateways: tuple[Gateway, Gateway], headers: list[tuple[str, str]]
) -> None:
    assert_same(gateways, "POST", f"{CASE_PATH}/screening", headers=[*signed(gateways).items(), *headers])


CALLERS: list[Any] = [
    pytest.param(lambda _: {}, id="nobody"),
    pytest.param(lambda pair: bearer(pair[0].keys.citizen()), id="a citizen"),
    pytest.param(lambda pair: bearer(pair[0].keys.staff("head", exp=1)), id="an expired token"),
    pytest.param(lambda _: {"Authorization": "Bearer nonsense"}, id="nonsense"),
    pytest.param(lambda _: {"Authorization": "Basic x"}, id="another scheme"),
    pytest.param(lambda pair: signed(pair, "analyst"), id="another role"),
]


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/cases"), ("GET", CASE_PATH), ("POST", f"{CASE_PATH}/screening")]
)
def test_every_caller_gets_the_same(gateways: tuple[Gateway, Gateway], caller: Any, method: str, path: str) -> None:
    assert_same(gateways, method, path, headers=caller(gateways) | KEY | VERSION)


QUERIES = [
    "",
    "?limit=20",
    "?stage=screening&stage=decided&sort=due_on",
    "?stage=unheard",
    "?limit=0",
    "?limit=five",
    "?limit=1&limit=2",
    "?text=%D9%BE%D8%A7%DB%8C%D8%A7%D9%86",
    "?text=",
    "?urgent=true&below=false",
    "?urgent=maybe",
    "?filed_from=1405/07/01&filed_until=2026-11-26T10:00:00Z",
    "?filed_from=1405/13/01",
    "?unknown=1",
    "?handler=0F8F7F8E6F0E4B1A9D382F1C5F3F8A11",
    "?after=not%20a%20cursor",
    "?search=0f8f7f8e-6f0e-4b1a-9d38-2f1c5f3f8a11",
]


@pytest.mark.parametrize("query", QUERIES)
def test_a_list_is_the_same_with_every_query(gateways: tuple[Gateway, Gateway], query: str) -> None:
    assert_same(gateways, "GET", f"/v1/cases{query}", headers=signed(gateways))


@pytest.mark.parametrize(
    "path",
    [
        CASE_PATH,
        CASE_PATH.upper().replace("/V1/CASES", "/v1/cases"),
        CASE_PATH.replace("-", ""),
        f"{CASE_PATH}/",
        f"{CASE_PATH}x",
        f"/v1/cases/{CASE_ID}{CASE_ID}",
        "/v1/cases/12",
        f"{CASE_PATH}/attachments/{CASE_ID}",
    ],
)
def test_a_case_is_the_same_by_every_path(gateways: tuple[Gateway, Gateway], path: str) -> None:
    assert_same(gateways, "GET", path, headers=signed(gateways))


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "OPTIONS"])
def test_methods_that_are_not_offered_are_the_framework_s(gateways: tuple[Gateway, Gateway], method: str) -> None:
    answers = [gateway.send(method, CASE_PATH, headers=signed(gateways)) for gateway in gateways]
    assert (answers[0].status_code, answers[0].headers.get("allow")) == (
        answers[1].status_code,
        answers[1].headers.get("allow"),
    )


def test_the_error_of_a_service_is_the_same(gateways: tuple[Gateway, Gateway]) -> None:
    for gateway in gateways:
        gateway.rabbit.answers["tracking.execute"] = refusing(StaleVersion(current=9))
    try:
        answer = assert_same(gateways, "POST", f"{CASE_PATH}/screening", headers=signed(gateways) | KEY | VERSION)
    finally:
        for gateway in gateways:
            gateway.rabbit.answers["tracking.execute"] = lambda _: StaffCase.model_validate(EXAMPLES["StaffCase"])
    assert (answer.status_code, answer.json()["params"]["current"]) == (412, 9)


def test_plain_requests_of_staff_do_not_reach_the_framework(
    gateways: tuple[Gateway, Gateway], framework_paths: list[str]
) -> None:
    gateway, headers = gateways[0], signed(gateways) | KEY | VERSION
    gateway.send("GET", "/v1/cases?limit=5", headers=headers)
    gateway.send("GET", CASE_PATH, headers=headers)
    gateway.send("POST", f"{CASE_PATH}/decision", json=DECISION, headers=headers)
    assert len(gateway.rabbit.calls) == 3
    assert framework_paths == []
    gateway.send("GET", "/v1/cases?limit=no", headers=headers)
    assert framework_paths == ["/v1/cases"]
