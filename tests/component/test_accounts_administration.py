"""Staff accounts made by an administrator, by the command line and by the demo seed."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pyotp
import pytest

from contracts.accounts import AddStaff, ChangeStaff, ListStaff
from contracts.errors import BadToken, InvalidField, NotAllowed
from contracts.gateway import Actor
from contracts.vocabulary import Role
from tests.support.accounts import AccountsService, StaffClient, refresh
from tests.support.processes import BrokerClient, eventually

pytest_plugins = ["tests.support.accounts"]
pytestmark = [pytest.mark.timeout(180), pytest.mark.filterwarnings("ignore:EdDSA is deprecated")]


class TestAdministrator:
    @pytest.fixture
    def administrator(self, accounts: AccountsService) -> Actor:
        return accounts.actor("administrator")

    def add(self, broker_client: BrokerClient, actor: Actor, **more: Any) -> dict[str, Any]:
        about = {"username": f"member-{uuid4().hex[:8]}", "display_name": "پیشخوان", "roles": [Role.OPERATOR]}
        request = AddStaff(actor=actor, idempotency_key=uuid4().hex, **{**about, **more})
        answer: dict[str, Any] = broker_client.call("accounts", "add_staff", request)
        return answer

    def test_a_new_account_is_published_to_the_other_services(
        self, accounts: AccountsService, broker_client: BrokerClient, administrator: Actor
    ) -> None:
        broker_client.record_events("accounts.events")
        made = self.add(broker_client, administrator)["member"]
        (event,) = eventually(
            lambda: [e for e in broker_client.recorded_events("staff.changed.v1") if e["staff_id"] == made["staff_id"]]
        )
        assert (event["roles"], event["active"], event["version"]) == (["operator"], True, 1)

    def test_a_former_administrator_changes_nothing(
        self, accounts: AccountsService, broker_client: BrokerClient, administrator: Actor
    ) -> None:
        token = accounts.actor("administrator2")
        self.add(broker_client, token)
        [(version,)] = accounts.sql("SELECT version FROM staff WHERE username = 'administrator2'")
        closing = ChangeStaff(
            actor=administrator,
            idempotency_key=uuid4().hex,
            staff_id=token.id,
            expected_version=version,
            display_name="راهبر دوم سامانه",
            roles=[Role.ADMINISTRATOR],
            unit="mayor.insp",
            active=False,
        )
        assert (
            broker_client.call("accounts", "change_staff", closing)["active"] is False
        )  # one is enough to take a role away
        try:
            with pytest.raises(NotAllowed):  # although the token still names the role
                self.add(broker_client, token)
        finally:
            accounts.restore("administrator2")

    @pytest.mark.parametrize("username", ["head", "screener", "analyst"])
    def test_nobody_else_adds_an_account(
        self, accounts: AccountsService, broker_client: BrokerClient, username: str
    ) -> None:
        with pytest.raises(NotAllowed):
            self.add(broker_client, accounts.actor(username))

    @pytest.mark.parametrize(
        ("more", "field"),
        [
            ({"username": "a b"}, "username"),
            ({"display_name": " "}, "display_name"),
            ({"roles": []}, "roles"),
            ({"roles": [Role.LIAISON]}, "unit"),
        ],
    )
    def test_an_account_that_could_not_be_used_is_refused(
        self,
        accounts: AccountsService,
        broker_client: BrokerClient,
        administrator: Actor,
        more: dict[str, Any],
        field: str,
    ) -> None:
        with pytest.raises(InvalidField) as wrong:
            self.add(broker_client, administrator, **more)
        assert [field["field"] for field in wrong.value.params["fields"]] == [field]

    def test_only_the_administrator_sees_user_names_and_versions(
        self, accounts: AccountsService, broker_client: BrokerClient, administrator: Actor
    ) -> None:
        for actor, expected in ((administrator, True), (accounts.actor("head"), False)):
            items = broker_client.call("accounts", "list_staff", ListStaff(actor=actor))["items"]
            for item in items:
                assert (item["username"] is not None) is (item["version"] is not None) is expected

    def test_the_history_only_grows(
        self, accounts: AccountsService, broker_client: BrokerClient, administrator: Actor
    ) -> None:
        self.add(broker_client, administrator)
        for statement in ("UPDATE staff_history SET by = 'x'", "DELETE FROM staff_history", "TRUNCATE staff_history"):
            with pytest.raises(psycopg.errors.RestrictViolation):
                accounts.sql(statement)


class TestStaffCommand:
    def test_a_new_account_signs_in_with_the_printed_credentials_until_it_is_closed(
        self, accounts: AccountsService, staff_client: StaffClient
    ) -> None:
        def staff(*arguments: str) -> str:
            return accounts.run("staff_cli", *arguments)

        printed = staff("add", "first", "--name", "اپراتور", "--role", "operator", "--unit", "mayor")
        password = printed.split("password")[1].split()[0]
        totp = pyotp.parse_uri(printed.split()[-1])
        assert isinstance(totp, pyotp.TOTP)
        tokens = staff_client.sign_in("first", password, totp.now())
        assert accounts.claims(tokens["access_token"])["roles"] == ["operator"]
        staff("close", "first")
        with pytest.raises(BadToken):
            refresh(staff_client.broker_client, tokens["refresh_token"])
        accounts.sql("DELETE FROM staff WHERE username = 'first'")


class TestSeed:
    def test_the_second_run_changes_nothing_and_prints_the_same(
        self, accounts: AccountsService, tmp_path: Path
    ) -> None:
        before = accounts.sql("SELECT username, password_hash, version FROM staff ORDER BY username")
        file = tmp_path / "again.json"
        printed = accounts.run("seed", "--credentials", str(file))
        assert json.loads(file.read_text()) == accounts.staff
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert accounts.sql("SELECT username, password_hash, version FROM staff ORDER BY username") == before
        assert not any(account["password"] in printed for account in accounts.staff.values())

    def test_an_account_with_a_password_of_its_own_keeps_it(self, accounts: AccountsService, tmp_path: Path) -> None:
        file = tmp_path / "other.json"
        accounts.run("seed", "--credentials", str(file), DEMO_STAFF_PASSWORD="something else")
        assert {account["password"] for account in json.loads(file.read_text()).values()} == {None}
