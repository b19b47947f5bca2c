"""What the commands of screening are judged by."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection

from contracts.tracking import Assign, Correct
from services.tracking.case.facts import FactsLoaders, FactsQuery
from services.tracking.reference import store as reference_store
from services.tracking.screening import workload
from services.tracking.screening.rules import AssignmentFacts, CorrectionFacts


def _load_correction(connection: Connection, command: Correct, about: FactsQuery) -> CorrectionFacts:
    kinds = reference_store.ground_kinds(connection, command.ground) if command.ground else None
    return CorrectionFacts(about.city.unit(command.unit), kinds)


def _load_assignment(connection: Connection, command: Assign, about: FactsQuery) -> AssignmentFacts:
    chosen = command.inspector or _free_inspector(connection, about)
    return AssignmentFacts(about.staff(connection, chosen) if chosen else None)


def _free_inspector(connection: Connection, about: FactsQuery) -> UUID | None:
    """Who is skilled in the ground and has the fewest open cases; where nobody is named for it, of those without any
    named skill. None when there is no one."""
    case = about.case
    excluded = {about.passed_over, case.handler, *case.excluded_staff}
    able = [
        row
        for row in workload.inspectors(connection, one_at_a_time=True)
        if row.staff_id not in excluded and not about.city.tree.has_conflict_of_interest(row.unit, case.unit)
    ]
    skilled = [row for row in able if case.ground in (row.grounds or ())]
    first = next(iter(skilled or [row for row in able if not row.grounds]), None)
    return first.staff_id if first is not None else None


FACTS_LOADERS: FactsLoaders = {Correct: _load_correction, Assign: _load_assignment}
