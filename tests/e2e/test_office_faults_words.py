"""What is found by which words, and what people read: errors in the caller's own terms, members of staff and grounds by name, the
question of an answer. Each test is the smallest input of a fault that the office met (tests/README.md)."""

from __future__ import annotations

import csv
import io
import uuid

import httpx
import pytest

from tests.e2e.day_parts import refused
from tests.e2e.people import JSON, Caller, Officer, Town, good
from tests.e2e.test_configuration import Administrator, unit
from tests.e2e.test_searches import case_ids, exported, filed, word
from tests.support.processes import eventually

pytestmark = pytest.mark.timeout(240)

# --- search ---


@pytest.mark.parametrize(
    "same",
    [["میروم", "می‌روم", "می روم"], ["مسوول", "مسئول", "مسؤول"], ["کتاب\u200bدار", "کتاب دار", "کتابدار"]],
    ids=["ZWNJ", "hamza", "U+200B"],
)
def test_each_spelling_finds_the_others(town: Town, same: list[str]) -> None:
    head, mark = town.officer("head"), word()
    ids = {filed(town, f"{mark} {spelling} هر روز")[1] for spelling in same}
    filed(town, mark)
    for spelling in same:
        assert case_ids(head, text=f"{mark} {spelling}") == ids, spelling


def test_a_case_is_found_by_its_file_number_address_people_answers_and_notes(town: Town) -> None:
    number, address, person, answer, note = f"{uuid.uuid4().int % 10**9:09d}", *(word() for _ in range(4))
    case, _, _ = town.complaint(
        reference=f"پرونده {number}/ب", place={"address": f"خیابان {address}"}, people=[f"مهندس {person}"]
    )
    case_id = str(case.view()["case_id"])
    inspector, head = town.assigned(case), town.officer("head")
    inspector.do(case_id, "citizen-questions", text="کدام طبقه؟")
    good(case.holder.post("/v1/tracking/answers", {"text": f"طبقه {answer}"}))
    inspector.do(case_id, "notes", text=f"با {note} حرف زدم.")
    sought = {"file number": number, "address": address, "person": person, "answer": answer, "note": note}
    for who, ids in ((head, {case_id}), (inspector, {case_id}), (town.officer("inspector2"), set())):
        assert {what: case_ids(who, text=text) for what, text in sought.items()} == dict.fromkeys(sought, ids)


# --- errors ---


def in_english(town: Town, officer: Officer) -> Caller:
    return town.caller("en", token=officer.caller.token)


def test_an_error_names_the_bodys_own_field_and_what_would_be_right(town: Town) -> None:
    screener, head = town.officer("screener"), town.officer("head")
    case_id = str(town.report().view()["case_id"])
    screener.do(case_id, "screening")
    version, path = screener.read(case_id)["version"], f"/v1/cases/{case_id}"
    wrong: list[httpx.Response] = [
        in_english(town, screener).post(f"{path}/assignment", {"inspector": head.staff_id}, version=version),
        in_english(town, screener).post(f"{path}/corrections", {"urgent": False}, version=version),
        in_english(town, screener).post(f"{path}/merge", {"into": case_id}, version=version),
    ]
    errors = [good(answer, 422)["errors"][0] for answer in wrong]
    assert [(error["field"], error["message"]) for error in errors] == [
        ("inspector", "It must be the account of an inspector."),
        ("body", "It changes nothing: at least one thing has to differ from what is there."),
        ("into", "It is this very case: name another one."),
    ]


def test_a_conflict_says_what_is_in_the_way(town: Town) -> None:
    screener, inspector = town.officer("screener"), town.officer("inspector")
    case_id = str(town.report().view()["case_id"])
    path, body = f"/v1/cases/{case_id}/assignment", {"inspector": inspector.staff_id}
    seen = screener.read(case_id)["version"]
    unread = in_english(town, screener).post(path, body, version=seen)
    refused(unread, 409, "wrong_stage")
    assert "Registered" in unread.json()["detail"]
    screener.do(case_id, "screening")
    stale = town.officer("head").caller.post(path, body, version=seen)
    refused(stale, 412, "stale_version")
    assert "کارشناس غربالگری" in stale.json()["detail"]


