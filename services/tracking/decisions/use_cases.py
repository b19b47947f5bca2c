"""What decisions recommend to units, and what their liaisons report of it."""

from __future__ import annotations

from sqlalchemy import Connection

from backbone.storage import cursors
from contracts.errors import NotFound
from contracts.tracking import (
    FollowedRecommendation,
    ListRecommendations,
    Recommendations,
    ReportRecommendation,
    SettleRecommendation,
)
from contracts.vocabulary import Role
from services.tracking.case import store as case_store
from services.tracking.case.access import Access
from services.tracking.case.context import Contexts
from services.tracking.case.idempotency import done_before
from services.tracking.case.null_characters import reject_null_characters
from services.tracking.case.record import Recorder
from services.tracking.case.view_texts import with_texts
from services.tracking.decisions import rules, store
from services.tracking.reference.catalogue import CatalogueCopy


class RecommendationUseCases:
    """The use cases of liaisons, and of staff who follow recommendations up."""

    def __init__(self, access: Access, catalogue: CatalogueCopy, contexts: Contexts, recorder: Recorder) -> None:
        self._access, self._catalogue, self._contexts, self._recorder = access, catalogue, contexts, recorder

    def list_recommendations(self, connection: Connection, request: ListRecommendations) -> Recommendations:
        """To a liaison those of the unit, with nothing of the case; to others those of the cases they may know of."""
        tree = self._catalogue.current(connection).tree
        units = None if request.unit is None else tree.below(request.unit)
        page = (request.after, request.limit + 1)
        if Role.LIAISON in request.actor.roles:
            own = self._access.answered_units(connection, request.actor)
            listed = own if units is None else own & units
            found = store.of_units(connection, listed, request.open_only, page=page)
        else:
            scope = self._access.scope(connection, request.actor)
            found = store.of_scope(connection, scope, units, request.open_only, page=page)
        return with_texts(_page(found, request.limit), request.actor.language)

    def report_recommendation(self, connection: Connection, request: ReportRecommendation) -> FollowedRecommendation:
        """What the unit reports of it. NotFound for one that was not made to the liaison's unit or one below it."""
        reject_null_characters(request)
        units = self._access.answered_units(connection, request.actor)
        recommendation_id = request.recommendation_id
        case_id = store.case_of_unit(connection, recommendation_id, units)
        case = case_store.lock(connection, case_id) if case_id is not None else None
        if case is None:
            raise NotFound
        report = SettleRecommendation(recommendation_id=recommendation_id, accepted=request.done, reason=request.reason)
        if not done_before(connection, request.actor, request.idempotency_key, recommendation_id, report):
            [recommendation] = store.of_case(connection, case.case_id, recommendation_id)
            context = self._contexts.of(connection, request.actor, None)
            change = rules.report(case, recommendation, request.done, request.reason, context)
            self._recorder.record(connection, change, request.actor, context.now)
        reported = store.of_units(connection, units, open_only=False, only=recommendation_id)[0]
        return with_texts(reported, request.actor.language)


def _page(found: list[FollowedRecommendation], limit: int) -> Recommendations:
    items = found[:limit]
    more = len(found) > limit
    return Recommendations(
        items=items, next=cursors.encode(items[-1].due_on, items[-1].recommendation_id) if more else None
    )
