"""The office's own day through the door: screener, inspector, head and liaison, and what each of them may not do."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from contracts.base import now
from tests.e2e.people import Town, good
from tests.support.processes import eventually

DECISION: dict[str, Any] = {
    "outcome": "upheld",
    "reasons": "پرونده هشتاد روز بی‌اقدام مانده است.",
    "root_causes": ["process"],
    "recommendations": [
        {"text": "زمان هر مرحله به شهروند اعلام شود.", "due_on": (now().date() + timedelta(days=40)).isoformat()}
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
    one = followed["recommendation_id"]

    def listed(who: Any) -> dict[str, Any]:
        return {item["recommendation_id"]: item for item in good(who.caller.get("/v1/recommendations"))["items"]}

    assert listed(liaison)[one]["case_id"] is None
    assert listed(head)[one]["case_id"] == case_id
    refused(liaison.caller.get(f"/v1/cases/{case_id}"), 403, "not_allowed")
    report = f"/v1/recommendations/{one}/report"
    refused(inspector.caller.post(report, {"done": True}), 403, "not_allowed")
    assert liaison.caller.post(report, {"done": False}).status_code == 422
    assert good(liaison.caller.post(report, {"done": True}))["state"] == "reported_done"
    settled = inspector.do(case_id, f"recommendations/{one}/settlement", accepted=True)
    assert settled["followed"][0]["state"] == "done"
    assert one not in listed(liaison)

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
    heard = head.do(case_id, "assignment")  # whoever is free, and that is never who decided
    assert heard["handler"] == other.staff_id
    final = other.do(case_id, "decision", **DECISION)
    assert final["decision"]["final"]
    refused(case.holder.post("/v1/tracking/objection", {"text": "باز هم نه."}), 409, "wrong_stage")


def test_an_inspector_keeps_a_list_a_link_and_a_day_in_mind(town: Town) -> None:
    first, second = town.report(), town.report()
    ids = [str(one.view()["case_id"]) for one in (first, second)]
    inspector, head = town.assigned(first), town.officer("head")
    case = inspector.do(ids[0], "checklist", text="بازدید از محل")
    item = case["checklist"][0]["item_id"]
    assert inspector.do(ids[0], f"checklist/{item}", done=True)["checklist"][0]["done"]
    soon = (now().date() + timedelta(days=9)).isoformat()
    assert inspector.do(ids[0], "reminders", on=soon, text="پیگیری استعلام")["reminders"][0]["on"] == soon
    past = {"on": "2026-01-01", "text": "x"}
    version = inspector.read(ids[0])["version"]
    assert inspector.caller.post(f"/v1/cases/{ids[0]}/reminders", past, version=version).status_code == 422
    other = {"to": ids[1]}
    assert inspector.caller.post(f"/v1/cases/{ids[0]}/links", other, version=version).status_code == 422  # not theirs
    assert head.do(ids[0], "links", to=ids[1])["linked"][0]["case_id"] == ids[1]
    assert inspector.read(ids[0])["linked"] == []
    noted = inspector.do(ids[0], "notes", text="لطفاً ببینید.", mentions=[head.staff_id])
    told = f"در یادداشتی از پرونده \u2066{noted['number']}\u2069 از شما نام برده شد."
    eventually(lambda: told in [one["text"] for one in good(head.caller.get("/v1/messages"))["items"]])
    refused(
        town.officer("screener").caller.post(f"/v1/cases/{ids[0]}/checklist", {"text": "x"}, version=noted["version"]),
        403,
        "not_allowed",
    )


def test_the_screener_is_helped_and_assigns_many_at_once(town: Town) -> None:
    story = f"چراغ برق کوچه {uuid.uuid4().hex[:6]} خاموش است و کسی رسیدگی نمی‌کند."
    first, second = town.report(text=story), town.report(text=story)
    screener, head = town.officer("screener"), town.officer("head")
    ids = [str(one.view()["case_id"]) for one in (first, second)]
    told = good(screener.caller.get(f"/v1/cases/{ids[1]}/suggestions"))
    assert ids[0] in [one["case_id"] for one in told["similar"]]
    refused(town.officer("liaison").caller.get(f"/v1/cases/{ids[1]}/suggestions"), 403, "not_allowed")
    for case_id in ids:
        screener.do(case_id, "screening")
    seen = [{"case_id": one, "expected_version": screener.read(one)["version"]} for one in ids]
    stale = {**seen[1], "expected_version": 1}
    body = {"cases": [seen[0], stale]}
    items = good(screener.caller.post("/v1/assignments", body))["items"]
    assert items[0]["handler"] is not None
    assert items[1]["error"] == "stale_version"
    refused(town.officer("liaison").caller.post("/v1/assignments", body), 403, "not_allowed")
    skilled = {one["inspector"]: one for one in good(head.caller.get("/v1/inspectors"))["items"]}
    assert skilled[items[0]["handler"]]["open_cases"] >= 1


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
