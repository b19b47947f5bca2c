"""The accounts service as users run it: its own process, a real broker and database."""

from __future__ import annotations

import base64
import json
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pyotp
import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from sqlalchemy import text

from backbone import sealing
from backbone.process import keys
from backbone.storage.database import Database
from contracts.accounts import (
    AddStaff,
    ChangeStaff,
    ListChangedStaff,
    ListEndedSessions,
    ListStaff,
    RefreshTokens,
    RequestOtp,
    RevokeTokens,
    SealedOtp,
    SignInStaff,
    VerifyOtp,
)
from contracts.errors import BadCode, BadCredentials, BadToken, InvalidField, NotAllowed, TooMany
from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Language, Role
from deploy.local.parts import PostgreSQL, RabbitMQ
from services.accounts import roster
from services.accounts.domain import Member
from services.accounts.seed import DEMO_STAFF, staff_id
from tests.support.processes import ROOT, BusClient, ServiceProcess, bus, eventually, prepared

pytestmark = [pytest.mark.timeout(180), pytest.mark.filterwarnings("ignore:EdDSA is deprecated")]


@dataclass
class System:
    environment: dict[str, str]
    broker_url: str
    process: ServiceProcess
    staff: dict[str, dict[str, str]]

    @property
    def database(self) -> str:
        return self.environment["DATABASE_URL"].replace("+psycopg", "")

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database, autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []


