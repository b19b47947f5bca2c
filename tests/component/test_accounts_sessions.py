"""Sessions: access and refresh tokens, and how a session ends before its time."""

from __future__ import annotations

import base64
import json
import os
from datetime import datetime
from uuid import uuid4

import pytest
from joserfc.errors import JoseError

from backbone import sealing
from backbone.process import keys
from contracts.accounts import RevokeTokens
from contracts.errors import BadToken
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


class TestTokens:
    def test_a_token_with_another_key_no_key_or_changed_content_is_rejected(
        self, accounts: AccountsService, citizen: Citizen
    ) -> None:
        token = citizen.sign_in()["access_token"]
        with pytest.raises(JoseError):
            accounts.claims(token, keys.ed25519_public(os.urandom(32)).hex())
        head, body, signature = token.split(".")
        none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
        wanted = json.loads(base64.urlsafe_b64decode(body + "=="))
        forged = base64.urlsafe_b64encode(json.dumps({**wanted, "typ": "staff"}).encode()).rstrip(b"=").decode()
        for false in (f"{none}.{body}.", f"{none}.{body}.{signature}", f"{head}.{forged}.{signature}"):
            with pytest.raises(JoseError):
                accounts.claims(false)

    def test_a_refresh_gives_the_next_tokens_of_the_same_session(
        self, accounts: AccountsService, citizen: Citizen
    ) -> None:
        first = citizen.sign_in()
        second = refresh(citizen.broker_client, first["refresh_token"])
        third = refresh(citizen.broker_client, second["refresh_token"])
        assert len({tokens["refresh_token"] for tokens in (first, second, third)}) == 3
        before, after = accounts.claims(first["access_token"]), accounts.claims(third["access_token"])
        assert (before["sub"], before["sid"]) == (after["sub"], after["sid"])
        assert sealing.decrypt(after["ctc"], bytes.fromhex(accounts.environment["CONTACT_KEY"])) == citizen.mobile

    def test_a_refresh_whose_answer_was_lost_is_answered_again_with_the_same_successor(self, citizen: Citizen) -> None:
        first = citizen.sign_in()
        lost = refresh(citizen.broker_client, first["refresh_token"])
        again = refresh(citizen.broker_client, first["refresh_token"])
        assert again["refresh_token"] == lost["refresh_token"]
        assert refresh(citizen.broker_client, again["refresh_token"])["access_token"]

    def test_many_simultaneous_refreshes_create_one_successor(
        self, accounts: AccountsService, citizen: Citizen
    ) -> None:
        token = citizen.sign_in()["refresh_token"]
        outcomes = at_once(accounts, 5, lambda broker_client: refresh(broker_client, token))
        assert len({outcome["refresh_token"] for outcome in outcomes}) == 1

    def test_reusing_a_token_after_its_successor_was_used_ends_the_family(self, citizen: Citizen) -> None:
        first = citizen.sign_in()
        second = refresh(citizen.broker_client, first["refresh_token"])
        third = refresh(citizen.broker_client, second["refresh_token"])
        with pytest.raises(BadToken):
            refresh(citizen.broker_client, first["refresh_token"])
        with pytest.raises(BadToken):
            refresh(citizen.broker_client, third["refresh_token"])

    def test_reusing_a_token_after_the_grace_period_ends_the_family(
        self, accounts: AccountsService, citizen: Citizen
    ) -> None:
        first = citizen.sign_in()
        second = refresh(citizen.broker_client, first["refresh_token"])
        accounts.sql("UPDATE refresh_tokens SET used_at = used_at - interval '11 seconds' WHERE used_at IS NOT NULL")
        with pytest.raises(BadToken):
            refresh(citizen.broker_client, first["refresh_token"])
        with pytest.raises(BadToken):
            refresh(citizen.broker_client, second["refresh_token"])

    def test_a_session_ends_after_thirty_days_despite_refreshes(
        self, accounts: AccountsService, citizen: Citizen
    ) -> None:
        tokens = citizen.sign_in()
        sid = accounts.claims(tokens["access_token"])["sid"]
        [(days,)] = accounts.sql("SELECT expires_at - now() FROM sessions WHERE session_id = %s", sid)
        assert 29.9 < days.total_seconds() / 86_400 <= 30
        accounts.sql("UPDATE sessions SET expires_at = now() + interval '1 minute' WHERE session_id = %s", sid)
        last = refresh(citizen.broker_client, tokens["refresh_token"])
        assert last["expires_in"] <= 60
        accounts.sql("UPDATE sessions SET expires_at = now() WHERE session_id = %s", sid)
        with pytest.raises(BadToken):
            refresh(citizen.broker_client, last["refresh_token"])

    def test_a_revoked_session_cannot_be_refreshed_and_an_unknown_token_is_answered_alike(
        self, citizen: Citizen
    ) -> None:
        token = citizen.sign_in()["refresh_token"]
        citizen.broker_client.call("accounts", "revoke", RevokeTokens(refresh_token=token))
        nobodys = citizen.broker_client.call("accounts", "revoke", RevokeTokens(refresh_token="nobody's"))
        assert nobodys == {"ended": None}
        for refresh_token in (token, "nobody's"):
            with pytest.raises(BadToken):
                refresh(citizen.broker_client, refresh_token)


