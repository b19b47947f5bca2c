"""What has happened to a case as rows and events: for each entry of the timeline one event, one sequence number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from backbone.messaging import outbox
from contracts.gateway import Actor
from contracts.tracking import CaseSnapshot, TrackedEvent
from contracts.vocabulary import Stage
from services.tracking.case import store
from services.tracking.case.lifecycle import Case, Change, Effect, StoredEntry, TimelineEntry
from services.tracking.case.public_view import CHANGES_VIEW, noticed
from services.tracking.case.timeline import link


@dataclass(frozen=True)
class Recorded:
    """A change that is being written: the case after it, its timeline entries, who made it and when."""

    case: Case
    entries: Sequence[StoredEntry]
    actor: Actor
    at: datetime


EffectWriter = Callable[[Connection, Any, Recorded], None]
EffectWriters = Mapping[type[Effect], EffectWriter]
EntryReaction = Callable[[Connection, StoredEntry, Recorded], None]
EntryReactions = Mapping[str, EntryReaction]
"""What a capability does for each timeline entry of a kind."""
ChangeReaction = Callable[[Connection, Recorded], None]
Amendment = Callable[[Connection, Change, datetime], Change]
"""What a capability adds to a change before it is written."""


class Recorder:
    """Writes what has happened to a case: the case, its timeline, the effects of the change, and the events.

    It knows no capability: each gives a writer for each of its effects, and what it does when others change a case."""

    def __init__(
        self,
        writers: EffectWriters,
        on_entry: Sequence[EntryReactions] = (),
        on_change: Sequence[ChangeReaction] = (),
        amendments: Sequence[Amendment] = (),
    ) -> None:
        self._writers, self._on_change, self._amendments = writers, on_change, amendments
        kinds = {kind for reactions in on_entry for kind in reactions}
        self._on_entry = {kind: [reactions[kind] for reactions in on_entry if kind in reactions] for kind in kinds}

    def record(self, connection: Connection, change: Change, actor: Actor, now: datetime) -> Case:
        """Writes the change of a locked case; the case as it is then."""
        for amend in self._amendments:
            change = amend(connection, change, now)
        entries, events = lines(change, actor, now, _read_before(connection, change))
        after = written(change, entries)
        store.save(connection, after, entries)
        recorded = Recorded(after, [entry for entry, _, _ in entries], actor, now)
        for effect in change.effects:
            self._writers[type(effect)](connection, effect, recorded)
        for entry in recorded.entries:
            for react in self._on_entry.get(entry.entry, ()):
                react(connection, entry, recorded)
        for respond in self._on_change:
            respond(connection, recorded)
        outbox.add(connection, *events)
        return after


def lines(
    change: Change, actor: Actor, now: datetime, before: Sequence[Mapping[str, Any]]
) -> tuple[list[tuple[StoredEntry, str, str]], list[TrackedEvent]]:
    """What a change adds to the timeline, (entry, previous hash, hash), and the event of each line. `before`: what the
    citizen may have noticed until then."""
    entries: list[tuple[StoredEntry, str, str]] = []
    events: list[TrackedEvent] = []
    version, head = change.case.version, change.case.history_hash
    seen, count = list(before), len(noticed(before))
    for entry in change.entries:
        version += 1
        about = (entry.case.case_id, version, entry.entry, actor.kind, actor.id, now, entry.case.stage)
        stored = StoredEntry(*about, dict(entry.details))
        previous, head = head, link(head, stored)
        entries.append((stored, previous, head))
        seen.append({"entry": entry.entry, "stage": entry.case.stage})
        before_it, count = count, len(noticed(seen))
        events.append(event_of(entry, version, now, count if count > before_it else None))
    return entries, events


def written(change: Change, entries: Sequence[tuple[StoredEntry, str, str]]) -> Case:
    """The case of a change, at the end of its timeline."""
    if not entries:
        return change.case
    last, _, head = entries[-1]
    return replace(change.case, version=last.sequence, history_hash=head)


def _read_before(connection: Connection, change: Change) -> list[dict[str, Any]]:
    """What the citizen may have noticed before this change; asked for only where the change may add to it."""
    if not any(entry.entry in CHANGES_VIEW for entry in change.entries):
        return []
    return store.stages_of_entries(connection, change.case.case_id, CHANGES_VIEW)


def event_of(entry: TimelineEntry, sequence: int, now: datetime, public_version: int | None) -> TrackedEvent:
    """The event of an entry. `public_version`: None when the citizen does not notice it."""
    return entry.event(
        id=uuid4(),
        occurred_at=now,
        case_id=entry.case.case_id,
        sequence=sequence,
        state=snapshot(entry.case, entry.previous_stage),
        noticed=public_version is not None,
        public_version=public_version,
        **entry.fields,
    )


def snapshot(case: Case, previous: Stage | None) -> CaseSnapshot:
    """The case as others may know it: no texts, no persons."""
    return CaseSnapshot(
        number=case.number,
        kind=case.kind,
        unit=case.unit,
        ground=case.ground,
        stage=case.stage,
        previous_stage=previous,
        urgent=case.urgent,
        anonymous=case.anonymous,
        channel=case.channel,
        filed_at=case.filed_at,
        expected_on=case.expected_on,
        outcome=case.outcome,
        handler=case.handler,
        citizen_id=case.citizen_id,
        code_hash=case.code_hash,
        score=case.score,
    )
