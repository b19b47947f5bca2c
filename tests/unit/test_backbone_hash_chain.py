"""The chain of hashes: what was stored stays verifiable, and whatever is changed, removed or inserted is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from backbone.storage import audit, hash_chain
from backbone.storage.hash_chain import FIRST_HASH, Link, hash_of, verify

AT = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)


def link(position: int, previous_hash: str, at: datetime = AT, **content: Any) -> Link:
    values = {"position": position, "at": at, **content}
    return Link(position, at, values, previous_hash, hash_of(previous_hash, values))


def chain(*times: datetime) -> list[Link]:
    links: list[Link] = []
    for position, at in enumerate(times, start=1):
        links.append(link(position, links[-1].hash if links else FIRST_HASH, at))
    return links


def hourly(entries: int) -> list[Link]:
    return chain(*(AT + timedelta(hours=hour) for hour in range(entries)))


class TestStoredHashes:
    """Made by the release that is deployed: another rule would make every stored chain look broken."""

    def test_an_entry_of_a_timeline_hashes_as_it_was_stored(self) -> None:
        content = {
            "case_id": "00000000-0000-0000-0000-000000000001",
            "sequence": 1,
            "entry": "opened",
            "actor_kind": "citizen",
            "actor_id": None,
            "at": AT,
            "stage": "registered",
            "details": {"text": "متن", "n": [1, None]},
        }
        assert hash_of(FIRST_HASH, content) == "f60d691b657b04b1cd837b4151b0810d7fa1fe49ea15d76d12ead5a4148c3390"

    def test_an_entry_of_the_audit_log_hashes_as_it_was_stored(self) -> None:
        entry = {
            "at": AT,
            "actor_kind": "staff",
            "actor_id": "a",
            "roles": ["head"],
            "command": "assign",
            "subjects": ["x"],
            "result": "done",
            "trace_id": None,
            "chained_at": AT + timedelta(microseconds=1500),
        }
        stored = "89c94ecb9de873f1292d30d87b8cc9d7c445c309c2b9fb27e3c8a781f721553f"
        assert audit.hash_of("a" * 64, 7, entry) == stored
        assert audit.hash_of("a" * 64, 7, dict(reversed(entry.items()))) == stored

    def test_a_time_hashes_the_same_in_every_zone(self) -> None:
        tehran = AT.astimezone(timezone(timedelta(hours=3, minutes=30)))
        assert hash_of(FIRST_HASH, {"at": tehran}) == hash_of(FIRST_HASH, {"at": AT})


class TestVerify:
    def test_a_chain_as_it_was_written_holds(self) -> None:
        links = hourly(4)
        assert verify(links) == hash_chain.Verification(4, links[-1].hash, None)
        assert verify([]) == hash_chain.Verification(0, FIRST_HASH, None)

    @pytest.mark.parametrize(
        ("change", "problem"),
        [
            ({"content": {"position": 2}}, "entry 2 is not what was written"),
            ({"hash": "a" * 64}, "entry 2 is not what was written"),
            ({"previous_hash": "a" * 64}, "entry 2 is not chained to the one before it"),
            ({"position": 7}, "entry 2 is missing"),
        ],
    )
    def test_a_changed_entry_is_named(self, change: dict[str, Any], problem: str) -> None:
        links = hourly(4)
        links[1] = replace(links[1], **change)
        assert verify(links).problem == problem
        assert verify(links).head == links[0].hash

    def test_a_removed_and_an_inserted_entry_are_named(self) -> None:
        links = hourly(4)
        assert verify(links[:1] + links[2:]).problem == "entry 2 is missing"
        inserted = link(2, links[0].hash, by="somebody else")
        assert verify([links[0], inserted, *links[1:]]).problem == "entry 3 is missing"

    def test_a_changed_entry_with_a_new_hash_breaks_the_next(self) -> None:
        links = hourly(4)
        links[1] = link(2, links[0].hash, by="somebody else")
        assert verify(links).problem == "entry 3 is not chained to the one before it"

    def test_an_entry_is_backdated_when_beyond_clock_skew(self) -> None:
        assert verify(chain(AT, AT - timedelta(minutes=10))).problem is None
        problem = verify(chain(AT, AT - timedelta(minutes=11))).problem
        assert problem is not None
        assert problem.startswith("entry 2 is dated back")

    def test_many_small_backward_steps_add_up_to_one_large_step(self) -> None:
        times = [AT - timedelta(minutes=6 * step) for step in range(3)]
        assert (verify(chain(*times)).problem or "").startswith("entry 3 is dated back")

    def test_an_erased_entry_is_accepted_where_the_caller_vouches_for_it(self) -> None:
        links = hourly(3)
        links[1] = replace(links[1], content={"position": 2, "erased": True})
        assert verify(links).problem == "entry 2 is not what was written"
        assert verify(links, lambda link: link.position == 2).problem is None
