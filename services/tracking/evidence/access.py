"""Which case media belongs to, for who may see it; one query each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, FromClause, and_, exists, func, literal_column, or_, select

from services.tracking.case.scope import Scope
from services.tracking.evidence import store as evidence
from services.tracking.merging.views import goes_on_with
from services.tracking.models import attachments, cases, questions


@dataclass(frozen=True)
class MediaOwner:
    """The case that media belongs to, and what it is saved as for this reader."""

    case_id: UUID
    label: str


_SENT_BY_CITIZEN = (attachments.c.from_office.is_(False), attachments.c.withdrawn_at.is_(None))
"""What the citizen gave the case and did not take back."""


def media_for_staff(connection: Connection, media_id: str, scope: Scope, case_id: UUID | None) -> MediaOwner | None:
    """The case, known to this scope or merged into one that it handles, that the media belongs to."""
    return _media_owner(connection, media_id, case_id, or_(scope.condition(), goes_on_with(scope)))


def media_for_code(
    connection: Connection, media_id: str, code_hashes: Sequence[str], case_id: UUID | None
) -> MediaOwner | None:
    """The case of this code, when the citizen gave it this media."""
    return _media_owner(
        connection,
        media_id,
        case_id,
        cases.c.code_hash.in_(code_hashes),
        *_SENT_BY_CITIZEN,
    )


def media_for_citizen(
    connection: Connection, media_id: str, citizen_id: UUID, case_id: UUID | None
) -> MediaOwner | None:
    """The citizen's own case, when the citizen gave it this media."""
    return _media_owner(connection, media_id, case_id, cases.c.citizen_id == citizen_id, *_SENT_BY_CITIZEN)


def media_for_units(
    connection: Connection, media_id: str, units: Iterable[str], question_id: UUID
) -> MediaOwner | None:
    """The case of a question put to one of these units, when the media was sent along or answered with."""
    question_to_unit = exists(literal_column("1")).where(
        questions.c.question_id == question_id,
        questions.c.case_id == attachments.c.case_id,
        questions.c.unit.in_(sorted(units)),
        sent_along(attachments),
    )
    with_it = exists(literal_column("1")).where(questions.c.question_id == question_id, sent_along(evidence.counted))
    number = evidence.place_in_case(with_it, evidence.not_withheld(evidence.counted))
    return _media_owner(connection, media_id, None, question_to_unit, number=number)


def sent_along(of: FromClause) -> ColumnElement[bool]:
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
