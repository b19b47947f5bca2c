"""Budgets of one-time codes, signing in, sessions and filing: nobody is held up for others behind the same address."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.accounts import OtpSent, Tokens
from contracts.errors import BadCode, BadToken, TooMany
from gateway.edge import challenges
from tests.support.admission import EASY, OF_OTHERS, REPORT, held_clock, limited, reset_limits, right
from tests.support.gateway import Gateway, bearer, refusing
from tests.support.pages import Browser


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    return held_clock(monkeypatch)


# --- one-time codes, sign-in, sessions, filing ---


def ask_for_code(gateway: Gateway, mobile: str, **headers: str) -> httpx.Response:
    return gateway.send("POST", "/v1/auth/codes", json={"mobile": mobile}, headers=headers)


def test_many_phones_behind_one_carrier_address_ask_for_their_codes(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path)  # as it comes
    gateway.rabbit.answers["accounts.request_otp"] = lambda _: OtpSent(resend_after=60, expires_in=300)
    answers = [ask_for_code(gateway, f"0912000{at:04d}").status_code for at in range(25)]
    assert answers == [200] * 25


def test_many_callers_are_not_challenged_like_a_guesser(tmp_path: Path) -> None:
    gateway = limited(tmp_path, limit_one_time_codes="1/day")
    gateway.rabbit.answers["accounts.request_otp"] = lambda _: OtpSent(resend_after=60, expires_in=300)
    ask_for_code(gateway, "09120000000")
    for at in range(40):
        challenge = ask_for_code(gateway, "09120000001").json()["params"]["challenge"]
        assert challenge["bits"] == EASY["challenge_bits"]
        solved = challenges.solve(challenge["token"], challenge["bits"])
        assert ask_for_code(gateway, f"0912000{at:04d}", **{"Challenge-Answer": solved}).status_code == 200


def test_beyond_the_budget_a_challenge_allows_codes_and_signing_in(tmp_path: Path) -> None:
    gateway = limited(tmp_path, limit_one_time_codes="1/hour", limit_sign_in="1/hour")
    gateway.rabbit.answers["accounts.request_otp"] = lambda _: OtpSent(resend_after=60, expires_in=300)
    bodies: dict[str, dict[str, str]] = {
        "/v1/auth/codes": {"mobile": "09121234567"},
        "/v1/auth/tokens": {"mobile": "09121234567", "code": "123456"},
        "/v1/auth/staff/tokens": {"username": "head", "password": "x", "totp": "123456"},
    }
    for path, body in bodies.items():
        reset_limits(gateway)
        assert gateway.send("POST", path, json=body).status_code in (200, 503)
        refused = gateway.send("POST", path, json=body)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many")
        challenge = refused.json()["params"]["challenge"]
        headers = {"Challenge-Answer": challenges.solve(challenge["token"], challenge["bits"])}
        assert gateway.send("POST", path, json=body, headers=headers).status_code in (200, 503)
        assert gateway.send("POST", path, json=body, headers=headers).status_code == 429


def test_attempts_are_distinguished_by_session_and_address_on_pages_and_api(tmp_path: Path) -> None:
    gateway = limited(tmp_path)
    gateway.rabbit.answers["accounts.request_otp"] = lambda _: OtpSent(
        resend_after=60, expires_in=300, otp_session="session-of-this-browser"
    )
    gateway.rabbit.answers["accounts.verify_otp"] = refusing(BadCode())
    browser = Browser(gateway)
    browser.open("/sign-in")
    browser.send("/sign-in", mobile="09121234567")
    browser.send("/sign-in/code/again")
    browser.send("/sign-in/code", code="123456")
    mobile = {"mobile": "09121234567"}
    gateway.send("POST", "/v1/auth/codes", json=mobile)
    gateway.send("POST", "/v1/auth/codes", json={**mobile, "otp_session": "of-an-app"}, address=OF_OTHERS)
    gateway.send("POST", "/v1/auth/tokens", json={**mobile, "code": "123456", "otp_session": "of-an-app"})
    requests: list[Any] = [request for _, request in gateway.rabbit.calls]

    sessions = [request.otp_session for request in requests]
    assert sessions == [None, *["session-of-this-browser"] * 2, None, "of-an-app", "of-an-app"]
    here, elsewhere = requests[0].address_key, requests[4].address_key
    assert [request.address_key for request in requests] == [here, here, here, here, elsewhere, here]
    assert here != elsewhere
    assert "127.0.0.1" not in here


def test_a_device_that_signed_in_sends_its_token(tmp_path: Path) -> None:
    gateway = limited(tmp_path)
    gateway.rabbit.answers["accounts.sign_in_staff"] = lambda _: Tokens(
        access_token="a", refresh_token="b", expires_in=900, device_token="d1.device.1.mac"
    )
    staff = {"username": "head", "password": "x", "totp": "123456"}
    first = gateway.send("POST", "/v1/auth/staff/tokens", json=staff)
    gateway.send("POST", "/v1/auth/staff/tokens", json={**staff, "device_token": first.json()["device_token"]})
    requests: list[Any] = [request for _, request in gateway.rabbit.calls]
    assert [request.device_token for request in requests] == [None, "d1.device.1.mac"]
    assert requests[0].address_key


def test_a_user_name_paused_for_an_address_is_allowed_with_a_challenge(tmp_path: Path) -> None:
    gateway = limited(tmp_path)

    def sign_in(request: Any) -> Tokens:
        if request.username == "slow":
            raise TooMany(retry_after=15)
        if request.worked:
            return tokens("next")
        raise TooMany(retry_after=15, work_passes=True)

    gateway.rabbit.answers["accounts.sign_in_staff"] = sign_in
    staff = {"username": "head", "password": "x", "totp": "123456"}
    refused = gateway.send("POST", "/v1/auth/staff/tokens", json=staff)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "15")
    assert set(refused.json()["params"]) == {"retry_after", "challenge"}
    challenge = refused.json()["params"]["challenge"]
    solved = {"Challenge-Answer": challenges.solve(challenge["token"], challenge["bits"])}
    slow = gateway.send("POST", "/v1/auth/staff/tokens", json={**staff, "username": "slow"})
    assert slow.json()["params"] == {"retry_after": 15}, "where work would not do, none is asked for"
    assert gateway.send("POST", "/v1/auth/staff/tokens", json=staff, headers=solved).status_code == 200
    assert gateway.send("POST", "/v1/auth/staff/tokens", json=staff, headers=solved).status_code == 429, "once"


def test_a_form_refused_for_its_address_is_filed_later(tmp_path: Path, clock: list[float]) -> None:
    gateway = limited(tmp_path, limit_submissions="1/day")
    browser = Browser(gateway)
    browser.goes_to_evidence()
    browser.open("/file/evidence", "POST", files={"token": (None, browser.token)})
    browser.send("/file/identity", identity="anonymous")
    assert 'name="consent"' in browser.answer.text
    gateway.file(REPORT)
    browser.send("/file/review", consent="yes")
    assert browser.answer.status_code == 429
    ticket, *_ = re.findall(r'name="ticket" value="([^"]*)"', browser.answer.text)
    clock[0] += int(browser.answer.headers["retry-after"])
    page_text = browser.send("/file/review", consent="yes", ticket=ticket)
    assert browser.answer.status_code == 200
    assert gateway.last().text == "پرونده سه ماه مانده است."
    assert re.search(r"[۰-۹]{4}", page_text)


def tokens(refresh_token: str) -> Tokens:
    return Tokens(access_token="a", refresh_token=refresh_token, expires_in=900)


def test_refreshing_many_staff_tokens_locks_nobody_out(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path)  # as it comes
    gateway.rabbit.answers["accounts.refresh"] = lambda request: tokens(request.refresh_token)  # type: ignore[attr-defined]

    def renew(token: str) -> int:
        return gateway.send("POST", "/v1/auth/refresh", json={"refresh_token": token}).status_code

    assert {renew(f"token-of-{member}") for member in range(30) for _ in range(8)} == {200}
    staff = {"username": "head", "password": "x", "totp": "123456"}
    assert gateway.send("POST", "/v1/auth/staff/tokens", json=staff).status_code == 503, "signing in is not spent by it"


def test_many_signed_in_behind_one_address_have_their_streams_and_a_crowd_of_codes_works_for_more(
    tmp_path: Path,
) -> None:
    gateway = limited(tmp_path, limit_streams_by_address=2, limit_streams=2)
    streams = gateway.container.event_stream
    address = gateway.container.limits.address_key("127.0.0.1")
    for _ in range(20):
        assert streams.subscribe(address, gateway.container.tokens.check(gateway.keys.citizen()), frozenset())
    for letter in "ab":
        assert not streams.is_crowded(address)
        assert streams.subscribe(address, None, frozenset({letter * 64}))
    assert streams.is_crowded(address)

    def ask(**headers: str) -> httpx.Response:
        return gateway.send("GET", "/v1/stream", headers={"Tracking-Code": right(gateway), **headers})

    challenge = ask().json()["params"]["challenge"]
    gateway.container.stopping = True  # a stream that is opened does not end: this one is refused after it was admitted
    answer = challenges.solve(challenge["token"], challenge["bits"])
    assert ask(**{"Challenge-Answer": answer}).status_code == 503
    gateway.container.stopping = False
    assert ask(**{"Challenge-Answer": answer}).status_code == 429


def test_bad_refresh_tokens_are_counted_and_good_ones_are_not_affected(tmp_path: Path) -> None:
    gateway = limited(tmp_path, limit_bad_tokens="2/hour", limit_refresh="3/hour")

    def answer(request: Any) -> Tokens:
        if request.refresh_token.startswith("good"):
            return tokens("next")
        raise BadToken

    gateway.rabbit.answers["accounts.refresh"] = answer

    def renew(token: str) -> int:
        return gateway.send("POST", "/v1/auth/refresh", json={"refresh_token": token}).status_code

    assert [renew(f"bad-{at}") for at in range(4)] == [401, 401, 429, 429]
    assert [renew("good-1"), renew("good-2")] == [200, 200]
    assert [renew("good-3") for _ in range(4)] == [200, 200, 200, 429], "one token for itself has an end"


def test_submissions_have_a_budget_per_address_and_per_citizen(tmp_path: Path) -> None:
    gateway = limited(tmp_path, limit_submissions="2/hour")

    assert [gateway.file(REPORT).status_code for _ in range(3)] == [201, 201, 429]
    refused = gateway.file(REPORT, **{"Accept-Language": "en"})
    challenge = refused.json()["params"]["challenge"]
    assert refused.json()["code"] == "too_many"
    solved = {"Challenge-Answer": challenges.solve(challenge["token"], challenge["bits"])}
    assert gateway.file(REPORT, **solved).status_code == 201
    citizen = bearer(gateway.keys.citizen())
    assert [gateway.file(REPORT, **citizen).status_code for _ in range(3)] == [201, 201, 429]
    assert "challenge" not in gateway.file(REPORT, **citizen).json()["params"]
    assert gateway.send("GET", "/v1/catalogue").status_code == 200


# --- what is told ---


@pytest.mark.parametrize(
    ("seconds", "fa", "en"),
    [
        (1, "۱ ثانیه", "1 second"),
        (45, "۴۵ ثانیه", "45 seconds"),
        (120, "۲ دقیقه", "2 minutes"),
        (121, "۳ دقیقه", "3 minutes"),
        (7_200, "۲ ساعت", "2 hours"),
    ],
)
def test_a_refusal_states_how_long_to_wait(tmp_path: Path, seconds: int, fa: str, en: str) -> None:
    gateway = limited(tmp_path)
    gateway.rabbit.answers["accounts.request_otp"] = refusing(TooMany(retry_after=seconds))
    for language, wait in (("fa", fa), ("en", en)):
        answer = ask_for_code(gateway, "09121234567", **{"Accept-Language": language})
        assert wait in answer.json()["detail"]
        assert answer.json()["params"] == {"retry_after": seconds}
        assert answer.headers["retry-after"] == str(seconds)
    browser = Browser(gateway)
    browser.open("/sign-in")
    assert fa in browser.send("/sign-in", mobile="09121234567")
    assert (browser.answer.status_code, browser.answer.headers["retry-after"]) == (429, str(seconds))


def test_the_general_budget_refuses_a_page_with_a_page_in_its_language(tmp_path: Path) -> None:
    gateway = limited(tmp_path, limit_anonymous="2/hour")
    browser = Browser(gateway)
    browser.open("/follow?lang=en")
    assert "Too many requests; try again in" in browser.open("/follow")
    assert browser.answer.status_code == 429
    assert int(browser.answer.headers["retry-after"]) > 0
