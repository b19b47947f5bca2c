"""What the citizen sees of a case: one query each, whole. Each carries the code's hash or the citizen's id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, String, and_, bindparam, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert

from contracts.media import UploadState
from contracts.tracking import FindSimilarOwnCases, OwnCase, PublicCase, SimilarOwnCase
from contracts.vocabulary import OPEN_STAGES, Stage
from services.tracking.case import unanswered, view_parts
from services.tracking.case.context import citizens_view
from services.tracking.case.json_queries import as_sql, json_object
from services.tracking.case.lifecycle import PUBLIC_ENTRIES, TEXTS_SHOWN, Case
from services.tracking.case.public_view import CHANGES_VIEW, noticed
from services.tracking.case.store import case_of_json
from services.tracking.evidence import store as evidence
from services.tracking.evidence.rules import EvidenceFacts, evidence_left
from services.tracking.merging.rules import OF_OTHER_CASE
from services.tracking.messages.rules import (
    FILED_CORRECTED,
    SENT,
    CitizenLimits,
    FiledFacts,
    MessageFacts,
    SentFile,
    SentFiles,
    Written,
    written_of,
)
from services.tracking.models import attachments, cases, citizen_looks, questions, timeline
from services.tracking.reference.workdays import day_of
from services.tracking.rules import COMMANDS
from services.tracking.search.document import LINE, searchable
from services.tracking.visits.views import for_citizen, viewed_facts, visits_part

_OPEN_TO_CITIZEN = (
    questions.c.unit.is_(None),
    questions.c.answered_at.is_(None),
    questions.c.lapsed_at.is_(None),
)

_FILED = (
    *("text", "answers", "answered_questions", "happened_on", "place", "reference", "people", "visit_wanted"),
    *("group_members", "group_common"),
)

# One column of JSON: forty take SQLAlchemy longer to describe than the database to find.
_PUBLIC = select(
    json_object(
        **view_parts.case_parts(),
        filed=json_object(**{name: cases.c[name] for name in _FILED}),
        entries=view_parts.timeline_part(
            timeline.c.entry.in_(bindparam(None, sorted(CHANGES_VIEW), expanding=True, literal_execute=True))
        ).element,
        questions=view_parts.questions_part(*_OPEN_TO_CITIZEN).element,
        media=view_parts.media_part(attachments.c.from_office.is_(False)).element,
        visits=visits_part().element,
    )
)

_OWN = as_sql(
    _PUBLIC.where(
        cases.c.case_id == bindparam("case_id", type_=PG_UUID, required=False),
        cases.c.citizen_id == bindparam("citizen", type_=PG_UUID, required=False),
    )
)

_CHECKED = as_sql(_PUBLIC.where(cases.c.case_id == bindparam("case_id", type_=PG_UUID, required=False)))


_LIMITS = CitizenLimits()


def public_by_code(
    connection: Connection, code_hashes: Sequence[str], at: datetime, limits: CitizenLimits = _LIMITS
) -> PublicCase | None:
    """The case of a tracking code; None when there is none."""
    hashes = {f"hash_{place}": code_hash for place, code_hash in enumerate(dict.fromkeys(code_hashes))}
    return _public(connection, _by_code(len(hashes)), at, limits, **hashes)


@cache
def _by_code(number: int) -> str:
    """For as many hashes as the gateway has keys. Not one array of them: of an array whose length it does not know PostgreSQL
    expects ten cases, and so makes a plan for each execution, which takes it longer than to execute it."""
    hashes = [bindparam(f"hash_{place}", type_=String, required=False) for place in range(number)]
    return as_sql(_PUBLIC.where(cases.c.code_hash.in_(hashes)))


def public_own(
    connection: Connection, case_id: UUID, citizen_id: UUID, at: datetime, limits: CitizenLimits = _LIMITS
) -> PublicCase | None:
    """A citizen's own case."""
    return _public(connection, _OWN, at, limits, case_id=case_id, citizen=citizen_id)


