"""Staff sign in by a provider of OpenID Connect: a real one beside the running system, over HTTP alone."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.e2e.live_parts import Browser
from tests.e2e.people import JSON, Town, good
from tests.e2e.test_own_account import colleague
from tests.e2e.test_passkeys import origin, registered, shown
from tests.support.authenticator import Authenticator
from tests.support.oidc_provider import OidcProvider, running_provider

pytestmark = pytest.mark.timeout(300)
SESSIONS = "/v1/oidc/sessions"


@pytest.fixture(scope="module")
def provider(town: Town) -> Iterator[OidcProvider]:
    """Accounts with this provider set, until the end of the module."""
    accounts = town.system.process("accounts")
    before = dict(accounts.environment)
    with running_provider() as provider:
        settings = {
            "OIDC_ISSUER": provider.issuer,
            "OIDC_CLIENT_ID": "peygir",
            "OIDC_CLIENT_SECRET": "not told to browsers",
            "OIDC_NAME_FA": "ورود یکپارچه شهرداری",
            "OIDC_NAME_EN": "City single sign-on",
            "OIDC_SECOND_FACTOR_AMR": "hwk,mfa",
        }
        accounts.environment = {**before, **settings}
        accounts.restart()
        try:
            yield provider
        finally:
            accounts.environment = before
            accounts.restart()


def begun(town: Town) -> JSON:
    authorisation: JSON = good(town.caller().request("POST", "/v1/oidc/authorisations"))
    return authorisation


def finish(town: Town, authorisation: JSON, given: dict[str, str], **more: Any) -> httpx.Response:
    """With what the browser was sent back with."""
    body = {"sign_in": authorisation["sign_in"], "code": given["code"], "state": given["state"], **more}
    return town.caller().request("POST", SESSIONS, json=body)


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def test_it_is_off_unless_a_provider_is_set(town: Town) -> None:
    assert good(town.caller().get("/v1/oidc")) == {"enabled": False, "name": None}
    refused(town.caller().request("POST", "/v1/oidc/authorisations"), 404, "not_found")
    body = {"sign_in": "x", "code": "x", "state": "x"}
    refused(town.caller().request("POST", SESSIONS, json=body), 404, "not_found")


def test_its_name_is_shown_in_the_callers_language(town: Town, provider: OidcProvider) -> None:
    assert good(town.caller().get("/v1/oidc")) == {"enabled": True, "name": "ورود یکپارچه شهرداری"}
    assert good(town.caller("en").get("/v1/oidc"))["name"] == "City single sign-on"


def test_who_the_provider_signed_in_with_a_trusted_second_factor_gets_a_session(
    town: Town, provider: OidcProvider
) -> None:
    owner = colleague(town)
    provider.has_person("trusted", preferred_username=owner.username, amr=["pwd", "hwk"])
    authorisation = begun(town)
    asked = {name: value for name, [value] in parse_qs(urlsplit(authorisation["url"]).query).items()}
    assert asked["redirect_uri"].endswith("/sign-in/oidc")
    assert "not told to browsers" not in str(authorisation)

    tokens = good(finish(town, authorisation, provider.signs_in(authorisation["url"], "trusted")))
    entered = town.caller(token=tokens["access_token"])
    assert good(entered.get("/v1/me"))["roles"] == ["screener"]
    assert good(town.caller().post("/v1/auth/refresh", {"refresh_token": tokens["refresh_token"]}))["access_token"]

    sent = provider.exchanges[-1]
    challenge = base64.urlsafe_b64encode(hashlib.sha256(sent["code_verifier"].encode()).digest()).rstrip(b"=").decode()
    assert (asked["code_challenge_method"], asked["code_challenge"]) == ("S256", challenge)
    assert sent["code_verifier"] not in str(authorisation)


def test_without_one_ours_is_asked_for_with_the_same_request(town: Town, provider: OidcProvider) -> None:
    owner = colleague(town)
    [code, *_] = owner.codes()
    provider.has_person("untrusted", preferred_username=owner.username.upper(), amr=["pwd"])
    authorisation = begun(town)
    given = provider.signs_in(authorisation["url"], "untrusted")
    exchanges = len(provider.exchanges)
    refused(finish(town, authorisation, given), 401, "second_factor_needed")
    wrong = {"kind": "totp", "code": "000000"}
    refused(finish(town, authorisation, given, second_factor=wrong), 401, "bad_credentials")
    tokens = good(finish(town, authorisation, given, second_factor=code))
    assert len(provider.exchanges) == exchanges + 1  # the provider's code was exchanged once
    assert good(town.caller(token=tokens["access_token"]).get("/v1/me"))["name"] == "کارشناس نمونه"
    refused(finish(town, authorisation, given, second_factor=code), 401, "oidc_failed")


def test_a_passkey_is_such_a_second_factor(town: Town, provider: OidcProvider) -> None:
    owner = colleague(town)
    authenticator = Authenticator(origin(town))
    registered(owner, authenticator, owner.app())
    provider.has_person("passkey", preferred_username=owner.username)
    authorisation = begun(town)
    given = provider.signs_in(authorisation["url"], "passkey")
    assert finish(town, authorisation, given, second_factor=shown(town, authenticator)).status_code == 200


def test_a_browser_opens_its_session_by_the_provider(town: Town, provider: OidcProvider) -> None:
    owner = colleague(town)
    provider.has_person("browser", preferred_username=owner.username, amr=["mfa"])
    authorisation = begun(town)
    given = provider.signs_in(authorisation["url"], "browser")
    browser = Browser(town.system.gateway_url)
    body = {"sign_in": authorisation["sign_in"], "code": given["code"], "state": given["state"]}
    assert browser.open({"method": "oidc", **body})["roles"] == ["screener"]
    assert good(browser.get("/v1/me"))["name"] == "کارشناس نمونه"


def test_nobody_is_signed_in_with_what_another_browser_brought(town: Town, provider: OidcProvider) -> None:
    owner = colleague(town)
    provider.has_person("attacker", preferred_username=owner.username, amr=["hwk"])
    attackers, victims = begun(town), begun(town)
    given = provider.signs_in(attackers["url"], "attacker")
    refused(finish(town, victims, given), 401, "oidc_failed")
    refused(finish(town, victims, {**given, "state": "guessed"}), 401, "oidc_failed")
    refused(finish(town, attackers, {**given, "code": "guessed"}), 401, "oidc_failed")
    refused(finish(town, attackers, given), 401, "oidc_failed")  # whose code was tried already


def test_no_account_is_made_and_a_closed_one_stays_closed(town: Town, provider: OidcProvider) -> None:
    provider.has_person("stranger", preferred_username="nobody-here", amr=["hwk"])
    provider.has_person("nameless", amr=["hwk"])
    closed = colleague(town)
    me = good(closed.caller.get("/v1/me"))
    member = {"display_name": me["name"], "roles": me["roles"], "unit": None, "active": False}
    administrator = town.officer("administrator").caller
    headers = {"If-Match": '"1"', "Idempotency-Key": "closing-an-account-of-oidc"}
    good(administrator.request("PUT", f"/v1/staff/{me['id']}", json=member, headers=headers))
    provider.has_person("closed", preferred_username=closed.username, amr=["hwk"])
    for person in ("stranger", "nameless", "closed"):
        authorisation = begun(town)
        answer = finish(town, authorisation, provider.signs_in(authorisation["url"], person))
        refused(answer, 403, "no_staff_account")
        assert "راهبر سامانه" in answer.json()["detail"]
    assert "nobody-here" not in administrator.get("/v1/staff").text
