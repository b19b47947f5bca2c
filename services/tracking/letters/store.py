"""The formal letter of a case that is decided or refused: its number, and the queries it is read by."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Label, String, cast, func, select
from sqlalchemy.dialects.postgresql import insert

from backbone.persian import jalali
from contracts.errors import UnknownCase
from contracts.letters import Letter, ReadLetter
from contracts.vocabulary import ActorKind
from services.tracking.case.lifecycle import StoredEntry
from services.tracking.case.record import EntryReactions, Recorded
from services.tracking.case.scope import Scope
from services.tracking.case.store import CASE_COLUMNS, case_of
from services.tracking.letters.rules import letter_of
from services.tracking.models import cases, letters, timeline

_FEWEST, _MOST = 1_000_000, 9_999_999
_TRIES = 50

LETTER_ENTRIES = frozenset({"decided", "refused"})
"""Timeline entries for which the citizen gets a letter."""


def register(connection: Connection, case_id: UUID, sequence: int, issued_at: datetime, approved: bool) -> None:
    """Gives the letter of this entry of the timeline its number, in the transaction of the entry. Seven digits by lot: a
    running number would reveal to each citizen how many letters, and so complaints, there were since the last one."""
    year = jalali.year(jalali.today(issued_at))
    about = {"case_id": case_id, "sequence": sequence, "year": year, "approved": approved}
    for _ in range(_TRIES):
        serial = _FEWEST + secrets.randbelow(_MOST - _FEWEST + 1)
        added = insert(letters).values(**about, serial=serial).on_conflict_do_nothing(constraint="letters_number")
        if connection.execute(added.returning(letters.c.serial)).first() is not None:
            return
    raise RuntimeError("the numbers of this year's letters are nearly all taken")


def read(connection: Connection, request: ReadLetter, scope: Scope | None) -> Letter:
    """The letter for who asks; `scope` for staff. UnknownCase, also when it is not for them; NoLetter."""
    whose: Sequence[ColumnElement[bool]]
    if scope is not None:
        whose = (cases.c.case_id == request.case_id, scope.condition())
    elif request.actor.kind is ActorKind.CITIZEN:
        whose = (cases.c.case_id == request.case_id, cases.c.citizen_id == UUID(request.actor.id))
    else:
        whose = (cases.c.code_hash.in_(request.code_hashes),)
    row = connection.execute(select(*CASE_COLUMNS, _REFUSED_AT, _NUMBER, _APPROVED).where(*whose)).first()
    if row is None:
        raise UnknownCase
    return letter_of(case_of(row), row.refused_at, row.letter_number, bool(row.letter_approved))


_REFUSED_AT = (
    # The moment itself is on the timeline alone; of its cases' lines there are few.
    select(func.max(timeline.c.at))
    .where(timeline.c.case_id == cases.c.case_id, timeline.c.entry == "refused")
    .scalar_subquery()
    .label("refused_at")
)


def _of_latest(value: ColumnElement[Any], name: str) -> Label[Any]:
    """Of the current letter: the last that was given a number."""
    latest = select(value).where(letters.c.case_id == cases.c.case_id).order_by(letters.c.sequence.desc()).limit(1)
    return latest.scalar_subquery().label(name)


_NUMBER = _of_latest(cast(letters.c.year, String) + "/" + cast(letters.c.serial, String), "letter_number")
_APPROVED = _of_latest(letters.c.approved, "letter_approved")


def _register(connection: Connection, entry: StoredEntry, recorded: Recorded) -> None:
    register(connection, entry.case_id, entry.sequence, recorded.at, "proposed_by" in entry.details)


ENTRY_REACTIONS: EntryReactions = dict.fromkeys(LETTER_ENTRIES, _register)
