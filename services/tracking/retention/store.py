"""Queries on what is kept of ended cases, a line of comment each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, case, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB

from backbone.storage import writes
from contracts.media import UploadState
from contracts.vocabulary import OPEN_STAGES, KeptPart
from services.tracking.case.lifecycle import Case, StoredEntry
from services.tracking.case.record import Recorded
from services.tracking.case.store import CASE_COLUMNS, case_of
from services.tracking.evidence import store as evidence
from services.tracking.models import (
    attachments,
    cases,
    media_states,
    pending_outcomes,
    questions,
    recommendations,
    referral_answers,
    referrals,
    reminders,
    timeline,
    withheld,
)
from services.tracking.retention.rules import Rule, has_texts
from services.tracking.row_conditions import OVER
from services.tracking.search.document import searchable

ENDS = ("closed", "closed_unanswered", "merged", "withdrawn")
ERASED_AT = {
    KeptPart.IDENTITY: cases.c.identity_erased_at,
    KeptPart.EVIDENCE: cases.c.evidence_erased_at,
    KeptPart.TEXTS: cases.c.texts_erased_at,
}


def note_ends(connection: Connection, limit: int) -> int:
    """Notes of cases that are over when they ended, by their timelines; how many. What another process holds is left to
    it."""
    # In the order of its index: without, the planner takes a look through all that are over for quicker, ten times a minute.
    chosen = select(cases.c.case_id).where(cases.c.ended_at.is_(None), OVER).order_by(cases.c.case_id)
    ids = list(connection.execute(chosen.limit(limit).with_for_update(skip_locked=True)).scalars())
    if ids:
        last = select(func.max(timeline.c.at)).where(timeline.c.case_id == cases.c.case_id, timeline.c.entry.in_(ENDS))
        ended = func.coalesce(last.scalar_subquery(), cases.c.opened_at)
        connection.execute(update(cases).where(cases.c.case_id.in_(ids)).values(ended_at=ended))
    return len(ids)


def lock_due(connection: Connection, rule: Rule, before: datetime, limit: int) -> list[tuple[Case, datetime]]:
    """Cases whose time by this rule is over, and when they ended, locked; the first that ended first. What another process
    holds is left to it. One that was merged into a case which goes on waits for its end."""
    chosen = (
        _due(select(*CASE_COLUMNS, cases.c.ended_at), rule, before)
        .order_by(cases.c.ended_at)
        .limit(limit)
        .with_for_update(of=cases, skip_locked=True)
    )
    return [(case_of(row), row.ended_at) for row in connection.execute(chosen)]


def count_due(connection: Connection, rule: Rule, before: datetime, known: ColumnElement[bool]) -> int:
    """How many those are, of the cases that are `known`."""
    return int(connection.execute(_due(select(func.count()), rule, before).where(known)).scalar_one())


def _due(chosen: Select[Any], rule: Rule, before: datetime) -> Select[Any]:
    outcome = cases.c.outcome == rule.outcome if rule.outcome else _any_but(rule)
    goes_on = cases.alias("goes_on")
    informed = ~exists().where(pending_outcomes.c.case_id == goes_on.c.case_id)  # till then it may be its own again
    chosen = (
        chosen.select_from(cases.outerjoin(goes_on, goes_on.c.case_id == cases.c.merged_into))
        .where(cases.c.kind == rule.kind, cases.c.ended_at < before, ERASED_AT[rule.part].is_(None), outcome)
        .where(or_(goes_on.c.case_id.is_(None), and_(goes_on.c.ended_at.is_not(None), informed)))
    )
    if rule.filed_before is not None:
        chosen = chosen.where(cases.c.filed_at < rule.filed_before)
    if rule.filed_from is not None:  # none of them ended before it was filed: so the index leaves the older out
        chosen = chosen.where(cases.c.filed_at >= rule.filed_from, cases.c.ended_at >= rule.filed_from)
    return chosen


def _any_but(rule: Rule) -> ColumnElement[bool]:
    return or_(cases.c.outcome.is_(None), cases.c.outcome.not_in(sorted(rule.besides)))


def note_erased(connection: Connection, case_id: UUID, part: KeptPart, now: datetime) -> None:
    """The part is kept no longer, and is asked for no more."""
    connection.execute(update(cases).where(cases.c.case_id == case_id).values({ERASED_AT[part].name: now}))


def entries_of(connection: Connection, case_id: UUID) -> list[tuple[StoredEntry, str]]:
    """The timeline of a case in order, each line with its hash."""
    chosen = select(timeline).where(timeline.c.case_id == case_id).order_by(timeline.c.sequence)
    return [
        (
            StoredEntry(
                **{name: value for name, value in row._mapping.items() if name not in ("previous_hash", "hash")}
            ),
            row.hash,
        )
        for row in connection.execute(chosen)
    ]


def keep_of_entries(connection: Connection, entries: Sequence[StoredEntry]) -> None:
    """What is left of these lines. Their trigger lets nothing else be changed, and only within this."""
    if not entries:
        return
    connection.execute(select(func.set_config("peygir.erasing", "on", True)))
    this = and_(timeline.c.case_id == bindparam("of"), timeline.c.sequence == bindparam("line"))
    left = {"actor_id": bindparam("by"), "details": bindparam("left", type_=JSONB)}
    connection.execute(
        update(timeline).where(this).values(left),
        [
            {"of": entry.case_id, "line": entry.sequence, "by": entry.actor_id, "left": dict(entry.details)}
            for entry in entries
        ],
    )
    connection.execute(select(func.set_config("peygir.erasing", "off", True)))


def forget_citizen(connection: Connection, case_id: UUID) -> None:
    """Whose account it was filed from."""
    connection.execute(update(cases).where(cases.c.case_id == case_id).values(citizen_id=None))


def forget_media(connection: Connection, case_id: UUID, now: datetime) -> list[str]:
    """The attachments of a case can be seen no more; all their ids."""
    ids = list(connection.execute(select(attachments.c.media_id).where(attachments.c.case_id == case_id)).scalars())
    other = attachments.alias()
    shared = exists().where(
        other.c.media_id == media_states.c.media_id,
        other.c.case_id != case_id,
        other.c.case_id == cases.c.case_id,
        cases.c.evidence_erased_at.is_(None),
        ~exists().where(withheld.c.case_id == other.c.case_id, withheld.c.media_id == other.c.media_id),
    )
    gone = {"state": UploadState.REMOVED, "variants": [], "reported_at": now, "duration_seconds": None, "peaks": None}
    connection.execute(update(media_states).where(media_states.c.media_id.in_(ids), ~shared).values(gone))
    rows = [{"case_id": case_id, "media_id": media_id, "reason": evidence.ERASED} for media_id in sorted(ids)]
    writes.execute_all(connection, evidence.withholding(rows))
    return sorted(ids)


def forget_texts(connection: Connection, ended: Case) -> None:
    """What anybody wrote, but for the timeline: kind, unit, ground, days, outcome, causes and score stay."""
    this = cases.c.case_id == ended.case_id
    filed: dict[str, Any] = {
        "text": "",
        "search": searchable(ended.number, ""),
        "answers": {},
        "people": [],
        "place": None,
    }
    common = case((cases.c.group_common.is_not(None), "-"))  # a group has something in common
    written = {"reference": None, "happened_on": None, "refusal_explanation": None, "refusal_address": None}
    connection.execute(update(cases).where(this).values({**filed, **written, "group_common": common}))
    of_case = {table: table.c.case_id == ended.case_id for table in (questions, recommendations, reminders)}
    connection.execute(
        update(questions).where(of_case[questions]).values(text="", answer=func.left(questions.c.answer, 0))
    )
    connection.execute(update(recommendations).where(of_case[recommendations]).values(text="", reason=None))
    connection.execute(update(reminders).where(of_case[reminders]).values(text=""))
    connection.execute(update(referrals).where(referrals.c.case_id == ended.case_id).values(reason=None))
    of_referrals = select(referrals.c.referral_id).where(referrals.c.case_id == ended.case_id)
    connection.execute(
        update(referral_answers).where(referral_answers.c.referral_id.in_(of_referrals)).values(text=None)
    )


def texts_were_added(recorded: Recorded) -> tuple[str, ...]:
    """Where something is written in a case that is not open, its texts may have gone already: they are due once more."""
    added = recorded.case.stage not in OPEN_STAGES and any(has_texts(entry) for entry in recorded.entries)
    return (cases.c.texts_erased_at.name,) if added else ()
