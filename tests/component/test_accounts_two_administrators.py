"""Roles that open identities, or grant those: one administrator asks, another one confirms, the custodians are told."""

from __future__ import annotations

import csv
import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyotp
import pytest

from contracts.accounts import (
    AddStaff,
    ChangeStaff,
    ListStaffHistory,
    RefreshTokens,
    ResetStaffCredentials,
    SignInStaff,
)
from contracts.errors import (
    AlreadyDecided,
    BadCredentials,
    BadToken,
    KeyReused,
    NotAllowed,
    NotFound,
    SecondAdministratorNeeded,
    StaffChangeOutdated,
)
from contracts.gateway import Actor
from contracts.staff_changes import ConfirmStaffChange, DenyStaffChange, ListStaffChanges
from contracts.vocabulary import Role
from deploy.local.parts import PostgreSQL, RabbitMQ
from services.accounts.composition import compose
from tests.support.accounts import AccountsService, actor, run, sql
from tests.support.processes import BrokerClient, eventually, prepared

pytest_plugins = ["tests.support.accounts"]
pytestmark = pytest.mark.timeout(180)
JSON = dict[str, Any]


@dataclass
class Office:
    """An accounts service, running or not, with two administrators and a third one, who was granted the role by both."""

    environment: dict[str, str]
    broker_client: BrokerClient

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        return sql(self.environment, statement, *values)

    def run(self, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run(module, self.environment, *arguments)

    def actor(self, username: str) -> Actor:
        return actor(self.environment, username)

    def account(self, username: str) -> JSON:
        names = ("staff_id", "roles", "unit", "active", "version")
        ((row),) = self.sql(f"SELECT {', '.join(names)} FROM staff WHERE username = %s", username)
        return dict(zip(names, row, strict=True))

    def add(self, by: str, *roles: Role, username: str | None = None, key: str | None = None) -> JSON:
        request = AddStaff(
            actor=self.actor(by),
            idempotency_key=key or uuid4().hex,
            username=username or f"member-{uuid4().hex[:8]}",
            display_name="میز",
            roles=list(roles),
        )
        answer: JSON = self.broker_client.call("accounts", "add_staff", request)
        return answer

    def change(self, by: str, username: str, **more: Any) -> JSON:
        seen = self.account(username)
        about = {"roles": seen["roles"], "unit": seen["unit"], "active": seen["active"], **more}
        request = ChangeStaff(
            actor=self.actor(by),
            idempotency_key=uuid4().hex,
            staff_id=seen["staff_id"],
            expected_version=seen["version"],
            display_name="میز",
            **about,
        )
        answer: JSON = self.broker_client.call("accounts", "change_staff", request)
        return answer

    def reset(self, by: str, username: str) -> JSON:
        request = ResetStaffCredentials(
            actor=self.actor(by), idempotency_key=uuid4().hex, staff_id=self.account(username)["staff_id"]
        )
        answer: JSON = self.broker_client.call("accounts", "reset_staff_credentials", request)
        return answer

    def confirm(self, by: str, requested: JSON, key: str | None = None) -> JSON:
        request = ConfirmStaffChange(
            actor=self.actor(by), idempotency_key=key or uuid4().hex, change_id=requested["change"]["change_id"]
        )
        answer: JSON = self.broker_client.call("accounts", "confirm_staff_change", request)
        return answer

    def deny(self, by: str, requested: JSON) -> JSON:
        request = DenyStaffChange(actor=self.actor(by), change_id=requested["change"]["change_id"])
        answer: JSON = self.broker_client.call("accounts", "deny_staff_change", request)
        return answer

    def made(self, *roles: Role) -> tuple[str, str, str]:
        """A new account with these roles: its user name, password and TOTP secret."""
        username = f"member-{uuid4().hex[:8]}"
        requested = self.add("administrator", *roles, username=username)["requested"]
        return username, requested["password"], self.confirm("administrator2", requested)["totp_secret"]

    def sign_in(self, username: str, password: str, totp_secret: str) -> JSON:
        self.sql("DELETE FROM sign_in_attempts")
        self.sql("UPDATE staff SET totp_last_step = 0")
        totp = pyotp.TOTP(totp_secret).at(int(time.time()))
        request = SignInStaff(username=username, password=password, totp=totp, address_key="somewhere")
        tokens: JSON = self.broker_client.call("accounts", "sign_in_staff", request)
        return tokens

    def shown(self, by: str, requested: JSON, pending_only: bool = False) -> JSON | None:
        request = ListStaffChanges(actor=self.actor(by), pending_only=pending_only)
        items = self.broker_client.call("accounts", "list_staff_changes", request)["items"]
        return next((item for item in items if item["change_id"] == requested["change"]["change_id"]), None)

    def events(self, requested: JSON) -> list[JSON]:
        names = ("staff_change.requested.v1", "staff_change.decided.v1")
        recorded = [event for name in names for event in self.broker_client.recorded_events(name)]
        return [event for event in recorded if event["change_id"] == requested["change"]["change_id"]]

    def audited(self, subject: str) -> list[tuple[str, str, str | None]]:
        """Command, result and actor of each entry about this, in the order in which they were made."""
        columns = "command, result, actor_id, subjects, at"
        rows = self.sql(f"SELECT {columns} FROM audit UNION ALL SELECT {columns} FROM audit_waiting ORDER BY at")
        return [(command, result, actor) for command, result, actor, subjects, _ in rows if subject in subjects]


@pytest.fixture
def office(accounts: AccountsService, broker_client: BrokerClient) -> Office:
    broker_client.record_events("accounts.events")
    return Office(accounts.environment, broker_client)


@pytest.mark.parametrize("role", [Role.HEAD, Role.CUSTODIAN, Role.ADMINISTRATOR])
def test_a_new_account_becomes_active_when_a_second_administrator_confirms(office: Office, role: Role) -> None:
    username = f"member-{uuid4().hex[:8]}"
    answer = office.add("administrator", role, username=username)
    requested = answer["requested"]
    assert (answer["password"], answer["totp_secret"]) == (None, None)
    assert requested["change"]["state"] == "pending"
    assert office.sql("SELECT 1 FROM staff WHERE username = %s", username) == []

    done = office.confirm("administrator2", requested)
    assert done["member"]["roles"] == [role]
    assert done["change"]["state"] == "confirmed"
    # Half of the credentials each: the password was told to who asked, the TOTP secret to who confirmed.
    assert "totp" not in json.dumps(requested)
    assert requested["password"] not in json.dumps(done)
    assert office.sign_in(username, requested["password"], done["totp_secret"])["access_token"]


@pytest.mark.parametrize(
    "change",
    [
        {"roles": [Role.ANALYST, Role.HEAD]},
        {"roles": [Role.CUSTODIAN]},
        {"roles": [Role.ADMINISTRATOR]},
    ],
)
def test_granting_a_role_issues_new_credentials_and_ends_open_sessions(office: Office, change: JSON) -> None:
    made = office.add("administrator", Role.ANALYST)  # one administrator alone, who knows how to sign in with it
    username = made["member"]["username"]
    tokens = office.sign_in(username, made["password"], made["totp_secret"])
    requested = office.change("administrator", username, **change)["requested"]
    assert office.account(username)["roles"] == ["analyst"]

    done = office.confirm("administrator2", requested)
    assert set(office.account(username)["roles"]) == set(change["roles"])
    assert done["change"]["after"]["version"] == done["member"]["version"]
    with pytest.raises(BadCredentials):
        office.sign_in(username, made["password"], made["totp_secret"])
    with pytest.raises(BadToken):
        office.broker_client.call("accounts", "refresh", RefreshTokens(refresh_token=tokens["refresh_token"]))
    assert office.sign_in(username, requested["password"], done["totp_secret"])


@pytest.mark.parametrize(
    "change", [{"unit": "dep.urb"}, {"roles": [Role.HEAD, Role.INSPECTOR]}, {"roles": [Role.HEAD, Role.CUSTODIAN]}]
)
def test_extending_an_account_needs_two_administrators_and_keeps_its_credentials(office: Office, change: JSON) -> None:
    username, password, totp_secret = office.made(Role.HEAD)
    requested = office.change("administrator", username, **change)["requested"]
    assert requested["password"] is None
    before = office.account(username)
    assert before["unit"] is None
    done = office.confirm("administrator2", requested)
    assert done["totp_secret"] is None
    assert office.account(username)["version"] == before["version"] + 1
    assert office.sign_in(username, password, totp_secret)


def test_removing_needs_one_administrator_and_restoring_needs_two(office: Office) -> None:
    username, password, totp_secret = office.made(Role.HEAD)
    assert office.change("administrator", username, active=False)["requested"] is None
    requested = office.change("administrator", username, active=True)["requested"]
    with pytest.raises(BadCredentials):
        office.sign_in(username, password, totp_secret)
    office.confirm("administrator2", requested)
    with pytest.raises(BadCredentials):  # whoever closed it may have known them
        office.sign_in(username, password, totp_secret)
    assert office.change("administrator", username, roles=[Role.ANALYST])["requested"] is None
    assert office.account(username)["roles"] == ["analyst"]


@pytest.mark.parametrize("active", [True, False])
def test_new_credentials_for_a_sensitive_account_need_two_even_while_it_is_closed(office: Office, active: bool) -> None:
    username, password, totp_secret = office.made(Role.CUSTODIAN)
    if not active:
        office.change("administrator", username, active=False)
    answer = office.reset("administrator", username)
    assert (answer["password"], answer["totp_secret"]) == (None, None)
    requested = answer["requested"]
    if active:
        assert office.sign_in(username, password, totp_secret)  # still
    done = office.confirm("administrator2", requested)
    if active:
        with pytest.raises(BadCredentials):
            office.sign_in(username, requested["password"], totp_secret)
        with pytest.raises(BadCredentials):
            office.sign_in(username, password, done["totp_secret"])
        assert office.sign_in(username, requested["password"], done["totp_secret"])


def test_nobody_confirms_their_own_request(office: Office) -> None:
    requested = office.add("administrator", Role.HEAD)["requested"]
    with pytest.raises(SecondAdministratorNeeded):
        office.confirm("administrator", requested)
    own = office.reset("administrator", "administrator2")["requested"]
    with pytest.raises(SecondAdministratorNeeded):
        office.confirm("administrator2", own)
    for username in ("head", "custodian", "screener"):
        with pytest.raises(NotAllowed):
            office.confirm(username, requested)
        with pytest.raises(NotAllowed):
            office.deny(username, requested)
    assert office.shown("administrator", requested)["actions"] == ["cancel"]  # type: ignore[index]
    assert office.shown("administrator2", requested)["actions"] == ["confirm", "deny"]  # type: ignore[index]
    assert office.shown("administrator2", own)["actions"] == ["deny"]  # type: ignore[index]
    assert office.shown("custodian", requested)["actions"] == []  # type: ignore[index]
    assert [result for _, result, _ in office.audited(requested["change"]["change_id"])].count(
        "second_administrator_needed"
    ) == 1


def test_a_dismissed_administrator_neither_confirms_nor_counts_as_requester(office: Office) -> None:
    third = office.made(Role.ADMINISTRATOR)[0]
    waits, theirs = office.add("administrator", Role.HEAD)["requested"], office.add(third, Role.HEAD)["requested"]
    token = office.actor(third)
    office.change("administrator", third, roles=[Role.ANALYST])
    request = ConfirmStaffChange(actor=token, idempotency_key=uuid4().hex, change_id=waits["change"]["change_id"])
    with pytest.raises(NotAllowed):
        office.broker_client.call("accounts", "confirm_staff_change", request)
    with pytest.raises(StaffChangeOutdated):
        office.confirm("administrator2", theirs)
    assert office.shown("administrator2", theirs)["outdated"] is True  # type: ignore[index]


def test_a_request_on_an_account_changed_meanwhile_is_not_confirmed(office: Office) -> None:
    username = office.add("administrator", Role.ANALYST)["member"]["username"]
    requested = office.change("administrator", username, roles=[Role.HEAD])["requested"]
    office.change("administrator", username, unit="dep.urb")
    with pytest.raises(StaffChangeOutdated):
        office.confirm("administrator2", requested)
    assert office.account(username)["roles"] == ["analyst"]

    name = f"member-{uuid4().hex[:8]}"
    first, second = (office.add("administrator", Role.HEAD, username=name)["requested"] for _ in range(2))
    office.confirm("administrator2", first)
    with pytest.raises(StaffChangeOutdated):
        office.confirm("administrator2", second)


def test_a_cancelled_denied_or_expired_request_is_not_confirmed(office: Office) -> None:
    cancelled, denied, expired = (office.add("administrator", Role.HEAD)["requested"] for _ in range(3))
    assert office.deny("administrator", cancelled)["state"] == "cancelled"
    assert office.deny("administrator2", denied)["state"] == "denied"
    assert office.deny("administrator2", denied)["state"] == "denied"  # again, and nothing changes
    office.sql("UPDATE staff_changes SET expires_at = now() WHERE change_id = %s", expired["change"]["change_id"])
    for requested in (cancelled, denied):
        with pytest.raises(AlreadyDecided):
            office.confirm("administrator2", requested)
    with pytest.raises(StaffChangeOutdated):
        office.confirm("administrator2", expired)
    with pytest.raises(AlreadyDecided):
        office.deny("administrator", denied)
    assert office.shown("administrator", expired)["state"] == "expired"  # type: ignore[index]
    assert office.shown("administrator", expired, pending_only=True) is None
    with pytest.raises(NotFound):
        office.confirm("administrator2", {"change": {"change_id": str(uuid4())}})


def test_expiry_is_published_and_the_password_deleted(office: Office, accounts: AccountsService) -> None:
    requested = office.add("administrator", Role.HEAD)["requested"]
    change_id = requested["change"]["change_id"]
    office.sql("UPDATE staff_changes SET expires_at = now() WHERE change_id = %s", change_id)
    with accounts.transaction() as connection:
        assert compose(accounts.settings).changes.expire(connection) >= 1
    events = eventually(lambda: [event for event in office.events(requested) if event.get("state") == "expired"])
    assert events[0]["decided_by"] is None
    assert office.sql("SELECT password_hash FROM staff_changes WHERE change_id = %s", change_id) == [(None,)]
    assert ("expire_staff_change", "done", None) in office.audited(change_id)


def test_a_repeated_command_has_its_effect_once_and_reveals_no_secret_again(office: Office) -> None:
    key, username = uuid4().hex, f"member-{uuid4().hex[:8]}"
    first = office.add("administrator", Role.HEAD, username=username, key=key)["requested"]
    again = office.add("administrator", Role.HEAD, username=username, key=key)["requested"]
    assert again == {**first, "password": None}

    key = uuid4().hex
    done = office.confirm("administrator2", first, key)
    repeated = office.confirm("administrator2", first, key)
    assert repeated == {**done, "totp_secret": None, "totp_address": None}
    assert office.account(username)["version"] == 1
    with pytest.raises(KeyReused):
        office.confirm("administrator2", office.add("administrator", Role.HEAD)["requested"], key)


def test_custodians_are_notified_of_the_requester_the_account_and_the_result(office: Office) -> None:
    change_request = office.add("administrator", Role.CUSTODIAN)["requested"]
    office.confirm("administrator2", change_request)

    def both() -> list[JSON]:
        events = office.events(change_request)
        assert len(events) == 2
        return events

    requested, decided = eventually(both)
    username = change_request["change"]["after"]["username"]
    for event in (requested, decided):
        assert (event["username"], event["roles"], event["action"]) == (username, ["custodian"], "add")
        assert (event["asked_by"], event["asked_by_name"]) == (office.actor("administrator").id, "راهبر سامانه")
        assert change_request["password"] not in json.dumps(event)
    assert (decided["state"], decided["decided_by_name"]) == ("confirmed", "راهبر دوم سامانه")


def test_the_audit_log_and_the_history_name_both_administrators(office: Office) -> None:
    requester_id, confirmer_id = office.actor("administrator").id, office.actor("administrator2").id
    requested = office.add("administrator", Role.HEAD)["requested"]
    office.confirm("administrator2", requested)
    entries = office.audited(requested["change"]["change_id"])
    assert ("ask_for_staff_change", "done", requester_id) in entries
    assert ("confirm_staff_change", "done", confirmer_id) in entries
    assert ("ask_for_staff_change", "done", requester_id) in office.audited(requested["change"]["staff_id"])
    request = ListStaffHistory(actor=office.actor("administrator"), staff_id=requested["change"]["staff_id"])
    [added] = office.broker_client.call("accounts", "list_staff_history", request)["items"]
    assert (added["by"], added["confirmed_by"]) == (requester_id, confirmer_id)
    names = dict(office.sql("SELECT staff_id::text, display_name FROM staff"))
    assert (added["by_name"], added["confirmed_by_name"]) == (names[requester_id], names[confirmer_id])
    [listed] = [
        item
        for item in office.broker_client.call(
            "accounts", "list_staff_changes", ListStaffChanges(actor=office.actor("administrator"))
        )["items"]
        if item["change_id"] == requested["change"]["change_id"]
    ]
    assert (listed["asked_by_name"], listed["decided_by_name"]) == (names[requester_id], names[confirmer_id])


def test_no_record_of_a_change_contains_its_password(office: Office) -> None:
    requested = office.add("administrator", Role.HEAD)["requested"]
    tables = office.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    dump = "\n".join(str(row) for (table,) in tables for row in office.sql(f'SELECT t::text FROM "{table}" AS t'))
    assert requested["password"] not in dump


# --- on the server ---


def table(path: Path, *rows: JSON) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, ("username", "display_name", "roles", "unit", "active"))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_server_command_grants_no_role_that_needs_two_administrators(office: Office) -> None:
    before = office.sql("SELECT username, roles, active, version FROM staff ORDER BY username")
    for arguments in (
        ("add", "new-head", "--name", "میز", "--role", "head"),
        ("add", "new-administrator", "--name", "میز", "--role", "administrator"),
        ("change", "analyst", "--role", "custodian"),
        ("change", "head", "--unit", "dep.urb"),
        ("reset", "head"),
        ("reset", "custodian"),
    ):
        done = office.run("staff_cli", *arguments)
        assert done.returncode != 0, arguments
        assert "two administrators" in done.stderr
    assert office.sql("SELECT username, roles, active, version FROM staff ORDER BY username") == before


