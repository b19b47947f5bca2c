"""Passkeys over the API, with a software authenticator: registered, used to sign in, and refused on another site's page."""

from __future__ import annotations

from functools import partial

import pytest

from tests.e2e.live_parts import Browser
from tests.e2e.people import JSON, Town, good
from tests.e2e.test_own_account import Colleague, app_code, colleague
from tests.support.authenticator import Authenticator
from tests.support.processes import eventually

pytestmark = pytest.mark.timeout(300)
CHALLENGES = "/v1/auth/staff/passkey-challenges"


def origin(town: Town) -> str:
    """Of the pages on which staff sign in."""
    return str(town.system.environment["PASSKEY_ORIGIN"])


def registered(owner: Colleague, authenticator: Authenticator, factor: JSON, name: str = "گوشی من") -> JSON:
    """A new passkey of this authenticator."""
    options = good(owner.caller.post("/v1/me/passkeys/options", {"second_factor": factor}))
    body = {"name": name, "credential": authenticator.create(options)}
    passkey: JSON = good(owner.caller.post("/v1/me/passkeys", body), 201)
    return passkey


def shown(town: Town, authenticator: Authenticator) -> JSON:
    """Its answer to a fresh challenge."""
    options = good(town.caller().request("POST", CHALLENGES))
    return {"kind": "passkey", "credential": authenticator.get(options)}


def test_staff_sign_in_with_password_and_passkey(town: Town) -> None:
    owner = colleague(town)
    authenticator = Authenticator(origin(town))
    passkey = registered(owner, authenticator, owner.app())
    assert passkey["name"] == "گوشی من"

    answer = shown(town, authenticator)
    entered = owner.entered(second_factor=answer)
    assert good(entered.get("/v1/me"))["roles"] == ["screener"]
    replayed = owner.enter(second_factor=answer)
    assert (replayed.status_code, replayed.json()["code"]) == (401, "bad_credentials")
    assert owner.enter(second_factor=shown(town, authenticator), password="wrong password").status_code == 401
    [listed] = good(entered.get("/v1/me/second-factors"))["passkeys"]
    assert listed["used_at"] is not None
    eventually(lambda: owner.inbox("passkey was added"))


def test_another_sites_page_gets_nothing_out_of_a_passkey(town: Town) -> None:
    owner = colleague(town)
    authenticator = Authenticator(origin(town))
    registered(owner, authenticator, owner.app())
    authenticator.origin = "https://peygir.example.phishing.example"
    assert owner.enter(second_factor=shown(town, authenticator)).status_code == 401


def test_with_a_passkey_the_app_may_go_and_the_last_factor_stays(town: Town) -> None:
    owner = colleague(town)
    authenticator = Authenticator(origin(town), synced=True)
    passkey = registered(owner, authenticator, owner.app())
    path = f"/v1/me/passkeys/{passkey['passkey_id']}"
    renamed = good(owner.caller.request("PUT", path, json={"name": "کلید سخت‌افزاری"}))
    assert renamed["name"] == "کلید سخت‌افزاری"

    removal = {"second_factor": shown(town, authenticator)}
    assert good(owner.caller.post("/v1/me/totp/removal", removal))["totp"] is False
    assert owner.enter(totp=app_code(owner.totp_secret, 1)).status_code == 401
    last = owner.caller.post(f"{path}/removal", {"second_factor": shown(town, authenticator)})
    assert (last.status_code, last.json()["code"]) == (409, "last_second_factor")
    second = registered(owner, Authenticator(origin(town)), shown(town, authenticator), "دیگری")
    left = good(owner.caller.post(f"{path}/removal", {"second_factor": shown(town, authenticator)}))
    assert [item["passkey_id"] for item in left["passkeys"]] == [second["passkey_id"]]
    assert owner.enter(second_factor=shown(town, authenticator)).status_code == 401
    eventually(lambda: owner.inbox("passkey was removed"))


def test_a_reset_by_the_administrator_ends_passkeys_as_well(town: Town) -> None:
    owner = colleague(town)
    authenticator = Authenticator(origin(town))
    registered(owner, authenticator, owner.app())
    me = good(owner.caller.get("/v1/me"))["id"]
    reset = good(town.officer("administrator").caller.post(f"/v1/staff/{me}/credentials", {}))
    owner.password = reset["password"]
    assert owner.enter(second_factor=shown(town, authenticator)).status_code == 401
    assert owner.enter(totp=app_code(reset["totp_secret"])).status_code == 200


def is_signed_out(browser: Browser) -> bool:
    return browser.get("/v1/me").status_code == 401


def test_a_browser_opens_its_session_with_a_passkey_or_a_recovery_code(town: Town) -> None:
    owner = colleague(town)
    [code, spare, *_] = owner.codes()  # a code of the app is good once in half a minute
    authenticator = Authenticator(origin(town))
    registered(owner, authenticator, spare)
    given = {"method": "password", "username": owner.username, "password": owner.password}
    for factor in (shown(town, authenticator), code):
        browser = Browser(town.system.gateway_url)
        assert browser.open({**given, "second_factor": factor, "device_token": owner.device_token})["roles"] == [
            "screener"
        ]
        [this] = [item for item in good(browser.get("/v1/me/sessions"))["items"] if item["current"]]
        ended = browser.request("DELETE", f"/v1/me/sessions/{this['session_id']}")
        assert ended.is_success, ended.text
        eventually(partial(is_signed_out, browser))
