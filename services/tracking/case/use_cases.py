"""What staff do with one case: commands, each once and each on what its giver saw, and reading it."""

from __future__ import annotations

from sqlalchemy import Connection

from contracts.audit import AuditedCase, FindAuditedCase
from contracts.characters import latin_digits
from contracts.errors import NotAllowed, StaleVersion, UnknownCase
from contracts.tracking import CaseAudience, ExecuteCommand, GetCase, GetCaseAudience, StaffCase
from contracts.vocabulary import Role
from services.tracking.case import store, views
from services.tracking.case.access import Access, Reader
from services.tracking.case.context import Contexts
from services.tracking.case.idempotency import done_before
from services.tracking.case.lifecycle import CO_HANDLER, CONSULTED, Case
from services.tracking.case.null_characters import reject_null_characters
from services.tracking.case.record import Recorder
from services.tracking.case.scope import Scope
from services.tracking.case.shown_commands import Reading, ShownCommands
from services.tracking.case.view_texts import with_texts
from services.tracking.rules import COMMANDS


class CaseUseCases:
    """The use cases of staff who may know of the case."""

    def __init__(self, access: Access, contexts: Contexts, recorder: Recorder, commands: ShownCommands) -> None:
        self._access, self._contexts, self._recorder, self._commands = access, contexts, recorder, commands

    def get_case(self, connection: Connection, request: GetCase) -> StaffCase:
        """The whole case, or UnknownCase, be it that there is none or that it is none of theirs."""
        reader = self._access.reader(connection, request.actor)
        reading = Reading(reader, self._commands)
        return _existing(views.staff_case(connection, request.case_id, reader.scope, reading=reading))

    def get_audience(self, connection: Connection, request: GetCaseAudience) -> CaseAudience:
        """Who of the staff may know of the case; UnknownCase for who may not."""
        row = store.audience(connection, request.case_id, self._access.scope(connection, request.actor))
        if row is None:
            raise UnknownCase
        return CaseAudience(
            unit=row.unit,
            handler=row.handler,
            co_handlers=[line["staff"] for line in row.colleagues if line["as"] == CO_HANDLER],
            consulted=[line["staff"] for line in row.colleagues if line["as"] == CONSULTED],
        )

    def find_audited(self, connection: Connection, request: FindAuditedCase) -> AuditedCase:
        """The id of the case with this number, for the auditor's filter. NotAllowed, UnknownCase."""
        scope = self._access.conflict_free_scope(connection, request.actor)
        if Role.AUDITOR not in request.actor.roles:
            raise NotAllowed
        reject_null_characters(request)
        case_id = store.id_of_number(connection, latin_digits(request.number.strip()), scope)
        if case_id is None:
            raise UnknownCase
        return AuditedCase(case_id=case_id)

    def reading(self, reader: Reader) -> Reading:
        """Who reads a case, for a view that says what they may do with it."""
        return Reading(reader, self._commands)

    def execute(self, connection: Connection, request: ExecuteCommand) -> StaffCase:
        """A command of staff. UnknownCase, StaleVersion, KeyReused, and what its rule raises."""
        reject_null_characters(request)
        reader, command = self._access.reader(connection, request.actor), request.command
        scope, reading = reader.scope, self.reading(reader)
        other_id, partner = COMMANDS.other_case(command), None
        if COMMANDS.has_partner(command):
            other_id = partner = store.merged_into(connection, request.case_id)
        ids = [request.case_id, *([other_id] if other_id else [])]
        locked = store.lock_for_staff(connection, ids, scope, partner)
        case = locked.get(request.case_id)
        if case is None:
            raise UnknownCase
        if done_before(connection, request.actor, request.idempotency_key, case.case_id, command):
            return _existing(views.staff_case(connection, case.case_id, scope, reading=reading))
        if case.version != request.expected_version or COMMANDS.partner(case, command) != partner:
            raise self._stale(connection, request, case, scope)
        other = locked.get(other_id) if other_id is not None else None
        context = self._contexts.for_command(connection, case, command, request.actor, other)
        self._recorder.record(connection, COMMANDS.act(case, command, context), request.actor, context.now)
        if other is not None:
            self._recorder.record(connection, COMMANDS.change_other(case, command, other), request.actor, context.now)
        # Who has just found the case to be about their own unit sees this answer, and then no more.
        return _existing(views.staff_case(connection, case.case_id, scope, after_command=True, reading=reading))

    def _stale(self, connection: Connection, request: ExecuteCommand, case: Case, scope: Scope) -> StaleVersion:
        """What came after the giver's version, and the case as they would read it now: it need not be asked for again."""
        later = views.entries_since(connection, case.case_id, request.expected_version, scope)
        view = self.get_case(connection, GetCase(actor=request.actor, case_id=case.case_id))
        changes = [with_texts(entry, request.actor.language).model_dump(mode="json") for entry in later]
        return StaleVersion(current=case.version, changes=changes, case=view.model_dump(mode="json"))


def _existing(view: StaffCase | None) -> StaffCase:
    if view is None:
        raise UnknownCase
    return view
