"""What a command of staff is judged by beside the case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from sqlalchemy import Connection

from contracts.gateway import Actor
from contracts.tracking import AddNote, AskUnit, Assign, Correct, SettleRecommendation, StaffCommand
from contracts.vocabulary import Role
from services.tracking.case.context import Contexts
from services.tracking.case.lifecycle import Case, Context, StaffFacts
from services.tracking.case.scope import SEE_ALL
from services.tracking.decisions import store as decisions_store
from services.tracking.evidence import store as evidence_store
from services.tracking.reference import store as reference_store
from services.tracking.reference.catalogue import CatalogueCopy
from services.tracking.screening import workload


class Facts:
    """Loads what a command names."""

    def __init__(self, catalogue: CatalogueCopy, contexts: Contexts) -> None:
        self._catalogue, self._contexts = catalogue, contexts

    def load(
        self,
        connection: Connection,
        case: Case,
        command: StaffCommand,
        target: Case | None,
        actor: Actor,
        passed_over: UUID | None = None,
    ) -> Context:
        """The context of this command. `passed_over`: who is not chosen when the choice is ours."""
        city = self._catalogue.current(connection)
        context = replace(self._contexts.of(connection, actor, case), target=target)
        if isinstance(command, Assign):
            chosen = command.inspector or self._free_inspector(connection, case, passed_over)
            return replace(context, staff=self.candidate(connection, case, chosen) if chosen else None)
        if isinstance(command, Correct):
            kinds = reference_store.ground_kinds(connection, command.ground) if command.ground else None
            return replace(context, unit=city.unit(command.unit), ground_kinds=kinds)
        if isinstance(command, AddNote) and command.mentions:
            return replace(context, may_see=self._may_see(connection, case, command.mentions))
        if isinstance(command, SettleRecommendation):
            rows = decisions_store.of_case(connection, case.case_id, command.recommendation_id)
            return replace(context, recommended=rows[0] if rows else None)
        if isinstance(command, AskUnit):
            media = evidence_store.media_of(connection, case.case_id)
            return replace(context, unit=city.unit(command.unit or case.unit), media=media)
        return context

    def candidate(self, connection: Connection, case: Case, staff_id: UUID) -> StaffFacts | None:
        """A member of staff who may be made the case's handler; None for an unknown one."""
        row = reference_store.member(connection, staff_id)
        if row is None:
            return None
        conflicted = self._catalogue.current(connection).conflicts(row.unit, case.unit)
        return StaffFacts(staff_id, row.active, Role.INSPECTOR in row.roles, conflicted)

    def _may_see(self, connection: Connection, case: Case, ids: Iterable[UUID]) -> frozenset[UUID]:
        """Those of these members of staff who may know of the case."""
        city = self._catalogue.current(connection)
        return frozenset(
            row.staff_id
            for row in reference_store.members(connection, ids)
            if (SEE_ALL & set(row.roles) or row.staff_id == case.handler) and not city.conflicts(row.unit, case.unit)
        )

    def _free_inspector(self, connection: Connection, case: Case, passed_over: UUID | None) -> UUID | None:
        """Who is skilled in the ground and has the fewest open cases; where nobody is named for it, of those without any
        named skill. None when there is no one."""
        city = self._catalogue.current(connection)
        excluded = {passed_over, case.handler, *case.barred}
        able = [
            row
            for row in workload.inspectors(connection, one_at_a_time=True)
            if row.staff_id not in excluded and not city.conflicts(row.unit, case.unit)
        ]
        skilled = [row for row in able if case.ground in (row.grounds or ())]
        first = next(iter(skilled or [row for row in able if not row.grounds]), None)
        return first.staff_id if first is not None else None
