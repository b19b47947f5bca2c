"""What the citizen who filed a case does with it: sees it, and gives commands, each once."""

from __future__ import annotations

from sqlalchemy import Connection

from backbone.storage import cursors
from contracts.errors import NotAllowed, UnknownCase
from contracts.tracking import (
    CitizenCommand,
    CorrectFiled,
    ExecuteCitizenCommand,
    FindSimilarOwnCases,
    ListOwnCases,
    OwnCases,
    PublicCase,
    SimilarOwnCases,
    ViewByCode,
    ViewOwnCase,
    WithdrawMessage,
)
from contracts.vocabulary import ActorKind
from services.tracking.case import store
from services.tracking.case.access import actor_id
from services.tracking.case.context import Contexts
from services.tracking.case.idempotency import done_before
from services.tracking.case.lifecycle import Case, Change
from services.tracking.case.null_characters import reject_null_characters
from services.tracking.case.record import Recorder
from services.tracking.citizens import views
from services.tracking.evidence import store as evidence_store
from services.tracking.evidence.use_cases import EvidenceUseCases
from services.tracking.messages import store as messages_store
from services.tracking.messages.rules import CitizenLimits
from services.tracking.rules import COMMANDS
from services.tracking.search import renewal


class CitizenUseCases:
    """The use cases of who holds a case's code, or is signed in as who filed it."""

    def __init__(
        self, contexts: Contexts, recorder: Recorder, evidence: EvidenceUseCases, limits: CitizenLimits
    ) -> None:
        self._contexts, self._recorder, self._evidence = contexts, recorder, evidence
        self._limits = limits

    def view_by_code(self, connection: Connection, request: ViewByCode) -> PublicCase:
        """What the holder of the code sees; UnknownCase when there is no case yet."""
        return _existing(views.public_by_code(connection, request.code_hashes, self._contexts.now(), self._limits))

    def view_own_case(self, connection: Connection, request: ViewOwnCase) -> PublicCase:
        """The same for the signed-in citizen who filed it."""
        citizen_id = actor_id(request.actor, ActorKind.CITIZEN)
        return _existing(views.public_own(connection, request.case_id, citizen_id, self._contexts.now(), self._limits))

    def list_own_cases(self, connection: Connection, request: ListOwnCases) -> OwnCases:
        """What the signed-in citizen filed, by pages."""
        citizen_id, today = actor_id(request.actor, ActorKind.CITIZEN), self._contexts.today()
        after = cursors.decode(request.after) if request.after else None
        items = views.own_cases(connection, citizen_id, today, after, request.limit + 1)
        more, items = len(items) > request.limit, items[: request.limit]
        return OwnCases(items=items, next=cursors.encode(items[-1].filed_at, items[-1].case_id) if more else None)

    def find_similar_own_cases(self, connection: Connection, request: FindSimilarOwnCases) -> SimilarOwnCases:
        """The signed-in citizen's own open cases that may be what they are about to file."""
        reject_null_characters(request)
        citizen_id = actor_id(request.actor, ActorKind.CITIZEN)
        return SimilarOwnCases(items=views.similar_own(connection, citizen_id, request, self._contexts.today()))

    def keep_look(self, connection: Connection, seen: PublicCase) -> None:
        """The citizen has seen their case, signed in, as this view shows it."""
        if views.seen_version(connection, seen.case_id) < seen.version:
            views.keep_look(connection, seen.case_id, seen.version)

    def execute_citizen(self, connection: Connection, request: ExecuteCitizenCommand) -> PublicCase:
        """A command of the one who filed the case. UnknownCase, KeyReused, WrongStage, EvidenceFull, MessagesFull, TooLate."""
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
            self._rewrite(connection, request.command, change)
            self._evidence.report_refusals(connection, uploads)
        view = _existing(views.public_of(connection, case.case_id, self._contexts.now(), self._limits))
        if request.actor.kind is ActorKind.CITIZEN:
            self.keep_look(connection, view)
        return view

    def _rewrite(self, connection: Connection, command: CitizenCommand, change: Change) -> None:
        """What a correction does to the locked case beside its timeline: it reads otherwise, and is found by other words."""
        if not change.entries:
            return
        if isinstance(command, CorrectFiled):
            messages_store.correct_filed(connection, change.case.case_id, command)
        if isinstance(command, CorrectFiled | WithdrawMessage):
            renewal.renew_case(connection, change.case.case_id)

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
