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
from services.tracking.case.lifecycle import Case, Question, Step, Turn
from services.tracking.case.public_view import CHANGES_VIEW, noticed
from services.tracking.case.timeline import Entry, link
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
        self, connection: Connection, turn: Turn, actor: Actor, now: datetime, question: Question | None = None
    ) -> Case:
        """Writes a turn: the case, its timeline, its question and media, and the events.

        `question`: the one that was open before.
        """
        turn = with_end_of_visit(connection, turn, now)
        entries, events = lines(turn, actor, now, _read_before(connection, turn))
        for (entry, _, _), step in zip(entries, turn.steps, strict=True):
            if step.entry in merging_store.TOLD:
                end, final = step.details.get("outcome", step.entry), step.details.get("final", False)
                merging_store.note_end(connection, entry.case_id, entry.sequence, end, final)
        after = written(turn, entries)
        store.save(connection, after, entries)
        for entry, _, _ in entries:
            if entry.entry in letters_store.TOLD_BY_LETTER:
                letters_store.register(connection, entry.case_id, entry.sequence, now, "proposed_by" in entry.details)
        if turn.case.stage not in OPEN_STAGES and any(tells_texts(entry) for entry, _, _ in entries):
            retention_store.look_again(connection, after.case_id)  # its texts may have gone already
        if turn.lapsed and question is not None:
            inquiry_store.lapse_question(connection, question.question_id, now)
        if turn.answered is not None and question is not None:
            inquiry_store.answer_question(connection, question.question_id, turn.answered, now)
        if turn.asked is not None:
            inquiry_store.add_question(connection, after.case_id, turn.asked)
        if turn.reminder is not None:
            inquiry_store.add(connection, after.case_id, turn.reminder)
        if turn.recommended:
            made = turn.steps[-1].entry == "decided" if turn.steps else False
            decisions_store.keep(connection, after.case_id, turn.recommended, now, made)
        elif turn.case.final and turn.steps and turn.steps[-1].entry == "decided":  # there was an earlier decision
            decisions_store.supersede(connection, after.case_id, now)
        from_office = actor.kind is ActorKind.STAFF
        of_question = question.question_id if turn.answered is not None and question is not None else None
        evidence_store.add_attachments(
            connection, media_rows(after.case_id, turn.uploads, after.version, from_office, of_question)
        )
        outbox.add(connection, *events)
        return after


def lines(
    turn: Turn, actor: Actor, now: datetime, before: Sequence[Mapping[str, Any]]
) -> tuple[list[tuple[Entry, str, str]], list[TrackedEvent]]:
    """What a turn adds to the timeline, (entry, previous hash, hash), and the event of each line. `before`: what the citizen may
    have noticed until then."""
    entries: list[tuple[Entry, str, str]] = []
    events: list[TrackedEvent] = []
    version, head = turn.case.version, turn.case.history_hash
    seen, count = list(before), len(noticed(before))
    for step in turn.steps:
        version += 1
        about = (step.case.case_id, version, step.entry, actor.kind, actor.id, now, step.case.stage)
        entry = Entry(*about, dict(step.details))
        previous, head = head, link(head, entry)
        entries.append((entry, previous, head))
        seen.append({"entry": step.entry, "stage": step.case.stage})
        before_it, count = count, len(noticed(seen))
        events.append(event_of(step, version, now, count if count > before_it else None))
    return entries, events


def written(turn: Turn, entries: Sequence[tuple[Entry, str, str]]) -> Case:
    """The case of a turn, at the end of its timeline."""
    if not entries:
        return turn.case
    last, _, head = entries[-1]
    return replace(turn.case, version=last.sequence, history_hash=head)


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


def _read_before(connection: Connection, turn: Turn) -> list[dict[str, Any]]:
    """What the citizen may have noticed before this turn; asked for only where the turn may add to it."""
    if not any(step.entry in CHANGES_VIEW for step in turn.steps):
        return []
    return store.stages_of_entries(connection, turn.case.case_id, CHANGES_VIEW)


def event_of(step: Step, sequence: int, now: datetime, public_version: int | None) -> TrackedEvent:
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
