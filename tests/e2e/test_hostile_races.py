"""Two at once: one wins, the other is told so, and there is one effect."""

from __future__ import annotations

import re
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.e2e.hostile_parts import at_rest, refused, stored
from tests.e2e.people import JSON, Case, Town, good

MANY = 6


def at_once(*requests: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """Their answers; all start together."""
    start = threading.Barrier(len(requests))

    def go(request: Callable[[], httpx.Response]) -> httpx.Response:
        start.wait(10)
        return request()

    with ThreadPoolExecutor(len(requests)) as threads:
        return [future.result(60) for future in [threads.submit(go, request) for request in requests]]


def outcomes(answers: list[httpx.Response]) -> Counter[tuple[int, str]]:
    return Counter((answer.status_code, "" if answer.is_success else answer.json()["code"]) for answer in answers)


@pytest.mark.parametrize("command", ["the same", "another"])
def test_one_of_several_commands_on_the_same_version_wins(town: Town, command: str) -> None:
    case = town.report()
    case_id = case.view()["case_id"]
    screener = town.officer("screener")
    screener.do(case_id, "screening")
    version = screener.read(case_id)["version"]
    refusal = {"reason": "outside_remit", "explanation": "در صلاحیت شهرداری نیست."}
    work: list[tuple[str, JSON]] = (
        [("corrections", {"urgent": True}), ("refusal", refusal)] if command == "another" else [("refusal", refusal)]
    )

    def send(number: int) -> httpx.Response:
        path, body = work[number % len(work)]
        return screener.caller.post(f"/v1/cases/{case_id}/{path}", body, version=version)

    answers = at_once(*(lambda number=number: send(number) for number in range(MANY)))
    counts = outcomes(answers)
    assert counts[(200, "")] == 1, counts
    assert sum(counts.values()) - 1 == counts[(412, "stale_version")] + counts[(409, "wrong_stage")], counts
    assert screener.read(case_id)["version"] == version + 1
    assert [entry["sequence"] for entry in screener.read(case_id)["timeline"]][-1] == version + 1


def test_one_command_sent_many_times_at_once_has_one_effect(town: Town) -> None:
    case = town.report()
    case_id = case.view()["case_id"]
    screener = town.officer("screener")
    screener.do(case_id, "screening")
    version, key = screener.read(case_id)["version"], uuid.uuid4().hex
    path = f"/v1/cases/{case_id}/corrections"
    answers = at_once(*[lambda: screener.caller.post(path, {"urgent": True}, key=key, version=version)] * MANY)
    assert outcomes(answers) == {(200, ""): MANY}
    entries = [entry["entry"] for entry in screener.read(case_id)["timeline"]]
    assert entries.count("corrected") == 1


def test_a_one_time_code_used_twice_simultaneously_signs_in_once(town: Town) -> None:
    phone, caller = town.phone(), town.caller("en")
    good(caller.post("/v1/auth/codes", {"mobile": phone.mobile}))
    code = re.search(r"\d{6}", phone.next())
    assert code
    before = at_rest(town, "accounts")
    body = {"mobile": phone.mobile, "code": code.group()}
    answers = at_once(*[lambda: caller.post("/v1/auth/tokens", body)] * MANY)
    assert outcomes(answers) == {(200, ""): 1, (401, "bad_code"): MANY - 1}
    for answer in answers:
        if not answer.is_success:
            refused(answer, 401, "bad_code", "en")
    after = stored(town, "accounts")
    assert {name: after[name] - before[name] for name in after} == dict.fromkeys(after, 1)


def test_one_submission_sent_many_times_at_once_is_one_case(town: Town) -> None:
    about = {"kind": "information", "unit": "dep.civ.roads", "ground": "waste", "consent": True}
    text, key = f"یک گزارش هم‌زمان {uuid.uuid4()}", uuid.uuid4().hex
    answers = at_once(*[lambda: town.caller().post("/v1/submissions", {**about, "text": text}, key=key)] * MANY)
    assert outcomes(answers) == {(201, ""): MANY}
    codes = {answer.json()["tracking_code"] for answer in answers}
    assert len(codes) == 1
    holder = town.caller(code=codes.pop().replace(" ", ""))
    view = Case(holder.code, holder, "", {}).view()
    assert [entry["entry"] for entry in view["timeline"]] == ["opened"]
    items = good(town.officer("screener").caller.get("/v1/cases", text=text))["items"]
    assert [item["case_id"] for item in items] == [view["case_id"]]
