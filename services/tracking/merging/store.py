"""Cases that were merged into others, and the ends that they are still to be informed of; a line of comment each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, and_, delete, exists, func, select, update

from backbone.storage import writes
from backbone.storage.writes import Write
from contracts.vocabulary import Stage
from services.tracking.case.lifecycle import Case, StoredEntry
from services.tracking.case.record import EntryReactions, Recorded
from services.tracking.case.store import CASE_COLUMNS, case_of
from services.tracking.merging.rules import OF_OTHER_CASE, TAKEN_BACK, TOLD_OF_END
from services.tracking.models import cases, pending_outcomes, timeline

ENDING_ENTRIES = frozenset(
    {"decided", "joined_decided", "refused", "joined_refused", "withdrawn", "closed_unanswered", *TAKEN_BACK}
)
"""What happens to a case that those merged into it are concerned by."""


# Only where there are such. A merge changes both cases, so none comes in between.
_NOTE_END = f"""
INSERT INTO pending_outcomes (case_id, sequence, outcome, final)
SELECT given.case_id, given.sequence, given.outcome, given.final FROM {writes.given(pending_outcomes)}
WHERE EXISTS (SELECT FROM cases WHERE cases.merged_into = given.case_id)
"""


def take_ends(connection: Connection, limit: int) -> Sequence[Row[Any]]:
    """Ends that others are to be informed of, as their timelines have them, removed; of one case the earlier first, and what
    another process holds is left to it."""
    earlier = pending_outcomes.alias()
    first = ~exists().where(
        earlier.c.case_id == pending_outcomes.c.case_id, earlier.c.sequence < pending_outcomes.c.sequence
    )
    line = and_(timeline.c.case_id == pending_outcomes.c.case_id, timeline.c.sequence == pending_outcomes.c.sequence)
    chosen = (
        select(pending_outcomes.c.case_id, pending_outcomes.c.sequence, cases.c.number)
        .add_columns(timeline.c.entry, timeline.c.details)
        .join(timeline, line)
        .join(cases, cases.c.case_id == pending_outcomes.c.case_id)
        .where(first)
        .order_by(pending_outcomes.c.case_id)
        .limit(limit)
    )
    rows = connection.execute(chosen.with_for_update(of=pending_outcomes, skip_locked=True)).all()
    for row in rows:
        connection.execute(
            delete(pending_outcomes).where(
                pending_outcomes.c.case_id == row.case_id, pending_outcomes.c.sequence == row.sequence
            )
        )
    return rows


def lock_merged(connection: Connection, into: UUID) -> list[tuple[Case, bool]]:
    """The cases merged into one, locked in the order of their ids; each with whether it was informed of an outcome that
    holds."""
    last = (
        select(timeline.c.entry)
        .where(timeline.c.case_id == cases.c.case_id, timeline.c.entry.in_(OF_OTHER_CASE))
        .order_by(timeline.c.sequence.desc())
        .limit(1)
        .scalar_subquery()
    )
    informed = func.coalesce(last.in_(TOLD_OF_END), False).label("informed")
    chosen = select(*CASE_COLUMNS, informed).where(cases.c.merged_into == into, cases.c.stage == Stage.MERGED)
    rows = connection.execute(chosen.order_by(cases.c.case_id).with_for_update(of=cases))
    return [(case_of(row), row.informed) for row in rows]


def reopen(connection: Connection, case_id: UUID) -> None:
    """A merged case that is open again has not ended."""
    connection.execute(update(cases).where(cases.c.case_id == case_id).values(ended_at=None))


def _note_end(entry: StoredEntry, recorded: Recorded) -> list[Write]:
    """An end of which to inform those merged into this case: the outcome, or how else it ended."""
    end, final = entry.details.get("outcome", entry.entry), entry.details.get("final", False)
    row = {"case_id": entry.case_id, "sequence": entry.sequence, "outcome": str(end), "final": final}
    return [Write(_NOTE_END, [row])]


ENTRY_REACTIONS: EntryReactions = dict.fromkeys(ENDING_ENTRIES, _note_end)
