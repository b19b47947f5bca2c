"""Filing for others: at the counter and on the phone with the citizen's consent, and as the representative of a group."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.e2e.people import JSON, UNIT, Case, Town, good
from tests.support.processes import eventually

pytestmark = pytest.mark.timeout(300)

NAME = "ارباب رجوع نمونه"
CONSENT: JSON = {"form": "recorded_call", "to": ["filing", "sms"]}


def counter_submission(mobile: str, **body: Any) -> JSON:
    about = {"kind": "complaint", "unit": UNIT, "ground": "delay", "text": "پرونده‌ام در باجه گم شده است."}
    person = {"name": NAME, "mobile": mobile}
    return {"consent": True, "channel": "phone", "identity": person, "desk_consent": CONSENT, **about, **body}


def test_an_operator_files_for_a_consenting_citizen_and_sees_the_code_once(town: Town) -> None:
    operator, phone = town.officer("operator"), town.phone()
    key = uuid.uuid4().hex
    answer = operator.caller.post("/v1/submissions", counter_submission(phone.mobile), key=key)
    filed = good(answer, 201)
    assert answer.headers["cache-control"] == "no-store"
    code = filed["tracking_code"].replace(" ", "")
    case = Case(code, town.caller(code=code), filed["submission_id"], filed)
    assert case.dashed in phone.next()
    case_id = case.view()["case_id"]

    seen = town.officer("screener").read(case_id)
    assert seen["channel"] == "phone"
    assert {name: seen["consent"][name] for name in ("form", "to", "recorded_by")} == {
        **CONSENT,
        "recorded_by": operator.staff_id,
    }
    assert seen["timeline"][0]["entry"] == "opened"
    assert seen["timeline"][0]["details"]["consent"] == seen["consent"]
    assert NAME not in str(seen)
    assert phone.mobile[-9:] not in str(seen)
    assert "consent" not in str(case.view())

    # Nothing but this one answer tells the operator anything of the case.
    for path in ("/v1/cases", f"/v1/cases/{case_id}", f"/v1/cases/{case_id}/suggestions", "/v1/me/cases"):
        assert operator.caller.get(path).status_code == 403, path
    opened = operator.caller.post(f"/v1/cases/{case_id}/identity", {"reason": "می‌خواهم بدانم"})
    assert opened.status_code == 403
    other = operator.caller.post("/v1/receipts/check", {"submission_id": filed["submission_id"]})
    assert other.status_code == 422


def test_without_consent_to_sms_none_is_sent(town: Town) -> None:
    operator, phone = town.officer("operator"), town.phone()
    body = counter_submission(phone.mobile, desk_consent={"form": "spoken", "to": ["filing"]})
    case = town.file(operator.caller, **body)
    view = case.view()
    screener = town.officer("screener")
    screener.do(view["case_id"], "screening")
    screener.do(view["case_id"], "refusal", reason="no_reasons", explanation="مدرکی همراه نیست.")
    eventually(lambda: len(case.inbox()) == 2)
    assert not any(case.dashed in text for text in town.all_texts())

    opened = good(town.opens(view["case_id"], "تماس برای توضیح"))
    assert opened["identity"]["name"] == NAME
    assert opened["identity"]["mobile"] == phone.mobile


@pytest.mark.parametrize(("language", "detail"), [("fa", "رضایت"), ("en", "consent")])
def test_without_consent_nothing_is_filed(town: Town, language: str, detail: str) -> None:
    operator, phone = town.officer("operator"), town.phone()
    caller = town.caller(language, token=operator.caller.token)
    word = f"بی‌رضایت{uuid.uuid4().hex[:6]}"
    for consent, field in ((None, "desk_consent"), ({"form": "signed", "to": []}, "desk_consent.to")):
        body = counter_submission(phone.mobile, desk_consent=consent, text=f"پرونده من {word} مانده است.")
        refused = caller.post("/v1/submissions", body)
        assert (refused.status_code, refused.json()["code"]) == (422, "citizen_consent_missing")
        assert detail in refused.json()["detail"]
        assert [error["field"] for error in refused.json()["errors"]] == [field]
    assert good(town.officer("screener").caller.get("/v1/cases", text=word))["items"] == []


def test_consent_is_required_only_from_operators(town: Town) -> None:
    phone = town.phone()
    for role in ("inspector", "screener", "head"):
        refused = town.officer(role).caller.post("/v1/submissions", counter_submission(phone.mobile))
        assert refused.status_code == 403, role
    citizen, _ = town.sign_in(phone)
    body = {**counter_submission(phone.mobile), "channel": "web", "identity": {"name": NAME}}
    refused = citizen.post("/v1/submissions", body)
    assert [(error["field"], error["reason"]) for error in refused.json()["errors"]] == [
        ("desk_consent", "only_for_operators")
    ]
    del body["desk_consent"]
    good(citizen.post("/v1/submissions", body), 201)


def group(**changes: Any) -> JSON:
    return {"members": 12, "common": "ساکنان کوچه شانزدهم که آسفالت آن کنده شده است.", **changes}


def test_only_the_representative_of_a_group_is_notified_and_may_act(town: Town) -> None:
    neighbour = town.phone()
    people = [{"name": "همسایه نمونه", "mobile": neighbour.mobile}]
    case, phone, representative = town.complaint(group=group(people=people))
    case_id = case.view()["case_id"]

    inspector = town.assigned(case)
    seen = inspector.read(case_id)
    assert seen["group"] == group()
    assert seen["timeline"][0]["details"]["group_members"] == 12
    [line] = [item for item in good(inspector.caller.get("/v1/cases"))["items"] if item["case_id"] == case_id]
    assert line["group_members"] == 12
    for shown in (str(seen), str(case.view())):
        assert "همسایه نمونه" not in shown
        assert neighbour.mobile[-9:] not in shown

    member, _ = town.sign_in(neighbour)
    assert good(member.get("/v1/me/cases"))["items"] == []
    assert member.get(f"/v1/me/cases/{case_id}").status_code == 404
    answered = {"text": "من هم همین را می‌گویم."}
    inspector.do(case_id, "citizen-questions", text="از چه روزی؟")
    assert case.dashed in phone.next()
    assert member.post(f"/v1/me/cases/{case_id}/answers", answered).status_code == 404
    assert good(representative.post(f"/v1/me/cases/{case_id}/answers", answered))["stage"] == "investigating"
    inspector.do(case_id, "decision", outcome="upheld", reasons="آسفالت کنده شده است.", root_causes=["process"])
    assert case.dashed in phone.next()
    assert member.post(f"/v1/me/cases/{case_id}/rating", {"score": 1}).status_code == 404
    assert member.post(f"/v1/me/cases/{case_id}/objection", answered).status_code == 404
    assert good(representative.post(f"/v1/me/cases/{case_id}/rating", {"score": 5}))["score"] == 5
    assert not any(
        message["receptor"].endswith(neighbour.mobile[-10:]) and case.dashed in message["text"]
        for message in sent(town)
    )

    assert inspector.caller.post(f"/v1/cases/{case_id}/identity", {"reason": "دعوت به جلسه"}).status_code == 403
    opened = town.opens(case_id, "دعوت به جلسه")
    assert good(opened)["members"] == people
    assert good(opened)["identity"]["mobile"] == phone.mobile


def test_a_complaint_of_one_person_is_not_a_group(town: Town) -> None:
    case, _, _ = town.complaint()
    seen = town.officer("screener").read(case.view()["case_id"])
    assert seen["group"] is None


def test_an_operator_files_for_the_representative_of_a_group(town: Town) -> None:
    phone = town.phone()
    case = town.file(town.officer("operator").caller, **counter_submission(phone.mobile, group=group(members=3)))
    assert case.dashed in phone.next()
    seen = town.officer("screener").read(case.view()["case_id"])
    assert (seen["group"]["members"], seen["channel"]) == (3, "phone")


@pytest.mark.parametrize("language", ["fa", "en"])
def test_an_invalid_group_is_refused_and_nothing_is_filed(town: Town, language: str) -> None:
    phone = town.phone()
    citizen, _ = town.sign_in(phone, language)
    word = f"گروهی{uuid.uuid4().hex[:6]}"
    same = [{"mobile": "09351111111"}, {"mobile": "+989351111111"}]
    wrong: list[tuple[JSON, str, str]] = [
        (group(members=1), "group.members", "greater_than_equal"),
        (group(members=100_000), "group.members", "less_than_equal"),
        (group(people=same), "group.people.1.mobile", "twice"),
        (group(people=[{"mobile": phone.mobile}]), "group.people.0.mobile", "is_the_representative"),
        (group(members=2, people=[{"name": "یکی"}, {"name": "دیگری"}]), "group.people", "more_than_members"),
    ]
    for given, field, reason in wrong:
        body = {**counter_submission(phone.mobile), "channel": "web", "identity": {"name": NAME}, "group": given}
        del body["desk_consent"]
        refused = citizen.post("/v1/submissions", {**body, "text": f"کوچه {word} خاکی مانده است."})
        assert refused.status_code == 422, refused.text
        assert [(error["field"], error["reason"]) for error in refused.json()["errors"]] == [(field, reason)]
        assert refused.headers["content-language"] == language
    assert good(town.officer("screener").caller.get("/v1/cases", text=word))["items"] == []


def sent(town: Town) -> list[JSON]:
    """Everything the SMS provider was given."""
    messages: list[JSON] = []
    last = 0
    while page := town.control.get("/_control/messages", params={"all": True, "after": last}).json():
        if not page["messages"]:
            break
        messages += page["messages"]
        last = page["last"]
    return messages