def public_of(
    connection: Connection, case_id: UUID, at: datetime, limits: CitizenLimits = _LIMITS
) -> PublicCase | None:
    """The case whose code or citizen has been checked."""
    return _public(connection, _CHECKED, at, limits, case_id=case_id)


def _public(
    connection: Connection, query: str, at: datetime, limits: CitizenLimits, **parameters: Any
) -> PublicCase | None:
    row = connection.exec_driver_sql(query, parameters).scalar()
    if row is None:
        return None
    entries, questions, media, visits = (row[part] or [] for part in ("entries", "questions", "media", "visits"))
    case = case_of_json(row["case"] | row["rest"])
    entries = noticed(entries)
    shown = [line for line in entries if line["entry"] in PUBLIC_ENTRIES]
    written = written_of(shown)
    attachments = [_attachment(line, case, entries, limits) for line in media]
    facts = (
        viewed_facts(case, row),
        EvidenceFacts(sent=frozenset(line["media_id"] for line in media)),
        MessageFacts(limits, written),
        FiledFacts(limits),
        _files_sent(attachments, limits),
    )
    commands = COMMANDS.shown_to_citizen(case, citizens_view(at, *facts))
    possible, today = [command.type for command in commands if command.possible], day_of(at)
    can = [name for name in possible if COMMANDS.in_summary(name)]
    return PublicCase.model_validate(
        {
            "case_id": case.case_id,
            "kind": case.kind,
            "stage": case.stage,
            "unit_name_fa": case.unit_name_fa,
            "unit_name_en": case.unit_name_en,
            "ground": case.ground,
            "filed_at": case.filed_at,
            "filed": _filed(row["filed"], shown, limits.filed_until(case)),
            "expected_on": case.expected_on,
            "question": questions[0] if questions and "answer_question" in can else None,
            "closed_reason": unanswered.REASON if case.unanswered else None,
            "answer_until": case.objection_until if unanswered.may_reopen(case, today) else None,
            "decision": view_parts.decision_of(case),
            "refusal_reason": case.refusal_reason,
            **_refusal_names(case),
            "refusal_explanation": case.refusal_explanation,
            "refusal_address": case.refusal_address,
            "joined": _merged_outcome(entries),
            "joined_refusal": _merged_refusal(entries),
            "score": case.score,
            "can": can,
            "attachments": attachments,
            "evidence_left": evidence_left(case, len(media)),
            "messages_left": limits.messages_left(case, written),
            "anonymous": case.anonymous,
            "visits": [for_citizen(line) for line in visits],
            "visit_can": [name for name in possible if name.endswith("_visit")],
            "timeline": [
                _public_entry(line, place) | _of_message(line, case, written, limits)
                for place, line in enumerate(shown, start=1)
            ],
            "version": len(entries),
            "commands": commands,
        }
    )


def _filed(row: dict[str, Any], entries: Sequence[Mapping[str, Any]], until: datetime | None) -> dict[str, Any] | None:
    """What the citizen wrote, as it reads now; None where the time is over for which texts are kept."""
    if not row["text"]:
        return None
    members, common = row.pop("group_members"), row.pop("group_common")
    corrections = [line["at"] for line in entries if line["entry"] == FILED_CORRECTED]
    return {
        **row,
        "answered_questions": row["answered_questions"] or [],
        "address": (row["place"] or {}).get("address") or None,
        "group": {"members": members, "common": common} if members else None,
        "corrected_at": corrections[-1] if corrections else None,
        "can_correct_until": until,
    }


