"""Queries on the colleagues of cases, a line of comment each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, cast, func, select

from contracts.tracking import AddCoHandler, ConsultColleague
from services.tracking.case.facts import FactsLoaders, FactsPart, FactsQuery, loaded_as
from services.tracking.case.lifecycle import Change
from services.tracking.case.record import Amendment, ViewParts
from services.tracking.colleagues import rules
from services.tracking.colleagues.rules import ColleagueFacts
from services.tracking.models import cases, staff
from services.tracking.reference.store import AWAY, NamedMember, member_of_json, member_of_row, member_part
from services.tracking.row_conditions import HAS_COLLEAGUES


def all_colleagues(connection: Connection) -> Sequence[Row[Any]]:
    """Each colleague of each open case, with what accounts published of them, and what the case is about."""
    line = func.jsonb_array_elements(cases.c.colleagues).table_valued("value", joins_implicitly=True)
    this = cast(line.c.value.op("->>")("staff"), staff.c.staff_id.type)
    chosen = select(cases.c.case_id, cases.c.unit.label("about"), staff)
    return connection.execute(chosen.where(HAS_COLLEAGUES, this == staff.c.staff_id)).all()


def active_members(connection: Connection) -> list[NamedMember]:
    """All members of staff whose accounts are open and have a name."""
    chosen = select(staff, AWAY.label("stands_in_for")).where(staff.c.active, staff.c.display_name.is_not(None))
    return [
        NamedMember(
            replace(member_of_row(row), stands_in_for=frozenset(map(UUID, row.stands_in_for))), row.display_name
        )
        for row in connection.execute(chosen)
    ]


def _facts(member: Mapping[str, Any] | None, command: Any, about: FactsQuery) -> ColleagueFacts:
    return ColleagueFacts(about.staff_facts(member_of_json(member)))


def _part(field: str) -> FactsPart:
    return FactsPart(member_part("colleague"), lambda command: {"colleague": getattr(command, field)}, _facts)


FACTS_LOADERS: FactsLoaders = {
    AddCoHandler: loaded_as(_part("inspector")),
    ConsultColleague: loaded_as(_part("colleague")),
}


def _amend(connection: Connection, change: Change, at: datetime) -> Change:
    return rules.end_with_case(change) if change.case.colleagues else change


def _adds_nothing(parts: ViewParts, change: Change) -> bool:
    return not change.case.colleagues or rules.end_with_case(change) == change


END_WITH_CASE = Amendment(_amend, _adds_nothing)