def test_a_table_grants_no_role_that_needs_two_administrators_and_names_the_row(office: Office, tmp_path: Path) -> None:
    before = office.sql("SELECT username, roles, active, version FROM staff ORDER BY username")
    rows = [
        {"username": "table-operator", "display_name": "میز", "roles": "operator"},
        {"username": "table-head", "display_name": "میز", "roles": "head"},
        {"username": "analyst", "display_name": "میز", "roles": "analyst|custodian"},
    ]
    done = office.run("importing", str(table(tmp_path / "staff.csv", *rows)))
    assert done.returncode == 1
    for text in ("row 3, column roles", "row 4, column roles", "two administrators", "سطر ۳"):
        assert text in done.stderr, done.stderr
    assert "row 2" not in done.stderr
    assert office.sql("SELECT username, roles, active, version FROM staff ORDER BY username") == before


def test_the_first_two_administrators_are_created_on_the_server_and_audited(
    broker: RabbitMQ, postgres: PostgreSQL
) -> None:
    made = Office(prepared("accounts", broker.url, postgres.url, "first_administrators"), None)  # type: ignore[arg-type]  # needs no broker
    for number in (1, 2, 3):
        done = made.run("staff_cli", "add", f"admin-{number}", "--name", "راهبر", "--role", "administrator")
        assert (done.returncode == 0) is (number < 3), done.stderr
    assert made.run("staff_cli", "add", "head", "--name", "مدیر", "--role", "head").returncode != 0
    ids = [str(id_) for (id_,) in made.sql("SELECT staff_id FROM staff ORDER BY username")]
    assert len(ids) == 2
    for staff_id in ids:
        assert made.audited(staff_id) == [("add_staff_on_server", "done", None)]
    rows = made.sql("SELECT count(*) FROM outbox WHERE name = 'staff_change.decided.v1'")
    assert rows == [(2,)]
    # One of two has lost the telephone: nobody but the server could help, and does.
    assert made.run("staff_cli", "reset", "admin-2").returncode == 0
    # Where the office has administrators of its own, the demo staff brings no role that opens identities.
    assert made.run("seed").returncode == 0
    sensitive = "SELECT username FROM staff WHERE roles && ARRAY['head', 'custodian', 'administrator']::varchar[]"
    assert sorted(name for (name,) in made.sql(sensitive)) == ["admin-1", "admin-2"]
