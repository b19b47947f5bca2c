"""The call-back list over the API: an operator calls a citizen who did not rate, and the answer is recorded as given by phone."""

from __future__ import annotations

import uuid

import pytest

from tests.e2e.day_parts import refused, weeks_pass
from tests.e2e.hostile_parts import reader
from tests.e2e.people import JSON, Town, good
from tests.e2e.test_office import DECISION
from tests.support.processes import eventually

pytestmark = pytest.mark.timeout(240)
PATH = "/v1/desk/call-backs"


def drawn(town: Town, case_id: str) -> None:
    """As if the week's sample had this case first. How samples are drawn: tests/component/test_tracking_call_backs.py."""
    database = reader(town, "tracking")
    eventually(lambda: database.execute("SELECT week FROM call_back_draws").fetchone())
    database.execute(
        "INSERT INTO call_backs (case_id, week, place, state, attempts)"
        " SELECT %(case_id)s, max(week), -1, 'waiting', 0 FROM call_back_draws",
        {"case_id": case_id},
    )


def test_an_operator_calls_a_citizen_who_did_not_rate(town: Town) -> None:
    case, phone, _ = town.complaint()
    case_id = str(case.view()["case_id"])
    inspector, operator, head = town.assigned(case), town.officer("operator"), town.officer("head")
    inspector.do(case_id, "decision", **DECISION)
    case.view_at("decided")
    weeks_pass(town, case_id, 8)
    case.view_at("closed")
    drawn(town, case_id)

    for name in ("head", "inspector", "screener"):
        refused(town.officer(name).caller.post(PATH, {}), 403, "not_allowed")
    taken: JSON = good(operator.caller.post(PATH, {}))
    call = taken.pop("call")
    assert taken == {"attempt": 1, "mobile": phone.mobile, "code_digits": case.code[-4:]}
    assert case_id not in call
    again = good(operator.caller.post(PATH, {}))
    assert (again["attempt"], again["code_digits"]) == (1, taken["code_digits"]), "the same until there is a result"
    openings = reader(town, "intake").execute(
        "SELECT actor, reason FROM identity_openings WHERE submission_id = %(case_id)s", {"case_id": case_id}
    )
    assert set(openings.fetchall()) == {(operator.staff_id, "call-back list: mobile")}

    result, key = f"{PATH}/results", uuid.uuid4().hex
    said = {"score": 2, "informed_clearly": True, "treated_well": False, "on_time": False, "asked_improper": False}
    refused(operator.caller.post(result, {"call": call, "result": "rated"}), 422, "invalid_field")
    refused(operator.caller.post(result, {"call": call, "result": "declined", "score": 2}), 422, "invalid_field")
    refused(operator.caller.post(result, {"call": case_id, "result": "declined"}), 404, "unknown_case")
    refused(head.caller.post(result, {"call": call, "result": "declined"}), 403, "not_allowed")
    missed = good(operator.caller.post(result, {"call": call, "result": "not_reached"}))
    assert (missed["state"], missed["attempts"]) == ("waiting", 1)
    assert "case_id" not in missed
    reader(town, "tracking").execute(
        "UPDATE call_backs SET next_on = next_on - 1 WHERE case_id = %(case_id)s", {"case_id": case_id}
    )
    assert good(operator.caller.post(PATH, {}))["attempt"] == 2
    for _ in range(2):
        assert (
            good(operator.caller.post(result, {"call": call, "result": "rated", **said}, key=key))["state"] == "rated"
        )
    refused(operator.caller.post(result, {"call": call, "result": "declined"}), 404, "unknown_case")

    seen = head.read(case_id)
    entry = next(entry for entry in seen["timeline"] if entry["entry"] == "rated_by_phone")
    assert (seen["score"], entry["details"], entry["actor_id"]) == (2, said, operator.staff_id)
    week = good(head.caller.get(PATH))["items"][0]
    assert week["rated"] >= 1
    assert phone.mobile not in str(week)
    refused(town.officer("screener").caller.get(PATH), 403, "not_allowed")
    eventually(
        lambda: (
            reader(town, "insight")
            .execute(
                "SELECT 1 FROM transitions WHERE case_id = %(case_id)s AND event = 'case.rated_by_phone.v1'",
                {"case_id": case_id},
            )
            .fetchone()
        )
    )
