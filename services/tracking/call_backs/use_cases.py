"""The call-back list: drawn once a week, taken by operators one case at a time, each result recorded."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from contracts.call_backs import (
    CallBack,
    CallBackState,
    CallBackWeek,
    CallBackWeeks,
    ListCallBackWeeks,
    RecordCall,
    SkipCallBack,
    TakeCallBack,
    may_call,
)
from contracts.errors import NotAllowed, NotFound, UnknownCase
from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Role
from services.tracking.call_backs import rules, store
from services.tracking.call_backs.rules import CallState
from services.tracking.case import store as case_store
from services.tracking.case.access import Access, actor_id
from services.tracking.case.context import Clock
from services.tracking.case.idempotency import done_before, key_was_used
from services.tracking.case.null_characters import reject_null_characters
from services.tracking.case.record import Recorder
from services.tracking.case.scope import Scope
from services.tracking.reference.workdays import day_of

KEPT_FOR = timedelta(hours=2)
"""For who took a case; then another may call."""


class CallBackUseCases:
    """`size`: cases drawn in a week at most, 0: none; `share`: percent of those that could be."""

    def __init__(self, access: Access, recorder: Recorder, clock: Clock, size: int, share: int) -> None:
        self._access, self._recorder, self._clock = access, recorder, clock
        self._size, self._share = size, share

    def draw(self, connection: Connection) -> int:
        """This week's sample; 0 when it is drawn already."""
        today = day_of(self._clock())
        week = rules.week_of(today)
        if not self._size or store.was_drawn(connection, week):
            return 0
        if not store.begin_draw(connection, week, self._size, self._share):
            return 0
        eligible = store.count_eligible(connection, today)
        store.draw(connection, week, today, eligible, rules.sample_size(eligible, self._share, self._size))
        return 1

    def take(self, connection: Connection, request: TakeCallBack) -> CallBack:
        """The next case to call. NotAllowed, NotFound."""
        operator, scope = self._operator(connection, request.actor)
        at = self._clock()
        row = store.lock_next(connection, scope, operator, day_of(at), at - KEPT_FOR)
        if row is None:
            raise NotFound
        store.take(connection, row.case_id, operator, at)
        return CallBack(case_id=row.case_id, attempt=row.attempts + 1)

    def skip(self, connection: Connection, request: SkipCallBack) -> CallBackState:
        """Its citizen cannot be called. NotAllowed, UnknownCase."""
        operator, _ = self._operator(connection, request.actor)
        row = self._taken(connection, request.case_id, operator)
        state = CallState("unreachable", row.attempts)
        store.put(connection, request.case_id, state)
        return _shown(request.case_id, state)

    def record(self, connection: Connection, request: RecordCall) -> CallBackState:
        """What came of a call. NotAllowed, UnknownCase, InvalidField, WrongStage, KeyReused."""
        reject_null_characters(request)
        operator, scope = self._operator(connection, request.actor)
        rules.check_answers(request)
        case = case_store.lock_for_staff(connection, [request.case_id], scope).get(request.case_id)
        row = store.lock_taken(connection, request.case_id, operator)
        if row is None or case is None:
            raise UnknownCase
        if key_was_used(connection, request.actor, request.idempotency_key):
            self._done_before(connection, request)
            return _shown(row.case_id, CallState(row.state, row.attempts, row.next_on))
        if row.state != "taken":
            raise UnknownCase
        at = self._clock()
        state = rules.after_call(row.attempts, request.result, day_of(at))
        change = rules.rated_by_phone(case, request, day_of(at)) if request.result == "rated" else None
        self._done_before(connection, request)
        if change is not None:
            self._recorder.record(connection, change, request.actor, at)
        store.put(connection, request.case_id, state)
        return _shown(request.case_id, state)

    def weeks(self, connection: Connection, request: ListCallBackWeeks) -> CallBackWeeks:
        """The newest draws and what came of them. NotAllowed for others than operators and heads."""
        self._access.conflict_free_scope(connection, request.actor)  # NotAllowed for a closed account
        if not request.actor.roles & {Role.OPERATOR, Role.HEAD}:
            raise NotAllowed
        rows = store.weeks(connection, request.after, request.limit + 1)
        items = [_week(row) for row in rows[: request.limit]]
        return CallBackWeeks(items=items, next=store.cursor(items[-1].week) if len(rows) > request.limit else None)

    def _done_before(self, connection: Connection, request: RecordCall) -> bool:
        said = request.model_copy(update={"idempotency_key": ""})
        return done_before(connection, request.actor, request.idempotency_key, request.case_id, said)

    def _taken(self, connection: Connection, case_id: UUID, operator: UUID) -> Any:
        row = store.lock_taken(connection, case_id, operator)
        if row is None or row.state != "taken":
            raise UnknownCase
        return row

    def _operator(self, connection: Connection, actor: Actor) -> tuple[UUID, Scope]:
        """Who calls, and which cases a conflict of interest leaves them."""
        own = actor_id(actor, ActorKind.STAFF)
        if not may_call(actor.roles):
            raise NotAllowed
        return own, self._access.conflict_free_scope(connection, actor)


def _shown(case_id: UUID, state: CallState) -> CallBackState:
    return CallBackState.model_validate({"case_id": case_id, **vars(state)})


def _week(row: Any) -> CallBackWeek:
    states = dict(row.states or {})
    waiting = states.pop("waiting", 0) + states.pop("taken", 0)  # somebody has it at the phone
    drawn = {name: getattr(row, name) for name in ("week", "size", "share", "eligible", "drawn")}
    return CallBackWeek(**drawn, waiting=waiting, **states)
