"""What a unit sees of the questions put to it."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Connection, select, tuple_

from backbone.storage import cursors
from contracts.tracking import UnitQuestion
from services.tracking.case.view_parts import media_part
from services.tracking.evidence import store as evidence
from services.tracking.evidence.access import sent_along
from services.tracking.inquiry.rules import shown_to_unit
from services.tracking.models import attachments, questions


def unit_questions(
    connection: Connection,
    units: Iterable[str],
    open_only: bool,
    only: UUID | None = None,
    after: str | None = None,
    limit: int = 500,
) -> list[UnitQuestion]:
    """Questions put to these units, the latest first, with what was sent along or answered: never more of the case."""
    sent = media_part(sent_along(attachments), evidence.not_withheld(), of=questions.c.case_id)
    chosen = select(questions, sent.label("sent"))
    chosen = chosen.where(questions.c.unit.in_(sorted(units)))
    if open_only:
        chosen = chosen.where(questions.c.answered_at.is_(None), questions.c.lapsed_at.is_(None))
    if only is not None:
        chosen = chosen.where(questions.c.question_id == only)
    if after is not None:
        chosen = chosen.where(tuple_(questions.c.asked_at, questions.c.question_id) < cursors.decode(after))
    ordered = chosen.order_by(questions.c.asked_at.desc(), questions.c.question_id.desc())
    rows = connection.execute(ordered.limit(limit))
    return [
        UnitQuestion.model_validate(
            {
                **row._mapping,
                "media": [evidence.view_for_unit(line, number) for number, line in enumerate(row.sent or [], 1)],
                "commands": [shown_to_unit(row.answered_at is not None, row.lapsed_at is not None)],
            }
        )
        for row in rows
    ]
