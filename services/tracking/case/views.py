"""What is read: the citizen's view, the staff's view, the unit's. One query each, whole.

Staff's queries carry `Scope.condition()`; a citizen's carry the code's hash or the citizen's id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Select,
    String,
    and_,
    any_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from contracts.tracking import Decision, OwnCase, OwnCases, PublicCase, StaffCase, StaffEntry, UnitQuestion
from contracts.vocabulary import OPEN_STAGES, ActorKind
from services.tracking.case.lifecycle import PUBLIC_ENTRIES, TOLD, Case
from services.tracking.case.public_view import CHANGES_VIEW, noticed
from services.tracking.case.rules import evidence_left, possible
from services.tracking.case.scope import CONDITION, Scope
from services.tracking.case.store import CASE_COLUMNS, case_of_json
from services.tracking.evidence import store as evidence
from services.tracking.merging import related as beside
from services.tracking.models import attachments, cases, media_states, questions, recommendations, reminders, timeline
from services.tracking.visits.views import of_case, staff_visit, visits_for_citizen

_CITIZENS = (ActorKind.CITIZEN, ActorKind.BEARER)


# --- parts of a view, as JSON beside the case's own row ---


def _object(**columns: Any) -> Any:
    """A JSON object of these columns, its names written into the SQL."""
    pairs: list[Any] = []
    for name, column in columns.items():
        pairs += [literal_column(f"'{name}'"), column]
    return func.json_build_object(*pairs)


def _entries(*conditions: ColumnElement[bool]) -> Any:
    names = ("sequence", "at", "entry", "stage", "actor_kind", "actor_id", "details", "hash")
    line = _object(**{name: timeline.c[name] for name in names})
    return (
        select(func.json_agg(aggregate_order_by(line, timeline.c.sequence)))
        .where(timeline.c.case_id == cases.c.case_id, *conditions)
        .scalar_subquery()
        .label("entries")
    )


def _questions(*conditions: ColumnElement[bool]) -> Any:
    names = ("question_id", "unit", "text", "asked_at", "due_on", "media", "answer", "answered_at")
    line = _object(**{name: questions.c[name] for name in names})
    return (
        select(func.json_agg(aggregate_order_by(line, questions.c.asked_at)))
        .where(questions.c.case_id == cases.c.case_id, *conditions)
        .scalar_subquery()
        .label("asked")
    )


def _media(*conditions: ColumnElement[bool], of: Any = cases.c.case_id) -> Any:
    told = {name: media_states.c[name] for name in ("state", "media_type", "size", "reason", "variants", "notes")}
    line = _object(
        **{name: attachments.c[name] for name in ("media_id", "from_office", "question_id")},
        number=evidence.place_in_case(),
        withheld=evidence.reason_withheld(),
        **told,
    )
    return (
        select(func.json_agg(aggregate_order_by(line, attachments.c.position, attachments.c.media_id)))
        .select_from(attachments.outerjoin(media_states, media_states.c.media_id == attachments.c.media_id))
        .where(attachments.c.case_id == of, *conditions)
        .scalar_subquery()
        .label("media")
    )


def _recommendations() -> Any:
    names = ("recommendation_id", "unit", "text", "due_on", "state", "reason", "reported_at", "settled_at")
    line = _object(**{name: recommendations.c[name] for name in names})
    order = (recommendations.c.due_on, recommendations.c.recommendation_id)
    return (
        select(func.json_agg(aggregate_order_by(line, *order)))
        .where(recommendations.c.case_id == cases.c.case_id)
        .scalar_subquery()
    )


def _reminders() -> Any:
    line = _object(staff=reminders.c.staff_id, on=reminders.c.on_day, text=reminders.c.text, said=reminders.c.said)
    return (
        select(func.json_agg(aggregate_order_by(line, reminders.c.on_day)))
        .where(reminders.c.case_id == cases.c.case_id)
        .scalar_subquery()
    )


def _decision(case: Case) -> Decision | None:
    if case.outcome is None or case.reasons is None or case.decided_at is None:
        return None
    return Decision(
        outcome=case.outcome,
        reasons=case.reasons,
        decided_at=case.decided_at,
        final=case.final,
        objection_until=case.objection_until,
    )


_HALF = len(CASE_COLUMNS) // 2


def _case_parts() -> dict[str, Any]:
    """The case's own columns in two objects: a function of PostgreSQL takes a hundred arguments."""
    return {
        "case": _object(**{column.name: column for column in CASE_COLUMNS[:_HALF]}),
        "rest": _object(**{column.name: column for column in CASE_COLUMNS[_HALF:]}),
    }


# --- the citizen ---

