"""Other cases that a case names: linked to it, merged into it, or those that it was merged into. Whoever reads it learns of
those that they may know of, and of the others neither number nor id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, or_, select

from services.tracking.case.lifecycle import Case
from services.tracking.case.scope import Scope
from services.tracking.models import cases

_NAMING = {
    "linked": ("case_id",),
    "unlinked": ("case_id",),
    "merged": ("into", "number"),
    "duplicate_joined": ("number",),
    "duplicate_parted": ("number",),
}
"""Entries of a timeline that name another case, and by what."""
_ID = len(str(UUID(int=0)))


def of_case(
    connection: Connection, case: Case, entries: Iterable[Mapping[str, Any]], scope: Scope
) -> Sequence[Row[Any]]:
    """The cases that this one names, by its links or in its timeline, as far as the scope knows them."""
    return in_scope(
        connection, [*case.links, *names(entries), *([str(case.merged_into)] if case.merged_into else [])], scope
    )


def in_scope(connection: Connection, named: Iterable[str], scope: Scope) -> Sequence[Row[Any]]:
    """The cases of these ids and numbers that the scope knows, by number."""
    wanted = sorted(set(named))
    if not wanted:
        return []
    ids = [UUID(name) for name in wanted if len(name) == _ID]
    chosen = select(cases.c.case_id, cases.c.number, cases.c.stage)
    chosen = chosen.where(or_(cases.c.case_id.in_(ids), cases.c.number.in_(wanted)), scope.condition())
    return connection.execute(chosen.order_by(cases.c.number)).all()


def names(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """By what these lines name other cases."""
    return [
        line["details"][name] for line in entries for name in _NAMING.get(line["entry"], ()) if name in line["details"]
    ]


def without_others(line: dict[str, Any], those: Sequence[Row[Any]]) -> dict[str, Any]:
    """A line, naming no case but those."""
    if line["entry"] not in _NAMING:
        return line
    shown = {name for row in those for name in (str(row.case_id), row.number)}
    hidden = {name for name in _NAMING[line["entry"]] if line["details"].get(name) not in shown}
    return {**line, "details": {name: value for name, value in line["details"].items() if name not in hidden}}
