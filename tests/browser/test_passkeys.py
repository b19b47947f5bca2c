"""Passkeys in the real Chromium, with its virtual authenticator: what the API answers is what a browser takes, and the other way
round."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route

from tests.e2e.people import JSON, Town, good
from tests.e2e.test_own_account import colleague
from tests.e2e.test_passkeys import origin

pytestmark = pytest.mark.timeout(300)

CREATE = """async (options) => {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  return (await navigator.credentials.create({publicKey})).toJSON();
}"""
GET = """async (options) => {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return (await navigator.credentials.get({publicKey})).toJSON();
}"""


@pytest.fixture
def page(chromium: Browser, town: Town) -> Iterator[Page]:
    """A page of the origin that passkeys belong to, in a browser with an authenticator that verifies its owner."""
    context = chromium.new_context()
    page = context.new_page()

    def answered(route: Route) -> None:
        route.fulfill(status=200, content_type="text/html", body="<!doctype html><title>Peygir</title>")

    page.route(f"{origin(town)}/**", answered)
    page.goto(f"{origin(town)}/")
    devices = context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    yield page
    context.close()


def test_a_passkey_that_chromium_made_signs_its_owner_in(page: Page, town: Town) -> None:
    assert page.evaluate("isSecureContext")
    owner = colleague(town)
    factor = owner.app()
    options = good(owner.caller.post("/v1/me/passkeys/options", {"second_factor": factor}))
    assert options["rp"]["id"] == urlsplit(origin(town)).hostname
    body = {"name": "Chromium", "credential": page.evaluate(CREATE, options)}
    assert good(owner.caller.post("/v1/me/passkeys", body), 201)["name"] == "Chromium"

    def shown() -> JSON:
        challenge = good(town.caller().request("POST", "/v1/auth/staff/passkey-challenges"))
        return {"kind": "passkey", "credential": page.evaluate(GET, challenge)}

    def entered() -> httpx.Response:
        return owner.enter(second_factor=shown())

    assert entered().status_code == 200
    assert entered().status_code == 200
    assert owner.enter(second_factor=shown(), password="wrong password").status_code == 401
