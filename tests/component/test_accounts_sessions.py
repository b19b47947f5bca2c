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
from contracts.accounts import (
    RevokeTokens,
)
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
from tests.support.processes import BusClient, eventually

pytest_plugins = ["tests.support.accounts"]
pytestmark = [pytest.mark.timeout(180), pytest.mark.filterwarnings("ignore:EdDSA is deprecated")]


class TestTokens:
    def test_a_token_of_another_key_or_of_none_or_changed_is_not_believed(
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
        second = refresh(citizen.wire, first["refresh_token"])
        third = refresh(citizen.wire, second["refresh_token"])
        assert len({tokens["refresh_token"] for tokens in (first, second, third)}) == 3
        before, after = accounts.claims(first["access_token"]), accounts.claims(third["access_token"])
        assert (before["sub"], before["sid"]) == (after["sub"], after["sid"])
        assert sealing.decrypt(after["ctc"], bytes.fromhex(accounts.environment["CONTACT_KEY"])) == citizen.mobile

    def test_a_refresh_whose_answer_was_lost_is_answered_again_with_the_same_successor(self, citizen: Citizen) -> None:
        first = citizen.sign_in()
        lost = refresh(citizen.wire, first["refresh_token"])
        again = refresh(citizen.wire, first["refresh_token"])
        assert again["refresh_token"] == lost["refresh_token"]
        assert refresh(citizen.wire, again["refresh_token"])["access_token"]

    def test_many_refreshes_at_the_same_moment_make_one_successor(
        self, accounts: AccountsService, citizen: Citizen
    ) -> None:
        token = citizen.sign_in()["refresh_token"]
        outcomes = at_once(accounts, 5, lambda wire: refresh(wire, token))
        assert len({outcome["refresh_token"] for outcome in outcomes}) == 1

    def test_a_token_that_comes_again_after_its_successor_was_used_ends_the_family(self, citizen: Citizen) -> None:
        first = citizen.sign_in()
        second = refresh(citizen.wire, first["refresh_token"])
        third = refresh(citizen.wire, second["refresh_token"])
        with pytest.raises(BadToken):
            refresh(citizen.wire, first["refresh_token"])
        with pytest.raises(BadToken):
            refresh(citizen.wire, third["refresh_token"])

    def test_a_token_that_comes_again_after_the_grace_ends_the_family(
        self, accounts: AccountsService, citizen: Citizen
    ) -> None:
        first = citizen.sign_in()
        second = refresh(citizen.wire, first["refresh_token"])
        accounts.sql("UPDATE refresh_tokens SET used_at = used_at - interval '11 seconds' WHERE used_at IS NOT NULL")
        with pytest.raises(BadToken):
            refresh(citizen.wire, first["refresh_token"])
        with pytest.raises(BadToken):
            refresh(citizen.wire, second["refresh_token"])

    def test_a_session_ends_after_thirty_days_whatever_is_refreshed(
        self, accounts: AccountsService, citizen: Citizen
    ) -> None:
        tokens = citizen.sign_in()
        sid = accounts.claims(tokens["access_token"])["sid"]
        [(days,)] = accounts.sql("SELECT expires_at - now() FROM sessions WHERE session_id = %s", sid)
        assert 29.9 < days.total_seconds() / 86_400 <= 30
        accounts.sql("UPDATE sessions SET expires_at = now() + interval '1 minute' WHERE session_id = %s", sid)
        last = refresh(citizen.wire, tokens["refresh_token"])
        assert last["expires_in"] <= 60
        accounts.sql("UPDATE sessions SET expires_at = now() WHERE session_id = %s", sid)
        with pytest.raises(BadToken):
            refresh(citizen.wire, last["refresh_token"])

    def test_a_revoked_session_is_refreshed_no_more_and_an_unknown_token_is_answered_alike(
        self, citizen: Citizen
    ) -> None:
        token = citizen.sign_in()["refresh_token"]
        citizen.wire.ask("accounts", "revoke", RevokeTokens(refresh_token=token))
        nobodys = citizen.wire.ask("accounts", "revoke", RevokeTokens(refresh_token="nobody's"))
        assert nobodys == {"ended": None}
        for refresh_token in (token, "nobody's"):
            with pytest.raises(BadToken):
                refresh(citizen.wire, refresh_token)


class TestEndedSessions:
    """However a session ends before its time, the gateways are notified, and one that starts later is given it."""

    def is_published(self, wire: BusClient, sid: str) -> None:
        assert eventually(lambda: sid in ended_sessions(wire))
        assert sid in listed_sessions(wire)

    def test_signing_out(self, accounts: AccountsService, citizen: Citizen) -> None:
        tokens = citizen.sign_in()
        sid = accounts.claims(tokens["access_token"])["sid"]
        answer = citizen.wire.ask("accounts", "revoke", RevokeTokens(refresh_token=tokens["refresh_token"]))
        assert answer["ended"]["session_id"] == sid
        self.is_published(citizen.wire, sid)
        [event] = [event for event in citizen.wire.heard("session.ended.v1") if sid in event["session_ids"]]
        assert set(event) - {"_name"} == {"id", "occurred_at", "session_ids", "until"}  # nothing that tells whose
        assert accounts.claims(tokens["access_token"])["exp"] <= datetime.fromisoformat(event["until"]).timestamp()
        citizen.wire.ask("accounts", "revoke", RevokeTokens(refresh_token=tokens["refresh_token"]))
        assert len([event for event in citizen.wire.heard("session.ended.v1") if sid in event["session_ids"]]) == 1

    def test_a_stolen_refresh_token(self, accounts: AccountsService, citizen: Citizen) -> None:
        first = citizen.sign_in()
        second = refresh(citizen.wire, first["refresh_token"])
        refresh(citizen.wire, second["refresh_token"])
        with pytest.raises(BadToken):
            refresh(citizen.wire, first["refresh_token"])
        self.is_published(citizen.wire, accounts.claims(first["access_token"])["sid"])

    @pytest.mark.parametrize("how", ["reset", "close"])
    def test_credentials_reset_and_an_account_closed(
        self, accounts: AccountsService, wire: BusClient, staff_client: StaffClient, how: str
    ) -> None:
        wire.listen("accounts.events")
        mine, others = (
            accounts.claims(staff_client.sign_in(name)["access_token"])["sid"] for name in ("analyst", "operator")
        )
        accounts.run("staff_cli", how, "analyst")
        try:
            self.is_published(wire, mine)
            assert others not in listed_sessions(wire)
        finally:
            accounts.restore("analyst")

    def test_a_list_is_given_in_pages_and_leaves_out_what_nobody_holds_a_token_of(
        self, accounts: AccountsService, wire: BusClient
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
        assert set(fresh) <= listed_sessions(wire, limit=2)
        assert old not in listed_sessions(wire, limit=2)
