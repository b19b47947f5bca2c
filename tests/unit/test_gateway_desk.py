"""The counter over HTTP: who may ask what, what travels sealed, and that nothing tells which answer was wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from backbone import sealing
from contracts import tracking_codes
from contracts.base import Request
from contracts.desk import (
    DeskCases,
    DeskGrant,
    FiledForMe,
    FiledIds,
    FiledReceipt,
    ListDeskCases,
    LostCodeAnswers,
    ReplacedCode,
)
from contracts.errors import IdentityNotConfirmed, UnknownCase
from contracts.gateway import Identity
from tests.support.gateway import Gateway, bearer, reasons, refusing
from tests.support.papers import read

CASE_ID = uuid4()
KEY = {"Idempotency-Key": "key-of-the-desk"}


@pytest.fixture
def gateway(unlimited_gateway: Gateway) -> Gateway:
    rabbit = unlimited_gateway.rabbit
    rabbit.reset()
    rabbit.answers["tracking.authorize_desk"] = lambda _: DeskGrant(case_id=CASE_ID)
    rabbit.answers["tracking.list_desk_cases"] = lambda _: DeskCases(items=[])
    rabbit.answers["intake.find_filed"] = lambda _: FiledIds(items=[CASE_ID])
    for method in ("correct_mobile", "replace_lost_code"):
        rabbit.answers[f"intake.{method}"] = lambda _: ReplacedCode(by_sms=True)
    for method in ("list_filed_for_me", "answer_filed_for_me"):
        rabbit.answers[f"intake.{method}"] = lambda _: FiledForMe(items=[])
    rabbit.answers["intake.print_receipt"] = lambda _: FiledReceipt(
        submission_id=CASE_ID,
        filed_at=datetime(2026, 11, 23, 8, 30, tzinfo=UTC),
        kind="complaint",
        content_hash="a" * 64,
    )
    return unlimited_gateway


def post(gateway: Gateway, path: str, body: dict[str, Any], *roles: str, **headers: str) -> Any:
    sent = {**bearer(gateway.keys.staff(*roles)), **KEY, **headers}
    return gateway.send("POST", path, json=body, headers=sent)


def asked(gateway: Gateway, name: str) -> Request:
    [request] = [request for called, request in gateway.rabbit.calls if called == name]
    return request


def opened(gateway: Gateway, sealed: str, model: Any) -> Any:
    return sealing.unseal(sealed, model, [bytes.fromhex(gateway.keys.environment["INTAKE_PRIVATE_KEYS"])])


def test_the_last_digits_are_looked_up_in_any_digits(gateway: Gateway) -> None:
    headers = bearer(gateway.keys.staff("operator"))
    answer = gateway.send("GET", "/v1/desk/submissions", params={"last_digits": "۴۵۶۷"}, headers=headers)
    assert answer.status_code == 200, answer.text
    assert getattr(asked(gateway, "intake.find_filed"), "last_digits", None) == "4567"
    listing = asked(gateway, "tracking.list_desk_cases")
    assert isinstance(listing, ListDeskCases)
    assert listing.case_ids == [CASE_ID]
    head = gateway.send("GET", "/v1/desk/submissions", headers=bearer(gateway.keys.staff("head")))
    assert head.status_code == 403


def test_a_span_that_ends_before_it_begins_is_refused(gateway: Gateway) -> None:
    headers = bearer(gateway.keys.staff("operator"))
    params = {"filed_from": "۱۴۰۵/۰۸/۰۳", "filed_until": "1405/08/02"}
    answer = gateway.send("GET", "/v1/desk/submissions", params=params, headers=headers)
    assert (answer.status_code, reasons(answer)) == (422, {"filed_until": "before_its_start"})
    assert gateway.rabbit.calls == []


def test_a_corrected_mobile_travels_sealed(gateway: Gateway) -> None:
    answer = post(gateway, f"/v1/desk/submissions/{CASE_ID}/mobile", {"mobile": "۰۹۱۲۱۲۳۴۵۶۷"}, "operator")
    assert answer.status_code == 200, answer.text
    request: Any = asked(gateway, "intake.correct_mobile")
    assert "9121234567" not in request.model_dump_json()
    assert opened(gateway, request.sealed_identity, Identity).mobile == "+989121234567"
    assert request.mobile_hash == gateway.container.filing.mobile_hash("+989121234567")


def test_answers_travel_sealed_and_an_unknown_case_is_asked_of_intake_all_the_same(gateway: Gateway) -> None:
    gateway.rabbit.answers["tracking.authorize_desk"] = refusing(UnknownCase())
    gateway.rabbit.answers["intake.replace_lost_code"] = refusing(IdentityNotConfirmed())
    body = {"number": "۱۴۰۵-۰۰۰۱۲۳", "answers": {"national_id": "0012345679", "filed_on": "۱۴۰۵/۰۹/۰۲"}}
    answer = post(gateway, "/v1/desk/lost-codes", body, "operator")
    assert (answer.status_code, answer.json()["code"]) == (403, "identity_not_confirmed")
    request: Any = asked(gateway, "intake.replace_lost_code")
    assert request.case_id is None
    assert "0012345679" not in request.model_dump_json()
    answers = opened(gateway, request.sealed_answers, LostCodeAnswers)
    assert (answers.national_id, str(answers.filed_on)) == ("0012345679", "2026-11-23")


def test_a_new_code_for_the_paper_is_shown_in_groups(gateway: Gateway) -> None:
    gateway.rabbit.answers["intake.replace_lost_code"] = lambda _: ReplacedCode(by_sms=False, code="1234567890123456")
    body = {"receipt_number": str(CASE_ID), "answers": {"unit": "roads", "ground": "delay"}}
    answer = post(gateway, "/v1/desk/lost-codes", body, "head", **{"Accept-Language": "en"})
    assert answer.json()["tracking_code"] == "1234 5678 9012 3456"
    assert "on paper" in answer.json()["next_steps"][0]


@pytest.mark.parametrize(
    "role", ["screener", "inspector", "liaison", "custodian", "analyst", "administrator", "auditor"]
)
def test_other_staff_have_no_business_here(gateway: Gateway, role: str) -> None:
    answers = {"answers": {"unit": "roads", "ground": "delay"}, "receipt_number": str(CASE_ID)}
    for path, body in (
        (f"/v1/desk/submissions/{CASE_ID}/mobile", {"mobile": "09121234567"}),
        (f"/v1/desk/submissions/{CASE_ID}/receipt", {}),
        ("/v1/desk/lost-codes", answers),
    ):
        assert post(gateway, path, body, role).status_code == 403
    assert gateway.rabbit.calls == []


def test_a_receipt_is_printed_again_with_the_code_where_it_is_given(gateway: Gateway) -> None:
    code = tracking_codes.mint(gateway.container.mac_keys)
    path = f"/v1/desk/submissions/{CASE_ID}/receipt"
    plain, with_code = (post(gateway, path, body, "operator") for body in ({}, {"tracking_code": code}))
    dashed = "-".join(code[at : at + 4] for at in range(0, 16, 4))
    assert dashed not in read(plain.content).text
    assert dashed in read(with_code.content).text
    assert read(plain.content).codes == read(with_code.content).codes
    kept = gateway.container.papers.pdf_queue._cache.values()
    assert plain.content in kept
    assert with_code.content not in kept, "the gateway keeps no tracking code"


def test_a_citizen_is_known_by_their_verified_mobile(gateway: Gateway) -> None:
    headers = bearer(gateway.keys.citizen("+989351234567"))
    assert gateway.send("GET", "/v1/me/filed-for-me", headers=headers).status_code == 200
    answer = gateway.send("POST", f"/v1/me/filed-for-me/{CASE_ID}", json={"mine": True}, headers=headers)
    assert answer.status_code == 200, answer.text
    for name in ("intake.list_filed_for_me", "intake.answer_filed_for_me"):
        request: Any = asked(gateway, name)
        assert request.mobile_hash == gateway.container.filing.mobile_hash("+989351234567")
    staff = gateway.send("GET", "/v1/me/filed-for-me", headers=bearer(gateway.keys.staff("operator")))
    assert staff.status_code == 403