def run(command: str, environment: dict[str, str], *arguments: str, **more: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", f"services.accounts.{command}", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment, **more},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.fixture(scope="module")
def system(broker: RabbitMQ, postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("accounts")
    environment = prepared("accounts", broker.url, postgres.url, "accounts_service")
    run("seed", environment, "--credentials", str(folder / "staff.json"))
    process = ServiceProcess("accounts", environment, folder / "log").start()
    yield System(environment, broker.url, process, json.loads((folder / "staff.json").read_text()))
    process.stop()


@pytest.fixture
def citizen(system: System, wire: BusClient) -> Citizen:
    wire.listen("accounts.events")
    return Citizen(system, wire)


class Citizen:
    """Somebody with a phone that nobody has used yet."""

    def __init__(self, system: System, wire: BusClient) -> None:
        self.system, self.wire = system, wire
        self.mobile = f"+989{uuid4().int % 10**9:09d}"
        self._seen = 0

    def request(self, asker: str | None = None, session: str | None = None) -> dict[str, Any]:
        """`asker`: what stands for an address; `session`: that a request before was answered with."""
        request = RequestOtp(mobile=self.mobile, asker=asker, otp_session=session)
        answer: dict[str, Any] = self.wire.ask("accounts", "request_otp", request)
        return answer

    def read_sms(self) -> str:
        """The newest code, read as notify reads it."""

        def newest() -> str | None:
            heard = self.wire.heard("otp.requested.v1")
            if len(heard) <= self._seen:
                return None
            opened = sealing.unseal(
                heard[-1]["sealed_code"],
                SealedOtp,
                [bytes.fromhex(self.system.environment["NOTIFY_PRIVATE_KEYS"])],
            )
            assert opened.mobile == self.mobile
            assert opened.language is Language.FA
            return opened.code

        code = eventually(newest)
        assert code is not None
        self._seen = len(self.wire.heard("otp.requested.v1"))
        return code

    def verify(self, code: str, asker: str | None = None, session: str | None = None) -> dict[str, Any]:
        request = VerifyOtp(mobile=self.mobile, code=code, asker=asker, otp_session=session)
        answer: dict[str, Any] = self.wire.ask("accounts", "verify_otp", request)
        return answer

    def fail(self, code: str, asker: str | None = None, session: str | None = None) -> None:
        """The answer that every failure has."""
        with pytest.raises(BadCode) as refusal:
            self.verify(code, asker, session)
        assert refusal.value.params == {}

    def codes_sent(self) -> int:
        """How many codes were sent to this mobile."""
        [(count,)] = self.system.sql(
            "SELECT coalesce(max(cardinality(requested)), 0) FROM one_time_codes WHERE mobile_hash = %s",
            self.mobile_hash,
        )
        return int(count)

    @property
    def mobile_hash(self) -> str:
        return sealing.keyed_hash(self.mobile, bytes.fromhex(self.system.environment["MOBILE_INDEX_KEY"]))

    def sign_in(self) -> dict[str, Any]:
        self.request()
        return self.verify(self.read_sms())

    def let_pass(self, seconds: int) -> None:
        """Time goes by for this citizen's codes."""
        self.system.sql(
            "UPDATE one_time_codes SET expires_at = expires_at - %s * interval '1 second', requested = "
            "ARRAY(SELECT moment - %s * interval '1 second' FROM unnest(requested) AS moment) WHERE mobile_hash = %s",
            seconds,
            seconds,
            self.mobile_hash,
        )
        earlier = "ARRAY(SELECT moment - %s * interval '1 second' FROM unnest({0}) AS moment)"
        self.system.sql(
            "UPDATE otp_sessions SET expires_at = expires_at - %s * interval '1 second', "
            f"asked_at = asked_at - %s * interval '1 second', asked = {earlier.format('asked')}, "
            f"sent = {earlier.format('sent')} WHERE mobile_hash = %s",
            *[seconds] * 4,
            self.mobile_hash,
        )
        self.system.sql(
            "UPDATE otp_tries SET since = since - %s * interval '1 second' WHERE mobile_hash = %s",
            seconds,
            self.mobile_hash,
        )


def another(code: str, by: int = 1) -> str:
    return f"{(int(code) + by) % 1_000_000:06d}"


def refresh(wire: BusClient, token: str) -> dict[str, Any]:
    answer: dict[str, Any] = wire.ask("accounts", "refresh", RefreshTokens(refresh_token=token))
    return answer


def claims(system: System, token: str, public_key: str | None = None) -> dict[str, Any]:
    """What the gateway reads, with the public key alone."""
    raw = bytes.fromhex(public_key or system.environment["ACCESS_TOKEN_PUBLIC_KEYS"])
    key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": base64.urlsafe_b64encode(raw).rstrip(b"=").decode()})
    decoded = jwt.decode(token, key, algorithms=["EdDSA"])
    jwt.JWTClaimsRegistry(exp={"essential": True}).validate(decoded.claims)
    return dict(decoded.claims)


class TestOneTimeCodes:
    def test_a_code_signs_in_and_the_token_carries_the_mobile_for_the_gateway_alone(
        self, system: System, citizen: Citizen
    ) -> None:
        sent = citizen.request()
        assert (sent["resend_after"], sent["expires_in"]) == (60, 300)
        tokens = citizen.verify(citizen.read_sms())
        told = claims(system, tokens["access_token"])
        assert told["typ"] == "citizen"
        assert told["roles"] == []
        assert told["exp"] - told["iat"] == 900
        assert sealing.unlock(told["ctc"], bytes.fromhex(system.environment["CONTACT_KEY"])) == citizen.mobile
        assert citizen.mobile[3:] not in json.dumps(tokens)

    def test_the_same_person_comes_back_as_the_same_citizen(self, system: System, citizen: Citizen) -> None:
        first = claims(system, citizen.sign_in()["access_token"])
        citizen.let_pass(60)
        second = claims(system, citizen.sign_in()["access_token"])
        assert first["sub"] == second["sub"]
        assert first["sid"] != second["sid"]

    def test_the_answer_is_the_same_whether_the_number_is_known_or_not(self, citizen: Citizen) -> None:
        unknown = citizen.request()
        citizen.verify(citizen.read_sms())
        citizen.let_pass(60)
        known = citizen.request()
        assert len(known.pop("otp_session")) == len(unknown.pop("otp_session"))
        assert known == unknown

    def test_a_number_that_asked_for_no_code_is_answered_like_a_wrong_code(self, citizen: Citizen) -> None:
        with pytest.raises(BadCode):
            citizen.verify("123456")

    def test_a_code_is_read_in_persian_digits_with_spaces(self, citizen: Citizen) -> None:
        citizen.request()
        code = citizen.read_sms().translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
        assert citizen.verify(f"{code[:3]} {code[3:]}")["token_type"] == "Bearer"

    def test_what_is_no_iranian_mobile_is_refused(self, wire: BusClient, system: System) -> None:
        with pytest.raises(InvalidField):
            wire.ask("accounts", "request_otp", RequestOtp(mobile="+982833333333"))

    def test_five_wrong_tries_and_even_the_right_code_is_too_late(self, citizen: Citizen) -> None:
        citizen.request()
        code = citizen.read_sms()
        for n in range(1, 6):
            citizen.fail(another(code, n))
        citizen.fail(code)

    def test_of_a_session_five_wrong_tries_are_counted_and_no_more(self, citizen: Citizen) -> None:
        session = citizen.request("home")["otp_session"]
        code = citizen.read_sms()
        for n in range(1, 6):
            citizen.fail(another(code, n), "home", session)
        citizen.fail(code, "elsewhere", session)
        citizen.let_pass(60)
        assert citizen.request("home", session)["otp_session"] == session
        assert citizen.verify(citizen.read_sms(), "home", session)["access_token"]

    @pytest.mark.parametrize("asker", ["elsewhere", "home"])
    def test_a_strangers_wrong_tries_do_not_harm_who_asked(self, citizen: Citizen, asker: str) -> None:
        session = citizen.request("home")["otp_session"]
        code = citizen.read_sms()
        for n in range(1, 12):
            citizen.fail(another(code, n), asker)
            citizen.fail(another(code, n), asker, "no session of anybody")
        citizen.fail(code, asker)
        assert citizen.verify(code, "home", session)["access_token"]

    def test_a_client_without_the_session_is_known_by_its_address(self, citizen: Citizen) -> None:
        citizen.request("home")
        code = citizen.read_sms()
        for at in range(12):
            citizen.fail(another(code, at + 1), f"stranger {at}")
        assert citizen.verify(code, "home")["access_token"]

    def test_all_strangers_together_have_ten_tries_an_hour(self, system: System, citizen: Citizen) -> None:
        citizen.request("home")
        code = citizen.read_sms()
        for at in range(10):
            citizen.fail(another(code, at + 1), f"stranger {at}")
        citizen.fail(code, "stranger 11")
        system.sql("UPDATE otp_tries SET since = since - interval '1 hour'")
        assert citizen.verify(code, "stranger 11")["access_token"], "who has the SMS may be anywhere"

    def test_a_code_that_a_stranger_asks_for_leaves_the_one_before_good(self, citizen: Citizen) -> None:
        session = citizen.request("home")["otp_session"]
        mine = citizen.read_sms()
        citizen.let_pass(61)
        citizen.request("elsewhere")
        others = citizen.read_sms()
        assert citizen.verify(mine, "home", session)["access_token"]
        citizen.fail(others, "elsewhere")  # its owner is in: no code of before is good

    def test_nobody_is_told_that_somebody_asked_just_now(self, citizen: Citizen) -> None:
        first = citizen.request("home")
        second = citizen.request("elsewhere")
        assert {**first, "otp_session": ""} == {**second, "otp_session": ""}
        assert citizen.codes_sent() == 1
        # Each of the two is told of its own asking alone, and both alike.
        for asker, session in (("home", first["otp_session"]), ("elsewhere", second["otp_session"])):
            with pytest.raises(TooMany) as refusal:
                citizen.request(asker, session)
            assert 55 <= refusal.value.params["retry_after"] <= 60
        # The session that was sent nothing gets no tries by it: they would be without end.
        code = citizen.read_sms()
        for at in range(5):
            citizen.fail(another(code, at + 1), "elsewhere", second["otp_session"])
        citizen.fail(code, "elsewhere", second["otp_session"])
        assert citizen.verify(code, "home", first["otp_session"])["access_token"]

    def test_a_stranger_does_not_use_up_the_codes_of_an_hour(self, citizen: Citizen) -> None:
        for _ in range(8):
            citizen.request("elsewhere")
            citizen.let_pass(61)
        assert citizen.codes_sent() == 4
        citizen.request("home")
        assert citizen.codes_sent() == 5

    def test_the_fifth_try_may_still_be_right(self, citizen: Citizen) -> None:
        citizen.request()
        code = citizen.read_sms()
        for n in range(1, 5):
            with pytest.raises(BadCode):
                citizen.verify(another(code, n))
        assert citizen.verify(code)["access_token"]

    def test_another_code_is_sent_after_a_minute_and_makes_the_first_void(self, citizen: Citizen) -> None:
        citizen.request()
        first = citizen.read_sms()
        with pytest.raises(TooMany) as refusal:
            citizen.request()
        assert 55 <= refusal.value.params["retry_after"] <= 60
        citizen.let_pass(60)
        citizen.request()
        second = citizen.read_sms()
        if second != first:  # one in a million: the same code again
            with pytest.raises(BadCode):
                citizen.verify(first)
        assert citizen.verify(second)["access_token"]

    def test_a_code_is_void_after_five_minutes(self, citizen: Citizen) -> None:
        citizen.request()
        code = citizen.read_sms()
        citizen.let_pass(301)
        with pytest.raises(BadCode):
            citizen.verify(code)

    def test_five_codes_an_hour_and_no_more(self, citizen: Citizen) -> None:
        for _ in range(5):
            citizen.request()
            citizen.let_pass(61)
        with pytest.raises(TooMany) as refusal:
            citizen.request()
        assert 3200 < refusal.value.params["retry_after"] <= 3600 - 5 * 61 + 1

    def test_a_code_works_once(self, citizen: Citizen) -> None:
        citizen.request()
        code = citizen.read_sms()
        citizen.verify(code)
        with pytest.raises(BadCode):
            citizen.verify(code)

    def test_of_many_verifications_at_the_same_moment_one_succeeds(self, system: System, citizen: Citizen) -> None:
        citizen.request()
        code = citizen.read_sms()
        outcomes = at_once(
            system, 6, lambda wire: wire.ask("accounts", "verify_otp", VerifyOtp(mobile=citizen.mobile, code=code))
        )
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["BadCode"] * 5 + ["dict"]

    def test_of_many_requests_at_the_same_moment_one_sends_a_code(self, system: System, citizen: Citizen) -> None:
        outcomes = at_once(
            system, 6, lambda wire: wire.ask("accounts", "request_otp", RequestOtp(mobile=citizen.mobile))
        )
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["TooMany"] * 5 + ["dict"]


def at_once(system: System, times: int, act: Callable[[BusClient], Any]) -> list[Any]:
    """What came of the same act done by many at the same moment: answers and errors."""
    outcomes: list[Any] = []
    start = threading.Barrier(times)

    def one() -> None:
        with bus(system.broker_url) as wire:
            start.wait()
            try:
                outcomes.append(act(wire))
            except Exception as error:  # the error is the outcome
                outcomes.append(error)

    threads = [threading.Thread(target=one) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


class TestTokens:
    def test_a_token_of_another_key_or_of_none_or_changed_is_not_believed(
        self, system: System, citizen: Citizen
    ) -> None:
        token = citizen.sign_in()["access_token"]
        with pytest.raises(JoseError):
            claims(system, token, keys.ed25519_public(os.urandom(32)).hex())
        head, body, signature = token.split(".")
        none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
        wanted = json.loads(base64.urlsafe_b64decode(body + "=="))
        forged = base64.urlsafe_b64encode(json.dumps({**wanted, "typ": "staff"}).encode()).rstrip(b"=").decode()
        for false in (f"{none}.{body}.", f"{none}.{body}.{signature}", f"{head}.{forged}.{signature}"):
            with pytest.raises(JoseError):
                claims(system, false)

    def test_a_refresh_gives_the_next_tokens_of_the_same_session(self, system: System, citizen: Citizen) -> None:
        first = citizen.sign_in()
        second = refresh(citizen.wire, first["refresh_token"])
        third = refresh(citizen.wire, second["refresh_token"])
        assert len({one["refresh_token"] for one in (first, second, third)}) == 3
        before, after = claims(system, first["access_token"]), claims(system, third["access_token"])
        assert (before["sub"], before["sid"]) == (after["sub"], after["sid"])
        assert sealing.unlock(after["ctc"], bytes.fromhex(system.environment["CONTACT_KEY"])) == citizen.mobile

    def test_a_refresh_whose_answer_was_lost_is_answered_again_with_the_same_successor(self, citizen: Citizen) -> None:
        first = citizen.sign_in()
        lost = refresh(citizen.wire, first["refresh_token"])
        again = refresh(citizen.wire, first["refresh_token"])
        assert again["refresh_token"] == lost["refresh_token"]
        assert refresh(citizen.wire, again["refresh_token"])["access_token"]

    def test_many_refreshes_at_the_same_moment_make_one_successor(self, system: System, citizen: Citizen) -> None:
        token = citizen.sign_in()["refresh_token"]
        outcomes = at_once(system, 5, lambda wire: refresh(wire, token))
        assert len({outcome["refresh_token"] for outcome in outcomes}) == 1

    def test_a_token_that_comes_again_after_its_successor_was_used_ends_the_family(self, citizen: Citizen) -> None:
        first = citizen.sign_in()
        second = refresh(citizen.wire, first["refresh_token"])
        third = refresh(citizen.wire, second["refresh_token"])
        with pytest.raises(BadToken):
            refresh(citizen.wire, first["refresh_token"])
        with pytest.raises(BadToken):
            refresh(citizen.wire, third["refresh_token"])

    def test_a_token_that_comes_again_after_the_grace_ends_the_family(self, system: System, citizen: Citizen) -> None:
        first = citizen.sign_in()
        second = refresh(citizen.wire, first["refresh_token"])
        system.sql("UPDATE refresh_tokens SET used_at = used_at - interval '11 seconds' WHERE used_at IS NOT NULL")
        with pytest.raises(BadToken):
            refresh(citizen.wire, first["refresh_token"])
        with pytest.raises(BadToken):
            refresh(citizen.wire, second["refresh_token"])

    def test_a_session_ends_after_thirty_days_whatever_is_refreshed(self, system: System, citizen: Citizen) -> None:
        tokens = citizen.sign_in()
        sid = claims(system, tokens["access_token"])["sid"]
        [(days,)] = system.sql("SELECT expires_at - now() FROM sessions WHERE session_id = %s", sid)
        assert 29.9 < days.total_seconds() / 86_400 <= 30
        system.sql("UPDATE sessions SET expires_at = now() + interval '1 minute' WHERE session_id = %s", sid)
        last = refresh(citizen.wire, tokens["refresh_token"])
        assert last["expires_in"] <= 60
        system.sql("UPDATE sessions SET expires_at = now() WHERE session_id = %s", sid)
        with pytest.raises(BadToken):
            refresh(citizen.wire, last["refresh_token"])

    def test_a_revoked_session_is_refreshed_no_more_and_an_unknown_token_is_answered_alike(
        self, citizen: Citizen
    ) -> None:
        token = citizen.sign_in()["refresh_token"]
        citizen.wire.ask("accounts", "revoke", RevokeTokens(refresh_token=token))
        nobodys = citizen.wire.ask("accounts", "revoke", RevokeTokens(refresh_token="nobody's"))
        assert nobodys == {"ended": None}
        for told in (token, "nobody's"):
            with pytest.raises(BadToken):
                refresh(citizen.wire, told)


def restore(system: System, username: str) -> None:
    """An account of the seed as it was: open, with the credentials that were told."""
    key, known = bytes.fromhex(system.environment["STAFF_SECRET_KEY"]), system.staff[username]
    database = Database(system.environment["DATABASE_URL"], 1)
    with database.transaction() as connection:
        roster.change(connection, username, DEMO_STAFF[username])
        roster.reset_credentials(connection, key, username, known["password"], known["totp_secret"])
    database.close()


def ended_sessions(wire: BusClient) -> set[str]:
    return {session for event in wire.heard("session.ended.v1") for session in event["session_ids"]}


def listed_sessions(wire: BusClient, limit: int = 5_000) -> set[str]:
    """All that a gateway which starts now is given."""
    found: set[str] = set()
    after = None
    while True:
        page = wire.ask("accounts", "list_ended_sessions", ListEndedSessions(after=after, limit=limit))
        found |= {ended["session_id"] for ended in page["items"]}
        after = page["next"]
        if after is None:
            return found


class TestEndedSessions:
    """However a session ends before its time, the gateways hear of it, and one that starts later is given it."""

    def is_known(self, wire: BusClient, sid: str) -> None:
        assert eventually(lambda: sid in ended_sessions(wire))
        assert sid in listed_sessions(wire)

    def test_signing_out(self, system: System, citizen: Citizen) -> None:
        tokens = citizen.sign_in()
        sid = claims(system, tokens["access_token"])["sid"]
        answer = citizen.wire.ask("accounts", "revoke", RevokeTokens(refresh_token=tokens["refresh_token"]))
        assert answer["ended"]["session_id"] == sid
        self.is_known(citizen.wire, sid)
        [event] = [event for event in citizen.wire.heard("session.ended.v1") if sid in event["session_ids"]]
        assert set(event) - {"_name"} == {"id", "occurred_at", "session_ids", "until"}  # nothing that tells whose
        assert claims(system, tokens["access_token"])["exp"] <= datetime.fromisoformat(event["until"]).timestamp()
        citizen.wire.ask("accounts", "revoke", RevokeTokens(refresh_token=tokens["refresh_token"]))
        assert len([event for event in citizen.wire.heard("session.ended.v1") if sid in event["session_ids"]]) == 1

    def test_a_stolen_refresh_token(self, system: System, citizen: Citizen) -> None:
        first = citizen.sign_in()
        second = refresh(citizen.wire, first["refresh_token"])
        refresh(citizen.wire, second["refresh_token"])
        with pytest.raises(BadToken):
            refresh(citizen.wire, first["refresh_token"])
        self.is_known(citizen.wire, claims(system, first["access_token"])["sid"])

    @pytest.mark.parametrize("how", ["reset", "close"])
    def test_credentials_reset_and_an_account_closed(
        self, system: System, wire: BusClient, desk: Desk, how: str
    ) -> None:
        wire.listen("accounts.events")
        mine, others = (claims(system, desk.sign_in(name)["access_token"])["sid"] for name in ("analyst", "operator"))
        run("staff", system.environment, how, "analyst")
        try:
            self.is_known(wire, mine)
            assert others not in listed_sessions(wire)
        finally:
            restore(system, "analyst")

    def test_a_list_is_given_in_pages_and_leaves_out_what_nobody_holds_a_token_of(
        self, system: System, wire: BusClient
    ) -> None:
        fresh, old = [str(uuid4()) for _ in range(5)], str(uuid4())
        for sid in (*fresh, old):
            system.sql(
                "INSERT INTO sessions (session_id, subject_type, subject_id, expires_at, revoked_at) "
                "VALUES (%s, 'citizen', %s, now() + interval '1 day', now() - %s * interval '1 minute')",
                sid,
                str(uuid4()),
                20 if sid == old else 10,
            )
        assert set(fresh) <= listed_sessions(wire, limit=2)
        assert old not in listed_sessions(wire, limit=2)


class Desk:
    """The sign-in page of staff."""

    def __init__(self, system: System, wire: BusClient) -> None:
        self.system, self.wire = system, wire

    def totp(self, username: str, steps: int = 0) -> str:
        return pyotp.TOTP(self.system.staff[username]["totp_secret"]).at(int(time.time()) + 30 * steps)

    def sign_in(
        self,
        username: str,
        password: str | None = None,
        totp: str | None = None,
        asker: str | None = None,
        device_token: str | None = None,
        worked: bool = False,
    ) -> dict[str, Any]:
        known = self.system.staff.get(username, {"password": "-"})
        answer: dict[str, Any] = self.wire.ask(
            "accounts",
            "sign_in_staff",
            SignInStaff(
                username=username,
                password=password or known["password"],
                totp=totp if totp is not None else self.totp(username),
                asker=asker,
                device_token=device_token,
                worked=worked,
            ),
        )
        return answer

    def fail(self, username: str, times: int, asker: str, device_token: str | None = None) -> None:
        for _ in range(times):
            with pytest.raises(BadCredentials):
                self.sign_in(username, "wrong password", "000000", asker, device_token)

    def forget(self) -> None:
        """As if nobody had signed in before."""
        self.system.sql("UPDATE staff SET totp_last_step = 0")
        self.system.sql("DELETE FROM sign_in_attempts")


@pytest.fixture
def desk(system: System, wire: BusClient) -> Desk:
    made = Desk(system, wire)
    made.forget()
    return made


class TestStaff:
    def test_every_role_signs_in_and_its_token_tells_who_it_is(self, system: System, desk: Desk) -> None:
        for username, member in DEMO_STAFF.items():
            told = claims(system, desk.sign_in(username)["access_token"])
            assert told["sub"] == str(staff_id(username))
            assert told["typ"] == "staff"
            assert "ctc" not in told
            assert told["roles"] == [role.value for role in member.roles]
            assert told["unit"] == member.unit
            assert told["name"] == member.display_name
        assert {role for member in DEMO_STAFF.values() for role in member.roles} == set(Role)

    def test_whatever_is_wrong_the_error_is_the_same(self, desk: Desk) -> None:
        wrong = [
            ("head", "wrong password", None),
            ("head", None, "000000"),
            ("head", None, ""),
            ("nobody", "wrong password", "000000"),
        ]
        for username, password, totp in wrong:
            with pytest.raises(BadCredentials) as refusal:
                desk.sign_in(username, password, totp)
            assert refusal.value.params == {}

    def test_a_totp_works_once(self, desk: Desk) -> None:
        totp = desk.totp("head")
        desk.sign_in("head", totp=totp)
        with pytest.raises(BadCredentials):
            desk.sign_in("head", totp=totp)
        with pytest.raises(BadCredentials):
            desk.sign_in("head", totp=desk.totp("head", -1))

    def test_a_totp_works_once_even_for_two_at_the_same_moment(self, system: System, desk: Desk) -> None:
        known = system.staff["head"]
        request = SignInStaff(username="head", password=known["password"], totp=desk.totp("head"))
        outcomes = at_once(system, 3, lambda wire: wire.ask("accounts", "sign_in_staff", request))
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["BadCredentials"] * 2 + ["dict"]

    @pytest.mark.parametrize("username", ["analyst", "nobody"])
    def test_a_user_name_rests_after_five_failures_whether_somebody_has_it_or_not(
        self, system: System, desk: Desk, username: str
    ) -> None:
        for _ in range(5):
            with pytest.raises(BadCredentials):
                desk.sign_in(username, "wrong password", "000000")
        with pytest.raises(TooMany) as refusal:
            desk.sign_in(username, "wrong password", "000000")
        assert 10 <= refusal.value.params["retry_after"] <= 15
        system.sql("UPDATE sign_in_attempts SET blocked_until = now()")
        with pytest.raises(BadCredentials):
            desk.sign_in(username, "wrong password", "000000")
        with pytest.raises(TooMany) as refusal:
            desk.sign_in(username, "wrong password", "000000")
        assert 25 <= refusal.value.params["retry_after"] <= 30

    @pytest.mark.parametrize("username", ["analyst", "nobody"])
    def test_a_strangers_failures_rest_at_their_own_address(self, desk: Desk, username: str) -> None:
        desk.fail(username, 5, "elsewhere")
        with pytest.raises(TooMany):
            desk.sign_in(username, "wrong password", "000000", "elsewhere")
        with pytest.raises(BadCredentials):  # who works is looked at even there
            desk.sign_in(username, "wrong password", "000000", "elsewhere", worked=True)
        if username == "analyst":
            assert desk.sign_in(username, asker="office")["access_token"]
        else:
            desk.fail(username, 1, "office")

    def test_a_device_that_signed_in_before_is_let_through_whatever_others_do(self, system: System, desk: Desk) -> None:
        device = desk.sign_in("analyst", asker="office")["device_token"]
        system.sql("UPDATE staff SET totp_last_step = 0")
        desk.fail("analyst", 5, "office")
        with pytest.raises(TooMany):
            desk.sign_in("analyst", asker="office")
        again = desk.sign_in("analyst", asker="office", device_token=device)
        assert again["device_token"]

        # It has a counter of its own, and is nobody else's.
        system.sql("UPDATE staff SET totp_last_step = 0")
        desk.fail("analyst", 5, "office", again["device_token"])
        with pytest.raises(TooMany):
            desk.sign_in("analyst", asker="elsewhere", device_token=again["device_token"])
        assert desk.sign_in("analyst", asker="home")["access_token"]

    @pytest.mark.parametrize("change", ["forged", "anothers", "reset", "old"])
    def test_a_device_token_that_is_not_good_is_none(self, system: System, desk: Desk, change: str) -> None:
        device = desk.sign_in("analyst", asker="office")["device_token"]
        version, name, made, mac = device.split(".")
        key = bytes.fromhex(system.environment["STAFF_SECRET_KEY"])
        if change == "forged":
            device = f"{version}.{name}x.{made}.{mac}"
        elif change == "anothers":
            device = desk.sign_in("head", asker="office")["device_token"]
        elif change == "reset":
            database = Database(system.environment["DATABASE_URL"], pool_size=1)
            with database.transaction() as connection:
                known = system.staff["analyst"]
                roster.reset_credentials(connection, key, "analyst", known["password"], known["totp_secret"])
            database.close()
        else:
            line = f"{version}.{name}.{int(made) - 181 * 86_400}"
            [(id_, hashed)] = system.sql("SELECT staff_id, password_hash FROM staff WHERE username = 'analyst'")
            device = f"{line}.{sealing.keyed_hash(f'device:{id_}:{hashed}:{line}', key)}"
        system.sql("UPDATE staff SET totp_last_step = 0")
        desk.fail("analyst", 5, "office")
        with pytest.raises(TooMany):
            desk.sign_in("analyst", asker="office", device_token=device)

    def test_guessing_from_many_addresses_becomes_slow_and_holds_no_known_device_up(
        self, system: System, desk: Desk
    ) -> None:
        device = desk.sign_in("analyst", asker="office")["device_token"]
        desk.fail("analyst", 1, "address 0")
        system.sql("UPDATE sign_in_attempts SET failures = 200 WHERE failures > 0")  # of many more
        desk.fail("analyst", 1, "address 1")
        with pytest.raises(TooMany) as refusal:
            desk.sign_in("analyst", "wrong password", "000000", "address 2")
        assert 1 <= refusal.value.params["retry_after"] <= 30
        system.sql("UPDATE staff SET totp_last_step = 0")
        assert desk.sign_in("analyst", asker="office", device_token=device)["access_token"]
        system.sql("UPDATE staff SET totp_last_step = 0")
        system.sql("UPDATE sign_in_attempts SET blocked_until = now()")
        assert desk.sign_in("analyst", asker="address 3")["access_token"], "slow is not shut"

    def test_who_has_the_password_does_not_guess_the_authenticator(self, system: System, desk: Desk) -> None:
        device = desk.sign_in("analyst", asker="office")["device_token"]
        system.sql("UPDATE staff SET totp_last_step = 0")
        for at in range(10):
            with pytest.raises(BadCredentials):
                desk.sign_in("analyst", totp="000000", asker=f"address {at}")
        with pytest.raises(BadCredentials):  # not told from a wrong one
            desk.sign_in("analyst", asker="address 11")
        assert desk.sign_in("analyst", asker="office", device_token=device)["access_token"]

    def test_the_owner_is_told_once_a_day(self, system: System, desk: Desk, wire: BusClient) -> None:
        wire.listen("accounts.events")
        for username in ("nobody", "analyst"):
            for at in range(12):
                desk.fail(username, 1, f"address {at}")
        told = eventually(lambda: wire.heard("sign_in.failures.v1"))
        assert [(event["staff_id"], event["failures"]) for event in told] == [(str(staff_id("analyst")), 5)]
        system.sql("UPDATE sign_in_attempts SET last_at = last_at - interval '1 day' WHERE failures = 5")
        desk.fail("analyst", 1, "address 13")
        eventually(lambda: len(wire.heard("sign_in.failures.v1")) == 2)

    def test_a_right_sign_in_forgets_the_failures(self, system: System, desk: Desk) -> None:
        for _ in range(4):
            with pytest.raises(BadCredentials):
                desk.sign_in("analyst", "wrong password")
        desk.sign_in("analyst")
        assert system.sql("SELECT * FROM sign_in_attempts") == []

    def test_other_work_goes_on_while_passwords_are_checked(self, system: System, desk: Desk) -> None:
        slowest = 0.0
        with httpx.Client(base_url=system.process.health) as client:
            crowd = threading.Thread(
                target=lambda: at_once(
                    system,
                    5,
                    lambda wire: wire.ask(
                        "accounts", "sign_in_staff", SignInStaff(username=str(uuid4()), password="x", totp="1")
                    ),
                )
            )
            crowd.start()
            while crowd.is_alive():
                started = time.monotonic()
                assert client.get("/healthz").status_code == 200
                slowest = max(slowest, time.monotonic() - started)
            crowd.join()
        assert slowest < 1.0

    def test_a_staff_session_ends_after_twelve_hours(self, system: System, desk: Desk) -> None:
        sid = claims(system, desk.sign_in("head")["access_token"])["sid"]
        [(left,)] = system.sql("SELECT expires_at - now() FROM sessions WHERE session_id = %s", sid)
        assert 11.9 < left.total_seconds() / 3600 <= 12

    def test_a_change_is_told_and_shows_in_the_next_token_and_closing_ends_the_session(
        self, system: System, desk: Desk
    ) -> None:
        desk.wire.listen("accounts.events")
        tokens = desk.sign_in("inspector2")
        database = Database(system.environment["DATABASE_URL"], pool_size=1)
        moved = Member("بازرس دو", (Role.INSPECTOR, Role.HEAD), "mayor")
        with database.transaction() as connection:
            roster.change(connection, "inspector2", moved)
        tokens = refresh(desk.wire, tokens["refresh_token"])
        told = claims(system, tokens["access_token"])
        assert told["roles"] == ["inspector", "head"]
        assert told["unit"] == "mayor"
        with database.transaction() as connection:
            roster.change(connection, "inspector2", Member("بازرس دو", (Role.INSPECTOR,), "mayor.insp", active=False))
        with pytest.raises(BadToken):
            refresh(desk.wire, tokens["refresh_token"])
        desk.forget()
        with pytest.raises(BadCredentials):
            desk.sign_in("inspector2")
        told_events = eventually(lambda: len(e := desk.wire.heard("staff.changed.v1")) >= 2 and e)
        assert [(event["version"], event["active"]) for event in told_events] == [(2, True), (3, False)]
        with database.transaction() as connection:
            roster.change(connection, "inspector2", DEMO_STAFF["inspector2"])
        database.close()

    def test_staff_are_listed_to_those_who_assign_and_to_nobody_else(self, wire: BusClient, system: System) -> None:
        def actor(name: str, *roles: Role, kind: ActorKind = ActorKind.STAFF) -> Actor:
            return Actor(kind=kind, id=str(staff_id(name)), roles=frozenset(roles))

        head = actor("head", Role.HEAD)
        answer = wire.ask("accounts", "list_staff", ListStaff(actor=head, role=Role.INSPECTOR))
        assert {item["staff_id"] for item in answer["items"]} == {
            str(staff_id("inspector")),
            str(staff_id("inspector2")),
        }
        everybody = wire.ask("accounts", "list_staff", ListStaff(actor=actor("screener", Role.SCREENER)))
        assert len(everybody["items"]) == len(DEMO_STAFF)
        once = actor("inspector", Role.HEAD)  # a token from before another role was given
        unknown = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.HEAD}))
        citizen = actor("head", Role.HEAD, kind=ActorKind.CITIZEN)
        for other in (actor("liaison", Role.LIAISON), actor("head"), once, unknown, citizen):
            with pytest.raises(NotAllowed):
                wire.ask("accounts", "list_staff", ListStaff(actor=other))

    def test_who_signed_in_is_in_the_audit_and_who_only_tried_is_not(self, system: System, desk: Desk) -> None:
        told = "actor_kind, actor_id, roles, subjects, result"
        query = f"SELECT {told} FROM audit_waiting UNION ALL SELECT {told} FROM audit"
        own = str(staff_id("analyst"))
        database = Database(system.environment["DATABASE_URL"], pool_size=1)

        def noted() -> list[tuple[Any, ...]]:
            with database.read() as connection:
                return [tuple(row) for row in connection.execute(text(query)) if own in row.subjects]

        before = len(noted())
        desk.forget()
        with pytest.raises(BadCredentials):
            desk.sign_in("analyst", password="wrong-password-of-a-stranger")
        desk.forget()
        desk.sign_in("analyst")
        assert noted()[before:] == [("staff", own, ["analyst"], [own], "done")]
        database.close()

    def test_whose_account_was_changed_lately_is_told_with_its_version_and_so_does_the_next_token(
        self, wire: BusClient, system: System, desk: Desk
    ) -> None:
        def changed() -> dict[str, int]:
            answer = wire.ask("accounts", "list_changed_staff", ListChangedStaff())
            return {item["staff_id"]: item["version"] for item in answer["items"]}

        database, own = Database(system.environment["DATABASE_URL"], pool_size=1), str(staff_id("screener"))
        with database.transaction() as connection:
            connection.execute(text("UPDATE staff SET changed_at = now() - interval '20 minutes'"))
        assert changed() == {}
        before = claims(system, desk.sign_in("screener")["access_token"])["ver"]
        with database.transaction() as connection:
            roster.change(connection, "screener", DEMO_STAFF["screener"])
        database.close()
        assert changed() == {own: before + 1}
        desk.forget()
        assert claims(system, desk.sign_in("screener")["access_token"])["ver"] == before + 1

    def test_staff_are_not_listed_to_whose_account_was_closed(self, wire: BusClient, system: System) -> None:
        head = Actor(kind=ActorKind.STAFF, id=str(staff_id("head")), roles=frozenset({Role.HEAD}))
        database = Database(system.environment["DATABASE_URL"], pool_size=1)
        known = DEMO_STAFF["head"]
        with database.transaction() as connection:
            roster.change(connection, "head", replace(known, active=False))
        with pytest.raises(NotAllowed):
            wire.ask("accounts", "list_staff", ListStaff(actor=head))
        with database.transaction() as connection:
            roster.change(connection, "head", known)
        database.close()
        assert wire.ask("accounts", "list_staff", ListStaff(actor=head))["items"]


