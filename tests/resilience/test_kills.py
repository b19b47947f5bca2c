"""Whatever is killed, at whatever moment: what was acknowledged is one case, told once, and nothing is left over."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.e2e.people import Town
from tests.resilience.conftest import Report
from tests.resilience.fault_injection import FaultInjector, Member, names, schedule
from tests.resilience.filing_client import Client, renew, signed_in
from tests.resilience.final_checks import Databases, check_everything
from tests.resilience.randomness import random_stream, rounds

FAULTS = (
    {"mode": "timeout", "seconds": 4},
    {"mode": "fail", "status": 502},
    {"mode": "busy"},
    {"mode": "delay", "seconds": 1},
)
"""What the SMS provider does wrong now and then."""


def weather(
    town: Town, faults: FaultInjector, seed: int, struck: list[list[Member]], strike: Callable[[list[Member]], None]
) -> None:
    """Files all the while, strikes round by round, and reckons at the end."""
    before = Databases(town.system).cases()
    citizens = signed_in(town, 3)
    began = renewed = time.monotonic()
    client = Client(town.system.gateway_url, citizens, seed).start()
    everyone = town.system.members()
    try:
        for number, members in enumerate(struck, 1):
            faults.pass_random_time(0.3, 4)
            town.control.post("/_control/faults", json=faults.random.choice(FAULTS)).raise_for_status()
            faults.report(f"{number:>3}/{len(struck)} {names(members, everyone)}")
            strike(members)
            faults.pass_random_time(0.2, 5)
            # The next blow falls on a system that has recovered, or that is about to.
            if faults.random.random() < 0.7 or not town.system.process("simulator").ready():
                faults.await_ready()
            if time.monotonic() - renewed > 420:
                faults.await_ready()
                renew(town, citizens)
                renewed = time.monotonic()
        faults.await_ready()
        entries = client.finish()
    finally:
        client.abandon()
    check_everything(town, entries, before)
    evidence = sum(bool(entry.uploads) for entry in entries)
    faults.report(
        f"{len(entries)} submissions ({client.repeated} repeated, {evidence} with evidence) in "
        f"{time.monotonic() - began:.0f} s, slowest answer {client.slowest:.1f} s: each one case, told once"
    )


def test_random_kills_lose_and_duplicate_nothing(town: Town, seed: int, report: Report) -> None:
    faults = FaultInjector(town.system, random_stream(seed, 99), report)
    everyone = town.system.members()
    struck = schedule(everyone, rounds(2), faults.random)
    weather(town, faults, seed, struck, faults.kill)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_kills_in_turn_together_and_all_at_once(town: Town, seed: int, report: Report) -> None:
    faults = FaultInjector(town.system, random_stream(seed, 99), report)
    struck = schedule(town.system.members(), rounds(24), faults.random)
    weather(town, faults, seed, struck, faults.kill)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_orderly_stops_in_turn(town: Town, seed: int, report: Report) -> None:
    faults = FaultInjector(town.system, random_stream(seed, 99), report)
    struck = schedule(town.system.members(), rounds(14), faults.random)
    weather(town, faults, seed, struck, faults.terminate)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_freezes_of_half_a_minute_in_turn(town: Town, seed: int, report: Report) -> None:
    """Longer than a heartbeat: the broker gives a hanging consumer's messages to another, or keeps them."""
    faults = FaultInjector(town.system, random_stream(seed, 99), report)
    everyone = faults.random.sample(town.system.members(), len(town.system.members()))
    struck = [everyone[at::5] for at in range(5)][: rounds(5)]
    weather(town, faults, seed, struck, lambda members: faults.freeze(members, 30))
