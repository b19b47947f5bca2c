"""What one may do how often, by the API and the pages alike, and what who goes beyond has to do."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from backbone import codes
from contracts.accounts import OtpSent, Tokens
from contracts.errors import BadCode, BadToken, TooMany, UnknownCase
from gateway import challenges, general_budget
from gateway.limits import Memory
from tests.unit.gateway_parts import CATALOGUE, UNLIMITED, Gateway, bearer, refusing
from tests.unit.pages_parts import Browser

REPORT = {"kind": "information", "unit": "roads", "ground": "waste", "text": "مصالح رها شده است.", "consent": True}
WRONG = "1234567890123456"
EASY = {"challenge_bits": 4, "challenge_bits_most": 8}
OF_OTHERS = "203.0.113.9"


@pytest.fixture
def delays() -> list[float]:
    return []


def limited(folder: Path, delays: list[float] | None = None, **settings: Any) -> Gateway:
    """A gateway with these limits and no others, which waits for nothing."""
    gateway = Gateway(folder, **{**UNLIMITED, **EASY, **settings})

    async def delay(seconds: float) -> None:
        if delays is not None:
            delays.append(seconds)

    gateway.door.admission.delay = delay
    gateway.door.shelf.put(CATALOGUE)
    gateway.bus.answers["tracking.view_by_code"] = refusing(UnknownCase())
    return gateway


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    moment = [1_800_000_000.0]
    monkeypatch.setattr(time, "time", lambda: moment[0])
    return moment


def by_header(gateway: Gateway, code: str, **more: Any) -> httpx.Response:
    headers = {"Tracking-Code": code, **more.pop("headers", {})}
    return gateway.send("GET", "/v1/tracking", headers=headers, **more)


def right(gateway: Gateway) -> str:
    return codes.mint(gateway.door.mac_keys)


def forget(gateway: Gateway) -> None:
    """Nothing has been counted yet."""
    storage = gateway.door.limits._limiter.storage
    assert isinstance(storage, Memory)
    storage._counted.clear()


# --- every path ---


def addresses_of_routes(gateway: Gateway) -> list[tuple[str, str]]:
    """Method and an address of everything that the application answers."""
    found = []
    for route in iter_route_contexts(gateway.app.routes):
        assert route.path is not None
        path = re.sub(r"{[^}]*}", "0f8f7f8e-6f0e-4b1a-9d38-2f1c5f3f8a11", route.path)
        found += [(method, path) for method in sorted(route.methods or {"GET"})]
    return found


def test_every_route_spends_of_the_general_budget_but_those_named(tmp_path: Path) -> None:
    gateway = limited(tmp_path, limit_anonymous="1/hour")
    routes = addresses_of_routes(gateway)
    assert len(routes) > 150
    free = set()
    for at, (method, path) in enumerate(routes):
        address = f"198.51.{at // 250}.{at % 250}"
        first, second = (gateway.send(method, path, address=address) for _ in range(2))
        assert first.status_code != 429, (method, path)
        if second.status_code != 429:
            free.add(path)
        else:
            assert int(second.headers["retry-after"]) > 0
            assert ("text/html" in second.headers["content-type"]) is not path.startswith("/v1/"), path
    assert {path for path in free if not general_budget.is_exempt(path)} == set()
    assert {path for path in free if not path.startswith("/pages/")} <= {"/healthz", "/readyz"}


def test_an_address_nobody_has_spends_as_well(tmp_path: Path) -> None:
    gateway = limited(tmp_path, limit_anonymous="1/hour")
    assert [gateway.send("GET", "/wp-login.php").status_code for _ in range(2)] == [404, 429]


def test_who_is_signed_in_spends_of_their_own(tmp_path: Path) -> None:
    gateway = limited(tmp_path, limit_anonymous="1/hour", limit_session="2/hour")

    def ask(token: str) -> int:
        return gateway.send("GET", "/v1/catalogue", headers=bearer(token)).status_code

    mine, other = gateway.keys.citizen(), gateway.keys.citizen()
    assert [ask(mine), ask(mine), ask(mine), ask(other)] == [200, 200, 429, 200]
    assert [ask("no.token.of-ours"), ask("no.token.of-ours")] == [401, 429], (
        "a token that is none spends of its address"
    )


def test_the_sms_provider_is_not_held_up_and_who_guesses_its_address_is(tmp_path: Path) -> None:
    gateway = limited(tmp_path, limit_anonymous="1/hour")
    secret = gateway.settings.sms_webhook_secret.get_secret_value()
    delivery = {"messageid": "7", "status": "10"}

    def push(given: str) -> int:
        return gateway.send("GET", f"/v1/webhooks/sms/{given}/delivery", params=delivery).status_code

    assert [push(secret) for _ in range(3)] == [200, 200, 200]
    assert [push("guessed"), push("guessed")] == [404, 429]


# --- tracking codes ---


def code_paths(gateway: Gateway) -> list[tuple[str, str]]:
    """Every operation of the document that takes a code by header."""
    return [
        (method.upper(), re.sub(r"{[^}]*}", "0vJmYw8Qx2nB5tZk3LrHc9SdEfGuPaTq", path))
        for path, item in gateway.app.openapi()["paths"].items()
        for method, operation in item.items()
        if isinstance(operation, dict)
        and any(one.get("name") == "Tracking-Code" for one in operation.get("parameters", []))
    ]


def guess(gateway: Gateway, method: str, path: str, code: str = WRONG) -> int:
    body: dict[str, Any] = {} if method == "GET" else {"json": {}}
    return gateway.send(method, path, headers={"Tracking-Code": code}, **body).status_code


def test_guessing_stops_at_the_same_count_whatever_the_path(tmp_path: Path) -> None:
    gateway = limited(tmp_path, limit_bad_codes="7/hour")
    paths = code_paths(gateway)
    assert len(paths) > 12
    browser = Browser(gateway)

    def by_page(code: str = WRONG) -> int:
        browser.open("/follow")
        browser.send("/follow", code=code)
        return browser.answer.status_code

    def by_body(code: str = WRONG) -> int:
        return gateway.send("POST", "/v1/tracking", json={"tracking_code": code}).status_code

    for at, (method, path) in enumerate(paths):
        # Seven by all ways together: some by this one, one by the body, one by the page.
        forget(gateway)
        answers = [guess(gateway, method, path) for _ in range(5)]
        assert answers == [404] * 5, (method, path, answers)
        assert (by_body(), by_page()) == (404, 422)
        # Neither is a right one looked at any more, nor does it tell itself from a wrong one.
        for code in (WRONG, right(gateway)):
            assert guess(gateway, method, path, code) == 429, (method, path)
            if at == 0:
                assert (by_body(code), by_page(code)) == (429, 429)
    assert gateway.bus.asked == [], "a wrong code costs nobody behind the gateway anything"


def test_many_guesses_of_one_address_come_to_nothing(tmp_path: Path, clock: list[float]) -> None:
    gateway = limited(tmp_path, limit_bad_codes="30/minute;60/hour")
    browser = Browser(gateway)
    browser.open("/follow")
    form = {"token": browser.token}
    answers = []
    for at in range(400):
        clock[0] += 1 / 40  # as quick as /follow once took them
        if at % 2:
            answers.append(by_header(gateway, WRONG).status_code == 404)
        else:
            browser.open("/follow", "POST", data={**form, "code": WRONG})
            answers.append(browser.answer.status_code == 422)
    assert sum(answers) <= 60


def test_after_ten_mistyped_codes_a_right_one_is_only_slower(tmp_path: Path, delays: list[float]) -> None:
    gateway = limited(tmp_path, delays, limit_bad_codes="30/minute;60/hour")
    for _ in range(10):
        assert by_header(gateway, WRONG).status_code == 404
    assert delays == []
    assert by_header(gateway, right(gateway)).json()["stage"] == "registering"
    for _ in range(15):
        assert by_header(gateway, WRONG).status_code == 404
    before = len(delays)
    assert by_header(gateway, right(gateway)).status_code == 200
    assert len(delays) == before + 1, "a right one is no quicker than a wrong one"
    assert delays == sorted(delays)
    assert 0 < delays[0] < delays[-1] <= 5

    browser = Browser(gateway)
    browser.open("/follow")
    assert "در حال ثبت است" in browser.send("/follow", code=right(gateway))


def test_beyond_that_a_right_code_with_a_solved_challenge_is_answered(tmp_path: Path, clock: list[float]) -> None:
    gateway = limited(tmp_path, limit_bad_codes="3/day")
    for _ in range(3):
        by_header(gateway, WRONG)
    refused = by_header(gateway, right(gateway), headers={"Accept-Language": "en"})
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (429, "too_many")
    assert problem["params"]["retry_after"] == int(refused.headers["retry-after"])
    challenge = problem["params"]["challenge"]
    assert challenge["algorithm"] == "sha256"

    solved = challenges.solve(challenge["token"], challenge["bits"])
    for wrong in (challenge["token"], f"{challenge['token']}:", solved.replace("v1.", "v2."), "x", "é:1", "."):
        assert by_header(gateway, right(gateway), headers={"Challenge-Answer": wrong.encode()}).status_code == 429
    assert by_header(gateway, right(gateway), address=OF_OTHERS).status_code == 200
    assert by_header(gateway, right(gateway), headers={"Challenge-Answer": solved}).status_code == 200
    for later in (0, 1, 150, 148):
        clock[0] += later
        assert by_header(gateway, right(gateway), headers={"Challenge-Answer": solved}).status_code == 429, "once"


def test_a_challenge_is_for_one_purpose_and_one_address_and_for_five_minutes(
    tmp_path: Path, clock: list[float]
) -> None:
    gateway = limited(tmp_path, limit_bad_codes="1/day")
    for address in ("127.0.0.1", OF_OTHERS):
        by_header(gateway, WRONG, address=address)
    challenge = by_header(gateway, WRONG).json()["params"]["challenge"]
    solved = {"Challenge-Answer": challenges.solve(challenge["token"], challenge["bits"])}

    assert by_header(gateway, right(gateway), address=OF_OTHERS, headers=solved).status_code == 429
    assert gateway.door.admission.challenges.check_work("sign_in", "", solved["Challenge-Answer"], 1) is None
    clock[0] += challenges.GOOD_FOR + 1
    assert by_header(gateway, right(gateway), headers=solved).status_code == 429


def test_guessing_by_challenges_grows_ever_harder(tmp_path: Path) -> None:
    gateway = limited(tmp_path, limit_bad_codes="1/day")
    by_header(gateway, WRONG)
    bits = []
    for _ in range(40):
        challenge = by_header(gateway, WRONG).json()["params"]["challenge"]
        bits.append(challenge["bits"])
        solved = challenges.solve(challenge["token"], challenge["bits"])
        assert by_header(gateway, WRONG, headers={"Challenge-Answer": solved}).status_code == 404
    assert bits == sorted(bits)
    assert (bits[0], bits[-1]) == (EASY["challenge_bits"], EASY["challenge_bits_most"])


def test_a_page_says_how_long_to_wait_and_then_the_same_form_is_looked_at(tmp_path: Path, clock: list[float]) -> None:
    gateway = limited(tmp_path, limit_bad_codes="2/day")
    for _ in range(2):
        by_header(gateway, WRONG)
    browser = Browser(gateway)
    browser.open("/follow")
    code = right(gateway)
    told = browser.send("/follow", code=code)
    wait = int(browser.answer.headers["retry-after"])
    assert (browser.answer.status_code, wait) == (429, 20)
    assert "۲۰ ثانیه صبر کنید و سپس همین فرم را دوباره بفرستید" in told
    assert f'value="{code}"' in browser.answer.text, "what was typed stays"

    (ticket,) = re.findall(r'name="ticket" value="([^"]*)"', browser.answer.text)
    browser.send("/follow", code=code, ticket=ticket)
    assert browser.answer.status_code == 429, "too early"
    clock[0] += wait
    assert "در حال ثبت است" in browser.send("/follow", code=code, ticket=ticket)
    browser.open("/follow")
    browser.send("/follow", code=WRONG, ticket=ticket)
    assert browser.answer.status_code == 429, "once"
    # By the API nobody waits with it instead of working.
    assert by_header(gateway, code, headers={"Challenge-Answer": ticket}).status_code == 429


def test_waiting_guesses_have_an_end(tmp_path: Path, clock: list[float]) -> None:
    gateway = limited(tmp_path, limit_bad_codes="1/day", limit_waited_codes="2/hour", wait_seconds_most=30)
    browser = Browser(gateway)
    browser.open("/follow")
    browser.send("/follow", code=WRONG)
    answers, waits = [], []
    for _ in range(3):
        browser.send("/follow", code=WRONG)
        (ticket,) = re.findall(r'name="ticket" value="([^"]*)"', browser.answer.text)
        waits.append(int(browser.answer.headers["retry-after"]))
        clock[0] += waits[-1]
        browser.send("/follow", code=WRONG, ticket=ticket)
        answers.append(browser.answer.status_code)
    assert answers == [422, 422, 429]
    assert waits == [20, 25, 30]


def test_a_browser_that_opened_a_case_is_not_refused_for_others(tmp_path: Path) -> None:
    gateway = limited(tmp_path, limit_bad_codes="2/hour", limit_codes="3/hour")
    browser = Browser(gateway)
    browser.open("/follow")
    browser.send("/follow", code=right(gateway))
    for _ in range(9):
        by_header(gateway, WRONG)
    assert by_header(gateway, WRONG).status_code == 429
    assert "در حال ثبت است" in browser.open("/case")
    assert browser.answer.status_code == 200


def test_right_codes_cost_their_address_nothing(tmp_path: Path) -> None:
    gateway = limited(tmp_path, limit_bad_codes="2/hour")
    assert {by_header(gateway, right(gateway)).status_code for _ in range(20)} == {200}
    assert [by_header(gateway, WRONG).status_code for _ in range(3)] == [404, 404, 429]


# --- one-time codes, sign-in, sessions, filing ---


def ask_for_code(gateway: Gateway, mobile: str, **headers: str) -> httpx.Response:
    return gateway.send("POST", "/v1/auth/codes", json={"mobile": mobile}, headers=headers)


def test_many_phones_behind_one_carrier_address_ask_for_their_codes(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path)  # as it comes
    gateway.bus.answers["accounts.request_otp"] = lambda _: OtpSent(resend_after=60, expires_in=300)
    answers = [ask_for_code(gateway, f"0912000{at:04d}").status_code for at in range(25)]
    assert answers == [200] * 25


def test_beyond_the_budget_of_an_address_a_challenge_goes_for_codes_and_for_signing_in(tmp_path: Path) -> None:
    gateway = limited(tmp_path, limit_one_time_codes="1/hour", limit_sign_in="1/hour")
    gateway.bus.answers["accounts.request_otp"] = lambda _: OtpSent(resend_after=60, expires_in=300)
    bodies: dict[str, dict[str, str]] = {
        "/v1/auth/codes": {"mobile": "09121234567"},
        "/v1/auth/tokens": {"mobile": "09121234567", "code": "123456"},
        "/v1/auth/staff/tokens": {"username": "head", "password": "x", "totp": "123456"},
    }
    for path, body in bodies.items():
        forget(gateway)
        assert gateway.send("POST", path, json=body).status_code in (200, 503)
        refused = gateway.send("POST", path, json=body)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many")
        challenge = refused.json()["params"]["challenge"]
        headers = {"Challenge-Answer": challenges.solve(challenge["token"], challenge["bits"])}
        assert gateway.send("POST", path, json=body, headers=headers).status_code in (200, 503)
        assert gateway.send("POST", path, json=body, headers=headers).status_code == 429


def test_tries_are_told_apart_by_session_and_address_on_pages_and_api(tmp_path: Path) -> None:
    gateway = limited(tmp_path)
    gateway.bus.answers["accounts.request_otp"] = lambda _: OtpSent(
        resend_after=60, expires_in=300, otp_session="session-of-this-browser"
    )
    gateway.bus.answers["accounts.verify_otp"] = refusing(BadCode())
    browser = Browser(gateway)
    browser.open("/sign-in")
    browser.send("/sign-in", mobile="09121234567")
    browser.send("/sign-in/code/again")
    browser.send("/sign-in/code", code="123456")
    mobile = {"mobile": "09121234567"}
    gateway.send("POST", "/v1/auth/codes", json=mobile)
    gateway.send("POST", "/v1/auth/codes", json={**mobile, "otp_session": "of-an-app"}, address=OF_OTHERS)
    gateway.send("POST", "/v1/auth/tokens", json={**mobile, "code": "123456", "otp_session": "of-an-app"})
    asked: list[Any] = [request for _, request in gateway.bus.asked]

    sessions = [request.otp_session for request in asked]
    assert sessions == [None, *["session-of-this-browser"] * 2, None, "of-an-app", "of-an-app"]
    here, elsewhere = asked[0].asker, asked[4].asker
    assert [request.asker for request in asked] == [here, here, here, here, elsewhere, here]
    assert here != elsewhere
    assert "127.0.0.1" not in here


def test_a_device_that_signed_in_shows_it(tmp_path: Path) -> None:
    gateway = limited(tmp_path)
    gateway.bus.answers["accounts.sign_in_staff"] = lambda _: Tokens(
        access_token="a", refresh_token="b", expires_in=900, device_token="d1.device.1.mac"
    )
    staff = {"username": "head", "password": "x", "totp": "123456"}
    first = gateway.send("POST", "/v1/auth/staff/tokens", json=staff)
    gateway.send("POST", "/v1/auth/staff/tokens", json={**staff, "device_token": first.json()["device_token"]})
    asked: list[Any] = [request for _, request in gateway.bus.asked]
    assert [request.device_token for request in asked] == [None, "d1.device.1.mac"]
    assert asked[0].asker


def test_a_form_that_is_refused_for_its_address_is_filed_after_a_while(tmp_path: Path, clock: list[float]) -> None:
    gateway = limited(tmp_path, limit_submissions="1/day")
    browser = Browser(gateway)
    browser.open("/file/criticism/start")
    browser.send("/file/unit", unit="parks")
    browser.send("/file/ground", ground="delay")
    browser.send("/file/text", text="پرونده سه ماه مانده است.")
    browser.send("/file/where")
    browser.open("/file/evidence", "POST", files={"token": (None, browser.token)})
    browser.send("/file/identity", identity="anonymous")
    assert 'name="consent"' in browser.answer.text
    gateway.file(REPORT)
    browser.send("/file/review", consent="yes")
    assert browser.answer.status_code == 429
    ticket, *_ = re.findall(r'name="ticket" value="([^"]*)"', browser.answer.text)
    clock[0] += int(browser.answer.headers["retry-after"])
    told = browser.send("/file/review", consent="yes", ticket=ticket)
    assert browser.answer.status_code == 200
    assert gateway.last().text == "پرونده سه ماه مانده است."
    assert re.search(r"[۰-۹]{4}", told)


def tokens(refresh_token: str) -> Tokens:
    return Tokens(access_token="a", refresh_token=refresh_token, expires_in=900)


def test_an_office_that_renews_its_tokens_locks_nobody_out(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path)  # as it comes
    gateway.bus.answers["accounts.refresh"] = lambda asked: tokens(asked.refresh_token)  # type: ignore[attr-defined]

    def renew(token: str) -> int:
        return gateway.send("POST", "/v1/auth/refresh", json={"refresh_token": token}).status_code

    assert {renew(f"token-of-{member}") for member in range(30) for _ in range(8)} == {200}
    staff = {"username": "head", "password": "x", "totp": "123456"}
    assert gateway.send("POST", "/v1/auth/staff/tokens", json=staff).status_code == 503, "signing in is not spent by it"


def test_bad_refresh_tokens_are_counted_and_good_ones_do_not_suffer(tmp_path: Path) -> None:
    gateway = limited(tmp_path, limit_bad_tokens="2/hour", limit_refresh="3/hour")

    def answer(asked: Any) -> Tokens:
        if asked.refresh_token.startswith("good"):
            return tokens("next")
        raise BadToken

    gateway.bus.answers["accounts.refresh"] = answer

    def renew(token: str) -> int:
        return gateway.send("POST", "/v1/auth/refresh", json={"refresh_token": token}).status_code

    assert [renew(f"bad-{at}") for at in range(4)] == [401, 401, 429, 429]
    assert [renew("good-1"), renew("good-2")] == [200, 200]
    assert [renew("good-3") for _ in range(4)] == [200, 200, 200, 429], "one token for itself has an end"


def test_submissions_of_an_address_have_a_budget_and_a_citizen_their_own(tmp_path: Path) -> None:
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
def test_a_refusal_says_how_long_to_wait(tmp_path: Path, seconds: int, fa: str, en: str) -> None:
    gateway = limited(tmp_path)
    gateway.bus.answers["accounts.request_otp"] = refusing(TooMany(retry_after=seconds))
    for language, wait in (("fa", fa), ("en", en)):
        answer = ask_for_code(gateway, "09121234567", **{"Accept-Language": language})
        assert wait in answer.json()["detail"]
        assert answer.json()["params"] == {"retry_after": seconds}
        assert answer.headers["retry-after"] == str(seconds)
    browser = Browser(gateway)
    browser.open("/sign-in")
    assert fa in browser.send("/sign-in", mobile="09121234567")
    assert (browser.answer.status_code, browser.answer.headers["retry-after"]) == (429, str(seconds))


def test_a_page_that_is_refused_by_the_general_budget_is_a_page_in_its_language(tmp_path: Path) -> None:
    gateway = limited(tmp_path, limit_anonymous="2/hour")
    browser = Browser(gateway)
    browser.open("/follow?lang=en")
    assert "Too many requests; try again in" in browser.open("/follow")
    assert browser.answer.status_code == 429
    assert int(browser.answer.headers["retry-after"]) > 0
