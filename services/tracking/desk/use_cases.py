"""The counter: what an operator finds of what they filed, and what they may do with it; codes and citizens that change."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sqlalchemy import ColumnElement, Connection

from backbone.messaging import inbox
from backbone.messaging.consumers import TryLater
from backbone.persian import jalali
from backbone.storage import cursors
from contracts.characters import latin_digits
from contracts.desk import AuthorizeDesk, DeskCase, DeskCases, DeskGrant, ListDeskCases, SubmissionClaimed
from contracts.errors import CorrectionTooLate, InvalidField, NotAllowed, UnknownCase
from contracts.gateway import Actor
from contracts.intake import SubmissionRecoded
from contracts.tracking import CaseClaimed, CaseCodeReplaced
from contracts.vocabulary import ActorKind, ConsentTo, Role
from services.tracking.case import store as case_store
from services.tracking.case.access import Access, actor_id
from services.tracking.case.context import Clock
from services.tracking.case.null_characters import reject_null_characters
from services.tracking.case.record import Recorder
from services.tracking.case.scope import Scope
from services.tracking.case.transitions import change_of
from services.tracking.desk import rules, store
from services.tracking.models import cases
from services.tracking.reference.catalogue import CatalogueCopy
from services.tracking.reference.workdays import ONE_DAY, day_of
from services.tracking.search.conditions import whole_numbers

BY_US = Actor(kind=ActorKind.SYSTEM, id="system")


class DeskUseCases:
    """`correction_days`: working days in which an operator corrects what they filed."""

    def __init__(
        self, access: Access, catalogue: CatalogueCopy, recorder: Recorder, clock: Clock, correction_days: int
    ) -> None:
        self._access, self._catalogue, self._recorder, self._clock = access, catalogue, recorder, clock
        self._correction_days = correction_days

    def list_own(self, connection: Connection, request: ListDeskCases) -> DeskCases:
        """To an operator what they filed themselves. NotAllowed for others, InvalidField."""
        reject_null_characters(request)
        operator, scope = self._at_desk(connection, request.actor, Role.OPERATOR)
        after = None if request.after is None else cursors.decode(request.after)
        rows = store.filed_by(connection, operator, scope, _terms(request), after, request.limit + 1)
        workdays = self._catalogue.current(connection).workdays
        items = [
            DeskCase(
                **{name: value for name, value in row._mapping.items() if name not in ("consent", "citizen_id")},
                consent=row.consent["form"],
                to_sms=ConsentTo.SMS in row.consent["to"],
                confirmed=row.citizen_id is not None,
                correctable_until=rules.correctable_until(row.filed_at, workdays, self._correction_days),
            )
            for row in rows[: request.limit]
        ]
        more = len(rows) > request.limit
        return DeskCases(items=items, next=cursors.encode(items[-1].filed_at, items[-1].case_id) if more else None)

    def authorize(self, connection: Connection, request: AuthorizeDesk) -> DeskGrant:
        """Whether the actor may do this with a case at the counter. UnknownCase, NotAllowed, CorrectionTooLate."""
        reject_null_characters(request)
        staff_id, scope = self._at_desk(connection, request.actor, Role.OPERATOR, Role.HEAD)
        whole = None if request.number is None else latin_digits(request.number.strip())
        this = cases.c.case_id == request.case_id if whole is None else cases.c.number == whole
        row = store.case_at_desk(connection, this, scope)
        if row is None:
            raise UnknownCase
        if request.act == "lost_code":
            return DeskGrant(case_id=row.case_id)
        is_head = Role.HEAD in request.actor.roles
        if row.filed_by is None or not (is_head or row.filed_by == str(staff_id)):
            raise UnknownCase
        workdays = self._catalogue.current(connection).workdays
        last = rules.correctable_until(row.filed_at, workdays, self._correction_days)
        if request.act == "mobile" and not is_head and day_of(self._clock()) > last:
            raise CorrectionTooLate
        return DeskGrant(case_id=row.case_id)

    def recode(self, connection: Connection, event: SubmissionRecoded) -> None:
        """A case answers to its new code, once there is a case. Of two codes the later one holds, in whatever order they come."""
        case = case_store.lock(connection, event.case_id)
        if case is None:
            raise TryLater("the case is not open yet")
        if not inbox.first_time(connection, "tracking.recoded", event.id):
            return
        if store.code_attempt(connection, event.case_id) >= event.attempt:
            return
        corrected = event.reason == "corrected"
        citizen_id = None if corrected else case.citizen_id
        if event.holder is not None:  # what was confirmed before this code may still be under way
            citizen_id = event.holder.citizen_id
        store.replace_code(connection, event.case_id, event.code_hash, event.attempt, citizen_id)
        if event.reason == "clash":
            return  # the case was opened with it, and nobody has read it by the other one
        after = replace(case, code_hash=event.code_hash, citizen_id=citizen_id)
        by = BY_US if event.by is None else Actor(kind=ActorKind.STAFF, id=str(event.by))
        entry = "mobile_corrected" if corrected else "code_replaced"
        self._recorder.record(connection, change_of(case, after, entry, CaseCodeReplaced), by, self._clock())

    def claim(self, connection: Connection, event: SubmissionClaimed) -> None:
        """What an operator filed is among the cases of the citizen who confirmed it."""
        case = case_store.lock(connection, event.case_id)
        if case is None:
            raise TryLater("the case is not open yet")
        attempt = store.code_attempt(connection, event.case_id)
        if attempt < event.attempt:
            raise TryLater("an earlier change of its code has not arrived yet")
        if attempt > event.attempt or not inbox.first_time(connection, "tracking.recoded", event.id):
            return  # the later code came with whose the case is
        if store.set_citizen(connection, event.case_id, event.citizen_id):
            after = replace(case, citizen_id=event.citizen_id)
            by = Actor(kind=ActorKind.CITIZEN, id=str(event.citizen_id))
            self._recorder.record(connection, change_of(case, after, "claimed", CaseClaimed), by, self._clock())

    def _at_desk(self, connection: Connection, actor: Actor, *roles: Role) -> tuple[UUID, Scope]:
        """Who asks, and which cases a conflict of interest leaves them."""
        own = actor_id(actor, ActorKind.STAFF)
        if not actor.roles & set(roles):
            raise NotAllowed
        return own, self._access.conflict_free_scope(connection, actor)


def _terms(request: ListDeskCases) -> list[ColumnElement[bool]]:
    if request.filed_from and request.filed_until and request.filed_until < request.filed_from:
        raise InvalidField(fields=[{"field": "filed_until", "reason": "before_its_start"}])
    terms: list[ColumnElement[bool]] = []
    if request.number is not None:
        terms.append(cases.c.number.in_(whole_numbers([request.number])))
    if request.kind is not None:
        terms.append(cases.c.kind == request.kind)
    if request.case_ids is not None:
        terms.append(cases.c.case_id.in_(request.case_ids))
    if request.filed_from is not None:
        terms.append(cases.c.filed_at >= jalali.starts(request.filed_from))
    if request.filed_until is not None:
        terms.append(cases.c.filed_at < jalali.starts(request.filed_until + ONE_DAY))
    return terms