@contextmanager
def with_another_key(system: System, folder: Path) -> Iterator[None]:
    """The service as it is after STAFF_SECRET_KEY was changed."""
    system.process.stop()
    changed = ServiceProcess(
        "accounts", {**system.environment, "STAFF_SECRET_KEY": os.urandom(32).hex()}, folder / "log"
    )
    changed.start()
    try:
        yield
    finally:
        changed.stop()
        system.process.start()


class TestAChangedKey:
    def test_known_and_unknown_user_names_are_refused_alike(self, system: System, desk: Desk, tmp_path: Path) -> None:
        with with_another_key(system, tmp_path):
            refusals = []
            for username in ("head", "nobody"):
                with pytest.raises(BadCredentials) as refusal:
                    desk.sign_in(username, totp="123456" if username == "nobody" else None)
                refusals.append(str(refusal.value))
        assert refusals[0] == refusals[1]
        desk.forget()
        assert desk.sign_in("head")["access_token"], "with the old key it is as it was"

    def test_a_citizens_session_is_over_and_one_of_staff_goes_on_until_the_reset(
        self, system: System, desk: Desk, citizen: Citizen, tmp_path: Path
    ) -> None:
        signed_in = citizen.sign_in()
        staff = desk.sign_in("inspector")
        retried = desk.sign_in("inspector2")
        refresh(desk.wire, retried["refresh_token"])
        with with_another_key(system, tmp_path):
            with pytest.raises(BadToken):
                refresh(citizen.wire, signed_in["refresh_token"])
            with pytest.raises(BadToken):
                refresh(citizen.wire, retried["refresh_token"])  # its successor cannot be opened
            assert refresh(citizen.wire, staff["refresh_token"])["access_token"]
        with pytest.raises(BadToken):
            refresh(citizen.wire, signed_in["refresh_token"])

    def test_seeding_with_a_password_that_is_given_tells_what_it_does_not_know(
        self, system: System, postgres: PostgreSQL, broker: RabbitMQ, tmp_path: Path
    ) -> None:
        environment = prepared("accounts", broker.url, postgres.url, "accounts_reseeded")
        run("seed", environment, DEMO_STAFF_PASSWORD="given")
        run(
            "seed",
            {**environment, "STAFF_SECRET_KEY": os.urandom(32).hex()},
            "--credentials",
            str(tmp_path / "staff.json"),
            DEMO_STAFF_PASSWORD="given",
        )
        told = json.loads((tmp_path / "staff.json").read_text())
        assert {one["totp_secret"] for one in told.values()} == {None}


