"""One's own account over the API: the password, an authenticator app by its QR code, recovery codes, and one's sessions."""

from __future__ import annotations

import re
import time
import uuid
from dataclasses import dataclass
from typing import Any

import httpx
import pyotp
import pytest
import zxingcpp
from PIL import Image, ImageDraw

from tests.e2e.people import JSON, ONE_TIME_CODE, Caller, Town, good
from tests.e2e.test_configuration import wrong
from tests.support.processes import eventually

pytestmark = pytest.mark.timeout(300)
NEW = "seven green boats under a bridge"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


@dataclass
class Colleague:
    """A member of staff with an account of their own, whose codes nobody else uses."""

    town: Town
    username: str
    password: str
    totp_secret: str
    caller: Caller
    device_token: str

    def enter(self, **body: Any) -> httpx.Response:
        """Signs in by whatever is given beside the user name."""
        given = {"username": self.username, "password": self.password, "device_token": self.device_token, **body}
        return self.town.caller().request("POST", "/v1/auth/staff/tokens", json=given, headers={"User-Agent": FIREFOX})

    def entered(self, **body: Any) -> Caller:
        """In a session of its own."""
        return self.town.caller(token=good(self.enter(**body))["access_token"])

    def inbox(self, about: str) -> list[str]:
        """What they were told, in English."""
        in_english = self.town.caller("en", token=self.caller.token)
        items: list[JSON] = good(in_english.get("/v1/messages"))["items"]
        return [item["text"] for item in items if about in item["text"]]

    def app(self) -> JSON:
        """A code of the app that was not used to sign in: the next one, from a clock half a minute fast."""
        return {"kind": "totp", "code": app_code(self.totp_secret, 1)}

    def codes(self) -> list[JSON]:
        """Ten recovery codes, as second factors: they are good at any moment, and a code of the app once in half a minute."""
        codes = good(self.caller.post("/v1/me/recovery-codes", {"second_factor": self.app()}))["codes"]
        return [{"kind": "recovery_code", "code": code} for code in codes]


def colleague(town: Town, roles: tuple[str, ...] = ("screener",)) -> Colleague:
    """Newly added by the administrator, and signed in."""
    username = f"staff-{uuid.uuid4().hex[:8]}"
    body = {"username": username, "display_name": "کارشناس نمونه", "roles": list(roles), "unit": None}
    added = good(town.officer("administrator").caller.post("/v1/staff", body), 201)
    entered = {"username": username, "password": added["password"], "totp": app_code(added["totp_secret"])}
    tokens = good(town.caller().post("/v1/auth/staff/tokens", entered))
    caller = town.caller(token=tokens["access_token"])
    return Colleague(town, username, added["password"], added["totp_secret"], caller, tokens["device_token"])


def app_code(secret: str, step: int = 0) -> str:
    """Of an authenticator app, whose clock may be half a minute off."""
    return pyotp.TOTP(secret).at(int(time.time()) + 30 * step)


def test_a_password_is_changed_and_other_sessions_end_while_this_one_stays(town: Town) -> None:
    owner = colleague(town)
    codes = owner.codes()
    elsewhere = owner.entered(second_factor=codes[0])
    body = {"current_password": owner.password, "new_password": NEW}

    short = owner.caller.post("/v1/me/password", {**body, "new_password": "short"})
    assert wrong(short) == {"new_password": "string_too_short"}
    assert "۱۲" in short.json()["errors"][0]["message"]
    guessed = owner.caller.post("/v1/me/password", {**body, "current_password": "guessed"})
    assert wrong(guessed) == {"current_password": "wrong_password"}
    assert good(elsewhere.get("/v1/me"))["kind"] == "staff"

    changed = good(owner.caller.post("/v1/me/password", body))
    assert good(owner.caller.get("/v1/me"))["kind"] == "staff"
    eventually(lambda: elsewhere.get("/v1/me").status_code == 401)
    owner.device_token = changed["device_token"]
    assert owner.enter(second_factor=codes[1]).status_code == 401
    owner.password = NEW
    assert owner.enter(second_factor=codes[1]).status_code == 200
    eventually(lambda: owner.inbox("password of your account was changed"))


def test_guessing_the_present_password_is_slowed(town: Town) -> None:
    owner = colleague(town)
    body = {"current_password": "guessed", "new_password": NEW}
    assert [owner.caller.post("/v1/me/password", body).status_code for _ in range(6)] == [422] * 5 + [429]


def test_an_app_is_enrolled_by_its_qr_code_and_confirmed_by_a_code(town: Town) -> None:
    owner = colleague(town)
    codes = owner.codes()
    assert wrong(owner.caller.post("/v1/me/totp", {"second_factor": {"kind": "totp", "code": "000000"}})) == {
        "second_factor": "wrong_second_factor"
    }
    begun = good(owner.caller.post("/v1/me/totp", {"second_factor": codes[0]}))
    assert read_qr(begun["qr_svg"]) == begun["totp_address"]
    assert pyotp.parse_uri(begun["totp_address"]).secret == begun["totp_secret"] != owner.totp_secret

    confirm = "/v1/me/totp/confirmation"
    assert wrong(owner.caller.post(confirm, {"totp": "12345"})) == {"totp": "wrong_second_factor"}
    factors = good(owner.caller.post(confirm, {"totp": app_code(begun["totp_secret"])}))
    assert (factors["totp"], factors["recovery_codes_left"]) == (True, 9)
    assert owner.enter(totp=app_code(owner.totp_secret, 1)).status_code == 401
    assert owner.enter(totp=app_code(begun["totp_secret"], 1)).status_code == 200
    again = owner.caller.post(confirm, {"totp": app_code(begun["totp_secret"])})
    assert (again.status_code, again.json()["code"]) == (409, "no_totp_enrolment")
    eventually(lambda: owner.inbox("authenticator app was enrolled"))

    removal = owner.caller.post("/v1/me/totp/removal", {"second_factor": codes[1]})
    assert (removal.status_code, removal.json()["code"]) == (409, "last_second_factor")
    assert "عامل دوم" in removal.json()["detail"]


