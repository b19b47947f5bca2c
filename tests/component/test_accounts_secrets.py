"""What accounts keeps reveals nobody, a changed key included, and what has passed is deleted."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backbone import sealing
from contracts.errors import BadCredentials, BadToken
from deploy.local.parts import PostgreSQL, RabbitMQ
from services.accounts.composition import compose
from tests.support.accounts import AccountsService, Citizen, StaffClient, refresh, run
from tests.support.processes import ServiceProcess, prepared

pytest_plugins = ["tests.support.accounts"]
pytestmark = [pytest.mark.timeout(180), pytest.mark.filterwarnings("ignore:EdDSA is deprecated")]


@contextmanager
def with_another_key(accounts: AccountsService, folder: Path) -> Iterator[None]:
    """The service as it is after STAFF_SECRET_KEY was changed."""
    accounts.process.stop()
    changed = ServiceProcess(
        "accounts", {**accounts.environment, "STAFF_SECRET_KEY": os.urandom(32).hex()}, folder / "log"
    )
    changed.start()
    try:
        yield
    finally:
        changed.stop()
        accounts.process.start()


class TestAChangedKey:
    def test_existing_and_unknown_user_names_are_refused_alike(
        self, accounts: AccountsService, staff_client: StaffClient, tmp_path: Path
    ) -> None:
        with with_another_key(accounts, tmp_path):
            refusals = []
            for username in ("head", "nobody"):
                with pytest.raises(BadCredentials) as refusal:
                    staff_client.sign_in(username, totp="123456" if username == "nobody" else None)
                refusals.append(str(refusal.value))
        assert refusals[0] == refusals[1]
        staff_client.forget_attempts()
        assert staff_client.sign_in("head")["access_token"], "with the old key it is as it was"

    def test_a_citizen_session_ends_and_a_staff_session_continues_until_the_reset(
        self, accounts: AccountsService, staff_client: StaffClient, citizen: Citizen, tmp_path: Path
    ) -> None:
        signed_in = citizen.sign_in()
        staff = staff_client.sign_in("inspector")
        retried = staff_client.sign_in("inspector2")
        refresh(staff_client.broker_client, retried["refresh_token"])
        with with_another_key(accounts, tmp_path):
            with pytest.raises(BadToken):
                refresh(citizen.broker_client, signed_in["refresh_token"])
            with pytest.raises(BadToken):
                refresh(citizen.broker_client, retried["refresh_token"])  # its successor cannot be opened
            assert refresh(citizen.broker_client, staff["refresh_token"])["access_token"]
        with pytest.raises(BadToken):
            refresh(citizen.broker_client, signed_in["refresh_token"])

    def test_seeding_with_a_given_password_prints_what_it_cannot_show(
        self, accounts: AccountsService, postgres: PostgreSQL, broker: RabbitMQ, tmp_path: Path
    ) -> None:
        environment = prepared("accounts", broker.url, postgres.url, "accounts_reseeded")
        assert run("seed", environment | {"DEMO_STAFF_PASSWORD": "given"}).returncode == 0
        other_key = {"STAFF_SECRET_KEY": os.urandom(32).hex(), "DEMO_STAFF_PASSWORD": "given"}
        file = tmp_path / "staff.json"
        assert run("seed", environment | other_key, "--credentials", str(file)).returncode == 0
        assert {account["totp_secret"] for account in json.loads(file.read_text()).values()} == {None}


class TestDatabase:
    def test_it_reveals_no_mobile_code_password_or_token_even_with_its_outbox(
        self, accounts: AccountsService, citizen: Citizen, staff_client: StaffClient
    ) -> None:
        citizen.request()
        code = citizen.read_sms()
        tokens = citizen.verify(code)
        staff_tokens = staff_client.sign_in("head")
        refreshed = refresh(citizen.broker_client, tokens["refresh_token"])
        secrets = [
            citizen.mobile[3:],
            accounts.staff["head"]["password"],
            accounts.staff["head"]["totp_secret"],
            *(
                answer[part]
                for answer in (tokens, staff_tokens, refreshed)
                for part in ("access_token", "refresh_token")
            ),
        ]
        tables = accounts.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        dump = "\n".join(str(row) for (table,) in tables for row in accounts.sql(f'SELECT t::text FROM "{table}" AS t'))
        assert sealing.keyed_hash(citizen.mobile, bytes.fromhex(accounts.environment["MOBILE_INDEX_KEY"])) in dump
        log = accounts.process.log.read_text()
        for text in secrets:
            assert text not in dump
            assert text not in log
        [(stored,)] = accounts.sql(
            "SELECT code_hash FROM otp_sessions WHERE mobile_hash = %s",
            sealing.keyed_hash(citizen.mobile, bytes.fromhex(accounts.environment["MOBILE_INDEX_KEY"])),
        )
        assert len(stored) == 64  # an HMAC: six digits could be found behind a plain hash in no time

    def test_expired_records_are_deleted(self, accounts: AccountsService, citizen: Citizen) -> None:
        sid = accounts.claims(citizen.sign_in()["access_token"])["sid"]
        accounts.sql("UPDATE sessions SET expires_at = now() - interval '1 second' WHERE session_id = %s", sid)
        accounts.sql("UPDATE one_time_codes SET touched_at = now() - interval '25 hours'")
        with accounts.transaction() as connection:
            compose(accounts.settings).pruning.prune(connection)
        assert accounts.sql("SELECT * FROM sessions WHERE session_id = %s", sid) == []
        assert accounts.sql("SELECT * FROM refresh_tokens WHERE session_id = %s", sid) == []
        assert accounts.sql("SELECT * FROM one_time_codes") == []
