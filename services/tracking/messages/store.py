"""Queries on what the citizen wrote and sent, a line of comment each; and whether somebody of the staff may have read it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, exists, or_, select, update

from backbone.storage import audit, writes
from backbone.storage.writes import Write
from contracts.tracking import CorrectFiled, CorrectMessage, SendMessage, WithdrawEvidence, WithdrawMessage
from contracts.vocabulary import ActorKind
from services.tracking.case.facts import FactsLoader, FactsLoaders, FactsQuery
from services.tracking.case.record import EffectWriter, EffectWriters, Recorded
from services.tracking.evidence import store as evidence
from services.tracking.messages.rules import (
    CORRECTED,
    FILED_CORRECTED,
    SENT,
    WITHDRAWN,
    CitizenLimits,
    FiledFacts,
    FileWithdrawn,
    MessageFacts,
    SentFile,
    SentFileFacts,
    Written,
    written_of,
)
from services.tracking.models import attachments, cases, timeline

_MESSAGES = (SENT, CORRECTED, WITHDRAWN)


def written(connection: Connection, case_id: UUID) -> Written:
    """The messages of a case."""
    chosen = select(timeline.c.entry, timeline.c.at, timeline.c.details).where(timeline.c.case_id == case_id)
    rows = connection.execute(chosen.where(timeline.c.entry.in_(_MESSAGES)).order_by(timeline.c.sequence))
    return written_of([dict(row) for row in rows.mappings()])


def withdrawn_lines(connection: Connection, case_id: UUID) -> list[dict[str, Any]]:
    """The lines of a case's timeline by which messages were taken back."""
    chosen = select(timeline.c.entry, timeline.c.details).where(timeline.c.case_id == case_id)
    return [dict(row) for row in connection.execute(chosen.where(timeline.c.entry == WITHDRAWN)).mappings()]


def was_read_since(connection: Connection, case_id: UUID, moment: datetime) -> bool:
    """Whether the audit says that one of the staff read or changed this case since that moment. What a process has read within
    the last second may not be in it yet (backbone/storage/audit.py)."""
    about = str(case_id)
    entries = (
        exists().where(
            table.c.subjects[1] == about,
            table.c.at >= moment,
            table.c.actor_kind == ActorKind.STAFF.value,
            table.c.result == audit.DONE,
        )
        for table in (audit.CHAIN, audit.WAITING)
    )
    return bool(connection.execute(select(or_(*entries))).scalar_one())


def correct_filed(connection: Connection, case_id: UUID, command: CorrectFiled) -> None:
    """What was filed with a locked case reads like this."""
    values: dict[str, Any] = {}
    if command.text is not None:
        values["text"] = command.text
    if command.place is not None:
        values["place"] = command.place.model_dump(mode="json")
    connection.execute(update(cases).where(cases.c.case_id == case_id).values(values))


# --- what commands need and do ---


_WITHDRAW = (
    f"UPDATE attachments SET withdrawn_at = given.withdrawn_at FROM {writes.given(attachments)}"
    " WHERE attachments.case_id = given.case_id AND attachments.media_id = given.media_id"
)


def _write_withdrawal(effect: FileWithdrawn, recorded: Recorded) -> Sequence[Write]:
    named = {"case_id": recorded.case.case_id, "media_id": effect.media_id}
    withheld = [{**named, "reason": evidence.WITHDRAWN}] if effect.withheld else []
    return [Write(_WITHDRAW, [{**named, "withdrawn_at": recorded.at}]), *evidence.withholding(withheld)]


EFFECT_WRITERS: EffectWriters = {FileWithdrawn: EffectWriter(_write_withdrawal)}


def facts_loaders(limits: CitizenLimits) -> FactsLoaders:
    """Of the facts that these commands need, under these limits."""

    def of_sending(connection: Connection, command: SendMessage, about: FactsQuery) -> MessageFacts:
        case_id = about.case.case_id
        return MessageFacts(
            limits=limits,
            written=written(connection, case_id),
            media=evidence.media_of(connection, case_id),
            sent=evidence.sent_by_citizen(connection, case_id),
            withdrawn=evidence.withdrawn_by_citizen(connection, case_id),
        )

    def of_message(
        connection: Connection, command: CorrectMessage | WithdrawMessage, about: FactsQuery
    ) -> MessageFacts:
        case_id = about.case.case_id
        messages = written(connection, case_id)
        message = messages.messages.get(str(command.message_id))
        was_read = message is not None and was_read_since(connection, case_id, message.sent_at)
        return MessageFacts(limits=limits, written=messages, was_read=was_read)

    def of_filed(connection: Connection, command: CorrectFiled, about: FactsQuery) -> FiledFacts:
        this = cases.c.case_id == about.case.case_id
        row = connection.execute(select(cases.c.text, cases.c.place).where(this)).one()
        lines = select(timeline.c.sequence).where(timeline.c.case_id == about.case.case_id)
        corrections = len(connection.execute(lines.where(timeline.c.entry == FILED_CORRECTED)).all())
        return FiledFacts(limits=limits, text=row.text, place=row.place, corrections=corrections)

    def of_file(connection: Connection, command: WithdrawEvidence, about: FactsQuery) -> SentFileFacts:
        sent_file = _sent_file(connection, about, command.media_id)
        was_read = sent_file is not None and was_read_since(connection, about.case.case_id, sent_file.sent_at)
        return SentFileFacts(limits=limits, file=sent_file, was_read=was_read)

    return {
        SendMessage: FactsLoader(of_sending),
        CorrectMessage: FactsLoader(of_message),
        WithdrawMessage: FactsLoader(of_message),
        CorrectFiled: FactsLoader(of_filed),
        WithdrawEvidence: FactsLoader(of_file),
    }


def _sent_file(connection: Connection, about: FactsQuery, media_id: str) -> SentFile | None:
    """A file of the citizen's, with the moment of the line of the timeline that it came with."""
    of_case = attachments.c.case_id == about.case.case_id
    chosen = select(attachments.c.withdrawn_at, timeline.c.at, timeline.c.entry).join(
        timeline,
        (timeline.c.case_id == attachments.c.case_id)
        & (timeline.c.sequence == evidence.line_of_sending(attachments.c.position)),
    )
    row = connection.execute(
        chosen.where(of_case, attachments.c.media_id == media_id, attachments.c.from_office.is_(False))
    ).first()
    if row is None:
        return None
    sent_at = about.case.filed_at if row.entry == "opened" else row.at
    return SentFile(sent_at, row.withdrawn_at is not None)