class TestSeed:
    def test_the_second_run_changes_nothing_and_tells_the_same(self, system: System, tmp_path: Path) -> None:
        before = system.sql("SELECT username, password_hash, version FROM staff ORDER BY username")
        file = tmp_path / "again.json"
        printed = run("seed", system.environment, "--credentials", str(file))
        assert json.loads(file.read_text()) == system.staff
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert system.sql("SELECT username, password_hash, version FROM staff ORDER BY username") == before
        assert not any(one["password"] in printed for one in system.staff.values())

    def test_an_account_with_a_password_of_its_own_keeps_it(self, system: System, tmp_path: Path) -> None:
        file = tmp_path / "other.json"
        run("seed", system.environment, "--credentials", str(file), DEMO_STAFF_PASSWORD="something else")
        assert {one["password"] for one in json.loads(file.read_text()).values()} == {None}


class TestStaffCommand:
    def test_a_new_account_signs_in_with_what_was_printed_until_closed(self, system: System, desk: Desk) -> None:
        def staff(*arguments: str) -> str:
            return run("staff", system.environment, *arguments)

        printed = staff("add", "first", "--name", "اپراتور", "--role", "operator", "--unit", "mayor")
        password = printed.split("password")[1].split()[0]
        totp = pyotp.parse_uri(printed.split()[-1])
        assert isinstance(totp, pyotp.TOTP)
        tokens = desk.sign_in("first", password, totp.now())
        assert claims(system, tokens["access_token"])["roles"] == ["operator"]
        staff("close", "first")
        with pytest.raises(BadToken):
            refresh(desk.wire, tokens["refresh_token"])
        system.sql("DELETE FROM staff WHERE username = 'first'")


