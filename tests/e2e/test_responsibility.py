"""Somebody is always responsible: departures with a successor and without, substitutes for the inspection itself, leaves with a
deputy; over the API."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import httpx
import pyotp
import pytest

from contracts.base import now
from tests.e2e.people import JSON, Caller, Officer, Town, good
from tests.e2e.test_configuration import send, wrong
from tests.e2e.test_trust import listening
from tests.support.processes import eventually

pytestmark = pytest.mark.timeout(300)


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def newcomer(town: Town, role: str, unit: str) -> tuple[Officer, JSON]:
    """Somebody new of the staff, signed in, and their account; by two administrators where it takes them."""
    first, second = (town.officer(name).caller for name in ("administrator", "administrator2"))
    username = f"{role}-{uuid.uuid4().hex[:8]}"
    body: dict[str, Any] = {"username": username, "display_name": "تازه‌وارد", "roles": [role], "unit": unit}
    answer = first.post("/v1/staff", body)
    if answer.status_code == 202:
        problem = answer.json()
        done = good(second.post(f"/v1/staff/changes/{problem['change']['change_id']}/confirmation", {}))
        member, password, secret = done["member"], problem["password"], done["totp_secret"]
    else:
        made = good(answer, 201)
        member, password, secret = made["member"], made["password"], made["totp_secret"]
    entered = {"username": username, "password": password, "totp": pyotp.TOTP(secret).now()}
    tokens = good(town.caller().post("/v1/auth/staff/tokens", entered))
    return Officer(username, town.caller(token=tokens["access_token"]), member["staff_id"]), member


def closed(town: Town, member: JSON, **more: Any) -> httpx.Response:
    """The administrator closes the account."""
    account = {name: member[name] for name in ("display_name", "roles", "unit")}
    path = f"/v1/staff/{member['staff_id']}"
    administrator = town.officer("administrator").caller
    return send(administrator, "PUT", path, {**account, "active": False, **more}, version=member["version"])


def staff_of(town: Town) -> list[JSON]:
    """All accounts."""
    items: list[JSON] = good(town.officer("administrator").caller.get("/v1/staff"))["items"]
    return items


def handed_to(town: Town, staff_id: str) -> str:
    """A complaint in the hands of this inspector."""
    case, _, _ = town.complaint()
    case_id = str(case.view()["case_id"])
    town.assigned(case)
    head = town.officer("head")
    head.do(case_id, "assignment", inspector=staff_id)
    return case_id


def test_a_leavers_case_goes_to_the_successor_or_to_the_head_with_a_notice(town: Town) -> None:
    head, heir = town.officer("head"), town.officer("inspector2")
    _, member = newcomer(town, "inspector", "mayor.insp")
    case_id = handed_to(town, member["staff_id"])
    assert wrong(closed(town, member, successor=member["staff_id"])) == {"successor": "same_person"}
    assert wrong(closed(town, member, successor=town.officer("analyst").staff_id)) == {"successor": "not_an_inspector"}
    good(closed(town, member, successor=heir.staff_id))
    eventually(lambda: head.read(case_id)["handler"] == heir.staff_id)
    assert heir.read(case_id)["handler"] == heir.staff_id

    _, member = newcomer(town, "inspector", "mayor.insp")
    case_id = handed_to(town, member["staff_id"])
    good(closed(town, member))
    eventually(lambda: head.read(case_id)["handler"] is None)

    def told() -> bool:
        items = good(head.caller.get("/v1/messages"))["items"]
        return any(item["template"] == "handler_left" and item["case_id"] == case_id for item in items)

    eventually(told)
    head.do(case_id, "assignment", inspector=heir.staff_id)


def test_a_complaint_about_the_inspection_goes_to_a_substitute(town: Town) -> None:
    def filed_elsewhere() -> str | None:
        case, _, _ = town.complaint(unit="mayor.insp")
        elsewhere: str | None = case.filed.get("elsewhere")
        return elsewhere

    [demo] = [member for member in staff_of(town) if member["roles"] == ["substitute"]]
    good(closed(town, demo))
    assert "۱۳۶" in str(eventually(filed_elsewhere))
    case, _, _ = town.complaint(unit="mayor.insp")
    case_id = str(case.view()["case_id"])
    ready = httpx.get(town.system.gateway_url + "/readyz")
    assert (ready.status_code, "mayor.insp" in ready.text) == (200, True)
    for name in ("head", "screener"):
        refused(town.officer(name).caller.get(f"/v1/cases/{case_id}"), 404, "unknown_case")
    inside = {"username": "sub-inside", "display_name": "جانشین", "roles": ["substitute"], "unit": "mayor.law"}
    assert wrong(town.officer("administrator").caller.post("/v1/staff", inside)) == {"unit": "within_inspection"}

    substitute, _ = newcomer(town, "substitute", "dep.urb")
    eventually(lambda: filed_elsewhere() is None)
    listed = good(substitute.caller.get("/v1/cases"))["items"]
    assert case_id in {line["case_id"] for line in listed}
    substitute.do(case_id, "screening")
    assert substitute.do(case_id, "assignment")["handler"] == substitute.staff_id
    substitute.do(case_id, "notes", text="رسیدگی می‌شود.")
    other, _, _ = town.complaint()
    refused(substitute.caller.get(f"/v1/cases/{other.view()['case_id']}"), 404, "unknown_case")


def test_a_deputy_does_the_same_until_the_leave_ends(town: Town) -> None:
    case, _, _ = town.complaint()
    case_id = str(case.view()["case_id"])
    inspector, deputy = town.assigned(case), town.officer("inspector2")
    refused(deputy.caller.get(f"/v1/cases/{case_id}"), 404, "unknown_case")

    def leave(who: Caller, **changes: Any) -> httpx.Response:
        period = {"starts_at": now().isoformat(), "ends_at": (now() + timedelta(days=3)).isoformat()}
        return who.post("/v1/staff/leaves", {"deputy": deputy.staff_id, **period, **changes})

    assert wrong(leave(inspector.caller, deputy=town.officer("analyst").staff_id)) == {"deputy": "lacks_a_role"}
    refused(leave(town.officer("screener").caller, staff_id=inspector.staff_id), 403, "not_allowed")
    taken = good(leave(inspector.caller), 201)
    eventually(lambda: deputy.caller.get(f"/v1/cases/{case_id}").status_code == 200)
    entry = deputy.do(case_id, "notes", text="به جای همکارم")["timeline"][-1]
    assert entry["actor_id"] == deputy.staff_id
    assert entry["details"]["on_behalf_of"] == inspector.staff_id

    def told() -> bool:
        return any(item["case_id"] == case_id for item in good(deputy.caller.get("/v1/messages"))["items"])

    eventually(told)
    with listening(town, deputy.caller) as heard_of:

        def hears_of_the_inspectors_note() -> bool:
            inspector.do(case_id, "notes", text="از مرخصی")
            return case_id in heard_of

        eventually(hears_of_the_inspectors_note)
    assert taken["leave_id"] in [line["leave_id"] for line in good(deputy.caller.get("/v1/staff/leaves"))["items"]]
    good(town.officer("head").caller.post(f"/v1/staff/leaves/{taken['leave_id']}/ending", {}))
    eventually(lambda: deputy.caller.get(f"/v1/cases/{case_id}").status_code == 404)
