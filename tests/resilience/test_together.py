"""Two at once: three processes of each service, and people who do the same thing in the same moment."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

import httpx
import pytest

from deploy.local.environment import SERVICES
from tests.e2e.people import Caller, Town
from tests.resilience.conftest import Report
from tests.resilience.fault_injection import FaultInjector, names
from tests.resilience.filing_client import TUS, Client, signed_in
from tests.resilience.final_checks import Databases, check_everything, check_histories, check_nothing_waits
from tests.resilience.randomness import random_stream, rounds

Done = TypeVar("Done")


def at_once(*works: Callable[[], Done]) -> list[Done]:
    """Begins all of them in one moment; what each returned, in order."""
    start, done = threading.Barrier(len(works)), {}

    def begin(place: int, work: Callable[[], Done]) -> None:
        start.wait()
        done[place] = work()

    threads = [threading.Thread(target=begin, args=(place, work)) for place, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return [done[place] for place in range(len(works))]


@pytest.fixture
def crowd(town: Town) -> Iterator[Town]:
    """Three of every service; one again afterwards."""
    for name in SERVICES:
        town.system.scale(name, 3)
    try:
        yield town
    finally:
        for name in SERVICES:
            town.system.scale(name, 1)


def test_one_of_many_simultaneous_commands_wins_and_the_others_get_the_reason(town: Town) -> None:
    town.system.scale("tracking", 2)
    try:
        case = town.report()
        case_id = str(case.view()["case_id"])
        screener = town.officer("screener").caller
        version = screener.get(f"/v1/cases/{case_id}").json()["version"]
        key = uuid.uuid4().hex

        def screen(key: str) -> Callable[[], httpx.Response]:
            return lambda: screener.post(f"/v1/cases/{case_id}/screening", {}, key=key, version=version)

        answers = at_once(*(screen(uuid.uuid4().hex) for _ in range(4)), screen(key), screen(key))
        statuses = [answer.status_code for answer in answers]
        assert set(statuses) <= {200, 412}, statuses
        winners = [place for place, status in enumerate(statuses) if status == 200]
        assert len(winners) == 1 or set(winners) == {4, 5}, "two different commands took one version"
        assert screener.get(f"/v1/cases/{case_id}").json()["version"] == version + 1
        check_histories(town.system)
    finally:
        town.system.scale("tracking", 1)


def test_one_of_two_holders_of_a_one_time_code_signs_in(town: Town) -> None:
    town.system.scale("accounts", 2)
    try:
        for _ in range(3):
            phone = town.phone()
            assert town.caller().post("/v1/auth/codes", {"mobile": phone.mobile}).status_code == 200
            match = re.search(r"\d{6}", phone.next())
            assert match
            enter = partial(town.caller().post, "/v1/auth/tokens", {"mobile": phone.mobile, "code": match.group()})
            answers = at_once(*[enter] * 5)
            statuses = sorted(answer.status_code for answer in answers)
            assert statuses[0] == 200, statuses
            assert all(status in (400, 401, 403, 422, 429) for status in statuses[1:]), statuses
    finally:
        town.system.scale("accounts", 1)


def test_bytes_of_one_of_several_senders_at_one_offset_count(town: Town) -> None:
    town.system.scale("media", 2)
    try:
        who, size = town.caller(), 40_000
        made = who.request("POST", "/v1/uploads", headers={**TUS, "Upload-Length": str(size)})
        place = httpx.URL(made.headers["Location"]).path

        def send(letter: bytes) -> Callable[[], httpx.Response]:
            headers = {**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
            content = letter * (size // 2)
            return lambda: Caller(town.http).request("PATCH", place, content=content, headers=headers)

        answers = at_once(*(send(letter) for letter in (b"a", b"b", b"c")))
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses[0] == 204, statuses
        assert statuses[1:] == [409, 409], statuses
        assert who.request("HEAD", place, headers=TUS).headers["Upload-Offset"] == str(size // 2)
    finally:
        town.system.scale("media", 1)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_three_replicas_of_everything_under_kills(crowd: Town, seed: int, report: Report) -> None:
    """Three relays on each outbox, three senders, three of each timer, three consumers of each queue."""
    before = Databases(crowd.system).cases()
    faults = FaultInjector(crowd.system, random_stream(seed, 99), report)
    citizens = signed_in(crowd, 3)
    client = Client(crowd.system.gateway_url, citizens, seed, threads=4, pause=0.1).start()
    replicas: list[Any] = [p for p in crowd.system.processes() if p.name not in ("gateway", "simulator")]
    try:
        for number in range(1, rounds(8) + 1):
            struck = faults.random.sample(replicas, faults.random.randint(1, 6))
            report(f"{number:>3} {names(struck, replicas)}")
            faults.kill(struck)
            faults.pass_random_time(1, 5)
        faults.await_ready()
        entries = client.finish()
    finally:
        client.abandon()
    check_everything(crowd, entries, before)
    check_nothing_waits(crowd.system)
    report(f"{len(entries)} submissions through three of everything: each one case, told once")
