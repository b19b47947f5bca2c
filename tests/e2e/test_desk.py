"""The counter, whole: a mistyped mobile, a lost code, a receipt once more, and a citizen who signs in later."""

from __future__ import annotations

import re

import pytest

from tests.e2e.day_parts import refused
from tests.e2e.people import JSON, Case, Officer, Town, good
from tests.e2e.test_day_operator import COMPLAINT, CONSENT_TO_SMS
from tests.support.papers import read as read_paper
from tests.support.processes import eventually

pytestmark = pytest.mark.timeout(240)


def filed(town: Town, operator: Officer, mobile: str | None = None, **more: object) -> tuple[Case, str]:
    """A complaint filed at the counter, and its case's id."""
    identity: JSON = {"name": "مراجع نمونه"} | ({"mobile": mobile} if mobile else {})
    consent = {"desk_consent": CONSENT_TO_SMS} if mobile else {}
    case = town.file(operator.caller, **{**COMPLAINT, **consent, "identity": identity, **more})
    return case, str(case.view()["case_id"])


def desk(operator: Officer, **filters: str) -> list[JSON]:
    items: list[JSON] = good(operator.caller.get("/v1/desk/submissions", **filters))["items"]
    return items


def code_in(text: str) -> str:
    """The tracking code of an SMS."""
    [code] = re.findall(r"\d{4}(?:-\d{4}){3}", text)
    return str(code).replace("-", "")


def texts_to(town: Town, mobile: str) -> list[str]:
    """All that this phone was sent."""
    answer = town.control.get("/_control/messages", params={"receptor": mobile, "after": 0})
    return [message["text"] for message in answer.json()["messages"]]


def test_a_mistyped_mobile_is_corrected_and_the_old_one_hears_no_more(town: Town) -> None:
    operator, wrong, right = town.officer("operator"), town.phone(), town.phone()
    case, case_id = filed(town, operator, wrong.mobile)
    heard = wrong.next()
    assert case.dashed in heard

    # The operator finds it by the mobile's last digits, by its number and by its day.
    [line] = [item for item in desk(operator, last_digits=wrong.mobile[-4:]) if item["case_id"] == case_id]
    assert [item["case_id"] for item in desk(operator, number=line["number"])] == [case_id]
    assert case_id in [item["case_id"] for item in desk(operator, kind="complaint", filed_from="1405/01/01")]
    assert (line["to_sms"], line["confirmed"], line["anonymous"]) == (True, False, False)
    assert COMPLAINT["text"] not in str(line)
    assert wrong.mobile[3:] not in str(line)

    # It is corrected: the right number gets a new code, and the old code opens nothing.
    path = f"/v1/desk/submissions/{case_id}/mobile"
    answer = good(operator.caller.post(path, {"mobile": right.mobile}))
    assert (answer["by_sms"], answer["tracking_code"]) == (True, None)
    text = right.next()
    new_code = code_in(text)
    town.codes.add(new_code)
    holder = town.caller(code=new_code)
    eventually(lambda: good(holder.get("/v1/tracking")).get("case_id") == case_id)
    eventually(lambda: good(case.holder.get("/v1/tracking"))["stage"] == "registering")
    refused(case.holder.post("/v1/tracking/withdrawal", {}), 409, "still_registering")

    # What happens later is told to the right one alone, and the office sees who corrected it.
    inspector = town.officer("inspector")
    screener = town.officer("screener")
    screener.do(case_id, "screening")
    screener.do(case_id, "assignment", inspector=inspector.staff_id)
    inspector.do(case_id, "citizen-questions", text="چه روزی مراجعه کردید؟")
    assert code_in(right.next()) == new_code
    assert texts_to(town, wrong.mobile) == [heard]
    entries = {line["entry"]: line for line in inspector.read(case_id)["timeline"]}
    assert "mobile_corrected" in entries
    assert "mobile_corrected" not in {line["entry"] for line in good(holder.get("/v1/tracking"))["timeline"]}

    # Nobody else does this.
    refused(screener.caller.post(path, {"mobile": right.mobile}), 403, "not_allowed")
    refused(operator.caller.post(path, {"mobile": "021-33"}), 422, "invalid_field")
    good(town.officer("head").caller.post(path, {"mobile": wrong.mobile}))


