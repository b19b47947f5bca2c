"""Guessing is slowed as configured, and a forged code costs nobody behind the gateway anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pyotp
import pytest

from deploy.local.processes import Process
from tests.e2e.hostile_parts import LANGUAGES, another_gateway, at_rest, called, refused, stored
from tests.e2e.people import Caller, Town, good
from tests.support.processes import eventually

LIMITS = {
    "LIMIT_BAD_CODES": "10/hour",
    "LIMIT_CODES": "120/minute",
    "LIMIT_ONE_TIME_CODES": "3/hour",
    "LIMIT_SIGN_IN": "8/hour",
}


@pytest.fixture
def limited_gateway(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Process, httpx.Client]]:
    """A gateway whose limits are on, and nobody has come yet."""
    with (
        another_gateway(town.system, tmp_path_factory.mktemp("limited"), **LIMITS) as (process, url),
        httpx.Client(base_url=url, timeout=30, trust_env=False) as http,
    ):
        yield process, http


def slowed(answer: httpx.Response, language: str) -> None:
    refused(answer, 429, "too_many", language)
    assert 1 <= int(answer.headers["retry-after"]) <= 3600


def forged(code: str, count: int) -> list[str]:
    """Codes as good as `code` but for its check digits."""
    last = int(code[13:])
    return [f"{code[:13]}{(last + at) % 1000:03d}" for at in range(1, count + 1)]


def test_codes_cannot_be_guessed_and_a_forged_one_costs_no_query(
    town: Town, limited_gateway: tuple[Process, httpx.Client]
) -> None:
    process, http = limited_gateway
    tracking = town.system.process("tracking")
    case = town.report()
    case.view()
    assert good(Caller(http, "fa", code=case.code).get("/v1/tracking"))["stage"] == "registered"
    calls_before, handled = (
        called(process, "peygir_rpc_calls_total"),
        called(tracking, "peygir_handled_total", method="view_by_code"),
    )
    assert calls_before
    assert handled, "or these counters would show nothing"

    guesses = forged(case.code, 30)
    answers = [Caller(http, LANGUAGES[at % 2], code=guess).get("/v1/tracking") for at, guess in enumerate(guesses)]
    for at, answer in enumerate(answers):
        language = LANGUAGES[at % 2]
        if at < 10:
            refused(answer, 404, "unknown_tracking_code", language)
        else:
            slowed(answer, language)
    # Not even the right one is looked at now, by whichever way: otherwise the 429 would tell a hit from a miss.
    right = Caller(http, "en", code=case.code)
    for answer in (
        right.get("/v1/tracking"),
        Caller(http, "en").request("POST", "/v1/tracking", json={"tracking_code": case.code}),
        right.post("/v1/tracking/withdrawal", {}),
        right.get("/v1/tracking/messages"),
        right.get("/v1/stream"),
    ):
        slowed(answer, "en")

    assert called(process, "peygir_rpc_calls_total") == calls_before
    assert called(tracking, "peygir_handled_total", method="view_by_code") == handled
    # Others are let in as before.
    assert good(town.caller(code=case.code).get("/v1/tracking"))["stage"] == "registered"


def test_one_time_codes_are_limited_and_cannot_be_guessed(
    town: Town, limited_gateway: tuple[Process, httpx.Client]
) -> None:
    _, http = limited_gateway
    phone = town.phone()
    caller = Caller(http, "en")
    for _ in range(3):
        good(caller.post("/v1/auth/codes", {"mobile": phone.mobile}))
        sent = re.search(r"\d{6}", phone.next())
    slowed(caller.post("/v1/auth/codes", {"mobile": phone.mobile}), "en")
    slowed(caller.post("/v1/auth/codes", {"mobile": town.phone().mobile}), "en")  # nor for somebody else

    assert sent
    right = sent.group()
    before = at_rest(town, "accounts")
    answers = []
    for at in range(1, 10):
        wrong = f"{(int(right) + at) % 1_000_000:06d}"
        answers.append(caller.post("/v1/auth/tokens", {"mobile": phone.mobile, "code": wrong}))
    # The sixth and on are not even looked at, and nothing tells them from those before.
    for answer in answers[:8]:
        refused(answer, 401, "bad_code", "en")
    slowed(answers[8], "en")
    # By a gateway that counts nothing, the right one is too late all the same: accounts has counted, too.
    refused(town.caller("fa").post("/v1/auth/tokens", {"mobile": phone.mobile, "code": right}), 401, "bad_code", "fa")
    assert stored(town, "accounts") == before


def test_guesses_of_a_stranger_do_not_delay_a_sign_in(town: Town) -> None:
    phone, stranger = town.phone(), town.caller("en")
    sent = good(town.caller().post("/v1/auth/codes", {"mobile": phone.mobile}))
    match = re.search(r"\d{6}", phone.next())
    assert match
    right = match.group()
    for at in range(1, 13):
        wrong = f"{(int(right) + at) % 1_000_000:06d}"
        refused(stranger.post("/v1/auth/tokens", {"mobile": phone.mobile, "code": wrong}), 401, "bad_code", "en")
    unknown = stranger.post("/v1/auth/tokens", {"mobile": town.phone().mobile, "code": right})
    refused(unknown, 401, "bad_code", "en")
    body = {"mobile": phone.mobile, "code": right, "otp_session": sent["otp_session"]}
    assert good(town.caller().post("/v1/auth/tokens", body))["access_token"]


def test_staff_are_notified_of_attempts_on_their_accounts_and_not_locked_out(town: Town) -> None:
    credentials, stranger, tried = town.credentials()["analyst"], town.caller("en"), set[str]()

    def sign_in(**more: str) -> Any:
        """Each one-time password is good once: a next one comes within 30 s."""
        totp = pyotp.TOTP(str(credentials["totp_secret"])).now()
        if totp in tried:
            return None
        tried.add(totp)
        body = {"username": "analyst", "password": credentials["password"], "totp": totp, **more}
        answer = town.caller().post("/v1/auth/staff/tokens", body)
        return answer.json() if answer.status_code == 200 else None

    device = eventually(sign_in, timeout=90)["device_token"]
    for _ in range(5):
        wrong = {"username": "analyst", "password": "guessed", "totp": "000000"}
        refused(stranger.post("/v1/auth/staff/tokens", wrong), 401, "bad_credentials", "en")
    slowed(stranger.post("/v1/auth/staff/tokens", wrong), "en")
    tokens = eventually(lambda: sign_in(device_token=device), timeout=90)
    analyst = town.caller("en", token=tokens["access_token"])

    def notified() -> bool:
        items = good(analyst.get("/v1/messages"))["items"]
        return any("sign in under your user name" in item["text"] for item in items)

    eventually(notified)
