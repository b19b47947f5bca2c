"""What staff read of a case: one query, whole, and the same query with what a command is judged by. Both carry the scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, select
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from contracts.gateway import FILED_CONTENT
from contracts.tracking import ExecuteCommand, StaffCase, StaffEntry
from contracts.vocabulary import ActorKind, Language
from services.tracking.case import unanswered, view_parts
from services.tracking.case.facts import FactsPart
from services.tracking.case.idempotency import EARLIER
from services.tracking.case.json_queries import as_sql, json_object
from services.tracking.case.lifecycle import CONSULTED, Case
from services.tracking.case.looks import seen_part
from services.tracking.case.scope import CONDITION, Scope
from services.tracking.case.shown_commands import Reading, open_question
from services.tracking.case.store import ROW_VERSION, case_of_json
from services.tracking.case.view_deadlines import asked, deadline_of
from services.tracking.case.view_texts import with_texts
from services.tracking.evidence import store as evidence
from services.tracking.inquiry.store import OPEN_QUESTION
from services.tracking.merging import related
from services.tracking.merging import views as merging_views
from services.tracking.messages.rules import FILED_CORRECTED, unread_when_withdrawn
from services.tracking.messages.store import withdrawn_lines
from services.tracking.models import cases, catalogue, timeline
from services.tracking.reference.names import names_of
from services.tracking.reference.store import liaison_part, member_part
from services.tracking.visits.views import staff_visit, visits_part

_AS_FILED = ("unit_asked", *FILED_CONTENT, "language", "consent", "answered_questions")
_OF_GROUP = ("group_members", "group_common")
_PARTS: dict[str, Any] = {
    **view_parts.case_parts(),
    "filed": json_object(**{name: cases.c[name] for name in (*_AS_FILED, *_OF_GROUP)}),
    "entries": view_parts.timeline_part().element,
    "questions": view_parts.questions_part().element,
    "media": view_parts.media_part().element,
    "visits": visits_part().element,
    "followed": view_parts.recommendations_part(),
    "reminders": view_parts.reminders_part(),
    "merged": merging_views.merged_part(),
    "liaison": liaison_part(),
    "names": view_parts.names_part(),
    "seen": seen_part(),
    "texts_erased": cases.c.texts_erased_at.is_not(None),
}
_THIS = cases.c.case_id == bindparam("case_id", type_=PG_UUID, required=False)
_STAFF = select(json_object(**_PARTS)).where(_THIS)
_FOR_STAFF, _AFTER_COMMAND = as_sql(_STAFF.where(CONDITION)), as_sql(_STAFF)
_FOR_COMMAND: dict[str, Any] = {
    "row_version": ROW_VERSION,
    "catalogue": select(catalogue.c.version).scalar_subquery(),
    "member": member_part("member"),
    "earlier": EARLIER,
    "question": OPEN_QUESTION,
}
_FOR_REPLY = as_sql(
    select(
        json_object(
            **view_parts.case_parts(),
            **{part: _PARTS[part] for part in ("entries", "visits")},
            **{part: _FOR_COMMAND[part] for part in ("row_version", "catalogue", "question")},
        )
    ).where(_THIS)
)
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
    *("anonymous", "channel", "filed_at", "expected_on", "handler", "score", "transfers"),
)


def staff_case(
    connection: Connection,
    case_id: UUID,
    scope: Scope,
    after_command: bool = False,
    reading: Reading | None = None,
) -> StaffCase | None:
    """The whole case. `after_command`, of the same person in the same transaction: whatever it made of the case, they see
    it this once; the cases linked to it are those of the scope all the same. `reading`: who reads it, None: a process."""
    query = _AFTER_COMMAND if after_command else _FOR_STAFF
    given = {"case_id": case_id, "reader": UUID(reading.reader.actor.id) if reading else None, **scope.given()}
    parts = connection.exec_driver_sql(query, given).scalar()
    if parts is None:
        return None
    case = case_of_parts(parts)
    return view_of_parts(case, parts, related.of_case(connection, case, parts["entries"] or [], scope), reading)


def read_for_command(
    connection: Connection,
    request: ExecuteCommand,
    scope: Scope,
    facts: FactsPart | None,
    parameters: Mapping[str, Any],
) -> dict[str, Any] | None:
    """What a command of staff is judged by and answered with, of one moment: the parts of the case's view, and

    `row_version`: of the case's row; `catalogue`: the newest version; `member`: its giver as accounts published them; `earlier`:
    what its key was used for; `question`: the open one; `facts`: of its loader."""
    actor = request.actor
    about = {"actor": f"{actor.kind}:{actor.id}", "key": request.idempotency_key, "member": UUID(actor.id)}
    given = {"case_id": request.case_id, "reader": about["member"], **scope.given(), **about, **parameters}
    parts: dict[str, Any] | None = connection.exec_driver_sql(_for_command(facts), given).scalar()
    return parts


@cache
def _for_command(facts: FactsPart | None) -> str:
    parts = {**_PARTS, **_FOR_COMMAND, **({} if facts is None else {"facts": facts.query})}
    return as_sql(select(json_object(**parts)).where(_THIS, CONDITION))


def read_for_reply(connection: Connection, case_id: UUID) -> dict[str, Any] | None:
    """What a reply by SMS is judged by, of one moment and under the names of `read_for_command`. Nobody is shown it: no scope."""
    parts: dict[str, Any] | None = connection.exec_driver_sql(_FOR_REPLY, {"case_id": case_id}).scalar()
    return parts


def case_of_parts(parts: Mapping[str, Any]) -> Case:
    """The case of the parts of a view."""
    return case_of_json(parts["case"] | parts["rest"])


def view_of_parts(
    case: Case, parts: Mapping[str, Any], others: Sequence[Row[Any]], reading: Reading | None = None
) -> StaffCase:
    """The view of a case that has these parts. `others`: the cases that it names, as far as the reader knows them."""
    entries, questions, media = (parts[part] or [] for part in ("entries", "questions", "media"))
    entries = without_texts(entries, unread_when_withdrawn(entries))
    filed = {name: parts["filed"][name] for name in _AS_FILED}
    filed["answered_questions"] = filed["answered_questions"] or []
    members, common = (parts["filed"][name] for name in _OF_GROUP)
    names = _names_in(parts)
    view = StaffCase.model_validate(
        filed
        | {name: getattr(case, name) for name in _AS_IT_IS}
        | {
            "decision": (decision := view_parts.decision_of(case)) and dict(decision),
            "root_causes": case.root_causes,
            "recommendations": case.recommendations,
            "refusal": next(iter(_named(case, "refusal")), None),
            "root_cause_names": _named(case, "causes"),
            "handler_name": names.get(str(case.handler)),
            "consent_recorded_by_name": names.get(str((filed["consent"] or {}).get("recorded_by"))),
            "proposal": case.proposal and {**case.proposal, "by_name": names.get(str(case.proposal["by"]))},
            "closed_reason": unanswered.REASON if case.unanswered else None,
            "checklist": [{**item, "done_by_name": names.get(str(item.get("done_by")))} for item in case.checklist],
            "group": {"members": members, "common": common} if members else None,
            "questions": [_question(line, media, reading) for line in questions],
            "attachments": [evidence.view_for_staff(line, media, names) for line in media],
            "visits": [staff_visit(line) for line in parts["visits"] or []],
            "timeline": [staff_entry(related.without_others(line, others), names) for line in entries],
            "followed": [{**line, "case_id": case.case_id, "number": case.number} for line in parts["followed"] or []],
            "reminders": parts["reminders"] or [],
            "co_handlers": case.co_handlers,
            "consultations": [_consultation(line, names) for line in case.colleagues if line["as"] == CONSULTED],
            "linked": [dict(row._mapping) for row in others if str(row.case_id) in case.links],
            "unit_has_liaison": parts["liaison"],
            "merged_cases": merging_views.shown(parts["merged"] or []),
            "filed_corrected_at": next(
                (line["at"] for line in reversed(entries) if line["entry"] == FILED_CORRECTED), None
            ),
            "merged_into": next((row.case_id for row in others if row.case_id == case.merged_into), None),
            "co_handler_names": {str(one): names[str(one)] for one in case.co_handlers if str(one) in names},
            "last_activity_at": entries[-1]["at"] if entries else None,
            "attachment_count": len(media),
            **(_for_reader(case, parts, reading, names) if reading is not None else {}),
        }
    )
    return view if reading is None else with_texts(view, reading.reader.actor.language)


def _for_reader(case: Case, parts: Mapping[str, Any], reading: Reading, names: Mapping[str, str]) -> dict[str, Any]:
    """What its view says to this reader: what they may do, what is owed, in their language."""
    reader, commands = reading.reader, reading.commands
    language = reader.actor.language
    ground, question = reader.city.ground_name(case.ground, language), open_question(parts["questions"] or [])
    return {
        "commands": commands.of(reader, case, parts, names),
        "seen_version": parts["seen"],
        "unread": sum(
            line["sequence"] > (parts["seen"] or 0) and line["actor_id"] != reader.actor.id
            for line in parts["entries"] or []
        ),
        "deadline": deadline_of(case, reader.city, commands.today(), language, ground),
        "open_question": asked(case, question, reader.city, language),
        "ground_name": ground,
        "unit_name": case.unit_name_fa if language is Language.FA else case.unit_name_en,
    }


def _named(case: Case, what: str) -> list[dict[str, str]]:
    return [{"code": code, **names} for code, names in case.names.get(what, {}).items()]


def _consultation(line: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    about = {"colleague": line["staff"], "asked_by": line["by"], "asked_at": line["at"]}
    about |= {"colleague_name": names.get(line["staff"]), "asked_by_name": names.get(line["by"])}
    return {**about, "consultation_id": line["consultation_id"], "text": line["text"]}


def _question(line: dict[str, Any], media: list[dict[str, Any]], reading: Reading | None) -> dict[str, Any]:
    answered = [attachment["media_id"] for attachment in media if attachment["question_id"] == line["question_id"]]
    unit = reading.reader.city.unit(line["unit"]) if reading is not None else None
    persian = reading is not None and reading.reader.actor.language is Language.FA
    name = None if unit is None else unit.name_fa if persian else unit.name_en
    return {**line, "unit_name": name, "media": list(dict.fromkeys([*line["media"], *answered]))}


def _names_in(parts: Mapping[str, Any]) -> dict[str, str]:
    """Names by ids: of the case's view, and of those whom a command has just brought in (its giver, whom it names)."""
    names = dict(parts.get("names") or {})
    facts = parts.get("facts")
    for member in (parts.get("member"), *(facts if isinstance(facts, list) else [facts])):
        if isinstance(member, dict) and member.get("display_name"):
            names[member["staff_id"]] = member["display_name"]
    return names


