"""No administrator alone makes somebody who opens identities: over the API, with two of them, and custodians who are told."""

from __future__ import annotations

import time
import uuid
from typing import Any

import httpx
import pyotp
import pytest

from tests.e2e.people import JSON, Town, good
from tests.e2e.test_configuration import send, wrong
from tests.support.processes import eventually

pytestmark = pytest.mark.timeout(300)


def inbox(town: Town, username: str, about: str) -> list[str]:
    """What this officer's inbox says about an account."""
    # The officer is everybody's in this run and stays as they are; this is another client of theirs.
    in_english = town.caller("en", token=town.officer(username).caller.token)
    items: list[JSON] = good(in_english.get("/v1/messages"))["items"]
    return [item["text"] for item in items if about in item["text"]]


def test_a_head_is_created_by_two_administrators_and_every_custodian_is_notified(town: Town) -> None:
    first, second = (town.officer(name).caller for name in ("administrator", "administrator2"))
    username = f"head-{uuid.uuid4().hex[:8]}"
    body = {"username": username, "display_name": "سرپرست بازرسی", "roles": ["head"], "unit": "mayor.insp"}
    requested = good(first.post("/v1/staff", body), 202)
    path = f"/v1/staff/changes/{requested['change']['change_id']}"
    waiting = eventually(lambda: inbox(town, "custodian", username))
    assert "راهبر سامانه" in waiting[0]
    assert "head of inspection" in waiting[0]
    assert eventually(lambda: inbox(town, "administrator2", username))
    assert inbox(town, "screener", username) == []

    def refused(answer: httpx.Response, status: int, code: str) -> None:
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text

    refused(first.post(f"{path}/confirmation", {}), 409, "second_administrator_needed")
    for name in ("head", "custodian", "screener"):
        refused(town.officer(name).caller.post(f"{path}/confirmation", {}), 403, "not_allowed")
    pending = good(second.get("/v1/staff/changes", pending=True))["items"]
    assert [change["actions"] for change in pending if change["change_id"] == requested["change"]["change_id"]] == [
        ["confirm", "deny"]
    ]
    assert requested["password"] not in str(pending)

    done = good(second.post(f"{path}/confirmation", {}))
    assert "password" not in done
    refused(second.post(f"{path}/denial", {}), 409, "already_decided")
    confirmed = eventually(lambda: [text for text in inbox(town, "custodian", username) if "confirmed by" in text])
    assert "راهبر دوم سامانه" in confirmed[0]
    entered = {"username": username, "password": requested["password"], "totp": pyotp.TOTP(done["totp_secret"]).now()}
    tokens = good(town.caller().post("/v1/auth/staff/tokens", entered))
    newcomer = town.caller(token=tokens["access_token"])
    assert good(newcomer.get("/v1/me"))["roles"] == ["head"]

    # To take it away one is enough; the session is over at once, and to give it back takes two again.
    staff_path = f"/v1/staff/{done['member']['staff_id']}"
    member: dict[str, Any] = {name: body[name] for name in ("display_name", "roles", "unit")}
    good(send(first, "PUT", staff_path, {**member, "active": False}, version=1))
    eventually(lambda: newcomer.get("/v1/me").status_code == 401)
    again = good(send(first, "PUT", staff_path, {**member, "active": True}, version=2), 202)
    denied = good(second.post(f"/v1/staff/changes/{again['change']['change_id']}/denial", {}))
    assert denied["state"] == "denied"
    assert eventually(lambda: [text for text in inbox(town, "custodian", username) if "denied by" in text])
    time_based = {**entered, "totp": pyotp.TOTP(done["totp_secret"]).at(time.time() + 30)}
    assert town.caller().post("/v1/auth/staff/tokens", time_based).status_code == 401


def test_nobody_can_change_the_texts_that_notify_custodians(town: Town) -> None:
    administrator = town.officer("administrator").caller
    path = "/v1/notification-texts/inbox/staff_grant_requested"
    words = {"text_fa": "همه چیز خوب است.", "text_en": "All is well."}
    assert wrong(send(administrator, "PUT", path, words, version=0)) == {"text_fa": "fixed_text"}
