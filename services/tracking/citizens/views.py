"""What the citizen sees of a case: one query each, whole. Each carries the code's hash or the citizen's id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, String, bindparam, select
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from contracts.tracking import OwnCase, OwnCases, PublicCase
from contracts.vocabulary import OPEN_STAGES
from services.tracking.case import unanswered, view_parts
from services.tracking.case.json_queries import as_sql, json_object
from services.tracking.case.lifecycle import PUBLIC_ENTRIES, TEXTS_SHOWN, Case
from services.tracking.case.public_view import CHANGES_VIEW, noticed
from services.tracking.case.store import case_of_json
from services.tracking.evidence import store as evidence
from services.tracking.evidence.rules import evidence_left
from services.tracking.merging.rules import OF_OTHER_CASE
from services.tracking.models import attachments, cases, questions, timeline
from services.tracking.rules import COMMANDS
from services.tracking.visits.views import visits_for_citizen, visits_part

_OPEN_TO_CITIZEN = (
    questions.c.unit.is_(None),
    questions.c.answered_at.is_(None),
    questions.c.lapsed_at.is_(None),
)

_FILED = ("text", "answers", "answered_questions", "happened_on", "place", "reference", "people")

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


def public_by_code(connection: Connection, code_hashes: Sequence[str], today: date) -> PublicCase | None:
    """The case of a tracking code; None when there is none."""
    hashes = {f"hash_{place}": code_hash for place, code_hash in enumerate(dict.fromkeys(code_hashes))}
    return _public(connection, _by_code(len(hashes)), today, **hashes)


@cache
def _by_code(number: int) -> str:
    """For as many hashes as the gateway has keys. Not one array of them: of an array whose length it does not know PostgreSQL
    expects ten cases, and so makes a plan for each execution, which takes it longer than to execute it."""
    hashes = [bindparam(f"hash_{place}", type_=String, required=False) for place in range(number)]
    return as_sql(_PUBLIC.where(cases.c.code_hash.in_(hashes)))


def public_own(connection: Connection, case_id: UUID, citizen_id: UUID, today: date) -> PublicCase | None:
    """A citizen's own case."""
    return _public(connection, _OWN, today, case_id=case_id, citizen=citizen_id)


def public_of(connection: Connection, case_id: UUID, today: date) -> PublicCase | None:
    """The case whose code or citizen has been checked."""
    return _public(connection, _CHECKED, today, case_id=case_id)


def _public(connection: Connection, query: str, today: date, **parameters: Any) -> PublicCase | None:
    row = connection.exec_driver_sql(query, parameters).scalar()
    if row is None:
        return None
    entries, questions, media, visits = (row[part] or [] for part in ("entries", "questions", "media", "visits"))
    case = case_of_json(row["case"] | row["rest"])
    entries = noticed(entries)
    can = COMMANDS.offered(case, today)
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
            "filed": _filed(row["filed"]),
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
    answered_questions = row["answered_questions"] or []
    return {**row, "answered_questions": answered_questions, "address": place.get("address") or None}


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
