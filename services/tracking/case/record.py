"""What has happened to a case as rows and events: for each entry of the timeline one event, one sequence number; all of it is
one statement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection

from backbone.messaging import outbox
from backbone.storage import writes
from backbone.storage.writes import Write
from contracts.gateway import Actor
from contracts.tracking import CaseSnapshot, TrackedEvent
from contracts.vocabulary import ActorKind, Stage
from services.tracking.case import store
from services.tracking.case.lifecycle import Case, Change, Effect, StoredEntry, TimelineEntry
from services.tracking.case.public_view import CHANGES_VIEW, noticed
from services.tracking.case.store import Link
from services.tracking.case.timeline import link
from services.tracking.search.document import later_words


@dataclass(frozen=True)
class Recorded:
    """A change that is being written: the case after it, its timeline entries, who made it and when."""

    case: Case
    entries: Sequence[StoredEntry]
    actor: Actor
    at: datetime


ViewParts = dict[str, Any]
"""The parts of a case's view as JSON (views.py)."""


@dataclass(frozen=True)
class EffectWriter:
    """`write`: what an effect writes; all writes of a change are one statement. `show`: does to the parts of the view what the
    write does to the tables; None: the view is read again after it."""

    write: Callable[[Any, Recorded], Sequence[Write]]
    show: Callable[[ViewParts, Any, Recorded], None] | None = None


EffectWriters = Mapping[type[Effect], EffectWriter]
EntryReaction = Callable[[StoredEntry, Recorded], Sequence[Write]]
EntryReactions = Mapping[str, EntryReaction]
"""What a capability writes for each timeline entry of a kind."""
ClearedColumns = Callable[[Recorded], Sequence[str]]
"""Columns of the case that a capability keeps beside its life and that a change empties."""


@dataclass(frozen=True)
class Amendment:
    """What a capability adds to a change before it is written. `adds_nothing`: the parts of the view say that it is nothing."""

    amend: Callable[[Connection, Change, datetime], Change]
    adds_nothing: Callable[[ViewParts, Change], bool]


@dataclass(frozen=True)
class Recording:
    """What a change writes beside the case. `links`: the new lines of the timeline, (entry, previous hash, hash); `cleared`:
    columns of the case to empty; `writes`: what is neither the case nor its events."""

    recorded: Recorded
    links: Sequence[Link]
    cleared: tuple[str, ...]
    writes: Sequence[Write]
    events: Sequence[TrackedEvent]

    @property
    def case(self) -> Case:
        return self.recorded.case

    @property
    def words(self) -> str:
        """What the case is found by from now on, too."""
        return later_words(self.recorded.entries)

    def save(self, connection: Connection) -> None:
        """Writes the change of a locked case."""
        others = [*self.writes, *outbox.write(self.events)]
        saved = writes.execute(connection, store.saving(self.case, self.cleared, self.words), others)
        assert saved == 1, "a locked case is there"

    def save_unless_changed(self, connection: Connection, row_version: str, others: Iterable[Write]) -> bool:
        """Writes the change, and these, if nobody has written to the case's row since this version of it was read."""
        saving = store.saving(self.case, self.cleared, self.words, row_version)
        return writes.execute(connection, saving, [*self.writes, *outbox.write(self.events), *others]) == 1


