"""How long what of an ended case is kept, and a chain of which something was erased: it holds, and still sees a forger."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbone.storage.hash_chain import FIRST_HASH
from contracts.vocabulary import KeptPart
from services.tracking.case.lifecycle import StoredEntry
from services.tracking.case.timeline import first_break, link, remains
from services.tracking.retention.rules import WRITTEN, Rule, erased, rules_of

CASE = UUID(int=1)
AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
Line = tuple[StoredEntry, str, str]

details = st.dictionaries(
    st.sampled_from([*sorted(WRITTEN), "outcome", "unit", "score", "question_id"]), st.text(max_size=10), max_size=5
)
entries = st.lists(
    st.builds(
        StoredEntry,
        st.just(CASE),
        st.just(0),
        st.sampled_from(["opened", "citizen_answered", "decided", "note_added"]),
        st.sampled_from(["citizen", "bearer", "staff"]),
        st.one_of(st.none(), st.just("somebody")),
        st.just(AT),
        st.just("closed"),
        details,
    ),
    min_size=1,
    max_size=12,
)


def append(chain: list[Line], entry: StoredEntry) -> None:
    head = chain[-1][2] if chain else FIRST_HASH
    entry = replace(entry, sequence=len(chain) + 1)
    chain.append((entry, head, link(head, entry)))


def chained(those: list[StoredEntry]) -> list[Line]:
    chain: list[Line] = []
    for entry in those:
        append(chain, entry)
    return chain


def erase(chain: list[Line], part: KeptPart) -> None:
    """As the purge does it."""
    left = {entry.sequence: entry for entry in erased((entry for entry, _, _ in chain), part)}
    lines = {str(at): [chain[at - 1][2], remains(chain[at - 1][2], entry)] for at, entry in left.items()}
    for at, entry in left.items():
        chain[at - 1] = (entry, *chain[at - 1][1:])
    details: dict[str, Any] = {"what": part, "lines": lines}
    append(chain, StoredEntry(CASE, 0, "erased", "system", "scheduler", AT, "closed", details))


def broken(chain: list[Line]) -> str | None:
    return first_break(chain, len(chain), chain[-1][2])


@settings(deadline=None)
@given(entries, st.permutations(list(KeptPart)))
def test_after_erasure_in_any_order_the_chain_holds_and_no_text_is_left(
    those: list[StoredEntry], parts: list[KeptPart]
) -> None:
    chain = chained(those)
    for part in parts:
        erase(chain, part)
        assert broken(chain) is None
    remaining = [entry for entry, _, _ in chain if entry.entry != "erased"]
    assert not [entry for entry in remaining if WRITTEN & set(entry.details)]
    assert not [entry for entry in remaining if entry.actor_kind == "citizen" and entry.actor_id is not None]
    assert [entry.entry for entry in remaining] == [entry.entry for entry in those]
    for entry, before in zip(remaining, those, strict=True):
        assert entry.details == {name: value for name, value in before.details.items() if name not in WRITTEN}


@settings(deadline=None)
@given(entries, st.sampled_from([KeptPart.IDENTITY, KeptPart.TEXTS]))
def test_erasing_twice_erases_once(those: list[StoredEntry], part: KeptPart) -> None:
    chain = chained(those)
    erase(chain, part)
    assert erased((entry for entry, _, _ in chain), part) == []


def example() -> list[Line]:
    chain = chained(
        [
            StoredEntry(CASE, 0, "decided", "staff", "x", AT, "decided", {"text": "دلیل", "outcome": "upheld"}),
            StoredEntry(CASE, 0, "closed", "system", "scheduler", AT, "closed", {}),
        ]
    )
    erase(chain, KeptPart.TEXTS)
    assert broken(chain) is None
    return chain


def test_the_remains_of_an_entry_cannot_be_changed() -> None:
    chain = example()
    entry, previous, own = chain[0]
    chain[0] = (replace(entry, details={"outcome": "not_upheld"}), previous, own)
    assert broken(chain) == "entry 1 is not what was written"


def test_an_erased_entry_without_proof_breaks_the_chain() -> None:
    chain = example()
    entry, previous, own = chain[1]
    chain[1] = (replace(entry, actor_id=None), previous, own)
    assert broken(chain) == "entry 2 is not what was written"


def test_the_proof_of_an_erasure_is_in_the_chain_itself() -> None:
    chain = example()
    entry, previous, own = chain[2]
    forged = replace(entry, details={"what": "texts", "lines": {}})
    chain[2] = (forged, previous, own)
    assert broken(chain) == "entry 1 is not what was written"
    chain = example()
    chain[2] = (replace(entry, at=AT + timedelta(days=1)), previous, own)
    assert broken(chain) == "entry 3 is not what was written"


def rule(months: int) -> Rule:
    return Rule(KeptPart.TEXTS, "complaint", None, months)


@pytest.mark.parametrize(
    ("today", "months", "day"),
    [
        (date(2026, 11, 24), 1, date(2026, 10, 24)),
        (date(2026, 3, 31), 1, date(2026, 2, 28)),
        (date(2024, 3, 31), 1, date(2024, 2, 29)),
        (date(2026, 1, 15), 12, date(2025, 1, 15)),
        (date(2026, 1, 15), 13, date(2024, 12, 15)),
    ],
)
def test_months_are_counted_back_to_the_same_day_or_the_last(today: date, months: int, day: date) -> None:
    now = datetime(today.year, today.month, today.day, 12, tzinfo=UTC)
    assert rule(months).ended_before(now).date() == day


@settings(deadline=None)
@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)), st.integers(1, 240))
def test_what_may_be_erased_today_may_be_erased_tomorrow(moment: datetime, months: int) -> None:
    now = moment.replace(tzinfo=UTC)
    assert rule(months).ended_before(now) < now
    assert rule(months).ended_before(now + timedelta(days=1)) >= rule(months).ended_before(now)
    assert rule(months + 1).ended_before(now) < rule(months).ended_before(now)


def test_each_outcome_has_one_rule_for_a_part() -> None:
    general = {"kind": "complaint", "outcome": None, "identity_months": 24, "evidence_months": 36, "text_months": None}
    rows = [general, {**general, "outcome": "upheld", "identity_months": 60, "text_months": 120}]
    months_by_part = {(kept.part, kept.outcome): (kept.months, kept.besides) for kept in rules_of(rows)}
    assert months_by_part == {
        (KeptPart.IDENTITY, None): (24, frozenset({"upheld"})),
        (KeptPart.EVIDENCE, None): (36, frozenset({"upheld"})),
        (KeptPart.IDENTITY, "upheld"): (60, frozenset()),
        (KeptPart.EVIDENCE, "upheld"): (36, frozenset()),
        (KeptPart.TEXTS, "upheld"): (120, frozenset()),
    }
    older = [{"kind": "criticism", "identity_months": 1, "evidence_months": 1}]  # of the release before
    assert {kept.part for kept in rules_of(older)} == {KeptPart.IDENTITY, KeptPart.EVIDENCE}