def read_qr(svg: str) -> str:
    """What an app reads: the strokes of the drawing's one dark path, a module high each, as a picture."""
    [path] = re.findall(r'class="qrline"[^>]* d="([^"]+)"', svg) or re.findall(r' stroke="#000"[^>]* d="([^"]+)"', svg)
    width = re.search(r'width="(\d+)"', svg)
    assert width is not None
    picture = Image.new("L", (int(width.group(1)),) * 2, 255)
    draw = ImageDraw.Draw(picture)
    x, y = 0.0, 0.0
    for kind, first, second in re.findall(r"([Mmh])(-?[\d.]+)(?:[ ,]?(-?[\d.]+))?", path):
        if kind == "h":
            draw.rectangle((x * 4, int(y) * 4, (x + float(first)) * 4 - 1, int(y) * 4 + 3), fill=0)
            x += float(first)
        else:
            x, y = (0.0, 0.0) if kind == "M" else (x, y)
            x, y = x + float(first), y + float(second)
    [found] = zxingcpp.read_barcodes(picture)
    return str(found.text)


def test_a_recovery_code_signs_in_once_and_its_owner_is_told(town: Town) -> None:
    owner = colleague(town)
    codes = owner.codes()
    assert len({code["code"] for code in codes}) == 10
    assert owner.enter(second_factor=codes[0]).status_code == 200
    refused = owner.enter(second_factor=codes[0])
    assert (refused.status_code, refused.json()["code"]) == (401, "bad_credentials")
    eventually(lambda: owner.inbox("recovery code was used for your account; 9 are left"))
    renewed = good(owner.caller.post("/v1/me/recovery-codes", {"second_factor": codes[1]}))["codes"]
    assert owner.enter(second_factor=codes[2]).status_code == 401
    assert owner.enter(second_factor={"kind": "recovery_code", "code": renewed[0].upper()}).status_code == 200


def test_the_auditor_reads_what_was_changed_and_no_secret(town: Town) -> None:
    owner = colleague(town)
    me = good(owner.caller.get("/v1/me"))["id"]
    codes = owner.codes()
    good(owner.caller.post("/v1/me/password", {"current_password": owner.password, "new_password": NEW}))
    auditor = town.officer("auditor").caller

    def entries() -> str:
        answer = auditor.get("/v1/audit", person=me)
        assert answer.status_code == 200, answer.text
        commands = {item["command"] for item in answer.json()["items"]}
        assert {"renew_recovery_codes", "change_password"} <= commands
        return answer.text

    text = eventually(entries)
    assert NEW not in text
    assert codes[0]["code"] not in text


def test_staff_see_their_sessions_and_end_them(town: Town) -> None:
    owner = colleague(town)
    codes = owner.codes()
    phone, desk, lost = (owner.entered(second_factor=code) for code in codes[:3])
    items = good(owner.caller.get("/v1/me/sessions"))["items"]
    assert [item["current"] for item in items] == [False, False, False, True]
    assert {item["agent"] for item in items[:3]} == {"Firefox, Windows"}
    assert {item["network"] for item in items} == {"127.0.0.0/24"}
    assert "127.0.0.1" not in str(items)
    page = good(owner.caller.get("/v1/me/sessions", limit=3))
    [last] = good(owner.caller.get("/v1/me/sessions", limit=3, after=page["next"]))["items"]
    assert last["current"]

    path = f"/v1/me/sessions/{items[0]['session_id']}"
    assert owner.caller.request("DELETE", path).status_code == 204
    assert lost.get("/v1/me").status_code == 401  # at once, in this gateway
    assert [caller.get("/v1/me").status_code for caller in (phone, desk)] == [200, 200]
    assert owner.caller.request("DELETE", path).status_code == 404
    foreign = good(town.officer("head").caller.get("/v1/me/sessions"))["items"][0]["session_id"]
    assert owner.caller.request("DELETE", f"/v1/me/sessions/{foreign}").status_code == 404

    assert good(owner.caller.request("DELETE", "/v1/me/sessions")) == {"ended": 2}
    assert [caller.get("/v1/me").status_code for caller in (phone, desk, owner.caller)] == [401, 401, 200]


def test_a_citizen_sees_and_ends_their_sessions_of_which_no_address_is_kept(town: Town) -> None:
    phone = town.phone()

    def enter() -> Caller:
        caller = town.caller()
        good(caller.post("/v1/auth/codes", {"mobile": phone.mobile}))
        code = next(match for text in iter(phone.next, "") if (match := ONE_TIME_CODE.search(text))).group()
        given = {"mobile": phone.mobile, "code": code}
        tokens = caller.request("POST", "/v1/auth/tokens", json=given, headers={"User-Agent": FIREFOX})
        return town.caller(token=good(tokens)["access_token"])

    first, second = enter(), enter()
    items = good(second.get("/v1/me/sessions"))["items"]
    assert [(item["agent"], item["network"], item["current"]) for item in items] == [
        ("Firefox, Windows", None, True),
        ("Firefox, Windows", None, False),
    ]
    assert good(second.request("DELETE", "/v1/me/sessions")) == {"ended": 1}
    assert (first.get("/v1/me").status_code, second.get("/v1/me").status_code) == (401, 200)
    for path in ("/v1/me/second-factors",):
        assert second.get(path).status_code == 403
    assert second.post("/v1/me/password", {"current_password": "x", "new_password": NEW}).status_code == 403
