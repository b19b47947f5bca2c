"""Cases whose words are kept in an older form are written anew, a batch and a transaction at a time: what was there before an
upgrade, and all of them when the form or the normalisation changes. So are those of which it is not noted when they last changed.

Any number of processes do this at once, and whatever stops them: the case itself says in which form it is. Until its turn a case
is found as it was before."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, func, or_, select, update
from sqlalchemy.dialects.postgresql import array

from services.tracking.case.lifecycle import StoredEntry
from services.tracking.messages.rules import WITHDRAWN
from services.tracking.models import cases, timeline
from services.tracking.retention.rules import WRITTEN
from services.tracking.search.document import FORM, filed_words, later_words

AT_ONCE = 200
_FILED = ("text", "reference", "place", "people", "answers", "group_common")


def renew(connection: Connection) -> int:
    """One batch; how many cases. What another process holds is left to it, or to the next time."""
    # In the order of its index; a locked row is seen as it is, so that no word written meanwhile is lost.
    older = _CHOSEN.where(cases.c.search_form < FORM).order_by(cases.c.search_form).limit(AT_ONCE)
    return _write_anew(connection, connection.execute(older.with_for_update(skip_locked=True)).all())


def renew_case(connection: Connection, case_id: UUID) -> None:
    """The words of one locked case, of which something was corrected or taken back."""
    _write_anew(connection, connection.execute(_CHOSEN.where(cases.c.case_id == case_id)).all())


_CHOSEN = select(cases.c.case_id, cases.c.number, *(cases.c[name] for name in _FILED))


def _write_anew(connection: Connection, rows: Sequence[Row[Any]]) -> int:
    if rows:
        later = _later(connection, [row.case_id for row in rows])
        words = [
            {"this": row.case_id, "words": filed_words(row.number, dict(row._mapping)) + later.get(row.case_id, "")}
            for row in rows
        ]
        this = update(cases).where(cases.c.case_id == bindparam("this"))
        connection.execute(this.values(search=bindparam("words"), search_form=FORM), words)
    return len(rows) or _note_changes(connection)


def _note_changes(connection: Connection) -> int:
    """When the last line of their timelines was written."""
    chosen = select(cases.c.case_id).where(cases.c.changed_at.is_(None)).order_by(cases.c.case_id).limit(AT_ONCE)
    ids = connection.execute(chosen.with_for_update(skip_locked=True)).scalars().all()
    if ids:
        last = select(func.max(timeline.c.at)).where(timeline.c.case_id == cases.c.case_id).scalar_subquery()
        noted = update(cases).where(cases.c.case_id.in_(ids))
        connection.execute(noted.values(changed_at=func.coalesce(last, cases.c.opened_at)))
    return len(ids)


def _later(connection: Connection, ids: Sequence[object]) -> dict[object, str]:
    """What was written in these cases since they were filed."""
    chosen = select(*(timeline.c[name] for name in StoredEntry.__dataclass_fields__))
    written = or_(timeline.c.details.has_any(array(sorted(WRITTEN))), timeline.c.entry == WITHDRAWN)
    chosen = chosen.where(timeline.c.case_id.in_(ids), written)
    rows = connection.execute(chosen.order_by(timeline.c.case_id, timeline.c.sequence))
    entries = [StoredEntry(**row._mapping) for row in rows]
    return {case_id: later_words(those) for case_id, those in groupby(entries, key=lambda entry: entry.case_id)}
