"""Staff who sign in, and what limits guessing; the list of staff."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from backbone import sealing
from contracts.accounts import ListChangedStaff, ListStaff, SignInStaff
from contracts.audit import NameStaff
from contracts.errors import BadCredentials, BadToken, NotAllowed, TooMany
from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Role
from services.accounts.seed import DEMO_STAFF, staff_id
from services.accounts.staff.rules import Member
from tests.support.accounts import AccountsService, StaffClient, at_once, refresh
from tests.support.processes import BrokerClient, eventually

pytest_plugins = ["tests.support.accounts"]
pytestmark = [pytest.mark.timeout(180), pytest.mark.filterwarnings("ignore:EdDSA is deprecated")]


class TestStaff:
    def test_every_role_signs_in_and_its_token_identifies_it(
        self, accounts: AccountsService, staff_client: StaffClient
    ) -> None:
        for username, member in DEMO_STAFF.items():
            claims = accounts.claims(staff_client.sign_in(username)["access_token"])
            assert claims["sub"] == str(staff_id(username))
            assert claims["typ"] == "staff"
            assert "ctc" not in claims
            assert claims["roles"] == [role.value for role in member.roles]
            assert claims["unit"] == member.unit
            assert claims["name"] == member.display_name
        assert {role for member in DEMO_STAFF.values() for role in member.roles} == set(Role)

    def test_every_failed_sign_in_gives_the_same_error(self, staff_client: StaffClient) -> None:
        wrong = [
            ("head", "wrong password", None),
            ("head", None, "000000"),
            ("head", None, ""),
            ("nobody", "wrong password", "000000"),
        ]
        for username, password, totp in wrong:
            with pytest.raises(BadCredentials) as refusal:
                staff_client.sign_in(username, password, totp)
            assert refusal.value.params == {}

    def test_a_totp_works_once(self, staff_client: StaffClient) -> None:
        totp = staff_client.totp("head")
        staff_client.sign_in("head", totp=totp)
        with pytest.raises(BadCredentials):
            staff_client.sign_in("head", totp=totp)
        with pytest.raises(BadCredentials):
            staff_client.sign_in("head", totp=staff_client.totp("head", -1))

    def test_a_totp_works_once_for_two_simultaneous_sign_ins(
        self, accounts: AccountsService, staff_client: StaffClient
    ) -> None:
        password = accounts.staff["head"]["password"]
        request = SignInStaff(
            username="head", password=password, totp=staff_client.totp("head"), address_key="somewhere"
        )
        outcomes = at_once(accounts, 3, lambda broker_client: broker_client.call("accounts", "sign_in_staff", request))
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["BadCredentials"] * 2 + ["dict"]

    @pytest.mark.parametrize("username", ["analyst", "nobody"])
    def test_a_user_name_is_blocked_after_five_failures_whether_it_exists_or_not(
        self, accounts: AccountsService, staff_client: StaffClient, username: str
    ) -> None:
        for _ in range(5):
            with pytest.raises(BadCredentials):
                staff_client.sign_in(username, "wrong password", "000000")
        with pytest.raises(TooMany) as refusal:
            staff_client.sign_in(username, "wrong password", "000000")
        assert 10 <= refusal.value.params["retry_after"] <= 15
        accounts.sql("UPDATE sign_in_attempts SET blocked_until = now()")
        with pytest.raises(BadCredentials):
            staff_client.sign_in(username, "wrong password", "000000")
        with pytest.raises(TooMany) as refusal:
            staff_client.sign_in(username, "wrong password", "000000")
        assert 25 <= refusal.value.params["retry_after"] <= 30

    @pytest.mark.parametrize("username", ["analyst", "nobody"])
    def test_failures_of_a_stranger_count_against_their_own_address(
        self, staff_client: StaffClient, username: str
    ) -> None:
        staff_client.fail(username, 5, "elsewhere")
        with pytest.raises(TooMany):
            staff_client.sign_in(username, "wrong password", "000000", "elsewhere")
        with pytest.raises(BadCredentials):  # who works is looked at even there
            staff_client.sign_in(username, "wrong password", "000000", "elsewhere", worked=True)
        if username == "analyst":
            assert staff_client.sign_in(username, address="office")["access_token"]
        else:
            staff_client.fail(username, 1, "office")

    def test_a_device_that_signed_in_before_is_not_blocked_by_others(
        self, accounts: AccountsService, staff_client: StaffClient
    ) -> None:
        device = staff_client.sign_in("analyst", address="office")["device_token"]
        accounts.sql("UPDATE staff SET totp_last_step = 0")
        staff_client.fail("analyst", 5, "office")
        with pytest.raises(TooMany):
            staff_client.sign_in("analyst", address="office")
        again = staff_client.sign_in("analyst", address="office", device_token=device)
        assert again["device_token"]

        # It has a counter of its own, and is nobody else's.
        accounts.sql("UPDATE staff SET totp_last_step = 0")
        staff_client.fail("analyst", 5, "office", again["device_token"])
        with pytest.raises(TooMany):
            staff_client.sign_in("analyst", address="elsewhere", device_token=again["device_token"])
        assert staff_client.sign_in("analyst", address="home")["access_token"]

    @pytest.mark.parametrize("change", ["forged", "anothers", "reset", "old"])
    def test_an_invalid_device_token_is_ignored(
        self, accounts: AccountsService, staff_client: StaffClient, change: str
    ) -> None:
        device = staff_client.sign_in("analyst", address="office")["device_token"]
        version, name, made, mac = device.split(".")
        if change == "forged":
            device = f"{version}.{name}x.{made}.{mac}"
        elif change == "anothers":
            device = staff_client.sign_in("head", address="office")["device_token"]
        elif change == "reset":
            accounts.reset("analyst")
        else:
            line = f"{version}.{name}.{int(made) - 181 * 86_400}"
            [(id_, hashed)] = accounts.sql("SELECT staff_id, password_hash FROM staff WHERE username = 'analyst'")
            device = f"{line}.{sealing.keyed_hash(f'device:{id_}:{hashed}:{line}', accounts.key)}"
        accounts.sql("UPDATE staff SET totp_last_step = 0")
        staff_client.fail("analyst", 5, "office")
        with pytest.raises(TooMany):
            staff_client.sign_in("analyst", address="office", device_token=device)

    def test_guessing_from_many_addresses_is_slowed_without_delaying_recognised_devices(
        self, accounts: AccountsService, staff_client: StaffClient
    ) -> None:
        device = staff_client.sign_in("analyst", address="office")["device_token"]
        staff_client.fail("analyst", 1, "address 0")
        accounts.sql("UPDATE sign_in_attempts SET failures = 200 WHERE failures > 0")  # of many more
        staff_client.fail("analyst", 1, "address 1")
        with pytest.raises(TooMany) as refusal:
            staff_client.sign_in("analyst", "wrong password", "000000", "address 2")
        assert 1 <= refusal.value.params["retry_after"] <= 30
        accounts.sql("UPDATE staff SET totp_last_step = 0")
        assert staff_client.sign_in("analyst", address="office", device_token=device)["access_token"]
        accounts.sql("UPDATE staff SET totp_last_step = 0")
        accounts.sql("UPDATE sign_in_attempts SET blocked_until = now()")
        assert staff_client.sign_in("analyst", address="address 3")["access_token"], "slow is not shut"

    def test_a_holder_of_the_password_cannot_guess_the_totp(
        self, accounts: AccountsService, staff_client: StaffClient
    ) -> None:
        device = staff_client.sign_in("analyst", address="office")["device_token"]
        accounts.sql("UPDATE staff SET totp_last_step = 0")
        for at in range(10):
            with pytest.raises(BadCredentials):
                staff_client.sign_in("analyst", totp="000000", address=f"address {at}")
        with pytest.raises(BadCredentials):  # not told from a wrong one
            staff_client.sign_in("analyst", address="address 11")
        assert staff_client.sign_in("analyst", address="office", device_token=device)["access_token"]

    def test_the_owner_is_notified_once_a_day(
        self, accounts: AccountsService, staff_client: StaffClient, broker_client: BrokerClient
    ) -> None:
        broker_client.record_events("accounts.events")
        for username in ("nobody", "analyst"):
            for at in range(12):
                staff_client.fail(username, 1, f"address {at}")
        events = eventually(lambda: broker_client.recorded_events("sign_in.failures.v1"))
        assert [(event["staff_id"], event["failures"]) for event in events] == [(str(staff_id("analyst")), 5)]
        accounts.sql("UPDATE sign_in_attempts SET last_at = last_at - interval '1 day' WHERE failures = 5")
        staff_client.fail("analyst", 1, "address 13")
        eventually(lambda: len(broker_client.recorded_events("sign_in.failures.v1")) == 2)

    def test_a_successful_sign_in_clears_the_failures(
        self, accounts: AccountsService, staff_client: StaffClient
    ) -> None:
        for _ in range(4):
            with pytest.raises(BadCredentials):
                staff_client.sign_in("analyst", "wrong password")
        staff_client.sign_in("analyst")
        assert accounts.sql("SELECT * FROM sign_in_attempts") == []

    def test_a_staff_session_ends_after_twelve_hours(
        self, accounts: AccountsService, staff_client: StaffClient
    ) -> None:
        sid = accounts.claims(staff_client.sign_in("head")["access_token"])["sid"]
        [(left,)] = accounts.sql("SELECT expires_at - now() FROM sessions WHERE session_id = %s", sid)
        assert 11.9 < left.total_seconds() / 3600 <= 12

    def test_a_change_is_published_and_in_the_next_token_and_closing_ends_the_session(
        self, accounts: AccountsService, staff_client: StaffClient
    ) -> None:
        staff_client.broker_client.record_events("accounts.events")
        tokens = staff_client.sign_in("inspector2")
        accounts.change("inspector2", Member("بازرس دو", (Role.INSPECTOR, Role.HEAD), "mayor"))
        tokens = refresh(staff_client.broker_client, tokens["refresh_token"])
        claims = accounts.claims(tokens["access_token"])
        assert claims["roles"] == ["inspector", "head"]
        assert claims["unit"] == "mayor"
        accounts.change("inspector2", Member("بازرس دو", (Role.INSPECTOR,), "mayor.insp", active=False))
        with pytest.raises(BadToken):
            refresh(staff_client.broker_client, tokens["refresh_token"])
        staff_client.forget_attempts()
        with pytest.raises(BadCredentials):
            staff_client.sign_in("inspector2")
        events = eventually(lambda: len(e := staff_client.broker_client.recorded_events("staff.changed.v1")) >= 2 and e)
        assert [(event["version"], event["active"]) for event in events] == [(2, True), (3, False)]
        accounts.change("inspector2", DEMO_STAFF["inspector2"])

    def test_staff_are_listed_to_those_who_assign_and_to_nobody_else(
        self, broker_client: BrokerClient, accounts: AccountsService
    ) -> None:
        def actor(name: str, *roles: Role, kind: ActorKind = ActorKind.STAFF) -> Actor:
            return Actor(kind=kind, id=str(staff_id(name)), roles=frozenset(roles))

        head = actor("head", Role.HEAD)
        answer = broker_client.call("accounts", "list_staff", ListStaff(actor=head, role=Role.INSPECTOR))
        assert {item["staff_id"] for item in answer["items"]} == {
            str(staff_id("inspector")),
            str(staff_id("inspector2")),
        }
        everybody = broker_client.call("accounts", "list_staff", ListStaff(actor=actor("screener", Role.SCREENER)))
        assert len(everybody["items"]) == len(DEMO_STAFF)
        once = actor("inspector", Role.HEAD)  # a token from before another role was given
        unknown = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.HEAD}))
        citizen = actor("head", Role.HEAD, kind=ActorKind.CITIZEN)
        for other in (
            actor("liaison", Role.LIAISON),
            actor("auditor", Role.AUDITOR),
            actor("head"),
            once,
            unknown,
            citizen,
        ):
            with pytest.raises(NotAllowed):
                broker_client.call("accounts", "list_staff", ListStaff(actor=other))

    def test_successful_sign_ins_are_audited_and_failed_ones_are_not(
        self, accounts: AccountsService, staff_client: StaffClient
    ) -> None:
        columns = "actor_kind, actor_id, roles, subjects, result"
        own = str(staff_id("analyst"))

        def noted() -> list[tuple[Any, ...]]:
            rows = accounts.sql(f"SELECT {columns} FROM audit_waiting UNION ALL SELECT {columns} FROM audit")
            return [row for row in rows if own in row[3]]

        before = len(noted())
        staff_client.forget_attempts()
        with pytest.raises(BadCredentials):
            staff_client.sign_in("analyst", password="wrong-password-of-a-stranger")
        staff_client.forget_attempts()
        staff_client.sign_in("analyst")
        assert noted()[before:] == [("staff", own, ["analyst"], [own], "done")]

    def test_recently_changed_accounts_are_listed_with_the_version_of_their_next_token(
        self, broker_client: BrokerClient, accounts: AccountsService, staff_client: StaffClient
    ) -> None:
        def changed() -> dict[str, int]:
            answer = broker_client.call("accounts", "list_changed_staff", ListChangedStaff())
            return {item["staff_id"]: item["version"] for item in answer["items"]}

        own = str(staff_id("screener"))
        accounts.sql("UPDATE staff SET changed_at = now() - interval '20 minutes'")
        assert changed() == {}
        before = accounts.claims(staff_client.sign_in("screener")["access_token"])["ver"]
        accounts.change("screener", DEMO_STAFF["screener"])
        assert changed() == {own: before + 1}
        staff_client.forget_attempts()
        assert accounts.claims(staff_client.sign_in("screener")["access_token"])["ver"] == before + 1

    def test_staff_are_not_listed_to_a_closed_account(
        self, broker_client: BrokerClient, accounts: AccountsService
    ) -> None:
        head = Actor(kind=ActorKind.STAFF, id=str(staff_id("head")), roles=frozenset({Role.HEAD}))
        accounts.change("head", replace(DEMO_STAFF["head"], active=False))
        with pytest.raises(NotAllowed):
            broker_client.call("accounts", "list_staff", ListStaff(actor=head))
        accounts.change("head", DEMO_STAFF["head"])
        assert broker_client.call("accounts", "list_staff", ListStaff(actor=head))["items"]


def test_an_auditor_is_told_who_ids_are_and_finds_people_by_a_part_of_their_name(
    accounts: AccountsService, broker_client: BrokerClient
) -> None:
    auditor = accounts.actor("auditor")

    def named(who: Actor = auditor, **asked: Any) -> dict[str, str]:
        items = broker_client.call("accounts", "name_staff", NameStaff(actor=who, **asked))["items"]
        return {item["username"]: item["display_name"] for item in items}

    assert named(ids=[staff_id("head"), uuid4()]) == {"head": DEMO_STAFF["head"].display_name}
    assert set(named(typed="بازرس ي")) == {"inspector"}
    assert set(named(typed="INSPECTOR")) == {"inspector", "inspector2"}
    assert named(typed="\u200c") == {}
    accounts.change("head", replace(DEMO_STAFF["head"], active=False))
    assert "head" in named(ids=[staff_id("head")]), "who left is still named"
    accounts.change("head", DEMO_STAFF["head"])
    for username in ("head", "administrator", "custodian"):
        with pytest.raises(NotAllowed):
            named(accounts.actor(username), ids=[staff_id("auditor")])
