"""The call-back list over HTTP: the mobile is told to the operator who calls, and asked for only where it will be told."""

from __future__ import annotations

import base64
from uuid import UUID, uuid4

import httpx
import pytest

from contracts.base import Request
from contracts.call_backs import (
    CallableCitizen,
    CallBack,
    CallBackState,
    RecordCall,
    RevealedMobile,
    RevealMobile,
    SkipCallBack,
)
from contracts.errors import NotFound, UnknownCase
from tests.support.gateway import Gateway, bearer, refusing

MOBILE = "+989121234567"


class Services:
    """Three cases in their order; `opted_out`, and `nameless`, of whom intake knows no mobile."""

    def __init__(self) -> None:
        self.cases = [uuid4() for _ in range(3)]
        self.opted_out: set[UUID] = set()
        self.nameless: set[UUID] = set()
        self.skipped: list[UUID] = []
        self.revealed: list[UUID] = []

    def take(self, _: Request) -> CallBack:
        left = [case_id for case_id in self.cases if case_id not in self.skipped]
        if not left:
            raise NotFound
        return CallBack(case_id=left[0], attempt=1)

    def skip(self, request: Request) -> CallBackState:
        assert isinstance(request, SkipCallBack)
        self.skipped.append(request.case_id)
        return CallBackState(case_id=request.case_id, state="unreachable", attempts=0)

    def check(self, request: Request) -> CallableCitizen:
        return CallableCitizen(callable=getattr(request, "case_id", None) not in self.opted_out, code_digits="2604")

    def reveal(self, request: Request) -> RevealedMobile:
        assert isinstance(request, RevealMobile)
        self.revealed.append(request.case_id)
        if request.case_id in self.nameless:
            raise UnknownCase
        return RevealedMobile(mobile=MOBILE)


@pytest.fixture
def services(unlimited_gateway: Gateway) -> Services:
    made, answers = Services(), unlimited_gateway.rabbit.answers
    unlimited_gateway.rabbit.reset()
    answers["tracking.take_call_back"] = made.take
    answers["tracking.skip_call_back"] = made.skip
    answers["notify.check_callable"] = made.check
    answers["intake.reveal_mobile"] = made.reveal
    return made


def test_the_operator_gets_a_mobile_and_nothing_that_names_its_case(
    unlimited_gateway: Gateway, services: Services
) -> None:
    headers = bearer(unlimited_gateway.keys.staff("operator"))
    answer = unlimited_gateway.send("POST", "/v1/desk/call-backs", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    taken = answer.json()
    call = taken.pop("call")
    assert taken == {"attempt": 1, "mobile": MOBILE, "code_digits": "2604"}
    case_id = services.cases[0]
    decoded = base64.urlsafe_b64decode(call)
    assert not any(part in decoded for part in (case_id.bytes, str(case_id).encode(), case_id.hex.encode()))
    again = unlimited_gateway.send("POST", "/v1/desk/call-backs", headers=headers).json()["call"]
    assert again != call, "two calls about one case are not known from each other"
    assert services.revealed == [case_id] * 2


def test_the_result_is_recorded_under_the_call_by_who_was_given_it_alone(
    unlimited_gateway: Gateway, services: Services
) -> None:
    operator, other = (bearer(unlimited_gateway.keys.staff("operator", sub=str(uuid4()))) for _ in range(2))
    call = unlimited_gateway.send("POST", "/v1/desk/call-backs", headers=operator).json()["call"]
    recorded: list[Request] = []

    def record(request: Request) -> CallBackState:
        recorded.append(request)
        return CallBackState(case_id=services.cases[0], state="rated", attempts=1)

    unlimited_gateway.rabbit.answers["tracking.record_call"] = record

    def send(headers: dict[str, str], reference: str) -> httpx.Response:
        body = {"call": reference, "result": "rated", "score": 4}
        headers = headers | {"Idempotency-Key": "k" * 20}
        return unlimited_gateway.send("POST", "/v1/desk/call-backs/results", json=body, headers=headers)

    refusals = (send(other, call), send(operator, call[:-8] + "AAAAAAA="), send(operator, str(services.cases[0])))
    for refusal in refusals:
        assert (refusal.status_code, refusal.json()["code"]) == (404, "unknown_case")
    assert not recorded
    answer = send(operator, call)
    assert answer.json() == {"state": "rated", "attempts": 1, "next_on": None}
    [request] = recorded
    assert isinstance(request, RecordCall)
    assert (request.case_id, request.score) == (services.cases[0], 4)


def test_who_opted_out_or_has_no_mobile_is_passed_over(unlimited_gateway: Gateway, services: Services) -> None:
    services.opted_out, services.nameless = {services.cases[0]}, {services.cases[1]}
    headers = bearer(unlimited_gateway.keys.staff("operator"))
    answer = unlimited_gateway.send("POST", "/v1/desk/call-backs", headers=headers)
    assert answer.json()["mobile"] == MOBILE
    assert services.revealed[-1] == services.cases[2]
    assert services.skipped == services.cases[:2]
    assert services.cases[0] not in services.revealed, "nobody is told the mobile of who opted out"


def test_nobody_else_gets_a_mobile(unlimited_gateway: Gateway, services: Services) -> None:
    reading = ("head", "screener", "inspector", "substitute", "custodian", "analyst", "auditor")
    for roles in (*((role,) for role in (*reading, "administrator")), *(("operator", role) for role in reading)):
        headers = bearer(unlimited_gateway.keys.staff(*roles))
        assert unlimited_gateway.send("POST", "/v1/desk/call-backs", headers=headers).status_code == 403
    assert unlimited_gateway.send("POST", "/v1/desk/call-backs").status_code == 401
    assert not services.revealed


def test_there_may_be_nobody_to_call(unlimited_gateway: Gateway, services: Services) -> None:
    unlimited_gateway.rabbit.answers["tracking.take_call_back"] = refusing(NotFound())
    headers = bearer(unlimited_gateway.keys.staff("operator"))
    assert unlimited_gateway.send("POST", "/v1/desk/call-backs", headers=headers).status_code == 404
    assert not services.revealed
