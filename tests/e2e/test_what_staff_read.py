"""What staff read of a case and of their lists beside its values: words and days in their language, names, deadlines, what is
new; whom they may name, what is suggested to inspectors, and what becomes of an identity that was asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.day_parts import refused
from tests.e2e.people import JSON, UNIT, Caller, Officer, Town, good
from tests.support.processes import eventually

pytestmark = pytest.mark.timeout(300)


def row_of(officer: Officer, case_id: str, number: str) -> JSON:
    [row] = good(officer.caller.get("/v1/cases", number=number))["items"]
    assert row["case_id"] == case_id
    found: JSON = row
    return found


def in_english(officer: Officer) -> Caller:
    return Caller(officer.caller._http, "en", officer.caller.token)


def test_a_case_is_read_in_words_in_either_language(town: Town) -> None:
    case, _, _ = town.complaint()
    case_id = case.view()["case_id"]
    inspector = town.assigned(case)
    persian, english = inspector.read(case_id), good(in_english(inspector).get(f"/v1/cases/{case_id}"))
    assert (persian["stage_text"], english["stage_text"]) == ("در دست بازرس", "Being investigated")
    assert (persian["kind_text"], english["kind_text"]) == ("شکایت", "Complaint")
    assert english["channel_text"] in ("Web", "App")
    assert persian["channel_text"] != english["channel_text"]
    assert persian["ground_name"] != english["ground_name"]
    assert [line["entry_text"] for line in english["timeline"]] == [
        "Registered",
        "The first reading began",
        "Assigned to an inspector",
    ]
    assert all(line["at_text"] and line["stage_text"] for line in persian["timeline"])
    assert persian["timeline"][-1]["actor_name"]
    assert persian["handler_name"] == english["handler_name"]
    labels = {command["type"]: command["label"] for command in english["commands"]}
    assert labels["add_note"] == "Write a note"


def test_a_deadline_says_since_when_how_long_and_by_which_rule(town: Town) -> None:
    case, _, _ = town.complaint()
    case_id = case.view()["case_id"]
    inspector = town.assigned(case)
    read = good(in_english(inspector).get(f"/v1/cases/{case_id}"))
    deadline = read["deadline"]
    due = town.working_day(deadline["days"]).isoformat()
    assert (deadline["due_on"], deadline["days_left"]) == (due, deadline["days"])
    assert deadline["warn_on"] == town.working_day(12).isoformat()
    assert deadline["rule_text"] == f"{deadline['days']} working days for: Complaint"
    assert (deadline["overdue"], deadline["past_mark"], deadline["paused_on"]) == (False, False, None)
    row = row_of(inspector, case_id, read["number"])
    assert (row["warn_on"], row["days_left"]) == (deadline["warn_on"], deadline["days_left"])
    waiting = inspector.do(case_id, "citizen-questions", text="کدام روز؟")
    assert waiting["deadline"]["paused_why"]
    assert waiting["deadline"]["paused_text"]
    assert waiting["open_question"]["to"] == "citizen"
    assert row_of(inspector, case_id, read["number"])["question_to"] == "citizen"


def test_what_came_since_one_looked_is_unread(town: Town) -> None:
    case, _, _ = town.complaint()
    case_id = case.view()["case_id"]
    inspector, head = town.assigned(case), town.officer("head")
    number = head.read(case_id)["number"]

    def is_unread(unread: bool) -> None:
        def so() -> bool:
            assert row_of(head, case_id, number)["unread"] is unread
            return True

        eventually(so)

    is_unread(False)
    after = inspector.do(case_id, "notes", text="تماس گرفته شد.")
    is_unread(True)
    row = row_of(head, case_id, number)
    assert row["last_activity"][:19] == after["last_activity_at"][:19]
    assert head.read(case_id)["unread"] == 1
    is_unread(False)


def test_colleagues_are_found_by_name_by_those_who_work_with_cases(town: Town) -> None:
    case, _, _ = town.complaint()
    case_id = case.view()["case_id"]
    inspector = town.assigned(case)
    everybody = good(inspector.caller.get("/v1/colleagues", limit=100))["items"]
    assert set(everybody[0]) == {"id", "name", "roles", "unit", "unit_name_fa", "unit_name_en"}
    me = next(one for one in everybody if one["id"] == inspector.staff_id)
    found = good(inspector.caller.get("/v1/colleagues", q=me["name"].split()[0][:3]))["items"]
    assert inspector.staff_id in {one["id"] for one in found}
    # To whom the case can be given: inspectors who have no conflict of interest, and not its own.
    given = good(inspector.caller.get("/v1/colleagues", case_id=case_id, role="inspector", limit=100))["items"]
    assert town.officer("inspector2").staff_id in {one["id"] for one in given}
    assert inspector.staff_id not in {one["id"] for one in given}
    assert all("inspector" in one["roles"] for one in given)
    for other in ("operator", "custodian", "head", "screener"):
        assert good(town.officer(other).caller.get("/v1/colleagues"))["items"]
    for nobody in ("liaison", "analyst"):
        refused(town.officer(nobody).caller.get("/v1/colleagues"), 403, "not_allowed")
    refused(town.officer("operator").caller.get("/v1/colleagues", case_id=case_id), 403, "not_allowed")
    assert town.caller().get("/v1/colleagues").status_code == 401


def test_an_inspector_is_told_what_earlier_cases_suggest(town: Town) -> None:
    case, _, _ = town.complaint()
    case_id = case.view()["case_id"]
    inspector = town.assigned(case)
    answer: Any = good(inspector.caller.get(f"/v1/cases/{case_id}/suggestions"))
    assert {"unit", "ground", "urgent", "similar"} <= set(answer)
    refused(town.officer("inspector2").caller.get(f"/v1/cases/{case_id}/suggestions"), 404, "unknown_case")


def test_an_inspector_asks_for_an_identity_and_sees_what_became_of_it(town: Town) -> None:
    case, _, _ = town.complaint()
    case_id = case.view()["case_id"]
    inspector, head, custodian = town.assigned(case), town.officer("head"), town.officer("custodian")
    body = {"reason": "برای دعوت به بازدید از محل"}
    asked = good(inspector.caller.post(f"/v1/cases/{case_id}/identity/requests", body), 201)
    assert (asked["state"], asked["for_head"]) == ("waiting", True)
    shown = next(
        item
        for item in good(custodian.caller.get("/v1/identity-requests", waiting=True))["items"]
        if item["request_id"] == asked["request_id"]
    )
    assert (shown["number"], shown["stage"], shown["unit"]) == (
        inspector.read(case_id)["number"],
        "investigating",
        UNIT,
    )
    assert "شاکی نمونه" not in json.dumps(shown, ensure_ascii=False)
    path = f"/v1/identity-requests/{asked['request_id']}/decision"
    good(custodian.caller.post(path, {"consent": True}))
    [mine] = [
        item
        for item in good(inspector.caller.get("/v1/identity-requests"))["items"]
        if item["request_id"] == asked["request_id"]
    ]
    assert (mine["state"], mine["decided_by"]) == ("consented", custodian.staff_id)
    refused(inspector.caller.post(f"/v1/cases/{case_id}/identity", body), 403, "not_allowed")
    assert good(head.caller.post(f"/v1/cases/{case_id}/identity", body))["identity"]["name"] == "شاکی نمونه"