class TestDatabase:
    def test_it_reveals_no_mobile_no_code_no_password_no_token_even_with_its_outbox(
        self, system: System, citizen: Citizen, desk: Desk
    ) -> None:
        citizen.request()
        code = citizen.read_sms()
        tokens = citizen.verify(code)
        staff_tokens = desk.sign_in("head")
        refreshed = refresh(citizen.wire, tokens["refresh_token"])
        secrets = [
            citizen.mobile[3:],
            system.staff["head"]["password"],
            system.staff["head"]["totp_secret"],
            *(one[part] for one in (tokens, staff_tokens, refreshed) for part in ("access_token", "refresh_token")),
        ]
        tables = system.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        dump = "\n".join(str(row) for (table,) in tables for row in system.sql(f'SELECT t::text FROM "{table}" AS t'))
        assert sealing.keyed_hash(citizen.mobile, bytes.fromhex(system.environment["MOBILE_INDEX_KEY"])) in dump
        log = system.process.log.read_text()
        for one in secrets:
            assert one not in dump
            assert one not in log
        [(stored,)] = system.sql(
            "SELECT code_hash FROM one_time_codes WHERE mobile_hash = %s",
            sealing.keyed_hash(citizen.mobile, bytes.fromhex(system.environment["MOBILE_INDEX_KEY"])),
        )
        assert len(stored) == 64  # an HMAC: six digits could be found behind a plain hash in no time

    def test_what_has_passed_is_deleted(self, system: System, citizen: Citizen) -> None:
        from services.accounts.handlers import Accounts
        from services.accounts.settings import Settings

        sid = claims(system, citizen.sign_in()["access_token"])["sid"]
        system.sql("UPDATE sessions SET expires_at = now() - interval '1 second' WHERE session_id = %s", sid)
        system.sql("UPDATE one_time_codes SET touched_at = now() - interval '25 hours'")
        ours = {name.lower(): value for name, value in system.environment.items()}
        accounts = Accounts(Settings.model_validate(ours))
        database = Database(system.environment["DATABASE_URL"], pool_size=1)
        with database.transaction() as connection:
            accounts.prune(connection)
        database.close()
        assert system.sql("SELECT * FROM sessions WHERE session_id = %s", sid) == []
        assert system.sql("SELECT * FROM refresh_tokens WHERE session_id = %s", sid) == []
        assert system.sql("SELECT * FROM one_time_codes") == []


