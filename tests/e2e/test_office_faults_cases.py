"""Cases that nobody hears of or nobody is left with: who is told when work ends, what a leaver had, holidays, corrections. Each
test is the smallest input of a fault that the office met; tests/README.md names the tests of the other faults."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from backbone.persian import jalali
from contracts.base import now
from tests.e2e.day_parts import await_message, entries, refused, shown, weeks_pass
from tests.e2e.hostile_parts import reader
from tests.e2e.people import JSON, Case, Officer, Town, good
from tests.e2e.test_configuration import Administrator
from tests.e2e.test_office import DECISION
from tests.e2e.test_responsibility import closed, newcomer
from tests.e2e.test_visits import new_slot, offer
from tests.support.processes import eventually

pytestmark = pytest.mark.timeout(300)


def complaint_with(town: Town, staff_id: str, **about: object) -> tuple[Case, str, str]:
    """A complaint in the hands of this inspector; its id, and its number as it stands in a message."""
    case, _, _ = town.complaint(**about)
    case_id = str(case.view()["case_id"])
    screener = town.officer("screener")
    screener.do(case_id, "screening")
    screener.do(case_id, "assignment", inspector=staff_id)
    return case, case_id, shown(town.officer("head").read(case_id)["number"])


# --- everybody who worked on a case is told when the work ends ---


def test_everybody_who_worked_on_a_case_is_told_of_its_withdrawal(town: Town) -> None:
    first, second = town.officer("inspector"), town.officer("inspector2")
    case, case_id, number = complaint_with(town, first.staff_id)
    town.officer("head").do(case_id, "assignment", inspector=second.staff_id)
    good(case.holder.post("/v1/tracking/withdrawal", {}))
    for inspector in (first, second):
        await_message(inspector, f"شهروند پرونده {number} را پس گرفت. رسیدگی به آن پایان یافت.")


def test_who_proposed_a_decision_is_told_of_its_approval(town: Town) -> None:
    inspector = town.officer("inspector")
    _, case_id, number = complaint_with(town, inspector.staff_id)
    inspector.do(case_id, "proposal", **DECISION)
    town.officer("head").do(case_id, "approval")
    await_message(inspector, f"نتیجه پرونده {number} که بر آن کار کرده‌اید اعلام شد.")


def test_who_decided_a_case_is_told_that_it_is_closed(town: Town) -> None:
    inspector = town.officer("inspector")
    case, case_id, number = complaint_with(town, inspector.staff_id)
    inspector.do(case_id, "decision", outcome="not_upheld", reasons="دلیلی یافت نشد.")
    weeks_pass(town, case_id, 4)
    case.view_at("closed")
    await_message(inspector, f"پرونده {number} که بر آن کار کرده‌اید بسته شد.")


# --- what somebody had whose account is closed ---


def gone(town: Town, leaver: JSON) -> None:
    """The account is closed, and tracking knows it."""
    head = town.officer("head").caller
    good(closed(town, leaver))
    eventually(
        lambda: leaver["staff_id"] not in [line["inspector"] for line in good(head.get("/v1/inspectors"))["items"]]
    )


def test_the_head_hears_of_a_leavers_case_and_of_the_answer_to_their_question(town: Town) -> None:
    head, liaison = town.officer("head"), town.officer("liaison")
    leaver, account = newcomer(town, "inspector", "mayor.insp")
    _, case_id, number = complaint_with(town, leaver.staff_id)
    question_id = leaver.do(case_id, "unit-questions", text="علت تأخیر چیست؟")["questions"][-1]["question_id"]
    gone(town, account)
    eventually(lambda: head.read(case_id)["handler"] is None)
    good(liaison.caller.post(f"/v1/unit-questions/{question_id}/answer", {"text": "در بایگانی مانده بود."}))
    await_message(head, f"واحد به پرسش شما در پرونده {number} پاسخ داد.")


def test_a_leavers_reminder_reaches_the_head(town: Town) -> None:
    head = town.officer("head")
    leaver, account = newcomer(town, "inspector", "mayor.insp")
    _, case_id, number = complaint_with(town, leaver.staff_id)
    tomorrow = (jalali.today(now()) + timedelta(days=1)).isoformat()
    leaver.do(case_id, "reminders", on=tomorrow, text="پیگیری استعلام")
    gone(town, account)
    reader(town, "tracking").execute(
        "UPDATE reminders SET on_day = on_day - 1 WHERE case_id = %(case)s", {"case": case_id}
    )
    await_message(head, f"یادآوری: پرونده {number}.")


def booked_with(town: Town, inspector: Officer) -> tuple[str, str]:
    """A complaint with a visit in a slot of this inspector's: the ids of the case and of the slot."""
    case, case_id, _ = complaint_with(town, inspector.staff_id, visit_wanted=True)
    slot = new_slot(town.officer("head"), inspector)
    offer(town, case, slot)
    good(case.holder.post("/v1/tracking/visit-booking", {"slot_id": slot["slot_id"]}))
    return case_id, str(slot["slot_id"])


