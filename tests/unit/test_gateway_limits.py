"""Budgets of the gateway, and that no address is kept."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import TooMany
from gateway.edge.limit_storage import BoundedMemoryStorage
from gateway.edge.limits import Limits
from tests.support.gateway import Keys


def limits(tmp_path: Path, **settings: Any) -> Limits:
    return Limits(Keys().settings(tmp_path, **settings))


def spend(limits: Limits, budget: str, who: str, times: int) -> int:
    """How many were allowed."""

    async def go() -> int:
        for done in range(times):
            try:
                await limits.spend(budget, who)
            except TooMany:
                return done
        return times

    return asyncio.run(go())


def test_a_budget_is_used_up_and_refilled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = limits(tmp_path, limit_submissions="3/minute")
    moment = 1_800_000_000.0
    monkeypatch.setattr(time, "time", lambda: moment)

    assert spend(made, "submissions", "a", 5) == 3
    assert spend(made, "submissions", "b", 5) == 3
    moment += 30
    assert spend(made, "submissions", "a", 5) == 0
    moment += 90
    assert spend(made, "submissions", "a", 5) == 3


def test_the_strictest_of_several_rates_applies(tmp_path: Path) -> None:
    assert spend(limits(tmp_path, limit_codes="100/second;5/hour"), "codes", "a", 10) == 5


def test_off_disables_a_limit(tmp_path: Path) -> None:
    assert spend(limits(tmp_path, limit_codes="off"), "codes", "a", 1000) == 1000


def test_too_many_states_how_long_to_wait(tmp_path: Path) -> None:
    made = limits(tmp_path, limit_codes="1/minute")
    spend(made, "codes", "a", 1)

    with pytest.raises(TooMany) as refused:
        asyncio.run(made.spend("codes", "a"))
    assert 1 <= refused.value.params["retry_after"] <= 60


def test_memory_is_bounded() -> None:
    memory = BoundedMemoryStorage(max_keys=100)

    async def go() -> None:
        for at in range(1_000):
            await memory.acquire_sliding_window_entry(f"key {at}", 5, 60)

    asyncio.run(go())
    assert len(memory._counters) == 100


class TestAddresses:
    def test_are_stored_nowhere(self, tmp_path: Path) -> None:
        made = limits(tmp_path)
        key = made.address_key("203.0.113.7")

        assert key == made.address_key("203.0.113.7") != made.address_key("203.0.113.8")
        assert "203.0.113" not in key
        assert key != limits(tmp_path).address_key("203.0.113.7"), "the salt is this installation's own"

    def test_have_another_key_the_next_day(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        made = limits(tmp_path)
        today = made.address_key("203.0.113.7")
        tomorrow = time.time() + 86_400
        monkeypatch.setattr(time, "time", lambda: tomorrow)

        assert made.address_key("203.0.113.7") != today

    def test_of_one_household_share_a_key(self, tmp_path: Path) -> None:
        made = limits(tmp_path)

        assert made.address_key("2001:db8:1:2::1") == made.address_key("2001:db8:1:2:ffff::9")
        assert made.address_key("2001:db8:1:2::1") != made.address_key("2001:db8:1:3::1")
        assert made.address_key("::ffff:203.0.113.7") == made.address_key("203.0.113.7")

    @pytest.mark.parametrize(
        ("peer", "forwarded", "expected"),
        [
            ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
            ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "192.0.2.66, 198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "192.0.2.66, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
            ("10.0.0.1", "nonsense", "10.0.0.1"),
            ("10.0.0.1", "198.51.100.1, nonsense", "10.0.0.1"),
            ("10.0.0.1", None, "10.0.0.1"),
        ],
    )
    def test_behind_a_proxy_are_accepted_only_from_trusted_ones(
        self, tmp_path: Path, peer: str, forwarded: str | None, expected: str
    ) -> None:
        made = limits(tmp_path, trusted_proxies="10.0.0.0/8")

        assert made.client_address((peer, 1), forwarded) == expected

    def test_are_not_taken_from_headers_without_a_trusted_proxy(self, tmp_path: Path) -> None:
        assert limits(tmp_path).client_address(("10.0.0.1", 1), "198.51.100.1") == "10.0.0.1"


def test_a_refund_can_be_used_again(tmp_path: Path) -> None:
    made = limits(tmp_path, limit_codes="3/minute;4/hour")
    assert spend(made, "codes", "a", 3) == 3
    asyncio.run(made.give_back("codes", "a"))
    assert spend(made, "codes", "a", 3) == 1


def test_a_refusal_by_one_rate_does_not_use_the_others(tmp_path: Path) -> None:
    made = limits(tmp_path, limit_codes="5/minute;2/hour")
    assert spend(made, "codes", "a", 2) == 2
    spend(made, "codes", "a", 1)
    assert asyncio.run(made.used("codes", "a")) == 2


def test_several_units_may_be_used_at_once(tmp_path: Path) -> None:
    made = limits(tmp_path, limit_codes="10/minute")
    asyncio.run(made.spend("codes", "a", 8))
    with pytest.raises(TooMany):
        asyncio.run(made.spend("codes", "a", 3))
    asyncio.run(made.spend("codes", "a", 2))


def test_a_single_use_key_is_used_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = limits(tmp_path)
    moment = 1_800_000_000.0 + 299  # the last second of a window of five minutes
    monkeypatch.setattr(time, "time", lambda: moment)

    assert asyncio.run(made.use_once("challenge", "a", 300))
    assert not asyncio.run(made.use_once("challenge", "a", 300))
    moment += 290
    assert not asyncio.run(made.use_once("challenge", "a", 300))
    assert asyncio.run(made.use_once("challenge", "b", 300))
