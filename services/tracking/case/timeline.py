"""The timeline's chain: each entry's hash covers the one before it, so that no entry can be changed, left out or put in
unseen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

FIRST = "0" * 64
"""What the first entry of every case is chained to."""

BACK_DATED = timedelta(minutes=10)
"""How far the clocks of our machines may be apart: an entry older than the one before it by more is dated back."""


@dataclass(frozen=True)
class StoredEntry:
    """One line of a case's timeline, as it is stored. `stage`: the case's stage after it."""

    case_id: UUID
    sequence: int
    entry: str
    actor_kind: str
    actor_id: str | None
    at: datetime
    stage: str
    details: Mapping[str, Any]


def link(previous: str, entry: StoredEntry) -> str:
    """SHA-256 over the previous hash and the entry's canonical JSON (sorted keys, no spaces, UTF-8), hex."""
    content = {
        "case_id": str(entry.case_id),
        "sequence": entry.sequence,
        "entry": entry.entry,
        "actor_kind": entry.actor_kind,
        "actor_id": entry.actor_id,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "stage": entry.stage,
        "details": entry.details,
    }
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(previous.encode() + canonical.encode()).hexdigest()


def remains(own: str, entry: StoredEntry) -> str:
    """What vouches for the rest of a line of which something was erased; `own`: its hash, as it was written."""
    return link(own, entry)


def first_break(entries: Iterable[tuple[StoredEntry, str, str]], version: int, head: str) -> str | None:
    """What is wrong with one case's chain, at its first wrong link; None when it holds.

    `entries`: (entry, its stored previous hash, its stored hash) by sequence; `version` and `head`: the last sequence
    and hash as the case itself knows them, so that a cut-off end is seen too. A line of which something was erased when its
    time was over cannot be hashed again: a later line `erased`, itself of the chain, vouches for its hash and for its rest.
    """
    expected, sequence = FIRST, 0
    chain = list(entries)
    newest = chain[0][0].at if chain else None
    vouched: dict[str, list[str]] = {}
    for entry, _, _ in chain:
        vouched |= entry.details.get("lines", {}) if entry.entry == "erased" else {}
    for entry, previous, stored in chain:
        sequence += 1
        if entry.sequence != sequence:
            return f"entry {sequence} is missing"
        if previous != expected:
            return f"entry {sequence} is not chained to the one before it"
        if link(previous, entry) != stored and vouched.get(str(sequence)) != [stored, remains(stored, entry)]:
            return f"entry {sequence} is not what was written"
        if newest is not None and newest - entry.at > BACK_DATED:
            return f"entry {sequence} is dated back"
        expected, newest = stored, entry.at
    if sequence != version or expected != head:
        return f"it ends at entry {sequence}, not where the case says ({version})"
    return None
