"""Accounts as users run it: its process, a citizen with a phone, staff who sign in. A pytest plugin of the tests that use it."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import psycopg
import pyotp
import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey
from sqlalchemy import Connection

from backbone import sealing
from backbone.storage.database import Database
from contracts.accounts import ListEndedSessions, RefreshTokens, RequestOtp, SealedOtp, SignInStaff, VerifyOtp
from contracts.errors import BadCode, BadCredentials
from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Language, Role
from deploy.local.parts import PostgreSQL, RabbitMQ
from services.accounts.seed import DEMO_STAFF
from services.accounts.settings import Settings
from services.accounts.staff.credentials import Credentials
from services.accounts.staff.rules import Member
from services.accounts.staff.staff_accounts import StaffAccounts
from tests.support.processes import (
    BrokerClient,
    ServiceProcess,
    eventually,
    open_broker_client,
    prepared,
    run_module,
)

JSON = dict[str, Any]
ORIGIN = "https://peygir.example"
"""Of the pages on which staff sign in: passkeys belong to its host."""
BREACHED = ("password1234", "qwertyuiop12", "گذرواژه‌ی-من-۱۴۰۵")


def sha1(password: str) -> str:
    """As lists of breached passwords have it."""
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


def run(module: str, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of accounts, such as seed."""
    return run_module(f"services.accounts.{module}", *arguments, environment=environment)


@dataclass
class AccountsService:
    """A running service with the demo staff. `staff`: their credentials by user name."""

    environment: dict[str, str]
    broker_url: str
    process: ServiceProcess
    staff: dict[str, dict[str, str]]

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        return sql(self.environment, statement, *values)

    @property
    def settings(self) -> Settings:
        return Settings.model_validate({name.lower(): value for name, value in self.environment.items()})

    @property
    def key(self) -> bytes:
        return bytes.fromhex(self.environment["STAFF_SECRET_KEY"])

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        database = Database(self.environment["DATABASE_URL"], pool_size=1)
        with database.transaction() as connection:
            yield connection
        database.close()

    def run(self, module: str, *arguments: str, **more: str) -> str:
        """What a command prints that succeeds."""
        done = run(module, self.environment | more, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def actor(self, username: str) -> Actor:
        return actor(self.environment, username)

    def change(self, username: str, member: Member) -> None:
        """An account as it is to be, as if an administrator had changed it."""
        with self.transaction() as connection:
            assert StaffAccounts(self.key).change(connection, username, member)

    def reset(self, username: str) -> None:
        """The credentials of a demo account given to it again, as if an administrator had reset them."""
        account = self.staff[username]
        credentials = Credentials(account["password"], account["totp_secret"])
        with self.transaction() as connection:
            assert StaffAccounts(self.key).reset_credentials(connection, username, credentials.hashed())

    def restore(self, username: str) -> None:
        """A demo account as it was: open, with its credentials."""
        self.change(username, DEMO_STAFF[username])
        self.reset(username)

    def claims(self, token: str, public_key: str | None = None) -> JSON:
        """What the gateway reads, with the public key alone."""
        raw = bytes.fromhex(public_key or self.environment["ACCESS_TOKEN_PUBLIC_KEYS"])
        x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
        key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x})
        decoded = jwt.decode(token, key, algorithms=["EdDSA"])
        jwt.JWTClaimsRegistry(exp={"essential": True}).validate(decoded.claims)
        return dict(decoded.claims)


def sql(environment: dict[str, str], statement: str, *values: Any) -> list[tuple[Any, ...]]:
    url = environment["DATABASE_URL"].replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def actor(environment: dict[str, str], username: str) -> Actor:
    """A member of staff with the roles of their account."""
    ((id_, roles),) = sql(environment, "SELECT staff_id, roles FROM staff WHERE username = %s", username)
    return Actor(kind=ActorKind.STAFF, id=str(id_), roles=frozenset(Role(role) for role in roles))


@pytest.fixture(scope="module")
def accounts(
    request: pytest.FixtureRequest, broker: RabbitMQ, postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AccountsService]:
    """The service with a database of its own for each module of tests."""
    folder = tmp_path_factory.mktemp("accounts")
    environment = prepared("accounts", broker.url, postgres.url, request.module.__name__.rpartition(".")[2])
    breached = folder / "breached.txt"
    breached.write_text("\n".join(sorted(f"{sha1(password)}:7" for password in BREACHED)) + "\n")
    environment |= {"PASSKEY_ORIGIN": ORIGIN, "BREACHED_PASSWORDS_FILE": str(breached)}
    seeded = run("seed", environment, "--credentials", str(folder / "staff.json"))
    assert seeded.returncode == 0, seeded.stderr
    process = ServiceProcess("accounts", environment, folder / "log").start()
    yield AccountsService(environment, broker.url, process, json.loads((folder / "staff.json").read_text()))
    process.stop()


@pytest.fixture
def citizen(accounts: AccountsService, broker_client: BrokerClient) -> Citizen:
    broker_client.record_events("accounts.events")
    return Citizen(accounts, broker_client)


@pytest.fixture
def staff_client(accounts: AccountsService, broker_client: BrokerClient) -> StaffClient:
    client = StaffClient(accounts, broker_client)
    client.forget_attempts()
    return client


