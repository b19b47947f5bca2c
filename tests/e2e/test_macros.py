"""Macros: several commands in one, kept by a person or for a role, on one case or on many."""

from __future__ import annotations

import uuid

import pytest

from tests.e2e.people import JSON, Officer, Town, good
from tests.e2e.test_bulk import done, ended, filed, report, started


def kept(officer: Officer, steps: list[JSON], **body: object) -> JSON:
    name = f"ماکروی {uuid.uuid4().hex[:6]}"
    macro: JSON = good(officer.caller.post("/v1/macros", {"name": name, "steps": steps, **body}), 201)
    return macro


def run(officer: Officer, case_id: str, macro: JSON, version: int | None = None, status: int = 200) -> JSON:
    seen = version or officer.read(case_id)["version"]
    answer = officer.caller.post(f"/v1/cases/{case_id}/macros/{macro['macro_id']}", {}, version=seen)
    case: JSON = good(answer, status)
    return case


ACCEPT: list[JSON] = [
    {"type": "start_screening"},
    {"type": "correct", "urgent": True},
    {"type": "assign"},
    {"type": "ask_unit", "text": "{greeting}\nدرباره پرونده {number} («{unit}»، {ground}) تا {answer_day} پاسخ دهید."},
    {"type": "remind_in_days", "working_days": 5, "text": "پاسخ {unit} درباره {number}"},
]


def test_several_steps_in_one_with_their_texts_filled(town: Town) -> None:
    head = town.officer("head")
    macro = kept(head, ACCEPT)
    [case_id] = filed(town)
    case = run(head, case_id, macro)
    assert (case["stage"], case["urgent"]) == ("awaiting_unit", True)
    assert case["handler"]
    text = case["questions"][-1]["text"]
    assert case["number"] in text
    assert case["unit_name_fa"] in text
    assert "{" not in text
    entries = [entry["entry"] for entry in case["timeline"]]
    assert entries[-5:] == ["screening_started", "corrected", "assigned", "unit_asked", "reminder_set"]
    # What the unit reads names nobody.
    liaison = town.officer("liaison")
    questions = good(liaison.caller.get("/v1/unit-questions"))["items"]
    assert text in [question["text"] for question in questions]


def test_all_of_it_or_nothing_and_the_step_that_stands_in_the_way_is_named(town: Town) -> None:
    head = town.officer("head")
    macro = kept(head, [{"type": "start_screening"}, {"type": "add_note", "text": "خوانده شد"}, {"type": "close"}])
    [case_id] = filed(town)
    before = head.read(case_id)
    for language, words in (("fa", "گام ۳"), ("en", "Step 3")):
        caller = town.caller(language, token=head.caller.token)
        answer = caller.post(f"/v1/cases/{case_id}/macros/{macro['macro_id']}", {}, version=before["version"])
        problem = good(answer, 409)
        assert problem["code"] == "macro_step_refused"
        assert words in problem["detail"]
        told = (problem["params"]["step"], problem["params"]["command"], problem["params"]["refusal"])
        assert told == (3, "close", "wrong_stage")
    looks = ("seen_version", "unread")  # noted a moment after a read
    assert {**head.read(case_id), **dict.fromkeys(looks)} == {**before, **dict.fromkeys(looks)}


def test_it_has_its_effect_once_and_on_the_version_that_was_seen(town: Town) -> None:
    head = town.officer("head")
    macro = kept(head, [{"type": "start_screening"}, {"type": "add_note", "text": "خوانده شد"}])
    [case_id] = filed(town)
    seen = head.read(case_id)["version"]
    place, key = f"/v1/cases/{case_id}/macros/{macro['macro_id']}", uuid.uuid4().hex
    first, again = (good(head.caller.post(place, {}, key=key, version=seen)) for _ in range(2))
    assert first["version"] == again["version"] == seen + 2
    assert good(head.caller.post(place, {}, version=seen), 412)["code"] == "stale_version"
    assert head.caller.post(place, {}).status_code == 428
    stranger = town.officer("screener.permits")
    assert stranger.caller.post(place, {}, version=seen).status_code == 404