def holder_of(town: Town, slot_id: str) -> str:
    slots = good(town.officer("head").caller.get("/v1/visit-slots"))["items"]
    return next(str(slot["inspector"]) for slot in slots if slot["slot_id"] == slot_id)


def test_a_booked_visit_goes_with_its_case_to_another_inspector(town: Town) -> None:
    other = town.officer("inspector2")
    case_id, slot_id = booked_with(town, town.officer("inspector"))
    town.officer("head").do(case_id, "assignment", inspector=other.staff_id)
    eventually(lambda: holder_of(town, slot_id) == other.staff_id)


def test_a_leavers_booked_visit_goes_to_whoever_takes_over_the_case(town: Town) -> None:
    head, heir = town.officer("head"), town.officer("inspector2")
    leaver, account = newcomer(town, "inspector", "mayor.insp")
    case_id, slot_id = booked_with(town, leaver)
    gone(town, account)
    good(head.caller.post("/v1/handovers", {"leaver": leaver.staff_id, "inspector": heir.staff_id}))
    eventually(lambda: head.read(case_id)["handler"] == heir.staff_id)
    eventually(lambda: holder_of(town, slot_id) == heir.staff_id)


# --- holidays ---


@pytest.fixture
def administrator(town: Town) -> Iterator[Administrator]:
    """The calendar is put back at the end."""
    administrator = Administrator(town)
    before = administrator.read()
    yield administrator
    good(administrator.put("calendar", {name: before[name] for name in ("weekend", "holidays")}))


def test_a_slot_on_a_new_holiday_is_neither_offered_nor_bookable(town: Town, administrator: Administrator) -> None:
    case, _, _ = complaint_with(town, town.officer("inspector").staff_id, visit_wanted=True)
    slot = new_slot(town.officer("head"), town.officer("inspector"))
    offer(town, case, slot)

    def offered() -> list[str]:
        return [line["slot_id"] for line in good(case.holder.get("/v1/tracking/visit-slots"))["items"]]

    assert offered() == [slot["slot_id"]]
    day = datetime.fromisoformat(slot["starts_at"]).astimezone(ZoneInfo("Asia/Tehran")).date().isoformat()
    holidays = sorted({*administrator.read()["holidays"], day})
    good(administrator.put("calendar", {"holidays": holidays}))
    eventually(lambda: offered() == [])
    refused(case.holder.post("/v1/tracking/visit-booking", {"slot_id": slot["slot_id"]}), 409, "slot_on_holiday")
    assert case.view()["visits"][0]["state"] == "asked"


# --- what was set wrong ---


def test_unit_and_ground_are_set_right_while_an_inspector_is_at_work(town: Town) -> None:
    inspector, screener = town.officer("inspector"), town.officer("screener")
    case, case_id, _ = complaint_with(town, inspector.staff_id)
    owed = case.view()["expected_on"]
    corrected = screener.do(case_id, "corrections", unit="dep.urb.control", ground="conduct")
    assert (corrected["unit"], corrected["ground"]) == ("dep.urb.control", "conduct")
    assert (corrected["stage"], corrected["handler"]) == ("investigating", inspector.staff_id)
    assert case.view()["expected_on"] == owed


def test_urgency_marked_by_mistake_and_taken_back_alarms_nobody_at_once(town: Town) -> None:
    screener = town.officer("screener")
    case, _, _ = town.complaint()
    case_id = str(case.view()["case_id"])
    screener.do(case_id, "screening")
    weeks_pass(town, case_id, 6)

    def escalations() -> int:
        return entries(screener.read(case_id)).count("escalated")

    eventually(lambda: escalations() == 2)  # it was late before: the head and the mayor's office heard of it then
    next_days = {town.working_day(1).isoformat()}
    owed = {screener.do(case_id, "corrections", urgent=urgent)["expected_on"] for urgent in (True, False)}
    next_days.add(town.working_day(1).isoformat())  # another one when the test runs over midnight
    assert owed <= next_days
    assert escalations() == 2
