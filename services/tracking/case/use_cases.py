"""What staff do with one case: commands, each once and each on what its giver saw, and reading it."""

from __future__ import annotations

from sqlalchemy import Connection

from contracts.errors import StaleVersion, UnknownCase
from contracts.tracking import ExecuteCommand, GetCase, LinkCase, Merge, StaffCase, StaffCommand
from contracts.visits import StaffVisitCommand
from services.tracking.case import rules, store, views
from services.tracking.case.access import Access
from services.tracking.case.facts import Facts
from services.tracking.case.idempotency import done_before
from services.tracking.case.lifecycle import Case, Change, Context
from services.tracking.case.null_characters import reject_null_characters
from services.tracking.case.record import Recorder
from services.tracking.inquiry import rules as inquiry
from services.tracking.visits.commands import act as act_on_visit


class CaseUseCases:
    """The use cases of staff who may know of the case."""

    def __init__(self, access: Access, facts: Facts, recorder: Recorder) -> None:
        self._access, self._facts, self._recorder = access, facts, recorder

    def get_case(self, connection: Connection, request: GetCase) -> StaffCase:
        """The whole case, or UnknownCase, be it that there is none or that it is none of theirs."""
        scope = self._access.scope(connection, request.actor)
        return _existing(views.staff_case(connection, request.case_id, scope))

    def execute(self, connection: Connection, request: ExecuteCommand) -> StaffCase:
        """A command of staff. UnknownCase, StaleVersion, KeyReused, and what rules.act raises."""
        reject_null_characters(request)
        scope, command = self._access.scope(connection, request.actor), request.command
        other = command.into if isinstance(command, Merge) else None
        if isinstance(command, LinkCase):
            other = command.to
        locked = store.lock_for_staff(connection, [request.case_id, *([other] if other else [])], scope)
        case = locked.get(request.case_id)
        if case is None:
            raise UnknownCase
        if done_before(connection, request.actor, request.idempotency_key, case.case_id, command):
            return _existing(views.staff_case(connection, case.case_id, scope))
        if case.version != request.expected_version:
            later = views.entries_since(connection, case.case_id, request.expected_version, scope)
            raise StaleVersion(current=case.version, changes=[entry.model_dump(mode="json") for entry in later])
        target = locked.get(other) if other is not None else None
        context = self._facts.load(connection, case, command, target, request.actor)
        change = self._act(connection, case, command, context)
        self._recorder.record(connection, change, request.actor, context.now, context.question)
        if target is not None:
            joined = rules.duplicate_merged(target, case)
            if isinstance(command, LinkCase):
                joined = inquiry.linked(target, case, command.linked)
            self._recorder.record(connection, joined, request.actor, context.now)
        # Who has just found the case to be about their own unit sees this answer, and then no more.
        return _existing(views.staff_case(connection, case.case_id, scope, after_command=True))

    def _act(self, connection: Connection, case: Case, command: StaffCommand, context: Context) -> Change:
        if not isinstance(command, StaffVisitCommand):
            return rules.act(case, command, context)
        return act_on_visit(
            connection, case, command, context, lambda staff_id: self._facts.candidate(connection, case, staff_id)
        )


def _existing(view: StaffCase | None) -> StaffCase:
    if view is None:
        raise UnknownCase
    return view