_OPEN_TO_CITIZEN = (
    questions.c.unit.is_(None),
    questions.c.answered_at.is_(None),
    questions.c.lapsed_at.is_(None),
)
_FILED = ("text", "answers", "happened_on", "place", "reference", "people")
# One column of JSON: forty take SQLAlchemy longer to describe than the database to find.
_PUBLIC = select(
    _object(
        **_case_parts(),
        filed=_object(**{name: cases.c[name] for name in _FILED}),
        entries=_entries(
            timeline.c.entry.in_(bindparam(None, sorted(CHANGES_VIEW), expanding=True, literal_execute=True))
        ).element,
        asked=_questions(*_OPEN_TO_CITIZEN).element,
        media=_media(attachments.c.from_office.is_(False)).element,
        visits=of_case().element,
    )
)


def _written(query: Select[Any]) -> str:
    """The query as SQL, written once: it is asked so often that making it each time would cost as much as asking."""
    dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]  # SQLAlchemy's
    return str(query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True}))


_BY_CODE = _written(_PUBLIC.where(cases.c.code_hash == any_(bindparam("hashes", type_=ARRAY(String), required=False))))
_OWN = _written(
    _PUBLIC.where(
        cases.c.case_id == bindparam("case_id", type_=PG_UUID, required=False),
        cases.c.citizen_id == bindparam("citizen", type_=PG_UUID, required=False),
    )
)
_CHECKED = _written(_PUBLIC.where(cases.c.case_id == bindparam("case_id", type_=PG_UUID, required=False)))


def public_by_code(connection: Connection, code_hashes: Sequence[str], today: date) -> PublicCase | None:
    """The case of a tracking code; None when there is none."""
    return _public(connection, _BY_CODE, today, hashes=list(code_hashes))


def public_own(connection: Connection, case_id: UUID, citizen_id: UUID, today: date) -> PublicCase | None:
    """A citizen's own case."""
    return _public(connection, _OWN, today, case_id=case_id, citizen=citizen_id)


def public_of(connection: Connection, case_id: UUID, today: date) -> PublicCase | None:
    """The case whose code or citizen has been checked."""
    return _public(connection, _CHECKED, today, case_id=case_id)


def _public(connection: Connection, query: str, today: date, **asked_for: Any) -> PublicCase | None:
    told = connection.exec_driver_sql(query, asked_for).scalar()
    if told is None:
        return None
    entries, asked, media, visits = (told[part] or [] for part in ("entries", "asked", "media", "visits"))
    case = case_of_json(told["case"] | told["rest"])
    entries = noticed(entries)
    shown = [line for line in entries if line["entry"] in PUBLIC_ENTRIES]
    return PublicCase.model_validate(
        {
            "case_id": case.case_id,
            "kind": case.kind,
            "stage": case.stage,
            "unit_name_fa": case.unit_name_fa,
            "unit_name_en": case.unit_name_en,
            "ground": case.ground,
            "filed_at": case.filed_at,
            "filed": _filed(told["filed"]),
            "expected_on": case.expected_on,
            "question": asked[0] if asked else None,
            "decision": _decision(case),
            "refusal_reason": case.refusal_reason,
            **_refusal_names(case),
            "refusal_explanation": case.refusal_explanation,
            "refusal_address": case.refusal_address,
            "joined": _joined(entries),
            "joined_refusal": _joined_refusal(entries),
            "score": case.score,
            "can": possible(case, today),
            "attachments": [evidence.view(line) for line in media],
            "evidence_left": evidence_left(case, len(media)),
            **visits_for_citizen(case, visits),
            "timeline": [_public_entry(line, place) for place, line in enumerate(shown, start=1)],
            "version": len(entries),
        }
    )


def _filed(row: dict[str, Any]) -> dict[str, Any] | None:
    """What the citizen wrote; None where the time is over for which texts are kept."""
    if not row["text"]:
        return None
    place = row.pop("place") or {}
    return {**row, "address": place.get("address") or None}


def _refusal_names(case: Case) -> dict[str, str | None]:
    named = case.names.get("refusal", {}).get(case.refusal_reason, {})
    return {f"refusal_{name}": named.get(name) for name in ("name_fa", "name_en")}