class Recorder:
    """Writes what has happened to a case: the case, its timeline, the effects of the change, and the events.

    It knows no capability: each gives a writer for each of its effects, and what it does when others change a case."""

    def __init__(
        self,
        writers: EffectWriters,
        on_entry: Sequence[EntryReactions] = (),
        cleared: Sequence[ClearedColumns] = (),
        amendments: Sequence[Amendment] = (),
    ) -> None:
        self._writers, self._cleared, self._amendments = writers, cleared, amendments
        kinds = {kind for reactions in on_entry for kind in reactions}
        self._on_entry = {kind: [reactions[kind] for reactions in on_entry if kind in reactions] for kind in kinds}

    def record(self, connection: Connection, change: Change, actor: Actor, now: datetime) -> Case:
        """Writes the change of a locked case; the case as it is then."""
        for amendment in self._amendments:
            change = amendment.amend(connection, change, now)
        recording = self.prepare(change, actor, now, _read_before(connection, change))
        recording.save(connection)
        return recording.case

    def prepare(self, change: Change, actor: Actor, now: datetime, before: Sequence[Mapping[str, Any]]) -> Recording:
        """What this change writes, amended already. `before`: what the citizen may have noticed until then."""
        links, events = lines(change, actor, now, before)
        recorded = Recorded(written(change, links), [entry for entry, _, _ in links], actor, now)
        cleared = tuple(name for columns in self._cleared for name in columns(recorded))
        own = [
            *store.adding_lines(links),
            *(part for effect in change.effects for part in self._writers[type(effect)].write(effect, recorded)),
            *(
                part
                for entry in recorded.entries
                for react in self._on_entry.get(entry.entry, ())
                for part in react(entry, recorded)
            ),
        ]
        return Recording(recorded, links, cleared, own, events)

    def adds_nothing(self, parts: ViewParts, change: Change) -> bool:
        """Whether no capability adds to this change of a case whose view has these parts."""
        return all(amendment.adds_nothing(parts, change) for amendment in self._amendments)

    def shows(self, change: Change) -> bool:
        """Whether `show` tells all that this change does to a view."""
        return all(self._writers[type(effect)].show is not None for effect in change.effects)

    def show(self, parts: ViewParts, change: Change, recording: Recording) -> None:
        """Does to the parts of a view what the change does to the tables, but for the case itself."""
        parts["entries"] = [*(parts["entries"] or []), *map(shown_line, recording.links)]
        for effect in change.effects:
            show = self._writers[type(effect)].show
            assert show is not None
            show(parts, effect, recording.recorded)


def lines(
    change: Change, actor: Actor, now: datetime, before: Sequence[Mapping[str, Any]]
) -> tuple[list[Link], list[TrackedEvent]]:
    """What a change adds to the timeline, (entry, previous hash, hash), and the event of each line. `before`: what the
    citizen may have noticed until then."""
    entries: list[Link] = []
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
        events.append(event_of(entry, version, now, count if count > before_it else None, actor))
    return entries, events


def written(change: Change, entries: Sequence[Link]) -> Case:
    """The case of a change, at the end of its timeline."""
    if not entries:
        return change.case
    last, _, head = entries[-1]
    return replace(change.case, version=last.sequence, history_hash=head, changed_at=last.at)


def shown_line(line: Link) -> dict[str, Any]:
    """A line of the timeline among the parts of a view."""
    entry, _, own = line
    return {name: value for name, value in vars(entry).items() if name != "case_id"} | {"hash": own}


def _read_before(connection: Connection, change: Change) -> list[dict[str, Any]]:
    """What the citizen may have noticed before this change; asked for only where the change may add to it."""
    if not any(entry.entry in CHANGES_VIEW for entry in change.entries):
        return []
    return store.stages_of_entries(connection, change.case.case_id, CHANGES_VIEW)


def event_of(
    entry: TimelineEntry, sequence: int, now: datetime, public_version: int | None, actor: Actor
) -> TrackedEvent:
    """The event of an entry. `public_version`: None when the citizen does not notice it."""
    return entry.event(
        id=uuid4(),
        occurred_at=now,
        case_id=entry.case.case_id,
        sequence=sequence,
        state=snapshot(entry.case, entry.previous_stage),
        noticed=public_version is not None,
        public_version=public_version,
        by_kind=actor.kind,
        by_staff=UUID(actor.id) if actor.kind is ActorKind.STAFF else None,
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
        co_handlers=list(case.co_handlers),
        consulted=list(case.consulted),
        citizen_id=case.citizen_id,
        code_hash=case.code_hash,
        score=case.score,
        object_until=case.objection_until if case.unanswered or _may_be_objected_to(case) else None,
        rate_until=case.rate_until if case.stage is Stage.CLOSED else None,
    )


def _may_be_objected_to(case: Case) -> bool:
    return case.stage is Stage.DECIDED and not case.final
