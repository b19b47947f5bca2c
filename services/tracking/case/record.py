"""What has happened to a case as rows and events: for each entry of the timeline one event, one sequence number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection

from backbone.messaging import outbox
from contracts.gateway import Actor
from contracts.tracking import CaseSnapshot, TrackedEvent
from contracts.vocabulary import OPEN_STAGES, ActorKind, Stage
from services.tracking.case import store
from services.tracking.case.lifecycle import Case, Change, Question, TimelineEntry
from services.tracking.case.public_view import CHANGES_VIEW, noticed
from services.tracking.case.timeline import StoredEntry, link
from services.tracking.decisions import store as decisions_store
from services.tracking.evidence import store as evidence_store
from services.tracking.inquiry import store as inquiry_store
from services.tracking.letters import store as letters_store
from services.tracking.merging import store as merging_store
from services.tracking.retention import store as retention_store
from services.tracking.retention.rules import tells_texts
from services.tracking.visits.commands import with_end_of_visit


class Recorder:
    """Writes what has happened to a case."""

    def record(
        self, connection: Connection, change: Change, actor: Actor, now: datetime, question: Question | None = None
    ) -> Case:
        """Writes a change: the case, its timeline, its question and media, and the events.

        `question`: the one that was open before.
        """
        change = with_end_of_visit(connection, change, now)
        entries, events = lines(change, actor, now, _read_before(connection, change))
        for (entry, _, _), step in zip(entries, change.entries, strict=True):
            if step.entry in merging_store.ENDING_ENTRIES:
                end, final = step.details.get("outcome", step.entry), step.details.get("final", False)
                merging_store.note_end(connection, entry.case_id, entry.sequence, end, final)
        after = written(change, entries)
        store.save(connection, after, entries)
        for entry, _, _ in entries:
            if entry.entry in letters_store.LETTER_ENTRIES:
                letters_store.register(connection, entry.case_id, entry.sequence, now, "proposed_by" in entry.details)
        if change.case.stage not in OPEN_STAGES and any(tells_texts(entry) for entry, _, _ in entries):
            retention_store.look_again(connection, after.case_id)  # its texts may have gone already
        if change.lapsed and question is not None:
            inquiry_store.lapse_question(connection, question.question_id, now)
        if change.answered is not None and question is not None:
            inquiry_store.answer_question(connection, question.question_id, change.answered, now)
        if change.asked is not None:
            inquiry_store.add_question(connection, after.case_id, change.asked)
        if change.reminder is not None:
            inquiry_store.add(connection, after.case_id, change.reminder)
        if change.recommended:
            made = change.entries[-1].entry == "decided" if change.entries else False
            decisions_store.keep(connection, after.case_id, change.recommended, now, made)
        elif (
            change.case.final and change.entries and change.entries[-1].entry == "decided"
        ):  # there was an earlier decision
            decisions_store.supersede(connection, after.case_id, now)
        from_office = actor.kind is ActorKind.STAFF
        of_question = question.question_id if change.answered is not None and question is not None else None
        evidence_store.add_attachments(
            connection, media_rows(after.case_id, change.uploads, after.version, from_office, of_question)
        )
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
    for step in change.entries:
        version += 1
        about = (step.case.case_id, version, step.entry, actor.kind, actor.id, now, step.case.stage)
        entry = StoredEntry(*about, dict(step.details))
        previous, head = head, link(head, entry)
        entries.append((entry, previous, head))
        seen.append({"entry": step.entry, "stage": step.case.stage})
        before_it, count = count, len(noticed(seen))
        events.append(event_of(step, version, now, count if count > before_it else None))
    return entries, events


def written(change: Change, entries: Sequence[tuple[StoredEntry, str, str]]) -> Case:
    """The case of a change, at the end of its timeline."""
    if not entries:
        return change.case
    last, _, head = entries[-1]
    return replace(change.case, version=last.sequence, history_hash=head)


def media_rows(
    case_id: UUID,
    uploads: Sequence[str],
    version: int,
    from_office: bool = False,
    question_id: UUID | None = None,
) -> list[dict[str, Any]]:
    """Media as attachments of a case, in the order given, after those of earlier versions."""
    return [
        {
            "case_id": case_id,
            "media_id": media_id,
            "position": version * 100 + place,
            "from_office": from_office,
            "question_id": question_id,
            "refusal_told": False,
        }
        for place, media_id in enumerate(uploads)
    ]


def _read_before(connection: Connection, change: Change) -> list[dict[str, Any]]:
    """What the citizen may have noticed before this change; asked for only where the change may add to it."""
    if not any(step.entry in CHANGES_VIEW for step in change.entries):
        return []
    return store.stages_of_entries(connection, change.case.case_id, CHANGES_VIEW)


def event_of(step: TimelineEntry, sequence: int, now: datetime, public_version: int | None) -> TrackedEvent:
    """What others are told of a step. `public_version`: None when the citizen does not notice it."""
    return step.event(
        id=uuid4(),
        occurred_at=now,
        case_id=step.case.case_id,
        sequence=sequence,
        state=snapshot(step.case, step.previous_stage),
        noticed=public_version is not None,
        public_version=public_version,
        **step.fields,
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
