"""A day on which the office takes back what it did wrong: a refusal, a merge, a unit, a decision; and who is notified of it."""

from __future__ import annotations

import httpx

from tests.e2e.day_parts import await_message, entries, refused, shown
from tests.e2e.people import Case, Officer, Town, good
from tests.support.media_samples import photo
from tests.support.processes import eventually

REASON = {"reason": "اشتباه ما بود."}
OFFICE = "بازرسی شهرداری قزوین"


def id_of(case: Case) -> str:
    return str(case.view()["case_id"])


def test_a_refusal_taken_back_is_a_case_again(town: Town) -> None:
    case, phone, _ = town.complaint()
    case_id, screener, head = id_of(case), town.officer("screener"), town.officer("head")
    screener.do(case_id, "screening")
    refused(send(head, case_id, "reopening"), 409, "wrong_stage")
    screener.do(case_id, "refusal", reason="no_reasons", explanation="مدرکی نیست.")
    phone.next()
    assert case.holder.get("/v1/tracking/letter").status_code == 200
    refused(send(screener, case_id, "reopening"), 403, "not_allowed")
    stale = head.caller.post(f"/v1/cases/{case_id}/reopening", REASON, version=1)
    refused(stale, 412, "stale_version")
    refused(head.caller.post(f"/v1/cases/{case_id}/reopening", {}, version=1), 422, "invalid_field")
    assert head.do(case_id, "reopening", **REASON)["stage"] == "screening"
    text = "نپذیرفتن شکایت شما اشتباه ما بود و پس گرفته شد. دوباره به آن رسیدگی می‌کنیم."
    assert phone.next() == f"{text}\n{case.dashed}\n{OFFICE}"
    view = case.view_at("screening")
    assert (view["refusal_text"], view["timeline"][-1]["entry"]) == (None, "refusal_taken_back")
    assert REASON["reason"] not in str(view)
    refused(case.holder.get("/v1/tracking/letter"), 409, "no_letter")
    number = shown(head.read(case_id)["number"])
    await_message(screener, f"مدیر بازرسی پرونده {number} را دوباره گشود؛ در انتظار غربالگری است.")


def test_the_inspector_reads_a_merged_case_and_hears_when_the_merge_is_undone(town: Town) -> None:
    target, _, _ = town.complaint()
    inspector, screener = town.assigned(target), town.officer("screener")
    merged, phone, citizen = town.complaint(text="آسفالت همین کوچه را دوباره کنده‌اند.", visit_wanted=True)
    upload = citizen.upload(photo())
    merged_id, target_id = id_of(merged), id_of(target)
    good(citizen.post(f"/v1/me/cases/{merged_id}/attachments", {"uploads": [upload]}))
    screener.do(merged_id, "screening")
    screener.do(merged_id, "merge", into=target_id)
    phone.next()
    number = shown(inspector.read(target_id)["number"])
    joined = f"پرونده دیگری به پرونده {number} پیوست. متن، مدارک و درخواست مراجعه آن را در همین پرونده ببینید."
    await_message(inspector, joined)

    def accepted() -> bool:
        [other] = inspector.read(target_id)["merged_cases"]
        assert (other["case_id"], other["text"]) == (merged_id, "آسفالت همین کوچه را دوباره کنده‌اند.")
        assert [visit["state"] for visit in other["visits"]] == ["asked"]
        assert [attachment["state"] for attachment in other["attachments"]] == ["accepted"]
        return True

    eventually(accepted, timeout=60)
    path = f"/v1/cases/{merged_id}"
    assert inspector.caller.get(f"{path}/attachments/{upload}").status_code == 200
    assert inspector.caller.get(path).status_code == 404

    head = town.officer("head")
    assert head.do(merged_id, "reopening", **REASON)["stage"] == "screening"
    text = "شکایت شما به اشتباه به پرونده‌ای دیگر پیوسته بود و اکنون جداگانه رسیدگی می‌شود."
    assert phone.next() == f"{text}\n{merged.dashed}\n{OFFICE}"
    await_message(inspector, f"پرونده‌ای که به اشتباه به پرونده {number} پیوسته بود از آن جدا شد.")
    assert inspector.read(target_id)["merged_cases"] == []
    assert inspector.caller.get(f"{path}/attachments/{upload}").status_code == 404


def test_a_wrong_unit_found_by_the_inspector_leads_back_to_screening(town: Town) -> None:
    case, _, _ = town.complaint()
    inspector, screener, liaison = town.assigned(case), town.officer("screener"), town.officer("liaison")
    case_id = id_of(case)
    number, owed = shown(inspector.read(case_id)["number"]), case.view()["expected_on"]
    inspector.do(case_id, "unit-questions", text="علت تأخیر چیست؟")
    view = inspector.do(case_id, "return-to-screening", reason="واحد دیگری است.")
    assert (view["stage"], view["handler"], entries(view)[-1]) == ("screening", None, "returned_to_screening")
    assert case.view_at("screening")["expected_on"] == owed
    await_message(screener, f"پرونده {number} از رسیدگی به غربالگری بازگشت تا نوع، واحد یا محور آن درست شود.")
    await_message(liaison, "پرسشی که بازرسی از واحد شما داشت دیگر به پاسخ نیاز ندارد.")
    assert inspector.caller.get(f"/v1/cases/{case_id}").status_code == 404
    screener.do(case_id, "corrections", kind="criticism")
    screener.do(case_id, "assignment", inspector=inspector.staff_id)
    assert inspector.read(case_id)["kind"] == "criticism"


def test_a_decision_taken_back_is_decided_anew_and_its_letter_replaced(town: Town) -> None:
    case, phone, _ = town.complaint()
    inspector, head, case_id = town.assigned(case), town.officer("head"), id_of(case)
    decision = {"outcome": "upheld", "reasons": "دیر شد.", "root_causes": ["process"]}
    past = {"recommendations": [{"text": "x", "due_on": "2020-01-01"}]}
    wrong = inspector.caller.post(
        f"/v1/cases/{case_id}/decision", {**decision, **past}, version=inspector.read(case_id)["version"]
    )
    refused(wrong, 422, "invalid_field")
    inspector.do(case_id, "decision", **decision)
    phone.next()
    number = shown(head.read(case_id)["number"])
    head.do(case_id, "reopening", **REASON)
    text = "نتیجه اعلام‌شده برای شکایت شما درست نبود و پس گرفته شد. دوباره به آن رسیدگی می‌کنیم."
    assert phone.next() == f"{text}\n{case.dashed}\n{OFFICE}"
    await_message(inspector, f"مدیر بازرسی پرونده {number} را که بر آن کار کرده‌اید دوباره گشود.")
    assert (case.view()["decision"], case.view()["can"]) == (None, ["withdraw"])
    town.officer("screener").do(case_id, "assignment", inspector=inspector.staff_id)
    inspector.do(case_id, "decision", outcome="not_upheld", reasons="در مهلت بوده است.")
    assert sorted(case.view_at("decided")["can"]) == ["object", "rate"]


def send(officer: Officer, case_id: str, command: str) -> httpx.Response:
    return officer.caller.post(f"/v1/cases/{case_id}/{command}", REASON, version=officer.read(case_id)["version"])
