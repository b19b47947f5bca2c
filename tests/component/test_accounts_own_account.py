"""One's own account, on a running service: the password, the authenticator app, recovery codes and sessions."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pyotp
import pytest

from contracts import own_account
from contracts.accounts import SecondFactor, SignInPlace, SignInStaff
from contracts.errors import (
    BadCredentials,
    BadToken,
    InvalidField,
    LastSecondFactor,
    NotAllowed,
    NotFound,
    NoTotpEnrolment,
    TooMany,
)
from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Role
from services.accounts.composition import compose
from services.accounts.staff.credentials import Credentials, fresh_credentials
from services.accounts.staff.rules import Member
from services.accounts.staff.staff_accounts import StaffAccounts
from tests.support.accounts import (
    BREACHED,
    AccountsService,
    Citizen,
    at_once,
    ended_sessions,
    refresh,
)
from tests.support.processes import BrokerClient, eventually

pytest_plugins = ["tests.support.accounts"]
pytestmark = [pytest.mark.timeout(180), pytest.mark.filterwarnings("ignore:EdDSA is deprecated")]
JSON = dict[str, Any]
NEW = "seven green boats under a bridge"


@dataclass
class Owner:
    """A member of staff with an account of their own, and what they sign in with."""

    accounts: AccountsService
    broker_client: BrokerClient
    username: str
    staff_id: str
    credentials: Credentials
    session: JSON
    steps: int = 1

    @property
    def own(self) -> JSON:
        """Who asks, in which session."""
        actor = Actor(kind=ActorKind.STAFF, id=self.staff_id, roles=frozenset({Role.SCREENER}))
        return {"actor": actor, "session_id": UUID(self.sid(self.session))}

    def sid(self, session: JSON) -> str:
        return str(self.accounts.claims(session["access_token"])["sid"])

    def call(self, method: str, request: Any) -> JSON:
        answer: JSON = self.broker_client.call("accounts", method, request)
        return answer

    def totp(self) -> SecondFactor:
        """A code that was not used: as if the one before had been of an earlier time."""
        self.accounts.sql("UPDATE staff SET totp_last_step = 0 WHERE staff_id = %s", self.staff_id)
        return SecondFactor(totp=pyotp.TOTP(self.credentials.totp_secret).now())

    def sign_in(self, factor: SecondFactor | None = None, password: str | None = None, **more: Any) -> JSON:
        request = SignInStaff(
            username=self.username,
            password=password or self.credentials.password,
            second_factor=factor or self.totp(),
            **{"address_key": "somewhere", **more},
        )
        return self.call("sign_in_staff", request)

    def change_password(self, current: str, new: str = NEW) -> JSON:
        request = own_account.ChangePassword(current_password=current, new_password=new, **self.own)
        return self.call("change_password", request)

    def recovery_codes(self) -> list[str]:
        request = own_account.RenewRecoveryCodes(second_factor=self.totp(), **self.own)
        codes: list[str] = self.call("renew_recovery_codes", request)["codes"]
        return codes

    def factors(self) -> JSON:
        return self.call("show_second_factors", own_account.ShowSecondFactors(**self.own))

    def sessions(self, **more: Any) -> JSON:
        return self.call("list_own_sessions", own_account.ListOwnSessions(**self.own, **more))

    def audited(self) -> list[tuple[str, str]]:
        """What the audit log says that they did."""
        rows = self.accounts.sql(
            "SELECT command, result FROM audit WHERE actor_id = %s ORDER BY position", self.staff_id
        )
        waiting = self.accounts.sql("SELECT command, result FROM audit_waiting WHERE actor_id = %s", self.staff_id)
        return [(str(command), str(result)) for command, result in (*rows, *waiting)]

    def news(self) -> list[str]:
        """What they were told."""
        events = self.broker_client.recorded_events("account.security_changed.v1")
        return [event["what"] for event in events if event["staff_id"] == self.staff_id]


@pytest.fixture
def owner(accounts: AccountsService, broker_client: BrokerClient) -> Owner:
    broker_client.record_events("accounts.events")
    username, staff_id, credentials = f"owner-{uuid4().hex[:8]}", uuid4(), fresh_credentials()
    member = Member("کارشناس نمونه", (Role.SCREENER,), None)
    with accounts.transaction() as connection:
        assert StaffAccounts(accounts.key).add(connection, staff_id, username, member, credentials.hashed())
    made = Owner(accounts, broker_client, username, str(staff_id), credentials, {})
    made.session = made.sign_in(place=SignInPlace(agent="Firefox, Windows", network="203.0.113.0/24"))
    return made


def wrong(error: pytest.ExceptionInfo[InvalidField]) -> dict[str, str]:
    """Field → reason."""
    return {field["field"]: field["reason"] for field in error.value.params["fields"]}


class TestPassword:
    def test_the_new_one_is_right_and_every_other_session_ends(self, owner: Owner) -> None:
        other = owner.sign_in()
        changed = owner.change_password(owner.credentials.password)
        with pytest.raises(BadCredentials):
            owner.sign_in()
        assert owner.sign_in(password=NEW, device_token=changed["device_token"])["access_token"]
        with pytest.raises(BadToken):
            refresh(owner.broker_client, other["refresh_token"])
        assert refresh(owner.broker_client, owner.session["refresh_token"])["access_token"]
        eventually(lambda: ended_sessions(owner.broker_client) == {owner.sid(other)})
        eventually(lambda: owner.news() == ["password_changed"])
        assert ("change_password", "done") in owner.audited()

    def test_the_device_token_of_before_is_nobodys(self, owner: Owner) -> None:
        before = owner.session["device_token"]
        after = owner.change_password(owner.credentials.password)["device_token"]
        # Strangers at one's address hold up a device that is not known.
        for _ in range(5):
            with pytest.raises(BadCredentials):
                owner.sign_in(password="wrong", factor=SecondFactor(totp="000000"))
        with pytest.raises(TooMany):
            owner.sign_in(password=NEW, device_token=before)
        assert owner.sign_in(password=NEW, device_token=after)["access_token"]

    def test_guessing_the_present_one_is_slowed_as_signing_in_is_and_holds_up_no_other_session(
        self, owner: Owner
    ) -> None:
        for _ in range(5):
            with pytest.raises(InvalidField) as refusal:
                owner.change_password("guessed")
            assert wrong(refusal) == {"current_password": "wrong_password"}
        with pytest.raises(TooMany) as blocked:
            owner.change_password(owner.credentials.password)
        assert 0 < blocked.value.params["retry_after"] <= 15
        assert ("change_password", "wrong_password") in owner.audited()
        eventually(
            lambda: (
                [event["staff_id"] for event in owner.broker_client.recorded_events("sign_in.failures.v1")]
                == [owner.staff_id]
            )
        )  # its owner is told
        owner.session = owner.sign_in()
        assert owner.change_password(owner.credentials.password)["device_token"]

    @pytest.mark.parametrize(
        ("new", "reason"),
        [
            ("elevenchars", "string_too_short"),
            (BREACHED[0], "password_breached"),
            (BREACHED[2], "password_breached"),
            (None, "password_unchanged"),
            ("", "password_is_username"),
        ],
    )
    def test_a_bad_new_one_changes_nothing(self, owner: Owner, new: str | None, reason: str) -> None:
        chosen = owner.credentials.password if new is None else new or owner.username.upper()
        with pytest.raises(InvalidField) as refusal:
            owner.change_password(owner.credentials.password, chosen)
        assert wrong(refusal) == {"new_password": reason}
        assert owner.sign_in()["access_token"]

    def test_a_closed_account_changes_nothing(self, owner: Owner, accounts: AccountsService) -> None:
        accounts.change(owner.username, Member("کارشناس نمونه", (Role.SCREENER,), None, active=False))
        with pytest.raises(NotAllowed):
            owner.change_password(owner.credentials.password)


class TestTotp:
    def begin(self, owner: Owner, factor: SecondFactor | None = None) -> JSON:
        request = own_account.BeginTotpEnrolment(second_factor=factor or owner.totp(), **owner.own)
        return owner.call("begin_totp_enrolment", request)

    def confirm(self, owner: Owner, code: str) -> JSON:
        return owner.call("confirm_totp_enrolment", own_account.ConfirmTotpEnrolment(totp=code, **owner.own))

    def test_another_app_replaces_the_present_one_once_a_code_of_it_confirms_it(self, owner: Owner) -> None:
        begun = self.begin(owner)
        assert begun["totp_secret"] in begun["totp_address"]
        assert owner.sign_in()["access_token"]  # the present one is in force
        fresh = pyotp.TOTP(begun["totp_secret"])
        with pytest.raises(InvalidField):
            self.confirm(owner, "000000" if fresh.now() != "000000" else "000001")
        code = fresh.now()
        assert self.confirm(owner, code)["totp"] is True
        with pytest.raises(BadCredentials):
            owner.sign_in(SecondFactor(totp=code))  # it was used to confirm
        with pytest.raises(BadCredentials):
            owner.sign_in()
        assert owner.sign_in(SecondFactor(totp=fresh.at(int(time.time()) + 30)))["access_token"]
        eventually(lambda: "totp_enrolled" in owner.news())
        assert ("begin_totp_enrolment", "done") in owner.audited()
        assert ("confirm_totp_enrolment", "done") in owner.audited()
        stored = owner.accounts.sql("SELECT locked_totp_secret FROM staff WHERE staff_id = %s", owner.staff_id)
        assert begun["totp_secret"] not in str(stored)

    def test_it_takes_a_present_second_factor_and_each_code_once(self, owner: Owner) -> None:
        code = owner.totp()
        self.begin(owner, code)
        for factor in (code, SecondFactor(totp="000000"), SecondFactor(), SecondFactor(recovery_code="aaaaa-aaaaa")):
            with pytest.raises(InvalidField) as refusal:
                self.begin(owner, factor)
            assert wrong(refusal) == {"second_factor": "wrong_second_factor"}
        with pytest.raises(InvalidField):
            self.begin(owner, code)
        with pytest.raises(TooMany):
            self.begin(owner)

    def test_what_was_not_begun_or_is_too_old_cannot_be_confirmed(self, owner: Owner) -> None:
        with pytest.raises(NoTotpEnrolment):
            self.confirm(owner, "123456")
        begun = self.begin(owner)
        owner.accounts.sql("UPDATE totp_enrolments SET expires_at = now() WHERE staff_id = %s", owner.staff_id)
        with pytest.raises(NoTotpEnrolment):
            self.confirm(owner, pyotp.TOTP(begun["totp_secret"]).now())

    def test_it_cannot_be_removed_while_it_is_the_only_second_factor(self, owner: Owner) -> None:
        owner.recovery_codes()  # which are none
        with pytest.raises(LastSecondFactor):
            owner.call("remove_totp", own_account.RemoveTotp(second_factor=owner.totp(), **owner.own))
        assert owner.factors() == {"totp": True, "passkeys": [], "recovery_codes_left": 10, "passkeys_offered": True}


class TestRecoveryCodes:
    def test_each_is_good_once_in_place_of_the_app_and_its_owner_is_told(self, owner: Owner) -> None:
        codes = owner.recovery_codes()
        assert len(codes) == 10
        typed = codes[0].upper().replace("-", " ")
        assert owner.sign_in(SecondFactor(recovery_code=typed))["access_token"]
        with pytest.raises(BadCredentials):
            owner.sign_in(SecondFactor(recovery_code=codes[0]))
        assert owner.sign_in(SecondFactor(recovery_code=codes[1]))["access_token"]
        assert owner.factors()["recovery_codes_left"] == 8
        eventually(
            lambda: (
                sorted(
                    event["codes_left"]
                    for event in owner.broker_client.recorded_events("account.security_changed.v1")
                    if event["what"] == "recovery_code_used"
                )
                == [8, 9]
            )
        )
        assert ("use_recovery_code", "done") in owner.audited()

    def test_a_wrong_password_uses_none_up(self, owner: Owner) -> None:
        [code, *_] = owner.recovery_codes()
        with pytest.raises(BadCredentials):
            owner.sign_in(SecondFactor(recovery_code=code), password="wrong")
        assert owner.sign_in(SecondFactor(recovery_code=code))["access_token"]

    def test_new_ones_make_those_of_before_void(self, owner: Owner) -> None:
        [old, *_] = owner.recovery_codes()
        [new, *_] = owner.recovery_codes()
        with pytest.raises(BadCredentials):
            owner.sign_in(SecondFactor(recovery_code=old))
        assert owner.sign_in(SecondFactor(recovery_code=new))["access_token"]

    def test_of_many_at_once_one_is_let_in(self, owner: Owner) -> None:
        [code, *_] = owner.recovery_codes()
        device = owner.session["device_token"]

        def enter(client: BrokerClient) -> Any:
            request = SignInStaff(
                username=owner.username,
                password=owner.credentials.password,
                second_factor=SecondFactor(recovery_code=code),
                address_key="somewhere",
                device_token=device,
            )
            return client.call("accounts", "sign_in_staff", request)

        outcomes = at_once(owner.accounts, 4, enter)
        assert len([outcome for outcome in outcomes if isinstance(outcome, dict)]) == 1, outcomes

    def test_neither_they_nor_a_new_secret_are_in_database_or_log(self, owner: Owner) -> None:
        codes = owner.recovery_codes()
        owner.sign_in(SecondFactor(recovery_code=codes[0]))
        tables = owner.accounts.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        dump = "\n".join(
            str(row) for (table,) in tables for row in owner.accounts.sql(f'SELECT t::text FROM "{table}" AS t')
        )
        log = owner.accounts.process.log.read_text()
        for code in codes:
            for form in (code, code.replace("-", "")):
                assert form not in dump
                assert form not in log

    def test_guessing_one_is_stopped_as_guessing_the_app_is(self, owner: Owner) -> None:
        [code, *_] = owner.recovery_codes()
        for attempt in range(10):
            with pytest.raises(BadCredentials):
                owner.sign_in(SecondFactor(recovery_code="00000-00000"), address_key=f"address {attempt}")
        with pytest.raises(BadCredentials):
            owner.sign_in(SecondFactor(recovery_code=code), address_key="yet another")
        assert owner.sign_in(SecondFactor(recovery_code=code), device_token=owner.session["device_token"])


class TestSessions:
    def test_those_of_oneself_are_listed_with_where_they_were_begun(self, owner: Owner) -> None:
        owner.sign_in(place=SignInPlace(agent="Chrome, Android"))
        items = owner.sessions()["items"]
        assert [(item["agent"], item["network"], item["current"]) for item in items] == [
            ("Chrome, Android", None, False),
            ("Firefox, Windows", "203.0.113.0/24", True),
        ]
        refresh(owner.broker_client, owner.session["refresh_token"])
        [used] = [item for item in owner.sessions()["items"] if item["current"]]
        assert used["last_used_at"] > items[1]["last_used_at"]
        first = owner.sessions(limit=1)
        assert first["items"][0]["session_id"] == items[0]["session_id"]
        second = owner.sessions(limit=1, after=first["next"])
        assert [item["session_id"] for item in second["items"]] == [items[1]["session_id"]]
        assert second["next"] is None

    def end(self, owner: Owner, session_id: str | None) -> list[str]:
        ended = UUID(session_id) if session_id else None
        reply = owner.call("end_own_session", own_account.EndOwnSession(ended=ended, **owner.own))
        return [item["session_id"] for item in reply["items"]]

    def test_one_is_ended_and_all_others(self, owner: Owner) -> None:
        sessions = [owner.sign_in() for _ in range(3)]
        first = owner.sid(sessions[0])
        assert self.end(owner, first) == [first]
        with pytest.raises(NotFound):
            self.end(owner, first)
        assert sorted(self.end(owner, None)) == sorted(map(owner.sid, sessions[1:]))
        assert [item["current"] for item in owner.sessions()["items"]] == [True]
        for session in sessions:
            with pytest.raises(BadToken):
                refresh(owner.broker_client, session["refresh_token"])
        eventually(lambda: ended_sessions(owner.broker_client) == set(map(owner.sid, sessions)))
        assert ("end_own_session", "done") in owner.audited()

    def test_nobody_ends_anothers(self, owner: Owner, citizen: Citizen) -> None:
        theirs = citizen.sign_in()
        with pytest.raises(NotFound):
            self.end(owner, owner.sid(theirs))
        assert refresh(owner.broker_client, theirs["refresh_token"])["access_token"]

    def test_a_citizen_has_the_same_and_nothing_of_their_address_is_kept(
        self, accounts: AccountsService, citizen: Citizen
    ) -> None:
        accounts_sql = "SELECT network FROM sessions WHERE subject_type = 'citizen' AND network IS NOT NULL"
        first = citizen.sign_in()
        claims = accounts.claims(first["access_token"])
        actor = Actor(kind=ActorKind.CITIZEN, id=claims["sub"])
        own = {"actor": actor, "session_id": UUID(claims["sid"])}
        items = citizen.broker_client.call("accounts", "list_own_sessions", own_account.ListOwnSessions(**own))["items"]
        assert [(item["current"], item["network"]) for item in items] == [(True, None)]
        assert accounts.sql(accounts_sql) == []


def test_a_reset_by_administrators_takes_passkeys_and_recovery_codes_away(
    owner: Owner, accounts: AccountsService
) -> None:
    [code, *_] = owner.recovery_codes()
    accounts.sql(
        "INSERT INTO passkeys (passkey_id, staff_id, credential_id, public_key, sign_count, name, synced, transports, "
        "created_at) VALUES (%s, %s, %s, %s, 0, 'x', false, '{}', now())",
        uuid4(),
        owner.staff_id,
        b"credential",
        b"key",
    )
    with accounts.transaction() as connection:
        assert StaffAccounts(accounts.key).reset_credentials(connection, owner.username, owner.credentials.hashed())
    with pytest.raises(BadCredentials):
        owner.sign_in(SecondFactor(recovery_code=code))
    for table in ("passkeys", "recovery_codes", "totp_enrolments"):
        assert accounts.sql(f"SELECT * FROM {table} WHERE staff_id = %s", owner.staff_id) == []


def test_what_nobody_finished_is_deleted(owner: Owner, accounts: AccountsService) -> None:
    owner.call("begin_totp_enrolment", own_account.BeginTotpEnrolment(second_factor=owner.totp(), **owner.own))
    owner.call("begin_passkey_use", own_account.BeginPasskeyUse())
    for table in ("totp_enrolments", "passkey_challenges"):
        accounts.sql(f"UPDATE {table} SET expires_at = now() - interval '1 second'")
    with accounts.transaction() as connection:
        compose(accounts.settings).pruning.prune(connection)
    assert accounts.sql("SELECT * FROM totp_enrolments") == []
    assert accounts.sql("SELECT * FROM passkey_challenges") == []
