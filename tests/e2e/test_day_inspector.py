"""An inspector's day: a complaint and a report are looked into, asked about, seen to, and come to a proposed decision."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backbone.persian import jalali
from contracts.base import now
from deploy.demo import evidence
from tests.e2e.day_parts import await_message, entries, last, refused, shown, weeks_pass
from tests.e2e.people import JSON, Case, Officer, Town, good
from tests.e2e.test_visits import held_by, new_slot, offer
from tests.support.processes import eventually

pytestmark = pytest.mark.timeout(300)


def states(case: JSON) -> dict[str, str]:
    """Media id → what became of it."""
    return {attachment["media_id"]: attachment["state"] for attachment in case["attachments"]}


def accepted(inspector: Officer, case_id: str, *media: str) -> JSON:
    """The case, once all of these have been looked at and may be seen."""

    def seen() -> JSON:
        case = inspector.read(case_id)
        file_states = states(case)
        assert [file_states.get(file) for file in media] == ["accepted"] * len(media), file_states
        return case

    return eventually(seen, timeout=60)


def test_a_complaint_is_asked_about_on_both_sides_and_a_decision_proposed(town: Town) -> None:
    screener, head, liaison = (town.officer(name) for name in ("screener", "head", "liaison"))

    # The list of the day: what was given to me, and nothing that was given to another.
    case, phone, citizen = town.complaint()
    others, _, _ = town.complaint()
    case_id, others_id = (filed.view()["case_id"] for filed in (case, others))
    me = town.assigned(case)
    town.assigned(others, "inspector2")
    mine = good(me.caller.get("/v1/cases", limit=100))["items"]
    assert mine[0]["case_id"] == case_id
    assert {item["handler"] for item in mine} == {me.staff_id}
    assert me.caller.get(f"/v1/cases/{others_id}").status_code == 404
    due = case.view_at("investigating")["expected_on"]
    assert due == town.working_day(15).isoformat()

    # The citizen is asked; the clock stands. A week later they answer, with a photo, and the time that it stood is given.
    case_after = me.do(case_id, "citizen-questions", text="نخستین بار چه روزی مراجعه کردید؟ رسید دارید؟")
    assert case_after["expected_on"] is None
    assert case.view_at("awaiting_citizen")["expected_on"] is None
    assert case.dashed in phone.next()
    refused(
        me.caller.post(f"/v1/cases/{case_id}/citizen-questions", {"text": "؟"}, version=case_after["version"]),
        409,
        "wrong_stage",
    )
    weeks_pass(town, case_id, 1)
    receipt = citizen.upload(evidence.photo(), "receipt.jpg")
    answer = {"text": "دوم شهریور؛ رسید پیوست است.", "uploads": [receipt]}
    answered = good(citizen.post(f"/v1/me/cases/{case_id}/answers", answer))
    assert answered["stage"] == "investigating"
    assert answered["expected_on"] == due  # filed a week earlier, stood for a week
    await_message(me, f"شهروند به پرسش شما در پرونده {shown(case_after['number'])} پاسخ داد.")
    [to_citizen] = accepted(me, case_id, receipt)["questions"]
    assert to_citizen["answer"] == answer["text"]
    assert to_citizen["media"] == [receipt]
    assert me.caller.get(f"/v1/cases/{case_id}/attachments/{receipt}").status_code == 200

    # The unit is asked, with that photo; it answers with one of its own.
    case_after = me.do(case_id, "unit-questions", text="چرا از دوم شهریور بی‌اقدام مانده است؟", media=[receipt])
    question = case_after["questions"][-1]
    assert (question["unit"], question["due_on"]) == ("dep.urb.permits", town.working_day(5).isoformat())
    assert case_after["expected_on"] == due  # the clock of the decision runs on
    path = f"/v1/unit-questions/{question['question_id']}"
    assert liaison.caller.get(f"{path}/attachments/{receipt}").status_code == 200
    letter = liaison.caller.upload(evidence.photo(), "letter.jpg")
    good(liaison.caller.post(f"{path}/answer", {"text": "در بایگانی مانده بود.", "uploads": [letter]}))
    await_message(me, f"واحد به پرسش شما در پرونده {shown(case_after['number'])} پاسخ داد.")
    assert accepted(me, case_id, letter)["questions"][-1]["media"] == [receipt, letter]
    citizen_sees = citizen.get(f"/v1/me/cases/{case_id}/attachments/{letter}")
    assert citizen_sees.status_code == 404  # the unit's paper is the office's alone

    # Notes for colleagues, a day to come back to it, a list to work through, a case that belongs to it.
    noted = me.do(case_id, "notes", text="لطفاً نامه واحد را ببینید.", mentions=[head.staff_id])
    await_message(head, f"در یادداشتی از پرونده {shown(noted['number'])} از شما نام برده شد.")
    version = noted["version"]
    outsider = {"text": "ببینید.", "mentions": [liaison.staff_id]}
    assert me.caller.post(f"/v1/cases/{case_id}/notes", outsider, version=version).status_code == 422
    soon = (jalali.today(now()) + timedelta(days=7)).isoformat()
    assert [
        reminder["on"] for reminder in me.do(case_id, "reminders", on=soon, text="پیگیری بایگانی")["reminders"]
    ] == [soon]
    for text in ("گفت‌وگو با مسئول بایگانی", "دیدن دفتر نامه‌ها"):
        me.do(case_id, "checklist", text=text)
    first, second = me.read(case_id)["checklist"]
    listed = me.do(case_id, f"checklist/{first['item_id']}", done=True)["checklist"]
    assert [(item["item_id"], item["done"]) for item in listed] == [
        (first["item_id"], True),
        (second["item_id"], False),
    ]
    like, _, _ = town.complaint()
    like_id = like.view()["case_id"]
    town.assigned(like)
    assert [link["case_id"] for link in me.do(case_id, "links", to=like_id)["linked"]] == [like_id]
    assert [link["case_id"] for link in me.read(like_id)["linked"]] == [case_id]

    # What the inspector found on the spot is evidence of the office: the citizen does not see it.
    upload_id = me.caller.upload(evidence.photo(), "ledger.jpg")
    me.do(case_id, "evidence", uploads=[upload_id])
    by_office = {
        attachment["media_id"]: attachment["from_office"]
        for attachment in accepted(me, case_id, upload_id)["attachments"]
    }
    assert by_office == {receipt: False, letter: True, upload_id: True}
    assert [attachment["media_id"] for attachment in case.view()["attachments"]] == [receipt]

    # The decision is proposed, with its cause and what the unit should change; the citizen sees nothing of it yet.
    decision = {
        "outcome": "upheld",
        "reasons": "پرونده هشتاد روز بی‌اقدام مانده است.",
        "root_causes": ["process", "people"],
        "recommendations": [{"text": "زمان هر مرحله به شهروند اعلام شود.", "due_on": soon}],
    }
    version = me.read(case_id)["version"]
    path = f"/v1/cases/{case_id}/proposal"
    groundless = {**decision, "root_causes": []}
    assert me.caller.post(path, groundless, version=version).status_code == 422
    refused(screener.caller.post(path, decision, version=version), 403, "not_allowed")
    refused(town.officer("inspector2").caller.post(path, decision, version=version), 404, "unknown_case")
    proposed = me.do(case_id, "proposal", **decision)
    assert (proposed["stage"], proposed["proposal"]["by"]) == ("investigating", me.staff_id)
    refused(me.caller.post(f"/v1/cases/{case_id}/approval", {}, version=proposed["version"]), 403, "not_allowed")
    view = case.view()
    assert (view["stage"], view["decision"]) == ("investigating", None)
    secret = ("زمان هر مرحله", "بایگانی", "هشتاد روز", me.staff_id)
    assert not [word for word in secret if word in str(view)]
    # All of it is to be read in the order in which it happened.
    assert entries(proposed) == [
        *(
            "opened",
            "screening_started",
            "assigned",
            "citizen_asked",
            "citizen_answered",
            "unit_asked",
            "unit_answered",
        ),
        *("note_added", "reminder_set", "check_added", "check_added", "check_ticked", "linked"),
        *("evidence_added", "decision_proposed"),
    ]


def test_an_anonymous_reporter_answers_by_code_and_visits_the_office(town: Town) -> None:
    keeper = town.officer("head")
    case = town.report()
    case_id = case.view()["case_id"]
    me = town.assigned(case)
    good(case.holder.post("/v1/tracking/visit-request", {}))
    await_message(me, f"شهروند پرونده {shown(me.read(case_id)['number'])} مراجعه حضوری خواسته است.")

    # Asked and answered by the code alone, a recording included; nobody learns who it was.
    me.do(case_id, "citizen-questions", text="شماره ماشین را دیدید؟")
    case.view_at("awaiting_citizen")
    sound = case.holder.upload(evidence.voice_note(), "note.wav", "audio/wav")
    good(case.holder.post("/v1/tracking/answers", {"text": "در پیام صوتی گفته‌ام.", "uploads": [sound]}))
    read = accepted(me, case_id, sound)
    line = next(entry for entry in read["timeline"] if entry["entry"] == "citizen_answered")
    assert (line["actor_kind"], line["actor_id"]) == ("bearer", None)
    assert read["anonymous"] is True
    refused(town.opens(case_id, "برای دعوت به جلسه"), 404, "unknown_case")

    # They come: a time is offered, taken, and what was said is written down for the office alone.
    hold_visit(town, case, me, keeper)

    # They did not find it themselves in time: a question that waits too long stops nobody.
    me.do(case_id, "citizen-questions", text="آیا عکسی دارید؟")
    version = me.read(case_id)["version"]
    decision = {"outcome": "not_upheld", "reasons": "دلیلی یافت نشد."}
    refused(me.caller.post(f"/v1/cases/{case_id}/decision", decision, version=version), 409, "wrong_stage")
    weeks_pass(town, case_id, 4)
    number = me.read(case_id)["number"]
    await_message(
        me, f"شهروند در مهلت خود به پرسش شما در پرونده {shown(number)} پاسخ نداد. می‌توانید رسیدگی را ادامه دهید."
    )
    decided = me.do(case_id, "decision", **decision)
    assert entries(decided)[-3:] == ["deadline_warned", "question_lapsed", "decided"]
    assert case.view_at("decided")["question"] is None


def test_a_citizen_who_does_not_answer_is_reminded_and_one_message_reopens_the_case(town: Town) -> None:
    case = town.report()  # reached by nobody: all of it is shown by the code
    me = town.assigned(case)
    case_id = str(case.view()["case_id"])
    due = case.view()["expected_on"]
    me.do(case_id, "citizen-questions", text="شماره ماشین را دیدید؟")
    weeks_pass(town, case_id, 1)
    eventually(lambda: case.view()["timeline"][-1]["entry"] == "citizen_reminded")
    weeks_pass(town, case_id, 8)
    closed = case.view_at("closed")
    assert (closed["closed_reason"], closed["can"]) == ("unanswered", ["answer_question"])
    assert closed["question"]["text"] == "شماره ماشین را دیدید؟"
    assert closed["timeline"][-1]["entry"] == "closed_unanswered"
    number = me.read(case_id)["number"]
    await_message(
        me,
        f"شهروند به پرسش شما در پرونده {shown(number)} پاسخ نداد و پرونده بسته شد."
        " پاسخ او در مهلت اعتراض آن را باز می‌کند.",
    )
    refused(case.holder.post("/v1/tracking/rating", {"score": 1}), 409, "wrong_stage")
    refused(case.holder.post("/v1/tracking/objection", {"text": "چرا بستید؟"}), 409, "wrong_stage")

    answered = good(case.holder.post("/v1/tracking/answers", {"text": "بله، پلاک شهرداری بود."}))
    assert (answered["stage"], answered["closed_reason"]) == ("investigating", None)
    assert answered["expected_on"] >= due  # the clock stood ever since it was asked
    await_message(me, f"شهروند به پرسش شما در پرونده {shown(number)} پاسخ داد.")

    # Silent once more, and past the time for objection: nothing reopens it.
    me.do(case_id, "citizen-questions", text="چه رنگی بود؟")
    weeks_pass(town, case_id, 8)
    case.view_at("closed")
    weeks_pass(town, case_id, 3)
    refused(case.holder.post("/v1/tracking/answers", {"text": "سفید."}), 409, "wrong_stage")


def hold_visit(town: Town, case: Case, me: Officer, keeper: Officer) -> None:
    case_id = case.view()["case_id"]
    slot = new_slot(keeper, me, now() + timedelta(seconds=20))
    offer(town, case, slot)
    good(case.holder.post("/v1/tracking/visit-booking", {"slot_id": slot["slot_id"]}))
    version = me.read(case_id)["version"]
    early = me.caller.post(f"/v1/cases/{case_id}/visit-minutes", {"text": "آمد."}, version=version)
    refused(early, 409, "visit_not_begun")
    held = eventually(lambda: held_by(me, case_id), timeout=60)
    assert last(held, "visit_held")["text"] == "مدرک دوم را آورد."
    assert held["visits"][0]["state"] == "held"
    assert case.view()["visits"][0]["state_text"] == "برگزار شد"
    assert "مدرک دوم" not in str(case.view())
