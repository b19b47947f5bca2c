"""A chain of hashes: the hash of each entry covers the entry and the hash before it, so that no entry can be changed, removed
or inserted unnoticed. Pure: what an entry contains and where it is stored is up to the caller."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

FIRST_HASH = "0" * 64
"""What the first entry of every chain follows."""

CLOCK_TOLERANCE = timedelta(minutes=10)
"""How far the clocks of two machines may differ: an entry older than one before it by more is dated back."""


@dataclass(frozen=True)
class Link:
    """One stored entry. `position`: 1 for the first; `content`: what its hash covers besides the hash before it."""

    position: int
    at: datetime
    content: Mapping[str, Any]
    previous_hash: str
    hash: str


@dataclass(frozen=True)
class Verification:
    """What walking a chain has shown. `entries`: how many were there up to its end or its first broken link; `head`: the hash
    of the last of them; `problem`: what is wrong with the broken link, None when the chain holds."""

    entries: int
    head: str
    problem: str | None


def hash_of(previous_hash: str, content: Mapping[str, Any]) -> str:
    """SHA-256 over the previous hash and the content's canonical JSON (sorted keys, no spaces, UTF-8), hex.

    Times at the top level are written in UTC with microseconds.
    """
    canonical = json.dumps(
        {name: utc_text(value) for name, value in content.items()},
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return hashlib.sha256(previous_hash.encode() + canonical.encode()).hexdigest()


def utc_text(value: Any) -> Any:
    """A time as the canonical JSON has it; anything else as it is."""
    return value.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(value, datetime) else value


def verify(links: Iterable[Link], is_accepted: Callable[[Link], bool] = lambda link: False) -> Verification:
    """Walks a chain in the order of its positions up to its first broken link.

    `is_accepted`: whether an entry is as it should be although its hash is another: something of it was erased by rule.
    """
    expected, entries, newest = FIRST_HASH, 0, None
    for link in links:
        if link.position != entries + 1:
            return Verification(entries, expected, f"entry {entries + 1} is missing")
        entries += 1
        problem = None
        if link.previous_hash != expected:
            problem = f"entry {entries} is not chained to the one before it"
        elif hash_of(expected, link.content) != link.hash and not is_accepted(link):
            problem = f"entry {entries} is not what was written"
        elif newest is not None and newest - link.at > CLOCK_TOLERANCE:
            problem = (
                f"entry {entries} is dated back: it says {utc_text(link.at)}, after one that says {utc_text(newest)}"
            )
        if problem is not None:
            return Verification(entries, expected, problem)
        newest = link.at if newest is None else max(newest, link.at)
        expected = link.hash
    return Verification(entries, expected, None)
