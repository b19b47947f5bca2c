"""A submission is checked and seen before it is filed, with everything that is wrong with it in one answer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.people import UNIT, Town, good

pytestmark = pytest.mark.timeout(300)


def test_everything_that_is_wrong_is_told_at_once(town: Town) -> None:
    body: dict[str, Any] = {
        "kind": "criticism",
        "unit": "no.such.unit",
        "ground": "delay",
        "text": "کوتاه",
        "happened_on": "فردا",
    }
    body |= {"identity": {"name": "رضا رضایی", "national_id": "1234567890"}}
    for path in ("/v1/submissions/check", "/v1/submissions"):
        answer = town.caller().post(path, body)
        assert answer.status_code == 422
        wrong = {error["field"]: error["reason"] for error in answer.json()["errors"]}
        assert wrong.keys() == {"unit", "text", "happened_on", "consent", "identity.national_id"}
        assert wrong["unit"] == "unknown_unit"
        assert all(error["message"] for error in answer.json()["errors"])


def test_a_complaint_is_seen_as_it_will_be_and_then_filed(town: Town) -> None:
    phone = town.phone()
    citizen, _ = town.sign_in(phone)
    body: dict[str, Any] = {
        "kind": "complaint",
        "unit": UNIT,
        "ground": "delay",
        "text": "پرونده من سه ماه مانده است.",
        "identity": {"name": "شاکی نمونه"},
        "consent": True,
    }
    anonymous = town.caller().post("/v1/submissions/check", body)
    assert (anonymous.status_code, anonymous.json()["code"]) == (401, "identity_needed")
    preview = good(citizen.post("/v1/submissions/check", body))
    assert (preview["name"], preview["code_by_sms"], preview["anonymous"]) == ("شاکی نمونه", True, False)
    assert preview["unit_name"]
    assert preview["handled_by"]
    assert good(citizen.get("/v1/me/cases"))["items"] == []  # nothing was filed
    case = town.file(citizen, **{name: value for name, value in body.items() if name != "consent"})
    view = case.view()
    assert (view["expected_on"], view["unit_name"]) == (preview["expected_on"], preview["unit_name"])
    assert view["filed"]["text"] == preview["text"]
