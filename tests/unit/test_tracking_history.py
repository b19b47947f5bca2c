"""The chain of a timeline: whatever is changed, left out or put in is seen. And the tree that conflicts are found by."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from backbone.storage.hash_chain import FIRST_HASH
from contracts.units import UnitTree
from services.tracking.case.lifecycle import StoredEntry
from services.tracking.case.timeline import first_break, link

CASE = UUID(int=1)
AT = datetime(2026, 11, 24, 9, 30, 0, 1, tzinfo=UTC)


def chain(length: int) -> list[tuple[StoredEntry, str, str]]:
    lines, head = [], FIRST_HASH
    for sequence in range(1, length + 1):
        entry = StoredEntry(
            CASE, sequence, "noted", "staff", "someone", AT, "screening", {"text": "یادداشت", "n": sequence}
        )
        previous, head = head, link(head, entry)
        lines.append((entry, previous, head))
    return lines


def test_an_unchanged_chain_holds() -> None:
    lines = chain(5)
    assert first_break(lines, 5, lines[-1][2]) is None


def test_the_hash_does_not_depend_on_the_representation_of_the_entry() -> None:
    entry = chain(1)[0][0]
    stored = json.loads(json.dumps(dict(reversed(list(entry.details.items())))))
    tehran = entry.at.astimezone(timezone(timedelta(hours=3.5)))
    assert link(FIRST_HASH, replace(entry, details=stored, at=tehran)) == link(FIRST_HASH, entry)


@pytest.mark.parametrize(
    "change",
    [
        {"details": {"text": "چیز دیگر"}},
        {"actor_id": "another"},
        {"at": AT + timedelta(microseconds=1)},
        {"stage": "decided"},
        {"entry": "decided"},
        {"case_id": UUID(int=2)},
    ],
)
def test_a_changed_entry_is_named(change: dict[str, object]) -> None:
    lines = chain(4)
    entry, previous, own = lines[1]
    lines[1] = (replace(entry, **change), previous, own)  # type: ignore[arg-type]  # any field
    assert first_break(lines, 4, lines[-1][2]) == "entry 2 is not what was written"


def test_a_changed_entry_with_a_new_hash_breaks_the_next() -> None:
    lines = chain(4)
    forged = replace(lines[1][0], details={"text": "جعلی"})
    lines[1] = (forged, lines[1][1], link(lines[1][1], forged))
    assert first_break(lines, 4, lines[-1][2]) == "entry 3 is not chained to the one before it"


def test_a_missing_entry_is_detected_at_any_position() -> None:
    lines = chain(4)
    assert first_break(lines[:1] + lines[2:], 4, lines[-1][2]) == "entry 2 is missing"
    assert first_break(lines[:3], 4, lines[-1][2]) == "it ends at entry 3, not where the case says (4)"
    assert first_break([], 4, lines[-1][2]) == "it ends at entry 0, not where the case says (4)"


def test_a_fully_forged_chain_does_not_match_the_head_in_the_case() -> None:
    lines, forged = chain(2), replace(chain(1)[0][0], details={})
    own = link(FIRST_HASH, forged)
    second = link(own, lines[1][0])
    assert first_break([(forged, FIRST_HASH, own), (lines[1][0], own, second)], 2, lines[-1][2]) is not None


def test_units_above_and_below_in_the_tree() -> None:
    tree = UnitTree({"root": None, "a": "root", "a.1": "a", "a.1.x": "a.1", "b": "root"})
    assert tree.above("a.1") == {"a.1", "a", "root"}
    assert tree.below("a") == {"a", "a.1", "a.1.x"}
    assert tree.above("unknown") == tree.below("unknown") == {"unknown"}


def test_a_cycle_in_the_tree_terminates() -> None:
    tree = UnitTree({"a": "b", "b": "a"})
    assert tree.above("a") == tree.below("a") == {"a", "b"}
