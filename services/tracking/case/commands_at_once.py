"""A command of staff in two statements: one reads all that it is judged by and answered with, one writes all that it does.

No lock is held between the two: the second writes nothing when anybody has written to the case's row meanwhile. Whatever is not
plain is left to the way with a lock (use_cases.py), which also refuses what is to be refused (docs/adr/0016)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from backbone.storage.writes import Write
from contracts.tracking import ExecuteCommand, StaffCase
from services.tracking.case import views
from services.tracking.case.access import Reader, scope_as
from services.tracking.case.context import Contexts
from services.tracking.case.idempotency import noting
from services.tracking.case.null_characters import reject_null_characters
from services.tracking.case.record import Recorder
from services.tracking.case.shown_commands import Reading, ShownCommands
from services.tracking.merging import related
from services.tracking.reference.catalogue import CatalogueCopy
from services.tracking.reference.store import member_of_json
from services.tracking.rules import COMMANDS


class CommandsAtOnce:
    """The use case."""

    def __init__(
        self, catalogue: CatalogueCopy, contexts: Contexts, recorder: Recorder, commands: ShownCommands
    ) -> None:
        self._catalogue, self._contexts, self._recorder = catalogue, contexts, recorder
        self._commands = commands

    def execute(self, connection: Connection, request: ExecuteCommand, others: Sequence[Write]) -> StaffCase | None:
        """The case as it is after the command; each statement on this connection is a transaction. `others`: written with it.

        None, and nothing is written, for a command that locks or concerns a second case, and when the case is not as its giver
        saw it; what is wrong with the command itself is raised. IntegrityError when its key was used meanwhile."""
        reject_null_characters(request)
        city, part = self._catalogue.last_read, self._contexts.part(request.command)
        if city is None or part is None or COMMANDS.other_case(request.command) is not None:
            return None
        # Which unit accounts published for them is only read now; it is nearly always the one in their token.
        scope = scope_as(request.actor, None, city)
        read = views.read_for_command(connection, request, scope, *part)
        if read is None or read["earlier"] is not None or not self._catalogue.is_newest(read["catalogue"] or 0):
            return None
        member = member_of_json(read["member"])
        if scope_as(request.actor, member, city) != scope:
            return None
        reading = Reading(Reader(request.actor, scope, member, city), self._commands)
        case = views.case_of_parts(read)
        if case.version != request.expected_version or COMMANDS.partner(case, request.command) is not None:
            return None
        context = self._contexts.for_reading(read, case, request.command, request.actor, city)
        change = COMMANDS.act(case, request.command, context)
        if not (self._recorder.shows(change) and self._recorder.adds_nothing(read, change)):
            return None
        named = related.of_case(connection, case, read["entries"] or [], scope)
        recording = self._recorder.prepare(change, request.actor, context.now, read["entries"] or [])
        self._recorder.show(read, change, recording)
        answer = views.view_of_parts(
            recording.case, read, named, reading
        )  # before the write: what fails here is not done
        key = noting(request.actor, request.idempotency_key, case.case_id, request.command)
        return answer if recording.save_unless_changed(connection, read["row_version"], [*key, *others]) else None
