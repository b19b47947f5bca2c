"""Inspectors share a case, a head sees how the office stands, calendar programs read its days; over the gateway."""

from __future__ import annotations

import uuid

import httpx

from tests.e2e.day_parts import refused
from tests.e2e.people import Officer, Town, good
from tests.support.processes import eventually


def finds(who: Officer, words: str) -> set[str]:
    return {item["case_id"] for item in good(who.caller.get("/v1/cases", text=words))["items"]}


def is_told(who: Officer, text: str) -> None:
    eventually(lambda: text in [item["text"] for item in good(who.caller.get("/v1/messages"))["items"]])


def test_a_second_inspector_works_on_a_case_and_is_told_of_it(town: Town) -> None:
    case = town.report()
    case_id = str(case.view()["case_id"])
    first, second, head = town.assigned(case), town.officer("inspector2"), town.officer("head")
    refused(second.caller.get(f"/v1/cases/{case_id}"), 404, "unknown_case")
    path, body = f"/v1/cases/{case_id}/co-handlers", {"inspector": second.staff_id}
    seen = first.read(case_id)
    refused(first.caller.post(path, body, version=seen["version"] - 1), 412, "stale_version")
    refused(town.officer("screener").caller.post(path, body, version=seen["version"]), 403, "not_allowed")
    refused(town.officer("liaison").caller.post(path, body, version=seen["version"]), 403, "not_allowed")
    number = first.do(case_id, "co-handlers", **body)["number"]
    is_told(second, f"شما بازرس همکار پرونده \u2066{number}\u2069 شدید.")
    second.do(case_id, "citizen-questions", text="چه روزی؟")
    good(case.holder.post("/v1/tracking/answers", {"text": "دیروز"}))
    is_told(second, f"شهروند به پرسش شما در پرونده \u2066{number}\u2069 پاسخ داد.")
    version = second.read(case_id)["version"]
    removal = f"{path}/{second.staff_id}/removal"
    refused(second.caller.post(removal, {}, version=version), 403, "not_allowed")
    refused(second.caller.post(f"/v1/cases/{case_id}/assignment", body, version=version), 403, "not_allowed")
    head.do(case_id, f"co-handlers/{second.staff_id}/removal")
    refused(second.caller.get(f"/v1/cases/{case_id}"), 404, "unknown_case")


def test_a_colleague_is_asked_and_sees_the_case_until_the_answer(town: Town) -> None:
    case = town.report()
    case_id = str(case.view()["case_id"])
    first, second = town.assigned(case), town.officer("inspector2")
    word = f"مشورت{uuid.uuid4().hex[:8]}"
    consulted_case = first.do(case_id, "consultations", colleague=second.staff_id, text=f"چه کنیم {word}؟")
    [consultation] = consulted_case["consultations"]
    is_told(
        second,
        f"درباره پرونده \u2066{consulted_case['number']}\u2069 از شما مشورت خواسته‌اند. تا پاسخ ندهید، پرونده را می‌بینید.",
    )
    assert finds(second, word) == finds(first, word) == {case_id}
    version = second.read(case_id)["version"]
    refused(second.caller.post(f"/v1/cases/{case_id}/notes", {"text": "x"}, version=version), 403, "not_allowed")
    answered = second.do(case_id, f"consultations/{consultation['consultation_id']}/answer", text="بازدید کنید.")
    assert answered["consultations"] == []
    refused(second.caller.get(f"/v1/cases/{case_id}"), 404, "unknown_case")
    assert finds(second, word) == set()
    assert first.read(case_id)["timeline"][-1]["details"]["text"] == "بازدید کنید."
    shown = str(case.view())
    assert word not in shown
    assert "بازدید کنید" not in shown


def test_a_head_sees_the_workload_and_nobody_else_does(town: Town) -> None:
    town.assigned(town.report())
    items = good(town.officer("head").caller.get("/v1/workload"))["items"]
    mine = next(item for item in items if item["inspector"] == town.officer("inspector").staff_id)
    assert mine["open_cases"] >= 1
    for role in ("inspector", "screener", "liaison", "analyst"):
        refused(town.officer(role).caller.get("/v1/workload"), 403, "not_allowed")


def test_a_calendar_program_reads_numbers_and_days_by_a_secret_address(town: Town) -> None:
    case = town.report(text="در خیابان نرگس نشت آب است و کسی رسیدگی نمی‌کند.")
    inspector = town.assigned(case)
    number = inspector.read(str(case.view()["case_id"]))["number"]
    assert good(inspector.caller.request("PUT", "/v1/calendar"))["made_at"]
    path = good(inspector.caller.request("PUT", "/v1/calendar"))["path"]

    def read(**headers: str) -> httpx.Response:
        return town.http.get(path, headers=headers)

    feed = read()
    assert feed.status_code == 200
    assert number in feed.text.replace("\r\n ", "")
    assert "نرگس" not in feed.text
    assert read(**{"If-None-Match": feed.headers["etag"]}).status_code == 304
    good(inspector.caller.request("DELETE", "/v1/calendar"))
    assert read().status_code == 404
    refused(town.officer("liaison").caller.request("PUT", "/v1/calendar"), 403, "not_allowed")
