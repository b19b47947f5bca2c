"""A day of the office over the API: screener, inspector, head and liaison, and what each of them may not do."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from backbone.persian import jalali
from contracts.base import now
from tests.e2e.people import Town, good
from tests.support.processes import eventually

DECISION: dict[str, Any] = {
    "outcome": "upheld",
    "reasons": "پرونده هشتاد روز بی‌اقدام مانده است.",
    "root_causes": ["process"],
    "recommendations": [
        {"text": "زمان هر مرحله به شهروند اعلام شود.", "due_on": (jalali.today(now()) + timedelta(days=40)).isoformat()}
    ],
}


def refused(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text


def test_a_decision_is_proposed_returned_approved_and_its_recommendation_followed(town: Town) -> None:
    case, _, _ = town.complaint()
    case_id = case.view()["case_id"]
    screener, head, liaison = (town.officer(name) for name in ("screener", "head", "liaison"))
    assert case.view()["expected_on"] == town.working_day(15).isoformat()
    inspector = town.assigned(case)

    # Wrong stage, wrong role, stale version, none at all.
    version = inspector.read(case_id)["version"]
    approval = f"/v1/cases/{case_id}/approval"
    refused(head.caller.post(approval, {}, version=version), 409, "wrong_stage")
    refused(inspector.caller.post(approval, {}, version=version), 403, "not_allowed")
    refused(screener.caller.post(f"/v1/cases/{case_id}/proposal", DECISION, version=version), 403, "not_allowed")
    refused(inspector.caller.post(f"/v1/cases/{case_id}/proposal", DECISION, version=version - 1), 412, "stale_version")
    refused(inspector.caller.post(f"/v1/cases/{case_id}/proposal", DECISION), 428, "version_needed")
    without_cause = {**DECISION, "root_causes": []}
    assert inspector.caller.post(f"/v1/cases/{case_id}/proposal", without_cause, version=version).status_code == 422

    proposed = inspector.do(case_id, "proposal", **DECISION)
    assert proposed["proposal"]["by"] == inspector.staff_id
    assert case.view()["stage"] == "investigating"
    number = proposed["number"]
    waiting = f"نتیجه پیشنهادی پرونده \u2066{number}\u2069 در انتظار تأیید شماست."
    eventually(lambda: waiting in [item["text"] for item in good(head.caller.get("/v1/messages"))["items"]])
    refused(
        inspector.caller.post(f"/v1/cases/{case_id}/citizen-questions", {"text": "؟"}, version=proposed["version"]),
        409,
        "wrong_stage",
    )
    assert head.do(case_id, "return", reason="به تاریخ استعلام اشاره شود.")["proposal"] is None
    inspector.do(case_id, "proposal", **DECISION)
    decided = head.do(case_id, "approval")
    assert decided["decision"]["reasons"] == DECISION["reasons"]
    assert case.view_at("decided")["decision"]["outcome"] == "upheld"

    # The unit reports, the inspector agrees.
    [followed] = decided["followed"]
    recommendation_id = followed["recommendation_id"]

    def listed(who: Any) -> dict[str, Any]:
        return {item["recommendation_id"]: item for item in good(who.caller.get("/v1/recommendations"))["items"]}

    assert listed(liaison)[recommendation_id]["case_id"] is None
    assert listed(head)[recommendation_id]["case_id"] == case_id
    refused(liaison.caller.get(f"/v1/cases/{case_id}"), 403, "not_allowed")
    report = f"/v1/recommendations/{recommendation_id}/report"
    refused(inspector.caller.post(report, {"done": True}), 403, "not_allowed")
    assert liaison.caller.post(report, {"done": False}).status_code == 422
    assert good(liaison.caller.post(report, {"done": True}))["state"] == "reported_done"
    settled = inspector.do(case_id, f"recommendations/{recommendation_id}/settlement", accepted=True)
    assert settled["followed"][0]["state"] == "done"
    assert recommendation_id not in listed(liaison)

    # Rated with its four questions, objected to once, heard by another than the two who decided.
    answers = {"informed_clearly": True, "treated_well": True, "on_time": False, "asked_improper": False}
    good(case.holder.post("/v1/tracking/rating", {"score": 3, **answers}))
    good(case.holder.post("/v1/tracking/objection", {"text": "به مدرک دوم من توجه نشد."}))
    rated = next(entry for entry in head.read(case_id)["timeline"] if entry["entry"] == "rated")
    assert rated["details"] == {"score": 3, **answers}
    version = head.read(case_id)["version"]
    again = head.caller.post(f"/v1/cases/{case_id}/assignment", {"inspector": inspector.staff_id}, version=version)
    assert again.status_code == 422
    other = town.officer("inspector2")
    assigned = head.do(case_id, "assignment")  # whoever is free, and that is never who decided
    assert assigned["handler"] == other.staff_id
    final = other.do(case_id, "decision", **DECISION)
    assert final["decision"]["final"]
    refused(case.holder.post("/v1/tracking/objection", {"text": "باز هم نه."}), 409, "wrong_stage")


def test_an_inspector_keeps_a_checklist_a_link_and_a_reminder(town: Town) -> None:
    first, second = town.report(), town.report()
    ids = [str(filed.view()["case_id"]) for filed in (first, second)]
    inspector, head = town.assigned(first), town.officer("head")
    case = inspector.do(ids[0], "checklist", text="بازدید از محل")
    item = case["checklist"][0]["item_id"]
    assert inspector.do(ids[0], f"checklist/{item}", done=True)["checklist"][0]["done"]
    soon = (jalali.today(now()) + timedelta(days=9)).isoformat()
    assert inspector.do(ids[0], "reminders", on=soon, text="پیگیری استعلام")["reminders"][0]["on"] == soon
    past = {"on": "2026-01-01", "text": "x"}
    version = inspector.read(ids[0])["version"]
    assert inspector.caller.post(f"/v1/cases/{ids[0]}/reminders", past, version=version).status_code == 422
    other = {"to": ids[1]}
    assert inspector.caller.post(f"/v1/cases/{ids[0]}/links", other, version=version).status_code == 422  # not theirs
    assert head.do(ids[0], "links", to=ids[1])["linked"][0]["case_id"] == ids[1]
    assert inspector.read(ids[0])["linked"] == []
    noted = inspector.do(ids[0], "notes", text="لطفاً ببینید.", mentions=[head.staff_id])
    mention = f"در یادداشتی از پرونده \u2066{noted['number']}\u2069 از شما نام برده شد."
    eventually(lambda: mention in [item["text"] for item in good(head.caller.get("/v1/messages"))["items"]])
    refused(
        town.officer("screener").caller.post(f"/v1/cases/{ids[0]}/checklist", {"text": "x"}, version=noted["version"]),
        403,
        "not_allowed",
    )


def test_the_screener_gets_suggestions_and_assigns_in_bulk(town: Town) -> None:
    story = f"چراغ برق کوچه {uuid.uuid4().hex[:6]} خاموش است و کسی رسیدگی نمی‌کند."
    first, second = town.report(text=story), town.report(text=story)
    screener, head = town.officer("screener"), town.officer("head")
    ids = [str(case.view()["case_id"]) for case in (first, second)]
    suggestions = good(screener.caller.get(f"/v1/cases/{ids[1]}/suggestions"))
    assert ids[0] in [similar_case["case_id"] for similar_case in suggestions["similar"]]
    refused(town.officer("liaison").caller.get(f"/v1/cases/{ids[1]}/suggestions"), 403, "not_allowed")
    for case_id in ids:
        screener.do(case_id, "screening")
    seen = [{"case_id": case_id, "expected_version": screener.read(case_id)["version"]} for case_id in ids]
    stale = {**seen[1], "expected_version": 1}
    body = {"cases": [seen[0], stale]}
    items = good(screener.caller.post("/v1/assignments", body))["items"]
    assert items[0]["handler"] is not None
    assert items[1]["error"] == "stale_version"
    refused(town.officer("liaison").caller.post("/v1/assignments", body), 403, "not_allowed")
    skilled = {item["inspector"]: item for item in good(head.caller.get("/v1/inspectors"))["items"]}
    assert skilled[items[0]["handler"]]["open_cases"] >= 1


def set_decision_rules(town: Town, **rules: Any) -> None:
    administrator = town.officer("administrator").caller
    version = good(administrator.get("/v1/configuration"))["version"]
    headers = {"Idempotency-Key": uuid.uuid4().hex, "If-Match": f'"{version}"'}
    good(administrator.request("PUT", "/v1/configuration/decisions", json=rules, headers=headers))


@contextmanager
def four_eyes_for(town: Town, *kinds: str) -> Iterator[None]:
    before = good(town.officer("administrator").caller.get("/v1/configuration"))["four_eyes"]
    set_decision_rules(town, four_eyes=list(kinds))
    try:
        yield
    finally:
        set_decision_rules(town, four_eyes=before)


def settlement(**changes: Any) -> dict[str, Any]:
    return {
        "agreement": "گفتند چراغ کوچه دیروز درست شد و شکایتی ندارند.",
        "agreed_at": now().isoformat(),
        "agreed_by": "phone",
        "consented": True,
        "reasons": "با توافق شما پرونده بی نیاز به رسیدگی پایان یافت.",
        **changes,
    }


def test_a_case_is_settled_at_first_reading_and_its_citizen_may_object(town: Town) -> None:
    with four_eyes_for(town, "complaint"):  # known to tracking by the time that it is screened
        case, report = town.complaint()[0], town.report()
        case_id, report_id = (str(filed.view()["case_id"]) for filed in (case, report))
        screener, head = town.officer("screener"), town.officer("head")
        path = f"/v1/cases/{case_id}/early-settlement"
        refused(screener.caller.post(path, settlement(), version=screener.read(case_id)["version"]), 409, "wrong_stage")
        for filed in (case_id, report_id):
            screener.do(filed, "screening")
        version = screener.read(case_id)["version"]
        refused(town.officer("inspector").caller.post(path, settlement(), version=version), 404, "unknown_case")
        refused(town.officer("operator").caller.post(path, settlement(), version=version), 403, "not_allowed")
        refused(screener.caller.post(path, settlement(), version=version - 1), 412, "stale_version")
        refused(screener.caller.post(path, settlement(consented=False), version=version), 422, "invalid_field")
        early = settlement(agreed_at=(now() + timedelta(hours=1)).isoformat())
        refused(screener.caller.post(path, early, version=version), 422, "invalid_field")
        reported = screener.read(report_id)["version"]
        of_report = f"/v1/cases/{report_id}/early-settlement"
        refused(screener.caller.post(of_report, settlement(), version=reported), 409, "not_settleable")

        waiting = screener.do(case_id, "early-settlement", **settlement())
        assert (waiting["stage"], waiting["proposal"]["early"]) == ("screening", True)
        assert case.view()["stage"] == "screening"
        refusal = {"reason": "repeat", "explanation": "پیش‌تر پاسخ داده شده است."}
        refused(
            screener.caller.post(f"/v1/cases/{case_id}/refusal", refusal, version=waiting["version"]),
            409,
            "wrong_stage",
        )
        head.do(case_id, "return", reason="با او دوباره صحبت شود.")
        line = f"سازش پیشنهادی در نخستین بررسی پرونده \u2066{waiting['number']}\u2069 بازگردانده شد."
        eventually(lambda: line in [item["text"] for item in good(screener.caller.get("/v1/messages"))["items"]])
        screener.do(case_id, "early-settlement", **settlement())
        head.do(case_id, "approval")
    decided = case.view_at("decided")
    assert decided["decision"]["outcome"] == "settled"
    assert decided["decision"]["objection_until"] is not None
    assert settlement()["agreement"] not in str(decided), "the citizen's word is the office's own"
    agreed = next(entry for entry in head.read(case_id)["timeline"] if entry["entry"] == "settlement_agreed")
    assert agreed["details"]["text"] == settlement()["agreement"]
    assert agreed["actor_id"] == screener.staff_id
    good(case.holder.post("/v1/tracking/objection", {"text": "چراغ دوباره خاموش شد."}))
    inspector = town.officer("inspector")
    assert head.do(case_id, "assignment", inspector=inspector.staff_id)["handler"] == inspector.staff_id


def test_a_case_goes_to_a_third_other_unit_by_the_head_alone(town: Town) -> None:
    case = town.complaint()[0]
    case_id = str(case.view()["case_id"])
    screener, head = town.officer("screener"), town.officer("head")
    own = screener.do(case_id, "screening")["unit"]
    other = "dep.urb.control"
    assert screener.do(case_id, "corrections", unit=other)["transfers"] == 1
    assert screener.do(case_id, "corrections", unit=own)["transfers"] == 2
    path, version = f"/v1/cases/{case_id}/corrections", screener.read(case_id)["version"]
    third = screener.caller.post(path, {"unit": other}, version=version)
    refused(third, 409, "head_needed")
    assert "2" in third.json()["detail"] or "۲" in third.json()["detail"]
    refused(screener.caller.post(path, {"unit": other}, version=version - 1), 412, "stale_version")
    assert screener.do(case_id, "corrections", ground="conduct")["transfers"] == 2
    assert head.do(case_id, "corrections", unit=other)["transfers"] == 3
    set_decision_rules(town, transfers_without_head=4)
    try:
        fourth = {"unit": own}
        eventually(
            lambda: screener.caller.post(path, fourth, version=screener.read(case_id)["version"]).status_code == 200
        )
        assert screener.read(case_id)["transfers"] == 4
    finally:
        set_decision_rules(town, transfers_without_head=2)


def test_one_decision_for_many_cases_judges_each_by_its_own_rules(town: Town) -> None:
    head, inspector = town.officer("head"), None
    with four_eyes_for(town, "complaint"):  # known to tracking by the time that the cases are assigned
        complaint, report, unread = town.complaint()[0], town.report(), town.report()
        cases = [complaint, report, unread]
        ids = [str(case.view()["case_id"]) for case in cases]
        for case in (complaint, report):
            inspector = town.assigned(case)
        assert inspector is not None
        seen = [{"case_id": case_id, "expected_version": head.read(case_id)["version"]} for case_id in ids]
        decision = {"outcome": "not_upheld", "reasons": "قطعی آب آن هفته را شرکت آب و فاضلاب اعلام کرده بود."}
        body = {"decision": decision, "cases": [*seen, {"case_id": str(uuid.uuid4()), "expected_version": 1}]}
        refused(town.officer("screener").caller.post("/v1/decisions", body), 403, "not_allowed")
        key = uuid.uuid4().hex
        for _ in range(2):  # the second time it is all done already
            items = good(inspector.caller.post("/v1/decisions", body, key=key))["items"]
            assert [item["result"] for item in items] == ["proposed", "decided", "refused", "refused"]
            assert [item["problem"] and item["problem"]["code"] for item in items][:2] == [None, None]
        # None of theirs: one that nobody has assigned to them, and one that there is not.
        assert {item["problem"]["status"] for item in items[2:]} <= {403, 404}
        assert items[3]["problem"]["code"] == "unknown_case"
        entries = [entry["entry"] for entry in head.read(ids[1])["timeline"]]
        assert entries.count("decided") == 1
        assert report.view_at("decided")["decision"]["reasons"] == decision["reasons"]
        assert complaint.view()["stage"] == "investigating"
        head.do(ids[0], "approval")
        assert complaint.view_at("decided")["decision"]["objection_until"] is not None
        # Each with its own right to object.
        good(report.holder.post("/v1/tracking/objection", {"text": "آب خانه من هنوز قطع است."}))
        assert complaint.view()["stage"] == "decided"
        late = good(head.caller.post("/v1/decisions", {"decision": decision, "cases": seen}))["items"]
        assert {item["problem"]["code"] for item in late[:2]} == {"stale_version"}


def test_with_four_eyes_an_objection_needs_another_inspector_and_no_second_head(town: Town) -> None:
    administrator, head = town.officer("administrator").caller, town.officer("head")
    rules = good(administrator.get("/v1/configuration"))

    def set_four_eyes(kinds: list[str]) -> None:
        version = good(administrator.get("/v1/configuration"))["version"]
        headers = {"Idempotency-Key": uuid.uuid4().hex, "If-Match": f'"{version}"'}
        good(administrator.request("PUT", "/v1/configuration/decisions", json={"four_eyes": kinds}, headers=headers))

    set_four_eyes(["complaint"])
    try:
        case, _, _ = town.complaint()
        case_id = str(case.view()["case_id"])
        inspector, other = town.assigned(case), town.officer("inspector2")
        inspector.do(case_id, "proposal", **DECISION)
        head.do(case_id, "approval")
        assert not case.view_at("decided")["decision"]["final"]
        good(case.holder.post("/v1/tracking/objection", {"text": "نمی‌پذیرم."}))
        head.do(case_id, "assignment", inspector=other.staff_id)
        version = head.read(case_id)["version"]
        own = head.caller.post(f"/v1/cases/{case_id}/proposal", DECISION, version=version)
        assert (own.status_code, head.read(case_id)["version"]) == (403, version)
        other.do(case_id, "proposal", **DECISION)
        head.do(case_id, "approval")
        assert case.view_at("decided")["decision"]["final"]
    finally:
        set_four_eyes(rules["four_eyes"])