class Citizen:
    """Somebody with a phone that nobody has used yet."""

    def __init__(self, accounts: AccountsService, broker_client: BrokerClient) -> None:
        self.accounts, self.broker_client = accounts, broker_client
        self.mobile = f"+989{uuid4().int % 10**9:09d}"
        self._codes_read = 0

    def request(self, address: str = "somewhere", session: str | None = None) -> JSON:
        """`address`: stands for one; `session`: that a request before was answered with."""
        request = RequestOtp(mobile=self.mobile, address_key=address, otp_session=session)
        answer: JSON = self.broker_client.call("accounts", "request_otp", request)
        return answer

    def read_sms(self) -> str:
        """The newest code, read as notify reads it."""

        def newest() -> str | None:
            events = self.broker_client.recorded_events("otp.requested.v1")
            if len(events) <= self._codes_read:
                return None
            opened = sealing.unseal(
                events[-1]["sealed_code"],
                SealedOtp,
                [bytes.fromhex(self.accounts.environment["NOTIFY_PRIVATE_KEYS"])],
            )
            assert opened.mobile == self.mobile
            assert opened.language is Language.FA
            return opened.code

        code = eventually(newest)
        assert code is not None
        self._codes_read = len(self.broker_client.recorded_events("otp.requested.v1"))
        return code

    def verify(self, code: str, address: str = "somewhere", session: str | None = None) -> JSON:
        request = VerifyOtp(mobile=self.mobile, code=code, address_key=address, otp_session=session)
        answer: JSON = self.broker_client.call("accounts", "verify_otp", request)
        return answer

    def fail(self, code: str, address: str = "somewhere", session: str | None = None) -> None:
        """The answer that every failure has."""
        with pytest.raises(BadCode) as refusal:
            self.verify(code, address, session)
        assert refusal.value.params == {}

    def codes_sent(self) -> int:
        """How many codes were sent to this mobile."""
        [(count,)] = self.accounts.sql(
            "SELECT coalesce(max(cardinality(sent)), 0) FROM one_time_codes WHERE mobile_hash = %s",
            self.mobile_hash,
        )
        return int(count)

    @property
    def mobile_hash(self) -> str:
        return sealing.keyed_hash(self.mobile, bytes.fromhex(self.accounts.environment["MOBILE_INDEX_KEY"]))

    def sign_in(self) -> JSON:
        self.request()
        return self.verify(self.read_sms())

    def let_pass(self, seconds: int) -> None:
        """Time goes by for this citizen's codes."""
        earlier = "ARRAY(SELECT moment - %s * interval '1 second' FROM unnest({0}) AS moment)"
        self.accounts.sql(
            f"UPDATE one_time_codes SET sent = {earlier.format('sent')} WHERE mobile_hash = %s",
            seconds,
            self.mobile_hash,
        )
        self.accounts.sql(
            "UPDATE otp_sessions SET expires_at = expires_at - %s * interval '1 second', "
            f"requested_at = requested_at - %s * interval '1 second', requested = {earlier.format('requested')}, "
            f"sent = {earlier.format('sent')} WHERE mobile_hash = %s",
            *[seconds] * 4,
            self.mobile_hash,
        )
        self.accounts.sql(
            "UPDATE otp_tries SET since = since - %s * interval '1 second' WHERE mobile_hash = %s",
            seconds,
            self.mobile_hash,
        )


class StaffClient:
    """The sign-in page of staff."""

    def __init__(self, accounts: AccountsService, broker_client: BrokerClient) -> None:
        self.accounts, self.broker_client = accounts, broker_client

    def totp(self, username: str, steps: int = 0) -> str:
        return pyotp.TOTP(self.accounts.staff[username]["totp_secret"]).at(int(time.time()) + 30 * steps)

    def sign_in(
        self,
        username: str,
        password: str | None = None,
        totp: str | None = None,
        address: str = "somewhere",
        device_token: str | None = None,
        worked: bool = False,
    ) -> JSON:
        account = self.accounts.staff.get(username, {"password": "-"})
        request = SignInStaff(
            username=username,
            password=password or account["password"],
            totp=totp if totp is not None else self.totp(username),
            address_key=address,
            device_token=device_token,
            worked=worked,
        )
        answer: JSON = self.broker_client.call("accounts", "sign_in_staff", request)
        return answer

    def fail(self, username: str, times: int, address: str, device_token: str | None = None) -> None:
        for _ in range(times):
            with pytest.raises(BadCredentials):
                self.sign_in(username, "wrong password", "000000", address, device_token)

    def forget_attempts(self) -> None:
        """As if nobody had signed in before."""
        self.accounts.sql("UPDATE staff SET totp_last_step = 0")
        self.accounts.sql("DELETE FROM sign_in_attempts")


def other_code(code: str, by: int = 1) -> str:
    return f"{(int(code) + by) % 1_000_000:06d}"


def refresh(broker_client: BrokerClient, token: str) -> JSON:
    answer: JSON = broker_client.call("accounts", "refresh", RefreshTokens(refresh_token=token))
    return answer


def ended_sessions(broker_client: BrokerClient) -> set[str]:
    """As the events say."""
    return {session for event in broker_client.recorded_events("session.ended.v1") for session in event["session_ids"]}


def listed_sessions(broker_client: BrokerClient, limit: int = 5_000) -> set[str]:
    """All that a gateway which starts now is given."""
    session_ids: set[str] = set()
    after = None
    while True:
        page = broker_client.call("accounts", "list_ended_sessions", ListEndedSessions(after=after, limit=limit))
        session_ids |= {ended["session_id"] for ended in page["items"]}
        after = page["next"]
        if after is None:
            return session_ids


def at_once(accounts: AccountsService, times: int, act: Callable[[BrokerClient], Any]) -> list[Any]:
    """What came of the same act done by many at the same moment: answers and errors."""
    outcomes: list[Any] = []
    start = threading.Barrier(times)

    def act_once() -> None:
        with open_broker_client(accounts.broker_url) as broker_client:
            start.wait()
            try:
                outcomes.append(act(broker_client))
            except Exception as error:  # the error is the outcome
                outcomes.append(error)

    threads = [threading.Thread(target=act_once) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
