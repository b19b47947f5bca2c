"""Cases that were merged into others, and what they are still to be told; a line of comment each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, exists, insert, literal, select

from contracts.vocabulary import Stage
from services.tracking.life import Case
from services.tracking.models import cases, outcomes_to_tell
from services.tracking.store import CASE_COLUMNS, case_of


def note_outcome(connection: Connection, case_id: UUID, sequence: int, outcome: str, final: bool) -> None:
    """A decision to be told to those merged into this case, which is locked, so that none is merged meanwhile; nothing when
    there are none."""
    told = {"case_id": case_id, "sequence": sequence, "outcome": str(outcome), "final": final}
    row = select(*(literal(value, outcomes_to_tell.c[name].type) for name, value in told.items()))
    row = row.where(exists().where(cases.c.merged_into == case_id))
    connection.execute(insert(outcomes_to_tell).from_select(list(told), row))


def take_outcomes(connection: Connection, limit: int) -> Sequence[Row[Any]]:
    """Decisions to be told, taken away; of one case the earlier first, and what another process holds is left to it."""
    earlier = outcomes_to_tell.alias()
    first = ~exists().where(
        earlier.c.case_id == outcomes_to_tell.c.case_id, earlier.c.sequence < outcomes_to_tell.c.sequence
    )
    chosen = select(outcomes_to_tell).where(first).order_by(outcomes_to_tell.c.case_id).limit(limit)
    rows = connection.execute(chosen.with_for_update(skip_locked=True)).all()
    for row in rows:
        connection.execute(
            delete(outcomes_to_tell).where(
                outcomes_to_tell.c.case_id == row.case_id, outcomes_to_tell.c.sequence == row.sequence
            )
        )
    return rows


def lock_merged(connection: Connection, into: UUID) -> list[Case]:
    """The cases merged into one, locked in the order of their ids."""
    chosen = select(*CASE_COLUMNS).where(cases.c.merged_into == into, cases.c.stage == Stage.MERGED)
    return [case_of(row) for row in connection.execute(chosen.order_by(cases.c.case_id).with_for_update())]