class TestTheAdministratorsDesk:
    @pytest.fixture
    def administrator(self, system: System) -> Actor:
        return self.actor_of(system, "administrator")

    def actor_of(self, system: System, username: str) -> Actor:
        ((id_, roles),) = system.sql("SELECT staff_id, roles FROM staff WHERE username = %s", username)
        return Actor(kind=ActorKind.STAFF, id=str(id_), roles=frozenset(Role(role) for role in roles))

    def add(self, wire: BusClient, actor: Actor, **more: Any) -> dict[str, Any]:
        about = {"username": f"desk-{uuid4().hex[:8]}", "display_name": "پیشخوان", "roles": [Role.OPERATOR]}
        request = AddStaff(actor=actor, idempotency_key=uuid4().hex, **{**about, **more})
        answer: dict[str, Any] = wire.ask("accounts", "add_staff", request)
        return answer

    def test_a_new_account_is_told_to_the_others(self, system: System, wire: BusClient, administrator: Actor) -> None:
        wire.listen("accounts.events")
        made = self.add(wire, administrator)["member"]
        (event,) = eventually(lambda: [e for e in wire.heard("staff.changed.v1") if e["staff_id"] == made["staff_id"]])
        assert (event["roles"], event["active"], event["version"]) == (["operator"], True, 1)

    def test_an_administrator_of_yesterday_changes_nothing(
        self, system: System, wire: BusClient, administrator: Actor
    ) -> None:
        token = self.actor_of(system, "administrator2")
        self.add(wire, token)
        [(version,)] = system.sql("SELECT version FROM staff WHERE username = 'administrator2'")
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
        assert wire.ask("accounts", "change_staff", closing)["active"] is False  # one is enough to take a role away
        try:
            with pytest.raises(NotAllowed):  # although the token still names the role
                self.add(wire, token)
        finally:
            restore(system, "administrator2")

    @pytest.mark.parametrize("username", ["head", "screener", "analyst"])
    def test_nobody_else_adds_an_account(self, system: System, wire: BusClient, username: str) -> None:
        with pytest.raises(NotAllowed):
            self.add(wire, self.actor_of(system, username))

    @pytest.mark.parametrize(
        ("more", "field"),
        [
            ({"username": "a b"}, "username"),
            ({"display_name": " "}, "display_name"),
            ({"roles": []}, "roles"),
            ({"roles": [Role.LIAISON]}, "unit"),
        ],
    )
    def test_an_account_nobody_could_work_with_is_refused(
        self, system: System, wire: BusClient, administrator: Actor, more: dict[str, Any], field: str
    ) -> None:
        with pytest.raises(InvalidField) as wrong:
            self.add(wire, administrator, **more)
        assert [one["field"] for one in wrong.value.params["fields"]] == [field]

    def test_user_names_and_versions_are_for_the_administrator(
        self, system: System, wire: BusClient, administrator: Actor
    ) -> None:
        for actor, told in ((administrator, True), (self.actor_of(system, "head"), False)):
            items = wire.ask("accounts", "list_staff", ListStaff(actor=actor))["items"]
            assert all((one["username"] is not None) is told and (one["version"] is not None) is told for one in items)

    def test_the_history_only_grows(self, system: System, wire: BusClient, administrator: Actor) -> None:
        self.add(wire, administrator)
        for statement in ("UPDATE staff_history SET by = 'x'", "DELETE FROM staff_history", "TRUNCATE staff_history"):
            with pytest.raises(psycopg.errors.RestrictViolation):
                system.sql(statement)
