"""Questions put to units, and their liaisons' answers."""

from __future__ import annotations

from sqlalchemy import Connection

from backbone.storage import cursors
from contracts.errors import NotFound
from contracts.tracking import (
    AnswerQuestion,
    AnswerUnitQuestion,
    ListUnansweredUnits,
    ListUnitQuestions,
    NamedUnit,
    UnansweredUnits,
    UnitQuestion,
    UnitQuestions,
)
from services.tracking.case import store as case_store
from services.tracking.case.access import Access
from services.tracking.case.context import Contexts
from services.tracking.case.idempotency import done_before
from services.tracking.case.null_characters import reject_null_characters
from services.tracking.case.record import Recorder
from services.tracking.case.view_texts import with_texts
from services.tracking.inquiry import rules, store, views
from services.tracking.reference.catalogue import CatalogueCopy
from services.tracking.reference.store import liaison_units


class InquiryUseCases:
    """The use cases of liaisons, who see the question and never the case; and which units have none."""

    def __init__(self, access: Access, catalogue: CatalogueCopy, contexts: Contexts, recorder: Recorder) -> None:
        self._access, self._catalogue = access, catalogue
        self._contexts, self._recorder = contexts, recorder

    def list_unanswered_units(self, connection: Connection, request: ListUnansweredUnits) -> UnansweredUnits:
        """The open units for which nobody answers. NotAllowed for who sees no cases."""
        self._access.scope(connection, request.actor)
        city = self._catalogue.current(connection)
        answered = {code for unit in liaison_units(connection) for code in city.tree.below(unit)}
        units = [city.unit(code) for code in sorted(set(city.units) - answered)]
        named = [
            NamedUnit(code=unit.code, name_fa=unit.name_fa, name_en=unit.name_en)
            for unit in units
            if unit is not None and unit.active and not unit.root
        ]
        return UnansweredUnits(items=named)

    def list_unit_questions(self, connection: Connection, request: ListUnitQuestions) -> UnitQuestions:
        """Questions put to the liaison's unit or one below it."""
        units = self._access.answered_units(connection, request.actor)
        items = views.unit_questions(connection, units, request.open_only, after=request.after, limit=request.limit + 1)
        more, items = len(items) > request.limit, items[: request.limit]
        following = cursors.encode(items[-1].asked_at, items[-1].question_id) if more else None
        return with_texts(UnitQuestions(items=items, next=following), request.actor.language)

    def answer_unit_question(self, connection: Connection, request: AnswerUnitQuestion) -> UnitQuestion:
        """A unit's answer. NotFound for a question that was not put to the liaison's unit or one below it."""
        reject_null_characters(request)
        units = self._access.answered_units(connection, request.actor)
        case_id = store.case_of_question(connection, request.question_id, units)
        case = case_store.lock(connection, case_id) if case_id is not None else None
        if case is None:
            raise NotFound
        answer = AnswerQuestion(text=request.text, uploads=request.uploads)
        if not done_before(connection, request.actor, request.idempotency_key, request.question_id, answer):
            context = self._contexts.of(connection, request.actor, case)
            uploads = tuple(dict.fromkeys(request.uploads))
            change = rules.answer_unit_question(case, request.question_id, request.text, uploads, context)
            self._recorder.record(connection, change, request.actor, context.now)
        answered = views.unit_questions(connection, units, open_only=False, only=request.question_id)[0]
        return with_texts(answered, request.actor.language)
