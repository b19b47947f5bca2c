"""What is read: the citizen's view, the staff's view, the unit's. One query each, whole.

Staff's queries carry `Scope.condition()`; a citizen's carry the code's hash or the citizen's id.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import (
    Connection,
    bindparam,
    select,
)
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from contracts.tracking import StaffCase, StaffEntry
from services.tracking.case.lifecycle import Case
from services.tracking.case.scope import CONDITION, Scope
from services.tracking.case.store import case_of_json
from services.tracking.case.view_parts import (
    CITIZEN_KINDS,
    as_sql,
    case_parts,
    decision_of,
    json_object,
    media_part,
    questions_part,
    recommendations_part,
    reminders_part,
    timeline_part,
)
from services.tracking.evidence import store as evidence
from services.tracking.merging import related
from services.tracking.models import cases, timeline
from services.tracking.visits.views import staff_visit, visits_part

# --- parts of a view, as JSON beside the case's own row ---


# --- the citizen ---


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
    json_object(
        **case_parts(),
        filed=json_object(**{name: cases.c[name] for name in (*_AS_FILED, *_OF_GROUP)}),
        entries=timeline_part().element,
        questions=questions_part().element,
        media=media_part().element,
        visits=visits_part().element,
        followed=recommendations_part(),
        reminders=reminders_part(),
    )
).where(cases.c.case_id == bindparam("case_id", type_=PG_UUID, required=False))
_FOR_STAFF, _AFTER_COMMAND = as_sql(_STAFF.where(CONDITION)), as_sql(_STAFF)
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
    row = connection.exec_driver_sql(query, {"case_id": case_id, **given}).scalar()
    if row is None:
        return None
    entries, questions, media = (row[part] or [] for part in ("entries", "questions", "media"))
    case = case_of_json(row["case"] | row["rest"])
    others = related.of_case(connection, case, entries, scope)
    entries = [related.without_others(line, others) for line in entries]
    members, common = (row["filed"].pop(name) for name in _OF_GROUP)
    return StaffCase.model_validate(
        row["filed"]
        | {name: getattr(case, name) for name in _AS_IT_IS}
        | {
            "decision": decision_of(case),
            "root_causes": case.root_causes,
            "recommendations": case.recommendations,
            "refusal": next(iter(_named(case, "refusal")), None),
            "root_cause_names": _named(case, "causes"),
            "proposal": case.proposal,
            "checklist": case.checklist,
            "group": {"members": members, "common": common} if members else None,
            "questions": [_question(line, media) for line in questions],
            "attachments": [evidence.view(line) for line in media],
            "visits": [staff_visit(line) for line in row["visits"] or []],
            "timeline": [staff_entry(line) for line in entries],
            "followed": [{**line, "case_id": case_id, "number": case.number} for line in row["followed"] or []],
            "reminders": row["reminders"] or [],
            "linked": [dict(row._mapping) for row in others if str(row.case_id) in case.links],
            "merged_into": next((row.case_id for row in others if str(row.case_id) == str(case.merged_into)), None),
        }
    )


def _named(case: Case, what: str) -> list[dict[str, str]]:
    return [{"code": code, **names} for code, names in case.names.get(what, {}).items()]


def _question(line: dict[str, Any], media: list[dict[str, Any]]) -> dict[str, Any]:
    answered = [attachment["media_id"] for attachment in media if attachment["question_id"] == line["question_id"]]
    return {**line, "media": list(dict.fromkeys([*line["media"], *answered]))}


def staff_entry(line: dict[str, Any]) -> StaffEntry:
    """A line of the timeline; which citizen wrote it is not shown (intake's sealed identities hold that)."""
    shown_actor = line["actor_id"] if line["actor_kind"] not in CITIZEN_KINDS else None
    return StaffEntry.model_validate({**line, "actor_id": shown_actor})


def entries_since(
    connection: Connection, case_id: UUID, version: int, scope: Scope, limit: int = 50
) -> list[StaffEntry]:
    """What came after `version`, oldest first; other cases are named to whom the scope knows them."""
    chosen = select(timeline).where(timeline.c.case_id == case_id, timeline.c.sequence > version)
    rows = connection.execute(chosen.order_by(timeline.c.sequence).limit(limit))
    entries = [dict(row._mapping) for row in rows]
    others = related.known(connection, related.names(entries), scope)
    return [staff_entry(related.without_others(line, others)) for line in entries]


# --- liaisons ---


# --- evidence ---
