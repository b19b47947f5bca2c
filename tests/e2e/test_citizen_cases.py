"""My cases and what surrounds filing: pages, what is unread, what I have filed already, the code by SMS, an account's end."""

from __future__ import annotations

from tests.e2e.day_parts import refused
from tests.e2e.people import JSON, ONE_TIME_CODE, UNIT, Caller, Town, good
from tests.support.processes import eventually


def listed(who: Caller, case_id: str) -> JSON:
    """One of my cases, as the list shows it."""
    items = good(who.get("/v1/me/cases"))["items"]
    line: JSON = next(item for item in items if item["case_id"] == case_id)
    return line


def test_my_cases_show_their_ground_question_last_activity_and_what_is_unread(town: Town) -> None:
    case, _, citizen = town.complaint()
    case_id = str(case.view()["case_id"])
    fresh = listed(citizen, case_id)
    assert (fresh["ground"], fresh["ground_name"]) == ("delay", "اطاله رسیدگی")
    assert (fresh["question"], fresh["unread"]) == (None, 0)
    inspector = town.assigned(case)
    inspector.do(case_id, "notes", text="برای خودمان")
    inspector.do(case_id, "citizen-questions", text="چه روزی مراجعه کردید؟")
    waiting = listed(citizen, case_id)
    assert waiting["question"]["text"] == "چه روزی مراجعه کردید؟"
    assert waiting["asked_text"]
    assert waiting["unread"] == 3  # read, assigned, asked; the note is nobody's to know
    assert waiting["last_activity_at"] == waiting["question"]["asked_at"]
    assert waiting["last_activity_text"] == waiting["asked_text"]
    good(citizen.get(f"/v1/me/cases/{case_id}"))
    assert listed(citizen, case_id)["unread"] == 0
    good(citizen.post(f"/v1/me/cases/{case_id}/answers", {"text": "دیروز"}))
    answered = listed(citizen, case_id)
    assert (answered["unread"], answered["question"]) == (0, None)

    def message() -> JSON | None:
        items = good(citizen.get("/v1/me/messages"))["items"]
        return next((item for item in items if item["template"] == "question_asked"), None)

    assert "ساعت" in eventually(message)["at_text"]


def test_my_cases_come_by_pages_newest_first(town: Town) -> None:
    first, _, citizen = town.complaint()
    cases = [first]
    for number in range(4):
        filed = {"kind": "criticism", "unit": UNIT, "ground": "delay", "text": f"انتقاد شماره {number} من"}
        cases.append(town.file(citizen, **filed, identity={"name": "شاکی نمونه"}))
    for case in cases:
        case.view()
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = good(citizen.get("/v1/me/cases", limit="2", **after))
        assert 1 <= len(page["items"]) <= 2
        seen += [item["case_id"] for item in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert seen == [case.submission_id for case in reversed(cases)]
    refused(citizen.get("/v1/me/cases", after="nonsense"), 422, "invalid_field")


def test_i_am_told_before_filing_what_i_have_filed_already_and_nothing_of_others(town: Town) -> None:
    text = "پروانه ساختمان من در کوچه نسترن سه ماه است که صادر نشده است."
    mine, _, citizen = town.complaint(text=text)
    others, _, stranger = town.complaint(text=text)
    for case in (mine, others):
        case.view()
    draft = {"unit": UNIT, "ground": "conduct", "text": "پروانه ساختمان کوچه نسترن سه ماه است صادر نشده"}
    found = good(citizen.post("/v1/me/cases/similar", draft))
    assert [item["case_id"] for item in found["items"]] == [mine.submission_id]
    [similar] = found["items"]
    assert (similar["same_unit"], similar["same_ground"]) == (True, False)
    assert 0.35 <= similar["likeness"] <= 1
    assert found["text"]
    by_form = good(citizen.post("/v1/me/cases/similar", {"unit": UNIT, "ground": "delay"}))
    assert [item["case_id"] for item in by_form["items"]] == [mine.submission_id]
    nothing: JSON = {"items": [], "text": None}
    assert (
        good(citizen.post("/v1/me/cases/similar", {"unit": "dep.civ.roads", "ground": "delay", "text": "x"})) == nothing
    )
    good(citizen.post(f"/v1/me/cases/{mine.submission_id}/withdrawal", {}))
    assert good(citizen.post("/v1/me/cases/similar", draft)) == nothing
    assert [item["case_id"] for item in good(stranger.post("/v1/me/cases/similar", draft))["items"]] == [
        others.submission_id
    ]


def test_the_code_of_an_anonymous_report_is_sent_to_a_mobile_that_no_case_keeps(town: Town) -> None:
    case, phone = town.report(), town.phone()
    sent = case.holder.post("/v1/tracking/code-by-sms", {"mobile": phone.mobile})
    assert good(sent, 202) == {"mobile": phone.mobile[-4:]}
    text = phone.next()
    assert case.dashed in text
    assert len(text) <= 70  # one part of a Persian SMS
    again = case.holder.post("/v1/tracking/code-by-sms", {"mobile": phone.mobile})
    refused(again, 429, "too_many")
    # Nothing about the case goes there: its inspector asks, and the next SMS of this phone is the one it asks for itself.
    case_id = str(case.view()["case_id"])
    town.assigned(case).do(case_id, "citizen-questions", text="کجا؟")
    town.sign_in(phone)
    received = town.control.get("/_control/messages", params={"receptor": phone.mobile, "after": 0}).json()["messages"]
    assert len(received) == 2  # the code, and the one-time code
    unknown = town.caller(code="1234567812345678").post("/v1/tracking/code-by-sms", {"mobile": phone.mobile})
    refused(unknown, 404, "unknown_tracking_code")


def test_a_deleted_account_leaves_its_cases_to_their_codes_and_shows_none_to_the_next(town: Town) -> None:
    case, phone, citizen = town.complaint()
    case_id = str(case.view()["case_id"])
    assert [item["case_id"] for item in good(citizen.get("/v1/me/cases"))["items"]] == [case_id]
    me = good(citizen.get("/v1/me"))["id"]

    refused(citizen.request("DELETE", "/v1/me", json={"code": "000000"}), 401, "bad_code")
    asked = good(town.caller().post("/v1/auth/codes", {"mobile": phone.mobile}))
    code = next(found for text in iter(phone.next, "") if (found := ONE_TIME_CODE.search(text))).group()
    body = {"code": code, "otp_session": asked["otp_session"]}
    gone = good(citizen.request("DELETE", "/v1/me", json=body))
    assert gone["gone"]
    assert len(gone["kept"]) == 3
    eventually(lambda: citizen.get("/v1/me/cases").status_code == 401)

    assert case.view()["case_id"] == case_id  # the code goes on
    good(case.holder.post("/v1/tracking/messages", {"text": "هنوز منتظرم."}))
    anew, _ = town.sign_in(phone)
    assert good(anew.get("/v1/me"))["id"] != me
    assert good(anew.get("/v1/me/cases"))["items"] == []
    assert good(anew.get("/v1/me/messages"))["items"] == []
    refused(anew.get(f"/v1/me/cases/{case_id}"), 404, "unknown_case")
    head = town.officer("head").read(case_id)  # the office goes on as well
    assert head["anonymous"] is False
