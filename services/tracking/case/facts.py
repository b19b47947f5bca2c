"""What a command is judged by beside the case: each capability gives a loader for each of its commands that needs one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from contracts.base import Contract
from contracts.vocabulary import Role
from services.tracking.case.lifecycle import Case, StaffFacts
from services.tracking.reference import store
from services.tracking.reference.catalogue import CityCatalogue


@dataclass(frozen=True)
class FactsQuery:
    """What facts are loaded for. `passed_over`: who is not chosen when the choice of a handler is ours."""

    case: Case
    city: CityCatalogue
    passed_over: UUID | None = None

    def staff(self, connection: Connection, staff_id: UUID) -> StaffFacts | None:
        """A member of staff, as to this case; None for an unknown one."""
        row = store.member(connection, staff_id)
        if row is None:
            return None
        conflicted = self.city.tree.has_conflict_of_interest(row.unit, self.case.unit)
        return StaffFacts(staff_id, row.active, Role.INSPECTOR in row.roles, conflicted)


FactsLoader = Callable[[Connection, Any, FactsQuery], Any]
FactsLoaders = Mapping[type[Contract], FactsLoader]
