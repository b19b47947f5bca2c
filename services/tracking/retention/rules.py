"""How long what of an ended case is kept (the administrator's rules), and what is left of a line of the timeline. Pure."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from contracts.vocabulary import ActorKind, KeptPart
from services.tracking.case.lifecycle import StoredEntry

WRITTEN = frozenset({"text", "reasons", "address", "recommendations", "former_text", "former_place"})
"""Fields of the timeline's details that hold what somebody wrote; all others are codes, days, counts and ids."""


@dataclass(frozen=True)
class Rule:
    """Of cases of `kind` with `outcome` (None: any but those of `besides`) `part` is kept `months` months after the end.
    `filed_from`, `filed_before`: of cases filed in between alone."""

    part: KeptPart
    kind: str
    outcome: str | None
    months: int
    besides: frozenset[str] = frozenset()
    filed_from: datetime | None = None
    filed_before: datetime | None = None

    def ended_before(self, now: datetime) -> datetime:
        """What ended before this moment has been kept long enough; counted in months of the Gregorian calendar."""
        month = now.year * 12 + now.month - 1 - self.months
        year, month = divmod(month, 12)
        return now.replace(year=year, month=month + 1, day=min(now.day, monthrange(year, month + 1)[1]))


def rules_of(rows: Sequence[Mapping[str, Any]]) -> Iterator[Rule]:
    """The catalogue's rules, a part at a time. A part without its months is kept for good."""
    for row in rows:
        kind, outcome = row["kind"], row.get("outcome")
        besides = frozenset(other["outcome"] for other in rows if other["kind"] == kind and other.get("outcome"))
        for part, name in (
            (KeptPart.IDENTITY, "identity_months"),
            (KeptPart.EVIDENCE, "evidence_months"),
            (KeptPart.TEXTS, "text_months"),
        ):
            if (months := row.get(name)) is not None:
                yield Rule(part, kind, outcome, months, frozenset() if outcome else besides)


def rules_by_filing(rows: Sequence[Mapping[str, Any]], earlier: Sequence[Mapping[str, Any]]) -> Iterator[Rule]:
    """The rules of today, and those by which cases filed before a change go on. `earlier`: `before` and `retention` of each, the
    oldest first."""
    since: datetime | None = None
    for row in earlier:
        before = datetime.fromisoformat(row["before"])
        yield from (replace(rule, filed_from=since, filed_before=before) for rule in rules_of(row["retention"]))
        since = before
    yield from (replace(rule, filed_from=since) for rule in rules_of(rows))


def has_texts(entry: StoredEntry) -> bool:
    """Whether there is something in the line that somebody wrote."""
    return entry.entry != "erased" and bool(WRITTEN & set(entry.details))


def left_of(entry: StoredEntry, part: KeptPart) -> StoredEntry:
    """The line without what belongs to the part: itself when there is nothing of it."""
    if part is KeptPart.IDENTITY and entry.actor_kind == ActorKind.CITIZEN and entry.actor_id is not None:
        return replace(entry, actor_id=None)
    if part is KeptPart.TEXTS and has_texts(entry):
        return replace(entry, details={name: value for name, value in entry.details.items() if name not in WRITTEN})
    return entry


def erased(entries: Iterable[StoredEntry], part: KeptPart) -> list[StoredEntry]:
    """The lines of which something goes, as they are then."""
    return [after for entry in entries if (after := left_of(entry, part)) is not entry]
