"""The formal letter of a case that is decided or refused: what it tells, and the queries it is read by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, func, select

from contracts.errors import NoLetter, UnknownCase
from contracts.letters import Letter, ReadLetter
from contracts.vocabulary import ActorKind
from services.tracking.life import Case
from services.tracking.models import cases, timeline
from services.tracking.scope import Scope
from services.tracking.store import CASE_COLUMNS, case_of


def letter_of(case: Case, refused_at: datetime | None) -> Letter:
    """The letter. NoLetter while the case is neither decided nor refused. A decision that an objection calls in question
    keeps its letter until the final one, the second of the case, takes its place."""
    decided = case.outcome is not None and case.decided_at is not None
    issued_at = case.decided_at if decided else refused_at
    if issued_at is None:
        raise NoLetter
    named = case.names.get("refusal", {}).get(case.refusal_reason, {})
    return Letter(
        number=f"{case.number}-{2 if case.final else 1}",
        case_number=case.number,
        issued_at=issued_at,
        kind=case.kind,
        unit_name_fa=case.unit_name_fa,
        unit_name_en=case.unit_name_en,
        ground=case.ground,
        filed_at=case.filed_at,
        outcome=case.outcome,
        reasons=case.reasons,
        final=case.final,
        objection_until=case.objection_until,
        recommended_until=sorted({date.fromisoformat(one["due_on"]) for one in case.recommendations}),
        refusal_reason=None if decided else case.refusal_reason,
        refusal_name_fa=None if decided else named.get("name_fa"),
        refusal_name_en=None if decided else named.get("name_en"),
        refusal_explanation=None if decided else case.refusal_explanation,
        refusal_address=None if decided else case.refusal_address,
    )


def read(connection: Connection, request: ReadLetter, scope: Scope | None) -> Letter:
    """The letter for who asks; `scope` for staff. UnknownCase, also when it is not for them; NoLetter."""
    whose: Sequence[ColumnElement[bool]]
    if scope is not None:
        whose = (cases.c.case_id == request.case_id, scope.condition())
    elif request.actor.kind is ActorKind.CITIZEN:
        whose = (cases.c.case_id == request.case_id, cases.c.citizen_id == UUID(request.actor.id))
    else:
        whose = (cases.c.code_hash.in_(request.code_hashes),)
    row = connection.execute(select(*CASE_COLUMNS, _REFUSED_AT).where(*whose)).first()
    if row is None:
        raise UnknownCase
    return letter_of(case_of(row), row.refused_at)


_REFUSED_AT = (
    # The moment itself is on the timeline alone; of its cases' lines there are few.
    select(func.max(timeline.c.at))
    .where(timeline.c.case_id == cases.c.case_id, timeline.c.entry == "refused")
    .scalar_subquery()
    .label("refused_at")
)
