"""Sessions of browsers: one secret for as long as they last, renewed by any number of requests at once."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

import pytest

from backbone import sealing
from contracts.accounts import EndBrowserSession, OpenBrowserSession, ResumeBrowserSession
from contracts.errors import BadToken
from services.accounts.seed import DEMO_STAFF
from services.accounts.staff.rules import Member
from tests.support.accounts import (
    AccountsService,
    Citizen,
    StaffClient,
    at_once,
    ended_sessions,
    listed_sessions,
    refresh,
)
from tests.support.processes import BrokerClient, eventually

pytest_plugins = ["tests.support.accounts"]
pytestmark = [pytest.mark.timeout(180), pytest.mark.filterwarnings("ignore:EdDSA is deprecated")]

JSON = dict[str, Any]


def opened(client: BrokerClient, refresh_token: str | None) -> JSON:
    answer: JSON = client.call("accounts", "open_browser_session", OpenBrowserSession(refresh_token=refresh_token))
    return answer


def resumed(client: BrokerClient, secret: str) -> JSON:
    answer: JSON = client.call("accounts", "resume_browser_session", ResumeBrowserSession(secret=secret))
    return answer


def ended(client: BrokerClient, secret: str) -> JSON:
    answer: JSON = client.call("accounts", "end_browser_session", EndBrowserSession(secret=secret))
    return answer


def test_a_sign_in_becomes_a_session_of_a_browser_with_the_citizens_mobile(
    accounts: AccountsService, citizen: Citizen
) -> None:
    tokens = citizen.sign_in()
    session = opened(citizen.broker_client, tokens["refresh_token"])
    claims = accounts.claims(session["access_token"])

    assert claims["sid"] == session["session_id"] == accounts.claims(tokens["access_token"])["sid"]
    assert sealing.decrypt(claims["ctc"], bytes.fromhex(accounts.environment["CONTACT_KEY"])) == citizen.mobile
    again = accounts.claims(resumed(citizen.broker_client, session["secret"])["access_token"])
    assert (again["sub"], again["sid"]) == (claims["sub"], claims["sid"])
    assert sealing.decrypt(again["ctc"], bytes.fromhex(accounts.environment["CONTACT_KEY"])) == citizen.mobile
    with pytest.raises(BadToken):  # no refresh token is left that could be stolen
        refresh(citizen.broker_client, tokens["refresh_token"])


def test_a_used_refresh_token_opens_no_browser_session(citizen: Citizen) -> None:
    tokens = citizen.sign_in()
    newer = refresh(citizen.broker_client, tokens["refresh_token"])
    with pytest.raises(BadToken):
        opened(citizen.broker_client, tokens["refresh_token"])
    assert opened(citizen.broker_client, newer["refresh_token"])["secret"]


def test_only_a_digest_of_the_secret_and_no_mobile_is_stored(accounts: AccountsService, citizen: Citizen) -> None:
    session = opened(citizen.broker_client, citizen.sign_in()["refresh_token"])
    [row] = accounts.sql("SELECT * FROM sessions WHERE session_id = %s", UUID(session["session_id"]))
    stored = " ".join(map(str, row))
    assert hashlib.sha256(session["secret"].encode()).hexdigest() in stored
    assert session["secret"] not in stored
    assert citizen.mobile[-9:] not in stored
    assert accounts.sql("SELECT 1 FROM refresh_tokens WHERE session_id = %s", UUID(session["session_id"])) == []


def test_requests_that_renew_at_the_same_moment_all_go_on(accounts: AccountsService, citizen: Citizen) -> None:
    session = opened(citizen.broker_client, citizen.sign_in()["refresh_token"])
    outcomes = at_once(accounts, 8, lambda client: resumed(client, session["secret"]))
    assert {accounts.claims(outcome["access_token"])["sid"] for outcome in outcomes} == {session["session_id"]}
    assert resumed(citizen.broker_client, session["secret"])["session_id"] == session["session_id"]


def test_a_session_that_is_ended_is_told_to_every_gateway_and_resumed_no_more(citizen: Citizen) -> None:
    session = opened(citizen.broker_client, citizen.sign_in()["refresh_token"])
    stays = opened(citizen.broker_client, None)
    assert ended(citizen.broker_client, session["secret"])["ended"]["session_id"] == session["session_id"]
    with pytest.raises(BadToken):
        resumed(citizen.broker_client, session["secret"])
    eventually(lambda: session["session_id"] in ended_sessions(citizen.broker_client))
    assert session["session_id"] in listed_sessions(citizen.broker_client)
    assert ended(citizen.broker_client, session["secret"])["ended"]["session_id"] == session["session_id"]
    assert ended(citizen.broker_client, "never given") == {"ended": None}
    assert resumed(citizen.broker_client, stays["secret"])["session_id"] == stays["session_id"]


def test_a_session_after_its_time_is_resumed_no_more(accounts: AccountsService, citizen: Citizen) -> None:
    session = opened(citizen.broker_client, citizen.sign_in()["refresh_token"])
    accounts.sql(
        "UPDATE sessions SET expires_at = now() - interval '1 second' WHERE session_id = %s",
        UUID(session["session_id"]),
    )
    with pytest.raises(BadToken):
        resumed(citizen.broker_client, session["secret"])


def test_a_member_of_staff_is_resumed_as_who_they_are_now_and_not_once_closed(
    accounts: AccountsService, staff_client: StaffClient
) -> None:
    client = staff_client.broker_client
    client.record_events("accounts.events")
    session = opened(client, staff_client.sign_in("screener")["refresh_token"])
    assert accounts.claims(session["access_token"])["roles"] == ["screener"]
    before = DEMO_STAFF["screener"]
    try:
        accounts.change("screener", Member(before.display_name, before.roles, "dep.civ.roads", active=True))
        assert accounts.claims(resumed(client, session["secret"])["access_token"])["unit"] == "dep.civ.roads"
        accounts.change("screener", Member(before.display_name, before.roles, before.unit, active=False))
        with pytest.raises(BadToken):
            resumed(client, session["secret"])
        eventually(lambda: session["session_id"] in ended_sessions(client))
    finally:
        accounts.restore("screener")


def test_new_credentials_end_the_sessions_of_browsers(accounts: AccountsService, staff_client: StaffClient) -> None:
    client = staff_client.broker_client
    session = opened(client, staff_client.sign_in("head")["refresh_token"])
    accounts.reset("head")
    with pytest.raises(BadToken):
        resumed(client, session["secret"])


def test_the_holder_of_a_code_has_a_session_that_is_nobodys_account(
    accounts: AccountsService, broker_client: BrokerClient
) -> None:
    first, second = opened(broker_client, None), opened(broker_client, None)
    assert first["access_token"] is None
    assert resumed(broker_client, first["secret"])["session_id"] == first["session_id"] != second["session_id"]
    [[subject]] = accounts.sql("SELECT subject_id FROM sessions WHERE session_id = %s", UUID(first["session_id"]))
    assert accounts.sql("SELECT 1 FROM citizens WHERE citizen_id = %s", subject) == []
    ended(broker_client, first["secret"])
    with pytest.raises(BadToken):
        resumed(broker_client, first["secret"])
