"""One decision for a group of cases: a keyed command each, and what comes of the cases that cannot be decided."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from pydantic import BaseModel

from contracts.base import Request
from contracts.errors import FourEyesNeeded, StaleVersion, Unavailable, UnknownCase
from contracts.tracking import ExecuteCommand
from tests.support.gateway import CATALOGUE, UNLIMITED, Gateway, bearer

DECISION = {"outcome": "not_upheld", "reasons": "قطعی آب را شرکت آب و فاضلاب اعلام کرده بود."}


class _After(BaseModel):
    version: int


class Tracking:
    """Cases by id; a command is done once by its key, then the case is one version on. `down_after`: how many commands it does
    until it does not answer any more."""

    def __init__(self, cases: dict[UUID, str]) -> None:
        self.kinds, self.versions = cases, dict.fromkeys(cases, 1)
        self.keys: dict[str, UUID] = {}
        self.done: Counter[tuple[UUID, str]] = Counter()
        self.asked = 0
        self.down_after = 1_000

    def __call__(self, request: Request) -> _After:
        assert isinstance(request, ExecuteCommand)
        self.asked += 1
        case_id, command = request.case_id, request.command.type
        if len(self.keys) >= self.down_after:
            raise Unavailable
        if case_id not in self.kinds:
            raise UnknownCase
        if request.idempotency_key in self.keys:
            return _After(version=self.versions[case_id])
        if request.expected_version != self.versions[case_id]:
            raise StaleVersion(current=self.versions[case_id])
        if command == "decide" and self.kinds[case_id] == "four_eyes":
            raise FourEyesNeeded
        self.keys[request.idempotency_key] = case_id
        self.done[case_id, command] += 1
        self.versions[case_id] += 1
        return _After(version=self.versions[case_id])


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    made = Gateway(tmp_path, **UNLIMITED)
    made.container.catalogue_cache.put(CATALOGUE)
    return made


def decide(
    gateway: Gateway, cases: list[UUID], key: str = "one-for-many", version: int = 1, **more: Any
) -> httpx.Response:
    body = {
        "decision": DECISION,
        "cases": [{"case_id": str(case_id), "expected_version": version} for case_id in cases],
        **more,
    }
    headers = bearer(gateway.keys.staff("inspector", sub=str(UUID(int=7)))) | {"Idempotency-Key": key}
    return gateway.send("POST", "/v1/decisions", json=body, headers=headers)


def outcomes(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["problem"]["code"] if item["problem"] else item["result"] for item in answer.json()["items"]]


def test_each_case_is_decided_or_proposed_by_its_own_rules_and_the_rest_say_why_not(gateway: Gateway) -> None:
    plain, four_eyes, unknown = uuid4(), uuid4(), uuid4()
    tracking = gateway.rabbit.answers["tracking.execute"] = Tracking({plain: "plain", four_eyes: "four_eyes"})
    answer = decide(gateway, [plain, four_eyes, unknown])
    assert outcomes(answer) == ["decided", "proposed", "unknown_case"]
    assert [item["version"] for item in answer.json()["items"]] == [2, 2, None]
    problem = answer.json()["items"][2]["problem"]
    assert (problem["type"], problem["status"]) == ("urn:peygir:problem:unknown_case", 404)
    assert tracking.done == {(plain, "decide"): 1, (four_eyes, "propose"): 1}


def test_a_case_that_somebody_else_has_changed_is_not_proposed_either(gateway: Gateway) -> None:
    case_id = uuid4()
    tracking = gateway.rabbit.answers["tracking.execute"] = Tracking({case_id: "plain"})
    tracking.versions[case_id] = 2
    assert outcomes(decide(gateway, [case_id])) == ["stale_version"]
    assert not tracking.done


def test_a_repeated_request_goes_on_where_it_was_and_does_each_case_once(gateway: Gateway) -> None:
    cases = {uuid4(): "four_eyes" if place % 2 else "plain" for place in range(20)}
    tracking = gateway.rabbit.answers["tracking.execute"] = Tracking(cases)
    tracking.down_after = 7
    first = outcomes(decide(gateway, list(cases)))
    assert Counter(first)["unavailable"] == 13
    assert tracking.asked < 20 + 7, "what is left is not tried while tracking does not answer"
    tracking.down_after = 1_000
    assert outcomes(decide(gateway, list(cases))) == ["decided", "proposed"] * 10
    assert outcomes(decide(gateway, list(cases))) == ["decided", "proposed"] * 10
    assert set(tracking.done.values()) == {1}
    assert len(tracking.done) == 20


def test_the_key_of_a_case_is_derived_from_the_key_of_the_group(gateway: Gateway) -> None:
    case_id = uuid4()
    tracking = gateway.rabbit.answers["tracking.execute"] = Tracking({case_id: "plain"})
    decide(gateway, [case_id], key="k" * 100)
    assert list(tracking.keys) == [hashlib.sha256(f"{'k' * 100}\n{case_id}\ndecide".encode()).hexdigest()]


def test_a_group_is_refused_as_a_whole_only_for_what_is_wrong_with_the_request(gateway: Gateway) -> None:
    case_id = uuid4()
    tracking = gateway.rabbit.answers["tracking.execute"] = Tracking({case_id: "plain"})
    assert decide(gateway, [case_id, case_id]).status_code == 422
    assert decide(gateway, []).status_code == 422
    assert decide(gateway, [uuid4() for _ in range(201)]).status_code == 422
    body = {"decision": DECISION, "cases": [{"case_id": str(case_id), "expected_version": 1}]}
    for role in ("screener", "liaison", "analyst"):
        headers = bearer(gateway.keys.staff(role)) | {"Idempotency-Key": "one-for-many"}
        assert gateway.send("POST", "/v1/decisions", json=body, headers=headers).status_code == 403
    assert decide(gateway, [case_id], key="short").status_code == 422
    assert not tracking.done