def test_a_lost_code_is_replaced_for_who_answers_two_questions(town: Town) -> None:
    operator = town.officer("operator")
    case, case_id = filed(town, operator)
    [number] = [item["number"] for item in desk(operator) if item["case_id"] == case_id]
    wrong = {"number": number, "answers": {"unit": "dep.urb.permits", "ground": "conduct"}}
    refused(operator.caller.post("/v1/desk/lost-codes", wrong), 403, "identity_not_confirmed")
    nowhere = {"number": "1399-000001", "answers": {"unit": "dep.urb.permits", "ground": "delay"}}
    refused(operator.caller.post("/v1/desk/lost-codes", nowhere), 403, "identity_not_confirmed")
    refused(town.officer("screener").caller.post("/v1/desk/lost-codes", wrong), 403, "not_allowed")

    body = {"receipt_number": case.submission_id, "answers": {"unit": "dep.urb.permits", "ground": "delay"}}
    answer = good(operator.caller.post("/v1/desk/lost-codes", body, key="the-paper-jammed"))
    assert answer == good(operator.caller.post("/v1/desk/lost-codes", body, key="the-paper-jammed"))
    code = answer["tracking_code"].replace(" ", "")
    town.codes.add(code)
    holder = town.caller(code=code)
    eventually(lambda: good(holder.get("/v1/tracking")).get("case_id") == case_id)

    # The receipt once more, with the new code on it, and as genuine as the first.
    path = f"/v1/desk/submissions/{case_id}/receipt"
    printed = operator.caller.post(path, {"tracking_code": code})
    assert printed.status_code == 200, printed.text
    paper = read_paper(printed.content)
    assert "-".join(code[at : at + 4] for at in range(0, 16, 4)) in paper.text
    first = operator.caller.post("/v1/receipts/pdf", case.filed["receipt"])
    assert read_paper(first.content).codes == paper.codes
    refused(operator.caller.post(path, {"tracking_code": "1234567812345678"}), 404, "unknown_tracking_code")
    for replaced_or_foreign in (case.code, town.complaint()[0].code):
        problem = good(operator.caller.post(path, {"tracking_code": replaced_or_foreign}), 422)
        assert problem["errors"][0]["field"] == "tracking_code"


def test_what_was_filed_for_a_citizen_is_theirs_once_they_confirm_it(town: Town) -> None:
    operator, phone = town.officer("operator"), town.phone()
    case, case_id = filed(town, operator, phone.mobile)
    other, other_id = filed(town, operator, phone.mobile)
    for _ in range(2):
        phone.next()
    citizen, _ = town.sign_in(phone)
    stranger, _ = town.sign_in(town.phone())
    waiting = good(citizen.get("/v1/me/filed-for-me"))["items"]
    assert {item["case_id"] for item in waiting} == {case_id, other_id}
    assert COMPLAINT["text"] not in str(waiting)
    assert good(stranger.get("/v1/me/filed-for-me"))["items"] == []
    refused(stranger.post(f"/v1/me/filed-for-me/{case_id}", {"mine": True}), 404, "unknown_case")
    refused(operator.caller.get("/v1/me/filed-for-me"), 403, "not_allowed")
    assert good(citizen.get("/v1/me/cases"))["items"] == []

    good(citizen.post(f"/v1/me/filed-for-me/{case_id}", {"mine": True}))
    assert good(citizen.post(f"/v1/me/filed-for-me/{other_id}", {"mine": False}))["items"] == []
    refused(citizen.post(f"/v1/me/filed-for-me/{case_id}", {"mine": False}), 409, "already_decided")
    eventually(lambda: [item["case_id"] for item in good(citizen.get("/v1/me/cases"))["items"]] == [case_id])
    eventually(lambda: {item["confirmed"] for item in desk(operator) if item["case_id"] == case_id} == {True})
    eventually(
        lambda: "filing_disowned" in [item["template"] for item in good(operator.caller.get("/v1/messages"))["items"]]
    )
    assert case.submission_id == case_id
    assert other.submission_id == other_id
