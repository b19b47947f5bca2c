"""Cases that were merged into others, and the ends that they are still to be informed of; a line of comment each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, and_, delete, exists, insert, literal, select, update

from contracts.vocabulary import Stage
from services.tracking.case.lifecycle import Case, StoredEntry
from services.tracking.case.record import EntryReactions, Recorded
from services.tracking.case.store import CASE_COLUMNS, case_of
from services.tracking.models import cases, outcomes_to_tell, timeline

ENDING_ENTRIES = frozenset({"decided", "joined_decided", "refused", "joined_refused", "withdrawn"})
"""What happens to a case that those merged into it are concerned by."""


def note_end(connection: Connection, case_id: UUID, sequence: int, end: str, final: bool) -> None:
    """An end of which to inform those merged into this case, which is locked, so that none is merged meanwhile; nothing when
    there are none. `end`: the outcome, or how else it ended."""
    values = {"case_id": case_id, "sequence": sequence, "outcome": str(end), "final": final}
    row = select(*(literal(value, outcomes_to_tell.c[name].type) for name, value in values.items()))
    row = row.where(exists().where(cases.c.merged_into == case_id))
    connection.execute(insert(outcomes_to_tell).from_select(list(values), row))


def take_ends(connection: Connection, limit: int) -> Sequence[Row[Any]]:
    """Ends that others are to be informed of, as their timelines have them, removed; of one case the earlier first, and what
    another process holds is left to it."""
    earlier = outcomes_to_tell.alias()
    first = ~exists().where(
        earlier.c.case_id == outcomes_to_tell.c.case_id, earlier.c.sequence < outcomes_to_tell.c.sequence
    )
    line = and_(timeline.c.case_id == outcomes_to_tell.c.case_id, timeline.c.sequence == outcomes_to_tell.c.sequence)
    chosen = (
        select(outcomes_to_tell.c.case_id, outcomes_to_tell.c.sequence, cases.c.number)
        .add_columns(timeline.c.entry, timeline.c.details)
        .join(timeline, line)
        .join(cases, cases.c.case_id == outcomes_to_tell.c.case_id)
        .where(first)
        .order_by(outcomes_to_tell.c.case_id)
        .limit(limit)
    )
    rows = connection.execute(chosen.with_for_update(of=outcomes_to_tell, skip_locked=True)).all()
    for row in rows:
        connection.execute(
            delete(outcomes_to_tell).where(
                outcomes_to_tell.c.case_id == row.case_id, outcomes_to_tell.c.sequence == row.sequence
            )
        )
    return rows


def lock_merged(connection: Connection, into: UUID) -> list[tuple[Case, bool]]:
    """The cases merged into one, locked in the order of their ids; each with whether it was informed of an outcome already."""
    informed = (
        exists().where(timeline.c.case_id == cases.c.case_id, timeline.c.entry == "joined_decided").label("informed")
    )
    chosen = select(*CASE_COLUMNS, informed).where(cases.c.merged_into == into, cases.c.stage == Stage.MERGED)
    rows = connection.execute(chosen.order_by(cases.c.case_id).with_for_update(of=cases))
    return [(case_of(row), row.informed) for row in rows]


def reopen(connection: Connection, case_id: UUID) -> None:
    """A merged case that is open again has not ended."""
    connection.execute(update(cases).where(cases.c.case_id == case_id).values(ended_at=None))


def _note_end(connection: Connection, entry: StoredEntry, recorded: Recorded) -> None:
    end, final = entry.details.get("outcome", entry.entry), entry.details.get("final", False)
    note_end(connection, entry.case_id, entry.sequence, end, final)


ENTRY_REACTIONS: EntryReactions = dict.fromkeys(ENDING_ENTRIES, _note_end)
