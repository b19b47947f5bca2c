"""Budgets of every path and of tracking codes, by the API and the pages alike, and what who goes beyond them has to do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from gateway.edge import challenges, general_budget
from tests.support.admission import EASY, OF_OTHERS, WRONG, by_header, held_clock, limited, reset_limits, right
from tests.support.gateway import Gateway, bearer
from tests.support.pages import Browser


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    return held_clock(monkeypatch)


@pytest.fixture
def delays() -> list[float]:
    return []


# --- every path ---


def addresses_of_routes(gateway: Gateway) -> list[tuple[str, str]]:
    """Method and an address of everything that the application answers."""
    addresses = []
    for route in iter_route_contexts(gateway.app.routes):
        assert route.path is not None
        path = re.sub(r"{[^}]*}", "0f8f7f8e-6f0e-4b1a-9d38-2f1c5f3f8a11", route.path)
        addresses += [(method, path) for method in sorted(route.methods or {"GET"})]
    return addresses


def test_every_route_except_those_listed_uses_the_general_budget(tmp_path: Path) -> None:
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


def test_an_unknown_path_uses_the_budget_too(tmp_path: Path) -> None:
    gateway = limited(tmp_path, limit_anonymous="1/hour")
    assert [gateway.send("GET", "/wp-login.php").status_code for _ in range(2)] == [404, 429]


def test_a_signed_in_caller_uses_their_own_budget(tmp_path: Path) -> None:
    gateway = limited(tmp_path, limit_anonymous="1/hour", limit_session="2/hour")

    def ask(token: str) -> int:
        return gateway.send("GET", "/v1/catalogue", headers=bearer(token)).status_code

    mine, other = gateway.keys.citizen(), gateway.keys.citizen()
    assert [ask(mine), ask(mine), ask(mine), ask(other)] == [200, 200, 429, 200]
    assert [ask("no.token.of-ours"), ask("no.token.of-ours")] == [401, 429], (
        "a token that is none spends of its address"
    )


def test_the_sms_provider_is_not_limited_and_guesses_of_its_path_are(tmp_path: Path) -> None:
    gateway = limited(tmp_path, limit_anonymous="1/hour")
    secret = gateway.keys.webhook_secret("kavenegar")
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
        and any(parameter.get("name") == "Tracking-Code" for parameter in operation.get("parameters", []))
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
        reset_limits(gateway)
        answers = [guess(gateway, method, path) for _ in range(5)]
        assert answers == [404] * 5, (method, path, answers)
        assert (by_body(), by_page()) == (404, 422)
        # Neither is a right one looked at any more, nor does it tell itself from a wrong one.
        for code in (WRONG, right(gateway)):
            assert guess(gateway, method, path, code) == 429, (method, path)
            if at == 0:
                assert (by_body(code), by_page(code)) == (429, 429)
    assert gateway.rabbit.calls == [], "a wrong code costs nobody behind the gateway anything"


def test_many_guesses_of_one_address_are_refused(tmp_path: Path, clock: list[float]) -> None:
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


def test_after_ten_mistyped_codes_a_right_one_is_only_delayed(tmp_path: Path, delays: list[float]) -> None:
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


def test_beyond_the_budget_a_right_code_with_a_solved_challenge_is_answered(tmp_path: Path, clock: list[float]) -> None:
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


def test_a_challenge_is_valid_for_one_purpose_one_address_and_five_minutes(tmp_path: Path, clock: list[float]) -> None:
    gateway = limited(tmp_path, limit_bad_codes="1/day")
    for address in ("127.0.0.1", OF_OTHERS):
        by_header(gateway, WRONG, address=address)
    challenge = by_header(gateway, WRONG).json()["params"]["challenge"]
    solved = {"Challenge-Answer": challenges.solve(challenge["token"], challenge["bits"])}

    assert by_header(gateway, right(gateway), address=OF_OTHERS, headers=solved).status_code == 429
    assert gateway.container.admission.challenges.check_work("sign_in", "", solved["Challenge-Answer"], 1) is None
    clock[0] += challenges.VALID_SECONDS + 1
    assert by_header(gateway, right(gateway), headers=solved).status_code == 429


def test_guessing_with_challenges_becomes_ever_harder(tmp_path: Path) -> None:
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


def test_many_households_of_one_network_are_challenged_together(tmp_path: Path) -> None:
    gateway = limited(tmp_path, limit_bad_codes="2/day", limit_bad_codes_by_network="6/day")

    def guess_from(household: int, network: str = "2001:db8:1", **more: Any) -> httpx.Response:
        return by_header(gateway, WRONG, address=f"{network}:{household:x}::1", **more)

    answers = [guess_from(household).status_code for household in range(9)]
    assert answers == [404] * 6 + [429] * 3
    assert guess_from(1, "2001:db8:2").status_code == 404, "another network"
    bits = []
    for household in range(20, 32):
        challenge = guess_from(household).json()["params"]["challenge"]
        bits.append(challenge["bits"])
        solved = challenges.solve(challenge["token"], challenge["bits"])
        assert guess_from(household, headers={"Challenge-Answer": solved}).status_code == 404
    assert bits[-1] > bits[0], "what one household guessed makes it harder for the next"


def test_a_page_shows_how_long_to_wait_and_then_the_same_form_is_accepted(tmp_path: Path, clock: list[float]) -> None:
    gateway = limited(tmp_path, limit_bad_codes="2/day")
    for _ in range(2):
        by_header(gateway, WRONG)
    browser = Browser(gateway)
    browser.open("/follow")
    code = right(gateway)
    page_text = browser.send("/follow", code=code)
    wait = int(browser.answer.headers["retry-after"])
    assert (browser.answer.status_code, wait) == (429, 20)
    assert "۲۰ ثانیه صبر کنید و سپس همین فرم را دوباره بفرستید" in page_text
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


def test_waiting_guesses_are_limited(tmp_path: Path, clock: list[float]) -> None:
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
