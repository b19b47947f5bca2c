"""The formal letter of a case that is decided or refused: its number, and the queries it is read by."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Label, String, cast, func, select

from backbone.persian import jalali
from backbone.storage import writes
from backbone.storage.writes import Write
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
_DRAWN = 16

_VOID = """
UPDATE letters SET void_at = given.void_at FROM json_to_recordset({rows}) AS given(case_id uuid, void_at timestamptz)
WHERE letters.case_id = given.case_id AND letters.void_at IS NULL
"""
LETTER_ENTRIES = frozenset({"decided", "refused"})
"""Timeline entries for which the citizen gets a letter."""


def registering(case_id: UUID, sequence: int, issued_at: datetime, approved: bool) -> list[Write]:
    """Gives the letter of this entry of the timeline its number, in the transaction of the entry. Seven digits by lot: a
    running number would reveal to each citizen how many letters, and so complaints, there were since the last one.

    Of the numbers drawn the first that is free is taken: with that the letter is there, and the others are in its way. Where none
    is free nothing of the statement is done: the command can be given again, and draws others."""
    year = jalali.year(jalali.today(issued_at))
    about = {"case_id": case_id, "sequence": sequence, "year": year, "approved": approved}
    drawn = (_FEWEST + secrets.randbelow(_MOST - _FEWEST + 1) for _ in range(_DRAWN))
    [adding] = writes.insert(letters, [{**about, "serial": serial} for serial in drawn], "ON CONFLICT DO NOTHING")
    return [replace(adding, needed=True)]


def read(connection: Connection, request: ReadLetter, scope: Scope | None) -> Letter:
    """The letter for who asks; `scope` for staff. UnknownCase, also when it is not for them; NoLetter."""
    whose: Sequence[ColumnElement[bool]]
    if scope is not None:
        whose = (cases.c.case_id == request.case_id, scope.condition())
    elif request.actor.kind is ActorKind.CITIZEN:
        whose = (cases.c.case_id == request.case_id, cases.c.citizen_id == UUID(request.actor.id))
    else:
        whose = (cases.c.code_hash.in_(request.code_hashes),)
    return _current(connection, whose)


def current(connection: Connection, case_number: str) -> Letter:
    """The letter of a case as it is today, whoever asks. UnknownCase, NoLetter."""
    return _current(connection, (cases.c.number == case_number,))


def _current(connection: Connection, whose: Sequence[ColumnElement[bool]]) -> Letter:
    row = connection.execute(select(*CASE_COLUMNS, _REFUSED_AT, *_LETTER).where(*whose)).first()
    if row is None:
        raise UnknownCase
    number, approved = row.letter_number, bool(row.letter_approved)
    return letter_of(case_of(row), row.refused_at, number, approved, row.letter_place, row.letter_replaces)


_REFUSED_AT = (
    # The moment itself is on the timeline alone; of its cases' lines there are few.
    select(func.max(timeline.c.at))
    .where(timeline.c.case_id == cases.c.case_id, timeline.c.entry == "refused")
    .scalar_subquery()
    .label("refused_at")
)


def _of_latest(value: ColumnElement[Any], name: str) -> Label[Any]:
    """Of the current letter: the last that was given a number and is not void."""
    return _of_last(value, letters.c.void_at.is_(None), name)


def _of_last(value: ColumnElement[Any], which: ColumnElement[bool], name: str) -> Label[Any]:
    last = select(value).where(letters.c.case_id == cases.c.case_id, which).order_by(letters.c.sequence.desc())
    return last.limit(1).scalar_subquery().label(name)


_WRITTEN = cast(letters.c.year, String) + "/" + cast(letters.c.serial, String)
_LETTER = (
    _of_latest(_WRITTEN, "letter_number"),
    _of_latest(letters.c.approved, "letter_approved"),
    _of_last(_WRITTEN, letters.c.void_at.is_not(None), "letter_replaces"),
    select(func.count()).where(letters.c.case_id == cases.c.case_id).scalar_subquery().label("letter_place"),
)


def _register(entry: StoredEntry, recorded: Recorded) -> list[Write]:
    return registering(entry.case_id, entry.sequence, recorded.at, "proposed_by" in entry.details)


def _void(entry: StoredEntry, recorded: Recorded) -> list[Write]:
    return [Write(_VOID, [{"case_id": entry.case_id, "void_at": recorded.at}])]


ENTRY_REACTIONS: EntryReactions = {
    **dict.fromkeys(LETTER_ENTRIES, _register),
    **dict.fromkeys(("refusal_taken_back", "decision_taken_back"), _void),
}
