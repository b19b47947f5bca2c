"""What the citizen who filed a case does with it: sees it, and gives commands, each once."""

from __future__ import annotations

from sqlalchemy import Connection

from contracts.errors import NotAllowed, UnknownCase
from contracts.tracking import (
    ExecuteCitizenCommand,
    ListOwnCases,
    OwnCases,
    PublicCase,
    ViewByCode,
    ViewOwnCase,
)
from contracts.vocabulary import ActorKind
from services.tracking.case import store
from services.tracking.case.access import actor_id
from services.tracking.case.context import Contexts
from services.tracking.case.idempotency import done_before
from services.tracking.case.lifecycle import Case
from services.tracking.case.null_characters import reject_null_characters
from services.tracking.case.record import Recorder
from services.tracking.citizens import views
from services.tracking.evidence import store as evidence_store
from services.tracking.evidence.use_cases import EvidenceUseCases
from services.tracking.rules import COMMANDS


class CitizenUseCases:
    """The use cases of who holds a case's code, or is signed in as who filed it."""

    def __init__(self, contexts: Contexts, recorder: Recorder, evidence: EvidenceUseCases) -> None:
        self._contexts, self._recorder, self._evidence = contexts, recorder, evidence

    def view_by_code(self, connection: Connection, request: ViewByCode) -> PublicCase:
        """What the holder of the code sees; UnknownCase when there is no case yet."""
        return _existing(views.public_by_code(connection, request.code_hashes, self._contexts.today()))

    def view_own_case(self, connection: Connection, request: ViewOwnCase) -> PublicCase:
        """The same for the signed-in citizen who filed it."""
        citizen_id = actor_id(request.actor, ActorKind.CITIZEN)
        return _existing(views.public_own(connection, request.case_id, citizen_id, self._contexts.today()))

    def list_own_cases(self, connection: Connection, request: ListOwnCases) -> OwnCases:
        """What the signed-in citizen filed."""
        return views.own_cases(connection, actor_id(request.actor, ActorKind.CITIZEN))

    def execute_citizen(self, connection: Connection, request: ExecuteCitizenCommand) -> PublicCase:
        """A command of the one who filed the case. UnknownCase, KeyReused, WrongStage, EvidenceFull."""
        reject_null_characters(request)
        uploads: list[str] = getattr(request.command, "uploads", [])
        evidence_store.ensure_states(connection, uploads)
        case = self._lock(connection, request)
        if case is None:
            raise UnknownCase
        if not done_before(connection, request.actor, request.idempotency_key, case.case_id, request.command):
            context = self._contexts.for_command(connection, case, request.command, request.actor)
            change = COMMANDS.act_as_citizen(case, request.command, context)
            self._recorder.record(connection, change, request.actor, context.now)
            self._evidence.report_refusals(connection, uploads)
        return _existing(views.public_of(connection, case.case_id, self._contexts.today()))

    def _lock(self, connection: Connection, request: ExecuteCitizenCommand) -> Case | None:
        if request.actor.kind not in (ActorKind.CITIZEN, ActorKind.BEARER):
            raise NotAllowed
        if request.code_hashes:
            case = store.lock_by_code(connection, request.code_hashes)
            return case if case and request.case_id in (None, case.case_id) else None
        if request.case_id is None:
            return None
        return store.lock_own(connection, request.case_id, actor_id(request.actor, ActorKind.CITIZEN))


def _existing(view: PublicCase | None) -> PublicCase:
    if view is None:
        raise UnknownCase
    return view
