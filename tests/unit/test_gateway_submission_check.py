"""Everything that is wrong with a submission is told at once, and it can be seen before it is filed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from backbone.persian import jalali
from contracts.base import now
from contracts.promises import Promise, Promises
from contracts.vocabulary import Kind, Role
from tests.support.gateway import COMPLAINT, CRITICISM, REPORT, Gateway, bearer, reasons


@pytest.fixture
def gateway(unlimited_gateway: Gateway) -> Gateway:
    unlimited_gateway.rabbit.reset()
    return unlimited_gateway


def check(gateway: Gateway, body: dict[str, Any], **headers: str) -> Any:
    return gateway.send("POST", "/v1/submissions/check", json=body, headers=headers)


BOTH = pytest.mark.parametrize("path", ["/v1/submissions", "/v1/submissions/check"])


@BOTH
def test_an_unknown_unit_is_told_together_with_shapes(gateway: Gateway, path: str) -> None:
    body = CRITICISM | {"unit": "nowhere", "ground": "nothing", "text": "کوتاه", "happened_on": "دیروز بود"}
    answer = gateway.send("POST", path, json=body | {"identity": {"name": "رضا رضایی", "national_id": "1234567890"}})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_field")
    wrong = reasons(answer)
    assert wrong["unit"] == "unknown_unit"
    assert wrong["ground"] == "unknown_ground"
    assert wrong["identity.national_id"] == "not_a_national_id"
    assert wrong.keys() == {"unit", "ground", "text", "happened_on", "identity.national_id"}
    assert all(error["message"] for error in answer.json()["errors"])


@BOTH
def test_what_depends_on_an_unreadable_field_is_not_guessed(gateway: Gateway, path: str) -> None:
    for body, wrong in (
        (REPORT | {"kind": "praise", "identity": {"name": "رضا رضایی"}}, {"kind"}),
        (REPORT | {"ground": "NO GROUND", "answers": {"day": "1"}}, {"ground"}),
        (REPORT | {"anonymous": "no", "identity": {"name": "رضا رضایی"}}, {"anonymous"}),
        (REPORT | {"uploads": "none", "upload_hashes": {"x" * 22: "0" * 64}}, {"uploads"}),
        (REPORT | {"unknown": 1, "unit": "nowhere"}, {"unknown", "unit"}),
    ):
        assert reasons(gateway.send("POST", path, json=body)).keys() == wrong, body


@BOTH
def test_questions_of_the_ground_and_texts_are_told_together(gateway: Gateway, path: str) -> None:
    body = CRITICISM | {"ground": "conduct", "unit": "old", "answers": {"times": "three", "more": 1}, "text": ""}
    wrong = reasons(gateway.send("POST", path, json=body))
    expected = {"answers.day": "missing", "answers.times": "not_a_number", "answers.more": "unknown_question"}
    assert expected.items() <= wrong.items()
    assert wrong["unit"] == "closed_unit"
    assert "text" in wrong


@BOTH
def test_one_mistake_keeps_its_own_code(gateway: Gateway, path: str) -> None:
    answer = gateway.send("POST", path, json=REPORT | {"unit": "nowhere"})
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_unit")
    answer = gateway.send("POST", path, json=COMPLAINT)
    assert (answer.status_code, answer.json()["code"]) == (401, "identity_needed")
    answer = gateway.send("POST", path, json=COMPLAINT | {"unit": "nowhere"})
    assert (answer.status_code, reasons(answer)) == (422, {"unit": "unknown_unit", "identity": "identity_needed"})


@BOTH
@pytest.mark.parametrize("sent", [[], "text", 7, None])
def test_what_is_no_submission_at_all_is_refused(gateway: Gateway, path: str, sent: Any) -> None:
    assert gateway.send("POST", path, json=sent).status_code == 422


def promises(today: date) -> Promises:
    owed: dict[str, Any] = {"first_reading_days": 2, "decision_days": 15, "citizen_days": 10, "objection_days": 10}
    items = [Promise(kind=kind, decision_on=today + timedelta(days=21), **owed) for kind in Kind]
    tomorrow = today + timedelta(days=1)
    return Promises(as_of=today, works_today=True, next_workday=tomorrow, items=items, rating_days=30)


def test_a_submission_is_shown_as_it_would_be_filed(gateway: Gateway) -> None:
    today = jalali.today(now())
    gateway.rabbit.answers["tracking.list_promises"] = lambda _: promises(today)
    yesterday = today - timedelta(days=1)
    body = CRITICISM | {
        "unit": "roads.north",
        "ground": "conduct",
        "answers": {"day": jalali.short(yesterday), "what": "rude", "times": 2},
        "happened_on": jalali.short(yesterday),
        "people": ["کارمند باجه"],
        "identity": {"name": "رضا رضایی"},
    }
    seen = check(gateway, body)
    assert seen.status_code == 200, seen.text
    preview = seen.json()
    assert (preview["unit_name"], preview["unit_trail"]) == ("شمال", ["شهرداری", "راه‌ها"])
    assert (preview["decision_days"], preview["expected_on"]) == (15, (today + timedelta(days=21)).isoformat())
    assert preview["expected_text"] == jalali.long(today + timedelta(days=21))
    answers = {answer["code"]: answer["value_text"] for answer in preview["answers"]}
    assert answers == {"day": jalali.long(yesterday), "times": "2", "what": "تند"}
    assert (preview["happened_on"], preview["name"], preview["anonymous"]) == (
        yesterday.isoformat(),
        "رضا رضایی",
        False,
    )
    assert preview["handled_by"]
    assert preview["next_steps"]
    # Nothing was filed, and no code given.
    assert gateway.rabbit.published == []
    assert "tracking_code" not in preview
    assert check(gateway, body, **{"Accept-Language": "en"}).json()["unit_name"] == "North"
    # What was shown can be filed.
    assert gateway.file(body).status_code == 201


def test_it_is_shown_without_a_promise_while_nobody_answers(gateway: Gateway) -> None:
    preview = check(gateway, REPORT).json()
    assert (preview["anonymous"], preview["expected_on"], preview["code_by_sms"]) == (True, None, False)


def test_a_citizen_is_told_that_the_code_comes_by_sms(gateway: Gateway) -> None:
    preview = check(gateway, COMPLAINT, **bearer(gateway.keys.citizen())).json()
    assert (preview["code_by_sms"], preview["anonymous"], preview["name"]) == (True, False, "شاکی نمونه")


def test_staff_who_do_not_file_for_citizens_may_not_check_either(gateway: Gateway) -> None:
    assert check(gateway, REPORT, **bearer(gateway.keys.staff(Role.INSPECTOR))).status_code == 403
