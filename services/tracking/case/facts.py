"""What a command is judged by beside the case: each capability gives a loader for each of its commands that needs one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from contracts.base import Contract
from services.tracking.case.json_queries import as_sql
from services.tracking.case.lifecycle import Case, StaffFacts
from services.tracking.models import cases
from services.tracking.reference import store
from services.tracking.reference.catalogue import CityCatalogue
from services.tracking.reference.store import Member


@dataclass(frozen=True)
class FactsQuery:
    """What facts are loaded for. `passed_over`: who is not chosen when the choice of a handler is ours."""

    case: Case
    city: CityCatalogue
    passed_over: UUID | None = None

    def staff(self, connection: Connection, staff_id: UUID) -> StaffFacts | None:
        """A member of staff, as to this case; None for an unknown one."""
        return self.staff_facts(store.member(connection, staff_id))

    def staff_facts(self, member: Member | None) -> StaffFacts | None:
        """The same of one who is read already."""
        return None if member is None else self.city.handler_facts(member, self.case.unit)


@dataclass(frozen=True, eq=False)
class FactsPart:
    """Facts that one JSON subquery holds, of `cases` or of anything else, so that they can be read with the case in one
    statement. `parameters`: of the subquery, by the command; None when this command's facts are no such. `facts`: of the JSON."""

    query: Any
    parameters: Callable[[Any], Mapping[str, Any] | None]
    facts: Callable[[Any, Any, FactsQuery], Any]

    def load(self, connection: Connection, command: Contract, about: FactsQuery) -> Any:
        """The facts by themselves."""
        given = {"case_id": about.case.case_id, **(self.parameters(command) or {})}
        return self.facts(connection.exec_driver_sql(self._sql, given).scalar(), command, about)

    @cached_property
    def _sql(self) -> str:
        this = cases.c.case_id == bindparam("case_id", type_=PG_UUID, required=False)
        return as_sql(select(self.query).select_from(cases).where(this))


@dataclass(frozen=True)
class FactsLoader:
    """`load`: the facts, in the transaction that holds the case's lock. `part`: the same as a part of a larger query; None where
    they want locks of their own, or several queries."""

    load: Callable[[Connection, Any, FactsQuery], Any]
    part: FactsPart | None = None


def loaded_as(part: FactsPart) -> FactsLoader:
    """The loader of facts that are the same part for every command."""
    return FactsLoader(part.load, part)


FactsLoaders = Mapping[type[Contract], FactsLoader]