def _joined(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The last that was heard of the case that this one goes on in."""
    told = [line for line in entries if line["entry"] == "joined_decided"]
    if not told:
        return None
    details = told[-1]["details"]
    return {"outcome": details["outcome"], "final": details["final"], "decided_at": told[-1]["at"]}


def _joined_refusal(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    line = next((line for line in entries if line["entry"] == "joined_refused"), None)
    if line is None:
        return None
    names = {"reason": "refusal_reason", "reason_fa": "refusal_name_fa", "reason_en": "refusal_name_en"}
    told = {to: line["details"].get(name) for name, to in (*names.items(), ("address", "refusal_address"))}
    return {**told, "refused_at": line["at"]}


def _public_entry(line: Mapping[str, Any], place: int) -> dict[str, Any]:
    return {
        "sequence": place,
        "at": line["at"],
        "entry": line["entry"],
        "stage": line["stage"],
        "by": "you" if line["actor_kind"] in _CITIZENS else "office",
        "text": line["details"].get("text") if line["entry"] in TOLD else None,
        "outcome": line["details"].get("outcome") if line["entry"] in ("decided", "joined_decided") else None,
    }


def own_cases(connection: Connection, citizen_id: UUID, limit: int = 500) -> OwnCases:
    """What a citizen filed, newest first."""
    chosen = select(*(cases.c[name] for name in ("case_id", "kind", "stage", "unit_name_fa", "unit_name_en")))
    chosen = chosen.add_columns(cases.c.filed_at, cases.c.due_on, cases.c.paused_on)
    chosen = chosen.where(cases.c.citizen_id == citizen_id).order_by(cases.c.filed_at.desc(), cases.c.case_id.desc())
    rows = connection.execute(chosen.limit(limit))
    return OwnCases(items=[OwnCase.model_validate({**row._mapping, "expected_on": _expected(row)}) for row in rows])


def _expected(row: Row[Any]) -> date | None:
    due: date | None = row.due_on
    return due if row.stage in OPEN_STAGES and row.paused_on is None else None


# --- staff ---

_AS_FILED = (
    "unit_asked",
    "answers",
    "text",
    "happened_on",
    "place",
    "reference",
    "people",
    "visit_wanted",
    "language",
    "consent",
)
_OF_GROUP = ("group_members", "group_common")
_STAFF = select(
    _object(
        **_case_parts(),
        filed=_object(**{name: cases.c[name] for name in (*_AS_FILED, *_OF_GROUP)}),
        entries=_entries().element,
        asked=_questions().element,
        media=_media().element,
        visits=of_case().element,
        followed=_recommendations(),
        reminders=_reminders(),
    )
).where(cases.c.case_id == bindparam("case_id", type_=PG_UUID, required=False))
_FOR_STAFF, _AFTER_COMMAND = _written(_STAFF.where(CONDITION)), _written(_STAFF)
_AS_IT_IS = (
    *(
        "case_id",
        "number",
        "version",
        "kind",
        "stage",
        "unit",
        "unit_name_fa",
        "unit_name_en",
        "ground",
        "urgent",
    ),
    *("anonymous", "channel", "filed_at", "expected_on", "handler", "score"),
)


def staff_case(connection: Connection, case_id: UUID, scope: Scope, after_command: bool = False) -> StaffCase | None:
    """The whole case. `after_command`, of the same person in the same transaction: whatever it made of the case, they see
    it this once; the cases linked to it are those of the scope all the same."""
    query, given = (_AFTER_COMMAND, {}) if after_command else (_FOR_STAFF, scope.given())
    told = connection.exec_driver_sql(query, {"case_id": case_id, **given}).scalar()
    if told is None:
        return None
    entries, asked, media = (told[part] or [] for part in ("entries", "asked", "media"))
    case = case_of_json(told["case"] | told["rest"])
    known = beside.of_case(connection, case, entries, scope)
    entries = [beside.without_others(line, known) for line in entries]
    members, common = (told["filed"].pop(name) for name in _OF_GROUP)
    return StaffCase.model_validate(
        told["filed"]
        | {name: getattr(case, name) for name in _AS_IT_IS}
        | {
            "decision": _decision(case),
            "root_causes": case.root_causes,
            "recommendations": case.recommendations,
            "refusal": next(iter(_named(case, "refusal")), None),
            "root_cause_names": _named(case, "causes"),
            "proposal": case.proposal,
            "checklist": case.checklist,
            "group": {"members": members, "common": common} if members else None,
            "questions": [_question(line, media) for line in asked],
            "attachments": [evidence.view(line) for line in media],
            "visits": [staff_visit(line) for line in told["visits"] or []],
            "timeline": [staff_entry(line) for line in entries],
            "followed": [{**line, "case_id": case_id, "number": case.number} for line in told["followed"] or []],
            "reminders": told["reminders"] or [],
            "linked": [dict(row._mapping) for row in known if str(row.case_id) in case.links],
            "merged_into": next((row.case_id for row in known if str(row.case_id) == str(case.merged_into)), None),
        }
    )


def _named(case: Case, what: str) -> list[dict[str, str]]:
    return [{"code": code, **told} for code, told in case.names.get(what, {}).items()]


def _question(line: dict[str, Any], media: list[dict[str, Any]]) -> dict[str, Any]:
    answered = [one["media_id"] for one in media if one["question_id"] == line["question_id"]]
    return {**line, "media": list(dict.fromkeys([*line["media"], *answered]))}


def staff_entry(line: dict[str, Any]) -> StaffEntry:
    """A line of the timeline; which citizen wrote it is not told (intake's sealed identities hold that)."""
    known = line["actor_id"] if line["actor_kind"] not in _CITIZENS else None
    return StaffEntry.model_validate({**line, "actor_id": known})


def entries_since(
    connection: Connection, case_id: UUID, version: int, scope: Scope, limit: int = 50
) -> list[StaffEntry]:
    """What came after `version`, oldest first; other cases are named to whom the scope knows them."""
    chosen = select(timeline).where(timeline.c.case_id == case_id, timeline.c.sequence > version)
    rows = connection.execute(chosen.order_by(timeline.c.sequence).limit(limit))
    entries = [dict(row._mapping) for row in rows]
    known = beside.known(connection, beside.names(entries), scope)
    return [staff_entry(beside.without_others(line, known)) for line in entries]


# --- liaisons ---


def unit_questions(
    connection: Connection, units: Iterable[str], open_only: bool, only: UUID | None = None, limit: int = 200
) -> list[UnitQuestion]:
    """Questions put to these units, the latest first, with what was sent along or answered: never more of the case."""
    sent = _media(_sent_along(attachments), evidence.not_withheld(), of=questions.c.case_id)
    chosen = select(questions, sent.label("sent"))
    chosen = chosen.where(questions.c.unit.in_(sorted(units)))
    if open_only:
        chosen = chosen.where(questions.c.answered_at.is_(None), questions.c.lapsed_at.is_(None))
    if only is not None:
        chosen = chosen.where(questions.c.question_id == only)
    rows = connection.execute(chosen.order_by(questions.c.asked_at.desc()).limit(limit))
    return [
        UnitQuestion.model_validate(
            {**row._mapping, "media": [evidence.view(line, number) for number, line in enumerate(row.sent or [], 1)]}
        )
        for row in rows
    ]


# --- evidence ---


@dataclass(frozen=True)
class MediaOwner:
    """The case that media belongs to, and what it is saved as for this reader."""

    case_id: UUID
    label: str


def media_for_staff(connection: Connection, media_id: str, scope: Scope, case_id: UUID | None) -> MediaOwner | None:
    """The case, known to this scope, that the media belongs to."""
    return _media_owner(connection, media_id, case_id, scope.condition())


def media_for_code(
    connection: Connection, media_id: str, code_hashes: Sequence[str], case_id: UUID | None
) -> MediaOwner | None:
    """The case of this code, when the citizen gave it this media."""
    return _media_owner(
        connection,
        media_id,
        case_id,
        cases.c.code_hash.in_(code_hashes),
        attachments.c.from_office.is_(False),
    )


def media_for_citizen(
    connection: Connection, media_id: str, citizen_id: UUID, case_id: UUID | None
) -> MediaOwner | None:
    """The citizen's own case, when the citizen gave it this media."""
    return _media_owner(
        connection, media_id, case_id, cases.c.citizen_id == citizen_id, attachments.c.from_office.is_(False)
    )


def media_for_units(
    connection: Connection, media_id: str, units: Iterable[str], question_id: UUID
) -> MediaOwner | None:
    """The case of a question put to one of these units, when the media was sent along or answered with."""
    asked = exists(literal_column("1")).where(
        questions.c.question_id == question_id,
        questions.c.case_id == attachments.c.case_id,
        questions.c.unit.in_(sorted(units)),
        _sent_along(attachments),
    )
    with_it = exists(literal_column("1")).where(questions.c.question_id == question_id, _sent_along(evidence.counted))
    number = evidence.place_in_case(with_it, evidence.not_withheld(evidence.counted))
    return _media_owner(connection, media_id, None, asked, number=number)


def _sent_along(of: FromClause) -> ColumnElement[bool]:
    """That an attachment went with the question, to the unit or back."""
    return or_(
        questions.c.media.contains(func.jsonb_build_array(of.c.media_id)),
        of.c.question_id == questions.c.question_id,
    )


def _media_owner(
    connection: Connection, media_id: str, case_id: UUID | None, *conditions: ColumnElement[bool], number: Any = None
) -> MediaOwner | None:
    place = evidence.place_in_case() if number is None else number
    chosen = select(cases.c.case_id, attachments.c.from_office, place.label("number"))
    chosen = chosen.join(attachments, attachments.c.case_id == cases.c.case_id)
    chosen = chosen.where(and_(attachments.c.media_id == media_id, evidence.not_refused(), *conditions))
    if case_id is not None:
        chosen = chosen.where(cases.c.case_id == case_id)
    row = connection.execute(chosen.order_by(cases.c.case_id).limit(1)).first()
    return None if row is None else MediaOwner(row.case_id, evidence.label_of(row.number, row.from_office))
