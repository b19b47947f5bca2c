"""Guessing is slowed as configured, and a forged code costs nobody behind the gateway anything."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from deploy.local.processes import Process
from tests.e2e.hostile_parts import LANGUAGES, another_gateway, at_rest, called, refused, stored
from tests.e2e.people import Caller, Town, good

LIMITS = {
    "LIMIT_BAD_CODES": "10/minute;60/hour",
    "LIMIT_CODES": "120/minute",
    "LIMIT_ONE_TIME_CODES": "3/minute",
    "LIMIT_SIGN_IN": "8/minute",
}


@pytest.fixture
def door(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Process, httpx.Client]]:
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
    town: Town, door: tuple[Process, httpx.Client]
) -> None:
    process, http = door
    tracking = town.system.process("tracking")
    case = town.report()
    case.view()
    assert good(Caller(http, "fa", code=case.code).get("/v1/tracking"))["stage"] == "registered"
    asked, handled = (
        called(process, "peygir_rpc_asked_total"),
        called(tracking, "peygir_handled_total", method="view_by_code"),
    )
    assert asked
    assert handled, "or these counters would show nothing"

    guesses = forged(case.code, 30)
    answers = [Caller(http, LANGUAGES[at % 2], code=one).get("/v1/tracking") for at, one in enumerate(guesses)]
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

    assert called(process, "peygir_rpc_asked_total") == asked
    assert called(tracking, "peygir_handled_total", method="view_by_code") == handled
    # Others are let in as before.
    assert good(town.caller(code=case.code).get("/v1/tracking"))["stage"] == "registered"


def test_one_time_codes_are_neither_had_without_end_nor_guessed(town: Town, door: tuple[Process, httpx.Client]) -> None:
    _, http = door
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
    for answer in answers[:5]:
        refused(answer, 401, "bad_code", "en")
    for answer in answers[5:]:
        slowed(answer, "en")
    # By a gateway that counts nothing, the right one is too late all the same: accounts has counted, too.
    slowed(town.caller("fa").post("/v1/auth/tokens", {"mobile": phone.mobile, "code": right}), "fa")
    assert stored(town, "accounts") == before
