"""A screener's day: the queue is read, and each case leaves it the way it should."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from contracts.base import now
from tests.e2e.day_parts import await_message, last, persian_day, refused, shown
from tests.e2e.people import Case, Officer, Town, good
from tests.support.processes import eventually

pytestmark = pytest.mark.timeout(300)


def queue(screener: Officer, **more: Any) -> list[str]:
    """The ids of what waits to be read, newest first."""
    since = now().replace(hour=0, minute=0).isoformat()
    items = good(screener.caller.get("/v1/cases", stage="registered", filed_since=since, limit=100, **more))["items"]
    return [str(item["case_id"]) for item in items]


@pytest.fixture
def street() -> str:
    """A street that no other case names."""
    return f"کوچه یاسمن{uuid.uuid4().hex[:8]}"


def test_the_queue_shows_new_cases_with_similar_ones_and_suggestions(town: Town, street: str) -> None:
    screener = town.officer("screener")
    story = f"حفاری در {street} رها شده و خاک آن جلوی پارکینگ ساکنان را بسته است و کسی جمع نمی‌کند."

    # Yesterday's case of the same street was found to be the excavation unit's.
    first = town.report(text=story, unit="dep.civ")
    first_id = first.view()["case_id"]
    screener.do(first_id, "screening")
    screener.do(first_id, "corrections", unit="dep.civ.dig")
    screener.do(first_id, "assignment", inspector=town.officer("inspector").staff_id)

    # This morning another citizen writes of it, under another unit, and of danger.
    second = town.report(text=f"{story} خطر سقوط کودکان هست.", unit="org.waste", ground="other")
    second_id = second.view()["case_id"]
    assert queue(screener)[0] == second_id
    assert queue(screener, text=street) == [second_id]
    assert queue(screener, unit="dep.civ") == [
        case_id for case_id in queue(screener, unit="dep.civ") if case_id != second_id
    ]

    suggestions = good(screener.caller.get(f"/v1/cases/{second_id}/suggestions"))
    assert suggestions["unit"]["value"] == "dep.civ.dig"
    assert suggestions["ground"]["value"] == "waste"
    assert suggestions["urgent"]["value"] == "urgent"

    # The screener follows the advice; what was changed stays to be read, from what to what and by whom.
    screener.do(second_id, "screening")
    assert second_id not in queue(screener)
    corrected = screener.do(second_id, "corrections", unit="dep.civ.dig", ground="waste", urgent=True)
    assert (corrected["unit"], corrected["ground"], corrected["urgent"]) == ("dep.civ.dig", "waste", True)
    assert corrected["unit_asked"] == "org.waste"
    line = corrected["timeline"][-1]
    assert (line["entry"], line["actor_kind"], line["actor_id"]) == ("corrected", "staff", screener.staff_id)
    assert line["details"] == {
        "before": {"unit": "org.waste", "ground": "other", "urgent": False},
        "after": {"unit": "dep.civ.dig", "ground": "waste", "urgent": True},
        "transfers": 1,
    }
    assert corrected["expected_on"] == town.working_day(1).isoformat()  # urgent: within a working day
    seen = second.view_at("screening")
    assert seen["unit_name"] == "واحد صدور مجوز حفاری"
    assert [entry["entry"] for entry in seen["timeline"]] == ["opened", "screening_started", "corrected"]
    nothing = {"unit": "dep.civ.dig", "urgent": True}
    version = screener.read(second_id)["version"]
    assert screener.caller.post(f"/v1/cases/{second_id}/corrections", nothing, version=version).status_code == 422

    # Under its right unit it is seen to be what another wrote of already: merged, and the case that goes on knows of it.
    [twin, *_] = good(screener.caller.get(f"/v1/cases/{second_id}/suggestions"))["similar"]
    assert (twin["case_id"], twin["same"]) == (first_id, ["unit", "ground"])
    assert street in twin["excerpt"]
    merged = screener.do(second_id, "merge", into=first_id)
    assert (merged["stage"], merged["merged_into"]) == ("merged", first_id)
    assert second.view_at("merged")["can"] == []
    merged_into = screener.read(first_id)
    assert last(merged_into, "duplicate_joined") == {"number": merged["number"]}
    merged_text = "درخواست شما همراه پرونده‌ای با همین موضوع رسیدگی می‌شود. کد رهگیری شما همچنان معتبر است."
    eventually(lambda: second.inbox()[-1] == merged_text)


def test_cases_outside_the_remit_are_refused_and_others_wait_for_an_inspector(town: Town) -> None:
    screener, inspector = town.officer("screener"), town.officer("inspector")

    # The power failed: not the city's. The citizen is told why, and where to turn to.
    power, phone, _ = town.complaint(text="برق کوچه ما از دیشب قطع است و اداره برق پاسخ نمی‌دهد.", unit="dep.srv")
    power_id = power.view()["case_id"]
    screener.do(power_id, "screening")
    why = {"reason": "outside_remit", "explanation": "قطع برق با شرکت توزیع برق است.", "address": "سامانه ۱۲۱"}
    gone = screener.do(power_id, "refusal", **why)
    assert gone["stage"] == "refused"
    assert last(gone, "refused") == {
        "reason": "outside_remit",
        "reason_fa": "موضوع در صلاحیت شهرداری نیست",
        "reason_en": "It is outside the municipality's remit",
        "text": why["explanation"],
        "address": "سامانه ۱۲۱",
    }
    view = power.view_at("refused")
    assert (view["refusal_explanation"], view["refusal_address"]) == (why["explanation"], "سامانه ۱۲۱")
    assert "موضوع در صلاحیت شهرداری نیست" in phone.next()
    version = screener.read(power_id)["version"]
    refused(screener.caller.post(f"/v1/cases/{power_id}/refusal", why, version=version), 409, "wrong_stage")
    refused(
        screener.caller.post(f"/v1/cases/{power_id}/assignment", {"inspector": inspector.staff_id}, version=version),
        409,
        "wrong_stage",
    )

    # A complaint that is the city's is accepted by giving it to an inspector by hand.
    case, _, _ = town.complaint()
    case_id = case.view()["case_id"]
    version = screener.read(case_id)["version"]
    early = screener.caller.post(f"/v1/cases/{case_id}/assignment", {"inspector": inspector.staff_id}, version=version)
    refused(early, 409, "wrong_stage")  # nobody has read it yet
    screener.do(case_id, "screening")
    version = screener.read(case_id)["version"]
    other = {"inspector": town.officer("head").staff_id}
    assert screener.caller.post(f"/v1/cases/{case_id}/assignment", other, version=version).status_code == 422
    accepted = screener.do(case_id, "assignment", inspector=inspector.staff_id)
    assert (accepted["stage"], accepted["handler"]) == ("investigating", inspector.staff_id)
    due = persian_day(accepted["expected_on"])
    await_message(inspector, f"رسیدگی به پرونده {shown(accepted['number'])} به شما سپرده شد. مهلت: {due}.")

    # What the screener does not do: decide, ask, note.
    version = accepted["version"]
    for command, body in (
        ("decision", {"outcome": "not_upheld", "reasons": "دلیلی یافت نشد."}),
        ("citizen-questions", {"text": "چه روزی؟"}),
        ("notes", {"text": "یادداشت"}),
    ):
        refused(screener.caller.post(f"/v1/cases/{case_id}/{command}", body, version=version), 403, "not_allowed")
    assert screener.read(case_id)["version"] == version


def test_cases_are_assigned_by_skill_and_workload_singly_and_in_bulk(town: Town) -> None:
    screener, head = town.officer("screener"), town.officer("head")
    first_inspector, second_inspector = (town.officer(name) for name in ("inspector", "inspector2"))

    def screened(**about: Any) -> Case:
        case, _, _ = town.complaint(**about)
        screener.do(case.view()["case_id"], "screening")
        return case

    def in_hand() -> dict[str, int]:
        listed = good(screener.caller.get("/v1/inspectors"))["items"]
        return {item["inspector"]: item["open_cases"] for item in listed}

    def skilled(inspector: Officer, *grounds: str) -> None:
        path = f"/v1/inspectors/{inspector.staff_id}/skills"
        good(head.caller.request("PUT", path, json={"grounds": list(grounds)}))

    path = f"/v1/inspectors/{first_inspector.staff_id}/skills"
    refused(screener.caller.request("PUT", path, json={"grounds": []}), 403, "not_allowed")
    try:
        # Of conduct only one knows: to them it goes, however much the other has free.
        skilled(first_inspector, "delay")
        skilled(second_inspector, "conduct", "delay")
        conduct = screened(ground="conduct", text="کارمند باجه سه با من بدرفتاری کرد.")
        assert screener.do(conduct.view()["case_id"], "assignment")["handler"] == second_inspector.staff_id

        # Of delay both do: to the one who has less in hand.
        before = in_hand()
        free = min((first_inspector.staff_id, second_inspector.staff_id), key=lambda who: (before[who], who))
        delayed = screened()
        assert screener.do(delayed.view()["case_id"], "assignment")["handler"] == free
        assert in_hand()[free] == before[free] + 1

        # Many at once: each to whom is free then; one that somebody else has changed since is told, and stops no other.
        batch = [screened() for _ in range(4)]
        ids = [case.view()["case_id"] for case in batch]
        seen = [{"case_id": case_id, "expected_version": screener.read(case_id)["version"]} for case_id in ids]
        screener.do(ids[3], "corrections", urgent=True)
        before = in_hand()
        key = uuid.uuid4().hex
        for _ in range(2):  # a repetition has its effect once
            items = good(screener.caller.post("/v1/assignments", {"cases": seen}, key=key))["items"]
            assert [item["case_id"] for item in items] == ids
            assert items[3]["error"] == "stale_version"
            assert {item["handler"] for item in items[:3]} <= {first_inspector.staff_id, second_inspector.staff_id}
        after = in_hand()
        assert sum(after.values()) == sum(before.values()) + 3
        gap = abs(before[first_inspector.staff_id] - before[second_inspector.staff_id])
        assert abs(after[first_inspector.staff_id] - after[second_inspector.staff_id]) <= max(gap, 1)
        for case_id, item in zip(ids[:3], items[:3], strict=True):
            assert screener.read(case_id)["handler"] == item["handler"]
        assert screener.read(ids[3])["handler"] is None
    finally:
        for inspector in (first_inspector, second_inspector):
            skilled(inspector)


def test_a_case_about_the_screeners_own_unit_is_in_no_queue_of_theirs(town: Town) -> None:
    about = town.report(unit="dep.urb.permits", ground="other", text="در این اداره برای امضا پول می‌خواهند.")
    elsewhere = town.report(unit="org.waste")
    ids = [case.view()["case_id"] for case in (about, elsewhere)]
    insider, screener = town.officer("screener.permits"), town.officer("screener")
    assert set(ids) <= set(queue(screener))
    assert ids[1] in queue(insider)
    assert ids[0] not in queue(insider)
    # Found to be about that unit only now, it leaves the insider's queue with the answer to the correction.
    insider.do(ids[1], "screening")
    version = insider.read(ids[1])["version"]
    good(insider.caller.post(f"/v1/cases/{ids[1]}/corrections", {"unit": "dep.urb.permits"}, version=version))
    assert insider.caller.get(f"/v1/cases/{ids[1]}").status_code == 404
    assert insider.caller.get(f"/v1/cases/{ids[1]}/suggestions").status_code == 404
    items = good(insider.caller.post("/v1/assignments", {"cases": [{"case_id": ids[1], "expected_version": 3}]}))
    assert items["items"][0]["error"] == "unknown_case"
    assert screener.read(ids[1])["unit"] == "dep.urb.permits"