def _attachment(
    line: Mapping[str, Any], case: Case, entries: Sequence[Mapping[str, Any]], limits: CitizenLimits
) -> dict[str, Any]:
    """What the citizen sent; taken back, it is gone for them, whoever has seen it."""
    came_with = evidence.line_of_sending(line["position"])
    sent_at = next((entry["at"] for entry in entries if entry["sequence"] == came_with), None)
    sent_at = case.filed_at if came_with == 1 or sent_at is None else datetime.fromisoformat(sent_at)
    withdrawn_at = line["withdrawn_at"]
    gone: dict[str, Any] = (
        {"state": UploadState.REMOVED, "variants": [], "reason": None, "notes": [], "peaks": False}
        if withdrawn_at
        else {}
    )
    until = None if withdrawn_at else limits.until(case, sent_at)
    return {**dict(evidence.view(line)), **gone, "sent_at": sent_at, "can_withdraw_until": until}


def _files_sent(attachments: Sequence[Mapping[str, Any]], limits: CitizenLimits) -> SentFiles:
    files = {one["media_id"]: SentFile(one["sent_at"], one["withdrawn_at"] is not None) for one in attachments}
    return SentFiles(limits, files, {one["media_id"]: one["file_name"] for one in attachments})


def _of_message(line: Mapping[str, Any], case: Case, written: Written, limits: CitizenLimits) -> dict[str, Any]:
    """What a line tells of a message: where it was sent, as it reads now."""
    message_id = line["details"].get("message_id")
    if message_id is None:
        return {}
    message = written.messages.get(message_id)
    if line["entry"] != SENT or message is None:
        return {"message_id": message_id}
    return {
        "message_id": message_id,
        "text": message.text,
        "uploads": message.uploads,
        "corrected_at": message.corrected_at,
        "withdrawn_at": message.withdrawn_at,
        "can_correct_until": None if message.withdrawn_at else limits.until(case, message.sent_at),
    }


def _refusal_names(case: Case) -> dict[str, str | None]:
    named = case.names.get("refusal", {}).get(case.refusal_reason, {})
    return {f"refusal_{name}": named.get(name) for name in ("name_fa", "name_en")}


