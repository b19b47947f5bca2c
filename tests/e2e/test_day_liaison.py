"""A unit liaison's day: questions of the inspection office, answered in time or late, and what it recommends."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from backbone.persian import jalali
from contracts.base import now
from deploy.demo import evidence
from tests.e2e.day_parts import await_message, entries, persian_day, refused, shown, weeks_pass
from tests.e2e.hostile_parts import reader
from tests.e2e.people import JSON, Officer, Town, good
from tests.e2e.test_day_inspector import accepted
from tests.support.processes import eventually

pytestmark = pytest.mark.timeout(300)


def questions(liaison: Officer, **which: Any) -> dict[str, JSON]:
    """What is asked of the unit, by id."""
    return {item["question_id"]: item for item in good(liaison.caller.get("/v1/unit-questions", **which))["items"]}


def test_a_question_is_read_with_its_file_and_answered_late(town: Town) -> None:
    liaison, head = town.officer("liaison"), town.officer("head")
    word = f"زرشک{uuid.uuid4().hex[:6]}"
    shown_file, kept_file = (town.caller().upload(evidence.photo()) for _ in range(2))
    case, phone, _ = town.complaint(text=f"ماجرای {word} را می‌گویم.", uploads=[shown_file, kept_file])
    case_id = case.view()["case_id"]
    inspector = town.assigned(case)
    accepted(inspector, case_id, shown_file, kept_file)
    case_after = inspector.do(case_id, "unit-questions", text="علت تأخیر چیست؟", media=[shown_file])
    question_id = case_after["questions"][-1]["question_id"]

    # The inbox tells of it; the list shows the question, its day and its file, and nothing of the case or who wrote it.
    due = town.working_day(5)
    await_message(liaison, f"بازرسی از واحد شما پرسشی دارد. مهلت پاسخ: {persian_day(due.isoformat())}.")
    mine = questions(liaison)[question_id]
    assert (mine["text"], mine["due_on"]) == ("علت تأخیر چیست؟", due.isoformat())
    assert [file["media_id"] for file in mine["media"]] == [shown_file]
    path = f"/v1/unit-questions/{question_id}"
    assert liaison.caller.get(f"{path}/attachments/{shown_file}").status_code == 200
    assert liaison.caller.get(f"{path}/attachments/{kept_file}").status_code == 404
    everything = json.dumps([mine, good(liaison.caller.get("/v1/messages"))], ensure_ascii=False)
    for secret in (word, "شاکی نمونه", phone.mobile[3:], case.code, case_after["number"], case_id):
        assert secret not in everything
    for closed in (f"/v1/cases/{case_id}", "/v1/cases", f"/v1/cases/{case_id}/attachments/{shown_file}"):
        refused(liaison.caller.get(closed), 403, "not_allowed")
    refused(liaison.caller.post(f"/v1/cases/{case_id}/identity", {"reason": "می‌خواهم بدانم"}), 403, "not_allowed")

    # Two weeks go by. The unit is warned and then late, and the head hears of it; the answer is taken all the same.
    weeks_pass(town, case_id, 2)
    was_due = questions(liaison)[question_id]["due_on"]
    assert was_due < jalali.today(now()).isoformat()
    await_message(liaison, f"مهلت پاسخ واحد شما به پرسش بازرسی رو به پایان است: {persian_day(was_due)}.")
    await_message(
        head,
        f"واحد در مهلت خود به پرسش بازرس در پرونده {shown(case_after['number'])} پاسخ نداد: {persian_day(was_due)}.",
    )
    answer = {"text": "مسئول بایگانی در مرخصی بود."}
    assert good(liaison.caller.post(f"{path}/answer", answer))["answer"] == answer["text"]
    assert question_id not in questions(liaison)
    assert questions(liaison, open_only=False)[question_id]["answered_at"] is not None
    refused(liaison.caller.post(f"{path}/answer", {"text": "پاسخ دیگر"}), 409, "wrong_stage")
    read = inspector.read(case_id)
    assert read["questions"][-1]["answer"] == answer["text"]
    assert entries(read)[-3:] == ["deadline_warned", "escalated", "unit_answered"]
    view = case.view_at("investigating")
    assert [entry["text"] for entry in view["timeline"] if entry["entry"] == "unit_answered"] == [None]
    assert "مرخصی" not in str(view)

    # One that was not put to this unit is not there; nor is one that nobody ever put.
    elsewhere, _, _ = town.complaint(unit="org.waste")
    elsewhere_id = elsewhere.view()["case_id"]
    other_inspector, ask = town.assigned(elsewhere), f"/v1/cases/{elsewhere_id}/unit-questions"
    nobody = other_inspector.caller.post(ask, {"text": "چرا؟"}, version=other_inspector.read(elsewhere_id)["version"])
    refused(nobody, 409, "unit_without_liaison")  # nobody would read it
    assert other_inspector.read(elsewhere_id)["unit_has_liaison"] is False
    somebody = "INSERT INTO staff (staff_id, version, roles, unit, active) VALUES (%s, 1, %s, 'org.waste', true)"
    reader(town, "tracking").execute(somebody, (uuid.uuid4(), Jsonb(["liaison"])))
    other = other_inspector.do(elsewhere_id, "unit-questions", text="چرا؟")["questions"][-1]["question_id"]
    assert other not in questions(liaison, open_only=False)
    for unknown in (other, str(uuid.uuid4())):
        refused(liaison.caller.post(f"/v1/unit-questions/{unknown}/answer", answer), 404, "not_found")
    refused(inspector.caller.get("/v1/unit-questions"), 403, "not_allowed")


def test_a_late_question_that_was_replaced_cannot_be_answered(town: Town) -> None:
    liaison = town.officer("liaison")
    case, _, _ = town.complaint()
    case_id = case.view()["case_id"]
    inspector = town.assigned(case)
    question_id = inspector.do(case_id, "unit-questions", text="چرا؟")["questions"][-1]["question_id"]
    weeks_pass(town, case_id, 2)
    decided = inspector.do(case_id, "decision", outcome="upheld", reasons="پاسخی نیامد.", root_causes=["process"])
    assert entries(decided)[-2:] == ["question_lapsed", "decided"]
    assert question_id not in questions(liaison)
    late = liaison.caller.post(f"/v1/unit-questions/{question_id}/answer", {"text": "دیر شد."})
    refused(late, 409, "wrong_stage")
    assert inspector.read(case_id)["version"] == decided["version"]


def test_recommendations_are_carried_out_or_declined_with_a_reason(town: Town) -> None:
    liaison, head = town.officer("liaison"), town.officer("head")
    case, _, _ = town.complaint()
    case_id = case.view()["case_id"]
    inspector = town.assigned(case)
    soon = (jalali.today(now()) + timedelta(days=30)).isoformat()
    wanted = ["زمان هر مرحله به شهروند اعلام شود.", "بایگانی دوباره چیده شود.", "یک کارمند افزوده شود."]
    decision = {"outcome": "upheld", "reasons": "بی‌اقدام مانده است.", "root_causes": ["resources"]}
    recommendations = [{"text": text, "due_on": soon} for text in wanted]
    decided = inspector.do(case_id, "decision", **decision, recommendations=recommendations)
    ids = {recommendation["text"]: recommendation["recommendation_id"] for recommendation in decided["followed"]}
    number = decided["number"]
    await_message(
        liaison, "بازرسی به واحد شما پیشنهادهایی داده است. لطفاً انجام یا دلیل انجام نشدن هر یک را گزارش کنید."
    )

    def listed(**which: Any) -> dict[str, JSON]:
        items = good(liaison.caller.get("/v1/recommendations", **which))["items"]
        return {item["recommendation_id"]: item for item in items}

    for recommendation_id in ids.values():
        assert (
            listed()[recommendation_id]["case_id"],
            listed()[recommendation_id]["number"],
            listed()[recommendation_id]["state"],
        ) == (None, None, "open")

    # One is done, and the office agrees. One is declined, at first without a reason, which will not do.
    done, declined, late = (f"/v1/recommendations/{ids[text]}/report" for text in wanted)
    good(liaison.caller.post(done, {"done": True, "reason": "از این هفته پیامک می‌شود."}))
    await_message(inspector, f"واحد درباره پیشنهاد پرونده {shown(number)} گزارش داد. لطفاً آن را بررسی کنید.")
    assert liaison.caller.post(declined, {"done": False}).status_code == 422
    assert good(liaison.caller.post(declined, {"done": False, "reason": "جا نداریم."}))["state"] == "reported_declined"
    settle = {text: f"recommendations/{ids[text]}/settlement" for text in wanted}
    inspector.do(case_id, settle[wanted[0]], accepted=True)
    # The office does not think so and sends it back; the unit says it again, and then it is so.
    inspector.do(case_id, settle[wanted[1]], accepted=False, reason="انبار کهنه خالی است.")
    await_message(liaison, "گزارش واحد شما درباره یک پیشنهاد بازرسی پذیرفته نشد.")
    assert (listed()[ids[wanted[1]]]["state"], listed()[ids[wanted[1]]]["reason"]) == ("open", "انبار کهنه خالی است.")
    good(liaison.caller.post(declined, {"done": False, "reason": "انبار کهنه نم دارد."}))
    inspector.do(case_id, settle[wanted[1]], accepted=True)
    refused(liaison.caller.post(done, {"done": True}), 409, "wrong_stage")  # the office has spoken

    # Nobody reports on the third: its day passes, the unit and the head are told, once.
    weeks_pass(town, case_id, 6)
    was_due = persian_day(listed()[ids[wanted[2]]]["due_on"])
    await_message(liaison, f"مهلت انجام یک پیشنهاد بازرسی به واحد شما گذشته است: {was_due}.")
    await_message(head, f"پیشنهاد پرونده {shown(number)} در مهلت خود انجام نشد: {was_due}.")
    good(liaison.caller.post(late, {"done": True}))

    def settled() -> JSON:
        # The calendar closed the case meanwhile: what the unit was told to do outlives it.
        return inspector.do(case_id, settle[wanted[2]], accepted=True)

    followed = {recommendation["text"]: recommendation["state"] for recommendation in eventually(settled)["followed"]}
    assert followed == {wanted[0]: "done", wanted[1]: "declined", wanted[2]: "done"}
    assert not set(ids.values()) & set(listed())
    assert set(ids.values()) <= set(listed(open_only=False))
