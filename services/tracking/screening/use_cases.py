"""Screening: what is suggested for a case, who is free for it, many cases assigned at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import Connection

from contracts.errors import NotAllowed, NotFound, PeygirError, UnknownCase
from contracts.gateway import Actor
from contracts.screening import (
    Assigned,
    AssignedCase,
    AssignMany,
    HandOver,
    InspectorSkills,
    InspectorWorkload,
    ListSkills,
    SetSkills,
    ShowWorkload,
    Skills,
    Suggestions,
    SuggestScreening,
    Workload,
)
from contracts.tracking import Assign
from contracts.vocabulary import Role
from services.tracking.case import store as case_store
from services.tracking.case.access import Access
from services.tracking.case.context import Clock, Contexts
from services.tracking.case.idempotency import done_before, key_was_used
from services.tracking.case.lifecycle import Case
from services.tracking.case.record import Recorder
from services.tracking.reference import store as reference_store
from services.tracking.rules import COMMANDS
from services.tracking.screening import suggestions, workload

DUE_SOON = 3
"""Working days."""
MOST = 500
"""Cases handed over in one step."""


class ScreeningUseCases:
    """The use cases of the screener's and the head's lists."""

    def __init__(self, access: Access, contexts: Contexts, recorder: Recorder, clock: Clock) -> None:
        self._access, self._contexts, self._recorder, self._clock = access, contexts, recorder, clock

    def suggest_screening(self, connection: Connection, request: SuggestScreening) -> Suggestions:
        """What earlier and open cases say; only such as the actor may know of."""
        scope = self._access.scope(connection, request.actor)
        if not (COMMANDS.permits(request.actor, Assign) or Role.INSPECTOR in request.actor.roles):
            raise NotAllowed
        subject = workload.text_of(connection, request.case_id, scope)
        if subject is None:
            raise UnknownCase
        earlier = workload.earlier(connection, request.case_id, subject.search, self._clock(), scope)
        unit, ground, urgent = suggestions.suggest(subject.search.strip(), earlier)
        similar = workload.similar(connection, subject, scope)
        return Suggestions(unit=unit, ground=ground, urgent=urgent, similar=similar)

    def assign_many(self, connection: Connection, request: AssignMany) -> Assigned:
        """Each by itself: what cannot be assigned is subject and stops no other."""
        versions = {case.case_id: case.expected_version for case in request.cases}
        locked = case_store.lock_for_staff(connection, versions, self._access.scope(connection, request.actor))
        _may_assign(request.actor)
        return self._assign_all(connection, request, list(versions), locked, versions)

    def hand_over(self, connection: Connection, request: HandOver) -> Assigned:
        """All open cases of one inspector, also when they left and nobody has them yet. Repeated, it finds no more of them."""
        scope = self._access.scope(connection, request.actor)
        _may_assign(request.actor)
        ids = workload.open_cases_of(connection, request.leaver, scope, MOST)
        locked = case_store.lock_for_staff(connection, ids, scope)
        mine = {
            case_id: case
            for case_id, case in locked.items()
            if case.handler == request.leaver
            or (case.handler is None and case.previous_handlers[-1:] == (request.leaver,))
        }
        versions = {case_id: case.version for case_id, case in mine.items()}
        return self._assign_all(connection, request, list(mine), mine, versions, passed_over=request.leaver)

    def _assign_all(
        self,
        connection: Connection,
        request: AssignMany | HandOver,
        ids: Sequence[UUID],
        locked: Mapping[UUID, Case],
        versions: Mapping[UUID, int],
        passed_over: UUID | None = None,
    ) -> Assigned:
        items = []
        command = Assign(inspector=request.inspector)
        for case_id in ids:
            case = locked.get(case_id)
            try:
                if case is None:
                    raise UnknownCase
                items.append(self._assign_one(connection, request, case, versions[case_id], command, passed_over))
            except PeygirError as error:
                items.append(AssignedCase(case_id=case_id, error=error.code))
        return Assigned(items=items)

    def _assign_one(
        self,
        connection: Connection,
        request: AssignMany | HandOver,
        case: Case,
        version: int,
        command: Assign,
        passed_over: UUID | None,
    ) -> AssignedCase:
        # The key is noted only for what is done: judged first, by rules that write nothing.
        key = f"{request.idempotency_key}:{case.case_id}"
        if key_was_used(connection, request.actor, key):
            done_before(connection, request.actor, key, case.case_id, command)
            return AssignedCase(case_id=case.case_id, handler=case.handler, version=case.version)
        if case.version != version:
            return AssignedCase(case_id=case.case_id, error="stale_version")
        context = self._contexts.for_command(connection, case, command, request.actor, passed_over=passed_over)
        change = COMMANDS.act(case, command, context)
        done_before(connection, request.actor, key, case.case_id, command)
        after = self._recorder.record(connection, change, request.actor, context.now)
        return AssignedCase(case_id=case.case_id, handler=after.handler, version=after.version)

    def show_workload(self, connection: Connection, request: ShowWorkload) -> Workload:
        """Per inspector, by a head."""
        scope = self._access.scope(connection, request.actor)
        if Role.HEAD not in request.actor.roles:
            raise NotAllowed
        context = self._contexts.of(connection, request.actor, None)
        soon = context.workdays.after(context.today, DUE_SOON)
        rows = workload.by_inspector(connection, scope, context.today, soon)
        items = [InspectorWorkload(**{**row._mapping, "average_age": round(row.average_age, 1)}) for row in rows]
        return Workload(items=items)

    # --- skills ---

    def set_skills(self, connection: Connection, request: SetSkills) -> Skills:
        """By a head. NotFound for who is no inspector; grounds that nobody knows are passed over."""
        self._access.scope(connection, request.actor)
        if Role.HEAD not in request.actor.roles:
            raise NotAllowed
        member = reference_store.member(connection, request.inspector)
        if member is None or Role.INSPECTOR not in member.roles:
            raise NotFound
        grounds = [
            ground for ground in set(request.grounds) if reference_store.ground_kinds(connection, ground) is not None
        ]
        workload.keep_skills(connection, request.inspector, sorted(grounds))
        return self.list_skills(connection, ListSkills(actor=request.actor))

    def list_skills(self, connection: Connection, request: ListSkills) -> Skills:
        """Of all active inspectors; counted are the cases that the actor may know of."""
        scope = self._access.scope(connection, request.actor)
        _may_assign(request.actor)
        rows = workload.inspectors(connection, scope)
        return Skills(
            items=[
                InspectorSkills(
                    inspector=row.staff_id,
                    inspector_name=row.display_name,
                    grounds=row.grounds or [],
                    open_cases=row.open_cases,
                )
                for row in rows
            ]
        )


def _may_assign(actor: Actor) -> None:
    if not COMMANDS.permits(actor, Assign):
        raise NotAllowed