def _merged_outcome(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The last outcome of the case that this one was merged into."""
    line = _last_of_other(entries)
    if line is None or line["entry"] != "joined_decided":
        return None
    details = line["details"]
    return {"outcome": details["outcome"], "final": details["final"], "decided_at": line["at"]}


def _merged_refusal(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    line = _last_of_other(entries)
    if line is None or line["entry"] != "joined_refused":
        return None
    names = {"reason": "refusal_reason", "reason_fa": "refusal_name_fa", "reason_en": "refusal_name_en"}
    reason = {to: line["details"].get(name) for name, to in (*names.items(), ("address", "refusal_address"))}
    return {**reason, "refused_at": line["at"]}


def _last_of_other(entries: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The last line that says how the case ended that this one goes on in, or that this end does not hold."""
    of_other = [line for line in entries if line["entry"] in OF_OTHER_CASE]
    return of_other[-1] if of_other else None


def _public_entry(line: Mapping[str, Any], place: int) -> dict[str, Any]:
    return {
        "sequence": place,
        "at": line["at"],
        "entry": line["entry"],
        "stage": line["stage"],
        "by": "you" if line["actor_kind"] in view_parts.CITIZEN_KINDS else "office",
        "text": line["details"].get("text") if line["entry"] in TEXTS_SHOWN else None,
        "outcome": line["details"].get("outcome") if line["entry"] in ("decided", "joined_decided") else None,
        **({name: line["details"].get(name) for name in ("body_fa", "body_en")} if line["entry"] == "referred" else {}),
    }


_NOTICED = json_object(**{name: timeline.c[name] for name in ("entry", "stage", "at", "actor_kind")})
_OWN_LIST = select(
    *(cases.c[name] for name in ("case_id", "kind", "stage", "unit_name_fa", "unit_name_en", "ground", "filed_at")),
    *(cases.c[name] for name in ("due_on", "paused_on", "objection_until", "pending_question")),
    select(func.json_agg(aggregate_order_by(_NOTICED, timeline.c.sequence)))
    .where(timeline.c.case_id == cases.c.case_id, timeline.c.entry.in_(sorted(CHANGES_VIEW)))
    .scalar_subquery()
    .label("entries"),
    view_parts.questions_part(*_OPEN_TO_CITIZEN).element.label("asked"),
    select(citizen_looks.c.seen).where(citizen_looks.c.case_id == cases.c.case_id).scalar_subquery().label("seen"),
)


def own_cases(
    connection: Connection, citizen_id: UUID, today: date, after: tuple[datetime, UUID] | None, limit: int
) -> list[OwnCase]:
    """What a citizen filed, newest first; behind the case filed then with this id."""
    chosen = _OWN_LIST.where(cases.c.citizen_id == citizen_id)
    if after is not None:
        chosen = chosen.where(tuple_(cases.c.filed_at, cases.c.case_id) < after)
    rows = connection.execute(chosen.order_by(cases.c.filed_at.desc(), cases.c.case_id.desc()).limit(limit))
    return [_own_case(row, today) for row in rows]


SIMILAR_FROM = 0.35
"""The likeness (pg_trgm) from which two texts tell the same story."""


def similar_own(
    connection: Connection, citizen_id: UUID, request: FindSimilarOwnCases, today: date, limit: int = 5
) -> list[SimilarOwnCase]:
    """A citizen's own open cases that may be what they are about to file, the most similar first."""
    likeness = func.similarity(func.split_part(cases.c.search, LINE, 1), searchable("", request.text))
    same_unit = and_(cases.c.unit.is_not(None), or_(cases.c.unit == request.unit, cases.c.unit_asked == request.unit))
    same_ground = cases.c.ground == request.ground
    named = (likeness.label("likeness"), same_unit.label("same_unit"), same_ground.label("same_ground"))
    chosen = _OWN_LIST.add_columns(*(func.coalesce(column, False).label(column.name) for column in named[1:]), named[0])
    chosen = chosen.where(cases.c.citizen_id == citizen_id, cases.c.stage.in_(sorted(OPEN_STAGES)))
    chosen = chosen.where(or_(and_(same_unit, same_ground), likeness >= SIMILAR_FROM))
    rows = connection.execute(chosen.order_by(likeness.desc(), cases.c.filed_at.desc()).limit(limit))
    return [
        SimilarOwnCase(
            **dict(_own_case(row, today)),
            same_unit=row.same_unit,
            same_ground=row.same_ground,
            likeness=round(row.likeness, 2),
        )
        for row in rows
    ]


def _own_case(row: Row[Any], today: date) -> OwnCase:
    entries = noticed(row.entries or [])
    unread = [line for line in entries[row.seen or 0 :] if line["actor_kind"] not in view_parts.CITIZEN_KINDS]
    reopens = row.stage == Stage.CLOSED and row.pending_question is not None and (row.objection_until or today) >= today
    waits = row.stage == Stage.AWAITING_CITIZEN or reopens
    values = {name: getattr(row, name) for name in OwnCase.model_fields if name in row._mapping}
    return OwnCase.model_validate(
        {
            **values,
            "expected_on": _expected(row),
            "question": row.asked[0] if waits and row.asked else None,
            "last_activity_at": entries[-1]["at"] if entries else row.filed_at,
            "unread": len(unread),
        }
    )


def seen_version(connection: Connection, case_id: UUID) -> int:
    """Up to which version of its view the citizen of a case has seen it, signed in."""
    chosen = select(citizen_looks.c.seen).where(citizen_looks.c.case_id == case_id)
    return int(connection.execute(chosen).scalar() or 0)


def keep_look(connection: Connection, case_id: UUID, version: int) -> None:
    """The citizen of the case has seen it at this version."""
    row = insert(citizen_looks).values(case_id=case_id, seen=version)
    newer = citizen_looks.c.seen < row.excluded.seen
    connection.execute(
        row.on_conflict_do_update(index_elements=["case_id"], set_={"seen": row.excluded.seen}, where=newer)
    )


def _expected(row: Row[Any]) -> date | None:
    due: date | None = row.due_on
    return due if row.stage in OPEN_STAGES and row.paused_on is None else None