def without_texts(lines: Sequence[dict[str, Any]], unread: frozenset[str]) -> list[dict[str, Any]]:
    """These lines without the texts of messages, by id, that were taken back before anybody had read them."""
    if not unread:
        return list(lines)
    return [
        {**line, "details": {name: value for name, value in line["details"].items() if name != "text"}}
        if line["details"].get("message_id") in unread
        else line
        for line in lines
    ]


def staff_entry(line: dict[str, Any], names: Mapping[str, str]) -> StaffEntry:
    """A line of the timeline, with the names of the staff it is about; which citizen wrote it is not shown (intake's sealed
    identities hold that)."""
    shown_actor = line["actor_id"] if line["actor_kind"] not in view_parts.CITIZEN_KINDS else None
    about = {id_: names[id_] for id_ in staff_in(line["details"]) if id_ in names}
    return StaffEntry.model_validate(
        {**line, "actor_id": shown_actor, "actor_name": names.get(str(shown_actor)), "names": about}
    )


def staff_in(details: Mapping[str, Any]) -> list[str]:
    """The members of staff whom an entry of the timeline is about, by id."""
    return [
        *(details[name] for name in ("inspector", "colleague", "proposed_by", "on_behalf_of") if details.get(name)),
        *(details.get("mentions") or ()),
    ]


def entries_since(
    connection: Connection, case_id: UUID, version: int, scope: Scope, limit: int = 50
) -> list[StaffEntry]:
    """What came after `version`, oldest first; other cases are named to whom the scope knows them."""
    chosen = select(timeline).where(timeline.c.case_id == case_id, timeline.c.sequence > version)
    rows = connection.execute(chosen.order_by(timeline.c.sequence).limit(limit))
    entries = [dict(row._mapping) for row in rows]
    if any("message_id" in entry["details"] for entry in entries):
        entries = without_texts(entries, unread_when_withdrawn(withdrawn_lines(connection, case_id)))
    others = related.in_scope(connection, related.names(entries), scope)
    doers = [entry["actor_id"] for entry in entries if entry["actor_kind"] == ActorKind.STAFF]
    named = [UUID(id_) for id_ in (*doers, *(id_ for entry in entries for id_ in staff_in(entry["details"])))]
    names = names_of(connection, named)
    return [staff_entry(related.without_others(line, others), names) for line in entries]
