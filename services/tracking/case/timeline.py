"""The timeline's hash chain: each entry's hash covers the one before it, so that no entry can be changed, left out or inserted
unseen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from backbone.storage import hash_chain
from backbone.storage.hash_chain import Link
from services.tracking.case.lifecycle import StoredEntry


def link(previous: str, entry: StoredEntry) -> str:
    """The hash of an entry that follows the one of this hash."""
    return hash_chain.hash_of(previous, _content(entry))


def remains(own: str, entry: StoredEntry) -> str:
    """What vouches for the rest of an entry of which something was erased; `own`: its hash, as it was written."""
    return link(own, entry)


def first_break(entries: Iterable[tuple[StoredEntry, str, str]], version: int, head: str) -> str | None:
    """What is wrong with one case's chain, at its first broken link; None when it holds.

    `entries`: (entry, its stored previous hash, its stored hash) by sequence; `version` and `head`: the last sequence
    and hash as the case itself has them, so that a cut-off end is seen too. An entry of which something was erased when its
    time was over cannot be hashed again: a later entry `erased`, itself of the chain, vouches for its hash and for its rest.
    """
    chain = list(entries)
    vouched: dict[str, list[str]] = {}
    for entry, _, _ in chain:
        vouched |= entry.details.get("lines", {}) if entry.entry == "erased" else {}
    stored = {entry.sequence: entry for entry, _, _ in chain}

    def was_erased(broken: Link) -> bool:
        rest = remains(broken.hash, stored[broken.position])
        return vouched.get(str(broken.position)) == [broken.hash, rest]

    links = (Link(entry.sequence, entry.at, _content(entry), previous, own) for entry, previous, own in chain)
    verification = hash_chain.verify(links, is_accepted=was_erased)
    if verification.problem is not None:
        return verification.problem
    if verification.entries != version or verification.head != head:
        return f"it ends at entry {verification.entries}, not where the case says ({version})"
    return None


def _content(entry: StoredEntry) -> dict[str, Any]:
    return {**vars(entry), "case_id": str(entry.case_id)}