def test_on_many_cases_at_once(town: Town) -> None:
    head = town.officer("head")
    macro = kept(head, ACCEPT)
    cases = filed(town, 3)
    head.do(cases[1], "screening")
    bulk = ended(head, started(head, None, cases, macro_id=macro["macro_id"]))
    assert (bulk["macro_name"], bulk["command"]) == (macro["name"], None)
    lines = report(head, bulk)
    assert [line["result"] for line in lines] == ["succeeded", "refused", "succeeded"]
    assert (lines[1]["code"], lines[1]["params"]["step"]) == ("macro_step_refused", 1)
    assert "گام ۱" in lines[1]["detail"]
    numbers = [head.read(case_id)["number"] for case_id in cases]
    for place in (0, 2):
        assert numbers[place] in head.read(cases[place])["questions"][-1]["text"]
    assert head.read(cases[1])["stage"] == "screening"


def test_kept_for_oneself_or_by_head_and_administrator_for_a_role(town: Town) -> None:
    administrator, head = town.officer("administrator"), town.officer("head")
    inspector, other = town.officer("inspector"), town.officer("inspector2")
    note = [{"type": "add_note", "text": "بررسی شد."}]
    own = kept(inspector, note)
    shared = kept(administrator, note, audience="inspector")
    refused = inspector.caller.post("/v1/macros", {"name": "همه", "steps": note, "audience": "all"})
    assert good(refused, 403)["code"] == "not_allowed"

    def listed(officer: Officer) -> set[str]:
        ids, after = set(), None
        while True:
            page = good(officer.caller.get("/v1/macros", limit=2, **({"after": after} if after else {})))
            ids |= {item["macro_id"] for item in page["items"]}
            after = page["next"]
            if after is None:
                return ids

    assert {own["macro_id"], shared["macro_id"]} <= listed(inspector)
    assert own["macro_id"] not in listed(other)
    assert shared["macro_id"] in listed(other)
    assert good(other.caller.get(f"/v1/macros/{own['macro_id']}"), 404)["code"] == "not_found"
    case, _, _ = town.complaint()
    town.assigned(case)
    case_id = str(case.view()["case_id"])
    assert run(inspector, case_id, shared)["timeline"][-1]["details"]["text"] == "بررسی شد."

    changed = {"name": "بررسی", "steps": [*note, *note], "audience": "inspector"}
    headers = {"If-Match": f'"{shared["version"]}"'}
    place = f"/v1/macros/{shared['macro_id']}"
    assert inspector.caller.request("PUT", place, json=changed, headers=headers).status_code == 403
    macro = good(head.caller.request("PUT", place, json=changed, headers=headers))
    assert (macro["version"], len(macro["steps"]), macro["owner_name"]) == (2, 2, shared["owner_name"])
    assert good(head.caller.request("PUT", place, json=changed, headers=headers), 412)["code"] == "stale_version"
    read = inspector.caller.get(place)
    assert read.headers["etag"].removeprefix("W/").startswith('"2-')
    assert (good(read)["changeable"], good(read)["own"]) == (False, False)
    assert head.caller.request("DELETE", place, headers={"If-Match": '"2"'}).status_code == 204
    assert good(inspector.caller.get(place), 404)["code"] == "not_found"


@pytest.mark.parametrize(("language", "words"), [("fa", "{numbr} شناخته نیست"), ("en", "{numbr} is not known")])
def test_an_unknown_placeholder_is_named_when_it_is_kept(town: Town, language: str, words: str) -> None:
    caller = town.caller(language, token=town.officer("head").caller.token)
    steps: list[JSON] = [{"type": "start_screening"}, {"type": "add_note", "text": "پرونده {numbr}"}]
    answer = good(caller.post("/v1/macros", {"name": "نادرست", "steps": steps}), 422)
    [error] = answer["errors"]
    assert (error["field"], error["reason"]) == ("steps.1.text", "unknown_placeholder")
    assert words in error["message"]
    steps[1] = {"type": "add_note", "text": ""}
    [error] = good(caller.post("/v1/macros", {"name": "نادرست", "steps": steps}), 422)["errors"]
    assert error["field"] == "steps.1.text"


def test_a_screeners_own_macro_on_many(town: Town) -> None:
    screener = town.officer("screener")
    steps: list[JSON] = [
        {"type": "start_screening"},
        {"type": "refuse", "reason": "outside_remit", "explanation": "{greeting}\nپرونده {number} با ما نیست."},
    ]
    macro = kept(screener, steps)
    cases = filed(town, 2)
    lines = report(screener, ended(screener, started(screener, None, cases, macro_id=macro["macro_id"])))
    assert [line["result"] for line in lines] == ["succeeded", "succeeded"]
    [note] = done(screener, {"type": "correct", "urgent": True}, cases[:1])
    assert note["code"] == "wrong_stage"