# --- names ---


def test_members_of_staff_are_shown_by_name(town: Town) -> None:
    head, inspector, mark = town.officer("head"), town.officer("inspector"), word()
    case, case_id = filed(town, mark)
    town.assigned(case)
    inspector.do(case_id, "notes", text="لطفاً ببینید.", mentions=[head.staff_id])
    reason = {"reason": "برای دعوت به جلسه"}
    named_id = str(town.complaint()[0].view()["case_id"])
    good(head.caller.post(f"/v1/cases/{named_id}/identity/requests", reason), 201)
    requests = good(town.officer("custodian").caller.get("/v1/identity-requests"))["items"]
    read = head.read(case_id)
    listed: list[JSON] = good(head.caller.get("/v1/cases", text=mark))["items"]
    note = read["timeline"][-1]
    assert {
        "handler": read.get("handler_name"),
        "in the list": [line.get("handler_name") for line in listed if line["case_id"] == case_id],
        "who wrote the note": note.get("actor_name"),
        "who is mentioned": list(note.get("names", {}).values()),
        "who asks to open an identity": [line.get("asked_by_name") for line in requests if line["case_id"] == named_id],
    } == {
        "handler": "بازرس یک",
        "in the list": ["بازرس یک"],
        "who wrote the note": "بازرس یک",
        "who is mentioned": ["مدیر بازرسی"],
        "who asks to open an identity": ["مدیر بازرسی"],
    }


def test_an_export_names_grounds_and_inspectors(town: Town) -> None:
    head, mark = town.officer("head"), word()
    case, _ = filed(town, mark)
    town.assigned(case)
    for language, ground, inspector in (("fa", "محور", "بازرس"), ("en", "Ground", "Inspector")):
        file = exported(head, filters={"text": mark}, format="csv", language=language)
        [row] = csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"), newline=""))
        name = {"fa": "اطاله رسیدگی", "en": "Protracted handling"}[language]
        assert (row.get(ground), row.get(inspector)) == (name, "بازرس یک")


# --- what stays with a case ---


def test_an_answer_keeps_the_label_of_its_question_when_the_question_is_removed(town: Town) -> None:
    administrator, code = Administrator(town), f"t{uuid.uuid4().hex[:8]}"
    question = {"code": "counter", "type": "number", "name_fa": "شماره باجه آزمون", "name_en": "Counter"}
    body = {"kinds": ["criticism"], "name_fa": "محور آزمون", "name_en": "Ground of the test", "questions": [question]}
    good(administrator.put(f"grounds/{code}", body))
    try:
        case, case_id = filed(town, word(), ground=code, answers={"counter": 3})
    finally:
        good(administrator.put(f"grounds/{code}", {**body, "questions": []}))
    read = town.officer("screener").read(case_id)
    assert read["answers"] == {"counter": 3}
    assert "شماره باجه آزمون" in str(read)
    assert "شماره باجه آزمون" in str(case.view())


def test_the_wish_for_a_visit_of_a_merged_case_is_not_avoided(town: Town) -> None:
    administrator, code = Administrator(town), f"test.{uuid.uuid4().hex[:8]}"
    good(administrator.put(f"units/{code}", unit("میز آزمون")))
    screener, head = town.officer("screener"), town.officer("head")
    (_, target_id), (merged, merged_id) = (
        filed(town, word(), unit=code),
        filed(town, word(), unit=code, visit_wanted=True),
    )
    screener.do(merged_id, "screening")
    screener.do(merged_id, "merge", into=target_id)
    assert [visit["state"] for visit in merged.view_at("merged")["visits"]] == ["asked"]

    def counted() -> bool:
        cells = good(head.caller.get("/v1/figures", by="stage", unit=code))["cells"]
        assert {cell["key"][0]: cell["count"] for cell in cells} == {"registered": 1, "merged": 1}
        return True

    eventually(counted)
    totals = good(head.caller.get("/v1/figures/visits", unit=code))["totals"]
    assert (totals["asked"], totals["avoided"]) == (1, 0)