class TestEndedSessions:
    """However a session ends before its time, the gateways are notified, and one that starts later is given it."""

    def is_published(self, broker_client: BrokerClient, sid: str) -> None:
        assert eventually(lambda: sid in ended_sessions(broker_client))
        assert sid in listed_sessions(broker_client)

    def test_signing_out(self, accounts: AccountsService, citizen: Citizen) -> None:
        tokens = citizen.sign_in()
        sid = accounts.claims(tokens["access_token"])["sid"]
        answer = citizen.broker_client.call("accounts", "revoke", RevokeTokens(refresh_token=tokens["refresh_token"]))
        assert answer["ended"]["session_id"] == sid
        self.is_published(citizen.broker_client, sid)
        [event] = [
            event for event in citizen.broker_client.recorded_events("session.ended.v1") if sid in event["session_ids"]
        ]
        assert set(event) - {"_name"} == {"id", "occurred_at", "session_ids", "until"}  # nothing that tells whose
        assert accounts.claims(tokens["access_token"])["exp"] <= datetime.fromisoformat(event["until"]).timestamp()
        citizen.broker_client.call("accounts", "revoke", RevokeTokens(refresh_token=tokens["refresh_token"]))
        assert (
            len(
                [
                    event
                    for event in citizen.broker_client.recorded_events("session.ended.v1")
                    if sid in event["session_ids"]
                ]
            )
            == 1
        )

    def test_a_stolen_refresh_token(self, accounts: AccountsService, citizen: Citizen) -> None:
        first = citizen.sign_in()
        second = refresh(citizen.broker_client, first["refresh_token"])
        refresh(citizen.broker_client, second["refresh_token"])
        with pytest.raises(BadToken):
            refresh(citizen.broker_client, first["refresh_token"])
        self.is_published(citizen.broker_client, accounts.claims(first["access_token"])["sid"])

    @pytest.mark.parametrize("how", ["reset", "close"])
    def test_resetting_credentials_or_closing_an_account(
        self, accounts: AccountsService, broker_client: BrokerClient, staff_client: StaffClient, how: str
    ) -> None:
        broker_client.record_events("accounts.events")
        mine, others = (
            accounts.claims(staff_client.sign_in(name)["access_token"])["sid"] for name in ("analyst", "operator")
        )
        accounts.run("staff_cli", how, "analyst")
        try:
            self.is_published(broker_client, mine)
            assert others not in listed_sessions(broker_client)
        finally:
            accounts.restore("analyst")

    def test_a_list_is_paged_and_omits_sessions_without_a_valid_token(
        self, accounts: AccountsService, broker_client: BrokerClient
    ) -> None:
        fresh, old = [str(uuid4()) for _ in range(5)], str(uuid4())
        for sid in (*fresh, old):
            accounts.sql(
                "INSERT INTO sessions (session_id, subject_type, subject_id, expires_at, revoked_at) "
                "VALUES (%s, 'citizen', %s, now() + interval '1 day', now() - %s * interval '1 minute')",
                sid,
                str(uuid4()),
                20 if sid == old else 10,
            )
        assert set(fresh) <= listed_sessions(broker_client, limit=2)
        assert old not in listed_sessions(broker_client, limit=2)
